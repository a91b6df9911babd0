"""Paper trading's way between a real venue and an exchange in the process."""

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from breakwall.model.events import BookSnapshot, Event
from breakwall.ports import Frame, HttpAnswer, HttpRequest, Socket, TransportError
from breakwall.settings import Settings
from breakwall.venues.exchange.instruments import INSTRUMENTS, instrument_record
from breakwall.venues.paper import PaperVenue, paper_venue

PUBLIC = "ws://venue/v5/public/linear"
AHEAD_MS = 40_000


class Clock:
    def __init__(self) -> None:
        self.ms = 1_700_000_000_000

    def now_ms(self) -> int:
        return self.ms

    def now_ns(self) -> int:
        return self.ms * 1_000_000

    async def sleep(self, seconds: float) -> None:
        self.ms += int(seconds * 1000)
        await asyncio.sleep(0)


class Venue:
    """A venue whose clock is ahead; remembers what it was asked."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.asked: list[str] = []
        self.rows = [instrument_record(INSTRUMENTS["BTCUSDT"])]

    async def request(self, request: HttpRequest) -> HttpAnswer:
        self.asked.append(request.path)
        rows = self.rows if request.path.endswith("instruments-info") else []
        body = {"retCode": 0, "result": {"list": rows}, "time": self.clock.ms + AHEAD_MS}
        return HttpAnswer(200, json.dumps(body).encode())

    async def connect(self, url: str) -> Socket:
        raise TransportError(url, sent=False)

    async def close(self) -> None: ...


class Sink:
    def __init__(self) -> None:
        self.events: list[Event] = []

    def put(self, event: Event, frame: Frame | None = None) -> None:
        self.events.append(event)


@pytest.fixture
def venue() -> Venue:
    return Venue(Clock())


@pytest.fixture
def paper(venue: Venue, tmp_path: Path) -> PaperVenue:
    keys = ("KEY", "SECRET")
    return paper_venue(Settings(), tmp_path / "paper.jsonl", keys, PUBLIC, venue.clock, venue, print)


def ask(paper: PaperVenue, *requests: HttpRequest) -> list[dict[str, Any]]:
    async def all_of_them() -> list[HttpAnswer]:
        return [await paper.request(request) for request in requests]

    return [json.loads(answer.body) for answer in asyncio.run(all_of_them())]


def signed(paper: PaperVenue, method: str, path: str, query: str = "", body: bytes = b"") -> HttpRequest:
    stamp = str(paper.now_ms())
    sign = paper.exchange.keys.sign(f"{stamp}KEY5000{query or body.decode()}")
    names = ("API-KEY", "TIMESTAMP", "RECV-WINDOW", "SIGN")
    headers = dict(zip((f"X-BAPI-{name}" for name in names), ("KEY", stamp, "5000", sign), strict=True))
    return HttpRequest(method, "", path, query, body, headers)


RULES = HttpRequest("GET", "", "/v5/market/instruments-info", "category=linear")


def test_only_what_is_about_the_market_leaves_the_process(paper: PaperVenue, venue: Venue) -> None:
    ask(paper, HttpRequest("GET", "", "/v5/market/time"), RULES)
    position, wallet, order = ask(
        paper,
        signed(paper, "GET", "/v5/position/list", "category=linear&symbol=BTCUSDT"),
        signed(paper, "GET", "/v5/account/wallet-balance", "accountType=UNIFIED"),
        signed(paper, "POST", "/v5/order/create", body=b'{"category":"linear","symbol":"BTCUSDT","side":"Buy"}'),
    )
    assert venue.asked == ["/v5/market/time", "/v5/market/instruments-info"]
    assert [position["retCode"], wallet["retCode"], order["retCode"]] == [0, 0, 10001]
    assert wallet["result"]["list"][0]["totalWalletBalance"] == "10000"


def test_the_account_has_the_venues_clock_and_rules(paper: PaperVenue, venue: Venue) -> None:
    unknown = ask(paper, signed(paper, "GET", "/v5/position/list", "category=linear&symbol=BTCUSDT"))[0]
    assert unknown["retCode"] == 10001
    ask(paper, RULES)
    assert paper.now_ms() == venue.clock.ms + AHEAD_MS
    position = ask(paper, signed(paper, "GET", "/v5/position/list", "category=linear&symbol=BTCUSDT"))[0]
    assert position["time"] >= venue.clock.ms + AHEAD_MS
    assert paper.exchange.listings["BTCUSDT"].instrument.max_lots == INSTRUMENTS["BTCUSDT"].max_lots
    venue.rows[0]["lotSizeFilter"] |= {"maxOrderQty": "7.000"}  # type: ignore[operator] - a record
    ask(paper, RULES)
    assert paper.exchange.listings["BTCUSDT"].instrument.max_lots == 7000


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"result":[]}', b'{"result":{"list":[{"symbol":"BTCUSDT"}]}}'])
def test_an_answer_that_makes_no_sense_is_left_to_the_adapter(paper: PaperVenue, venue: Venue, body: bytes) -> None:
    async def odd(request: HttpRequest) -> HttpAnswer:
        return HttpAnswer(200, body)

    venue.request = odd  # type: ignore[method-assign]
    assert asyncio.run(paper.request(RULES)).body == body
    ask(paper, signed(paper, "GET", "/v5/position/list", "category=linear&symbol=BTCUSDT"))
    assert "BTCUSDT" not in paper.exchange.listings


def test_the_engine_and_the_exchange_hear_the_same(paper: PaperVenue, venue: Venue) -> None:
    ask(paper, RULES, signed(paper, "GET", "/v5/position/list", "category=linear&symbol=BTCUSDT"))
    sink, book = Sink(), BookSnapshot("BTCUSDT", [(600_000, 5)], [(600_001, 7)], 9, 9, 0, 200)
    paper.heard(sink).put(book)
    assert sink.events == [book]
    assert (paper.exchange.listings["BTCUSDT"].book.best_bid, paper.exchange.listings["BTCUSDT"].book.best_ask) == (
        600_000,
        600_001,
    )


def test_sockets_of_the_account_end_in_the_process(paper: PaperVenue) -> None:
    async def talk() -> Iterable[dict[str, Any]]:
        with pytest.raises(TransportError, match="public"):
            await paper.connect(PUBLIC)
        socket = await paper.connect("wss://venue/v5/private")
        expires = paper.now_ms() + 5000
        sign = paper.exchange.keys.sign(f"GET/realtime{expires}")
        await socket.send(json.dumps({"op": "auth", "args": ["KEY", expires, sign]}))
        paper.exchange.advance(paper.now_ms() + 100)
        heard = json.loads(await socket.receive())
        await socket.close()
        for _ in range(2):
            with pytest.raises(TransportError, match="closed"):
                await socket.receive()
        return [heard]

    (heard,) = asyncio.run(talk())
    assert (heard["op"], heard["success"]) == ("auth", True)
