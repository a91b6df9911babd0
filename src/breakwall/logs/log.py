"""The log of one run: every line once through the chain, then to the console and to the files of its day."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import structlog
from structlog.processors import add_log_level
from structlog.typing import EventDict

from breakwall.logs import chain
from breakwall.logs.files import DailyFiles, Line
from breakwall.logs.repeats import Repeat, Repeats, said
from breakwall.model.actions import Note
from breakwall.settings import LogSettings

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
"""As structlog and Python count them."""

ERRORS = "errors-"


class Log:
    """`say` takes a line from any thread and never waits for a disk or a terminal.

    `console(text)` gets what is at least `level`; it must not wait either. The files begin with `open`.
    """

    def __init__(self, settings: LogSettings, level: str, console: Callable[[str], None]) -> None:
        self._console = console
        self._console_level = LEVELS[level]
        self._file_level = LEVELS[settings.level]
        self._files = DailyFiles("", settings.keep_days)
        self._errors = DailyFiles(ERRORS, settings.keep_days)
        self._repeats = Repeats(round(settings.repeats_s * 1000))
        self._newest_ms = 0
        self._lock = threading.RLock()  # a warning may be raised while a line is made of another
        self._logger: Any = structlog.wrap_logger(
            chain.Sinks(self._tell),
            [add_log_level, chain.identified, chain.tracebacks, chain.harmless],
            wrapper_class=structlog.make_filtering_bound_logger(min(self._console_level, self._file_level)),
        )

    def open(self, folder: Path) -> None:
        """Write to files in this folder, also what was said before."""
        self._files.open(folder)
        self._errors.open(folder)

    def bind(self, **facts: object) -> None:
        """What every line from now on carries: run and mode."""
        self._logger = self._logger.bind(**facts)

    @property
    def trouble(self) -> str:
        """Why lines are not in the files, in words; empty while they are."""
        return self._files.trouble or self._errors.trouble

    def note(self, note: Note, at_ms: int) -> None:
        """A line for a note of the engine; what is a fact of the journal is no repeat, whatever its text."""
        self.say(
            at_ms,
            note.level,
            note.text,
            kind=note.kind,
            symbol=note.symbol,
            client_id=note.client_id,
            trace=note.trace,
            data=note.data,
            fact=note.durable,
        )

    def say(
        self,
        at_ms: int,
        level: str,
        text: str,
        *,
        kind: str = "process",
        symbol: str = "",
        client_id: str = "",
        trace: str = "",
        data: dict[str, Any] | None = None,
        rest: Sequence[str] = (),
        error: BaseException | None = None,
        fact: bool = False,
    ) -> None:
        """One line. `rest` are further rows for people, `error` goes to the files with where it was raised.

        `fact`: it is said however often it comes.
        """
        with self._lock:
            self._newest_ms = at_ms
            for repeat in self._repeats.over(at_ms):
                self._say_repeat(repeat, at_ms)
            self._tell_of_losses(at_ms)
            words = said(level, kind, symbol, client_id, text)
            if fact or self._repeats.is_news(words, at_ms, text):
                self._log(
                    level,
                    text,
                    at_ms=at_ms,
                    kind=kind,
                    symbol=symbol,
                    client_id=client_id,
                    trace=trace,
                    data=data,
                    rest=rest,
                    exc_info=error,
                )

    def file(self, at_ms: int, kind: str, text: str, data: dict[str, Any]) -> None:
        """A line for the files alone."""
        with self._lock:
            self._log("info", text, at_ms=at_ms, kind=kind, data=data, hidden=True)

    def tell_repeats(self) -> None:
        """Say what is counted by now; what comes again is news."""
        with self._lock:
            for repeat in self._repeats.rest():
                self._say_repeat(repeat, self._newest_ms)

    def close(self, patience_s: float) -> bool:
        """Say what is still counted and write it all, for so long at most; whether it is in the files."""
        self.tell_repeats()
        return self._files.close(patience_s) & self._errors.close(patience_s)

    def _say_repeat(self, repeat: Repeat, at_ms: int) -> None:
        line, data = repeat.said, {"repeated": repeat.times}
        self._log(
            line.level,
            repeat.words,
            at_ms=at_ms,
            kind=line.kind,
            symbol=line.symbol,
            client_id=line.client_id,
            data=data,
        )

    def _tell_of_losses(self, at_ms: int) -> None:
        for files in (self._files, self._errors):
            gap = files.healed()
            if gap is not None:
                self._log("warning", gap.words, at_ms=at_ms, kind="log-lost", data=gap._asdict())

    def _log(self, level: str, text: str, **facts: object) -> None:
        getattr(self._logger, level)(text, **facts)

    def _tell(self, line: EventDict) -> None:
        number, hidden = LEVELS[line["level"]], line.pop("hidden", False)
        if number >= self._console_level and not hidden:
            self._console(chain.readable(line))
        if number >= self._file_level:
            data = Line(line["at_ms"], chain.as_json(line))
            self._files.put(data)
            if line["level"] == "error":
                self._errors.put(data)
