"""The heat map as cells of text: codes become half blocks, or shades where the terminal has no ramps of colours.

A cell is a glyph, the code of its foreground and that of its background; `Palette` knows their colours in a theme.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from rich.color import Color
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from breakwall.app.depth import Depth
from breakwall.app.heat import GAP, NOTHING, PRICE, RANGE, WARM, Grid, Spot
from breakwall.app.history import Ints
from breakwall.app.ink import Ink

BUY, SELL, OWN, STOP, MARK, DIM = range(50, 56)
"""Codes of what is drawn over the heat; those below come from `breakwall.app.heat`."""

_BLANK, _UPPER, _LOWER, _FULL, _HATCH, _ACROSS, _UP = map(ord, " ▀▄█╱─│")  # noqa: RUF001 - a hatch
_DOTS = {"buy": "·•●", "sell": "·•●", "pulled": "◇", "eaten": "◆"}
_LETTERS = {"buy": "bBB", "sell": "sSS", "pulled": "x", "eaten": "o"}
_INKS = {"buy": BUY, "sell": SELL, "pulled": MARK, "eaten": MARK}
_SHORT = 8
"""A run of at most so many full blocks costs less than another background."""


class Cells(NamedTuple):
    """Text rows by columns."""

    glyphs: Ints
    fore: Grid
    back: Grid

    def put(self, row: int, column: int, text: str, fore: int, back: int | None = None) -> None:
        """Write over the heat, which stays the background where none is given; what sticks out is cut."""
        end = min(self.glyphs.shape[1], column + len(text))
        if not 0 <= row < len(self.glyphs) or column < 0 or end <= column:
            return
        self.glyphs[row, column:end] = [ord(char) for char in text[: end - column]]
        self.fore[row, column:end] = fore
        if back is not None:
            self.back[row, column:end] = back


class Palette:
    """Colours by code in one ink: the cool levels, the warm ones and the inks of what is drawn over them."""

    def __init__(self, ink: Ink) -> None:
        self.ink = ink
        self.ramps = bool(ink.cool)
        self.levels = len(ink.cool if self.ramps else ink.shades) - 1
        self._styles: dict[int, Style] = {}
        self._colours = dict.fromkeys((NOTHING, GAP), ink.background) | dict(enumerate(ink.cool))
        self._colours |= {WARM + 1 + place: colour for place, colour in enumerate(ink.warm)}
        self._colours |= {PRICE: ink.price, RANGE: ink.colour("secondary"), BUY: ink.bid, SELL: ink.ask}
        self._colours |= {OWN: ink.own, STOP: ink.stop, MARK: ink.tag, DIM: ink.colour("market-stale")}
        self._shades = {level: ink.shades[level] for level in range(self.levels + 1)} if not self.ramps else {}
        if not self.ramps:
            self._shades |= {WARM + 1 + place: shade for place, shade in enumerate(ink.wall_shades)}
        self.fore = {code: ";".join(colour.get_ansi_codes()) for code, colour in self._colours.items()}
        self.back = {code: ";".join(colour.get_ansi_codes(False)) for code, colour in self._colours.items()}

    def cells(self, codes: Grid) -> Cells:
        """Two half rows in one row of text."""
        return _halves(codes) if self.ramps else self._shaded(codes)

    def spot(self, cells: Cells, spot: Spot) -> None:
        """A trade or the end of a wall; without ramps sides are letters."""
        glyphs = _DOTS if self.ramps else _LETTERS
        cells.put(spot.row, spot.column, glyphs[spot.kind][spot.size], _INKS[spot.kind])

    def style(self, fore: int, back: int) -> Style:
        """The style of a cell; with shades a cell's style is that of its shade."""
        key = fore << 8 | back
        style = self._styles.get(key)
        if style is None:
            style = self._styles[key] = self._make(fore, back)
        return style

    def _make(self, fore: int, back: int) -> Style:
        if fore in self._shades and back == NOTHING:
            return self._shades[fore][1]
        if self.ink.depth is Depth.NONE:
            return Style() if back == NOTHING else Style(reverse=True)
        return Style.from_color(self._colour(fore), self._colour(back))

    def _colour(self, code: int) -> Color | None:
        return self._colours.get(code, self.ink.background)

    def _shaded(self, codes: Grid) -> Cells:
        upper, lower = codes[0::2], codes[1::2]
        most = np.maximum(upper, lower)
        glyphs = np.full(256, _BLANK, np.uint32)
        for code, (glyph, _) in self._shades.items():
            glyphs[code] = ord(glyph)
        glyphs[PRICE], glyphs[RANGE] = _ACROSS, _UP
        cells = Cells(glyphs[most], most, np.zeros_like(most))
        both = (upper == PRICE) & (lower == PRICE)
        jump = np.zeros_like(both)
        jump[1:] |= both[1:] & (lower[:-1] == PRICE)
        jump[:-1] |= both[:-1] & (upper[1:] == PRICE)
        cells.glyphs[jump] = _UP
        return _hatched(cells, upper)


def _halves(codes: Grid) -> Cells:
    upper, lower = codes[0::2], codes[1::2]
    same = upper == lower
    glyphs = np.where(same, _BLANK, _UPPER).astype(np.uint32)
    return _hatched(Cells(glyphs, np.where(same, NOTHING, upper), lower.copy()), upper)


def _hatched(cells: Cells, upper: Grid) -> Cells:
    lost = upper == GAP
    cells.glyphs[lost], cells.fore[lost], cells.back[lost] = _HATCH, DIM, NOTHING
    return cells


def ground(cells: Cells, codes: Grid, row: int, column: int) -> None:
    """Make one colour of a cell that gets a glyph: a wall's where there is one, the line's only where all is line."""
    halves = codes[2 * row : 2 * row + 2, column].tolist()
    heat = [code for code in halves if code < PRICE]
    cells.back[row, column] = max(heat, default=halves[0])


class Run(NamedTuple):
    """Equal cells beside each other."""

    glyph: int
    fore: int
    back: int
    length: int


def runs(cells: Cells, row: int) -> list[Run]:
    """A row by runs."""
    glyphs, fore, back = cells.glyphs[row], cells.fore[row], cells.back[row]
    keys = glyphs.astype(np.int64) << 16 | fore.astype(np.int64) << 8 | back
    starts = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))
    lengths = np.diff(np.append(starts, len(keys))).tolist()
    found = keys[starts].tolist()
    return [Run(key >> 16, key >> 8 & 255, key & 255, length) for key, length in zip(found, lengths, strict=True)]


class Printed(Strip):
    """A strip whose terminal sequences are known: they only say what changes from run to run.

    Anything else (dimmed under a dialog, cut, another depth of colours) is made of its segments, which say the same.
    """

    __slots__ = ("_printed", "_system")

    def __init__(self, segments: Sequence[Segment], width: int, printed: str, system: str) -> None:
        super().__init__(segments, width)
        self._printed = printed
        self._system = system

    def render(self, console: Console) -> str:
        return self._printed if console.color_system == self._system else super().render(console)


def strip(cells: Cells, row: int, palette: Palette) -> Strip:
    """One row of text."""
    line = runs(cells, row)
    segments = [Segment(chr(glyph) * length, palette.style(fore, back)) for glyph, fore, back, length in line]
    width = cells.glyphs.shape[1]
    if not palette.ramps:
        return Strip(segments, width)
    return Printed(segments, width, "".join(_printed(line, palette)), palette.ink.depth.console)


def _printed(line: Sequence[Run], palette: Palette) -> Iterator[str]:
    """Terminal sequences of the runs."""
    fore = back = -1
    for run in line:
        glyph, front, ground = _cheapest(run, fore, back)
        codes = [palette.fore[front]] if front != fore else []
        if ground != back:
            codes.append(palette.back[ground])
        if codes:
            yield f"\x1b[{';'.join(codes)}m"
        fore, back = front, ground
        yield chr(glyph) * run.length
    yield "\x1b[0m"


def _cheapest(run: Run, fore: int, back: int) -> tuple[int, int, int]:
    """Glyph, foreground and background that show the run and change the least of the colours that are set.

    A half block can be drawn from above or from below, a whole cell in either colour.
    """
    if run.glyph == _UPPER and (back == run.fore or fore == run.back):
        return _LOWER, run.back, run.fore
    if run.glyph != _BLANK:
        return run.glyph, run.fore, run.back
    if back != run.back and fore == run.back and run.length <= _SHORT:
        return _FULL, fore, back
    return _BLANK, fore, run.back
