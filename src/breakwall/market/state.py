"""All that is known of one symbol."""

from collections.abc import Sequence
from decimal import Decimal
from enum import Enum

from breakwall.config import Settings
from breakwall.market.walls import Wall, WallEvent
from breakwall.model.events import BookDelta, BookSnapshot, Ticker, Trades
from breakwall.model.units import Instrument
from breakwall.model.view import SymbolView


class Status(Enum):
    """WAITING for the first snapshot, LIVE, RESYNC after a loss, STALE when nothing comes any more."""

    WAITING = "WAITING"
    LIVE = "LIVE"
    RESYNC = "RESYNC"
    STALE = "STALE"


class Market:
    """One symbol's book, walls, tape and trend. Prices are ticks, sizes lots, times engine milliseconds."""

    def __init__(self, instrument: Instrument, settings: Settings, depth: int) -> None:
        self.instrument = instrument
        self.settings = settings
        self.depth = depth
        self.status = Status.WAITING
        self.status_reason = "no snapshot yet"
        self.last_book_ms = 0
        self.mark: Decimal | None = None
        self.index: Decimal | None = None
        self.last: Decimal | None = None
        self.funding_rate: Decimal | None = None
        self.next_funding_ms: int | None = None
        self.turnover_24h_usdt: Decimal | None = None
        self.change_24h: Decimal | None = None
        self.book_messages = self.trades_seen = self.gaps = self.resyncs = self.duplicates = 0
        self.walls_seen = self.walls_eaten = self.walls_pulled = 0
        self.trend_now = 0
        self.atr_ticks: float | None = None

    @property
    def best_bid(self) -> int | None:
        """Best bid in ticks; None without a book."""
        return None

    @property
    def best_ask(self) -> int | None:
        """Best ask in ticks; None without a book."""
        return None

    @property
    def mid_half_ticks(self) -> int | None:
        """Bid plus ask: twice the mid, in ticks, exact. None without both sides."""
        return None

    def on_book(self, event: BookSnapshot | BookDelta, at_ms: int) -> str:
        """Take a book message; the answer is why the symbol must be resubscribed, or ''."""
        self.book_messages += 1
        return ""

    def on_trades(self, event: Trades, at_ms: int) -> None:
        """Take public trades."""

    def on_ticker(self, event: Ticker, at_ms: int) -> None:
        """Merge the changed ticker fields."""

    def on_tick(self, at_ms: int) -> None:
        """Let time pass: samples, promotions, catch-up deadlines, staleness."""

    def lose(self, reason: str, at_ms: int) -> None:
        """The book can no longer be trusted: RESYNC until the next snapshot."""

    def take_wall_events(self) -> tuple[WallEvent, ...]:
        """What happened to walls since the last call."""
        return ()

    def live_walls(self) -> Sequence[Wall]:
        """Built walls in view, nearest to the price first within each side, bids before asks."""
        return ()

    def wall(self, wall_id: int) -> Wall | None:
        """A living or recently ended wall."""
        return None

    def view(self, at_ms: int, levels: int = 0) -> SymbolView:
        """The frozen view of this symbol with the best `levels` of each side."""
        raise NotImplementedError
