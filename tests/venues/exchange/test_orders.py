"""What happens to orders: asynchronous acceptance, fills, ends, changes, reduce-only for life."""

from decimal import Decimal
from typing import Any

import pytest

from breakwall.model.units import Side


def test_an_order_is_accepted_now_and_matched_a_little_later(hand: Any) -> None:
    answer = hand.post("/v5/order/create", side="Buy", orderType="Market", qty="0.1", orderLinkId="x")
    assert answer["result"]["orderLinkId"] == "x"
    assert hand.position.lots == 0
    assert hand.get("/v5/order/realtime", category="linear", orderLinkId="x")["result"]["list"] == []
    hand.wait(2)
    assert hand.position.lots == 0
    hand.wait(1)
    assert hand.position.lots == 100


@pytest.mark.parametrize(
    ("side", "qty", "price", "tif", "status", "reason", "filled"),
    [
        ("Buy", "0.1", "59000", "GTC", "New", "EC_NoError", "0.000"),
        ("Buy", "0.1", "60010", "GTC", "Filled", "EC_NoError", "0.100"),
        ("Buy", "0.1", "60010", "PostOnly", "Cancelled", "EC_PostOnlyWillTakeLiquidity", "0.000"),
        ("Buy", "0.1", "60009.9", "IOC", "Cancelled", "EC_NoImmediateQtyToFill", "0.000"),
        ("Sell", "0.1", "59990", "IOC", "Filled", "EC_NoError", "0.100"),
        ("Buy", "0.1", "60010", "FOK", "Filled", "EC_NoError", "0.100"),
        ("Buy", "0.1", "60009", "FOK", "Cancelled", "EC_CancelForNoFullFill", "0.000"),
    ],
)
def test_time_in_force(
    hand: Any, side: str, qty: str, price: str, tif: str, status: str, reason: str, filled: str
) -> None:
    record = hand.placed(side, qty, price, timeInForce=tif)
    assert (record["orderStatus"], record["rejectReason"], record["cumExecQty"]) == (status, reason, filled)


def test_an_ioc_takes_what_is_there_and_drops_the_rest(hand: Any) -> None:
    hand.sweep(Side.BUY, "60010", "9.95")
    record = hand.placed("Buy", "0.1", "60010", timeInForce="IOC")
    assert (record["orderStatus"], record["cumExecQty"], record["leavesQty"]) == ("Cancelled", "0.050", "0.000")
    assert record["rejectReason"] == "EC_NoEnoughQtyToFill"


def test_a_resting_order_is_filled_by_the_market_as_maker(hand: Any) -> None:
    order = hand.placed("Buy", "0.1", "59995")
    hand.sweep(Side.SELL, "59995", "0.04")
    assert hand.told(order["orderId"])["orderStatus"] == "PartiallyFilled"
    hand.sweep(Side.SELL, "59995", "0.06")
    assert hand.told(order["orderId"])["orderStatus"] == "Filled"
    fills = hand.records("execution")
    assert [(fill["execQty"], fill["isMaker"], fill["feeRate"]) for fill in fills] == [
        ("0.040", True, "0.0002"),
        ("0.060", True, "0.0002"),
    ]
    assert len({fill["execId"] for fill in fills}) == 2
    assert hand.position.entry == Decimal(59995)


def test_a_round_trip_costs_what_the_contract_says(hand: Any) -> None:
    hand.lay(Side.SELL, "60000", "0.1")
    hand.order("Buy", "0.1", "60000")
    hand.sweep(Side.BUY, "60010", "10")
    hand.mark("61000")
    hand.lay(Side.BUY, "61000", "0.1")
    order = hand.placed("Sell", "0.1", "61000", reduceOnly=True)
    assert hand.exchange.account.balance == Decimal("10093.345")
    closed = hand.get("/v5/position/closed-pnl", category="linear", symbol="BTCUSDT")["result"]["list"]
    assert [(row["orderId"], row["closedPnl"], row["openFee"], row["closeFee"], row["side"]) for row in closed] == [
        (order["orderId"], "93.345", "3.3", "3.355", "Sell")
    ]
    push = hand.records("execution")[-1]
    assert (push["execPnl"], push["closedSize"], push["execFee"]) == ("100", "0.100", "3.355")
    assert hand.records("position")[-1]["size"] == "0.000"


def test_one_way_flip_closes_then_opens_the_rest(hand: Any) -> None:
    hand.order("Buy", "0.1")
    hand.order("Sell", "0.15")
    assert (hand.position.lots, hand.position.entry) == (-50, Decimal(59990))


def test_quantity_zero_closes_everything(hand: Any) -> None:
    hand.order("Buy", "0.123")
    record = hand.placed("Sell", "0", reduceOnly=True, closeOnTrigger=True)
    assert (record["orderStatus"], record["cumExecQty"], hand.position.lots) == ("Filled", "0.123", 0)


def test_reduce_only_never_turns_a_position_round(hand: Any) -> None:
    hand.order("Buy", "0.1")
    assert hand.placed("Sell", "0.5", reduceOnly=True)["qty"] == "0.100"
    assert hand.position.lots == 0


def test_reduce_only_holds_for_life(hand: Any) -> None:
    hand.order("Buy", "0.1")
    older = hand.placed("Sell", "0.08", "60100", reduceOnly=True)
    newer = hand.placed("Sell", "0.1", "60200", reduceOnly=True)
    assert newer["qty"] == "0.020"
    hand.order("Sell", "0.04")
    assert hand.told(older["orderId"])["qty"] == "0.060"
    assert hand.told(newer["orderId"])["cancelType"] == "CancelByReduceOnly"
    hand.order("Sell", "0.06")
    assert hand.told(older["orderId"])["cancelType"] == "CancelByReduceOnly"
    assert hand.exchange.open_orders() == []


def test_amend_down_keeps_the_place_in_the_queue_amend_up_loses_it(hand: Any) -> None:
    mine = hand.placed("Buy", "0.1", "59995")
    hand.lay(Side.BUY, "59995", "0.1")
    assert hand.post("/v5/order/amend", orderId=mine["orderId"], qty="0.05")["retCode"] == 0
    hand.wait(5)
    hand.sweep(Side.SELL, "59995", "0.02")
    assert hand.told(mine["orderId"])["cumExecQty"] == "0.020"
    hand.post("/v5/order/amend", orderId=mine["orderId"], qty="0.06")
    hand.wait(5)
    hand.sweep(Side.SELL, "59995", "0.1")
    assert hand.told(mine["orderId"])["cumExecQty"] == "0.020"


def test_amend_price_moves_the_order(hand: Any) -> None:
    mine = hand.placed("Buy", "0.1", "59000", orderLinkId="m")
    hand.post("/v5/order/amend", orderLinkId="m", price="59980")
    hand.wait(5)
    assert hand.told(mine["orderId"])["price"] == "59980.00"
    assert hand.listing.book.level_lots(Side.BUY, 590_000) == 0


@pytest.mark.parametrize(
    ("change", "code"),
    [({}, 10001), ({"qty": "0.1"}, 10001), ({"qty": "0.02"}, 110064), ({"stopLoss": "58000"}, 110059)],
)
def test_amends_that_are_refused(hand: Any, change: dict[str, str], code: int) -> None:
    mine = hand.placed("Buy", "0.1", "59995")
    hand.sweep(Side.SELL, "59995", "0.05")
    assert hand.post("/v5/order/amend", orderId=mine["orderId"], **change)["retCode"] == code


def test_cancel(hand: Any) -> None:
    mine = hand.placed("Buy", "0.1", "59000")
    assert hand.post("/v5/order/cancel", orderId=mine["orderId"])["retCode"] == 0
    hand.wait(5)
    told = hand.told(mine["orderId"])
    assert (told["orderStatus"], told["cancelType"], told["rejectReason"]) == (
        "Cancelled",
        "CancelByUser",
        "EC_PerCancelRequest",
    )
    assert hand.post("/v5/order/cancel", orderId=mine["orderId"])["retCode"] == 110010
    assert hand.post("/v5/order/cancel", orderLinkId="nobody")["retCode"] == 110001


def test_a_cancel_that_loses_the_race_says_filled_twice(hand: Any) -> None:
    mine = hand.placed("Buy", "0.1", "59995")
    hand.post("/v5/order/cancel", orderId=mine["orderId"])
    hand.listing.book.market("other", Side.SELL, 100, 599_950, hand.now)
    hand.exchange.orders.settle_fills(hand.now)
    hand.wait(10)
    told = [(row["orderStatus"], row["rejectReason"]) for row in hand.records("order")]
    assert told[-2:] == [("Filled", "EC_NoError"), ("Filled", "EC_OrigClOrdIDDoesNotExist")]
    assert hand.position.lots == 100


@pytest.mark.parametrize(
    ("which", "left"),
    [
        ({"orderFilter": "Order"}, {"StopLoss", "Stop"}),
        ({"orderFilter": "StopOrder"}, {""}),
        ({"orderFilter": "StopOrder", "stopOrderType": "Stop"}, {"", "StopLoss"}),
        ({}, set()),
    ],
)
def test_cancel_all_spares_stops_only_when_told(hand: Any, which: dict[str, str], left: set[str]) -> None:
    hand.order("Buy", "0.1", stopLoss="59000", tpslMode="Full", slTriggerBy="MarkPrice")
    hand.order("Buy", "0.01", "59500")
    hand.order("Buy", "0.01", "59500", triggerPrice="59400", triggerDirection=2)
    hand.post("/v5/order/cancel-all", **which)
    hand.wait(5)
    assert {order.stop_kind for order in hand.exchange.open_orders()} == left
    assert (hand.position.stop is None) == ("StopLoss" not in left)


def test_cancel_all_needs_a_scope(hand: Any) -> None:
    assert hand.post("/v5/order/cancel-all", symbol="")["retCode"] == 10001
    hand.order("Buy", "0.01", "59500")
    assert len(hand.post("/v5/order/cancel-all", symbol="", settleCoin="USDT")["result"]["list"]) == 1


def test_a_conditional_order_waits_for_its_price(hand: Any) -> None:
    order = hand.placed(
        "Buy", "0.1", "60100", triggerPrice="60050", triggerDirection=1, triggerBy="MarkPrice", timeInForce="IOC"
    )
    assert order["orderStatus"] == "Untriggered"
    hand.mark("60050")
    hand.wait(10)
    assert [row["orderStatus"] for row in hand.records("order")] == ["Untriggered", "Triggered", "Filled"]


def test_a_conditional_order_without_money_at_its_trigger_is_cancelled(hand: Any) -> None:
    order = hand.placed("Buy", "1", "60100", triggerPrice="60050", triggerDirection=1, triggerBy="MarkPrice")
    hand.order("Buy", "1")
    hand.mark("60050")
    hand.wait(10)
    assert hand.told(order["orderId"])["orderStatus"] == "Cancelled"
    assert hand.position.lots == 1000


def test_open_orders_hold_margin(hand: Any) -> None:
    hand.order("Buy", "1", "59000")
    assert hand.order("Buy", "1", "59000")["retCode"] == 110007
    coin = hand.get("/v5/account/wallet-balance", accountType="UNIFIED")["result"]["list"][0]["coin"][0]
    assert coin["totalOrderIM"] == "5961.655"


def test_an_order_that_only_closes_holds_no_margin(hand: Any) -> None:
    hand.order("Buy", "1.5")
    assert hand.order("Sell", "1.5", "60400")["retCode"] == 0


def test_an_amend_needs_money_too(hand: Any) -> None:
    mine = hand.placed("Buy", "1", "59000")
    assert hand.post("/v5/order/amend", orderId=mine["orderId"], qty="2")["retCode"] == 110007
    assert hand.post("/v5/order/amend", orderId=mine["orderId"], qty="1.5")["retCode"] == 0


def test_odd_values_of_other_fields_do_no_harm(hand: Any) -> None:
    assert hand.placed("Buy", "0.1", "59000", reduceOnly=[], closeOnTrigger=None)["reduceOnly"] is False
