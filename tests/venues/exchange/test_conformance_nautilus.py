"""An unmodified NautilusTrader against the server: only its addresses are changed."""

import asyncio
from typing import Any

import pytest

from breakwall.venues.exchange.server import Where

pytest.importorskip("nautilus_trader", reason="NautilusTrader is not installed; it is no dependency")

SYMBOL = "BTCUSDT"


def test_nautilus_trades_and_listens(where: Where) -> None:
    asyncio.run(_trade(where))


async def _trade(where: Where) -> None:
    from nautilus_trader.adapters.bybit.common.enums import BybitProductType as Product
    from nautilus_trader.adapters.bybit.http.account import BybitAccountHttpAPI
    from nautilus_trader.adapters.bybit.http.client import BybitHttpClient
    from nautilus_trader.adapters.bybit.http.market import BybitMarketHttpAPI
    from nautilus_trader.adapters.bybit.providers import BybitInstrumentProvider
    from nautilus_trader.common.component import LiveClock

    clock = LiveClock()
    http = BybitHttpClient(clock, where.api_key, where.api_secret, where.http)
    provider = BybitInstrumentProvider(http, clock, [Product.LINEAR])
    await provider.load_all_async()
    assert {str(one.id) for one in provider.list_all()} == {
        f"{symbol}-LINEAR.BYBIT" for symbol in ("BTCUSDT", "ETHUSDT", "SOLUSDT", "DOGEUSDT")
    }
    market, account = BybitMarketHttpAPI(http, clock), BybitAccountHttpAPI(http, clock)
    ticker = (await market.fetch_tickers(Product.LINEAR, SYMBOL))[0]
    assert (await account.fetch_account_info()).marginMode.value == "ISOLATED_MARGIN"
    balances, _time = await account.query_wallet_balance()
    assert balances[0].coin[0].walletBalance == "10000"
    private, heard = await _listen(where, clock)
    await _orders(account, where, clock, float(ticker.bid1Price))
    await asyncio.sleep(0.3)
    assert {"order", "execution", "wallet"} <= {message.topic for message in heard}
    assert await account.query_position_info(Product.LINEAR, SYMBOL)
    assert await account.query_trade_history(Product.LINEAR, SYMBOL)
    await private.disconnect()


async def _listen(where: Where, clock: Any) -> tuple[Any, list[Any]]:
    """The private socket, with what its own types make of our messages."""
    import msgspec
    from nautilus_trader.adapters.bybit.schemas import ws
    from nautilus_trader.adapters.bybit.websocket.client import BybitWebSocketClient

    kinds = {
        "order": ws.BybitWsAccountOrderMsg,
        "execution": ws.BybitWsAccountExecutionMsg,
        "wallet": ws.BybitWsAccountWalletMsg,
    }
    heard: list[Any] = []

    def handle(raw: bytes) -> None:
        topic = msgspec.json.decode(raw).get("topic")
        if topic:
            heard.append(msgspec.json.decode(raw, type=kinds[topic]))

    private = BybitWebSocketClient(
        clock,
        where.private,
        handle,
        None,
        where.api_key,
        where.api_secret,
        asyncio.get_running_loop(),
        is_private=True,
    )
    await private.connect()
    await private.subscribe_orders_update()
    await private.subscribe_executions_update()
    await private.subscribe_wallet_update()
    return private, heard


async def _orders(account: Any, where: Where, clock: Any, bid: float) -> None:
    """A resting order over REST, amended and cancelled; a market order over the trade socket."""
    from nautilus_trader.adapters.bybit.common.enums import BybitOrderSide as Side
    from nautilus_trader.adapters.bybit.common.enums import BybitOrderType as Type
    from nautilus_trader.adapters.bybit.common.enums import BybitProductType as Product
    from nautilus_trader.adapters.bybit.common.enums import BybitTimeInForce as TimeInForce
    from nautilus_trader.adapters.bybit.websocket.client import BybitWebSocketClient

    resting = {"price": f"{bid - 100:.1f}", "time_in_force": TimeInForce.GTC, "client_order_id": "n-1"}
    await account.place_order(Product.LINEAR, SYMBOL, Side.BUY, "0.01", False, Type.LIMIT, **resting)
    await asyncio.sleep(0.05)
    (found,) = await account.query_open_orders(Product.LINEAR, SYMBOL)
    assert (found.orderLinkId, found.orderStatus.value) == ("n-1", "New")
    await account.amend_order(Product.LINEAR, SYMBOL, client_order_id="n-1", price=f"{bid - 90:.1f}")
    await account.cancel_order(Product.LINEAR, SYMBOL, client_order_id="n-1")
    line = BybitWebSocketClient(
        clock,
        where.trade,
        lambda raw: None,
        None,
        where.api_key,
        where.api_secret,
        asyncio.get_running_loop(),
        is_trade=True,
    )
    await line.connect()
    answer = await line.place_order(Product.LINEAR, SYMBOL, Side.BUY, "0.01", False, Type.MARKET)
    assert answer.retCode == 0
    await line.disconnect()
    await account.cancel_all_orders(Product.LINEAR, SYMBOL)
