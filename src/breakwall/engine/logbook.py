"""The last lines of the log, for whoever reads the view."""

from collections import deque

from breakwall.model.actions import Note
from breakwall.model.view import LogLine

KEPT = 300


class Logbook:
    """Keeps the newest notes at level info or above; `number` counts them from the run's start."""

    def __init__(self) -> None:
        self._lines: deque[LogLine] = deque(maxlen=KEPT)
        self._number = 0

    def add(self, note: Note, at_ms: int) -> None:
        if note.level != "debug":
            self._number += 1
            self._lines.append(LogLine(self._number, at_ms, note.level, note.symbol, note.text, note.trace))

    @property
    def lines(self) -> tuple[LogLine, ...]:
        """Newest last."""
        return tuple(self._lines)
