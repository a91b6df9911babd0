"""An unmodified pybit client against the server: only its addresses are changed."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pybit.unified_trading
import pytest
from pybit.unified_trading import HTTP, WebSocket

from breakwall.clock import SystemClock
from breakwall.venues.exchange.exchange import Exchange
from breakwall.venues.exchange.server import Server, Where, listening


@pytest.fixture
def where() -> Iterator[Where]:
    """A server in a thread of its own, as pybit blocks."""
    started: list[tuple[Where, Server, asyncio.AbstractEventLoop]] = []
    ready = threading.Event()

    async def run() -> None:
        clock = SystemClock()
        server = Server(Exchange(4711, "calm", clock.now_ms()), clock)
        async with listening(server, 0) as address:
            started.append((address, server, asyncio.get_running_loop()))
            ready.set()
            await server.stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    assert ready.wait(10)
    address, server, loop = started[0]
    yield address
    loop.call_soon_threadsafe(server.stop.set)
    thread.join(10)


def until(condition: Callable[[], bool], what: str, seconds: float = 5.0) -> None:
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


def test_ccxt_trades_and_watches(where: Where) -> None:
    client = pytest.importorskip("ccxt.pro", reason="ccxt is not installed; it is no dependency").bybit(
        {
            "apiKey": where.api_key,
            "secret": where.api_secret,
            "options": {"fetchMarkets": {"types": ["linear"]}, "defaultType": "swap"},
        }
    )
    for name in ("spot", "futures", "v2", "public", "private"):
        client.urls["api"][name] = where.http
    sockets = client.urls["api"]["ws"]
    sockets["public"]["linear"] = where.public
    sockets["private"] |= {"contract": where.private, "usdc": where.private}
    asyncio.run(_trade_with_ccxt(client))


async def _trade_with_ccxt(client: Any) -> None:
    symbol = "BTC/USDT:USDT"
    try:
        assert len(await client.load_markets()) == 4
        best = (await client.fetch_order_book(symbol))["bids"][0][0]
        watched = [asyncio.create_task(watch(symbol)) for watch in (client.watch_orders, client.watch_my_trades)]
        order = await client.create_order(symbol, "limit", "buy", 0.01, best - 50)
        await asyncio.sleep(0.05)
        assert [row["id"] for row in await client.fetch_open_orders(symbol)] == [order["id"]]
        await client.cancel_order(order["id"], symbol)
        assert len((await client.watch_order_book(symbol, 50))["bids"]) == 50
        await client.set_leverage(5, symbol)
        stop = {"stopLoss": {"triggerPrice": round(best * 0.98, 1)}}
        await client.create_order(symbol, "market", "buy", 0.01, None, stop)
        assert all(await asyncio.wait_for(asyncio.gather(*watched), 5))
        position = await client.fetch_position(symbol)
        assert (position["contracts"], position["leverage"]) == (0.01, 5)
        assert position["stopLossPrice"] == stop["stopLoss"]["triggerPrice"]
        assert await client.fetch_ohlcv(symbol, "1m")
        assert (await client.fetch_balance())["USDT"]["total"] < 10_000
    finally:
        await client.close()
