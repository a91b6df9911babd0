"""What the markets were: for each symbol a pyramid of rings of columns, one ring for each zoom of time.

A column is a span of time: the book as of its last sample, the walls seen in it, the range of the mid and its
biggest trades. Columns are numbered by engine time over their span; the numbers that are missing were not seen.
Prices are ticks, mids half ticks (bid plus ask), sizes lots.
"""

from collections.abc import Sequence
from itertools import chain
from math import inf
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from breakwall.app.book.heavy import heavy_levels, price_ticks
from breakwall.model.view import SymbolView, TradeView, View, WallView
from breakwall.ports import Desk

ZOOMS_MS = (250, 1_000, 5_000, 15_000)
"""How much time one column is; the first only of the selected symbol."""
COLUMNS = 240
EXACT, GRAINS = 100, 200
"""Of each side a column keeps the best levels as they are and the rest in so many grains at most: sums of 10, 100 ...
ticks, of which every wider half row of a picture is made without a remainder."""
LEVELS = EXACT + GRAINS
TRADES = 12
MARKS, MARKS_A_WALL = 24, 5
"""Price levels of walls in a column, and of one wall: it is drawn at each of its heavy levels."""
FOLLOWED = 40
"""Symbols whose past is kept."""

NOT_SEEN, LIVE, RESYNC, STALE, WAITING = range(5)
STATES = ("", "LIVE", "RESYNC", "STALE", "WAITING")

FULL = 4
"""Walls' strengths: 4 is whole, 1 nearly gone, then how they ended."""
PULLED, EATEN, GONE = 5, 6, 7

_FARTHEST = 32_767
"""Levels farther than this many ticks from the best bid are left out: no picture reaches so far."""
_FAST_MS = ZOOMS_MS[0]
_SECOND_MS = 1_000
_MOST_A_FRAME = 12

Ints = npt.NDArray[np.integer]
Floats = npt.NDArray[np.floating]


class Columns(NamedTuple):
    """Consecutive columns, oldest first; every array has one entry for each, the last one being `last`.

    `offsets` are ticks above `base`, `sizes` the binary logarithm of lots there, below 0 where there is no level.
    `mids` are lowest, highest and last. `marks` are the ticks of walls and `strengths` what is there (0: nothing);
    `trades` are ticks and `traded` their lots, above 0 for a taker that bought, below for one that sold.
    `shaken`: the book was lost in a column that ended well.
    """

    last: int
    states: Ints
    shaken: npt.NDArray[np.bool_]
    base: Ints
    offsets: Ints
    sizes: Floats
    mids: Ints
    marks: Ints
    strengths: Ints
    trades: Ints
    traded: Floats

    @property
    def live(self) -> npt.NDArray[np.bool_]:
        return np.equal(self.states, LIVE)


class Sample(NamedTuple):
    """One look at a market, packed once for all rings."""

    at_ms: int
    state: int
    base: int
    offsets: Ints
    sizes: Floats
    mid: int
    walls: dict[int, tuple[int, list[int]]]


class Ring:
    """The last `COLUMNS` columns of one zoom in `RING_BYTES`. A column's place is its number modulo `COLUMNS`."""

    def __init__(self, column_ms: int) -> None:
        self.column_ms = column_ms
        self.last = -1
        self.numbers = np.full(COLUMNS, -1, np.int64)
        self.states = np.zeros(COLUMNS, np.uint8)
        self.shaken = np.zeros(COLUMNS, np.bool_)
        self.base = np.zeros(COLUMNS, np.int64)
        self.offsets = np.zeros((COLUMNS, 2 * LEVELS), np.int16)
        self.sizes = np.zeros((COLUMNS, 2 * LEVELS), np.float16)
        self.mids = np.zeros((COLUMNS, 3), np.int64)
        self.marks = np.zeros((COLUMNS, MARKS), np.int32)
        self.strengths = np.zeros((COLUMNS, MARKS), np.uint8)
        self.trades = np.zeros((COLUMNS, TRADES), np.int32)
        self.traded = np.zeros((COLUMNS, TRADES), np.float32)
        self._walls: dict[int, tuple[int, list[int]]] = {}

    @property
    def nbytes(self) -> int:
        return sum(array.nbytes for array in vars(self).values() if isinstance(array, np.ndarray))

    def columns(self, last: int, count: int) -> Columns:
        """The `count` columns that end with number `last`; those not seen are `NOT_SEEN` and empty."""
        numbers = np.arange(last - count + 1, last + 1)
        slots = numbers % COLUMNS
        seen = self.numbers[slots] == numbers
        if count > COLUMNS:
            seen[: count - COLUMNS] = False
        return Columns(
            last=last,
            states=np.where(seen, self.states[slots], NOT_SEEN),
            shaken=self.shaken[slots] & seen,
            base=self.base[slots],
            offsets=self.offsets[slots],
            sizes=np.where(seen[:, None], self.sizes[slots], np.float16(-1)),
            mids=self.mids[slots],
            marks=self.marks[slots],
            strengths=np.where(seen[:, None], self.strengths[slots], 0),
            trades=self.trades[slots],
            traded=np.where(seen[:, None], self.traded[slots], 0),
        )

    def path(self, last: int, count: int) -> tuple[float, float]:
        """Lowest and highest mid (ticks) of these columns."""
        shown = (self.numbers > last - count) & (self.numbers <= last) & (self.states == LIVE)
        mids = self.mids[shown]
        return (float(mids.min()) / 2, float(mids.max()) / 2) if mids.size else (inf, -inf)

    def sample(self, sample: Sample) -> None:
        """The column of this moment now ends like this.

        One that comes less than half a column late speaks for the column just missed as well: looking happens by
        a timer that is never exact.
        """
        number, into_ms = divmod(sample.at_ms, self.column_ms)
        if number < self.last:
            return
        if number - self.last == 2 and into_ms * 2 < self.column_ms and self.last >= 0:
            self._write(number - 1, sample)
        self._write(number, sample)

    def add_trades(self, trades: Sequence[TradeView], last_before: int) -> None:
        """Trades go to the column of their time, also to one after `last_before` that was not seen otherwise."""
        by_column: dict[int, list[TradeView]] = {}
        for trade in trades:
            by_column.setdefault(trade.at_ms // self.column_ms, []).append(trade)
        for number, group in by_column.items():
            slot = number % COLUMNS
            if self.numbers[slot] != number:
                if not 0 <= last_before < number <= self.last:
                    continue
                self._clear(number)
            ticks = np.append(self.trades[slot], [trade.ticks for trade in group])
            lots = np.append(self.traded[slot], [trade.lots if trade.buy else -trade.lots for trade in group])
            biggest = np.argsort(-np.abs(lots), kind="stable")[:TRADES]
            self.trades[slot], self.traded[slot] = ticks[biggest], lots[biggest]

    def end_wall(self, wall: WallView, ticks: int) -> None:
        """Remember where and how a wall ended."""
        slot = wall.ended_ms // self.column_ms % COLUMNS
        free = np.flatnonzero(self.strengths[slot] == 0)
        if self.numbers[slot] == wall.ended_ms // self.column_ms and free.size:
            self.marks[slot, free[0]] = ticks
            self.strengths[slot, free[0]] = {"pulled": PULLED, "eaten": EATEN}.get(wall.end, GONE)

    def _clear(self, number: int) -> int:
        slot = number % COLUMNS
        self.numbers[slot] = number
        self.states[slot], self.shaken[slot] = NOT_SEEN, False
        self.sizes[slot] = -1
        self.strengths[slot] = 0
        self.traded[slot] = 0
        return slot

    def _write(self, number: int, sample: Sample) -> None:
        slot = number % COLUMNS
        fresh = self.numbers[slot] != number
        if fresh:
            self._clear(number)
            self._walls = {}
        self.last = number
        before = self.states[slot]
        self.shaken[slot] |= sample.state != LIVE or before > LIVE
        self.states[slot] = sample.state
        self.sizes[slot] = -1
        if sample.state != LIVE:
            return
        count = len(sample.offsets)
        self.base[slot] = sample.base
        self.offsets[slot, :count] = sample.offsets
        self.sizes[slot, :count] = sample.sizes
        low, high = (sample.mid, sample.mid) if before != LIVE else self.mids[slot, :2]
        self.mids[slot] = min(low, sample.mid), max(high, sample.mid), sample.mid
        self._write_walls(slot, sample)

    def _write_walls(self, slot: int, sample: Sample) -> None:
        """Walls as last seen in this column; those that ended in it keep their place after them."""
        ended = self.strengths[slot] > FULL
        marks = list(zip(self.marks[slot][ended].tolist(), self.strengths[slot][ended].tolist(), strict=True))
        self._walls |= sample.walls
        marks += [(ticks, strength) for strength, levels in self._walls.values() for ticks in levels]
        marks = marks[:MARKS]
        self.strengths[slot] = 0
        if marks:
            self.marks[slot, : len(marks)] = [ticks for ticks, _ in marks]
            self.strengths[slot, : len(marks)] = [strength for _, strength in marks]


_UNSEEN = Ring(1)
RING_BYTES = _UNSEEN.nbytes
"""What a ring takes; a symbol has three of them and the selected one four."""


class Past:
    """One symbol's rings, and which trades and ended walls they have already."""

    def __init__(self, view: SymbolView) -> None:
        self.units = (view.tick, view.lot)
        self.rings = {column_ms: Ring(column_ms) for column_ms in ZOOMS_MS[1:]}
        self.trades_missed = 0
        self._trades_seen = view.trades_seen - len(view.trades)
        self._ended: frozenset[int] = frozenset()

    def take(self, at_ms: int, view: SymbolView, fast: bool) -> None:
        if not fast:
            self.rings.pop(_FAST_MS, None)
        elif _FAST_MS not in self.rings:
            self.rings[_FAST_MS] = Ring(_FAST_MS)
        sample = _sample(at_ms, view)
        trades = self._new_trades(view)
        ended = [wall for wall in view.ended if wall.wall_id not in self._ended]
        self._ended = frozenset(wall.wall_id for wall in view.ended)
        for ring in self.rings.values():
            before = ring.last
            ring.sample(sample)
            if trades:
                ring.add_trades(trades, before)
            for wall in ended:
                ring.end_wall(wall, price_ticks(wall, view))

    def _new_trades(self, view: SymbolView) -> Sequence[TradeView]:
        """Each trade once; what ran through the view between two looks is counted as missed."""
        fresh = view.trades_seen - self._trades_seen
        self._trades_seen = view.trades_seen
        if fresh < 0:  # the market began anew, and its tape with it
            fresh = view.trades_seen
        self.trades_missed += max(0, fresh - len(view.trades))
        return view.trades[-fresh:] if fresh else ()


class History:
    """The past of the selected symbol and of the others; at most `FOLLOWED` of them."""

    def __init__(self) -> None:
        self._pasts: dict[str, Past] = {}

    def take(self, at_ms: int, view: SymbolView, *, selected: bool = True) -> None:
        """A look at one market. Another tick or lot is another market: its past is forgotten."""
        past = self._pasts.get(view.symbol)
        if past is None or past.units != (view.tick, view.lot):
            past = self._pasts[view.symbol] = Past(view)
        past.take(at_ms, view, selected)

    def take_selected(self, view: View, selected: str) -> None:
        """The selected market, from each view."""
        market = view.market(selected)
        if market is not None:
            self.take(view.at_ms, market)

    def due(self, at_ms: int, symbols: Sequence[str], selected: str, column_ms: int) -> list[str]:
        """The markets that were not seen in this second, or the selected one not in its shorter column.

        Only some of them at a time, so that no frame bears them all. Who is not in the list any more is forgotten.
        """
        for gone in self._pasts.keys() - {*symbols}:
            del self._pasts[gone]
        spans = dict.fromkeys(symbols[:FOLLOWED], _SECOND_MS) | {selected: min(column_ms, _SECOND_MS)}
        due = [symbol for symbol, span_ms in spans.items() if self._last(symbol, span_ms) != at_ms // span_ms]
        return due[: max(1, min(_MOST_A_FRAME, -(-len(symbols) // 3)))]

    def take_due(self, desk: Desk, at_ms: int, symbol: str, selected: str) -> None:
        """A look at one that is due."""
        market = desk.market(symbol)
        if market is not None:
            self.take(at_ms, market, selected=symbol == selected)

    def columns(self, symbol: str, column_ms: int, at_ms: int, count: int) -> Columns:
        """The last `count` columns of a symbol up to this moment."""
        past = self._pasts.get(symbol)
        ring = past.rings.get(column_ms) if past else None
        return (ring or _UNSEEN).columns(at_ms // column_ms, count)

    def path(self, symbol: str, column_ms: int, at_ms: int, count: int) -> tuple[float, float]:
        """Lowest and highest mid (ticks) of these columns; where there is none, the lowest is above the highest."""
        past = self._pasts.get(symbol)
        ring = past.rings.get(column_ms) if past else None
        return (ring or _UNSEEN).path(at_ms // column_ms, count)

    def trades_missed(self, symbol: str) -> int:
        """Trades that came and went between two looks."""
        past = self._pasts.get(symbol)
        return past.trades_missed if past else 0

    @property
    def nbytes(self) -> int:
        return sum(ring.nbytes for past in self._pasts.values() for ring in past.rings.values())

    def _last(self, symbol: str, column_ms: int) -> int:
        """The number of the newest column of this length; -1 without one."""
        past = self._pasts.get(symbol)
        ring = past.rings.get(column_ms) if past else None
        return ring.last if ring else -1


def _sample(at_ms: int, view: SymbolView) -> Sample:
    state = STATES.index(view.status)
    bids, asks = view.bids, view.asks
    if state != LIVE or not bids or not asks:
        none = np.zeros(0, np.int64)
        return Sample(at_ms, WAITING if state == LIVE else state, 0, none, none.astype(np.float16), 0, {})
    walls = {
        wall.wall_id: (strength(wall.eroded), heavy_levels(wall, view)[:MARKS_A_WALL])
        for wall in view.walls
        if wall.in_view
    }
    ticks, lots = np.concatenate([_in_grains(*_levels(side)) for side in (bids, asks)], axis=1)
    base = bids[0][0]
    near = np.abs(ticks - base) <= _FARTHEST
    sizes = np.log2(np.maximum(lots[near], 1)).astype(np.float16)
    return Sample(at_ms, state, base, ticks[near] - base, sizes, base + asks[0][0], walls)


def _levels(side: Sequence[tuple[int, int]]) -> Ints:
    """Ticks and lots of a side, best first."""
    return np.fromiter(chain.from_iterable(side), np.int64, 2 * len(side)).reshape(len(side), 2).T


def _in_grains(ticks: Ints, lots: Ints) -> Ints:
    """The same with what lies behind the best levels summed into grains, as fine as there is room for."""
    if len(ticks) <= LEVELS:
        return np.stack((ticks, lots))
    far, width = ticks[EXACT:], 10
    while abs(int(far[-1] - far[0])) // width > GRAINS - 2:
        width *= 10
    grains = far // width
    starts = np.flatnonzero(np.concatenate(([True], grains[1:] != grains[:-1])))
    merged = np.stack((grains[starts] * width, np.add.reduceat(lots[EXACT:], starts)))
    return np.concatenate((np.stack((ticks[:EXACT], lots[:EXACT])), merged), axis=1)


def strength(eroded: float) -> int:
    """How whole a wall is, in four steps; the strategies look at 10, 30 and 60 per cent too."""
    return FULL - sum(eroded >= limit for limit in (0.1, 0.3, 0.6))
