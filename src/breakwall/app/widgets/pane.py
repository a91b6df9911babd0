"""The base of all panes: rows in, strips out, and only changed rows are painted again."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from breakwall.app.look import Look
from breakwall.app.rows.printed import lean
from breakwall.app.rows.row import Row, clean, width_of
from breakwall.app.rows.table import filled
from breakwall.app.themes.ink import Ink
from breakwall.model.view import View


class Pane(Widget):
    """A block of rows. Subclasses say `rows`; the base paints those that differ from what is on the screen.

    The lines bypass the styles cache (`render_lines`), which would rebuild every strip on each paint:
    panes have no border and no padding, their first row is their title.
    """

    words: ClassVar[str] = ""
    """The title."""

    def __init__(self, ink: Ink, look: Look) -> None:
        super().__init__(id=type(self).__name__.lower())
        self.ink = ink
        self.look = look
        self.rows_painted = 0
        self._rows: list[Row] = []
        self._strips: list[Strip] = []

    def rows(self, view: View, width: int, height: int) -> Sequence[Row]:
        """At most `height` rows of `width` columns: a pure function of the view and the look.

        None for a pane that somebody else paints.
        """
        del view, width, height
        return ()

    def title(self, width: int, more: str = "", ink: str = "title-dim") -> Row:
        """The first row: the pane's name, lit while it has the focus, and a word about its content at the right."""
        return self.headed((f" {self.words}",), width, more, ink)

    def headed(self, heads: Sequence[str], width: int, more: str = "", ink: str = "title-dim") -> Row:
        """A first row that heads the columns of a table as well; the first head is the pane's name.

        Where not all of it fits, an ordinary word gives way to the heads, the heads to one with its own ink.
        """
        name = (f"{heads[0]} ", "title-focus" if self.has_focus else "title")
        words = (" ".join(heads[1:]).rstrip(), "title-dim")
        tail = f" {more} " if more else ""
        space = width - width_of((name, words)) - cell_len(clean(tail))
        if space < 0 and ink != "title-dim":
            words = ("", "title-dim")
            space = width - width_of((name,)) - cell_len(clean(tail))
        if space < 0:
            return filled((name, words), width, "title")
        return name, words, (" " * space, "title"), (tail, ink)

    def show(self, view: View) -> None:
        """Take a new view."""
        width, height = self.size
        if width and height:
            self.paint(self.rows(view, width, height))

    def show_in_parts(self, view: View) -> Iterator[None]:
        """`show` in parts, between which the engine has its turn; of most panes it is one part."""
        self.show(view)
        yield

    @property
    def painted(self) -> bool:
        """Whether it shows rows in this size and theme already."""
        return bool(self._rows)

    def paint(self, rows: Sequence[Row]) -> None:
        """Put rows on the screen; those that are the same cost nothing."""
        width, height = self.size
        fresh = list(rows)[:height]
        fresh += [()] * (height - len(fresh))
        changed = [place for place, row in enumerate(fresh) if place >= len(self._rows) or row != self._rows[place]]
        if len(self._strips) != height:
            self._strips = [Strip.blank(width, self.ink[""])] * height
            changed = list(range(height))
        for place in changed:
            self._strips[place] = self.strip(fresh[place], width)
        self._rows = fresh
        self.rows_painted += len(changed)
        if changed:
            self.refresh(*(Region(0, place, width, 1) for place in changed))

    def repaint(self, ink: Ink) -> None:
        """Another theme: every row is made again with the next view."""
        self.ink = ink
        self._rows, self._strips = [], []
        self.refresh()

    def strip(self, row: Row, width: int) -> Strip:
        """A row as exactly `width` columns; every text passes the sanitiser here, whatever it is made of.

        Neighbours of one ink are one segment: each costs the terminal its colours anew.
        """
        ink = self.ink
        runs = groupby(row, key=itemgetter(1))
        strip = Strip([Segment("".join(clean(text) for text, _ in cells), ink[name]) for name, cells in runs])
        return lean(strip.adjust_cell_length(width, ink[""]), ink.depth.console)

    def on_resize(self) -> None:
        """Textual calls this of every class that has one, of this one last: subclasses have `resized`."""
        self._rows, self._strips = [], []
        self.resized()

    def resized(self) -> None:
        """The size is another one; nothing is written yet."""

    def render_lines(self, crop: Region) -> list[Strip]:
        return cropped(self._strips, crop, Strip.blank(self.size.width, self.ink[""]))


def cropped(strips: Sequence[Strip], crop: Region, blank: Strip) -> list[Strip]:
    """What Textual asks of lines that are there already; `blank` is a whole one, for rows without."""
    asked = list(strips[crop.y : crop.bottom])
    asked += [blank] * (crop.height - len(asked))
    if crop.x == 0 and crop.right >= blank.cell_length:
        return asked
    return [strip.crop(crop.x, crop.right) for strip in asked]
