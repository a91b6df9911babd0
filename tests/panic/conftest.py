"""An embedded exchange in a thread of its own, whose answers a test may spoil."""

import asyncio
import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from breakwall import keys
from breakwall.clock import SystemClock
from breakwall.keys import Keys, Secret
from breakwall.panic import rescue
from breakwall.panic.command import main
from breakwall.panic.line import Line, VenueClock
from breakwall.ports import HttpAnswer, HttpRequest
from breakwall.venues.exchange.exchange import Exchange
from breakwall.venues.exchange.server import Server, Where, listening

Spoil = Callable[[HttpRequest, Callable[[], HttpAnswer]], HttpAnswer]
"""Gets a request and the way to the true answer; returns what the client gets."""


class SkewedClock(SystemClock):
    """The exchange's clock, hours ahead of ours."""

    ahead_ms = 0

    def now_ms(self) -> int:
        return super().now_ms() + self.ahead_ms


class Venue:
    """The exchange, a second client of its account, and `spoil`: what becomes of the answers."""

    def __init__(self, ahead_ms: int) -> None:
        self.clock = SkewedClock()
        self.clock.ahead_ms = ahead_ms
        self.exchange = Exchange(4711, "calm", self.clock.now_ms())
        self.spoil: Spoil | None = None
        self.asked: list[tuple[str, dict[str, Any]]] = []  # path and body of what was written
        self._handle = self.exchange.handle
        self.exchange.handle = self._answer  # type: ignore[method-assign]  # the door of the exchange, and who stands in it
        self.where: Where
        self.line: Line

    def _answer(self, request: HttpRequest, now_ms: int) -> HttpAnswer:
        if request.method == "POST":
            self.asked.append((request.path, json.loads(request.body)))
        if self.spoil is None:
            return self._handle(request, now_ms)
        return self.spoil(request, lambda: self._handle(request, now_ms))

    def meet(self, where: Where) -> None:
        self.where = where
        clock = VenueClock()
        self.line = Line(where.http, Keys(Secret(where.api_key), Secret(where.api_secret), "the test"), clock)
        self.line.measure_time()

    def place(self, symbol: str, qty: str, **words: object) -> str:
        body = {"category": "linear", "symbol": symbol, "side": "Buy", "orderType": "Market", "qty": qty, **words}
        return str(self.line.write("/v5/order/create", body)["orderId"])

    def open_long(self, symbol: str, qty: str) -> None:
        """A position with its stop."""
        self.place(symbol, qty, stopLoss=self.price(symbol, 0.97), slTriggerBy="MarkPrice", tpslMode="Full")
        self.until(lambda: symbol in self.held())

    def rest_buy(self, symbol: str, qty: str, client_id: str) -> None:
        """An entry that waits below the market."""
        price = self.price(symbol, 0.99)
        order = self.place(symbol, qty, orderType="Limit", price=price, orderLinkId=client_id)
        self.until(lambda: any(order == row["orderId"] for row in self.orders()))

    def price(self, symbol: str, share: float) -> str:
        listing = self.exchange.listings[symbol]
        instrument = listing.instrument
        return instrument.price_text(int(instrument.ticks_near(listing.mark) * share))

    def held(self) -> dict[str, str]:
        """Symbol -> stop of what is open."""
        rows = self.line.read("/v5/position/list", {"category": "linear", "settleCoin": "USDT"})["list"]
        return {row["symbol"]: row["stopLoss"] for row in rows}

    def orders(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.line.read(
            "/v5/order/realtime", {"category": "linear", "settleCoin": "USDT"}
        )["list"]
        return rows

    @staticmethod
    def until(condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + 5
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.01)


def _served(venue: Venue) -> Iterator[Venue]:
    started: list[tuple[Where, Server, asyncio.AbstractEventLoop]] = []
    ready = threading.Event()

    async def run() -> None:
        server = Server(venue.exchange, venue.clock)
        async with listening(server, 0) as where:
            started.append((where, server, asyncio.get_running_loop()))
            ready.set()
            await server.stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    assert ready.wait(10)
    where, server, loop = started[0]
    venue.meet(where)
    yield venue
    venue.line.close()
    loop.call_soon_threadsafe(server.stop.set)
    thread.join(10)


@pytest.fixture
def ahead_ms() -> int:
    """By how much the exchange's clock is ahead of ours."""
    return 0


@pytest.fixture
def venue(home: Path, monkeypatch: pytest.MonkeyPatch, ahead_ms: int) -> Iterator[Venue]:
    for one in _served(Venue(ahead_ms)):
        monkeypatch.setenv(keys.LOOPBACK[0], one.where.api_key)
        monkeypatch.setenv(keys.LOOPBACK[1], one.where.api_secret)
        yield one


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A user without keys and demos; the two looks of the proof are close together."""
    for name in (*keys.LIVE, *keys.LOOPBACK, "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setattr(rescue, "SECOND_LOOK_S", 0.1)
    monkeypatch.setattr(rescue, "_STOPS_LINGER_S", 0.5)
    before = signal.getsignal(signal.SIGHUP)
    yield tmp_path
    signal.signal(signal.SIGHUP, before)


class Told:
    """How a panic ended: exit code, receipt, and what was said."""

    def __init__(self, code: int, out: str, said: str) -> None:
        self.code = code
        self.said = said
        self.receipt: dict[str, Any] = json.loads(out.splitlines()[-1]) if out else {}


@pytest.fixture
def panic(venue: Venue, capsys: pytest.CaptureFixture[str]) -> Callable[..., Told]:
    """Run `breakwall panic` on this exchange."""

    def run(*words: str, yes: bool = True) -> Told:
        capsys.readouterr()
        code = main(["--url", venue.where.http, "--json", *(["--yes"] if yes else []), *words])
        out, said = capsys.readouterr()
        return Told(code, out, said)

    return run
