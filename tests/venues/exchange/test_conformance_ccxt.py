"""An unmodified ccxt and ccxt.pro against the server: only the addresses are changed."""

import asyncio
from typing import Any

import pytest

from breakwall.venues.exchange.server import Where

pro = pytest.importorskip("ccxt.pro", reason="ccxt is not installed; it is no dependency")

SYMBOL = "BTC/USDT:USDT"
READS = (
    *("fetch_time", "fetch_currencies", "fetch_tickers", "fetch_balance", "fetch_positions", "fetch_ledger"),
    *("fetch_trading_fees", "fetch_funding_rates", "fetch_bids_asks"),
)
READS_OF_A_SYMBOL = (
    *("fetch_order_book", "fetch_ohlcv", "fetch_trades", "fetch_funding_rate", "fetch_funding_rate_history"),
    *("fetch_market_leverage_tiers", "fetch_leverage", "fetch_position", "fetch_my_trades", "fetch_open_orders"),
    *("fetch_closed_orders", "fetch_canceled_orders", "fetch_trading_fee", "fetch_funding_history"),
)
WATCHES = ("watch_ticker", "watch_trades", "watch_ohlcv", "watch_orders", "watch_my_trades")


def connected(where: Where) -> Any:
    client = pro.bybit(
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
    sockets["private"] |= {"contract": where.private, "usdc": where.private, "trade": where.trade}
    sockets["private"]["spot"]["unified"] = where.private
    return client


def test_ccxt_reads(where: Where) -> None:
    asyncio.run(with_client(where, _read))


def test_ccxt_trades_and_watches(where: Where) -> None:
    asyncio.run(with_client(where, _trade))


def test_ccxt_orders_over_the_trade_socket_and_in_batches(where: Where) -> None:
    asyncio.run(with_client(where, _order))


async def with_client(where: Where, act: Any) -> None:
    client = connected(where)
    try:
        assert len(await client.load_markets()) == 4
        await act(client, (await client.fetch_order_book(SYMBOL))["bids"][0][0])
    finally:
        await client.close()


async def _read(client: Any, _best: float) -> None:
    for name in READS:
        await getattr(client, name)()
    for name in READS_OF_A_SYMBOL:
        await getattr(client, name)(SYMBOL)
    tiers = await client.fetch_market_leverage_tiers(SYMBOL)
    assert [tier["maintenanceMarginRate"] for tier in tiers] == [0.005, 0.01, 0.02, 0.05]


async def _trade(client: Any, best: float) -> None:
    watched = [asyncio.create_task(getattr(client, name)(SYMBOL)) for name in WATCHES]
    watched.append(asyncio.create_task(client.watch_balance()))
    order = await client.create_order(SYMBOL, "limit", "buy", 0.01, best - 50)
    await asyncio.sleep(0.05)
    assert [row["id"] for row in await client.fetch_open_orders(SYMBOL)] == [order["id"]]
    await client.cancel_order(order["id"], SYMBOL)
    assert len((await client.watch_order_book(SYMBOL, 50))["bids"]) == 50
    for mode in ("cross", "isolated"):
        await client.set_margin_mode(mode, SYMBOL)
    await client.set_leverage(5, SYMBOL)
    assert await client.watch_positions([SYMBOL]) == []
    watched.append(asyncio.create_task(client.watch_positions([SYMBOL])))
    stop = {"stopLoss": {"triggerPrice": round(best * 0.98, 1)}}
    await client.create_order(SYMBOL, "market", "buy", 0.01, None, stop)
    await client.create_order(SYMBOL, "market", "sell", 0.01, None, {"trailingAmount": 100})
    seen = await asyncio.wait_for(asyncio.gather(*watched), 60)
    names = (*WATCHES, "watch_balance", "watch_positions")
    assert [name for name, value in zip(names, seen, strict=True) if not value] == []
    position = await client.fetch_position(SYMBOL)
    assert (position["contracts"], position["leverage"]) == (0.01, 5)
    assert position["stopLossPrice"] == stop["stopLoss"]["triggerPrice"]
    await client.create_order(SYMBOL, "market", "sell", 0.01, None, {"reduceOnly": True})
    await asyncio.sleep(0.05)
    assert (await client.fetch_balance())["USDT"]["total"] < 10_000
    assert len(await client.fetch_my_trades(SYMBOL)) >= 2
    assert (await client.fetch_positions_history([SYMBOL]))[0]["contracts"] == 0.01


async def _order(client: Any, best: float) -> None:
    order = await client.create_order_ws(SYMBOL, "limit", "buy", 0.01, best - 100)
    await client.edit_order_ws(order["id"], SYMBOL, "limit", "buy", 0.02, best - 110)
    await client.cancel_order_ws(order["id"], SYMBOL)
    wanted = {"symbol": SYMBOL, "type": "limit", "side": "buy", "amount": 0.01}
    made = await client.create_orders([{**wanted, "price": best - 100 - place} for place in range(3)])
    await asyncio.sleep(0.05)
    await client.edit_orders([{**wanted, "id": one["id"], "price": best - 150} for one in made])
    assert len(await client.cancel_orders([one["id"] for one in made], SYMBOL)) == 3
    await client.cancel_all_orders(SYMBOL)
