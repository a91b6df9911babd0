"""Position modes, margin modes, leverage, margin by hand, money: what the account can be set to."""

from decimal import Decimal
from typing import Any

import pytest

from breakwall.model.units import Side

LONG, SHORT = {"side": "Buy", "positionIdx": 1}, {"side": "Sell", "positionIdx": 2}
GUARD = {"tpslMode": "Full", "slTriggerBy": "MarkPrice"}


def rows(hand: Any) -> list[tuple[int, str, str, str]]:
    answer = hand.get("/v5/position/list", category="linear", symbol="BTCUSDT")["result"]["list"]
    return [(row["positionIdx"], row["side"], row["size"], row["stopLoss"]) for row in answer]


def hedge(hand: Any) -> None:
    assert hand.post("/v5/position/switch-mode", mode=3)["retCode"] == 0


def test_hedge_mode_has_a_long_and_a_short(hand: Any) -> None:
    hedge(hand)
    assert rows(hand) == [(1, "", "0.000", ""), (2, "", "0.000", "")]
    hand.placed(qty="0.1", **LONG, **GUARD, stopLoss="59000")
    hand.placed(qty="0.04", **SHORT, **GUARD, stopLoss="61000")
    assert rows(hand) == [(1, "Buy", "0.100", "59000.00"), (2, "Sell", "0.040", "61000.00")]
    assert {row["positionIdx"] for row in hand.records("position")} == {1, 2}
    assert {row["positionIdx"] for row in hand.records("order")} == {1, 2}
    hand.mark("61000")
    hand.wait(20)
    assert rows(hand) == [(1, "Buy", "0.100", "59000.00"), (2, "", "0.000", "")]


def test_in_hedge_mode_the_other_side_closes_and_never_turns(hand: Any) -> None:
    hedge(hand)
    hand.placed(qty="0.1", **LONG)
    closing = hand.placed(side="Sell", qty="0.3", positionIdx=1)
    assert (closing["qty"], closing["reduceOnly"]) == ("0.100", True)
    assert rows(hand) == [(1, "", "0.000", ""), (2, "", "0.000", "")]
    assert hand.order(side="Sell", qty="0.1", positionIdx=1)["retCode"] == 110017


@pytest.mark.parametrize(("mode", "idx", "code"), [(3, 0, 10001), (3, 1, 0), (0, 1, 10001), (0, 0, 0)])
def test_the_index_must_match_the_mode(hand: Any, mode: int, idx: int, code: int) -> None:
    hand.post("/v5/position/switch-mode", mode=mode)
    assert hand.order("Buy", "0.01", positionIdx=idx)["retCode"] == code


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"mode": 0}, 110025),
        ({"mode": 1}, 10001),
        ({"mode": 3, "category": "inverse"}, 10001),
        ({"mode": 3, "symbol": ""}, 10001),
        ({"mode": 3, "symbol": "", "coin": "USDC"}, 110029),
        ({"mode": 3, "symbol": "", "coin": "USDT"}, 0),
    ],
)
def test_position_modes(hand: Any, body: dict[str, object], code: int) -> None:
    assert hand.post("/v5/position/switch-mode", **body)["retCode"] == code


def test_a_mode_is_not_switched_under_a_position_or_an_order(hand: Any) -> None:
    hand.order("Buy", "0.1")
    assert hand.post("/v5/position/switch-mode", mode=3)["retCode"] == 110024
    hand.order("Sell", "0.1")
    hand.order("Buy", "0.1", "59000")
    assert hand.post("/v5/position/switch-mode", mode=3)["retCode"] == 110028
    assert hand.post("/v5/position/switch-mode", mode=3, symbol="", coin="USDT")["retCode"] == 0
    assert hand.exchange.account.hedging == {"ETHUSDT", "SOLUSDT", "DOGEUSDT"}


def test_leverage_of_two_sides(hand: Any) -> None:
    path = "/v5/position/set-leverage"
    assert hand.post(path, buyLeverage="5", sellLeverage="6")["retCode"] == 10001
    hedge(hand)
    assert hand.post(path, buyLeverage="5", sellLeverage="6")["retCode"] == 0
    info = hand.get("/v5/position/symbol-info", category="linear", symbol="BTCUSDT")["result"]["list"]
    assert [(row["positionIdx"], row["leverage"]) for row in info] == [(1, "5"), (2, "6")]
    hand.post("/v5/account/set-margin-mode", setMarginMode="REGULAR_MARGIN")
    assert hand.post(path, buyLeverage="7", sellLeverage="8")["retCode"] == 10001


@pytest.mark.parametrize(
    ("mode", "code", "reason"),
    [
        ("ISOLATED_MARGIN", 0, None),
        ("REGULAR_MARGIN", 0, None),
        ("PORTFOLIO_MARGIN", 3400045, "3400045"),
        ("NO_MARGIN", 10001, None),
    ],
)
def test_margin_modes(hand: Any, mode: str, code: int, reason: str | None) -> None:
    answer = hand.post("/v5/account/set-margin-mode", setMarginMode=mode)
    assert answer["retCode"] == code
    assert [row["reasonCode"] for row in answer["result"].get("reasons", [])] == ([reason] if reason else [])
    told = hand.get("/v5/account/info")["result"]["marginMode"]
    assert told == ("REGULAR_MARGIN" if mode == "REGULAR_MARGIN" else "ISOLATED_MARGIN")


def test_a_margin_mode_is_not_switched_under_positions_and_orders(hand: Any) -> None:
    hand.order("Buy", "0.1")
    hand.order("Buy", "0.1", "59000")
    answer = hand.post("/v5/account/set-margin-mode", setMarginMode="REGULAR_MARGIN")
    assert [row["reasonCode"] for row in answer["result"]["reasons"]] == ["110024", "110028"]


def test_in_cross_margin_the_whole_account_stands_for_a_position(hand: Any) -> None:
    hand.post("/v5/account/set-margin-mode", setMarginMode="REGULAR_MARGIN")
    hand.lay(Side.SELL, "60000", "1")
    hand.order("Buy", "1", "60000")
    hand.order("Buy", "0.1", "59000")
    row = hand.get("/v5/position/list", category="linear", symbol="BTCUSDT")["result"]["list"][0]
    liquidation = Decimal(row["liqPrice"])
    assert Decimal(50_000) < liquidation < Decimal(50_500)
    hand.mark("51000")
    hand.wait(20)
    assert hand.position.lots == 1000
    hand.mark(str(liquidation - 1))
    hand.wait(20)
    assert hand.position.lots == 0
    assert hand.records("execution")[-1]["execType"] == "BustTrade"
    assert hand.exchange.open_orders() == []


def test_the_old_switch_per_symbol_is_refused(hand: Any) -> None:
    assert hand.post("/v5/position/switch-isolated", tradeMode=1)["retCode"] == 100028


def test_margin_by_hand_moves_the_liquidation_price(hand: Any) -> None:
    hand.order("Buy", "0.1")
    before = hand.position.liquidation
    answer = hand.post("/v5/position/add-margin", margin="100", positionIdx=0)
    assert (answer["retCode"], answer["result"]["symbol"]) == (0, "BTCUSDT")
    assert hand.position.liquidation < before
    assert hand.post("/v5/position/add-margin", margin="-100", positionIdx=0)["retCode"] == 0
    assert hand.position.liquidation == before


@pytest.mark.parametrize(
    ("margin", "code"), [("1.00001", 10001), ("0", 10001), ("x", 10001), ("99999", 110045), ("-1", 110046)]
)
def test_margin_that_cannot_be_moved(hand: Any, margin: str, code: int) -> None:
    hand.order("Buy", "0.1")
    assert hand.post("/v5/position/add-margin", margin=margin)["retCode"] == code


def test_margin_is_moved_only_in_isolated_mode_and_into_a_position(hand: Any) -> None:
    assert hand.post("/v5/position/add-margin", margin="1")["retCode"] == 10001
    hand.post("/v5/account/set-margin-mode", setMarginMode="REGULAR_MARGIN")
    assert hand.post("/v5/position/set-auto-add-margin", autoAddMargin=1)["retCode"] == 110076


def test_auto_margin_is_added_before_a_liquidation(hand: Any) -> None:
    hand.order("Buy", "0.1")
    assert hand.post("/v5/position/set-auto-add-margin", autoAddMargin=1)["retCode"] == 0
    hand.mark(str(round(hand.position.liquidation - 1, 1)))
    hand.wait(20)
    assert hand.position.lots == 100
    assert hand.position.extra_margin > 0


def test_tiers_bound_size_by_leverage(new_hand: Any) -> None:
    hand = new_hand(balance=Decimal(20_000_000))
    hand.post("/v5/position/set-leverage", buyLeverage="60", sellLeverage="60")
    assert hand.order("Buy", "40", "59000")["retCode"] == 110090
    hand.post("/v5/position/set-leverage", buyLeverage="50", sellLeverage="50")
    assert hand.order("Buy", "40", "59000")["retCode"] == 0
    codes = [hand.order("Buy", "1190", "59000")["retCode"] for _ in range(2)]
    assert codes == [110090, 110090]
    hand.post("/v5/position/set-leverage", buyLeverage="5", sellLeverage="5")
    assert [hand.order("Buy", "1400", "59000")["retCode"] for _ in range(2)] == [0, 110021]


def test_cash_is_logged(hand: Any) -> None:
    path = "/v5/account/transaction-log"
    hand.order("Buy", "0.1")
    hand.order("Sell", "0.1")
    close, opened = hand.get(path, accountType="UNIFIED", category="linear")["result"]["list"]
    assert (opened["type"], opened["cashFlow"], opened["fee"]) == ("TRADE", "0", "3.30055")
    assert Decimal(close["change"]) == Decimal(close["cashFlow"]) - Decimal(close["fee"])
    assert Decimal(close["cashBalance"]) == hand.exchange.account.balance
    hand.order("Buy", "0.1")
    hand.listing.next_funding_ms = hand.now + 5
    hand.wait(20)
    paid = hand.get(path, type="SETTLEMENT")["result"]["list"]
    assert [(row["funding"], row["change"]) for row in paid] == [("-0.6", "-0.6")]


def test_play_money(hand: Any) -> None:
    path, asked = "/v5/account/demo-apply-money", [{"coin": "USDT", "amountStr": "500"}]
    assert hand.post(path, adjustType=0, utaDemoApplyMoney=asked)["retCode"] == 0
    assert hand.exchange.account.balance == 10_500
    assert hand.post(path, utaDemoApplyMoney=asked)["retCode"] == 10006
    hand.wait(60_000)
    assert hand.post(path, adjustType=1, utaDemoApplyMoney=asked)["retCode"] == 0
    kinds = [row["type"] for row in hand.get("/v5/account/transaction-log")["result"]["list"]]
    assert kinds == ["TRANSFER_OUT", "TRANSFER_IN"]
    hand.wait(60_000)
    assert hand.post(path, utaDemoApplyMoney=[{"coin": "BTC", "amountStr": "1"}])["retCode"] == 10001


def test_dcp_is_off_unless_the_account_has_it(hand: Any) -> None:
    assert hand.get("/v5/account/query-dcp-info")["result"] == {"dcpInfos": []}
    body = {"product": "DERIVATIVES", "timeWindow": 10}
    assert hand.post("/v5/order/disconnected-cancel-all", **body)["retCode"] == 10005


@pytest.mark.parametrize(("window", "code"), [(2, 10001), (3, 0), (300, 0), (301, 10001)])
def test_the_window_of_dcp(new_hand: Any, window: int, code: int) -> None:
    hand = new_hand(dcp=True)
    body = {"product": "DERIVATIVES", "timeWindow": window}
    assert hand.post("/v5/order/disconnected-cancel-all", **body)["retCode"] == code


def test_dcp_cancels_what_works_when_nobody_is_there(new_hand: Any, dcp_client: Any) -> None:
    hand = new_hand(dcp=True)
    hand.order("Buy", "0.1", **GUARD, stopLoss="59000")
    hand.order("Buy", "0.1", "59500")
    private = dcp_client(hand)
    hand.wait(20_000)
    assert len(hand.exchange.open_orders()) == 2
    private.session.close()
    hand.wait(9_000)
    assert len(hand.exchange.open_orders()) == 2
    hand.wait(4_000)
    assert [order.stop_kind for order in hand.exchange.open_orders()] == ["StopLoss"]
    assert hand.records("order")[-1]["cancelType"] == "CancelByDCP"


def test_pre_check_is_for_cross_margin(hand: Any) -> None:
    body = {"side": "Buy", "orderType": "Limit", "qty": "0.1", "price": "59000"}
    assert hand.post("/v5/order/pre-check", **body)["retCode"] == 10028
    hand.post("/v5/account/set-margin-mode", setMarginMode="REGULAR_MARGIN")
    told = hand.post("/v5/order/pre-check", **body)["result"]
    assert told["preImrE4"] == 0 < told["postImrE4"]
    assert hand.exchange.open_orders() == []
