"""A hand that trades on an exchange without a synthetic market: the test lays the liquidity."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from breakwall.clock import SystemClock
from breakwall.model.units import Side
from breakwall.ports import HttpRequest
from breakwall.venues.exchange.exchange import Exchange
from breakwall.venues.exchange.matching import RestingOrder
from breakwall.venues.exchange.server import Server, Where, listening

START = 1_700_000_000_000


class Client:
    """One socket of a hand's exchange, with all frames it got and whether it was cut."""

    def __init__(self, hand: "Hand", kind: str, idle_ms: int = 600_000) -> None:
        self.hand = hand
        self.frames: list[dict[str, Any]] = []
        self.cut = False
        self.session = hand.exchange.session(
            kind, lambda text: self.frames.append(json.loads(text)), self._cut, idle_ms
        )

    def _cut(self) -> None:
        self.cut = True
        self.session.close()

    def ask(self, wait_ms: int = 10, **message: object) -> list[dict[str, Any]]:
        """Frames that come within `wait_ms` of a message."""
        self.frames.clear()
        self.session.on_text(json.dumps(message), self.hand.now)
        self.hand.wait(wait_ms)
        return list(self.frames)

    def auth(self, tampering: str = "") -> dict[str, Any]:
        expires = self.hand.now + 1000
        sign = self.hand.exchange.keys.sign(f"GET/realtime{expires}{tampering}")
        return self.ask(op="auth", args=["KEY", expires, sign])[0]

    def data(self, topic: str) -> list[Any]:
        return [frame["data"] for frame in self.frames if frame.get("topic") == topic]


class Hand:
    """Prices are plain numbers of USDT; BTCUSDT at 60000 with 10 BTC a side unless told otherwise."""

    def __init__(self, symbol: str = "BTCUSDT", mark: str = "60000", **options: Any) -> None:
        self.exchange = Exchange(1, None, START, api_key="KEY", api_secret="SECRET", **options)  # noqa: S106 - opens nothing but the test's exchange
        self.now = START
        self.symbol = symbol
        self.mark(mark)
        self.lay(Side.BUY, "59990", "10")
        self.lay(Side.SELL, "60010", "10")
        self.pushed: list[dict[str, Any]] = []
        session = self.exchange.session("private", lambda text: self.pushed.append(json.loads(text)))
        expires = self.now + 5000
        sign = self.exchange.keys.sign(f"GET/realtime{expires}")
        session.on_text(json.dumps({"op": "auth", "args": ["KEY", expires, sign]}), self.now)
        topics = ["order", "execution", "position", "wallet"]
        session.on_text(json.dumps({"op": "subscribe", "args": topics}), self.now)
        self.wait(20)
        self.pushed.clear()

    @property
    def listing(self) -> Any:
        return self.exchange.listings[self.symbol]

    @property
    def position(self) -> Any:
        return self.exchange.position(self.symbol)

    def mark(self, price: str) -> None:
        self.listing.set_prices(Decimal(price))

    def lay(self, side: Side, price: str, qty: str) -> RestingOrder:
        """Somebody else's limit order."""
        instrument = self.listing.instrument
        placed = self.listing.book.add("other", side, instrument.ticks(price), instrument.lots(qty), now_ms=self.now)
        return placed.order

    def sweep(self, side: Side, price: str, qty: str) -> None:
        """Somebody else takes liquidity down or up to a price."""
        instrument = self.listing.instrument
        self.listing.book.market("other", side, instrument.lots(qty), instrument.ticks(price), self.now)
        self.wait(10)

    def wait(self, ms: int) -> None:
        self.now += ms
        self.exchange.advance(self.now)

    def send(self, method: str, path: str, query: str = "", body: bytes = b"", **headers: str) -> Any:
        stamp = str(self.now)
        payload = query if method == "GET" else body.decode()
        signed = {
            "X-BAPI-API-KEY": "KEY",
            "X-BAPI-TIMESTAMP": stamp,
            "X-BAPI-RECV-WINDOW": "5000",
            "X-BAPI-SIGN": self.exchange.keys.sign(f"{stamp}KEY5000{payload}"),
        }
        return self.exchange.handle(HttpRequest(method, "", path, query, body, signed | headers), self.now)

    def get(self, path: str, **params: object) -> dict[str, Any]:
        query = "&".join(f"{key}={value}" for key, value in params.items())
        return json.loads(self.send("GET", path, query).body)

    def post(self, path: str, **body: object) -> dict[str, Any]:
        answer = self.send(
            "POST", path, body=json.dumps({"category": "linear", "symbol": self.symbol, **body}).encode()
        )
        return json.loads(answer.body)

    def order(self, side: str = "Buy", qty: str = "0.1", price: str | None = None, **more: object) -> dict[str, Any]:
        """Place an order (a market order without price) and let it reach the matching engine."""
        self.wait(200)
        kind = {"orderType": "Market"} if price is None else {"orderType": "Limit", "price": price}
        answer = self.post("/v5/order/create", side=side, qty=qty, **kind, **more)
        self.wait(5)
        return answer

    def placed(self, side: str = "Buy", qty: str = "0.1", price: str | None = None, **more: object) -> dict[str, Any]:
        """The record of a fresh order, as the exchange tells it."""
        answer = self.order(side, qty, price, **more)
        assert answer["retCode"] == 0, answer
        return self.told(answer["result"]["orderId"])

    def told(self, order_id: str) -> dict[str, Any]:
        rows = self.get("/v5/order/realtime", category="linear", orderId=order_id)["result"]["list"]
        assert len(rows) == 1, rows
        return rows[0]

    def stops(self) -> dict[str, str]:
        """Live stop orders: kind -> trigger price and quantity."""
        answer = self.get("/v5/order/realtime", category="linear", symbol=self.symbol, orderFilter="StopOrder")
        return {row["stopOrderType"]: f"{row['triggerPrice']} x {row['qty']}" for row in answer["result"]["list"]}

    def records(self, topic: str) -> list[dict[str, Any]]:
        return [record for push in self.pushed if push.get("topic") == topic for record in push["data"]]


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def client(hand: Hand) -> Callable[..., Client]:
    """client("trade") is a new socket of the hand's exchange."""
    return lambda *args, **options: Client(hand, *args, **options)


@pytest.fixture
def dcp_client() -> Callable[[Hand], Client]:
    """A private socket of a hand that guards its orders."""

    def connect(hand: Hand) -> Client:
        opened = Client(hand, "private")
        opened.auth()
        assert opened.ask(op="subscribe", args=["dcp.future"])[0]["success"]
        return opened

    return connect


@pytest.fixture(scope="session")
def new_hand() -> Callable[..., Hand]:
    return Hand


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
