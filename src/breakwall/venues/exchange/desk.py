"""One private request after its door, REST or trade socket: the limit, the act, the venue's answer.

A batch is done item by item: the envelope succeeds, each item tells its own code.
"""

from collections.abc import Callable, Mapping
from functools import partial

from msgspec import Struct, structs

from breakwall.venues.exchange.fields import bad
from breakwall.venues.exchange.floor import Ask, Floor
from breakwall.venues.exchange.limits import Allowance
from breakwall.venues.exchange.order import Refusal
from breakwall.venues.exchange.records import Record

MOST_IN_BATCH = 20


class Route(Struct, frozen=True):
    """One endpoint; `per_second` 0 means public: neither signed nor limited. A `batch` does `act` for each item."""

    act: Callable[[Floor, Ask], Record]
    per_second: int = 0
    batch: bool = False


class Reply(Struct, frozen=True):
    """What the venue says, before it is put into the envelope of its door."""

    code: int
    message: str
    result: Record
    extra: Record = {}
    allowance: Allowance | None = None


_TOO_OFTEN = Reply(10006, "Too many visits. Exceeded the API Rate Limit.", {})


def serve(route: Route, path: str, floor: Floor, ask: Ask) -> Reply:
    """Do what a request asks for; a refusal becomes an answer too."""
    if not route.per_second:
        return _answer(partial(route.act, floor, ask), None)
    if route.batch:
        return _serve_batch(route, path, floor, ask)
    granted, allowance = floor.limits.take(path, route.per_second, 1, ask.now_ms)
    if not granted:
        return structs.replace(_TOO_OFTEN, allowance=allowance)
    return _answer(partial(route.act, floor, ask), allowance)


def _answer(act: Callable[[], Record], allowance: Allowance | None) -> Reply:
    try:
        return Reply(0, "OK", act(), allowance=allowance)
    except Refusal as refusal:
        return Reply(refusal.code, refusal.message, refusal.result, allowance=allowance)


def _serve_batch(route: Route, path: str, floor: Floor, ask: Ask) -> Reply:
    """Each item is limited by itself: those beyond the cap fail, the others are done."""
    try:
        items = _items(ask)
    except Refusal as refusal:
        return Reply(refusal.code, refusal.message, {})
    granted, allowance = floor.limits.take(path, route.per_second, len(items), ask.now_ms)
    rows: list[Record] = []
    codes: list[Record] = []
    for place, item in enumerate(items):
        reply = _answer(partial(route.act, floor, Ask(item, ask.now_ms)), None) if place < granted else _TOO_OFTEN
        names = {"category": "linear", "symbol": item.get("symbol", ""), "orderLinkId": item.get("orderLinkId", "")}
        rows.append({**names, "orderId": "", **reply.result})
        codes.append({"code": reply.code, "msg": reply.message})
    return Reply(0, "OK", {"list": rows}, {"list": codes}, allowance)


def _items(ask: Ask) -> list[Mapping[str, object]]:
    if ask.text("category") != "linear":
        raise bad(f"params error: category invalid: expected linear, found {ask.text('category')!r}")
    request = ask.params.get("request")
    items = [item for item in request if isinstance(item, dict)] if isinstance(request, list) else []
    if not isinstance(request, list) or len(items) != len(request) or not 1 <= len(items) <= MOST_IN_BATCH:
        raise bad(f"params error: request: expected a list of 1 to {MOST_IN_BATCH} orders")
    return [{**item, "category": "linear"} for item in items]
