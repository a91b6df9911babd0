"""A stage for one symbol: a flat book around 10,000 ticks in which tests build, eat and pull walls.

Tick and lot are 1, buckets 10 ticks wide, each level holds one lot. A wall needs 50 lots a bucket.
"""

from collections.abc import Callable
from decimal import Decimal

import pytest

from breakwall.market.state import Market
from breakwall.market.walls import Wall, WallEvent
from breakwall.model.events import BookDelta, BookSnapshot, Trade, Trades
from breakwall.model.units import Instrument
from breakwall.settings import Settings

SYMBOL = "TESTUSDT"
DEPTH = 200
START_MS = 1_000_000
Levels = list[tuple[int, int]]


class Stage:
    def __init__(self, **walls: object) -> None:
        self.settings = Settings.model_validate(
            {
                "walls": {
                    "floor_usdt": {SYMBOL: 500_000},
                    "bucket_bp": 10,
                    "min_buckets": 10,
                    "min_age_s": 1,
                    **walls,
                }
            }
        )
        one = Decimal(1)
        self.market = Market(Instrument(SYMBOL, one, one, 1, 10**6, 10**6), self.settings, DEPTH)
        self.now = START_MS
        self.update_id = 100
        self.seq = 1_000
        self.trades = 0

    def open(self, bids: dict[int, int] | None = None, asks: dict[int, int] | None = None, depth: int = DEPTH) -> str:
        """A snapshot of a flat book with these levels on top of it."""
        self.update_id += 1
        self.seq += 10
        low = dict.fromkeys(range(10_000 - depth, 10_000), 1) | (bids or {})
        high = dict.fromkeys(range(10_001, 10_001 + depth), 1) | (asks or {})
        event = BookSnapshot(
            SYMBOL, sorted(low.items(), reverse=True), sorted(high.items()), self.update_id, self.seq, self.now, depth
        )
        return self.market.on_book(event, self.now)

    def delta(self, bids: Levels | None = None, asks: Levels | None = None, skip: int = 0, late_ms: int = 0) -> str:
        """The next delta, 10 later in sequence; `skip` leaves out update ids."""
        self.update_id += 1 + skip
        self.seq += 10
        event = BookDelta(SYMBOL, bids or [], asks or [], self.update_id, self.seq, self.now - late_ms, DEPTH)
        return self.market.on_book(event, self.now)

    def trade(self, ticks: int, lots: int, *, buy: bool, ahead: int = 5, off_book: bool = False) -> None:
        """A trade `ahead` of the book's sequence (negative: the book shows it already)."""
        self.trades += 1
        trade = Trade(ticks, lots, buy, self.now, self.seq + ahead, str(self.trades), off_book)
        self.market.on_trades(Trades(SYMBOL, (trade,)), self.now)

    def wait(self, ms: int, *, alive: bool = True) -> None:
        """Let time pass in ticks of 100 ms; an empty delta each keeps the book alive."""
        for _ in range(ms // 100):
            self.now += 100
            if alive:
                self.delta()
            self.market.on_tick(self.now)

    def build(self, ticks: int = 10_051, lots: int = 100) -> Wall:
        """A wall that has stood long enough: by default asks at 10051, in the bucket 10050 to 10059."""
        asks = {ticks: lots} if ticks > 10_000 else {}
        bids = {ticks: lots} if ticks <= 10_000 else {}
        self.open(bids, asks)
        self.wait(2_500)
        walls = self.market.live_walls()
        assert len(walls) == 1
        self.market.take_wall_events()
        return walls[0]

    def kinds(self) -> list[str]:
        return [event.kind for event in self.events()]

    def events(self) -> tuple[WallEvent, ...]:
        return self.market.take_wall_events()


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def stage_with() -> Callable[..., Stage]:
    """A stage with other wall settings."""
    return Stage
