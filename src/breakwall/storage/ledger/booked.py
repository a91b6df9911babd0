"""The rows of the books as frozen structs: an order, a fill, a trade and the rest, as they were written."""

from decimal import Decimal

from msgspec import Struct

from breakwall.model.records import SignalContext


class BookedOrder(Struct, frozen=True):
    """An order as it stands; prices and `qty` None where they were never told."""

    key: str
    client_id: str
    order_id: str
    ours: bool
    symbol: str
    position_key: str | None
    state: str
    side: str | None
    kind: str
    reduce_only: bool
    stop_kind: str
    lots: int
    filled_lots: int
    qty: Decimal | None
    limit_price: Decimal | None
    stop_price: Decimal | None
    average: Decimal | None
    strategy: str
    trace: str
    decided_ms: int
    changed_ms: int
    why: str
    reason: str


class BookedStep(Struct, frozen=True):
    """A move of an order; `before` None: it was decided."""

    source: int
    order_key: str
    at_ms: int
    before: str | None
    after: str
    cause: str
    filled_lots: int
    legal: bool
    reason: str
    alarm: str
    trace: str


class BookedPosition(Struct, frozen=True):
    """A position as it stands; `lots` and `qty` signed."""

    key: str
    symbol: str
    state: str
    strategy: str
    entry_id: str
    trace: str
    opened_ms: int
    changed_ms: int
    closed_ms: int | None
    lots: int
    qty: Decimal
    entry: Decimal | None
    stop: Decimal | None


class BookedChange(Struct, frozen=True):
    """A change of a position, and what it was after it."""

    source: int
    position_key: str
    at_ms: int
    what: str
    state: str
    lots: int
    qty: Decimal
    entry: Decimal | None
    stop: Decimal | None
    text: str
    trace: str


class BookedFill(Struct, frozen=True):
    """An execution, or a payment of funding (`exec_kind` Funding)."""

    source: int
    exec_id: str
    order_key: str | None
    position_key: str | None
    symbol: str
    exec_kind: str
    side: str
    lots: int
    qty: Decimal | None
    price: Decimal | None
    fee_usdt: Decimal
    maker: bool
    at_ms: int
    trace: str


class BookedTrade(Struct, frozen=True):
    """A finished round trip; see `model.records.ClosedTrade`. Slippage is positive where it cost."""

    source: int
    position_key: str | None
    symbol: str
    strategy: str
    side: str
    qty: Decimal
    entry: Decimal
    exit: Decimal
    gross_usdt: Decimal
    fees_usdt: Decimal
    funding_usdt: Decimal
    net_usdt: Decimal
    planned_entry: Decimal | None
    planned_stop: Decimal | None
    planned_target: Decimal | None
    entry_slippage_usdt: Decimal | None
    exit_slippage_usdt: Decimal | None
    best: Decimal
    worst: Decimal
    reason: str
    external: bool
    estimated: bool
    opened_ms: int
    closed_ms: int
    entry_id: str
    trace: str


class AuditLine(Struct, frozen=True):
    """`success` None: not known yet, or told by a later line. `context` is JSON. `source` None: not the engine's."""

    id: int
    source: int | None
    at_ms: int
    action: str
    entity: str
    entity_id: str
    symbol: str
    before: str
    after: str
    who: str
    why: str
    success: bool | None
    error: str
    trace: str
    context: str


class BookedRecovery(Struct, frozen=True):
    """A pass of reconciliation; `actions` and `restored` are JSON lists of sentences."""

    source: int
    at_ms: int
    number: int
    purpose: str
    clean: bool
    verdict: str
    actions: str
    restored: str


class BookedHanging(Struct, frozen=True):
    """An order that hung in a pass of reconciliation (`recovery` is its source)."""

    recovery: int
    at_ms: int
    client_id: str
    order_id: str
    symbol: str
    our_state: str
    kind: str
    reason: str
    exchange_state: str
    raw: str


class SystemEvent(Struct, frozen=True):
    at_ms: int
    kind: str
    level: str
    symbol: str
    text: str
    client_id: str
    trace: str


class CoinParameters(Struct, frozen=True):
    """What people changed for a symbol; None: as the settings say. `version` counts the changes."""

    symbol: str
    enabled: bool | None
    floor_usdt: Decimal | None
    version: int
    changed_ms: int
    who: str
    why: str


class BookedSignal(Struct, frozen=True):
    """A signal that was ordered or refused, with the market as it was."""

    at_ms: int
    symbol: str
    trace: str
    client_id: str
    context: SignalContext
