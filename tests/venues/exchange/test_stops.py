"""The life of a position's stops: attached, following, moved, fired, cleared."""

from decimal import Decimal
from typing import Any

import pytest

from breakwall.model.units import Side

GUARDED = {"stopLoss": "59500", "slTriggerBy": "MarkPrice", "tpslMode": "Full"}
BOTH = GUARDED | {"takeProfit": "61000", "tpTriggerBy": "MarkPrice"}


def test_the_stop_stands_in_the_instant_of_the_fill(hand: Any) -> None:
    hand.order("Buy", "0.1", **GUARDED, orderLinkId="entry")
    assert hand.stops() == {"StopLoss": "59500.00 x 0.100"}
    child = hand.position.stop
    assert (child.status, child.reduce_only, child.close_on_trigger, child.link_id, child.parent_link) == (
        "Untriggered",
        True,
        True,
        "",
        "entry",
    )
    rows = hand.get("/v5/position/list", category="linear", symbol="BTCUSDT")["result"]["list"]
    assert (rows[0]["stopLoss"], rows[0]["size"]) == ("59500.00", "0.100")
    hand.wait(1000)
    assert hand.exchange.unprotected_ms("BTCUSDT") == 0


def test_the_stop_follows_partial_fills(hand: Any) -> None:
    hand.order("Buy", "0.1", "59995", **GUARDED)
    assert hand.stops() == {}
    hand.sweep(Side.SELL, "59995", "0.03")
    assert hand.stops() == {"StopLoss": "59500.00 x 0.030"}
    hand.sweep(Side.SELL, "59995", "0.07")
    assert hand.stops() == {"StopLoss": "59500.00 x 0.100"}
    hand.order("Sell", "0.04", reduceOnly=True)
    assert hand.stops() == {"StopLoss": "59500.00 x 0.060"}
    assert hand.exchange.unprotected_ms("BTCUSDT") == 0


def test_a_stop_moved_between_two_fills_stays_moved(hand: Any) -> None:
    hand.order("Buy", "0.1", "59995", **GUARDED)
    hand.sweep(Side.SELL, "59995", "0.03")
    hand.post("/v5/position/trading-stop", tpslMode="Full", positionIdx=0, stopLoss="59800", slTriggerBy="MarkPrice")
    hand.wait(5)
    hand.sweep(Side.SELL, "59995", "0.07")
    assert hand.stops() == {"StopLoss": "59800.00 x 0.100"}


def test_stops_are_cleared_when_the_position_is(hand: Any) -> None:
    hand.order("Buy", "0.1", **BOTH)
    hand.pushed.clear()
    hand.order("Sell", "0", reduceOnly=True, closeOnTrigger=True)
    assert hand.stops() == {}
    ended = [row for row in hand.records("order") if row["stopOrderType"]]
    assert {(row["stopOrderType"], row["orderStatus"], row["cancelType"]) for row in ended} == {
        ("StopLoss", "Deactivated", "CancelByTpSlTsClear"),
        ("TakeProfit", "Deactivated", "CancelByTpSlTsClear"),
    }
    assert hand.records("position")[-1]["stopLoss"] == "0"


@pytest.mark.parametrize(
    ("side", "stop", "profit", "to", "fired", "cancel_type"),
    [
        ("Buy", "59500", "60500", "59500", "StopLoss", "CancelByOCOTpCanceledBySlTriggered"),
        ("Buy", "59500", "60500", "60500", "TakeProfit", "CancelByOCOSlCanceledByTpTriggered"),
        ("Sell", "60500", "59500", "60500", "StopLoss", "CancelByOCOTpCanceledBySlTriggered"),
        ("Sell", "60500", "59500", "59400", "TakeProfit", "CancelByOCOSlCanceledByTpTriggered"),
    ],
)
def test_a_stop_fires_by_mark_and_takes_the_other_leg_along(
    hand: Any, side: str, stop: str, profit: str, to: str, fired: str, cancel_type: str
) -> None:
    by_mark = {"slTriggerBy": "MarkPrice", "tpTriggerBy": "MarkPrice", "tpslMode": "Full"}
    hand.order(side, "0.1", stopLoss=stop, takeProfit=profit, **by_mark)
    hand.pushed.clear()
    hand.mark(to)
    hand.wait(10)
    assert hand.position.lots == 0
    assert hand.stops() == {}
    rows = hand.records("order")
    assert [row["orderStatus"] for row in rows if row["stopOrderType"] == fired] == ["Triggered", "Filled"]
    assert [row["cancelType"] for row in rows if row["stopOrderType"] != fired] == [cancel_type]
    fill = hand.records("execution")[-1]
    assert (fill["stopOrderType"], fill["createType"], fill["orderLinkId"]) == (fired, f"CreateBy{fired}", "")
    assert hand.exchange.unprotected_ms("BTCUSDT") == 0


def test_by_last_price_only_a_trade_fires(hand: Any) -> None:
    hand.order("Buy", "0.1", stopLoss="59500", slTriggerBy="LastPrice", tpslMode="Full")
    hand.mark("59400")
    hand.wait(10)
    assert hand.position.lots == 100
    hand.lay(Side.SELL, "59995", "0.1")
    hand.lay(Side.BUY, "59400", "1")
    hand.sweep(Side.SELL, "59400", "10.5")
    assert hand.position.lots == 0


def test_trading_stop_places_moves_and_removes(hand: Any) -> None:
    hand.order("Buy", "0.1")
    stop = {"tpslMode": "Full", "positionIdx": 0, "slTriggerBy": "MarkPrice"}
    for price, expected in (("59000", {"StopLoss": "59000.00 x 0.100"}), ("59900", {"StopLoss": "59900.00 x 0.100"})):
        before = hand.position.stop
        assert hand.post("/v5/position/trading-stop", **stop, stopLoss=price)["retCode"] == 0
        hand.wait(5)
        assert hand.stops() == expected
        assert before in {None, hand.position.stop}
    assert hand.post("/v5/position/trading-stop", **stop, stopLoss="59900")["retCode"] == 34040
    assert hand.post("/v5/position/trading-stop", **stop, stopLoss="0")["retCode"] == 0
    hand.wait(5)
    assert hand.stops() == {}
    hand.wait(100)
    assert hand.exchange.unprotected_ms("BTCUSDT") > 90


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"stopLoss": "60100"}, 10001),
        ({"takeProfit": "59000"}, 10001),
        ({"stopLoss": "59000.05"}, 10001),
        ({"stopLoss": "59000", "tpslMode": "Half"}, 10001),
        ({"stopLoss": "59000", "tpslMode": ""}, 10001),
        ({"stopLoss": "59000", "positionIdx": 1}, 10001),
        ({"trailingStop": "60100"}, 10001),
        ({"trailingStop": "100", "activePrice": "59000"}, 10001),
        ({"trailingStop": "0"}, 34040),
        ({"tpslMode": "Partial", "stopLoss": "59000", "slSize": "0.2"}, 10001),
        (
            {"tpslMode": "Partial", "stopLoss": "59000", "slSize": "0.1", "takeProfit": "61000", "tpSize": "0.05"},
            10001,
        ),
        ({"tpslMode": "Partial", "stopLoss": "59000", "slOrderType": "Limit"}, 10001),
        ({"tpslMode": "Partial", "stopLoss": "0"}, 34040),
        ({}, 34040),
    ],
)
def test_trading_stops_that_are_refused(hand: Any, body: dict[str, object], code: int) -> None:
    hand.order("Buy", "0.1")
    answer = hand.post("/v5/position/trading-stop", **({"tpslMode": "Full", "positionIdx": 0} | body))
    assert answer["retCode"] == code


def test_no_stop_for_a_flat_position(hand: Any) -> None:
    answer = hand.post("/v5/position/trading-stop", tpslMode="Full", positionIdx=0, stopLoss="59000")
    assert (answer["retCode"], "zero position" in answer["retMsg"]) == (10001, True)


def test_the_stop_order_itself_can_be_moved_and_cancelled(hand: Any) -> None:
    hand.order("Buy", "0.1", **GUARDED)
    child = hand.position.stop
    hand.post("/v5/order/amend", orderId=child.order_id, triggerPrice="59600")
    hand.wait(5)
    assert hand.stops() == {"StopLoss": "59600.00 x 0.100"}
    hand.post("/v5/order/cancel", orderId=child.order_id)
    hand.wait(5)
    assert (child.status, hand.position.stop) == ("Deactivated", None)


def test_an_unfilled_entry_gets_another_stop_by_amend(hand: Any) -> None:
    order = hand.placed("Buy", "0.1", "59995", **GUARDED)
    hand.post("/v5/order/amend", orderId=order["orderId"], stopLoss="59600")
    hand.wait(5)
    hand.sweep(Side.SELL, "59995", "0.1")
    assert hand.stops() == {"StopLoss": "59600.00 x 0.100"}


def test_a_flip_leaves_no_stop_of_the_old_side(hand: Any) -> None:
    hand.order("Buy", "0.1", **GUARDED)
    hand.order("Sell", "0.2", stopLoss="60500", slTriggerBy="MarkPrice", tpslMode="Full")
    assert hand.position.lots == -100
    assert hand.stops() == {"StopLoss": "60500.00 x 0.100"}
    assert hand.exchange.unprotected_ms("BTCUSDT") == 0


def test_liquidation_takes_the_position_over_at_its_bankruptcy_price(hand: Any) -> None:
    hand.lay(Side.SELL, "60000", "0.1")
    hand.order("Buy", "0.1", "60000")
    hand.order("Buy", "0.1", "59000")
    hand.mark("54272")
    hand.wait(10)
    assert hand.position.lots == 100
    hand.mark("54271.3")
    hand.wait(10)
    assert hand.position.lots == 0
    bust = hand.records("execution")[-1]
    assert (bust["execType"], bust["execPrice"], bust["createType"]) == (
        "BustTrade",
        "54000",
        "CreateByTakeOver_PassThrough",
    )
    assert hand.exchange.account.balance == Decimal(10_000) - 600 - Decimal("3.30") - Decimal("2.97")
    assert "CancelAllBeforeLiq" in {row["cancelType"] for row in hand.records("order")}


def test_funding_is_paid_by_longs_and_is_not_a_trade(hand: Any) -> None:
    hand.lay(Side.SELL, "60000", "0.1")
    hand.order("Buy", "0.1", "60000")
    before = hand.exchange.account.balance
    hand.mark("60500")
    hand.listing.next_funding_ms = hand.now + 5
    hand.wait(10)
    assert before - hand.exchange.account.balance == Decimal("0.605")
    paid = hand.records("execution")[-1]
    assert (paid["execType"], paid["execFee"], hand.position.lots) == ("Funding", "0.605", 100)
