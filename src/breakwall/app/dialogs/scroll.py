"""A dialog to read: longer than its sheet, moved with arrows and pages."""

from abc import abstractmethod
from typing import ClassVar

from breakwall.app.dialogs.dialog import CLOSE, STEPS, Choice, Dialog, window
from breakwall.app.rows.row import Row
from breakwall.model.view import View


class Scroll(Dialog):
    """Subclasses say `body`; `closing` are the keys that close it."""

    width = 100
    closing: ClassVar[frozenset[str]] = frozenset({"escape", "enter", "q"})

    def __init__(self) -> None:
        self.first = 0
        self._last = 0

    @abstractmethod
    def body(self, view: View | None, width: int) -> list[Row]:
        """All of its rows."""

    def lines(self, view: View | None, width: int, height: int) -> list[Row]:
        rows = self.body(view, width)
        room = max(0, height - 1)
        self._last = max(0, len(rows) - room)
        self.first = min(self.first, self._last)
        more = f"{self.first + 1}-{min(len(rows), self.first + room)} of {len(rows)}  ↑↓ PgUp PgDn  Esc closes"
        return [self.head(width, more if self._last else "Esc closes"), *window(rows, self.first, room)]

    def press(self, key: str, character: str | None) -> Choice | None:
        if key in STEPS:
            self.first = max(0, min(self._last, self.first + STEPS[key]))
            return None
        return CLOSE if {key, character} & self.closing else None
