"""What a screen or the headless log may read: frozen, built on request, never pushed."""

from decimal import Decimal

from msgspec import Struct


class WallView(Struct, frozen=True):
    """One wall: edges and prices in ticks, sizes in lots, `eroded`, `eaten`, `pulled` as fractions of its peak."""

    wall_id: int
    bid: bool
    near_ticks: int
    far_ticks: int
    price: Decimal
    lots: int
    peak_lots: int
    notional_usdt: Decimal
    age_ms: int
    eroded: float
    eaten: float
    pulled: float
    touches: int
    in_view: bool


class SymbolView(Struct, frozen=True):
    """One market. `status` is LIVE, RESYNC, STALE or WAITING; levels are (ticks, lots) best first."""

    symbol: str
    status: str
    bid: Decimal | None
    ask: Decimal | None
    mark: Decimal | None
    age_ms: int
    trend: str
    bids: tuple[tuple[int, int], ...] = ()
    asks: tuple[tuple[int, int], ...] = ()
    walls: tuple[WallView, ...] = ()


class PositionView(Struct, frozen=True):
    """One position; `lots` and `qty` (coins) are negative where it is short.

    `proof_age_ms` is how long ago the stop was read back from the venue; None: never.
    """

    symbol: str
    state: str
    lots: int
    qty: Decimal
    entry: Decimal
    mark: Decimal | None
    pnl_usdt: Decimal
    stop: Decimal | None
    liquidation: Decimal | None
    strategy: str
    proof_age_ms: int | None


class OrderView(Struct, frozen=True):
    client_id: str
    symbol: str
    side: str
    state: str
    lots: int
    filled_lots: int
    price: Decimal | None


class Counters(Struct, frozen=True):
    """Sums of this run; the receipt is made of them."""

    book_messages: int = 0
    trades_seen: int = 0
    gaps: int = 0
    resyncs: int = 0
    walls_seen: int = 0
    walls_eaten: int = 0
    walls_pulled: int = 0
    signals: int = 0
    refused: int = 0
    orders_sent: int = 0
    fills: int = 0
    positions_opened: int = 0
    positions_closed: int = 0
    opened_by: tuple[tuple[str, int], ...] = ()  # strategy -> positions opened
    closed_by: tuple[tuple[str, int], ...] = ()  # strategy -> positions closed
    unprotected_ms_max: int = 0
    proof_delay_ms_max: int = 0
    realised_pnl_usdt: Decimal = Decimal(0)
    fees_usdt: Decimal = Decimal(0)
    funding_usdt: Decimal = Decimal(0)
    breaker_trips: int = 0


class View(Struct, frozen=True):
    """The whole state a reader needs, at one moment between two events."""

    at_ms: int
    mode: str
    trading_state: str  # ACTIVE, REDUCING, HALTED
    why: str
    armed: bool
    blind: bool
    equity_usdt: Decimal
    available_usdt: Decimal
    symbols: tuple[SymbolView, ...]
    positions: tuple[PositionView, ...]
    orders: tuple[OrderView, ...]
    counters: Counters
    loop_delay_p99_ms: float = 0.0
    event_latency_p99_ms: float = 0.0
