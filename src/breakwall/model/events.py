"""Everything that can enter the core. Frozen, integer prices and sizes, times in milliseconds.

One raw frame becomes exactly one event, so a recording of frames is a recording of events.
`at_ms` of a `Stamped` event is the engine's own clock; `*_ms` inside events is the venue's.
"""

from decimal import Decimal
from enum import Enum

from msgspec import Struct

from breakwall.model.api import ApiHealth, Bars
from breakwall.model.candles import Candles
from breakwall.model.journal import JournalEntry
from breakwall.model.liquidations import Liquidations
from breakwall.model.listings import Admitted, Listings
from breakwall.model.units import Instrument, Side


class Link(Enum):
    """The connections a venue has; each can be down while the others work. Without TRADE orders go over REST."""

    PUBLIC = "public"
    PRIVATE = "private"
    REST = "rest"
    TRADE = "trade"


class OutcomeKind(Enum):
    """What is known of a command after it was sent."""

    CONFIRMED = "confirmed"
    REJECTED = "rejected"  # definitely not executed
    REFUSED = "refused"  # by us, never sent
    UNKNOWN = "unknown"  # time-out, 5xx, disconnect, unreadable: query by client id


class MarketEvent(Struct, frozen=True, gc=False, tag=True):
    """Public data of one symbol."""

    symbol: str


class BookSnapshot(MarketEvent, frozen=True, gc=False):
    """The whole visible window. `bids` high to low, `asks` low to high, as flat (ticks, lots) pairs.

    `depth` is the subscribed number of levels, `seq` the venue's cross sequence, `cts_ms` the
    matching engine's time.
    """

    bids: list[tuple[int, int]]
    asks: list[tuple[int, int]]
    update_id: int
    seq: int
    cts_ms: int
    depth: int


class BookDelta(MarketEvent, frozen=True, gc=False):
    """Changed levels in any order; 0 lots deletes the level (which may only have left the window)."""

    bids: list[tuple[int, int]]
    asks: list[tuple[int, int]]
    update_id: int
    seq: int
    cts_ms: int
    depth: int


class Trade(Struct, frozen=True, gc=False):
    """One public trade; `buy` is the taker's side. Block and RPI trades never touch the visible book."""

    ticks: int
    lots: int
    buy: bool
    at_ms: int
    seq: int
    trade_id: str = ""
    off_book: bool = False


class Trades(MarketEvent, frozen=True, gc=False):
    trades: tuple[Trade, ...]


class Ticker(MarketEvent, frozen=True, gc=False):
    """Changed ticker fields; None is "unchanged". `change_24h` and `funding_rate` are fractions."""

    at_ms: int
    mark: Decimal | None = None
    index: Decimal | None = None
    last: Decimal | None = None
    funding_rate: Decimal | None = None
    next_funding_ms: int | None = None
    turnover_24h_usdt: Decimal | None = None
    change_24h: Decimal | None = None
    open_interest: Decimal | None = None
    bid_ticks: int | None = None
    ask_ticks: int | None = None


class BookLost(MarketEvent, frozen=True):
    """Nobody can vouch for this symbol's book any more (disconnect, silence, overflow).

    `ours`: the inbox dropped it, so nobody has asked for a new snapshot yet.
    """

    reason: str
    ours: bool = False


class BadFrame(Struct, frozen=True, tag=True):
    """A frame that could not be read; counted and told, never fatal."""

    link: Link
    reason: str


class Ignored(Struct, frozen=True, tag=True):
    """A frame without meaning for the core (acks, pongs, unknown topics)."""

    what: str = ""


class LinkChanged(Struct, frozen=True, tag=True):
    link: Link
    up: bool
    reason: str = ""


class OrderReport(Struct, frozen=True):
    """The venue's word on one order. `status` is the venue's; `filled_lots` is cumulative."""

    order_id: str
    client_id: str
    symbol: str
    side: Side
    status: str
    lots: int
    filled_lots: int
    limit_ticks: int | None = None
    average: Decimal | None = None
    reduce_only: bool = False
    stop_kind: str = ""  # "", StopLoss, TakeProfit, Stop ...
    trigger_ticks: int | None = None
    stop_loss_ticks: int | None = None
    position_idx: int = 0
    reason: str = ""
    cancel_kind: str = ""
    created_ms: int = 0
    updated_ms: int = 0


class Fill(Struct, frozen=True):
    """One execution. Only `exec_kind == "Trade"` and the venue's forced closes move positions."""

    exec_id: str
    order_id: str
    client_id: str
    symbol: str
    side: Side
    ticks: int
    lots: int
    fee_usdt: Decimal
    at_ms: int
    seq: int = 0
    maker: bool = False
    exec_kind: str = "Trade"
    closed_lots: int = 0
    stop_kind: str = ""


class PositionReport(Struct, frozen=True):
    """The venue's word on one position; `lots` is signed (+ long), `stop_ticks` None when it has no stop."""

    symbol: str
    lots: int
    entry: Decimal
    stop_ticks: int | None
    take_profit_ticks: int | None
    mark: Decimal | None
    liquidation: Decimal | None
    leverage: Decimal
    position_idx: int = 0
    seq: int = 0
    updated_ms: int = 0
    adl_rank: int = 0  # 1 to 5, the next to be deleveraged; 0: flat


class Wallet(Struct, frozen=True):
    """USDT of the account: equity includes unrealised PnL, available is free for new margin."""

    equity_usdt: Decimal
    balance_usdt: Decimal
    available_usdt: Decimal
    at_ms: int = 0


class OrderReports(Struct, frozen=True, tag=True):
    reports: tuple[OrderReport, ...]


class Fills(Struct, frozen=True, tag=True):
    fills: tuple[Fill, ...]


class PositionReports(Struct, frozen=True, tag=True):
    reports: tuple[PositionReport, ...]


class WalletReport(Struct, frozen=True, tag=True):
    wallet: Wallet


class ReadBack(Struct, frozen=True, tag=True):
    """The account as REST tells it: all open orders, positions and the wallet, plus recent fills.

    `asked_ms` is the engine time before the first request, so that a later push wins over it; `strangers`
    are symbols with orders or positions that nobody asked us to follow.
    """

    orders: tuple[OrderReport, ...]
    positions: tuple[PositionReport, ...]
    fills: tuple[Fill, ...]
    wallet: Wallet
    asked_ms: int
    purpose: str = "periodic"  # start, periodic, reconnect, proof, flatten, by hand
    strangers: tuple[str, ...] = ()


class ReadBackFailed(Struct, frozen=True, tag=True):
    reason: str
    purpose: str = "periodic"
    bars: Bars = Bars.NOTHING


class IntentStored(Struct, frozen=True, tag=True):
    """The intent is durable in the journal."""

    client_id: str


class IntentSent(Struct, frozen=True, tag=True):
    client_id: str


class Outcome(Struct, frozen=True, tag=True):
    """What became of a command. `operation` is place, cancel, stop or leverage."""

    operation: str
    symbol: str
    client_id: str
    kind: OutcomeKind
    code: int = 0
    reason: str = ""
    order_id: str = ""
    round_trip_ms: float = 0.0
    bars: Bars = Bars.NOTHING


class OrderAnswer(Struct, frozen=True, tag=True):
    """The answer to a query that left at `asked_ms` (engine time); `report` None: not known to the venue (yet)."""

    client_id: str
    symbol: str
    report: OrderReport | None
    readable: bool = True
    reason: str = ""
    asked_ms: int = 0


class Instruments(Struct, frozen=True, tag=True):
    """Trading rules of the symbols we follow, as of now; a changed tick or lot drops that symbol's book."""

    instruments: tuple[Instrument, ...]


class Account(Struct, frozen=True, tag=True):
    """Read once at start: fees are fractions, `account_id` is the venue's, `dcp_s` after how many seconds without us
    it withdraws our working orders (0: never).
    """

    account_id: str
    taker_fee: Decimal
    maker_fee: Decimal
    dcp_s: int = 0


class SettingsChanged(Struct, frozen=True, tag=True):
    """The effective settings as JSON, the first event of a run, so that its record can be decided again."""

    settings: str
    run: int


class JournalHealth(Struct, frozen=True, tag=True):
    """Whether intents can be made durable; without it no entry leaves."""

    ok: bool
    reason: str = ""


class SlowCommit(Struct, frozen=True, tag=True):
    """The journal took this long to make something durable."""

    commit_ms: int


class Recovered(Struct, frozen=True, tag=True):
    """What the journal remembers, in the order it was written."""

    entries: tuple[JournalEntry, ...]


class Tick(Struct, frozen=True, gc=False, tag=True):
    """Time passes: one each 100 ms. `venue_offset_ms` is the venue clock minus ours."""

    venue_offset_ms: float = 0.0


class CommandKind(Enum):
    """What a person (or the process that ends) may ask. Panic, flatten, cancel and stop work in every state."""

    ARM = "arm"
    DISARM = "disarm"
    PAUSE = "pause"
    RESUME = "resume"
    FLATTEN = "flatten"
    PANIC = "panic"  # of all symbols, in one: SAFE at once, entries cancelled, everything closed
    CANCEL = "cancel"
    BREAKEVEN = "breakeven"
    HALT = "halt"
    RESET_BREAKER = "reset-breaker"
    RESET_API = "reset-api"  # close the API breaker of a group of endpoints
    RECONCILE = "reconcile"  # read the account back now and tell all that differs
    STOP = "stop"  # the process is leaving: no new entries, resting entries cancelled


class Command(Struct, frozen=True, tag=True):
    """`symbol` empty means all symbols (some kinds are always for all); `who` and `why` go to the journal. `name` is
    the rule that a breaker's reset is for (`symbol` is its scope then, also a strategy) or the API group; empty: all.
    """

    kind: CommandKind
    symbol: str = ""
    who: str = "operator"
    why: str = ""
    name: str = ""

    def asked(self, at_ms: int) -> str:
        """Who asked for it, and at which time of the day (UTC), in words."""
        return f"by {self.who} at {at_ms // 3_600_000 % 24:02d}:{at_ms // 60_000 % 60:02d}"


Event = (
    BookSnapshot
    | BookDelta
    | Trades
    | Ticker
    | Liquidations
    | Candles
    | BookLost
    | BadFrame
    | Ignored
    | LinkChanged
    | OrderReports
    | Fills
    | PositionReports
    | WalletReport
    | ReadBack
    | ReadBackFailed
    | IntentStored
    | IntentSent
    | Outcome
    | OrderAnswer
    | Instruments
    | Listings
    | Admitted
    | Account
    | SettingsChanged
    | JournalHealth
    | SlowCommit
    | ApiHealth
    | Recovered
    | Tick
    | Command
)

MARKET_EVENTS = (BookSnapshot, BookDelta, Trades, Ticker)
"""The slow lane of the inbox: everything else overtakes these."""


class Stamped(Struct, frozen=True, gc=False):
    """An event as it left the inbox: `seq` orders the run, `at_ms` is the engine's clock (never goes back)."""

    seq: int
    at_ms: int
    event: Event
