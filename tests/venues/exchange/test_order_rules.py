"""Rules about orders that the simple life of one order does not meet."""

import json
from decimal import Decimal
from typing import Any

import pytest
from msgspec import structs

from breakwall.model.units import Side
from breakwall.venues.exchange.order import Refusal

DAY_MS = 86_400_000


@pytest.mark.parametrize(
    ("smp", "taker", "maker", "filled"),
    [
        ("None", "Filled", "Filled", "0.300"),
        ("CancelMaker", "Filled", "Cancelled", "0.300"),
        ("CancelTaker", "Cancelled", "New", "0.100"),
        ("CancelBoth", "Cancelled", "Cancelled", "0.100"),
    ],
)
def test_orders_of_one_account_meet_as_the_incoming_one_says(
    hand: Any, smp: str, taker: str, maker: str, filled: str
) -> None:
    hand.lay(Side.SELL, "60000", "0.1")
    mine = hand.placed("Sell", "0.2", "60001")
    incoming = hand.placed("Buy", "0.3", "60010", smpType=smp)
    assert (incoming["orderStatus"], incoming["cumExecQty"], incoming["smpType"]) == (taker, filled, smp)
    told = hand.told(mine["orderId"])
    assert told["orderStatus"] == maker
    for row, status in ((incoming, taker), (told, maker)):
        assert (row["cancelType"] == "CancelBySmp") == (status == "Cancelled")


@pytest.mark.parametrize(
    ("kind", "level", "price"),
    [("Queue", 1, "59990.00"), ("Queue", 2, "59980.00"), ("Counterparty", 1, "60010.00")],
)
def test_the_venue_picks_a_level_of_the_book(hand: Any, kind: str, level: int, price: str) -> None:
    hand.lay(Side.BUY, "59980", "1")
    made = hand.placed("Buy", "0.1", "1", bboSideType=kind, bboLevel=level)
    assert (made["price"], made["createType"]) == (price, "CreateByBboOrder")


def test_a_close_larger_than_one_order_goes_in_several(hand: Any) -> None:
    hand.listing.instrument = structs.replace(hand.listing.instrument, max_market_lots=40)
    hand.order("Buy", "0.04")
    hand.order("Buy", "0.04")
    hand.order("Buy", "0.02")
    closing = hand.placed("Sell", "0.1", reduceOnly=True, orderLinkId="close")
    assert closing["qty"] == "0.040"
    assert hand.position.lots == 0
    ended = {row["orderId"]: row for row in hand.records("order") if row["orderLinkId"] == "close"}
    assert sorted(row["qty"] for row in ended.values()) == ["0.020", "0.040", "0.040"]


def test_quantity_0_closes_as_much_as_one_order_may(hand: Any) -> None:
    hand.order("Buy", "0.06")
    hand.listing.instrument = structs.replace(hand.listing.instrument, max_market_lots=40)
    hand.order("Sell", "0", reduceOnly=True, closeOnTrigger=True)
    assert hand.position.lots == 20


def test_close_on_trigger_takes_the_money_of_resting_orders(hand: Any) -> None:
    resting = hand.placed("Buy", "1", "59000")
    stop = {"triggerPrice": "59900", "triggerDirection": 2, "triggerBy": "MarkPrice"}
    hand.placed("Sell", "1", "59500", **stop, closeOnTrigger=True)
    hand.mark("59900")
    hand.wait(10)
    assert hand.told(resting["orderId"])["orderStatus"] == "Cancelled"
    assert hand.position.lots == -1000


def test_what_has_ended_cannot_be_cancelled(hand: Any) -> None:
    filled = hand.placed("Buy", "0.1")
    assert hand.post("/v5/order/cancel", orderId=filled["orderId"])["retCode"] == 110008
    assert hand.post("/v5/order/amend", orderId=filled["orderId"], qty="1")["retCode"] == 110008


def test_an_order_in_flight_is_not_amended(hand: Any) -> None:
    made = hand.post("/v5/order/create", side="Buy", orderType="Limit", qty="0.1", price="59000")["result"]
    assert hand.post("/v5/order/amend", orderId=made["orderId"], qty="0.2")["retCode"] == 110079
    hand.wait(5)
    assert hand.post("/v5/order/amend", orderId=made["orderId"], qty="0.2")["retCode"] == 0


def test_500_orders_of_a_symbol_may_rest(hand: Any) -> None:
    order = {"symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "qty": "0.001", "price": "59000"}
    for _ in range(500):
        hand.exchange.place_by_hand(order)
    with pytest.raises(Refusal) as refused:
        hand.exchange.place_by_hand(order)
    assert refused.value.code == 110020


def test_what_is_delisted_only_closes(hand: Any) -> None:
    hand.order("Buy", "0.1")
    hand.listing.instrument = structs.replace(hand.listing.instrument, delivery_ms=hand.now + DAY_MS)
    assert hand.order("Buy", "0.1")["retCode"] == 30228
    assert hand.order("Sell", "0.1", reduceOnly=True)["retCode"] == 0
    hand.listing.instrument = structs.replace(hand.listing.instrument, status="Closed")
    assert hand.order("Sell", "0.1", reduceOnly=True)["retCode"] == 110074
    assert hand.get("/v5/market/instruments-info", category="linear", symbol="BTCUSDT")["result"]["list"] == []


def test_percent_slippage_is_of_the_touch(hand: Any) -> None:
    record = hand.placed("Buy", "0.1", slippageToleranceType="Percent", slippageTolerance="0.05")
    assert (record["price"], record["orderStatus"]) == ("60040.00", "Filled")
    push = hand.records("order")[-1]
    assert (push["slippageToleranceType"], push["slippageTolerance"]) == ("Percent", "0.05")


def test_history_forgets_unfilled_ends_after_a_day(hand: Any) -> None:
    hand.placed("Buy", "0.1")
    cancelled = hand.placed("Buy", "0.1", "59000")
    hand.post("/v5/order/cancel", orderId=cancelled["orderId"])
    hand.wait(5)
    path = "/v5/order/history"
    window = {"category": "linear", "symbol": "BTCUSDT"}
    assert len(hand.get(path, **window)["result"]["list"]) == 2
    hand.now = hand.exchange.now_ms = hand.exchange._next_step_ms = hand.now + DAY_MS + 1
    hand.wait(20)
    assert [row["orderStatus"] for row in hand.get(path, **window)["result"]["list"]] == ["Filled"]
    recent = hand.get("/v5/order/realtime", **window, openOnly=1)["result"]["list"]
    assert {row["orderStatus"] for row in recent} == {"Filled", "Cancelled"}


def test_an_address_that_asks_too_often_is_banned(hand: Any) -> None:
    statuses = [hand.send("GET", "/v5/market/time").status for _ in range(601)]
    assert statuses == [200] * 600 + [403]
    hand.wait(9 * 60_000)
    assert hand.send("GET", "/v5/market/time").status == 403
    hand.wait(60_001)
    assert hand.send("GET", "/v5/market/time").status == 200


def test_too_many_sockets_are_turned_away(hand: Any) -> None:
    turned_away = [hand.exchange.too_many_sockets(hand.now) for _ in range(501)]
    assert turned_away == [False] * 500 + [True]
    assert not hand.exchange.too_many_sockets(hand.now + 300_000)


def test_a_batch_over_rest_has_codes_and_limits_item_by_item(hand: Any) -> None:
    item = {"symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "qty": "0.001", "price": "59000"}
    body = {"category": "linear", "request": [{**item, "orderLinkId": f"b{n}"} for n in range(12)]}
    raw = hand.send("POST", "/v5/order/create-batch", body=json.dumps(body).encode())
    answer = json.loads(raw.body)
    assert [row["code"] for row in answer["retExtInfo"]["list"]] == [0] * 10 + [10006] * 2
    assert {"category", "symbol", "orderId", "orderLinkId", "createAt"} <= set(answer["result"]["list"][0])
    assert raw.headers["x-bapi-limit-status"] == "0"
    assert hand.post("/v5/order/create", **item)["retCode"] == 0, "single orders have a limit of their own"
    gone = hand.post("/v5/order/cancel-batch", request=[{"symbol": "BTCUSDT", "orderLinkId": "b0"}])
    assert "createAt" not in gone["result"]["list"][0]


@pytest.mark.parametrize("request_", [[], "x", [1], [{}] * 21])
def test_batches_that_are_none(hand: Any, request_: object) -> None:
    assert hand.post("/v5/order/create-batch", request=request_)["retCode"] == 10001


def test_fees_and_balance_agree_with_the_transaction_log(hand: Any) -> None:
    for side in ("Buy", "Sell", "Buy"):
        hand.order(side, "0.1")
    rows = hand.get("/v5/account/transaction-log")["result"]["list"]
    assert sum(Decimal(row["change"]) for row in rows) == hand.exchange.account.balance - 10_000
