"""The heat map: what rested where and for how long, what traded, and where our own prices lie in it.

Two parts side by side, so that a price tag that moves costs its own cells only: the field, which is painted once
per column of time, and the axis, of which each view paints what changed.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from textual.app import ComposeResult
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from breakwall.app.heatmap import field, heat
from breakwall.app.heatmap.axis import PriceAxis, follow
from breakwall.app.heatmap.field import Cells, Palette
from breakwall.app.heatmap.history import LIVE, NOT_SEEN, STATES, Columns, Ints
from breakwall.app.heatmap.labels import AXIS_WIDTH, OwnPrice, axis_rows, own_prices
from breakwall.app.look import Look
from breakwall.app.rows.figures import price, reach_words
from breakwall.app.rows.row import Row, left, right
from breakwall.app.rows.table import Word, fit
from breakwall.app.themes.ink import Ink
from breakwall.app.trust import is_live
from breakwall.app.widgets.pane import Pane, cropped
from breakwall.model.view import SymbolView, View

LEAD = 60
"""Columns left of the picture that are looked at as well, so that levels and line do not start anew at its edge."""
_PAINT_EVERY_MS = (500, 1_000)
"""The field is painted so often at most, in the fastest zoom and in the others."""
_ROWS_AT_ONCE = 12
"""Rows of text that are made in one part."""
_OWN_COLUMNS = 16
"""Own prices are drawn over so many of the newest columns."""
_OWN_CODES = {"own": field.OWN, "stop": field.STOP}
WAITING_WORDS = "waiting for the first book"


def scene(columns: Columns, axis: PriceAxis, codes: heat.Grid, own: Sequence[OwnPrice], palette: Palette) -> Cells:
    """The picture of these columns without the first `LEAD` as cells; `codes` are their raster."""
    codes = codes[:, LEAD:]
    cells = palette.cells(codes)
    for spot in heat.trades(columns, axis) + heat.ends(columns, axis):
        at = spot._replace(column=spot.column - LEAD)
        if at.column >= 0 and _is_free(codes[2 * at.row : 2 * at.row + 2, at.column], at):
            field.ground(cells, codes, at.row, at.column)
            palette.spot(cells, at)
    for column in np.flatnonzero(columns.shaken[LEAD:] & columns.live[LEAD:]).tolist():
        cells.put(len(cells.glyphs) - 1, column, "╱", field.DIM)  # noqa: RUF001 - the hatch of gaps, for a short one
    _name_gaps(cells, columns.states[LEAD:].tolist())
    for price_of_ours in reversed(own):
        _draw_own(cells, codes, axis, price_of_ours)
    return cells


def _is_free(halves: heat.Grid, spot: heat.Spot) -> bool:
    """Nothing is drawn over a gap, and small trades do not interrupt the price line."""
    small = spot.size == 0 and spot.kind in ("buy", "sell")
    return heat.GAP not in halves and not (small and heat.PRICE in halves)


def _name_gaps(cells: Cells, states: Sequence[int]) -> None:
    """The reason of a gap, where it is wide enough for the word."""
    start = 0
    seen = next((place for place, state in enumerate(states) if state != NOT_SEEN), len(states))
    for column in range(1, len(states) + 1):
        if column == len(states) or states[column] != states[start]:
            word = f" {STATES[states[start]] or 'NOT SEEN'} "
            if states[start] != LIVE and start >= seen and column - start >= len(word) + 2:
                cells.put(len(cells.glyphs) // 2, start + (column - start - len(word)) // 2, word, field.DIM)
            start = column


def _draw_own(cells: Cells, codes: heat.Grid, axis: PriceAxis, own: OwnPrice) -> None:
    """A dashed line over the newest columns and its words, where neither hides the price line."""
    row, width = axis.row(own.ticks), cells.glyphs.shape[1]
    if row is None:
        return
    code = _OWN_CODES[own.ink]
    hidden = np.any(codes[2 * row : 2 * row + 2] == heat.PRICE, axis=0)
    words = f" {own.words} "
    latest = width - len(words) - 3
    start = next((at for at in range(latest, -1, -1) if not hidden[at : at + len(words)].any()), None)
    for column in range(max(0, min(width - _OWN_COLUMNS, latest if start is None else start - 2)), width):
        if not hidden[column]:
            field.ground(cells, codes, row, column)
            cells.put(row, column, "┄", code)
    fore, back = (heat.NOTHING, code) if own.ink == "stop" else (code, heat.NOTHING)
    if start is not None:
        cells.put(row, start, words, fore, back)


def heading(market: SymbolView | None, axis: PriceAxis | None, look: Look, width: int) -> Row:
    """What the picture is of: symbol, status, price of a row, reach of the book, whether the axis is locked, and
    trades that are not in it because they came faster than they were looked at.
    """
    words = [Word(0, ((look.symbol, "title"),))]
    if market is not None:
        words.append(Word(0, ((market.status, "bar-good" if is_live(market) else "bar-warn"),)))
    if market is not None and axis is not None:
        words.append(Word(2, ((f"{price(2 * axis.step * market.tick, market.tick)}/row", "title-dim"),)))
        far = reach_words(market.reach)
        if far:
            words.append(Word(3, ((f"reach {far}", "title-dim"),)))
        missed = look.history.trades_missed(market.symbol)
        if missed:
            words.append(Word(4, ((f"{missed} trades not seen", "title-dim"),)))
        if axis.locked:
            words.append(Word(1, (("LOCKED", "bar-warn"),)))
    return fit(words, width, "title")


class Field(Widget):
    """The left part: strips that are there already."""

    def __init__(self) -> None:
        super().__init__()
        self.rows_painted = 0
        self._strips: list[Strip] = []

    def paint(self, strips: Sequence[Strip]) -> None:
        """Show these; strips that are the same objects as before are not painted again."""
        before, self._strips = self._strips, list(strips)
        same = len(before) == len(strips)
        changed = [y for y, strip in enumerate(strips) if not (same and strip is before[y])]
        self.rows_painted += len(changed)
        if changed:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in changed))

    def render_lines(self, crop: Region) -> list[Strip]:
        return cropped(self._strips, crop, Strip.blank(self.size.width, self.rich_style))


class Axis(Pane):
    """The right part: round prices and tags. The heat map paints it."""


class HeatMap(Pane, can_focus=True):
    """The market over time; see `breakwall.app.heatmap.heat` for what its colours mean."""

    words = "MARKET"
    DEFAULT_CSS = f"""
    HeatMap {{ layout: horizontal; }}
    HeatMap > Field {{ width: 1fr; height: 100%; }}
    HeatMap > Axis {{ width: {AXIS_WIDTH}; height: 100%; }}
    """

    def __init__(self, ink: Ink, look: Look) -> None:
        super().__init__(ink, look)
        self.field = Field()
        self.axis_pane = Axis(ink, look)
        self._palette = Palette(ink)
        self._axis: PriceAxis | None = None
        self._scale: heat.Scale | None = None
        self._drawn: object = None
        self._keys: Ints | None = None
        self._lines: list[Strip] = []
        self._head: tuple[Row, Strip] | None = None

    def compose(self) -> ComposeResult:
        yield self.field
        yield self.axis_pane

    def repaint(self, ink: Ink) -> None:
        self._palette = Palette(ink)
        self._drawn, self._keys, self._head = None, None, None
        self.axis_pane.repaint(ink)
        super().repaint(ink)

    def resized(self) -> None:
        self._drawn, self._keys, self._head = None, None, None

    @property
    def painted(self) -> bool:
        return self._head is not None or not self._has_room()

    def _has_room(self) -> bool:
        return self.size.width - AXIS_WIDTH >= 2 and self.size.height >= 2

    def show(self, view: View) -> None:
        for _ in self.show_in_parts(view):
            pass

    def show_in_parts(self, view: View) -> Iterator[None]:
        if not self._has_room():
            return
        width, height = self.size.width - AXIS_WIDTH, self.size.height
        market = view.market(self.look.symbol)
        before = self._axis
        self._axis = self._follow(view, market, width, height) if market else None
        if (
            before is None
            or self._axis is None
            or before.step != self._axis.step
            or before.symbol != self._axis.symbol
        ):
            self._scale = None
        head = self._heading(market, width)
        span = f"{self.look.column_ms / 1000:g} s/col"
        top: Row = ((right(f"{span} ", AXIS_WIDTH), "title-dim"),)
        if market is None or self._axis is None:
            self._wait(head, top, width, height)
            return
        self.look.shown = (self._axis.step, self._axis.centre_ticks)
        self.axis_pane.paint([top, *axis_rows(self._axis, view, market)])
        yield from self._draw(view, market, self._axis, width)
        self.field.paint([head, *self._lines])
        yield

    def _follow(self, view: View, market: SymbolView, width: int, height: int) -> PriceAxis | None:
        path = self.look.history.path(market.symbol, self.look.column_ms, view.at_ms, width)
        return follow(self._axis, market, path, 2 * (height - 1), self.look)

    def _draw(self, view: View, market: SymbolView, axis: PriceAxis, width: int) -> Iterator[None]:
        """Make the field anew when its time has come, or when what it shows is another: 8 ms, in parts."""
        look = self.look
        every_ms = _PAINT_EVERY_MS[look.column_ms >= _PAINT_EVERY_MS[1]]
        own = own_prices(view, market)
        asked = (view.at_ms // every_ms, look.column_ms, width, axis, own)
        if asked == self._drawn:
            return
        yield
        columns = look.history.columns(market.symbol, look.column_ms, view.at_ms, width + LEAD)
        grid = heat.cells(columns, axis)
        self._scale = heat.measure(self._scale, grid)
        yield
        codes = heat.raster(grid, columns, axis, self._scale, self._palette.levels)
        cells = scene(columns, axis, codes, own, self._palette)
        yield
        yield from self._print(cells)
        self._drawn = asked

    def _print(self, cells: Cells) -> Iterator[None]:
        """Strips for the rows that are not as before."""
        keys = field.keys_of(cells)
        same = self._keys is not None and self._keys.shape == keys.shape
        changed = np.any(keys != self._keys, axis=1) if same else np.ones(len(keys), np.bool_)
        lines: list[Strip] = []
        for row, new in enumerate(changed.tolist()):
            lines.append(field.strip(keys[row], self._palette) if new else self._lines[row])
            if row % _ROWS_AT_ONCE == _ROWS_AT_ONCE - 1:
                yield
        self._lines, self._keys = lines, keys

    def _heading(self, market: SymbolView | None, width: int) -> Strip:
        name = (f" {self.words} ", "title-focus" if self.has_focus else "title")
        row = (name, (" ", "title"), *heading(market, self._axis, self.look, width - len(name[0]) - 1))
        if self._head is None or self._head[0] != row:
            self._head = row, self.strip(row, width)
        return self._head[1]

    def _wait(self, head: Strip, top: Row, width: int, height: int) -> None:
        """No price is known yet: say so, and show nothing that could be taken for one."""
        self._drawn, self._keys = None, None
        words: Row = ((left("", (width - len(WAITING_WORDS)) // 2) + WAITING_WORDS, "dim"),)
        blank = self.strip((), width)
        lines = [blank] * (height - 1)
        lines[(height - 1) // 2] = self.strip(words, width)
        self.field.paint([head, *lines])
        self.axis_pane.paint([top])
