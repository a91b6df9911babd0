"""The REST door: envelope, signatures, limits, paging, and what each endpoint tells."""

import json
from typing import Any

import pytest

from breakwall.ports import HttpRequest
from breakwall.venues.exchange.routes import ROUTES


def test_public_answers_need_no_signature_and_private_ones_do(hand: Any) -> None:
    for (method, path), route in ROUTES.items():
        answer = hand.exchange.handle(HttpRequest(method, "", path, body=b"{}"), hand.now)
        code = json.loads(answer.body)["retCode"]
        assert (code == 10001) if route.per_second else (code in {0, 10001}), path


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"X-BAPI-API-KEY": "WRONG"}, 10003),
        ({"X-BAPI-SIGN": "0" * 64}, 10004),
        ({"X-BAPI-SIGN": "é"}, 10004),
        ({"X-BAPI-TIMESTAMP": "1700000009999"}, 10004),
    ],
)
def test_wrong_keys_are_named(hand: Any, headers: dict[str, str], code: int) -> None:
    assert json.loads(hand.send("GET", "/v5/account/info", **headers).body)["retCode"] == code


def test_unknown_paths_and_unreadable_bodies(hand: Any) -> None:
    assert hand.send("GET", "/v5/market/nothing").status == 404
    assert hand.send("DELETE", "/v5/order/create").status == 404
    assert hand.send("POST", "/v5/order/create", body=b"{not json").status == 400
    assert hand.send("POST", "/v5/order/create", body=b"[]").status == 400


def test_private_answers_tell_the_limit_and_keep_it(hand: Any) -> None:
    answers = [hand.send("GET", "/v5/account/fee-rate", "category=linear&symbol=BTCUSDT") for _ in range(6)]
    assert [answer.headers["x-bapi-limit-status"] for answer in answers] == ["4", "3", "2", "1", "0", "0"]
    assert [json.loads(answer.body)["retCode"] for answer in answers] == [0] * 5 + [10006]
    assert int(answers[-1].headers["x-bapi-limit-reset-timestamp"]) > hand.now
    hand.wait(1000)
    assert hand.get("/v5/account/fee-rate", category="linear", symbol="BTCUSDT")["retCode"] == 0


def test_time(hand: Any) -> None:
    answer = hand.get("/v5/market/time")
    assert answer["result"] == {"timeSecond": str(hand.now // 1000), "timeNano": f"{hand.now}000000"}
    assert (answer["time"], answer["retExtInfo"]) == (hand.now, {})


def test_instruments_page_by_page(hand: Any) -> None:
    seen, cursor = [], ""
    while True:
        result = hand.get("/v5/market/instruments-info", category="linear", limit=3, cursor=cursor)["result"]
        seen += [(row["symbol"], row["priceFilter"]["tickSize"]) for row in result["list"]]
        cursor = result["nextPageCursor"]
        if not cursor:
            break
    assert seen == [("BTCUSDT", "0.10"), ("ETHUSDT", "0.01"), ("SOLUSDT", "0.010"), ("DOGEUSDT", "0.00001")]


@pytest.mark.parametrize("params", [{"category": "spot"}, {"category": "linear", "status": "PreLaunch"}])
def test_what_is_not_listed_is_an_empty_list(hand: Any, params: dict[str, str]) -> None:
    assert hand.get("/v5/market/instruments-info", **params)["result"]["list"] == []


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/v5/market/instruments-info", {"category": "stocks"}),
        ("/v5/market/instruments-info", {"category": "linear", "limit": "1001"}),
        ("/v5/market/orderbook", {"category": "linear", "symbol": "NONE"}),
        ("/v5/market/orderbook", {"category": "linear", "symbol": "BTCUSDT", "limit": "1" * 5000}),
        ("/v5/order/realtime", {"category": "linear"}),
        ("/v5/position/list", {"category": "linear"}),
        ("/v5/account/wallet-balance", {"accountType": "SPOT"}),
        ("/v5/order/history", {"category": "linear", "startTime": 1, "endTime": 9_000_000_000}),
    ],
)
def test_wrong_parameters(hand: Any, path: str, params: dict[str, object]) -> None:
    assert hand.get(path, **params)["retCode"] == 10001


def test_tiers_prices_and_status(hand: Any) -> None:
    tiers = hand.get("/v5/market/risk-limit", category="linear", symbol="BTCUSDT")["result"]["list"]
    names = ("riskLimitValue", "maintenanceMargin", "initialMargin", "maxLeverage", "mmDeduction", "isLowestRisk")
    assert [tuple(row[name] for name in names) for row in tiers] == [
        ("2000000", "0.005", "0.0100", "100.00", "", 1),
        ("10000000", "0.01", "0.0200", "50.00", "10000", 0),
        ("50000000", "0.02", "0.0400", "25.00", "110000", 0),
        ("100000000", "0.05", "0.1000", "10.00", "1610000", 0),
    ]
    assert len(hand.get("/v5/market/risk-limit", category="linear")["result"]["list"]) == 16
    limit = hand.get("/v5/market/price-limit", category="linear", symbol="BTCUSDT")["result"]
    assert (limit["buyLmt"], limit["sellLmt"]) == ("60600.00", "59400.00")
    assert hand.get("/v5/system/status")["result"] == {"list": []}


def test_funding_rates_that_were_settled(hand: Any) -> None:
    path, symbol = "/v5/market/funding/history", {"category": "linear", "symbol": "BTCUSDT"}
    assert hand.get(path, **symbol)["result"]["list"] == []
    due = hand.listing.next_funding_ms
    hand.now = hand.exchange.now_ms = hand.exchange._next_step_ms = due - 10  # hours in one leap
    hand.wait(20)
    rows = hand.get(path, **symbol)["result"]["list"]
    assert rows == [{"symbol": "BTCUSDT", "fundingRate": "0.0001", "fundingRateTimestamp": str(due)}]
    assert hand.get(path, **symbol, startTime=due + 1, endTime=due + 2)["result"]["list"] == []
    assert hand.get(path, **symbol, startTime=due)["retCode"] == 10001


def test_order_book_and_trades(hand: Any) -> None:
    book = hand.get("/v5/market/orderbook", category="linear", symbol="BTCUSDT", limit=1)["result"]
    assert (book["b"], book["a"]) == ([["59990.00", "10.000"]], [["60010.00", "10.000"]])
    hand.order("Buy", "0.1")
    hand.wait(10)
    trade = hand.get("/v5/market/recent-trade", category="linear", symbol="BTCUSDT")["result"]["list"][0]
    assert (trade["price"], trade["size"], trade["side"]) == ("60010.00", "0.100", "Buy")
    ticker = hand.get("/v5/market/tickers", category="linear", symbol="BTCUSDT")["result"]["list"][0]
    assert (ticker["lastPrice"], ticker["markPrice"], ticker["bid1Price"]) == ("60010.00", "60000.00", "59990.00")


def test_orders_are_listed_newest_first_page_by_page(hand: Any) -> None:
    ids = [hand.placed("Buy", "0.001", "59000")["orderId"] for _ in range(5)]
    params = {"category": "linear", "settleCoin": "USDT", "limit": 2}
    first = hand.get("/v5/order/realtime", **params)["result"]
    second = hand.get("/v5/order/realtime", **params, cursor=first["nextPageCursor"])["result"]
    last = hand.get("/v5/order/realtime", **params, cursor=second["nextPageCursor"])["result"]
    assert [row["orderId"] for page in (first, second, last) for row in page["list"]] == ids[::-1]
    assert last["nextPageCursor"] == ""


def test_history_holds_ended_orders_only(hand: Any) -> None:
    filled = hand.placed("Buy", "0.1")
    hand.placed("Buy", "0.1", "59000")
    rows = hand.get("/v5/order/history", category="linear", symbol="BTCUSDT")["result"]["list"]
    assert [row["orderId"] for row in rows] == [filled["orderId"]]
    closed = hand.get("/v5/order/realtime", category="linear", symbol="BTCUSDT", openOnly=1)["result"]["list"]
    assert [row["orderStatus"] for row in closed] == ["Filled"]
    rejected = hand.get("/v5/order/history", category="linear", orderStatus="Rejected")["result"]["list"]
    assert rejected == []


def test_executions_by_order_and_type(hand: Any) -> None:
    order = hand.placed("Buy", "0.1")
    hand.order("Sell", "0.05")
    path = "/v5/execution/list"
    assert len(hand.get(path, category="linear", symbol="BTCUSDT")["result"]["list"]) == 2
    row = hand.get(path, category="linear", orderId=order["orderId"])["result"]["list"][0]
    assert (row["execPrice"], row["execQty"], row["execFee"], row["isMaker"]) == ("60010", "0.100", "3.30055", False)
    assert hand.get(path, category="linear", execType="Funding")["result"]["list"] == []


def test_positions_by_symbol_also_flat_by_coin_only_open(hand: Any) -> None:
    path = "/v5/position/list"
    flat = hand.get(path, category="linear", symbol="ETHUSDT")["result"]["list"]
    assert [(row["symbol"], row["side"], row["size"], row["liqPrice"]) for row in flat] == [
        ("ETHUSDT", "", "0.00", "")
    ]
    assert hand.get(path, category="linear", settleCoin="USDT")["result"]["list"] == []
    hand.order("Sell", "0.1")
    rows = hand.get(path, category="linear", settleCoin="USDT")["result"]["list"]
    assert [(row["side"], row["size"], row["avgPrice"], row["leverage"]) for row in rows] == [
        ("Sell", "0.100", "59990", "10")
    ]
    assert hand.get(path, category="inverse", limit=200)["result"]["list"] == []


@pytest.mark.parametrize(
    ("leverage", "code"), [("20", 0), ("10", 110043), ("100.5", 110013), ("0.5", 10001), ("many", 10001)]
)
def test_leverage(hand: Any, leverage: str, code: int) -> None:
    answer = hand.post("/v5/position/set-leverage", buyLeverage=leverage, sellLeverage=leverage)
    assert answer["retCode"] == code
    assert hand.position.leverage == (20 if code == 0 else 10)


def test_leverage_that_the_balance_cannot_carry(hand: Any) -> None:
    hand.order("Buy", "1.5")
    assert hand.post("/v5/position/set-leverage", buyLeverage="2", sellLeverage="2")["retCode"] == 110044
    assert hand.position.leverage == 10


def test_account_facts(hand: Any) -> None:
    info = hand.get("/v5/account/info")["result"]
    assert (info["unifiedMarginStatus"], info["marginMode"]) == (5, "ISOLATED_MARGIN")
    key = hand.get("/v5/user/query-api")["result"]
    assert (key["uta"], key["readOnly"], key["permissions"]["Wallet"]) == (1, 0, [])
    coin = hand.get("/v5/account/wallet-balance", accountType="UNIFIED", coin="USDT")["result"]["list"][0]["coin"][0]
    assert (coin["walletBalance"], coin["equity"]) == ("10000", "10000")
    fees = hand.get("/v5/account/fee-rate", category="linear", symbol="BTCUSDT")["result"]["list"]
    assert fees == [{"symbol": "BTCUSDT", "takerFeeRate": "0.00055", "makerFeeRate": "0.0002", "baseCoin": ""}]
    coins = hand.get("/v5/asset/coin/query-info")["result"]["rows"]
    assert [row["coin"] for row in coins] == ["USDT", "BTC", "ETH", "SOL", "DOGE"]
