"""A wall: one bucket of the book that was big enough for long enough, and what became of it."""

from decimal import Decimal

from msgspec import Struct

from breakwall.model.units import Side

GONE_AT = 0.9
"""A wall ends when this share of its peak is gone: what is left no longer holds a price."""


class WallEvent(Struct, frozen=True):
    """Something happened to a wall.

    `kind`: built (old enough), left (slid out of the visible window, nothing is known), eaten or
    pulled (at least `GONE_AT` of the peak is gone, mostly by trades or mostly by cancels), faded
    (still there, no longer a wall), unknown (not found again after the book was lost).
    Sizes are lots; `price_ticks` is the size-weighted price.
    """

    kind: str
    wall_id: int
    bid: bool
    price_ticks: int
    lots: int
    peak_lots: int
    eaten_lots: int
    pulled_lots: int
    at_ms: int


class Wall:
    """One wall, alive or ended. Prices are ticks, sizes lots; `bid` walls are below the price.

    `near_ticks` and `far_ticks` are the bucket's edges towards and away from the price (entry and
    stop side). At any moment `peak_lots == lots + eaten_lots + pulled_lots + undecided`: what is added
    again first makes up for pulled, then for eaten lots, and only then raises the peak. Lots that
    changed while the wall could not be seen are neither eaten nor pulled: they leave the peak.
    `built_ms` is 0 for a candidate; `end` is empty while it lives.
    """

    __slots__ = (
        "ahead",
        "bid",
        "bucket",
        "built_ms",
        "eaten_lots",
        "end",
        "ended_ms",
        "fading_ms",
        "far_ticks",
        "first_lots",
        "hidden_ms",
        "in_view",
        "left_told",
        "lots",
        "near_ticks",
        "peak_lots",
        "price_ticks",
        "pulled_lots",
        "seen_ms",
        "touches",
        "touching",
        "undecided",
        "wall_id",
    )

    def __init__(self, wall_id: int, bid: bool, bucket: int, width: int, lots: int, at_ms: int) -> None:
        self.wall_id = wall_id
        self.bid = bid
        self.seen_ms = at_ms
        self.first_lots = self.peak_lots = self.lots = lots
        self.eaten_lots = self.pulled_lots = 0
        self.touches = 0
        self.touching = False
        self.in_view = True
        self.left_told = False
        self.built_ms = self.ended_ms = self.hidden_ms = self.fading_ms = 0
        self.end = ""
        self.ahead: list[tuple[int, int, int]] = []  # trades the book does not show yet: (seq, lots, at_ms)
        self.undecided: list[tuple[int, int, int]] = []  # shrinkage no trade has explained yet: the same
        self.place(bucket, width)

    def place(self, bucket: int, width: int) -> None:
        """Take the bounds of a bucket; the price is its middle until it is weighed."""
        low, high = bucket * width, (bucket + 1) * width - 1
        self.bucket = bucket
        self.near_ticks, self.far_ticks = (high, low) if self.bid else (low, high)
        self.price_ticks = (low + high) // 2

    @property
    def side(self) -> Side:
        """The side of the orders it is made of: a bid wall buys."""
        return Side.BUY if self.bid else Side.SELL

    @property
    def built(self) -> bool:
        return self.built_ms > 0

    @property
    def alive(self) -> bool:
        return not self.end

    @property
    def undecided_lots(self) -> int:
        """Lots gone, not yet known whether eaten or pulled."""
        return sum(lots for _, lots, _ in self.undecided)

    @property
    def eroded(self) -> float:
        """1 - size / peak, from 0 to 1."""
        return 1.0 - self.lots / self.peak_lots if self.peak_lots > 0 else 0.0

    @property
    def eaten(self) -> float:
        """Share of the peak that was traded away."""
        return self.eaten_lots / self.peak_lots if self.peak_lots > 0 else 0.0

    @property
    def pulled(self) -> float:
        """Share of the peak that was cancelled."""
        return self.pulled_lots / self.peak_lots if self.peak_lots > 0 else 0.0

    @property
    def eaten_share(self) -> float:
        """Share of all that is gone that was traded; the undecided counts as not traded. 0 when nothing is gone."""
        gone = self.peak_lots - self.lots
        return self.eaten_lots / gone if gone > 0 else 0.0

    def age_ms(self, at_ms: int) -> int:
        """How long it has stood (an ended wall: how long it stood)."""
        return (self.ended_ms or at_ms) - self.seen_ms

    def notional(self, usdt_per_tick_lot: Decimal) -> Decimal:
        """USDT of what is left, at its size-weighted price."""
        return usdt_per_tick_lot * (self.price_ticks * self.lots)

    def event(self, kind: str, at_ms: int) -> WallEvent:
        return WallEvent(
            kind=kind,
            wall_id=self.wall_id,
            bid=self.bid,
            price_ticks=self.price_ticks,
            lots=self.lots,
            peak_lots=self.peak_lots,
            eaten_lots=self.eaten_lots,
            pulled_lots=self.pulled_lots,
            at_ms=at_ms,
        )
