"""The heat map as numbers: columns of the past into a grid of codes, one for each half row and column.

Ordinary liquidity is cool by its logarithm; warm is only what the detector calls a wall. Colours are made of the
codes elsewhere (`breakwall.app.heatmap.field`).
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from breakwall.app.heatmap.axis import PriceAxis
from breakwall.app.heatmap.history import EATEN, FULL, NOT_SEEN, Columns, Floats, Ints

NOTHING = 0
"""The background. From 1 on: cool levels, as many as asked for."""
WARM = 32
"""WARM + 1 to WARM + 4: walls by strength."""
PRICE, RANGE, GAP = 40, 41, 42
NO_PRICE = -(10**9)

_BULK, _MOST = 10, 98
"""Percentiles of ordinary cells that get the first and the last cool level."""
_LEAST_OCTAVES = 3.0
"""A book of equal sizes is not stretched over all levels."""
_SMOOTH = 0.2
_DRIFT_OCTAVES = 0.35
_KEEP = 0.6
"""A cell changes its level when it is off by more than this: runs are longer and nothing flickers."""
_KEEP_LINE = 0.8
"""The same for the price line, in half rows: a mid on the edge of two does not make a chequered line."""
_FLOAT_NOTHING = -1.0

Grid = npt.NDArray[np.uint8]


class Scale(NamedTuple):
    """Binary logarithms of lots at the first and the last cool level, as used and as measured, smoothed."""

    low: float
    high: float
    low_now: float
    high_now: float


def measure(before: Scale | None, sizes: Floats) -> Scale:
    """The scale for these cells (log2 of lots, below 0: nothing). What is used moves only when it is clearly off."""
    ordinary = sizes[sizes >= 0]
    if not ordinary.size:
        return before or Scale(0.0, _LEAST_OCTAVES, 0.0, _LEAST_OCTAVES)
    low, high = (float(value) for value in np.percentile(ordinary, (_BULK, _MOST)))
    low = min(low, high - _LEAST_OCTAVES)
    if before is None:
        return Scale(low, high, low, high)
    low = before.low_now + _SMOOTH * (low - before.low_now)
    high = before.high_now + _SMOOTH * (high - before.high_now)
    if abs(low - before.low) <= _DRIFT_OCTAVES and abs(high - before.high) <= _DRIFT_OCTAVES:
        return before._replace(low_now=low, high_now=high)
    return Scale(low, high, low, high)


def cells(columns: Columns, axis: PriceAxis) -> Floats:
    """Log2 of the lots in each half row (top first) and column; -1 where there are none, NaN: not known."""
    count = len(columns.states)
    known = columns.sizes >= 0
    # Small integers: with 64 bits this takes three times as long, and it is the longest part of a frame.
    base = (columns.base - axis.low_ticks).astype(np.int32)
    bins = (base[:, None] + columns.offsets) // np.int32(axis.step)
    shown = known & (bins >= 0) & (bins < axis.half_rows)
    places = (bins * np.int32(count) + np.arange(count, dtype=np.int32)[:, None])[shown]
    lots = np.bincount(places, np.exp2(columns.sizes[shown].astype(np.float32)), axis.half_rows * count)
    grid = np.full((axis.half_rows, count), _FLOAT_NOTHING)
    np.log2(lots.reshape(grid.shape), where=(lots > 0).reshape(grid.shape), out=grid)
    rows = np.arange(axis.half_rows)[:, None]
    lowest = bins.min(axis=1, where=known, initial=axis.half_rows)
    highest = bins.max(axis=1, where=known, initial=-1)
    grid[(rows < lowest) | (rows > highest)] = np.nan
    return grid[::-1]


def cool(grid: Floats, scale: Scale, levels: int) -> Grid:
    """The level of each cell, 1 to `levels`; 0 where nothing is known or nothing rests."""
    place = 1 + (grid.T - scale.low) * (levels - 1) / (scale.high - scale.low)
    place = np.where(grid.T >= 0, np.clip(place, 1, levels), 0).astype(np.float32)
    codes: Grid = np.rint(place).astype(np.uint8)
    for before, now, exact in zip(codes[:-1], codes[1:], place[1:], strict=True):
        np.copyto(now, before, where=np.abs(exact - before) <= _KEEP)
    return codes.T.copy()


def walls(codes: Grid, columns: Columns, axis: PriceAxis) -> None:
    """Warm cells where walls stood; the strongest in a cell is seen."""
    column, place = _standing(columns)
    rows = _rows_of(columns.marks[column, place], axis)
    shown = (rows >= 0) & (rows < axis.half_rows)
    warm = (WARM + columns.strengths[column, place]).astype(np.uint8)
    order = np.argsort(warm[shown], kind="stable")
    codes[rows[shown][order], column[shown][order]] = warm[shown][order]


def _standing(columns: Columns) -> tuple[Ints, Ints]:
    """Column and place of each mark of a wall that stood."""
    column, place = np.nonzero((columns.strengths > 0) & (columns.strengths <= FULL))
    return column, place


def _rows_of(ticks: Ints, axis: PriceAxis) -> Ints:
    """Half rows from the top."""
    return axis.half_rows - 1 - (ticks - axis.low_ticks) // axis.step


def line(columns: Columns, axis: PriceAxis) -> Ints:
    """The half row of the mid in each column, from the top (also beyond the picture), or `NO_PRICE`."""
    rows = np.full(len(columns.states), NO_PRICE)
    low, step = 2 * axis.low_ticks, 2 * axis.step
    held: float | None = None
    for column, (live, mid) in enumerate(zip(columns.live.tolist(), columns.mids[:, 2].tolist(), strict=True)):
        if not live:
            held = None
            continue
        place = (mid - low) / step  # in half rows from the bottom, whole at their lower edges
        if held is None or abs(place - held - 0.5) > _KEEP_LINE:
            held = place // 1
        rows[column] = axis.half_rows - 1 - int(held)
    return _beside_walls(rows, columns, axis)


def _beside_walls(rows: Ints, columns: Columns, axis: PriceAxis) -> Ints:
    """The line leaves the half row to a wall it has come to, and runs on the wall's inner side: above a bid."""
    column, place = _standing(columns)
    marks = columns.marks[column, place]
    touched = _rows_of(marks, axis) == rows[column]
    inner = np.where(2 * marks[touched] < columns.mids[column[touched], 2], -1, 1)
    rows[column[touched]] += inner
    return rows


def draw_range(codes: Grid, columns: Columns, axis: PriceAxis, rows: Ints) -> None:
    """Where the mid was within a column, dim, where that is clearly away from its line."""
    extents = _rows_of(columns.mids[:, :2] // 2, axis)
    far = columns.live & ((extents[:, 0] > rows + 1) | (extents[:, 1] < rows - 1))
    for column in np.flatnonzero(far).tolist():
        lowest, highest = extents[column].tolist()
        codes[max(0, highest) : max(0, lowest + 1), column] = RANGE


def draw_line(codes: Grid, rows: Ints) -> None:
    """The price line; a jump is connected."""
    before: int | None = None
    for column, row in enumerate(rows.tolist()):
        if row <= NO_PRICE:
            before = None
            continue
        start, end = (row, row) if before is None else (min(row, before), max(row, before))
        codes[max(0, start) : max(0, end + 1), column] = PRICE
        before = row


def gaps(codes: Grid, columns: Columns) -> None:
    """Columns that were not seen or not trusted; what was before the first column is nothing, not a gap."""
    first = int(np.argmax(columns.states != NOT_SEEN)) if columns.states.any() else len(columns.states)
    lost = ~columns.live
    lost[:first] = False
    codes[:, lost] = GAP


def raster(grid: Floats, columns: Columns, axis: PriceAxis, scale: Scale, levels: int) -> Grid:
    """Codes by half row (top first) and column, from the `cells` of these columns."""
    codes = cool(grid, scale, levels)
    rows = line(columns, axis)
    draw_range(codes, columns, axis, rows)
    walls(codes, columns, axis)
    draw_line(codes, rows)
    gaps(codes, columns)
    return codes


class Spot(NamedTuple):
    """One thing to see in a cell of text: what, where, and its size class (0 small, 1, 2 big)."""

    row: int
    column: int
    kind: str
    size: int = 0


def ends(columns: Columns, axis: PriceAxis) -> list[Spot]:
    """Where walls were pulled or eaten."""
    column, place = np.nonzero((columns.strengths > FULL) & (columns.strengths <= EATEN))
    found = []
    for at, mark in zip(column.tolist(), place.tolist(), strict=True):
        row = axis.row(float(columns.marks[at, mark]))
        if row is not None:
            found.append(Spot(row, at, "eaten" if columns.strengths[at, mark] == EATEN else "pulled"))
    return found


def trades(columns: Columns, axis: PriceAxis) -> list[Spot]:
    """The trades worth a dot: those above the median of what is seen, in three sizes; in a cell the larger side."""
    column, place = np.nonzero(columns.traded)
    if not column.size:
        return []
    ticks, lots = columns.trades[column, place], columns.traded[column, place]
    rows = _rows_of(ticks, axis)
    shown = (rows >= 0) & (rows < axis.half_rows)
    count = len(columns.states)
    places = rows[shown] // 2 * count + column[shown]
    bought = np.bincount(places, np.maximum(lots[shown], 0), axis.half_rows * count)
    sold = np.bincount(places, np.maximum(-lots[shown], 0), axis.half_rows * count)
    most = np.maximum(bought, sold)
    cells_hit = np.flatnonzero(most)
    if not cells_hit.size:
        return []
    sizes = np.searchsorted(np.percentile(most[cells_hit], (50, 80, 95)), most[cells_hit], side="right") - 1
    return [
        Spot(at // count, at % count, "buy" if bought[at] >= sold[at] else "sell", size)
        for at, size in zip(cells_hit.tolist(), np.minimum(sizes, 2).tolist(), strict=True)
        if size >= 0
    ]
