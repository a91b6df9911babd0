"""What the journal's notes and the ledger keep of our own doing and of the market, as typed facts.

A `Record` rides on a durable `Note`: the note's text is for people, its record for whoever rebuilds the books.
A `MarketFact` goes to the ledger only; it is nothing to recover from.
"""

from decimal import Decimal

from msgspec import Struct

from breakwall.model.units import Side

SHOT_EVERY_MS = 10_000
"""How often the ledger gets a picture of each book, as long as there are no more than `SHOT_MARKETS`."""
SHOT_MARKETS = 100
"""Of more markets each is pictured less often: pictures of 600 would take 3 GB a day and a thirtieth of a core."""


class ClosedTrade(Struct, frozen=True, tag=True):
    """A finished round trip. Prices are averages, cash is USDT; `fees` and `funding` are paid when positive.

    `net = gross - fees - funding`. `best` and `worst` are the largest profit and loss per coin at the prices
    it could have been left at, and at its exit (MFE, MAE; a restart forgets what was seen before it).
    `estimated`: the closing executions were never seen, the exit is the mark price. `planned_*` are the plan's
    prices at the entry, None without a plan.
    """

    symbol: str
    strategy: str
    side: Side
    lots: int
    entry: Decimal
    exit: Decimal
    gross_usdt: Decimal
    fees_usdt: Decimal
    funding_usdt: Decimal
    net_usdt: Decimal
    reason: str
    external: bool
    estimated: bool
    opened_ms: int
    closed_ms: int
    best: Decimal
    worst: Decimal
    entry_id: str
    trace: str
    qty: Decimal = Decimal(0)
    planned_entry: Decimal | None = None
    planned_stop: Decimal | None = None
    planned_target: Decimal | None = None


class OrderStep(Struct, frozen=True, tag=True):
    """One move of an order; names of states and cause, cumulative fill. `legal` False: it did not move."""

    client_id: str
    order_id: str
    before: str
    after: str
    cause: str
    filled_lots: int
    lots: int
    reason: str = ""
    alarm: str = ""
    legal: bool = True


class PositionStep(Struct, frozen=True, tag=True):
    """One change of a position; `lots` signed, `stop` and `liquidation` as the exchange last told them.

    `what` is opened, grew, reduced, closed, ended (never filled), corrected, adopted, stop (another), cash.
    """

    what: str
    lots: int
    qty: Decimal
    entry: Decimal
    stop: Decimal | None
    strategy: str
    entry_id: str
    opened_ms: int
    liquidation: Decimal | None = None


class SignalContext(Struct, frozen=True, tag=True):
    """Why an entry was made or refused: the signal, its checks and the market at that moment.

    `strength` 0..1, `spread` in price, `imbalance` and `indicators` (by name) as the strategy saw them;
    `checks` are name, passed, why not. `refused_by` empty: it was ordered.
    """

    strategy: str
    side: str
    strength: float
    price: Decimal
    stop: Decimal
    target: Decimal
    qty: Decimal
    spread: Decimal | None
    imbalance: float | None
    indicators: dict[str, float]
    reasons: tuple[str, ...]
    checks: tuple[tuple[str, bool, str], ...]
    refused_by: str = ""
    reason: str = ""
    loss_at_stop_usdt: Decimal = Decimal(0)


class Deed(Struct, frozen=True, tag=True):
    """Something done to how we trade, by a person, a rule or the configuration; a line of the audit.

    `entity` is the kind of thing (trading, symbol, breaker, settings) and `entity_id` which one; `before` and
    `after` are its state in words. `success` False: it was asked for and not done, `error` says why.
    """

    action: str
    entity: str
    entity_id: str
    before: str
    after: str
    who: str
    why: str = ""
    success: bool = True
    error: str = ""


class HangingOrder(Struct, frozen=True):
    """An order whose state here and at the exchange do not fit; `raw` is what the exchange answered, as text."""

    client_id: str
    order_id: str
    symbol: str
    our_state: str
    kind: str  # mismatch, not-found, stuck
    reason: str
    exchange_state: str = ""
    raw: str = ""


class RecoveryReport(Struct, frozen=True, tag=True):
    """One pass of reconciliation: what was found, done and hangs. `number` counts the passes of one recovery."""

    number: int
    purpose: str  # start, by hand, reconnect, periodic
    at_ms: int
    actions: tuple[str, ...]
    restored: tuple[str, ...]  # machines taken over with their history, in words
    hanging: tuple[HangingOrder, ...]
    clean: bool
    verdict: str  # in words


Record = ClosedTrade | OrderStep | PositionStep | SignalContext | Deed | RecoveryReport
"""What a durable note may carry."""


class WallLife(Struct, frozen=True, tag=True):
    """One wall from its birth to its end; prices and cash in USDT, shares as fractions of the peak."""

    symbol: str
    wall_id: int
    side: str  # bid, ask
    price: Decimal
    born_ms: int
    ended_ms: int
    end: str
    first_usdt: Decimal
    peak_usdt: Decimal
    last_usdt: Decimal
    eaten: float
    pulled: float
    touches: int


class BookShot(Struct, frozen=True, tag=True):
    """The best levels of one book, best first, as (price, quantity)."""

    symbol: str
    at_ms: int
    bids: tuple[tuple[Decimal, Decimal], ...]
    asks: tuple[tuple[Decimal, Decimal], ...]


class MarketStats(Struct, frozen=True, tag=True):
    """One symbol over the last minute; fractions for change and funding."""

    symbol: str
    at_ms: int
    bid: Decimal | None
    ask: Decimal | None
    mark: Decimal | None
    turnover_24h_usdt: Decimal | None
    change_24h: Decimal | None
    funding_rate: Decimal | None
    open_interest: Decimal | None
    walls: int
    trend: str


MarketFact = WallLife | BookShot | MarketStats
