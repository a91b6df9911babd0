"""The visible order book of one symbol, in integer ticks and lots."""

from bisect import bisect_left, insort
from collections.abc import Iterable
from enum import Enum
from operator import mul

from breakwall.market.buckets import Buckets
from breakwall.model.events import BookDelta, BookSnapshot


class Verdict(Enum):
    """What became of a delta; all but `APPLIED` and `DROPPED` mean that the book must be asked for again."""

    APPLIED = "applied"
    DROPPED = "dropped"
    GAP = "gap"
    CROSSED = "crossed"


APPLIED = Verdict.APPLIED
"""Of every message: Python 3.11 takes 0.15 us to look up a member of an Enum, a hundredth of all that is done."""


class BookSide:
    """One side: lots by ticks, the ticks in ascending order, and the sums of the levels in buckets.

    `deleted` holds the levels (ticks, lots) that the last delta took away, for whatever reason.
    """

    __slots__ = ("bid", "buckets", "deleted", "depth", "levels", "prices")

    def __init__(self, bid: bool, depth: int) -> None:
        self.bid = bid
        self.depth = depth
        self.levels: dict[int, int] = {}
        self.prices: list[int] = []
        self.deleted: list[tuple[int, int]] = []
        self.buckets = Buckets(bid, 1)

    @property
    def best(self) -> int | None:
        """Ticks of the best price."""
        if not self.prices:
            return None
        return self.prices[-1] if self.bid else self.prices[0]

    @property
    def left(self) -> list[tuple[int, int]]:
        """The levels of `deleted` that only slid out of the visible window and may still rest in the market.

        A level slid out when the side is full and the level lies beyond its outermost one; every other
        delete is real.
        """
        if len(self.prices) < self.depth:
            return []
        low, high = self.prices[0], self.prices[-1]
        return [level for level in self.deleted if (level[0] < low if self.bid else level[0] > high)]

    def top(self, count: int) -> tuple[tuple[int, int], ...]:
        """The best `count` levels as (ticks, lots), best first."""
        prices = self.prices[: -count - 1 : -1] if self.bid else self.prices[:count]
        return tuple(zip(prices, map(self.levels.__getitem__, prices), strict=True)) if count > 0 else ()

    def weighed(self, low: int, high: int) -> int | None:
        """Size-weighted price of the levels from `low` to `high` ticks, rounded; None where there are none."""
        prices = self.prices[bisect_left(self.prices, low) : bisect_left(self.prices, high + 1)]
        sizes = [self.levels[ticks] for ticks in prices]
        lots = sum(sizes)
        return (sum(map(mul, prices, sizes)) + lots // 2) // lots if lots else None

    def replace(self, levels: Iterable[tuple[int, int]]) -> None:
        self.levels = {ticks: lots for ticks, lots in levels if lots}
        self.prices = sorted(self.levels)
        self.deleted = []
        self.buckets.rebuild(self.levels)

    def regrid(self, width: int) -> None:
        """Sum the levels in buckets of another width (ticks)."""
        self.buckets = Buckets(self.bid, width)
        self.buckets.rebuild(self.levels)

    def apply(self, changed: list[tuple[int, int]]) -> set[int]:
        """Set the levels to their new sizes (0 deletes) and tell which buckets were touched.

        Deletes of levels that are not there are normal and change nothing.
        """
        levels = self.levels
        prices = self.prices
        sums = self.buckets.sums
        width = self.buckets.width
        touched: set[int] = set()
        deleted: list[tuple[int, int]] = []
        for ticks, lots in changed:
            before = levels.get(ticks, 0)
            if lots:
                if not before:
                    insort(prices, ticks)
                levels[ticks] = lots
            elif before:
                del levels[ticks]
                del prices[bisect_left(prices, ticks)]
                deleted.append((ticks, before))
            else:
                continue
            bucket = ticks // width
            sums[bucket] = sums.get(bucket, 0) + lots - before
            touched.add(bucket)
        if len(prices) > self.depth:
            touched |= self._trim(deleted)
        self.deleted = deleted
        return touched

    def _trim(self, deleted: list[tuple[int, int]]) -> set[int]:
        """Drop what lies beyond the window when the venue did not say so (after a tolerated gap)."""
        touched: set[int] = set()
        while len(self.prices) > self.depth:
            ticks = self.prices.pop(0 if self.bid else -1)
            lots = self.levels.pop(ticks)
            self.buckets.sums[ticks // self.buckets.width] -= lots
            touched.add(ticks // self.buckets.width)
            deleted.append((ticks, lots))
        return touched


class OrderBook:
    """Both sides and where in the venue's sequence they stand.

    `tolerant` accepts a gap in the update ids (`venue.gaps = "warn"`): it is counted, nothing more.
    """

    __slots__ = ("asks", "bids", "depth", "dropped", "gaps", "ready", "seq", "tolerant", "update_id", "why")

    def __init__(self, depth: int, *, tolerant: bool = False) -> None:
        self.depth = depth
        self.tolerant = tolerant
        self.bids = BookSide(True, depth)
        self.asks = BookSide(False, depth)
        self.update_id = self.seq = 0
        self.ready = False
        self.gaps = self.dropped = 0
        self.why = ""  # of the last verdict that was not APPLIED

    def replace(self, event: BookSnapshot | BookDelta) -> Verdict:
        """Start again from a whole window (a snapshot, or a delta with `update_id` 1: the venue restarted)."""
        self.depth = self.bids.depth = self.asks.depth = event.depth
        self.bids.replace(event.bids)
        self.asks.replace(event.asks)
        self.update_id = event.update_id
        self.seq = event.seq
        self.ready = True
        return self._judged()

    def apply(self, event: BookDelta) -> tuple[Verdict, set[int], set[int]]:
        """Apply a delta; tell the touched buckets of bids and of asks, none unless it was applied.

        A delta without a book, of an id already seen or of a lower sequence is dropped; an id too far
        ahead is a gap. After GAP and CROSSED the book waits for a snapshot.
        """
        step = event.update_id - self.update_id
        if step != 1 or event.seq < self.seq or not self.ready:
            refusal = self._refused(event, step)
            if refusal is not None:
                return refusal, set(), set()
        self.update_id = event.update_id
        self.seq = event.seq
        bids = self.bids.apply(event.bids)
        asks = self.asks.apply(event.asks)
        if self.crossed:
            return self._judged(), set(), set()
        return APPLIED, bids, asks

    def lose(self) -> None:
        """Wait for a snapshot: deltas are dropped until then."""
        self.ready = False

    @property
    def crossed(self) -> bool:
        """Whether the best bid is not below the best ask."""
        bids, asks = self.bids.prices, self.asks.prices
        return bool(bids and asks) and bids[-1] >= asks[0]

    @property
    def mid_half_ticks(self) -> int | None:
        """Best bid plus best ask: twice the mid, exact."""
        if not (self.bids.prices and self.asks.prices):
            return None
        return self.bids.prices[-1] + self.asks.prices[0]

    @property
    def reach_ticks(self) -> int:
        """How far the window reaches from the best price, on the side where it reaches less."""
        if not (self.bids.prices and self.asks.prices):
            return 0
        return min(self.bids.prices[-1] - self.bids.prices[0], self.asks.prices[-1] - self.asks.prices[0])

    def _refused(self, event: BookDelta, step: int) -> Verdict | None:
        if not self.ready:
            return self._drop("no snapshot yet")
        if step <= 0:
            return self._drop(f"update {event.update_id} is not after {self.update_id}")
        if event.seq < self.seq:
            return self._drop(f"sequence {event.seq} is before {self.seq}")
        self.gaps += 1
        self.why = f"updates {self.update_id + 1} to {event.update_id - 1} are missing"
        if self.tolerant:
            return None
        self.ready = False
        return Verdict.GAP

    def _drop(self, why: str) -> Verdict:
        self.dropped += 1
        self.why = why
        return Verdict.DROPPED

    def _judged(self) -> Verdict:
        if not self.crossed:
            return Verdict.APPLIED
        self.ready = False
        self.why = f"best bid {self.bids.best} is not below best ask {self.asks.best} (ticks)"
        return Verdict.CROSSED
