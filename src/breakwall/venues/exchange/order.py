"""One order of the account, from its acceptance to its end, and one execution of it."""

from dataclasses import dataclass
from decimal import Decimal

from msgspec import Struct

from breakwall.model.units import Instrument, Side
from breakwall.venues.exchange.matching import RestingOrder

ACCEPTED = "Created"  # acknowledged, not yet seen by the matching engine; never shown
OPEN = frozenset({ACCEPTED, "New", "PartiallyFilled", "Untriggered", "Triggered"})
RISE, FALL = 1, 2
ZERO = Decimal(0)
_MOST_DIGITS = 18


def is_count(text: str) -> bool:
    """Whether this is a whole number that a computer would mean; Python refuses to read thousands of digits."""
    return text.isdecimal() and len(text) <= _MOST_DIGITS


class Refusal(Exception):
    """The exchange refuses a request: `code` and text are the venue's retCode and retMsg."""

    def __init__(self, code: int, message: str, result: dict[str, object] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.result = result or {}


@dataclass(slots=True, eq=False)
class Order:
    """Mutable state of one order. Sizes are lots, prices ticks; 0 ticks means "none".

    `stop_kind` is the venue's stopOrderType ("" for a plain order); an order with `trigger_ticks`
    waits until the price named by `trigger_by` has moved to it in `trigger_direction`. A trailing stop
    waits for `active_ticks`, then its trigger follows the best price at a distance of `trail_ticks`.
    `sl_limit_ticks` and `tp_limit_ticks` are the limits of its attached stops (0: at market), `pair`
    the other one of two stops that were placed together.
    """

    instrument: Instrument
    order_id: str
    link_id: str
    side: Side
    kind: str
    tif: str
    lots: int
    created_ms: int
    limit_ticks: int = 0
    position_idx: int = 0
    slippage_ticks: int = 0
    slippage: tuple[str, str] = ("UNKNOWN", "")  # as it was asked for: kind and value
    smp: str = "None"
    reduce_only: bool = False
    close_on_trigger: bool = False
    stop_loss_ticks: int = 0
    take_profit_ticks: int = 0
    sl_by: str = ""
    tp_by: str = ""
    tpsl_mode: str = ""
    sl_limit_ticks: int = 0
    tp_limit_ticks: int = 0
    trail_ticks: int = 0
    active_ticks: int = 0
    pair: "Order | None" = None
    stop_kind: str = ""
    trigger_ticks: int = 0
    trigger_direction: int = 0
    trigger_by: str = ""
    parent_link: str = ""
    create_type: str = "CreateByUser"
    status: str = ACCEPTED
    cancel_type: str = "UNKNOWN"
    reject_reason: str = "EC_NoError"
    filled_lots: int = 0
    filled_usdt: Decimal = ZERO
    fees_usdt: Decimal = ZERO
    closed_pnl: Decimal = ZERO
    last_on_created: Decimal = ZERO
    updated_ms: int = 0
    resting: RestingOrder | None = None
    attached_lots: int = 0  # so many of its filled lots have got their stops

    @property
    def symbol(self) -> str:
        return self.instrument.symbol

    @property
    def open(self) -> bool:
        return self.status in OPEN

    @property
    def conditional(self) -> bool:
        """Whether it waits for a trigger, or will once the matching engine has seen it."""
        return self.status == "Untriggered" or (self.status == ACCEPTED and bool(self.trigger_ticks))

    @property
    def remaining(self) -> int:
        return self.lots - self.filled_lots if self.open else 0

    @property
    def average(self) -> Decimal | None:
        """Average fill price; None before the first fill."""
        return self.filled_usdt / self.instrument.qty(self.filled_lots) if self.filled_lots else None

    def end(self, status: str, now_ms: int, cancel_type: str = "UNKNOWN", reason: str = "EC_NoError") -> None:
        """Close the order for good."""
        self.status = status
        self.cancel_type = cancel_type
        self.reject_reason = reason
        self.updated_ms = now_ms
        self.resting = None


class Execution(Struct, frozen=True):
    """One execution of the account: a trade, a funding payment or a forced close (`exec_type`).

    Of the closed lots: `entry` is their price, `open_fee_usdt` their share of the opening fees and
    `pnl_usdt` the gross profit. `cash_after` is the account's balance after it.
    """

    exec_id: str
    order_id: str
    link_id: str
    instrument: Instrument
    side: Side
    price: Decimal
    lots: int
    fee_usdt: Decimal
    fee_rate: Decimal
    mark: Decimal
    at_ms: int
    seq: int
    maker: bool = False
    exec_type: str = "Trade"
    closed_lots: int = 0
    pnl_usdt: Decimal = ZERO
    entry: Decimal = ZERO
    open_fee_usdt: Decimal = ZERO
    order_price: Decimal = ZERO
    order_lots: int = 0
    leaves_lots: int = 0
    order_kind: str = "UNKNOWN"
    stop_kind: str = ""
    create_type: str = ""
    position_idx: int = 0
    cash_after: Decimal = ZERO

    @property
    def symbol(self) -> str:
        return self.instrument.symbol

    @property
    def value_usdt(self) -> Decimal:
        return self.price * self.instrument.qty(self.lots)
