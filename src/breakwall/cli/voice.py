"""What a run says in words: to the terminal while nothing covers it, and to the run's log."""

from collections.abc import Callable
from pathlib import Path

from breakwall.headless import Lines
from breakwall.model.actions import Note
from breakwall.model.view import View
from breakwall.storage.runs import StateError


class Voice:
    """Log lines and receipt of one run. `covered` says whether a screen lies over the terminal now."""

    def __init__(self, level: str, covered: Callable[[], bool] = lambda: False) -> None:
        self._level = level
        self._covered = covered
        self._terminal = Lines(level)
        self._log: Lines | None = None

    @property
    def bytes_written(self) -> int:
        """What the terminal got."""
        return self._terminal.bytes_written

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
        return heard if self._covered() else [*heard, self._terminal]
