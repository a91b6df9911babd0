"""Paper trading: the market of a real venue, the account of an embedded exchange in this process.

Books, trades and prices come over the ordinary feed and are heard by both, the engine and the embedded exchange;
orders and the private stream of the ordinary adapter never leave the process.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import msgspec

from breakwall.model.events import Event
from breakwall.ports import Clock, Feed, Frame, HttpAnswer, HttpRequest, Sink, Socket, Transport, TransportError
from breakwall.settings import Settings
from breakwall.venues.bybit.reports import RecordError, instrument_of
from breakwall.venues.exchange.exchange import Exchange
from breakwall.venues.exchange.keeping import KeptAccount

_MARKET = "/v5/market/"
_TIME, _INSTRUMENTS = f"{_MARKET}time", f"{_MARKET}instruments-info"
_STEP_MS = 20


class _Answer(msgspec.Struct):
    """An answer of the venue: its clock, and the rows of a list."""

    class Result(msgspec.Struct, frozen=True):
        rows: list[msgspec.Raw] = msgspec.field(name="list", default_factory=list)

    result: Result = Result()
    time: int = 0


class _Named(msgspec.Struct):
    symbol: str = ""


_decode_answer = msgspec.json.Decoder(_Answer).decode
_decode_named = msgspec.json.Decoder(_Named).decode


def paper_venue(
    settings: Settings,
    kept: Path,
    keys: tuple[str, str],
    public_url: str,
    clock: Clock,
    transport: Transport,
    trouble: Callable[[str], None],
) -> "PaperVenue":
    """The paper account kept in this file, new where there is none, on the market that `transport` leads to.

    `keys` are what its adapter signs with, `trouble` is told where the file can no longer be written. Raises OSError,
    or ValueError where the file is something else.
    """
    exchange = Exchange(
        0,
        None,
        clock.now_ms(),
        symbols=(),
        api_key=keys[0],
        api_secret=keys[1],
        balance=settings.paper.balance_usdt,
        match_delay_ms=settings.paper.latency_ms,
        step_ms=_STEP_MS,
        address_limit=0,
    )
    exchange.account.taker_fee, exchange.account.maker_fee = settings.venue.taker_fee, settings.venue.maker_fee
    exchange.outside.mends = settings.venue.gaps == "warn"  # the engine asks for no new book then
    KeptAccount(kept, exchange, trouble)
    return PaperVenue(transport, exchange, clock, public_url)


class PaperVenue:
    """`ports.Transport` of the adapter: what is about the market goes to the venue, all else to the exchange.

    The exchange keeps the venue's time, as far as its answers tell it, and lists a contract with the venue's rules
    when it is first asked about it.
    """

    def __init__(self, transport: Transport, exchange: Exchange, clock: Clock, public_url: str) -> None:
        self.exchange = exchange
        self._transport = transport
        self._clock = clock
        self._public_url = public_url
        self._ahead_ms = 0
        self._rules: dict[str, bytes] = {}

    def now_ms(self) -> int:
        return self._clock.now_ms() + self._ahead_ms

    async def request(self, request: HttpRequest) -> HttpAnswer:
        if request.path.startswith(_MARKET):
            asked_ms = self._clock.now_ms()
            answer = await self._transport.request(request)
            self._learn(request.path, answer, (asked_ms + self._clock.now_ms()) // 2)
            return answer
        self._list(_symbol_of(request))
        return self.exchange.handle(request, self.now_ms())

    async def connect(self, url: str) -> Socket:
        if url == self._public_url:
            return await self._transport.connect(url)
        return InnerSocket(self.exchange, urlsplit(url).path.rpartition("/")[2], self.now_ms)

    async def close(self) -> None:
        await self._transport.close()

    async def turn(self) -> None:
        """The exchange's own time, until cancelled: it passes although nothing is heard of the market."""
        while True:
            self.exchange.advance(self.now_ms())
            await self._clock.sleep(_STEP_MS / 1000)

    def heard(self, sink: Sink) -> Sink:
        """A sink for the feed: the exchange hears of everything before `sink` does."""
        return _Heard(self, sink)

    def feed(self, feed: Feed) -> Feed:
        """The feed, and beside it the exchange's own time."""
        return _Feed(self, feed)

    def _learn(self, path: str, answer: HttpAnswer, at_ms: int) -> None:
        """The venue's clock (at `at_ms` of ours), and its contracts' rules; what cannot be read the adapter tells."""
        if path not in {_TIME, _INSTRUMENTS}:
            return
        try:
            told = _decode_answer(answer.body)
            rows = {_decode_named(row).symbol: bytes(row) for row in told.result.rows}
        except msgspec.MsgspecError:
            return
        if told.time:
            self._ahead_ms = told.time - at_ms
        self._rules |= rows
        for symbol in self.exchange.listings.keys() & rows.keys():
            self._list(symbol)

    def _list(self, symbol: str) -> None:
        rules = self._rules.pop(symbol, None)
        if rules is None:
            return
        with contextlib.suppress(RecordError, ValueError):  # the adapter finds and tells it
            found = instrument_of(msgspec.json.decode(rules))
            known = self.exchange.listings.get(symbol)
            if known is None:
                self.exchange.list_contract(symbol, found)
            elif known.instrument != found:
                self.exchange.follow_rules(found)


class _Heard:
    """`ports.Sink`."""

    def __init__(self, venue: PaperVenue, sink: Sink) -> None:
        self._venue = venue
        self._sink = sink

    def put(self, event: Event, frame: Frame | None = None) -> None:
        self._venue.exchange.hear(event, self._venue.now_ms())
        self._sink.put(event, frame)


class _Feed:
    """`ports.Feed`."""

    def __init__(self, venue: PaperVenue, feed: Feed) -> None:
        self._venue = venue
        self._feed = feed

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._feed.run())
            group.create_task(self._venue.turn())

    def subscribe(self, symbols: Mapping[str, int]) -> None:
        self._feed.subscribe(symbols)

    def resubscribe(self, symbol: str, depth: int = 0) -> None:
        self._feed.resubscribe(symbol, depth)


class InnerSocket:
    """`ports.Socket` straight into an exchange: nothing is late, nothing is lost."""

    def __init__(self, exchange: Exchange, kind: str, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._frames: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._session = exchange.session(kind, lambda text: self._frames.put_nowait(text.encode()), self._hang_up)

    async def send(self, text: str) -> None:
        self._session.on_text(text, self._now_ms())

    async def receive(self) -> bytes:
        frame = await self._frames.get()
        if frame is None:
            self._frames.put_nowait(None)  # whoever asks again is told again
            raise TransportError("the socket is closed")
        return frame

    async def close(self) -> None:
        self._hang_up()

    def _hang_up(self) -> None:
        self._session.close()
        self._frames.put_nowait(None)


def _symbol_of(request: HttpRequest) -> str:
    if request.method == "GET":
        return parse_qs(request.query).get("symbol", [""])[0]
    try:
        return _decode_named(request.body).symbol
    except msgspec.MsgspecError:
        return ""
