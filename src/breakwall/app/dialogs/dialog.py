"""What all dialogs are: rows out of a view, and a choice out of keys. None of them knows the screen library."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

from breakwall.app.rows.row import Row, left
from breakwall.app.rows.table import filled
from breakwall.model.view import View


class Choice(NamedTuple):
    """What was chosen: `close`, or one of the kinds that `Controls.choose` carries out, with its value."""

    kind: str
    value: str = ""


CLOSE = Choice("close")
STEPS = {"up": -1, "down": 1, "pageup": -10, "pagedown": 10, "home": -10_000, "end": 10_000}


class Dialog(ABC):
    """`width` is how many columns it would like."""

    width = 76
    title = ""

    @abstractmethod
    def lines(self, view: View | None, width: int, height: int) -> list[Row]:
        """At most `height` rows of `width` columns."""

    @abstractmethod
    def press(self, key: str, character: str | None) -> Choice | None:
        """A key, by Textual's name and what it types; None where it chooses nothing."""

    def paste(self, text: str) -> None:
        """Dialogs with a line to type in take it; nothing else does."""
        del text

    def head(self, width: int, more: str = "Esc closes") -> Row:
        """The first row."""
        name = f" {self.title} "
        space = max(1, width - len(name) - len(more) - 1)
        return filled(((name, "title-focus"), (" " * space + more + " ", "title-focus")), width, "title-focus")


def paper(row: Row, width: int) -> Row:
    """A row in the dialog's own ground, which tells it from the panes below."""
    return filled(tuple((text, ink or "bar") for text, ink in row), width, "bar")


def line(text: str, width: int, ink: str = "bar") -> Row:
    return ((left(text, width), ink),)


def window(rows: Sequence[Row], first: int, room: int) -> list[Row]:
    """The rows that fit, from `first` on, so that none of the room is left empty."""
    first = max(0, min(first, len(rows) - room))
    return list(rows[first : first + room])
