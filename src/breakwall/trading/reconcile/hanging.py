"""Orders that hang: their state here and at the exchange do not fit, or one of them lasts too long."""

from collections.abc import Iterable, Mapping

import msgspec

from breakwall.model.events import OrderReport, ReadBack
from breakwall.model.records import HangingOrder
from breakwall.trading.blotter import Change
from breakwall.trading.order import Order, OrderChange, OrderState
from breakwall.trading.orders import Orders

IN_FLIGHT_MS = 2_000
"""How long an order may be on its way, or at rest, without anybody wondering."""
_TOLD = frozenset({OrderState.PLACED, OrderState.PARTIALLY_FILLED})


def hanging(
    orders: Orders, read_back: ReadBack, changes: Iterable[Change], hanging_after_ms: int, at_ms: int
) -> list[HangingOrder]:
    """All that hang after `changes = blotter.apply(read_back)`; stops of positions and orders of others never do.

    mismatch: the exchange said otherwise, and was believed. stuck: on its way for `hanging_after_ms`.
    not-found: open here, and not among its open orders. A limit order that rests in its book hangs for no reason.
    """
    reports = {report.client_id: report for report in read_back.orders if report.client_id}
    found = [
        _hanging(change.order, "mismatch", f"was {change.before.value} here", change.before, reports)
        for change in changes
        if isinstance(change, OrderChange) and change.order.intent is not None and _differed(change)
    ]
    for order in orders.open():
        told, age_ms = order.client_id in reports, at_ms - order.created_ms
        if age_ms >= hanging_after_ms and not (told and order.rests):
            reason = f"is {order.state.value} for {age_ms // 60_000} min"
            found.append(_hanging(order, "stuck", reason, order.state, reports))
        elif not told and (order.state is OrderState.UNKNOWN or read_back.asked_ms - order.since_ms >= IN_FLIGHT_MS):
            reason = "is not among the exchange's open orders; it is asked what became of it"
            found.append(_hanging(order, "not-found", reason, order.state, reports))
    return found


def _differed(change: OrderChange) -> bool:
    """An order that moves on from being sent is no mismatch; one that was in doubt, or is back from its end, is."""
    return bool(change.alarm) or (change.before is not change.after and change.before in {OrderState.UNKNOWN, *_TOLD})


def _hanging(
    order: Order, kind: str, reason: str, our_state: OrderState, reports: Mapping[str, OrderReport]
) -> HangingOrder:
    report = reports.get(order.client_id)
    return HangingOrder(
        client_id=order.client_id,
        order_id=order.order_id,
        symbol=order.symbol,
        our_state=our_state.value,
        kind=kind,
        reason=reason,
        exchange_state=report.status if report is not None else "",
        raw=msgspec.json.encode(report).decode() if report is not None else "",
    )
