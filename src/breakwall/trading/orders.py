"""All orders, keyed by client id: ours with their intents, and those of others that the venue shows."""

from collections.abc import Iterator

from msgspec.structs import replace

from breakwall.model.actions import CancelOrder, PlaceOrder
from breakwall.model.events import Fill, OrderAnswer, OrderReport, Outcome, OutcomeKind
from breakwall.model.executions import has_size
from breakwall.model.ids import parse
from breakwall.settings import EngineSettings
from breakwall.trading.order import Cause, Order, OrderChange, OrderState
from breakwall.trading.origin import Origin

KEEP_CLOSED_MS = 600_000
"""Closed orders stay this long, so that a late fill finds its order."""
ANSWER_DUE_MS = 5_000
"""An order in flight, or an immediate one that should have ended, is queried after this long without news."""
LEFT_LATE_MS = 1_000
"""An order may leave this long after it was decided; only from then does the venue's receive window count."""

WITHDRAWN = frozenset(
    {
        *("CancelByPrepareLiq", "CancelAllBeforeLiq", "CancelByPrepareAdl", "CancelAllBeforeAdl"),
        *("CancelByAdmin", "CancelBySettle", "CancelByDCP"),
    }
)
"""Cancels that nobody here asked for and a person has to know. Bybit v5, enum, cancelType."""

_OUTCOMES = {
    OutcomeKind.CONFIRMED: Cause.LIVE,
    OutcomeKind.REJECTED: Cause.DENIED,
    OutcomeKind.REFUSED: Cause.REFUSED,
    OutcomeKind.UNKNOWN: Cause.LOST,
}


class Orders:
    """The order table. Every method takes one fact and says what it changed (None: nothing).

    Facts may come in any order and more than once; see `Order` for the state machine.
    """

    __slots__ = ("_absent_ms", "_by_order_id", "_cancels", "_orders", "_retry_ms")

    def __init__(self, settings: EngineSettings) -> None:
        self._retry_ms = int(settings.unknown_retry_s * 1000)
        self._absent_ms = int(settings.unknown_absent_s * 1000) + LEFT_LATE_MS
        self._orders: dict[str, Order] = {}
        self._by_order_id: dict[str, str] = {}
        self._cancels: dict[str, str] = {}

    def __iter__(self) -> Iterator[Order]:
        return iter(self._orders.values())

    def get(self, client_id: str) -> Order | None:
        return self._orders.get(client_id)

    def intent(self, client_id: str) -> PlaceOrder | None:
        order = self._orders.get(client_id)
        return order.intent if order is not None else None

    def by_order_id(self, order_id: str) -> Order | None:
        key = self._by_order_id.get(order_id)
        return self._orders.get(key) if key else None

    def of(self, report: OrderReport) -> Order | None:
        """The order that a report speaks of."""
        return self.get(report.client_id) if report.client_id else self.by_order_id(report.order_id)

    # what we decided

    def place(self, intent: PlaceOrder) -> Order:
        """An order was decided: PENDING, in flight from now on. Raises ValueError on a client id used twice."""
        if intent.client_id in self._orders:
            raise ValueError(f"order {intent.client_id}: expected a new client id, found one in use")
        order = Order.ours(intent)
        self._orders[intent.client_id] = order
        return order

    def cancel(self, intent: CancelOrder, origin: Origin) -> OrderChange | None:
        """A cancel was decided for the order in `target` (or with the venue's `order_id`)."""
        order = self._orders.get(intent.target) or self.by_order_id(intent.order_id)
        if order is None:
            return None
        self._cancels[intent.client_id] = order.client_id or order.order_id
        return order.apply(Cause.CANCEL, order.filled_lots, origin.at_ms, origin.trace)

    # what the executor tells

    def on_stored(self, client_id: str) -> None:
        """The intent is on the disk."""
        order = self._orders.get(client_id)
        if order is not None:
            order.durable = True

    def on_sent(self, client_id: str, origin: Origin) -> OrderChange | None:
        order = self._orders.get(client_id)
        return self._apply(order, Cause.SENT, origin) if order else None

    def on_outcome(self, outcome: Outcome, origin: Origin) -> OrderChange | None:
        """What became of placing or cancelling. A cancel that failed leaves CANCELLING: the order is queried."""
        if outcome.operation == "cancel":
            order = self.get(self._cancels.get(outcome.client_id, "")) or self.by_order_id(outcome.order_id)
            if order is not None and outcome.kind is not OutcomeKind.CONFIRMED:
                order.asked_ms = 0
            return None
        order = self._orders.get(outcome.client_id)
        if order is None or outcome.operation != "place":
            return None
        order.reason = outcome.reason or order.reason
        self._learn_id(order, outcome.order_id)
        return self._apply(order, _OUTCOMES[outcome.kind], origin)

    # what the venue tells

    def on_report(self, report: OrderReport, origin: Origin) -> OrderChange:
        """The venue's word on an order of anybody; unknown ones are kept as foreign."""
        order = self.of(report)
        if order is None:
            order = Order.told(report, origin.at_ms)
            self._orders[report.client_id or report.order_id] = order
        self._learn_id(order, report.order_id)
        order.lots = order.lots or report.lots
        if report.cancel_kind not in {"", "UNKNOWN"} or report.reason not in {"", "EC_NoError"}:
            order.reason = report.reason or report.cancel_kind
        filled = max(order.filled_lots, report.filled_lots)
        change = order.apply(order.report_cause(report), filled, origin.at_ms, origin.trace)
        return replace(change, alarm=change.alarm or _warning(order, report, change))

    def on_fill(self, fill: Fill, origin: Origin) -> OrderChange | None:
        """Book an execution on its order, once; None for executions of no order we know."""
        order = self.get(fill.client_id) if fill.client_id else self.by_order_id(fill.order_id)
        if order is None or not has_size(fill.exec_kind) or fill.exec_id in order.exec_lots:
            return None
        self._learn_id(order, fill.order_id)
        order.exec_lots[fill.exec_id] = fill.lots
        filled = max(order.filled_lots, sum(order.exec_lots.values()))
        return order.apply(order.fill_cause(filled), filled, origin.at_ms, origin.trace)

    def on_answer(self, answer: OrderAnswer, origin: Origin) -> OrderChange | None:
        """The answer to a query by client id. Not there twice, the last asked late enough: it never got there."""
        if answer.report is not None:
            return self.on_report(answer.report, origin)
        order = self._orders.get(answer.client_id)
        if order is None or not answer.readable or not order.is_open:
            return None
        order.absences += 1
        if order.absences < 2 or answer.asked_ms - order.created_ms < self._absent_ms:
            return None
        order.reason = "the venue does not know this order"
        return self._apply(order, Cause.GONE if order.known else Cause.ABSENT, origin)

    # what has to be asked

    @property
    def intents(self) -> dict[str, PlaceOrder]:
        """What we meant, by client id."""
        return {order.client_id: order.intent for order in self._orders.values() if order.intent is not None}

    def open(self, symbol: str = "") -> list[Order]:
        """Open orders of ours, of one symbol or of all."""
        return [
            order
            for order in self._orders.values()
            if order.is_open and order.intent is not None and symbol in {"", order.symbol}
        ]

    def open_entries(self, symbol: str = "") -> list[Order]:
        return [order for order in self.open(symbol) if order.is_entry]

    def exit_working(self, symbol: str) -> bool:
        """A reduce-only order of ours is under way, and nothing says that it may have got lost there."""
        return any(order.reduce_only and order.state is not OrderState.UNKNOWN for order in self.open(symbol))

    def unresolved(self, symbol: str) -> bool:
        """An order of the symbol nobody knows the state of: blocks entries."""
        return any(order.unresolved for order in self.open(symbol))

    def due_queries(self, at_ms: int) -> list[Order]:
        """Orders to ask the venue about now; marks them asked.

        UNKNOWN ones each `unknown_retry_s`, others that have been under way for too long as well.
        """
        due = [order for order in self.open() if self._due(order, at_ms)]
        for order in due:
            order.asked_ms = at_ms
        return due

    def restart(self, origin: Origin) -> list[OrderChange]:
        """After a restart: what was in flight is UNKNOWN until the venue has been asked."""
        return [
            self._apply(order, Cause.LOST, origin)
            for order in self.open()
            if order.state in {OrderState.PENDING, OrderState.SENT}
        ]

    def prune(self, at_ms: int) -> None:
        """Forget orders that closed long ago."""
        old = [
            key
            for key, order in self._orders.items()
            if not order.is_open and at_ms - order.since_ms > KEEP_CLOSED_MS
        ]
        for key in old:
            self._by_order_id.pop(self._orders.pop(key).order_id, None)
        self._cancels = {cancel: target for cancel, target in self._cancels.items() if target in self._orders}

    def _due(self, order: Order, at_ms: int) -> bool:
        if at_ms - order.asked_ms < self._retry_ms or order.rests:
            return False
        return order.state is OrderState.UNKNOWN or at_ms - order.since_ms >= ANSWER_DUE_MS

    def _learn_id(self, order: Order, order_id: str) -> None:
        if order_id and order.order_id != order_id:
            order.order_id = order_id
            self._by_order_id[order_id] = order.client_id or order_id

    def _apply(self, order: Order, cause: Cause, origin: Origin) -> OrderChange:
        return order.apply(cause, order.filled_lots, origin.at_ms, origin.trace)


def is_ours(client_id: str) -> bool:
    """Whether this id has our form, from this run or an earlier one."""
    return bool(client_id) and parse(client_id) is not None


def _warning(order: Order, report: OrderReport, change: OrderChange) -> str:
    """What a person must know of a report: withdrawn by the venue, or put to another price than was sent."""
    if change.ended and report.cancel_kind in WITHDRAWN:
        return f"withdrawn by the exchange ({report.cancel_kind})"
    sent, told = order.limit_ticks, report.limit_ticks
    if sent is None or told is None or sent == told:
        return ""
    order.limit_ticks = told
    return f"the exchange has moved its limit from {sent} to {told} ticks"
