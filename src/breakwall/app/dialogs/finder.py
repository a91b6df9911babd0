"""The finder: type a few letters, choose with arrows and Enter. The palette and the search are two of them."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from breakwall.app.dialogs.dialog import CLOSE, STEPS, Choice, Dialog, line, paper, window
from breakwall.app.keys.acts import ACTS, REPLAY
from breakwall.app.keys.keyboards import on_us
from breakwall.app.keys.keymap import Keymap
from breakwall.app.look import ZOOMS_MS
from breakwall.app.rows.figures import percent, price
from breakwall.app.rows.row import Row, clean, left
from breakwall.app.rows.table import Column, table
from breakwall.model.text import sanitise
from breakwall.model.view import View

LONGEST = 32
COLUMNS = (Column("", rank=0, free=True, least=20), Column("", rank=1, number=True))
NOT_LISTED = {"slot", "focus", "move", "dismiss", "palette", "search"}


class Entry(NamedTuple):
    """What can be chosen: its name, a word at the right, what choosing it means, and other words it is found by."""

    name: str
    more: str
    choice: Choice
    also: str = ""


class Finder(Dialog):
    """`entries` makes them from the newest view; typing keeps those that have every typed word in their name."""

    def __init__(self, title: str, entries: Callable[[View | None], Sequence[Entry]]) -> None:
        self.title = title
        self.text = ""
        self.place = 0
        self.found: list[Entry] = []
        self._entries = entries

    def lines(self, view: View | None, width: int, height: int) -> list[Row]:
        self.found = matching(self._entries(view), self.text)
        self.place = max(0, min(self.place, len(self.found) - 1))
        rows = [
            tuple((text, "title-focus" if place == self.place else ink) for text, ink in row)
            for place, row in enumerate(_rows(self.found, width))
        ]
        room = max(1, height - 2)
        shown = window(rows, self.place - room // 2, room) or [line(" nothing has that name", width, "bar-dim")]
        return [self.head(width, "↑↓ Enter  Esc closes"), line(f" > {self.text}▏", width, "select"), *shown][:height]

    def press(self, key: str, character: str | None) -> Choice | None:
        if key == "escape":
            return CLOSE
        if key == "enter":
            return self.found[self.place].choice if self.found else None
        if key in STEPS:
            self.place = max(0, min(len(self.found) - 1, self.place + STEPS[key]))
        elif key == "backspace":
            self._type(self.text[:-1])
        elif key == "ctrl+u":
            self._type("")
        elif character is not None and character.isprintable():
            self._type(self.text + character)
        return None

    def paste(self, text: str) -> None:
        self._type(self.text + sanitise(text.partition("\n")[0]))

    def _type(self, text: str) -> None:
        """What was found is forgotten until the next `lines`: Enter must not choose what is not seen."""
        self.text = clean(text)[:LONGEST]
        self.place = 0
        self.found = []


def matching(entries: Iterable[Entry], text: str) -> list[Entry]:
    """Those with every word of the text in their names, also when it was typed on another keyboard layout."""
    wanted = text.casefold().split(), on_us(text).casefold().split()

    def has(entry: Entry) -> bool:
        names = f"{entry.name} {entry.also}".casefold()
        return any(all(word in names for word in words) for words in wanted)

    return [entry for entry in entries if has(entry)]


def symbols(names: Sequence[str]) -> Callable[[View | None], list[Entry]]:
    """The followed symbols with price, change of the day and state of their data."""

    def entries(view: View | None) -> list[Entry]:
        return [Entry(name, _market(view, name), Choice("symbol", name)) for name in names]

    return entries


def palette(
    keymap: Keymap, names: Sequence[str], themes: Sequence[str], *, replayed: bool = False, more: Sequence[Entry] = ()
) -> Callable[[View | None], list[Entry]]:
    """Everything by name: the actions with their keys, symbols, time zooms, themes, a picture, and `more`."""
    listed = [act for act in ACTS if act.id not in NOT_LISTED and (replayed or act.group != REPLAY)]
    acts = [Entry(act.help, " ".join(keymap.keys(act)), Choice("act", act.id), act.id) for act in listed]
    zooms = [Entry(f"time zoom: a column is {ms / 1000:g} s", "", Choice("time", str(ms))) for ms in ZOOMS_MS]
    colours = [Entry(f"theme: {name}", "", Choice("theme", name)) for name in themes]
    picture = Entry("picture of the screen (SVG)", "", Choice("picture"))

    def entries(view: View | None) -> list[Entry]:
        found = [Entry(f"symbol: {name}", _market(view, name), Choice("symbol", name)) for name in names]
        return [*acts, *found, *zooms, *colours, picture, *more]

    return entries


def _market(view: View | None, name: str) -> str:
    market = view.market(name) if view else None
    if market is None:
        return ""
    change = percent(market.change_24h)
    return f"{price(market.mark or market.bid, market.tick)} {change:>8} {left(market.status, 7)}"


def _rows(entries: Sequence[Entry], width: int) -> list[Row]:
    lines = [((f" {entry.name}", "bar"), (f"{entry.more} ", "bar-dim")) for entry in entries]
    return [paper(row, width) for row in table(COLUMNS, lines, width).rows]
