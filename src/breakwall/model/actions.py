"""Everything the core may ask of the world, and the type that proves risk has agreed."""

from decimal import Decimal
from enum import Enum
from typing import Generic, TypeVar

from msgspec import Struct

from breakwall.model.api import ApiGroup
from breakwall.model.records import MarketFact, Record
from breakwall.model.units import Side


class OrderKind(Enum):
    MARKET = "Market"
    LIMIT = "Limit"


class TimeInForce(Enum):
    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
    POST_ONLY = "PostOnly"


class Intent(Struct, frozen=True, tag=True):
    """A command for the venue. `trace` is the run number and sequence of the event that caused it."""

    client_id: str
    trace: str
    symbol: str
    decided_ms: int
    why: str


class Plan(Struct, frozen=True):
    """Why an entry is made and how the position will be managed; kept with the intent so that a
    restart manages the position by the plan it was opened with.

    Edges and target are ticks; `strategy` is breakout or bounce.
    """

    strategy: str
    wall_id: int
    wall_side: Side
    wall_near_ticks: int
    wall_far_ticks: int
    entry_ticks: int
    stop_ticks: int
    target_ticks: int


class PlaceOrder(Intent, frozen=True):
    """An order. Entries (`reduce_only` False) always carry `stop_ticks` and a plan; exits never do."""

    side: Side
    kind: OrderKind
    lots: int
    tif: TimeInForce
    limit_ticks: int | None = None
    reduce_only: bool = False
    stop_ticks: int | None = None
    take_profit_ticks: int | None = None
    plan: Plan | None = None


class CancelOrder(Intent, frozen=True):
    """Cancel by the client id of the order in `target`, or by `order_id` where it is not ours."""

    target: str
    order_id: str = ""


class MoveStop(Intent, frozen=True):
    """Set the whole position's stop in place; never cancels before the new one stands."""

    stop_ticks: int
    take_profit_ticks: int | None = None


T = TypeVar("T", PlaceOrder, CancelOrder, MoveStop)


class Approved(Struct, Generic[T], frozen=True):
    """An intent that passed the last gate. Made only in `breakwall.trading.risk`.

    `reducing` intents (stops, reduce-only closes, cancels) may leave before their journal commit.
    """

    intent: T
    reducing: bool


class QueryOrder(Struct, frozen=True, tag=True):
    client_id: str
    symbol: str


class AskReadBack(Struct, frozen=True, tag=True):
    purpose: str


class Resubscribe(Struct, frozen=True, tag=True):
    symbol: str
    reason: str
    depth: int = 0  # 0: as before


class Admit(Struct, frozen=True, tag=True):
    """Make these contracts ready to be traded; the answer is an `Admitted`."""

    symbols: tuple[str, ...]


class Follow(Struct, frozen=True, tag=True):
    """Follow the market data of exactly these: symbol and levels of the book."""

    depths: tuple[tuple[str, int], ...]


class ResetApi(Struct, frozen=True, tag=True):
    """Close the API breaker of this group by hand."""

    group: ApiGroup


class Note(Struct, frozen=True, tag=True):
    """A fact for the journal and the log: transitions, walls traded, breaker trips, refusals.

    `kind` names it (see `model.journal`); `level` debug, info, warning, error says how loud.
    """

    kind: str
    text: str
    level: str = "info"
    symbol: str = ""
    trace: str = ""
    client_id: str = ""
    data: dict[str, str | int | None] = {}
    durable: bool = False  # must be in the journal (the log gets all)
    record: Record | None = None  # the fact itself, where books are kept of it


class WriteCheckpoint(Struct, frozen=True, tag=True):
    """The whole state at a moment at which nothing was held or in doubt, as JSON, for the journal."""

    body: str


class Keep(Struct, frozen=True, tag=True):
    """A fact of the market for the ledger."""

    fact: MarketFact


Action = (
    Approved[PlaceOrder]
    | Approved[CancelOrder]
    | Approved[MoveStop]
    | QueryOrder
    | AskReadBack
    | Resubscribe
    | Admit
    | Follow
    | ResetApi
    | Note
    | WriteCheckpoint
    | Keep
)


class Refused(Struct, frozen=True):
    """Why an intent may not leave, in plain words. `heals`: time may lift it, so the same wall may signal again."""

    check: str
    reason: str
    heals: bool = False


class Sized(Struct, frozen=True):
    """Result of sizing: lots and the money behind them."""

    lots: int
    notional_usdt: Decimal
    margin_usdt: Decimal
    loss_at_stop_usdt: Decimal
