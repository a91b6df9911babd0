"""The heat map as cells of text: codes become half blocks, or shades where the terminal has no ramps of colours.

A cell is a glyph, the code of its foreground and that of its background; `Palette` knows their colours in a theme.
"""

from typing import NamedTuple

import numpy as np
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from breakwall.app.heatmap.heat import GAP, NOTHING, PRICE, RANGE, WARM, Grid, Spot
from breakwall.app.heatmap.history import Ints
from breakwall.app.rows.printed import Printed
from breakwall.app.themes.depth import Depth
from breakwall.app.themes.ink import Ink

BUY, SELL, OWN, STOP, MARK, DIM = range(50, 56)
"""Codes of what is drawn over the heat; those below come from `breakwall.app.heatmap.heat`."""

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
        self._steps: dict[tuple[int, int, int, bool], tuple[str, str, int, int]] = {}
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

    def style(self, key: int) -> Style:
        """The style of a cell; with shades a cell's style is that of its shade."""
        colours = key & 0xFFFF
        style = self._styles.get(colours)
        if style is None:
            style = self._styles[colours] = self._make(colours >> 8, colours & 255)
        return style

    def step(self, key: int, fore: int, back: int, short: bool) -> tuple[str, str, int, int]:
        """How to go on with this cell where these colours are set: the sequence, the glyph, and what is set then."""
        place = key, fore, back, short
        step = self._steps.get(place)
        if step is None:
            glyph, front, ground = _cheapest(key, fore, back, short)
            codes = [self.fore[front]] if front != fore else []
            codes += [self.back[ground]] if ground != back else []
            sequence = f"\x1b[{';'.join(codes)}m" if codes else ""
            step = self._steps[place] = sequence, chr(glyph), front, ground
        return step

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


def keys_of(cells: Cells) -> Ints:
    """Each cell as one number: equal cells look the same."""
    return cells.glyphs.astype(np.int64) << 16 | cells.fore.astype(np.int64) << 8 | cells.back


def strip(keys: Ints, palette: Palette) -> Strip:
    """One row of text from the keys of its cells."""
    starts = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))
    lengths = np.diff(np.append(starts, len(keys))).tolist()
    runs = list(zip(keys[starts].tolist(), lengths, strict=True))
    segments = [Segment(chr(key >> 16) * length, palette.style(key)) for key, length in runs]
    if not palette.ramps:
        return Strip(segments, len(keys))
    printed, fore, back = [], -1, -1
    for key, length in runs:
        sequence, glyph, fore, back = palette.step(key, fore, back, length <= _SHORT)
        printed.append(sequence + glyph * length)
    return Printed(segments, len(keys), "".join(printed) + "\x1b[0m", palette.ink.depth.console)


def _cheapest(key: int, fore: int, back: int, short: bool) -> tuple[int, int, int]:
    """Glyph, foreground and background that show the cell and change the least of the colours that are set.

    A half block can be drawn from above or from below, a whole cell in either colour.
    """
    glyph, front, ground = key >> 16, key >> 8 & 255, key & 255
    if glyph == _UPPER and (back == front or fore == ground):
        return _LOWER, ground, front
    if glyph != _BLANK:
        return glyph, front, ground
    if back != ground and fore == ground and short:
        return _FULL, fore, back
    return _BLANK, fore, ground
