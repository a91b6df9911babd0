"""How soon ten positions are being closed: from the decision to flatten until ten closes are out, and answered.

The whole engine of a run takes part (core, journal on a disk with its commit, last gate, executor, Bybit adapter,
aiohttp), first over the trade socket, then over REST. Beside it, without any decision, journal or gate: ten signed
orders with bare aiohttp, at once over REST and over one WebSocket, and with pybit, one after the other and from ten
threads. Everybody talks to the same trivial server in a process of its own, which answers at once.

"out" is when the last byte of the tenth order was handed to the socket: what we can do something about, and all that
a closing position needs from us. "arrived" is when the server has read the tenth (the clock is the machine's),
"answered" when the tenth answer was read. Milliseconds; medians and the worst twentieth.

    python benchmarks/flatten.py [--runs 40] [--folder DIR]
"""

import argparse
import asyncio
import hashlib
import hmac
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from breakwall import points
from breakwall.clock import SystemClock
from breakwall.engine.inbox import Inbox
from breakwall.engine.loop import Engine
from breakwall.model.events import (
    Account,
    Command,
    CommandKind,
    Instruments,
    Link,
    LinkChanged,
    PositionReport,
    ReadBack,
    Wallet,
)
from breakwall.model.units import Instrument
from breakwall.modes import NoMarkets
from breakwall.points import Point
from breakwall.settings import Settings, VenueSettings
from breakwall.storage.journal import SqliteJournal
from breakwall.venues.bybit.broker import BybitBroker
from breakwall.venues.bybit.endpoints import Urls
from breakwall.venues.transport import AiohttpTransport

TEN = 10
SYMBOLS = tuple(f"COIN{n}USDT" for n in range(TEN))
LIMITS_MS = {"ws": 1.5, "rest": 3.0}
KEY, SECRET = "benchmark", "benchmark"
CASH = Wallet(Decimal(10_000), Decimal(10_000), Decimal(10_000), at_ms=1)
ORDER = {
    "category": "linear", "symbol": "BTCUSDT", "side": "Sell", "orderType": "Market", "qty": "0.010",
    "timeInForce": "IOC", "positionIdx": 0, "orderLinkId": "bench-0000000001", "reduceOnly": True,
}  # fmt: skip


# The server ------------------------------------------------------------------------------------------


class Exchange:
    """Answers everything at once, and remembers when each order had arrived."""

    def __init__(self) -> None:
        self.arrived: list[float] = []
        self.orders = 0

    async def order(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.arrived.append(time.perf_counter())
        result, extra = taken(json.loads(body))
        self.orders += len(result.get("list", [1]))
        return web.json_response(
            {"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": extra, "time": now_ms()}
        )

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            asked = json.loads(message.data)
            answer = {"reqId": asked.get("reqId", ""), "retCode": 0, "retMsg": "OK", "op": asked["op"]}
            if asked["op"].startswith("order."):
                self.arrived.append(time.perf_counter())
                answer["data"], answer["retExtInfo"] = taken(asked["args"][0])
                self.orders += len(answer["data"].get("list", [1]))
            await socket.send_str(json.dumps(answer))
        return socket

    async def last(self, request: web.Request) -> web.Response:
        """When the last of those since the last question had arrived."""
        del request
        told = {"count": self.orders, "last": max(self.arrived, default=0.0)}
        self.arrived, self.orders = [], 0
        return web.json_response(told)


def taken(body: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Result and codes of an order, or of each in a batch."""
    if "request" not in body:
        return ids(body), {}
    items = body["request"]
    return {"list": [ids(item) for item in items]}, {"list": [{"code": 0, "msg": "OK"}] * len(items)}


def ids(order: dict[str, Any]) -> dict[str, str]:
    return {"orderId": "b0c1d2e3-0000-4000-8000-000000000001", "orderLinkId": order["orderLinkId"]}


async def empty(_request: web.Request) -> web.Response:
    return web.json_response({"retCode": 0, "result": {"list": []}})


async def serve() -> None:
    exchange = Exchange()
    app = web.Application()
    app.router.add_get("/v5/trade", exchange.socket)
    app.router.add_get("/last", exchange.last)
    app.router.add_get("/{path:.*}", empty)
    app.router.add_post("/{path:.*}", exchange.order)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


# Ours ------------------------------------------------------------------------------------------------


class Broker(BybitBroker):
    """The adapter's own orders on an account that is what we say: ten positions, each with its stop."""

    async def prepare(self, symbols: Any, held: Any = ()) -> tuple[Account, Instruments]:
        del symbols, held
        self.instruments.update({symbol: rules(symbol) for symbol in SYMBOLS})
        await asyncio.gather(
            *(self.query(symbol, symbol) for symbol in SYMBOLS[:4])
        )  # a pool as a read-back leaves it
        return Account("1", Decimal("0.00055"), Decimal("0.0002")), Instruments(tuple(self.instruments.values()))

    async def read_back(self, purpose: str, since_ms: int) -> ReadBack:
        del since_ms
        held = tuple(PositionReport(symbol, 10, Decimal(60_000), 590_000, None, Decimal(60_000), None, Decimal(10))
                     for symbol in SYMBOLS)  # fmt: skip
        return ReadBack((), held, (), CASH, now_ms(), purpose)

    async def run(self) -> None:
        for link in (Link.PUBLIC, Link.PRIVATE):
            self._sink.put(LinkChanged(link, up=True))
        await (asyncio.Event().wait() if self._trade is None else self._trade.run())

    @property
    def connected(self) -> bool:
        return self._trade is None or self._trade.ready


class Silent:
    """`ports.Recorder` of nothing."""

    def event(self, *_what: object) -> None: ...
    def actions(self, *_what: object) -> None: ...
    async def close(self) -> None: ...


def nothing(*_what: object) -> None:
    """Nobody listens."""


def rules(symbol: str) -> Instrument:
    return Instrument(symbol, Decimal("0.1"), Decimal("0.001"), 1, 1_000_000, 100_000, price_decimals=1)


async def flatten(port: int, way: str, folder: Path) -> dict[str, float]:
    """One engine, one flatten."""
    settings = Settings(symbols=SYMBOLS, venue=VenueSettings(order_entry=way))
    clock, transport = SystemClock(), AiohttpTransport()
    inbox = Inbox(clock, settings.engine.market_queue)
    urls = Urls(f"http://127.0.0.1:{port}", "", "", f"ws://127.0.0.1:{port}/v5/trade")
    broker = Broker(transport, clock, inbox, urls, KEY, SECRET, settings.venue, Decimal(10), random.Random(1))
    journal = SqliteJournal(folder / f"{time.time_ns()}.db", {})
    engine = Engine(
        settings=settings, mode="BENCH", run=1, remembered=await journal.open(), clock=clock, inbox=inbox,
        feed=NoMarkets(), broker=broker, journal=journal, recorder=Silent(), say=nothing,
        venue_offset_ms=lambda: 0.0, reset_api=nothing,
    )  # fmt: skip
    out: list[float] = []
    answered: list[float] = []
    done = asyncio.Event()

    def reached(point: Point) -> None:
        if point is Point.CLOSE_SENT:
            out.append(time.perf_counter())
        elif point is Point.ORDER_ANSWERED:
            answered.append(time.perf_counter())
            if len(answered) == TEN:
                done.set()

    points.watch(reached)
    await engine.start()
    for _ in range(1000):
        if broker.connected and len(engine.view().positions) == TEN:
            break
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    began = time.perf_counter()
    engine.submit(Command(CommandKind.FLATTEN, who="benchmark"))
    async with asyncio.timeout(10):
        await done.wait()
    points.watch(None)
    arrived = await arrival(port)
    await engine.close()
    await transport.close()
    return {"out": max(out) - began, "arrived": arrived - began, "answered": max(answered) - began}


# The others ------------------------------------------------------------------------------------------


def signed(body: str) -> dict[str, str]:
    stamp = str(now_ms())
    text = f"{stamp}{KEY}5000{body}".encode()
    signature = hmac.new(SECRET.encode(), text, hashlib.sha256).hexdigest()
    return {"X-BAPI-API-KEY": KEY, "X-BAPI-TIMESTAMP": stamp, "X-BAPI-RECV-WINDOW": "5000", "X-BAPI-SIGN": signature,
            "Content-Type": "application/json"}  # fmt: skip


async def bare_rest(port: int, session: aiohttp.ClientSession) -> dict[str, float]:
    async def one() -> None:
        body = json.dumps(ORDER)
        url = f"http://127.0.0.1:{port}/v5/order/create"
        async with session.post(url, data=body, headers=signed(body)) as answer:
            json.loads(await answer.read())

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(TEN)))
    answered = time.perf_counter() - began
    return {"arrived": await arrival(port) - began, "answered": answered}


async def bare_socket(port: int, socket: aiohttp.ClientWebSocketResponse) -> dict[str, float]:
    began = time.perf_counter()
    for n in range(TEN):
        header = {"X-BAPI-TIMESTAMP": str(now_ms()), "X-BAPI-RECV-WINDOW": "5000"}
        await socket.send_str(json.dumps({"reqId": str(n), "header": header, "op": "order.create", "args": [ORDER]}))
    out = time.perf_counter() - began
    for _ in range(TEN):
        json.loads((await socket.receive()).data)
    answered = time.perf_counter() - began
    return {"out": out, "arrived": await arrival(port) - began, "answered": answered}


def pybit(port: int) -> Callable[[], object]:
    from pybit.unified_trading import HTTP

    session = HTTP(api_key=KEY, api_secret=SECRET)
    session.endpoint = f"http://127.0.0.1:{port}"
    return lambda: session.place_order(**ORDER)


async def pybit_in_turn(port: int, place: Callable[[], object]) -> dict[str, float]:
    began = time.perf_counter()
    for _ in range(TEN):
        place()
    answered = time.perf_counter() - began
    return {"arrived": await arrival(port) - began, "answered": answered}


async def pybit_threads(port: int, place: Callable[[], object], threads: ThreadPoolExecutor) -> dict[str, float]:
    loop, began = asyncio.get_running_loop(), time.perf_counter()
    await asyncio.gather(*(loop.run_in_executor(threads, place) for _ in range(TEN)))
    answered = time.perf_counter() - began
    return {"arrived": await arrival(port) - began, "answered": answered}


# The figures -----------------------------------------------------------------------------------------


async def arrival(port: int) -> float:
    """When the tenth order had arrived at the server, on the machine's clock."""
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/last") as answer:
        told = await answer.json()
    assert told["count"] == TEN, told
    return float(told["last"])


def now_ms() -> int:
    return time.time_ns() // 1_000_000


async def row(name: str, once: Callable[[], Awaitable[dict[str, float]]], runs: int, limit_ms: float | None) -> None:
    for _ in range(3):
        await once()
    found = [await once() for _ in range(runs)]
    words = f"{name:40}"
    for what in ("out", "arrived", "answered"):
        if what in found[0]:
            values = sorted(1000 * run[what] for run in found)
            words += f" {what} {statistics.median(values):6.2f} ({values[int(len(values) * 0.95)]:6.2f})"
        else:
            words += " " * len(" out 123456 (123456)")
    print(words + ("" if limit_ms is None else f"   limit {limit_ms} out"), flush=True)


async def measure(port: int, runs: int, folder: Path) -> None:
    print(f"{TEN} closes, {runs} runs, median (worst twentieth) in ms after the decision")
    await row("breakwall, trade socket", lambda: flatten(port, "ws", folder), runs, LIMITS_MS["ws"])
    await row("breakwall, REST", lambda: flatten(port, "rest", folder), runs, LIMITS_MS["rest"])
    async with aiohttp.ClientSession() as session:
        await row("bare aiohttp, ten POSTs at once", lambda: bare_rest(port, session), runs, None)
        async with session.ws_connect(f"http://127.0.0.1:{port}/v5/trade") as socket:
            await row("bare aiohttp, ten frames", lambda: bare_socket(port, socket), runs, None)
    place = pybit(port)
    await row("pybit HTTP.place_order ten times", lambda: pybit_in_turn(port, place), runs, None)
    with ThreadPoolExecutor(TEN) as threads:
        await row("pybit, ten threads", lambda: pybit_threads(port, place, threads), runs, None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--folder", type=Path, help="where the journals are (default: the temporary folder)")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        asyncio.run(serve())
        return
    server = subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        port = int(server.stdout.readline())
        with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
            asyncio.run(measure(port, asked.runs, Path(folder)))
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
