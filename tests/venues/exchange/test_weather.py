"""A served exchange in bad weather, over real sockets: what reaches it, what comes back, what the books look like."""

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from breakwall.clock import SystemClock
from breakwall.venues.exchange.exchange import Exchange
from breakwall.venues.exchange.faults import FaultKind
from breakwall.venues.exchange.forecast import forecast_of
from breakwall.venues.exchange.server import Server, Where, listening
from tests.patience import until

TIMEOUT_S = 60
QUICK_S = 0.3
"""Nothing has come for so long: nothing will."""
BUY = {"category": "linear", "symbol": "SOLUSDT", "side": "Buy", "orderType": "Market", "qty": "1", "stopLoss": "120"}
CREATE = "/v5/order/create"


class Client:
    """Signs as anybody does; its clock may be wrong by `ahead_ms`."""

    def __init__(self, server: Server, where: Where, http: aiohttp.ClientSession) -> None:
        self.server, self.where, self.http = server, where, http
        self.ahead_ms = 0
        self.numbers = itertools.count(1)

    @property
    def orders(self) -> int:
        log = self.server.exchange.log
        return sum(bool(order.link_id) for order in [*log.closed, *log.live()])

    def order(self, *faults: dict[str, Any]) -> None:
        self.server.weather.add(forecast_of({"faults": list(faults)}, "the test").faults)

    async def create(self, **more: object) -> tuple[int, str, Any]:
        body = json.dumps({**BUY, "orderLinkId": f"t{next(self.numbers)}", **more})
        return await self.ask("POST", CREATE, body)

    async def ask(self, method: str, path: str, text: str = "") -> tuple[int, str, Any]:
        stamp = str(SystemClock().now_ms() + self.ahead_ms)
        sign = self.server.exchange.keys.sign(f"{stamp}{self.where.api_key}5000{text}")
        names = {"API-KEY": self.where.api_key, "TIMESTAMP": stamp, "RECV-WINDOW": "5000", "SIGN": sign}
        headers = {f"X-BAPI-{name}": value for name, value in names.items()}
        query = f"?{text}" if method == "GET" and text else ""
        async with self.http.request(
            method,
            f"{self.where.http}{path}{query}",
            data=text if method == "POST" else None,
            headers=headers,
            timeout=aiohttp.ClientTimeout(TIMEOUT_S),
        ) as answer:
            return answer.status, await answer.text(), answer.headers

    @contextlib.asynccontextmanager
    async def trading(self) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        async with self.http.ws_connect(self.where.trade) as ws:
            await ws.send_json({"op": "auth", "args": self.login()})
            assert (await ws.receive_json(timeout=TIMEOUT_S))["retCode"] == 0
            yield ws

    def login(self) -> list[object]:
        expires = SystemClock().now_ms() + self.ahead_ms + 10_000
        return [self.where.api_key, expires, self.server.exchange.keys.sign(f"GET/realtime{expires}")]

    async def send_order(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        number = next(self.numbers)
        header = {"X-BAPI-TIMESTAMP": str(SystemClock().now_ms() + self.ahead_ms)}
        args = [{**BUY, "orderLinkId": f"t{number}"}]
        await ws.send_json({"reqId": str(number), "header": header, "op": "order.create", "args": args})


@contextlib.asynccontextmanager
async def served(*faults: dict[str, Any], scenario: str = "calm") -> AsyncIterator[Client]:
    clock = SystemClock()
    server = Server(Exchange(1, scenario, clock.now_ms(), symbols=["SOLUSDT"]), clock)
    async with listening(server, 0) as where, aiohttp.ClientSession() as http:
        await until(lambda: server.exchange.listings["SOLUSDT"].book.best_ask is not None)
        client = Client(server, where, http)
        client.order(*faults)
        yield client


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("fault", "orders", "wanted"),
    [
        ({"kind": "request-lost"}, 0, None),
        ({"kind": "request-reset"}, 0, aiohttp.ClientError),
        ({"kind": "request-late", "delay_s": 0.05}, 1, '"retCode":0'),
        ({"kind": "request-twice"}, 1, '"retCode":110072'),
        ({"kind": "answer-lost"}, 1, None),
        ({"kind": "answer-reset"}, 1, aiohttp.ClientError),
        ({"kind": "answer-bad"}, 1, "502 Bad Gateway"),
        ({"kind": "answer-garbled"}, 1, '{"retCode":0'),
        ({"kind": "answer-late", "jitter_s": 0.05}, 1, '"retCode":0'),
        ({"kind": "answer-unclear", "code": 10016}, 1, '"retCode":10016'),
        ({"kind": "refused", "code": 10002}, 0, '"retCode":10002'),
        ({"kind": "refused", "code": 403}, 0, ""),
        ({"kind": "refused", "code": 10006, "match": "trade "}, 1, '"retCode":0'),
        ({"kind": "refused", "code": 10006, "symbol": "BTCUSDT"}, 1, '"retCode":0'),
        ({"kind": "maintenance"}, 0, '"retCode":10016'),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else None,
)
async def test_what_becomes_of_a_request(fault: dict[str, Any], orders: int, wanted: Any) -> None:
    async with served(fault) as client:
        await until(lambda: fault["kind"] != "maintenance" or bool(client.server.weather.incidents))
        if isinstance(wanted, str):
            assert wanted in (await client.create())[1]
        elif wanted is None:
            asking = asyncio.create_task(client.create())
            await until(lambda: bool(client.server.weather.faults.struck))
            await asyncio.sleep(QUICK_S)
            assert not asking.done()
            asking.cancel()
        else:
            with pytest.raises(wanted):
                await client.create()
        await until(lambda: client.orders >= orders)
        assert client.orders == orders


@pytest.mark.asyncio
async def test_a_slow_exchange_is_slow_at_both_doors() -> None:
    async with served() as client, client.trading() as ws:
        client.server.weather.ack_ms = (150, 160)
        began_ms = SystemClock().now_ms()
        await client.create()
        await client.send_order(ws)
        assert (await ws.receive_json(timeout=TIMEOUT_S))["retCode"] == 0
        assert SystemClock().now_ms() - began_ms >= 300
        client.server.weather.clear()
        assert client.server.weather.clear_sky


@pytest.mark.asyncio
@pytest.mark.parametrize(("delay_s", "ahead"), [(2, True), (-2, False)])
async def test_a_limit_says_when_it_resets_rightly_or_not(delay_s: float, ahead: bool) -> None:
    async with served({"kind": "refused", "code": 10006, "delay_s": delay_s, "count": 1}) as client:
        _, text, headers = await client.create()
        assert '"retCode":10006' in text
        assert (int(headers["X-Bapi-Limit-Reset-Timestamp"]) > SystemClock().now_ms()) is ahead
        assert '"retCode":0' in (await client.create())[1], "it strikes once only"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("fault", "orders", "code"),
    [
        ({"kind": "request-lost"}, 0, None),
        ({"kind": "request-reset"}, 0, "closed"),
        ({"kind": "answer-lost"}, 1, None),
        ({"kind": "answer-reset"}, 1, "closed"),
        ({"kind": "answer-unclear", "code": 10016, "match": "trade /v5/order/create"}, 1, 10016),
        ({"kind": "answer-bad"}, 1, 10016),
        ({"kind": "answer-late", "delay_s": 0.05}, 1, 0),
        ({"kind": "request-late", "delay_s": 0.05}, 1, 0),
        ({"kind": "request-twice"}, 1, 0),
        ({"kind": "refused", "code": 403}, 0, 10403),
        ({"kind": "frame-dropped", "link": "trade"}, 1, None),
        ({"kind": "socket-half-open", "link": "trade"}, 0, None),
        ({"kind": "socket-silent", "link": "trade"}, 1, None),
        ({"kind": "frame-garbled", "link": "trade"}, 1, "garbled"),
        ({"kind": "socket-closed", "link": "trade"}, 1, "closed"),
        ({"kind": "socket-reset", "link": "trade"}, 1, "closed"),
        ({"kind": "refused", "code": 10006, "match": "rest "}, 1, 0),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else None,
)
async def test_what_becomes_of_an_order_over_the_trade_socket(fault: dict[str, Any], orders: int, code: Any) -> None:
    async with served() as client, client.trading() as ws:
        client.order(fault)
        await client.send_order(ws)
        if code is None:
            with pytest.raises(TimeoutError):
                await ws.receive(timeout=QUICK_S)
        else:
            answer = await ws.receive(timeout=TIMEOUT_S)
            if code == "closed":
                assert answer.type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}
            elif code == "garbled":
                with pytest.raises(json.JSONDecodeError):
                    json.loads(answer.data)
            else:
                assert json.loads(answer.data)["retCode"] == code
        await until(lambda: client.orders >= orders)
        assert client.orders == orders


async def books(client: Client, wanted: int, *faults: dict[str, Any]) -> list[dict[str, Any]]:
    """The first frames of a book, with these faults from the first delta on."""
    async with client.http.ws_connect(client.where.public) as ws:
        await ws.send_json({"op": "subscribe", "args": ["orderbook.50.SOLUSDT"]})
        got: list[dict[str, Any]] = []
        while len(got) < wanted:
            message = await ws.receive_json(timeout=TIMEOUT_S)
            got += [message] if "data" in message else []
            if len(got) == 1 and faults:
                client.order(*faults)
                faults = ()
    return got


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("kind", "steps"),
    [
        ("book-gap", {1, 2}),
        ("book-repeated", {0, 1}),
        ("frame-swapped", {-1, 1, 2}),
        ("frame-dropped", {1, 2}),
        ("frame-twice", {0, 1}),
        ("frame-late", {1}),
    ],
)
async def test_the_order_of_a_books_deltas(kind: str, steps: set[int]) -> None:
    fault = {"kind": kind, "count": 1, "symbol": "SOLUSDT", **({"delay_s": 0.1} if kind == "frame-late" else {})}
    async with served() as client:
        ids = [message["data"]["u"] for message in await books(client, 8, fault)]
    assert {second - first for first, second in itertools.pairwise(ids)} == steps


@pytest.mark.asyncio
async def test_a_restarted_service_counts_from_one_until_the_book_is_asked_for_anew() -> None:
    async with served() as client:
        got = await books(client, 8, {"kind": "book-reset", "count": 1})
        assert [message["type"] for message in got].count("snapshot") == 2
        place = next(n for n, message in enumerate(got) if message["data"]["u"] == 1)
        assert got[place]["type"] == "snapshot"
        assert len(got[place]["data"]["b"]) > 10
        assert [message["data"]["u"] for message in got[place:]] == list(range(1, len(got) - place + 1))
        assert (await books(client, 2))[0]["data"]["u"] > 1000


@pytest.mark.asyncio
async def test_a_crossed_book_and_the_end_of_a_level_that_never_was() -> None:
    async with served() as client:
        got = await books(client, 5, {"kind": "book-crossed", "count": 1})
        asks = {price for message in got for price, size in message["data"]["a"] if float(size)}
        bids = [price for message in got[1:] for price, size in message["data"]["b"] if float(size)]
        assert max(map(float, bids)) > min(map(float, asks))
        strange = await books(client, 5, {"kind": "book-strange", "count": 1})
        assert any(
            float(price) < 1 and size == "0" for message in strange[1:] for price, size in message["data"]["b"]
        )


@pytest.mark.asyncio
async def test_nobody_is_let_in_and_a_silent_line_answers_not_even_pings() -> None:
    async with served({"kind": "connect-refused", "count": 1}) as client:
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await books(client, 1)
        async with client.http.ws_connect(client.where.public) as ws:
            client.order({"kind": "socket-silent"})
            await ws.send_json({"op": "subscribe", "args": ["tickers.SOLUSDT"]})
            await ws.ping()
            with pytest.raises(TimeoutError):
                await ws.receive(timeout=QUICK_S)
            client.server.weather.clear()
            with pytest.raises(TimeoutError):
                await ws.receive(timeout=QUICK_S / 5)
        assert await books(client, 1)


@pytest.mark.asyncio
@pytest.mark.parametrize("delay_s", [10, -10])
async def test_a_wrong_clock_is_believed_by_whoever_asks_it(delay_s: int) -> None:
    async with served({"kind": "clock-wrong", "delay_s": delay_s}) as client:
        told = int(json.loads((await client.ask("GET", "/v5/market/time"))[1])["time"])
        ahead_ms = told - SystemClock().now_ms()
        assert abs(ahead_ms - delay_s * 1000) < 5_000
        assert '"retCode":10002' in (await client.create())[1]
        client.ahead_ms = delay_s * 1000
        assert '"retCode":0' in (await client.create())[1]
        async with client.trading() as ws:
            await client.send_order(ws)
            assert (await ws.receive_json(timeout=TIMEOUT_S))["retCode"] == 0
        _, text, _ = await client.ask("GET", "/v5/order/history", "category=linear&limit=10")
        assert {int(row["createdTime"]) - told > -5_000 for row in json.loads(text)["result"]["list"]} == {True}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("kind", "true"),
    [
        ("order-rejected", lambda exchange: not exchange.position("SOLUSDT").lots),
        ("no-liquidity", lambda exchange: not exchange.position("SOLUSDT").lots),
        ("stop-not-attached", lambda exchange: exchange.position("SOLUSDT").stop is None),
        ("stop-vanishes", lambda exchange: exchange.position("SOLUSDT").stop is None),
        ("closed-by-hand", lambda exchange: not exchange.position("SOLUSDT").lots),
        ("reduced-by-hand", lambda exchange: exchange.position("SOLUSDT").lots == 5),
        ("foreign-order", lambda exchange: len(exchange.open_orders()) == 2),
        ("liquidated", lambda exchange: any(row.exec_type == "BustTrade" for row in exchange.executions)),
        ("deleveraged", lambda exchange: any(row.exec_type == "AdlTrade" for row in exchange.executions)),
    ],
)
async def test_other_hands(kind: str, true: Any) -> None:
    """Acts wait for something to act upon; spells strike the next order."""
    async with served({"kind": kind, "symbol": "SOLUSDT"}) as client:
        exchange, weather = client.server.exchange, client.server.weather
        assert '"retCode":0' in (await client.create())[1]
        await until(lambda: bool(weather.faults.struck[FaultKind(kind)]) and true(exchange))
        assert weather.incidents[0].text == f"{kind} SOLUSDT"
        assert weather.report()[0]["struck"] == 1


@pytest.mark.asyncio
async def test_the_control_endpoint_is_for_who_knows_the_secret() -> None:
    async with served() as client:
        key = {"X-Breakwall-Secret": client.where.api_secret}

        async def control(method: str, body: object = None, **headers: str) -> tuple[int, Any]:
            address, data = client.where.control, json.dumps(body) if body is not None else None
            async with client.http.request(method, address, data=data, headers=headers) as answer:
                return answer.status, await answer.json()

        for headers in (
            {},
            {"X-Breakwall-Secret": "x"},
            key | {"Origin": "http://x"},
            key | {"Host": "evil.example"},
        ):
            assert (await control("POST", {"kind": "book-gap"}, **headers))[0] == 403
        assert client.server.weather.clear_sky
        assert (await control("POST", {"kind": "book-gap", "count": 2}, **key))[0] == 200
        assert (await control("POST", {"ack_ms": [1, 2]}, **key))[1]["ack_ms"] == [1, 2]
        (fault,) = (await control("GET", **key))[1]["faults"]
        assert (fault["kind"], fault["state"], fault["struck"]) == ("book-gap", "on", 0)
        status, told = await control("POST", {"fault": []}, **key)
        assert (status, "did you mean 'faults'?" in told["error"]) == (400, True)
        assert (await control("POST", {"contract": "SOLUSDT", "tick": "0.02"}, **key))[0] == 200
        assert client.server.exchange.listings["SOLUSDT"].instrument.price_text(1) == "0.020"
        status, told = await control("POST", {"contract": "SOLUSDT", "tock": 1}, **key)
        assert (status, "tock: 1" in told["error"]) == (400, True)
        assert (await control("PUT", **key))[0] == 405
        assert (await control("DELETE", **key))[1]["faults"] == []
        assert client.server.weather.clear_sky
