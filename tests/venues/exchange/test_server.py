"""The loopback server: ports, delays, slow clients, its end."""

import asyncio
import json
import socket

import aiohttp
import pytest

from breakwall.clock import SystemClock
from breakwall.venues.exchange.exchange import Exchange
from breakwall.venues.exchange.server import PortError, Server, active_ms, listening


def server(scenario: str | None = None, linger_s: float = 0.0) -> Server:
    clock = SystemClock()
    return Server(Exchange(1, scenario, clock.now_ms()), clock, linger_s)


@pytest.mark.asyncio
async def test_rest_and_sockets_on_one_port() -> None:
    async with listening(server("tour"), 0) as where, aiohttp.ClientSession() as client:
        async with client.get(f"{where.http}/v5/market/time") as answer:
            assert (await answer.json())["retCode"] == 0
        async with client.get(f"{where.http}/v5/nothing") as answer:
            assert answer.status == 404
        async with client.ws_connect(where.public) as ws:
            await ws.send_str(json.dumps({"op": "subscribe", "args": ["orderbook.50.BTCUSDT"]}))
            kinds = [(await ws.receive_json(timeout=60)).get("type") for _ in range(3)]
            assert kinds == [None, "snapshot", "delta"]
        async with client.ws_connect(where.private) as ws:
            await ws.send_str(json.dumps({"op": "ping"}))
            assert (await ws.receive_json(timeout=60))["op"] == "pong"
        async with client.ws_connect(f"{where.trade}?max_active_time=1m") as ws:
            await ws.send_str(json.dumps({"op": "ping", "reqId": "x"}))
            pong = await ws.receive_json(timeout=60)
            assert (pong["reqId"], pong["op"], pong["retCode"]) == ("x", "pong", 0)
    assert where.control == f"{where.http}/control"


@pytest.mark.parametrize(
    ("asked", "ms"),
    [("", 600_000), ("45s", 45_000), ("1m", 60_000), ("1s", 30_000), ("99m", 600_000), ("soon", 600_000)],
)
def test_how_long_a_socket_may_be_silent(asked: str, ms: int) -> None:
    assert active_ms(asked) == ms


@pytest.mark.asyncio
async def test_a_port_in_use_is_named_with_the_remedy() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortError, match=rf"port {port} on 127\.0\.0\.1: expected a free port.*--port 0"):
            async with listening(server(), port):
                pass


@pytest.mark.asyncio
async def test_it_leaves_when_nobody_comes() -> None:
    lonely = server(linger_s=0.05)
    async with listening(lonely, 0):
        await asyncio.wait_for(lonely.stop.wait(), 60)


@pytest.mark.asyncio
async def test_it_stays_while_a_socket_is_open() -> None:
    visited = server(linger_s=0.05)
    async with listening(visited, 0) as where, aiohttp.ClientSession() as client:
        async with client.ws_connect(where.public):
            await asyncio.sleep(0.2)
            assert not visited.stop.is_set()
        await asyncio.wait_for(visited.stop.wait(), 60)


@pytest.mark.asyncio
async def test_a_client_that_does_not_read_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("breakwall.venues.exchange.server._QUEUE_FRAMES", 1)
    async with (
        listening(server("tour"), 0) as where,
        aiohttp.ClientSession() as client,
        client.ws_connect(where.public) as ws,
    ):
        topics = [f"orderbook.1000.{symbol}" for symbol in ("BTCUSDT", "ETHUSDT", "SOLUSDT", "DOGEUSDT")]
        await ws.send_str(json.dumps({"op": "subscribe", "args": topics}))
        async with asyncio.timeout(60):
            async for _ in ws:
                pass
        assert ws.closed


@pytest.mark.asyncio
async def test_an_exchange_that_breaks_stops_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = server()

    def explode(now_ms: int) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(broken.exchange, "advance", explode)
    with pytest.raises(RuntimeError, match="broken"):
        async with listening(broken, 0):
            await asyncio.wait_for(broken.stop.wait(), 60)
