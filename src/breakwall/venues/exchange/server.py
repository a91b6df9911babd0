"""The embedded exchange on one loopback port: REST, the two sockets, and a pump for its clock.

A thin shell: all behaviour is in `exchange.Exchange`. Source of the paths: Bybit v5.
"""

import asyncio
import os
import re
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from breakwall.clock import SystemClock
from breakwall.model.units import Instrument
from breakwall.ports import HttpRequest
from breakwall.venues.exchange.control import ACCOUNT_PATH, CONTROL_PATH, Control
from breakwall.venues.exchange.crises import CRISES
from breakwall.venues.exchange.exchange import DEFAULT_SYMBOLS, Exchange, Market
from breakwall.venues.exchange.faults import FaultKind
from breakwall.venues.exchange.forecast import Forecast
from breakwall.venues.exchange.lines import LINKS, Departure, Line
from breakwall.venues.exchange.weather import Weather

HOST = "127.0.0.1"
_PUMP_S = 0.01
_LOOK_S = 0.1  # how often a silent line looks whether its client has gone
_QUEUE_FRAMES = 2_000  # a client this far behind is dropped
_SOCKETS = {
    "/v5/public/linear": "public",
    "/v5/public/misc/status": "status",
    "/v5/private": "private",
    "/v5/trade": "trade",
}
_ACTIVE_MS = (30_000, 600_000)  # what max_active_time may ask for


class PortError(Exception):
    """The port cannot be had; names it, the reason and the remedy."""


class Where(msgspec.Struct, frozen=True):
    """What a client needs to reach the exchange. `control` is where its weather is made; see `control.Control`."""

    http: str
    public: str
    private: str
    trade: str
    api_key: str
    api_secret: str
    control: str

    def __repr__(self) -> str:
        return f"Where({self.http!r})"


class Server:
    """Puts an exchange behind aiohttp and keeps its time moving.

    `stop` is set when it is time to leave: by the caller, or after `linger_s` without any client
    (0: never).
    """

    def __init__(
        self, exchange: Exchange, clock: SystemClock, linger_s: float = 0.0, forecast: Forecast | None = None
    ) -> None:
        self.exchange = exchange
        self.stop = asyncio.Event()
        self._clock = clock
        self._linger_ms = linger_s * 1000
        self._seen_ms = clock.now_ms()
        self._sockets: set[web.WebSocketResponse] = set()
        self.weather = Weather(exchange, clock, self.stop, forecast or Forecast())
        self._control = Control(self.weather)

    def app(self) -> web.Application:
        app = web.Application(client_max_size=1 << 20)
        for path, kind in _SOCKETS.items():
            app.router.add_get(path, self._socket_of(kind))
        for path in (CONTROL_PATH, ACCOUNT_PATH):
            app.router.add_route("*", path, self._control.answer)
        app.router.add_route("*", "/{path:.*}", self._rest)
        app.on_shutdown.append(self._close_sockets)
        return app

    async def pump(self) -> None:
        """Advance the exchange each 10 ms until `stop`; an exchange that breaks stops the server."""
        try:
            while not self.stop.is_set():
                now_ms = self._clock.now_ms()
                self.exchange.advance(now_ms)
                self.weather.tick()
                if self._sockets:
                    self._seen_ms = now_ms
                elif self._linger_ms and now_ms - self._seen_ms > self._linger_ms:
                    self.stop.set()
                await self._clock.sleep(_PUMP_S)
        finally:
            self.stop.set()

    async def _rest(self, request: web.Request) -> web.Response:
        self._seen_ms = self._clock.now_ms()
        asked = HttpRequest(
            method=request.method,
            base="",
            path=request.path,
            query=request.raw_path.partition("?")[2],
            body=await request.read(),
            headers=dict(request.headers),
        )
        answer = await self.weather.ask(asked)
        if answer is None:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=503)
        return web.Response(status=answer.status, body=answer.body, headers=dict(answer.headers))

    def _socket_of(self, kind: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def serve_socket(request: web.Request) -> web.StreamResponse:
            if self.exchange.too_many_sockets(self._clock.now_ms()):
                raise web.HTTPForbidden(text="too many connections")
            deed = self.weather.deed(f"connect {kind}")
            refused = self.weather.strike(FaultKind.CONNECT_REFUSED, LINKS[kind]) is not None
            if deed is not None:
                deed.answer = "refused" if refused else "let in"
            if refused:
                raise web.HTTPServiceUnavailable(text="no connections are taken now")
            socket = web.WebSocketResponse()
            try:
                await socket.prepare(request)
            except ConnectionError:  # who asked has gone before we answered
                raise web.HTTPServiceUnavailable from None
            self._sockets.add(socket)
            try:
                idle_ms = active_ms(request.query.get("max_active_time", ""))
                await self._talk(kind, socket, request.transport, idle_ms)
            finally:
                self._sockets.discard(socket)
                self._seen_ms = self._clock.now_ms()
            return socket

        return serve_socket

    async def _talk(
        self, kind: str, socket: web.WebSocketResponse, transport: asyncio.Transport | None, idle_ms: int
    ) -> None:
        """Frames go in as they come; the exchange's leave through a bounded queue, or the line is cut."""
        queue: asyncio.Queue[Departure] = asyncio.Queue(_QUEUE_FRAMES)

        def put(departure: Departure) -> None:
            if not queue.full():
                queue.put_nowait(departure)
            else:
                cut()

        def cut() -> None:
            if transport is not None:
                transport.abort()

        line = Line(kind, self.weather, self._clock, put, cut)
        line.session = session = self.exchange.session(kind, line.push, cut, idle_ms)
        self.weather.lines.add(line)
        writer = asyncio.create_task(self._write(socket, queue))
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    line.hear(message.data)
                while line.silent and transport is not None and not transport.is_closing() and not self.stop.is_set():
                    await self._clock.sleep(_LOOK_S)  # not even pings are answered
        finally:
            self.weather.lines.discard(line)
            session.close()
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)

    async def _write(self, socket: web.WebSocketResponse, queue: "asyncio.Queue[Departure]") -> None:
        while True:
            departure = await queue.get()
            if departure.due_s:
                await self._clock.sleep(max(0.0, departure.due_s - self.weather.now_s))
            if departure.text is None:
                await socket.close(code=WSCloseCode.GOING_AWAY, message=b"the exchange hangs up")
                return
            await socket.send_str(departure.text)

    async def _close_sockets(self, _app: web.Application) -> None:
        for socket in set(self._sockets):
            await socket.close(code=WSCloseCode.GOING_AWAY, message=b"the exchange stops")


@asynccontextmanager
async def listening(server: Server, port: int) -> AsyncIterator[Where]:
    """Serve on a port of the loopback interface (0: any free one). Raises PortError."""
    runner = web.AppRunner(server.app(), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    pump = asyncio.create_task(server.pump())
    try:
        try:
            await web.TCPSite(runner, HOST, port).start()
        except (OSError, OverflowError) as error:
            found = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
            raise PortError(
                f"port {port} on {HOST}: expected a free port, found: {found}. "
                "Choose another with --port, or let --port 0 find a free one."
            ) from error
        address = f"{HOST}:{runner.addresses[0][1]}"
        keys = server.exchange.keys
        yield Where(
            http=f"http://{address}",
            public=f"ws://{address}/v5/public/linear",
            private=f"ws://{address}/v5/private",
            trade=f"ws://{address}/v5/trade",
            api_key=keys.api_key,
            api_secret=keys.api_secret,
            control=f"http://{address}{CONTROL_PATH}",
        )
    finally:
        server.stop.set()
        await runner.cleanup()
        await pump


async def serve(
    port: int,
    seed: int,
    scenario: str | None,
    *,
    symbols: Iterable[str] = DEFAULT_SYMBOLS,
    linger_s: float = 0.0,
    api_key: str = "",
    api_secret: str = "",
    forecast: Forecast | None = None,
    instruments: Iterable[Instrument] = (),
    market: Callable[[Exchange], Market] | None = None,
) -> None:
    """Run an exchange until SIGTERM, SIGINT or `linger_s` without clients; tells where in one JSON line.

    A crisis as `scenario` is played on the market that brings a program into what it needs; None leaves it to another
    `market`, of these `instruments`. Keys are made up where none are given. Raises PortError, or ValueError for an
    unknown symbol or scenario.
    """
    clock, crisis = SystemClock(), CRISES.get(scenario or "")
    exchange = Exchange(
        seed,
        scenario if crisis is None else crisis.market,
        clock.now_ms(),
        symbols=symbols,
        instruments=instruments,
        api_key=api_key or secrets.token_urlsafe(12),
        api_secret=api_secret or secrets.token_urlsafe(24),
    )
    if market is not None:
        exchange.market = market(exchange)
    server = Server(exchange, clock, linger_s, forecast)
    if crisis is not None and scenario is not None:
        server.weather.play(scenario)
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, server.stop.set)
    async with listening(server, port) as where:
        sys.stdout.write(msgspec.json.encode(where).decode() + "\n")
        sys.stdout.flush()
        await server.stop.wait()


def active_ms(asked: str) -> int:
    """`max_active_time` of a socket's address, such as 45s or 1m, in its limits; ten minutes where it is none."""
    found = re.fullmatch(r"(\d{1,4})([sm])", asked)
    if found is None:
        return _ACTIVE_MS[1]
    asked_ms = int(found[1]) * (60_000 if found[2] == "m" else 1_000)
    return min(max(asked_ms, _ACTIVE_MS[0]), _ACTIVE_MS[1])
