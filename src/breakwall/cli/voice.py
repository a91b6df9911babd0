"""What a run says in words: to the terminal while nothing covers it, and to the run's log files."""

import sys
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from breakwall.app.terminal.outlet import FULL_BYTES, Outlet
from breakwall.headless import status_lines
from breakwall.model.crisis import CrisisReceipt, lines
from breakwall.model.view import View
from breakwall.settings import Settings

if TYPE_CHECKING:
    from breakwall.logs.log import Log

_PATIENCE_S = 0.5


class Voice:
    """Log lines and receipt of one run. `covered()`: whether a screen lies over the terminal now.

    A terminal that stalls (Ctrl-S, a slow link) holds up nothing: lines that it does not take are left out.
    """

    def __init__(self, settings: Settings) -> None:
        self.covered: Callable[[], bool] = lambda: False
        self._settings = settings
        self._outlet = Outlet(sys.stderr.fileno())

    @cached_property
    def log(self) -> "Log":
        """Made with the first line: what it is made of is not needed for the first picture."""
        from breakwall.logs.log import Log

        return Log(self._settings.logs, self._settings.log_level, self.write)

    @property
    def bytes_written(self) -> int:
        """What the terminal got."""
        return self._outlet.bytes_written

    def close(self) -> None:
        """Nothing more will be said; waits a moment for files and terminal to take the last lines."""
        if "log" in vars(self) and not self.log.close(_PATIENCE_S):
            self.write(f"the last lines are not in the log files: {self.log.trouble or 'the disk is slow'}\n")
        self._outlet.close()
        self._outlet.left(_PATIENCE_S)

    def line(self, at_ms: int, level: str, text: str, error: BaseException | None = None) -> None:
        """A line of the process; where `error` was raised goes to the files only."""
        self.log.say(at_ms, level, text, error=error)

    def status(self, view: View, at_ms: int) -> None:
        """The state at a glance: one line with the time, the rest below it without, to fit a small terminal."""
        head, *rest = status_lines(view)
        self.log.say(at_ms, "info", head, kind="status", rest=rest, fact=True)

    def crisis(self, at_ms: int, receipt: CrisisReceipt) -> None:
        """What trader and program did in a crisis."""
        head, *rest = lines(receipt)
        self.log.say(at_ms, "info", head, kind="crisis", rest=rest, fact=True)

    def receipt(self, at_ms: int, text: str, as_json: str) -> None:
        """How the run went: for the trader in words, in the files as data."""
        self.log.tell_repeats()
        self.log.file(at_ms, "receipt", text.partition("\n")[0], msgspec.json.decode(as_json))
        self.write(f"{text}\n")

    def write(self, text: str) -> None:
        """Text for the terminal as it is."""
        if not self.covered() and self._outlet.pending <= FULL_BYTES:
            self._outlet.write(text)
