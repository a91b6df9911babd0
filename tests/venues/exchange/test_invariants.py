"""Whatever is done to it, the exchange keeps its own books straight."""

import json
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from hypothesis import given, settings
from hypothesis import strategies as st

from breakwall.model.units import Side
from breakwall.venues.exchange.routes import ROUTES

PRICES = st.integers(59_950, 60_050).map(str)
SIDES = st.sampled_from(["Buy", "Sell"])
QTYS = st.integers(1, 60).map(lambda lots: f"{lots / 1000:.3f}")
STEP = st.one_of(
    st.tuples(st.just("limit"), SIDES, PRICES, QTYS, st.booleans()),
    st.tuples(st.just("market"), SIDES, PRICES, QTYS, st.booleans()),
    st.tuples(st.just("others"), SIDES, PRICES, QTYS, st.booleans()),
    st.tuples(st.just("mark"), SIDES, PRICES, QTYS, st.booleans()),
    st.tuples(st.just("cancel-all"), SIDES, PRICES, QTYS, st.booleans()),
)


def act(hand: Any, what: str, side: str, price: str, qty: str, special: bool) -> None:
    """One step; `special` makes our orders reduce-only or guarded, and the others' orders market orders."""
    if what == "others":
        instrument = hand.listing.instrument
        ticks, lots = instrument.ticks(price), instrument.lots(qty)
        hand.listing.book.add("other", Side(side), ticks, lots * 3, ioc=special, now_ms=hand.now)
    elif what == "mark":
        hand.mark(price)
    elif what == "cancel-all":
        hand.post("/v5/order/cancel-all", orderFilter="Order")
    else:
        stop = "59940" if side == "Buy" else "60060"
        extra = (
            {"reduceOnly": True} if special else {"stopLoss": stop, "slTriggerBy": "MarkPrice", "tpslMode": "Full"}
        )
        hand.order(side, qty, price if what == "limit" else None, **extra)
    hand.wait(20)


def check(hand: Any) -> None:
    exchange, position, book = hand.exchange, hand.position, hand.listing.book
    fills = exchange.executions
    assert position.lots == sum(fill.side.sign * fill.lots for fill in fills)
    given = sum((transfer.amount for transfer in exchange.account.transfers), Decimal(10_000))
    earned = sum((fill.pnl_usdt - fill.fee_usdt for fill in fills), given)
    assert round(exchange.account.balance - earned, 12) == 0
    bid, ask = book.best_bid, book.best_ask
    assert bid is None or ask is None or bid < ask
    closing = 0
    for order in exchange.open_orders():
        if order.stop_kind:
            assert order in {position.stop, position.take_profit}
            assert (order.lots, order.side) == (abs(position.lots), position.side.opposite)
        else:
            assert order.resting is not None
            assert order.resting.lots == order.remaining > 0
            if order.reduce_only:
                assert order.side is position.side.opposite
                closing += order.remaining
    assert closing <= abs(position.lots)


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(STEP, max_size=25))
def test_books_stay_straight(new_hand: Any, steps: list[tuple[str, str, str, str, bool]]) -> None:
    hand = new_hand()
    for step in steps:
        act(hand, *step)
        check(hand)


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.just([]), st.just({}),
    st.sampled_from(["linear", "BTCUSDT", "Buy", "Limit", "Market", "0.1", "59000", "0", "Full", "1", "-1", "1e99"]),
)  # fmt: skip
KEYS = [
    "category",
    "symbol",
    "side",
    "orderType",
    "qty",
    "price",
    "timeInForce",
    "positionIdx",
    "orderLinkId",
    "orderId",
    "reduceOnly",
    "closeOnTrigger",
    "stopLoss",
    "takeProfit",
    "slTriggerBy",
    "tpslMode",
    "triggerPrice",
    "triggerDirection",
    "slippageTolerance",
    "slippageToleranceType",
    "settleCoin",
    "orderFilter",
    "buyLeverage",
    "sellLeverage",
    "mode",
    "setMarginMode",
    "modifyEnable",
    "limit",
    "cursor",
    "startTime",
]
POSTS = sorted(path for method, path in ROUTES if method == "POST")
GETS = sorted(path for method, path in ROUTES if method == "GET")
SANE = {
    "category": "linear",
    "symbol": "BTCUSDT",
    "side": "Buy",
    "orderType": "Limit",
    "qty": "0.1",
    "price": "59000",
}


@settings(max_examples=100, deadline=None)
@given(path=st.sampled_from(POSTS), odd=st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=6))
def test_no_body_breaks_the_exchange(new_hand: Any, path: str, odd: dict[str, Any]) -> None:
    hand = new_hand()
    hand.order("Buy", "0.1", stopLoss="59940", tpslMode="Full")
    answer = hand.send("POST", path, body=json.dumps(SANE | odd).encode())
    assert answer.status in {200, 400}
    hand.wait(20)
    check(hand)


@settings(max_examples=100, deadline=None)
@given(path=st.sampled_from(GETS), odd=st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=6))
def test_no_query_breaks_the_exchange(new_hand: Any, path: str, odd: dict[str, Any]) -> None:
    hand = new_hand()
    query = urlencode({"category": "linear", "symbol": "BTCUSDT"} | odd, errors="replace")
    assert hand.send("GET", path, query).status == 200
