"""Orders in the books: decided by us, moved step by step, or told by the exchange."""

from typing import Any

from breakwall.model.actions import PlaceOrder
from breakwall.model.events import OrderReport, ReadBack
from breakwall.model.records import OrderStep
from breakwall.storage.ledger.columns import OPEN_ORDER_STATES
from breakwall.storage.ledger.line import Line, order_key
from breakwall.storage.ledger.memory import Known
from breakwall.storage.ledger.tables import ORDER_STEPS, ORDERS

_STATES = {
    "PartiallyFilled": "PARTIALLY_FILLED",
    "Filled": "FILLED",
    "Cancelled": "CANCELLED",
    "PartiallyFilledCanceled": "CANCELLED",
    "Deactivated": "CANCELLED",
    "Rejected": "REJECTED",
}
"""The exchange's words for the state of an order; all others are of one that works."""


def decided(line: Line, intent: PlaceOrder, position_key: str | None) -> None:
    """An order of ours, from the intent that will place it."""
    symbol, memory = intent.symbol, line.memory
    _open(
        line,
        intent.client_id,
        symbol,
        client_id=intent.client_id,
        ours=True,
        position_key=position_key,
        side=intent.side.value,
        kind=intent.kind.value,
        tif=intent.tif.value,
        reduce_only=intent.reduce_only,
        lots=intent.lots,
        qty=memory.qty(symbol, intent.lots),
        limit_price=memory.price(symbol, intent.limit_ticks),
        stop_price=memory.price(symbol, intent.stop_ticks),
        strategy=intent.plan.strategy if intent.plan else "",
        trace=intent.trace,
        decided_ms=intent.decided_ms,
        why=intent.why,
    )
    _step(line, intent.client_id, before=None, after="PENDING", cause="decided")
    memory.know(intent.client_id, Known(symbol, decided=True, told_ms=0, open=True))


def moved(line: Line, symbol: str, step: OrderStep) -> None:
    """A move of an order's state machine; one that was not legal is kept, and moves nothing."""
    key = order_key(step.client_id, step.order_id)
    known = line.memory.orders.get(key)
    if known is None:
        _open(line, key, symbol, client_id=step.client_id, order_id=step.order_id, lots=step.lots)
        line.memory.know(key, known := Known(symbol, decided=False, told_ms=0, open=True))
    known.open = step.after in OPEN_ORDER_STATES
    _step(
        line,
        key,
        before=step.before,
        after=step.after,
        cause=step.cause,
        filled_lots=step.filled_lots,
        legal=step.legal,
        reason=step.reason,
        alarm=step.alarm,
    )
    values = {"state": step.after, "filled_lots": step.filled_lots, "reason": step.reason, "changed_ms": line.at_ms}
    line.batch.change(ORDERS, key, line.source, values | ({"order_id": step.order_id} if step.order_id else {}))


def told(line: Line, report: OrderReport) -> None:
    """The exchange's word. Of an order that we decided only what its steps do not say is taken."""
    key, memory = order_key(report.client_id, report.order_id), line.memory
    known, symbol = memory.orders.get(key), report.symbol
    if known is not None and known.decided:
        line.batch.change(ORDERS, key, line.source, {"order_id": report.order_id, "average": report.average})
        return
    if known is not None and report.updated_ms < known.told_ms:
        return
    if known is None:
        position = memory.position_of(symbol) if report.stop_kind else None
        _open(
            line,
            key,
            symbol,
            client_id=report.client_id,
            order_id=report.order_id,
            position_key=position["key"] if position else None,
            side=report.side.value,
            reduce_only=report.reduce_only,
            stop_kind=report.stop_kind,
            decided_ms=report.created_ms or line.at_ms,
        )
    state = _STATES.get(report.status, "PLACED")
    memory.know(key, Known(symbol, decided=False, told_ms=report.updated_ms, open=state in OPEN_ORDER_STATES))
    price = report.trigger_ticks if report.stop_kind else report.stop_loss_ticks
    values = {
        "state": state,
        "lots": report.lots,
        "qty": memory.qty(symbol, report.lots),
        "filled_lots": report.filled_lots,
        "limit_price": memory.price(symbol, report.limit_ticks),
        "stop_price": memory.price(symbol, price),
        "average": report.average,
        "reason": report.reason,
        "changed_ms": report.updated_ms,
        "told_ms": report.updated_ms,
    }
    line.batch.change(ORDERS, key, line.source, values)


def read_back(line: Line, read: ReadBack) -> None:
    """All orders there are: those of others that we thought open and that are not among them are gone."""
    there = {order_key(report.client_id, report.order_id) for report in read.orders}
    for report in read.orders:
        told(line, report)
    for key, known in line.memory.orders.items():
        if known.open and not known.decided and key not in there and known.told_ms < read.asked_ms:
            known.open = False
            values = {"state": "CANCELLED", "reason": "not at the exchange any more", "changed_ms": line.at_ms}
            line.batch.change(ORDERS, key, line.source, values)


def exist(line: Line, client_id: str, order_id: str, symbol: str) -> str:
    """The key of an order that something refers to; where nothing is known of it, a row that says so."""
    key = order_key(client_id, order_id)
    if key not in line.memory.orders:
        _open(line, key, symbol, client_id=client_id, order_id=order_id)
        line.memory.know(key, Known(symbol, decided=False, told_ms=0, open=True))
    return key


def _open(line: Line, key: str, symbol: str, **values: Any) -> None:
    row = {
        "key": key,
        "source": line.source,
        "symbol": symbol,
        "state": "PENDING" if values.get("trace") else "PLACED",
        "client_id": "",
        "order_id": "",
        "ours": False,
        "position_key": None,
        "side": None,
        "kind": "",
        "tif": "",
        "reduce_only": False,
        "stop_kind": "",
        "lots": 0,
        "filled_lots": 0,
        "qty": None,
        "limit_price": None,
        "stop_price": None,
        "average": None,
        "strategy": "",
        "trace": "",
        "decided_ms": line.at_ms,
        "changed_ms": line.at_ms,
        "told_ms": 0,
        "why": "",
        "reason": "",
    }
    line.batch.add(ORDERS, row | values)


def _step(line: Line, key: str, **values: Any) -> None:
    row = {"filled_lots": 0, "legal": True, "reason": "", "alarm": ""}
    line.history(ORDER_STEPS, order_key=key, at_ms=line.at_ms, trace=line.trace, **(row | values))
