"""The ladder's prices: which of them are shown, what rests there and which walls they belong to.

A rung is one row of the ladder: `step` ticks of price, numbered by price over step. Asks are rounded up to their
rung and bids down, so a rung's price is the worst in it and no rung holds both sides. All sizes are lots.
"""

from collections.abc import Sequence
from itertools import accumulate

from msgspec import Struct
from msgspec.structs import replace

from breakwall.app.book.heavy import heavy_levels
from breakwall.app.steps import nearest
from breakwall.model.view import SymbolView, WallView

_STEP_OF_PRICE = 8e-6
"""A rung is about 0.08 basis points: half a USDT at 64,000, one tick where ticks are coarse."""
_SPREAD_RUNGS = 4
"""The spread takes at most this many rungs, also in a thin market."""


class Window(Struct, frozen=True):
    """What the ladder shows of a symbol: ticks per rung, the rung in its middle, and the lots of a full bar."""

    symbol: str
    step: int
    middle: int
    full_lots: int

    def shown(self, rows: int) -> range:
        """Rungs from the highest to the lowest for this many rows."""
        top = self.middle + rows // 2
        return range(top, top - rows, -1)


class Rung(Struct, frozen=True):
    """What rests at a price, and how much there is between it and the other side."""

    lots: int
    sum_lots: int


class BookSide(Struct, frozen=True):
    """One side of the book by rung. `rim` is the farthest rung that is known, None without levels."""

    bid: bool
    rungs: dict[int, Rung]
    walls: dict[int, WallView]
    rim: int | None

    def knows(self, rung: int) -> bool:
        """Whether the book reaches that far: behind its rim nothing is known, which is not nothing."""
        return self.rim is not None and (rung >= self.rim if self.bid else rung <= self.rim)


def rung_of(ticks: int, step: int, bid: bool) -> int:
    return ticks // step if bid else -(-ticks // step)


def book_side(market: SymbolView, bid: bool, step: int) -> BookSide:
    """The levels of one side, gathered into rungs."""
    levels = market.bids if bid else market.asks
    lots: dict[int, int] = {}
    for ticks, size in levels:
        rung = rung_of(ticks, step, bid)
        lots[rung] = lots.get(rung, 0) + size
    sums = accumulate(lots.values())
    rungs = {rung: Rung(size, total) for (rung, size), total in zip(lots.items(), sums, strict=True)}
    standing = [wall for wall in market.walls if wall.bid is bid and wall.in_view]
    walls = {rung_of(ticks, step, bid): wall for wall in standing for ticks in heavy_levels(wall, market)}
    return BookSide(bid, rungs, walls, next(reversed(rungs), None))


def follow(before: Window | None, market: SymbolView, rows: int, locked: bool) -> Window:
    """The window for this book (neither side empty): where it was while that serves, so that rows stay in place.

    The middle moves when the touch has left the middle third, the step when it is off by more than a factor
    of two. A locked window keeps both.
    """
    bid, ask = market.bids[0][0], market.asks[0][0]
    before = before if before is not None and before.symbol == market.symbol else None
    if before is not None and locked:
        return before
    step = _step(before.step if before else 0, bid, ask)
    before = before if before is not None and before.step == step else None
    middle = rung_of(bid, step, True)
    if before is not None and abs(middle - before.middle) <= rows // 6:
        middle = before.middle
    return Window(market.symbol, step, middle, before.full_lots if before else 0)


def scaled(window: Window, sides: Sequence[BookSide], rows: int) -> Window:
    """The same window with bars that the largest ordinary rung in it fills by a third at least."""
    shown = window.shown(rows)
    largest = max(
        (side.rungs[rung].lots for side in sides for rung in shown if rung in side.rungs and rung not in side.walls),
        default=0,
    )
    fits = window.full_lots > 0 and window.full_lots / 3 <= largest <= window.full_lots
    return window if fits else replace(window, full_lots=max(1, nearest(1.4 * largest)))


def _step(before: int, bid: int, ask: int) -> int:
    ideal = max(1.0, bid * _STEP_OF_PRICE, (ask - bid) / _SPREAD_RUNGS)
    return before if before and before / 2 <= ideal <= before * 2 else nearest(ideal)
