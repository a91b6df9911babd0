"""What a run says in words: to the terminal while nothing covers it, and to the run's log."""

import sys
from collections.abc import Callable
from pathlib import Path

from breakwall.app.terminal.outlet import FULL_BYTES, Outlet
from breakwall.headless import Lines
from breakwall.model.actions import Note
from breakwall.model.view import View
from breakwall.storage.runs import StateError

_PATIENCE_S = 0.5


class Voice:
    """Log lines and receipt of one run. `covered()`: whether a screen lies over the terminal now.

    A terminal that stalls (Ctrl-S, a slow link) holds up nothing: lines that it does not take are left out.
    """

    def __init__(self, level: str) -> None:
        self.covered: Callable[[], bool] = lambda: False
        self._level = level
        self._outlet = Outlet(sys.stderr.fileno())
        self._terminal = Lines(level, self._outlet)
        self._log: Lines | None = None

    @property
    def bytes_written(self) -> int:
        """What the terminal got."""
        return self._outlet.bytes_written

    def close(self) -> None:
        """Nothing more will be said; waits a moment for the terminal to take the last lines."""
        self._outlet.close()
        self._outlet.left(_PATIENCE_S)

    def keep(self, path: Path) -> None:
        """Write everything to this log as well, from now on. Raises StateError where it cannot be opened."""
        try:
            path.touch(mode=0o600)
            self._log = Lines(self._level, path.open("a", encoding="utf-8"))
        except OSError as error:
            raise StateError(
                f"{path}: the log cannot be written ({error.strerror}). "
                "Make room on its disk, or give another folder with --state."
            ) from error

    def note(self, note: Note, at_ms: int) -> None:
        for lines in self._heard():
            lines.note(note, at_ms)

    def line(self, at_ms: int, level: str, text: str) -> None:
        for lines in self._heard():
            lines.line(at_ms, level, text)

    def status(self, view: View, at_ms: int) -> None:
        for lines in self._heard():
            lines.status(view, at_ms)

    def write(self, text: str) -> None:
        """Text as it is, a receipt for example."""
        for lines in self._heard():
            lines.write(text)

    def _heard(self) -> list[Lines]:
        heard = [self._log] if self._log is not None else []
        return heard if self.covered() or self._outlet.pending > FULL_BYTES else [*heard, self._terminal]
