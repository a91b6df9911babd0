"""What a screen or the headless log may read: frozen, built on request, never pushed."""

from decimal import Decimal

from msgspec import Struct

from breakwall.model.records import RecoveryReport


class WallView(Struct, frozen=True):
    """One wall: edges and prices in ticks, sizes in lots, `eroded`, `eaten`, `pulled` as fractions of its peak.

    `end` is how it ended (eaten, pulled, faded ...), empty while it stands; `age_ms` stops with its end.
    """

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
    end: str = ""
    ended_ms: int = 0


class DensityWall(Struct, frozen=True, gc=False):
    """One wall of the density map: `away` is its distance from the mid as a fraction (negative: below), `eroded` what
    is gone of its peak.
    """

    wall_id: int
    bid: bool
    away: float
    notional_usdt: float
    age_ms: int
    eroded: float


class DensityView(Struct, frozen=True):
    """One market of the density map: its largest walls of each side. `price` None: its book is not trusted now."""

    symbol: str
    status: str
    price: float | None
    change_24h: Decimal | None
    walls: tuple[DensityWall, ...]


class TradeView(Struct, frozen=True, gc=False):
    """One public trade as it came in; `buy` is the taker's side, `at_ms` engine time."""

    at_ms: int
    ticks: int
    lots: int
    buy: bool


class SymbolView(Struct, frozen=True):
    """One market. `status` is LIVE, RESYNC, STALE or WAITING; `change_24h` and `funding_rate` are fractions,
    `next_funding_ms` is engine time, `late_ms` by how much more than usual the last book message was late.

    Of the selected market also its depth: `bids` and `asks` are (ticks, lots) best first, `ended` walls newest first,
    `trades` newest last, and `trades_seen` counts all that were ever in it, so that a reader knows which are new.
    `usdt_per_tick_lot` times ticks times lots is a notional. `paused`: no entries here, or none at all, by a person.
    `reach`: how far the book is known below and above the mid, as fractions; None: it is not.
    `reducing`: why nothing new is opened here other than that: the contract ends, or the screener has dropped it.
    """

    symbol: str
    status: str
    bid: Decimal | None
    ask: Decimal | None
    mark: Decimal | None
    age_ms: int
    trend: str
    status_reason: str = ""
    late_ms: float = 0.0
    change_24h: Decimal | None = None
    funding_rate: Decimal | None = None
    next_funding_ms: int | None = None
    tick: Decimal = Decimal(1)
    lot: Decimal = Decimal(1)
    usdt_per_tick_lot: Decimal = Decimal(1)
    reach: tuple[float, float] | None = None
    paused: bool = False
    reducing: str = ""
    bids: tuple[tuple[int, int], ...] = ()
    asks: tuple[tuple[int, int], ...] = ()
    walls: tuple[WallView, ...] = ()
    ended: tuple[WallView, ...] = ()
    trades: tuple[TradeView, ...] = ()
    trades_seen: int = 0

    @property
    def mid(self) -> Decimal | None:
        """The middle of the spread, which may lie between two ticks; None while a side is empty."""
        return None if self.bid is None or self.ask is None else (self.bid + self.ask) / 2


ADOPTED = "adopted"
"""The strategy of a position whose plan nobody knows: somebody else opened it."""
PROVEN_MS = 10_000
"""What was read back from the exchange longer ago is not called proven."""


class PositionView(Struct, frozen=True):
    """One position; `lots` and `qty` (coins) are negative where it is short.

    `proof_age_ms` is how long ago the stop was read back from the venue; None: never. `naked_ms` is for how
    long it has been open without a stop we know of; None: it has one. `risk_usdt` is the loss at the planned
    stop without fees; `pnl_usdt` over it is R.
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
    opened_ms: int = 0
    target: Decimal | None = None
    risk_usdt: Decimal | None = None
    naked_ms: int | None = None
    reason: str = ""  # why it is being closed

    @property
    def side(self) -> str:
        return "LONG" if self.lots > 0 else "SHORT"

    @property
    def is_protected(self) -> bool:
        """Whether a stop is known and was read back from the exchange lately."""
        age_ms = self.proof_age_ms
        return self.stop is not None and self.naked_ms is None and age_ms is not None and age_ms <= PROVEN_MS

    @property
    def r(self) -> Decimal | None:
        """Profit in units of the planned risk; None where no plan is known."""
        return self.pnl_usdt / self.risk_usdt if self.risk_usdt else None


class OrderView(Struct, frozen=True):
    """One order that is not finished; `why` is why it was decided, `age_ms` since then."""

    client_id: str
    symbol: str
    side: str
    state: str
    lots: int
    filled_lots: int
    price: Decimal | None
    qty: Decimal = Decimal(0)
    filled_qty: Decimal = Decimal(0)
    reduce_only: bool = False
    age_ms: int = 0
    why: str = ""


class CheckView(Struct, frozen=True):
    """One check's answer; `reason` is why it failed."""

    check: str
    passed: bool
    reason: str


class SignalView(Struct, frozen=True):
    """A signal with its card. `refused_by` names the check or gate that refused it, empty: it was ordered.

    `strength` is 0..1; `loss_at_stop_usdt` includes fees; `reasons` say why it was raised.
    """

    at_ms: int
    trace: str
    symbol: str
    strategy: str
    side: str
    strength: float
    entry: Decimal
    stop: Decimal
    target: Decimal
    qty: Decimal
    loss_at_stop_usdt: Decimal
    reasons: tuple[str, ...]
    checks: tuple[CheckView, ...]
    refused_by: str
    reason: str


class RuleView(Struct, frozen=True):
    """One rule of the breaker: how much of its limit is used, in `unit` (USDT, losses, trades, ms ...).

    What is tripped without a limit of its own (0), such as a person's word, is there while it holds.

    `until_ms` (engine time) is when a tripped rule is lifted by itself; None: `resumes` says what lifts it, a person
    or the end of its cause.
    """

    rule: str
    used: Decimal
    limit: Decimal
    unit: str
    tripped: bool = False
    until_ms: int | None = None
    scope: str = ""  # the symbol or strategy it holds for, or both (bounce BTCUSDT); empty: the account
    tier: str = ""  # what it does when it trips: pause, reduce, halt, flatten
    resumes: str = ""  # how it is lifted, in words, where `until_ms` does not say it
    text: str = ""  # what has tripped it, in words
    standing: bool = False  # it holds as long as its cause does, whatever a person says
    resettable: bool = False  # tripped, and a reset of everything lifts it


class ScreenerView(Struct, frozen=True):
    """The screener's last look: how old it is (None: none yet), how many contracts the venue lists, how many are fit,
    who is chosen with its change of 24 hours (a fraction), and why the newest look failed.
    """

    age_ms: int | None
    listed: int
    eligible: int
    chosen: tuple[tuple[str, Decimal], ...]
    trouble: str = ""


class ApiView(Struct, frozen=True):
    """The API breaker of one group of the venue's endpoints: CLOSED (all is well), OPEN or HALF-OPEN (one probe).

    `until_ms` (engine time) is when an open one lets a probe out; `failures` are those in a row.
    """

    group: str
    state: str
    until_ms: int | None = None
    failures: int = 0
    reason: str = ""


PRESSED = 0.5
"""The share of a request budget from which on its use is told."""


class LimitView(Struct, frozen=True):
    """How many requests a group of the venue's endpoints may still get in this second: that of its most used one.

    `left` of `size`, our share of the venue's own `cap`; `reserve` of it is for stops, closes and cancels alone.
    `wait_ms` is how long anything else has to wait.
    """

    group: str
    endpoint: str
    cap: int
    size: float
    left: float
    reserve: float
    wait_ms: int = 0

    @property
    def used(self) -> float:
        """The share that is gone, 0 to 1."""
        return 1 - self.left / self.size if self.size else 1.0

    @property
    def is_pressed(self) -> bool:
        """Worth telling: half of it is gone, or something has to wait."""
        return self.used > PRESSED or self.wait_ms > 0

    @property
    def words(self) -> str:
        """`wait` is of all but protection, which may spend what is kept for exits."""
        kept = f", {self.reserve:.1f} for exits" if self.reserve else ""
        wait = f"{self.wait_ms / 1000:.1f} s" if self.wait_ms > 999 else f"{self.wait_ms} ms"
        held = f", wait {wait}" if self.wait_ms else ""
        return f"{self.used:.0%} used, {self.left:.1f} of {self.size:g} left, cap {self.cap}/s{kept}{held}"


class LogLine(Struct, frozen=True):
    """One line of the log; `number` counts them from the run's start."""

    number: int
    at_ms: int
    level: str
    symbol: str
    text: str
    trace: str


class FlattenView(Struct, frozen=True):
    """A wish to be flat and how far it got: what was cancelled and closed, and what the venue has confirmed.

    `symbol` empty is all of them; times are engine time, None until it has happened. `proven_ms` is the
    read-back, asked after everything was quiet, that showed nothing left; `remains` is what is left until then,
    `left_alone` what that read-back showed of other people.
    """

    symbol: str
    panic: bool
    asked_ms: int
    cancelled: tuple[str, ...]
    closed: tuple[str, ...]
    remains: tuple[str, ...]
    flat_ms: int | None
    proven_ms: int | None
    left_alone: tuple[str, ...] = ()


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
    trading_state: str  # ACTIVE, REDUCING, HALTED, OBSERVING
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
    rest_ms: int | None = None  # how long the last read-back of the account took
    read_back_age_ms: int | None = None
    day_pnl_usdt: Decimal = Decimal(0)  # closed since the risk day began plus open
    signals: tuple[SignalView, ...] = ()  # newest last
    breaker: tuple[RuleView, ...] = ()
    flattens: tuple[FlattenView, ...] = ()  # of this run, newest last
    log: tuple[LogLine, ...] = ()  # newest last
    api: tuple[ApiView, ...] = ()
    dcp_s: int | None = None  # after how long without us the venue withdraws working orders; 0: never, None: not read
    limits: tuple[LimitView, ...] = ()  # the address's budget first, then one of each group
    recovery: tuple[RecoveryReport, ...] = ()  # passes of reconciliation, newest last
    recovering: bool = False  # more passes are to come
    observing: str = ""  # what nobody can explain, in words; nothing is opened until a person has looked
    journal_trouble: str = ""  # why the journal, the ledger, the log files are not written, in words
    ledger_trouble: str = ""
    log_trouble: str = ""
    screener: ScreenerView | None = None  # None: it is off

    def market(self, symbol: str) -> SymbolView | None:
        """This symbol's row; None where it is not followed."""
        return next((market for market in self.symbols if market.symbol == symbol), None)
