"""Every refusal of an order request, with the venue's code."""

from typing import Any

import pytest

LIMIT = {"side": "Buy", "orderType": "Limit", "qty": "0.1", "price": "59000"}
MARKET = {"side": "Buy", "orderType": "Market", "qty": "0.1"}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"category": "inverse"}, 10001),
        ({"symbol": "PEPEUSDT"}, 10001),
        ({"side": "Long"}, 10001),
        ({"orderType": "Stop"}, 10001),
        ({"qty": "0.1005"}, 10001),
        ({"qty": "many"}, 10001),
        ({"qty": "-0.1"}, 10001),
        ({"qty": "0"}, 10001),
        ({"qty": "NaN"}, 10001),
        ({"qty": "1500.001"}, 10001),
        ({"qty": "1e999999"}, 10001),
        ({"qty": {"a": 1}}, 10001),
        ({"price": "1e-999999"}, 10001),
        ({"price": "59000.05"}, 10001),
        ({"price": ""}, 10001),
        ({"price": "-59000"}, 10001),
        ({"timeInForce": "DAY"}, 10001),
        ({"timeInForce": "RPI"}, 110119),
        ({"positionIdx": 1}, 10001),
        ({"orderLinkId": "a" * 37}, 10001),
        ({"orderLinkId": "no spaces"}, 10001),
        ({"stopLoss": "60100", "tpslMode": "Full"}, 10001),
        ({"takeProfit": "58000", "tpslMode": "Full"}, 10001),
        ({"stopLoss": "58000", "tpslMode": "Half"}, 10001),
        ({"stopLoss": "58000", "tpslMode": "Partial", "slOrderType": "Limit"}, 10001),
        ({"stopLoss": "58000", "tpslMode": "Full", "slOrderType": "Limit", "slLimitPrice": "57900"}, 10001),
        ({"stopLoss": "59600", "triggerPrice": "59500", "triggerDirection": 2}, 10001),
        ({"trailingStop": "100"}, 10001),
        ({"smpType": "CancelNobody"}, 10001),
        ({"bboSideType": "Queue", "bboLevel": "6"}, 10001),
        ({"bboSideType": "Queue", "bboLevel": "2"}, 110118),
        ({"slippageToleranceType": "TickSize", "slippageTolerance": "5"}, 10001),
        ({"stopLoss": "58000", "slOrderType": "Limit"}, 10001),
        ({"stopLoss": "58000", "slTriggerBy": "MidPrice"}, 10001),
        ({"qty": "0.001", "price": "4999.90"}, 110094),
        ({"reduceOnly": True}, 110017),
        ({"reduceOnly": True, "stopLoss": "58000"}, 10001),
        ({"qty": "2"}, 110007),
        ({"triggerPrice": "59500", "triggerDirection": 1}, 110092),
        ({"triggerPrice": "60500", "triggerDirection": 2}, 110093),
        ({"triggerPrice": "60500"}, 10001),
    ],
)
def test_limit_orders_are_refused(hand: Any, change: dict[str, object], code: int) -> None:
    answer = hand.post("/v5/order/create", **(LIMIT | change))
    assert answer["retCode"] == code, answer
    hand.wait(20)
    assert hand.exchange.open_orders() == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"qty": "150.001"}, 10001),
        ({"slippageToleranceType": "TickSize", "slippageTolerance": "0"}, 110108),
        ({"slippageToleranceType": "TickSize", "slippageTolerance": "1.5"}, 110108),
        ({"slippageToleranceType": "Percent", "slippageTolerance": "11"}, 110109),
        ({"slippageToleranceType": "Percent", "slippageTolerance": "NaN"}, 10001),
        ({"slippageToleranceType": "Percent", "slippageTolerance": "0.005"}, 110109),
        ({"slippageToleranceType": "TickSize", "slippageTolerance": "5", "stopLoss": "58000"}, 10001),
        ({"qty": "0", "reduceOnly": True, "closeOnTrigger": True}, 110017),
    ],
)
def test_market_orders_are_refused(hand: Any, change: dict[str, object], code: int) -> None:
    assert hand.post("/v5/order/create", **(MARKET | change))["retCode"] == code


def test_no_market_order_without_a_reference_price(hand: Any) -> None:
    hand.symbol = "SOLUSDT"
    assert hand.post("/v5/order/create", **MARKET)["retCode"] == 110118


@pytest.mark.parametrize(
    ("side", "price", "stands_at", "code"),
    [("Buy", "60700", "60600.00", 30208), ("Sell", "59000", "59400.00", 30209)],
)
def test_far_limits_are_repriced_until_told_to_refuse(
    hand: Any, side: str, price: str, stands_at: str, code: int
) -> None:
    assert hand.placed(side, "0.001", price)["price"] == stands_at
    assert hand.post("/v5/account/set-limit-px-action", modifyEnable=False)["retCode"] == 0
    assert hand.order(side, "0.001", price)["retCode"] == code


def test_numbers_and_unknown_keys_are_taken(hand: Any) -> None:
    record = hand.placed("Buy", 0.1, 59000, timeInForce="PostOnly", colour="red")
    assert (record["orderStatus"], record["price"], record["qty"]) == ("New", "59000.00", "0.100")


def test_client_ids_are_unique_for_ever(hand: Any) -> None:
    first = hand.placed(price="59000", orderLinkId="one-1")
    assert hand.order(price="59000", orderLinkId="one-1")["retCode"] == 110072
    hand.post("/v5/order/cancel", orderId=first["orderId"])
    hand.wait(5)
    assert hand.order(price="59000", orderLinkId="one-1")["retCode"] == 110072


def test_slippage_tolerance_caps_a_market_order(hand: Any) -> None:
    record = hand.placed("Buy", "0.1", slippageToleranceType="TickSize", slippageTolerance="50")
    assert (record["price"], record["orderStatus"]) == ("60015.00", "Filled")


def test_ten_conditional_orders_a_symbol(hand: Any) -> None:
    codes = [
        hand.order("Buy", "0.001", "59000", triggerPrice="59100", triggerDirection=2)["retCode"] for _ in range(11)
    ]
    assert codes == [0] * 10 + [110009]
