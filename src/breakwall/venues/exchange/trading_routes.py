"""REST answers about orders and executions. Source: Bybit v5 trade pages."""

from collections.abc import Iterable

from breakwall.venues.exchange.fields import bad
from breakwall.venues.exchange.floor import Ask, Floor
from breakwall.venues.exchange.market_routes import paged
from breakwall.venues.exchange.order import ACCEPTED, Execution, Order, Refusal
from breakwall.venues.exchange.records import Record, execution_record, order_record

_DAY_MS = 86_400_000
_WEEK_MS = 7 * _DAY_MS
_RECENT_CLOSED = 500


def create(floor: Floor, ask: Ask) -> Record:
    return _ids(floor.entry.place(ask.params, ask.now_ms))


def create_dated(floor: Floor, ask: Ask) -> Record:
    """As batches tell it."""
    return create(floor, ask) | {"createAt": str(ask.now_ms)}


def amend(floor: Floor, ask: Ask) -> Record:
    return _ids(floor.entry.amend(ask.params, ask.now_ms))


def cancel(floor: Floor, ask: Ask) -> Record:
    return _ids(floor.entry.cancel(ask.params, ask.now_ms))


def cancel_all(floor: Floor, ask: Ask) -> Record:
    orders = floor.entry.cancel_all(ask.params, ask.now_ms)
    return {"list": [_ids(order) for order in orders], "success": "1"}


def pre_check(floor: Floor, ask: Ask) -> Record:
    """What an order would do to the account's margin rates; there are such only in cross margin."""
    if not floor.account.cross:
        raise Refusal(10028, "Pre-check is for cross and portfolio margin")
    order = floor.entry.checked(ask.params, ask.now_ms)
    orders = list(floor.log.live())
    before, after = floor.account.margin_rates(orders), floor.account.margin_rates([*orders, order])
    return {
        **_ids(order),
        "preImrE4": before[0],
        "preMmrE4": before[1],
        "postImrE4": after[0],
        "postMmrE4": after[1],
    }


def realtime(floor: Floor, ask: Ask) -> Record:
    """Open orders, newest first; by id also closed ones; `openOnly=1` the recently closed."""
    if not _linear(ask):
        return _page([], ask, 20, 50)
    if ask.text("orderId") or ask.text("orderLinkId"):
        order = floor.log.find(ask.params)
        return _page([order] if order is not None and order.status != ACCEPTED else [], ask, 20, 50)
    if not (ask.text("symbol") or ask.text("baseCoin") or ask.text("settleCoin")):
        raise bad("params error: one of symbol, baseCoin, settleCoin is required")
    if ask.text("openOnly") == "1":
        recent = list(floor.log.closed)[-_RECENT_CLOSED:]
        return _page(_chosen(recent, ask), ask, 20, 50)
    visible = [order for order in floor.log.live() if order.status != ACCEPTED]
    return _page(_chosen(visible, ask), ask, 20, 50)


def history(floor: Floor, ask: Ask) -> Record:
    """Ended orders, newest first; the venue forgets unfilled ones after a day."""
    if not _linear(ask):
        return _page([], ask, 20, 50)
    since, until = time_window(ask)
    named = floor.log.find(ask.params) if ask.text("orderId") or ask.text("orderLinkId") else None
    by_id = bool(ask.text("orderId") or ask.text("orderLinkId"))
    ended = ([named] if named is not None and not named.open else []) if by_id else floor.log.closed
    status = ask.text("orderStatus")
    rows = [
        order
        for order in ended
        if since <= order.created_ms <= until and status in {"", order.status} and _kept(order, ask.now_ms)
    ]
    return _page(_chosen(rows, ask), ask, 20, 50)


def executions(floor: Floor, ask: Ask) -> Record:
    """Executions, newest first."""
    since, until = time_window(ask)
    rows = [
        execution
        for execution in reversed(floor.log.executions)
        if since <= execution.at_ms <= until and _linear(ask) and _execution_matches(execution, ask)
    ]
    page, cursor = paged(rows, ask, 50, 100, lambda execution: execution.exec_id)
    return {
        "category": ask.text("category"),
        "list": [execution_record(execution) for execution in page],
        "nextPageCursor": cursor,
    }


def time_window(ask: Ask) -> tuple[int, int]:
    """startTime and endTime in ms: at most seven days, the last seven where nothing is said."""
    start, end = ask.whole("startTime", 0, 0, 10**14), ask.whole("endTime", 0, 0, 10**14)
    if start and end and end - start > _WEEK_MS:
        raise bad("params error: the time range between startTime and endTime cannot exceed 7 days")
    if start:
        return start, end or start + _WEEK_MS
    until = end or ask.now_ms
    return until - _WEEK_MS, until


def _kept(order: Order, now_ms: int) -> bool:
    """What ended without a fill is kept for a day, the rest for ever."""
    return bool(order.filled_lots) or now_ms - order.updated_ms <= _DAY_MS


def _linear(ask: Ask) -> bool:
    category = ask.text("category")
    if category not in {"linear", "inverse", "spot", "option"}:
        raise bad(f"params error: Category is invalid: {category!r}")
    return category == "linear"


def _chosen(orders: Iterable[Order], ask: Ask) -> list[Order]:
    symbol, base, settle = ask.text("symbol"), ask.text("baseCoin"), ask.text("settleCoin")
    which = ask.text("orderFilter")
    if which not in {"", "Order", "StopOrder", "tpslOrder", "OcoOrder", "BidirectionalTpslOrder"}:
        raise bad(f"params error: orderFilter is invalid: {which!r}")
    rows = [
        order
        for order in orders
        if symbol in {"", order.symbol}
        and base in {"", order.symbol.removesuffix("USDT")}
        and settle in {"", "USDT"}
        and (not which or (which == "StopOrder") == bool(order.stop_kind))
    ]
    return sorted(rows, key=lambda order: order.created_ms, reverse=True)


def _execution_matches(execution: Execution, ask: Ask) -> bool:
    order_id, link_id = ask.text("orderId"), ask.text("orderLinkId")
    if order_id:
        return execution.order_id == order_id
    if link_id and execution.link_id != link_id:
        return False
    if ask.text("settleCoin") not in {"", "USDT"}:
        return False
    return ask.text("symbol") in {"", execution.symbol} and ask.text("execType") in {"", execution.exec_type}


def _page(orders: list[Order], ask: Ask, default: int, most: int) -> Record:
    page, cursor = paged(orders, ask, default, most, lambda order: order.order_id)
    return {
        "category": ask.text("category"),
        "list": [order_record(order) for order in page],
        "nextPageCursor": cursor,
    }


def _ids(order: Order) -> Record:
    return {"orderId": order.order_id, "orderLinkId": order.link_id}
