"""Stops for parts of a position, and stops that trail the price."""

from typing import Any

import pytest

from breakwall.model.units import Side

PART = {"tpslMode": "Partial", "slTriggerBy": "MarkPrice", "tpTriggerBy": "MarkPrice"}


def guard(hand: Any, **body: object) -> dict[str, Any]:
    answer = hand.post("/v5/position/trading-stop", **({"positionIdx": 0} | body))
    hand.wait(150)
    return answer


def live(hand: Any) -> list[tuple[str, str, str, str]]:
    return sorted(
        (row["stopOrderType"], row["triggerPrice"], row["qty"], row["orderType"])
        for row in hand.get("/v5/order/realtime", category="linear", symbol="BTCUSDT", orderFilter="StopOrder")[
            "result"
        ]["list"]
    )


def test_each_call_adds_a_stop_of_its_size(hand: Any) -> None:
    hand.order("Buy", "0.1")
    assert guard(hand, **PART, stopLoss="59000", slSize="0.04")["retCode"] == 0
    assert guard(hand, **PART, stopLoss="58000", slSize="0.06")["retCode"] == 0
    assert live(hand) == [
        ("PartialStopLoss", "58000.00", "0.060", "Market"),
        ("PartialStopLoss", "59000.00", "0.040", "Market"),
    ]
    assert not hand.position.unprotected
    told = hand.get("/v5/position/list", category="linear", symbol="BTCUSDT")["result"]["list"][0]
    assert told["stopLoss"] == ""


def test_parts_that_do_not_add_up_leave_it_unprotected(hand: Any) -> None:
    hand.order("Buy", "0.1")
    guard(hand, **PART, stopLoss="59000", slSize="0.09")
    assert hand.position.unprotected


def test_a_part_fires_alone_and_takes_its_pair_along(hand: Any) -> None:
    hand.order("Buy", "0.1")
    guard(hand, **PART, stopLoss="59500", slSize="0.04", takeProfit="61000", tpSize="0.04")
    guard(hand, **PART, stopLoss="58000", slSize="0.06")
    hand.mark("59500")
    hand.wait(20)
    assert hand.position.lots == 60
    assert live(hand) == [("PartialStopLoss", "58000.00", "0.060", "Market")]
    ended = {row["stopOrderType"]: row["cancelType"] for row in hand.records("order") if row["stopOrderType"]}
    assert ended["PartialTakeProfit"] == "CancelByOCOTpCanceledBySlTriggered"
    fill = hand.records("execution")[-1]
    assert (fill["stopOrderType"], fill["createType"]) == ("PartialStopLoss", "CreateByPartialStopLoss")


def test_a_pair_is_cancelled_together_until_one_of_it_is_changed(hand: Any) -> None:
    hand.order("Buy", "0.1")
    pair = {"stopLoss": "59000", "slSize": "0.05", "takeProfit": "61000", "tpSize": "0.05"}
    guard(hand, **PART, **pair)
    guard(hand, **PART, **pair)
    first, second = hand.position.partials[0], hand.position.partials[2]
    assert hand.post("/v5/order/amend", orderId=second.order_id, triggerPrice="58500")["retCode"] == 0
    hand.wait(5)
    for child in (first, second):
        assert hand.post("/v5/order/cancel", orderId=child.order_id)["retCode"] == 0
    hand.wait(5)
    assert live(hand) == [("PartialTakeProfit", "61000.00", "0.050", "Market")]


def test_a_part_may_be_a_limit_order(hand: Any) -> None:
    hand.order("Buy", "0.1")
    guard(hand, **PART, takeProfit="60500", tpSize="0.05", tpOrderType="Limit", tpLimitPrice="60490")
    assert live(hand) == [("PartialTakeProfit", "60500.00", "0.050", "Limit")]
    hand.mark("60500")
    hand.wait(10)
    (resting,) = hand.exchange.open_orders()
    assert (resting.status, resting.kind, resting.reduce_only) == ("New", "Limit", True)
    hand.sweep(Side.BUY, "60490", "10.05")
    assert hand.position.lots == 50


def test_twenty_parts_and_no_more(hand: Any) -> None:
    hand.order("Buy", "0.1")
    codes = [guard(hand, **PART, stopLoss="59000", slSize="0.005")["retCode"] for _ in range(21)]
    assert codes == [0] * 20 + [110061]


def test_an_entry_may_carry_stops_for_what_is_filled(hand: Any) -> None:
    hand.order("Buy", "0.1", "59995", **PART, stopLoss="59500", takeProfit="61000", orderLinkId="entry")
    hand.sweep(Side.SELL, "59995", "0.03")
    hand.sweep(Side.SELL, "59995", "0.07")
    assert live(hand) == [
        ("PartialStopLoss", "59500.00", "0.030", "Market"),
        ("PartialStopLoss", "59500.00", "0.070", "Market"),
        ("PartialTakeProfit", "61000.00", "0.030", "Market"),
        ("PartialTakeProfit", "61000.00", "0.070", "Market"),
    ]
    assert {child.parent_link for child in hand.position.partials} == {"entry"}
    assert hand.exchange.unprotected_ms("BTCUSDT") == 0
    hand.order("Sell", "0.1", reduceOnly=True)
    assert live(hand) == []
    assert hand.position.partials == []


def test_the_default_mode_is_what_set_tpsl_mode_says(hand: Any) -> None:
    answer = hand.post("/v5/position/set-tpsl-mode", tpSlMode="Partial")
    assert answer["result"] == {"tpSlMode": "Partial"}
    assert hand.post("/v5/position/set-tpsl-mode", tpslMode="Full")["retCode"] == 10001
    hand.order("Buy", "0.1", stopLoss="59500")
    assert [row[0] for row in live(hand)] == ["PartialStopLoss"]


@pytest.mark.parametrize(
    ("side", "up", "back", "trigger"), [("Buy", "60030", "59930", "59930.00"), ("Sell", "59970", "60070", "60070.00")]
)
def test_a_trailing_stop_follows_the_last_price(hand: Any, side: str, up: str, back: str, trigger: str) -> None:
    with_us, against = (Side.BUY, Side.SELL) if side == "Buy" else (Side.SELL, Side.BUY)
    hand.order(side, "0.1")
    assert guard(hand, tpslMode="Full", trailingStop="100")["retCode"] == 0
    assert not hand.position.unprotected
    hand.lay(against, up, "1")
    hand.sweep(with_us, up, "10.1")
    assert [row[:2] for row in live(hand)] == [("TrailingStop", trigger)]
    told = hand.get("/v5/position/list", category="linear", symbol="BTCUSDT")["result"]["list"][0]
    assert told["trailingStop"] == "100.00"
    hand.lay(with_us, back, "5")
    hand.sweep(against, back, "11")
    assert hand.position.lots == 0
    assert hand.records("execution")[-1]["createType"] == "CreateByTrailingStop"


def test_a_trailing_stop_may_wait_for_a_price(hand: Any) -> None:
    hand.order("Buy", "0.1")
    assert guard(hand, tpslMode="Full", trailingStop="20", activePrice="60030")["retCode"] == 0
    assert guard(hand, tpslMode="Full", trailingStop="20", activePrice="60030")["retCode"] == 34040
    assert hand.position.unprotected
    assert live(hand) == [("TrailingStop", "", "0.100", "Market")]
    hand.lay(Side.SELL, "60030", "1")
    hand.sweep(Side.BUY, "60030", "10.1")
    assert live(hand) == [("TrailingStop", "60010.00", "0.100", "Market")]
    assert guard(hand, tpslMode="Full", trailingStop="0")["retCode"] == 0
    assert live(hand) == []
