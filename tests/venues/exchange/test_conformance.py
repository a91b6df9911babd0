"""An unmodified pybit client against the server: only its addresses are changed."""

import time
from collections.abc import Callable
from typing import Any

import pybit._websocket_trading
import pybit.unified_trading
import pytest
from pybit.unified_trading import HTTP, WebSocket, WebSocketTrading

from breakwall.venues.exchange.server import Where


def until(condition: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"never came: {what}"
        time.sleep(0.01)


def rest(where: Where) -> HTTP:
    session = HTTP(api_key=where.api_key, api_secret=where.api_secret)
    session.endpoint = where.http
    return session


def test_pybit_trades_over_rest(where: Where) -> None:
    session = rest(where)
    btc = {"category": "linear", "symbol": "BTCUSDT"}
    assert session.get_server_time()["retCode"] == 0
    assert len(session.get_instruments_info(category="linear")["result"]["list"]) == 4
    assert len(session.get_orderbook(**btc, limit=50)["result"]["b"]) == 50
    ask = float(session.get_tickers(**btc)["result"]["list"][0]["ask1Price"])
    for read in ("kline", "public_trade_history", "risk_limit", "funding_rate_history", "price_limit"):
        interval = {"interval": 1} if read == "kline" else {}
        assert getattr(session, f"get_{read}")(**btc, **interval)["retCode"] == 0
    session.set_margin_mode(setMarginMode="ISOLATED_MARGIN")
    session.set_leverage(**btc, buyLeverage="5", sellLeverage="5")
    stop = f"{ask * 0.98:.1f}"
    bought = session.place_order(
        **btc, side="Buy", orderType="Market", qty="0.01", stopLoss=stop, slTriggerBy="MarkPrice", tpslMode="Full"
    )["result"]["orderId"]

    def position() -> dict[str, Any]:
        return session.get_positions(**btc)["result"]["list"][0]

    until(lambda: position()["size"] == "0.010", "the position")
    assert float(position()["stopLoss"]) == float(stop)
    assert session.get_executions(category="linear", orderId=bought)["result"]["list"]
    tighter = f"{ask * 0.99:.1f}"
    session.set_trading_stop(**btc, tpslMode="Full", positionIdx=0, stopLoss=tighter, slTriggerBy="MarkPrice")
    until(lambda: float(position()["stopLoss"]) == float(tighter), "the moved stop")
    _amend_and_cancel(session, btc, f"{ask * 0.995:.1f}", f"{ask * 0.994:.1f}")
    session.place_order(**btc, side="Sell", orderType="Market", qty="0", reduceOnly=True, closeOnTrigger=True)
    until(lambda: position()["size"] == "0.000", "the closed position")
    assert session.get_open_orders(**btc)["result"]["list"] == []
    assert session.get_closed_pnl(category="linear")["result"]["list"][0]["closedSize"] == "0.010"
    assert session.get_order_history(**btc)["result"]["list"][0]["orderStatus"] in {"Filled", "Deactivated"}
    assert float(session.get_wallet_balance(accountType="UNIFIED")["result"]["list"][0]["totalEquity"]) < 10_000


def _amend_and_cancel(session: HTTP, btc: dict[str, str], price: str, other: str) -> None:
    order = session.place_order(**btc, side="Buy", orderType="Limit", qty="0.01", price=price, orderLinkId="mine-1")
    order_id = order["result"]["orderId"]

    def told() -> dict[str, Any]:
        rows = session.get_open_orders(**btc, orderId=order_id)["result"]["list"]
        return rows[0] if rows else {}

    until(lambda: told().get("orderStatus") == "New", "the resting order")
    session.amend_order(**btc, orderLinkId="mine-1", price=other)
    until(lambda: float(told()["price"]) == float(other), "the amended order")
    session.cancel_order(**btc, orderId=order_id)
    until(lambda: told()["orderStatus"] == "Cancelled", "the cancelled order")


def test_pybit_listens_to_both_sockets(where: Where, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        pybit.unified_trading, "PUBLIC_WSS", where.public.replace("/public/linear", "/public/{CHANNEL_TYPE}")
    )
    monkeypatch.setattr(pybit.unified_trading, "PRIVATE_WSS", where.private)
    heard: dict[str, list[Any]] = {}

    def note(name: str) -> Callable[[Any], None]:
        return lambda message: heard.setdefault(name, []).append(message)

    public = WebSocket(testnet=False, channel_type="linear")
    private = WebSocket(testnet=False, channel_type="private", api_key=where.api_key, api_secret=where.api_secret)
    try:
        public.orderbook_stream(50, "BTCUSDT", note("book"))
        public.trade_stream("BTCUSDT", note("trade"))
        public.ticker_stream("BTCUSDT", note("ticker"))
        public.kline_stream(1, "BTCUSDT", note("kline"))
        for name in ("order", "execution", "fast_execution", "position", "wallet"):
            getattr(private, f"{name}_stream")(note(name))
        until(lambda: {"book", "ticker"} <= heard.keys(), "the book and the ticker")
        time.sleep(0.1)  # the private subscriptions have no answer that pybit would show
        rest(where).place_order(category="linear", symbol="BTCUSDT", side="Buy", orderType="Market", qty="0.01")
        wanted = {"book", "trade", "ticker", "kline", "order", "execution", "fast_execution", "position", "wallet"}
        until(lambda: heard.keys() >= wanted, f"some of {wanted}")
        assert heard["order"][-1]["data"][0]["orderStatus"] == "Filled"
        book = heard["book"][-1]["data"]
        assert max(float(price) for price, _ in book["b"]) < min(float(price) for price, _ in book["a"])
    finally:
        public.exit()
        private.exit()


def test_pybit_orders_over_the_trade_socket(where: Where, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pybit._websocket_trading, "TRADE_WSS", where.trade)
    line = WebSocketTrading(testnet=False, api_key=where.api_key, api_secret=where.api_secret)
    answers: list[Any] = []

    def asked(act: Callable[..., Any], **body: object) -> Any:
        answers.clear()
        act(answers.append, answers.append, category="linear", **body)
        until(lambda: bool(answers), "the answer")
        return answers[0]

    try:
        until(lambda: line.auth, "the login")
        limit = {"side": "Buy", "orderType": "Limit", "qty": "0.01", "price": "50000"}
        made = asked(line.place_order, symbol="BTCUSDT", **limit, orderLinkId="ws-1")
        assert (made["retCode"], made["header"]["X-Bapi-Limit"]) == (0, "10")
        assert asked(line.amend_order, symbol="BTCUSDT", orderLinkId="ws-1", qty="0.02")["retCode"] == 0
        assert asked(line.cancel_order, symbol="BTCUSDT", orderLinkId="ws-1")["retCode"] == 0
        time.sleep(0.05)
        assert asked(line.cancel_order, symbol="BTCUSDT", orderLinkId="ws-1")["retCode"] == 110010
        batch = [{"symbol": "BTCUSDT", **limit, "orderLinkId": f"ws-b{n}"} for n in range(3)]
        batch[1] = batch[1] | {"qty": "0"}
        made = asked(line.place_batch_order, request=batch)
        assert [item["code"] for item in made["retExtInfo"]["list"]] == [0, 10001, 0]
    finally:
        line.exit()


def test_pybit_sets_up_the_account_and_sends_batches(where: Where) -> None:
    session, btc = rest(where), {"category": "linear", "symbol": "BTCUSDT"}
    assert session.get_account_info()["result"]["unifiedMarginStatus"] == 5
    assert session.get_api_key_information()["result"]["uta"] == 1
    session.switch_position_mode(**btc, mode=3)
    limit = {"symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "qty": "0.01", "price": "60000"}
    made = session.place_batch_order(category="linear", request=[limit | {"positionIdx": 1}, limit])
    assert [item["code"] for item in made["retExtInfo"]["list"]] == [0, 10001]
    time.sleep(0.05)
    first = made["result"]["list"][0]["orderId"]
    changed = session.amend_batch_order(
        category="linear", request=[{"symbol": "BTCUSDT", "orderId": first, "qty": "0.02"}]
    )
    assert changed["retExtInfo"]["list"][0]["code"] == 0
    gone = session.cancel_batch_order(category="linear", request=[{"symbol": "BTCUSDT", "orderId": first}])
    assert gone["result"]["list"][0]["orderId"] == first
    time.sleep(0.05)
    session.set_margin_mode(setMarginMode="REGULAR_MARGIN")
    assert session.get_fee_rates(**btc)["result"]["list"][0]["takerFeeRate"] == "0.00055"
    assert session.get_transaction_log(accountType="UNIFIED")["retCode"] == 0
    demo = HTTP(demo=True, api_key=where.api_key, api_secret=where.api_secret)
    demo.endpoint = where.http
    demo.request_demo_trading_funds()
    coin = session.get_wallet_balance(accountType="UNIFIED", coin="USDT")["result"]["list"][0]["coin"][0]
    assert coin["walletBalance"] == "20000"
