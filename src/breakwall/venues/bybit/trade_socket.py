"""Bybit's trade socket: requests go out by id, answers find their request by it. Source: Bybit v5, websocket/trade.

Nothing is ever sent twice here. What was sent and has no answer is unknown, whatever ended the waiting.
"""

import asyncio
import random
from collections.abc import Mapping
from itertools import count
from typing import Any

import msgspec
from msgspec import Struct

from breakwall import points
from breakwall.model.events import Link, LinkChanged
from breakwall.model.text import sanitise
from breakwall.points import Point
from breakwall.ports import Clock, Frame, Sink, Transport, TransportError
from breakwall.settings import VenueSettings
from breakwall.venues.bybit.endpoints import Endpoint, Params, Signer
from breakwall.venues.bybit.terms import Terms
from breakwall.venues.websocket import Pace, Stream

DOUBT_MS = 700
"""A socket that owes an answer for so long carries nothing new, and a close is not left waiting for it any longer:
acknowledgements take milliseconds, and the close that follows one without an answer must not go the same way.
"""
SHUN_MS = 60_000
"""How long one that refuses to take orders at all is left alone."""
_CHATTER = frozenset({"auth", "ping", "pong"})


class TradeAnswer(Struct, frozen=True):
    """The frame of every answer. `reqId` may be missing where a request is refused for want of a permission."""

    code: int = msgspec.field(name="retCode")
    message: str | None = msgspec.field(name="retMsg", default=None)
    op: str = ""
    request_id: str | int | None = msgspec.field(name="reqId", default=None)
    result: Any = msgspec.field(name="data", default=None)
    extra: Any = msgspec.field(name="retExtInfo", default=None)
    header: dict[str, Any] | None = None

    @property
    def time(self) -> int | None:
        """The venue's, when it answered."""
        told = self.headers.get("timenow", "")
        return int(told) if told.isdecimal() else None

    @property
    def headers(self) -> Mapping[str, str]:
        """As those of an HTTP answer."""
        return {name.lower(): str(value) for name, value in (self.header or {}).items()}


_decode = msgspec.json.Decoder(TradeAnswer, strict=False).decode


class _Question:
    """A request without its answer yet."""

    __slots__ = ("answer", "at_ms", "operation")

    def __init__(self, operation: str, at_ms: int) -> None:
        self.operation = operation
        self.at_ms = at_ms
        self.answer: asyncio.Future[TradeAnswer] = asyncio.get_running_loop().create_future()


class TradeSocket:
    """One socket, logged in, kept alive and connected again; `ready` says whether to trust it with an order."""

    def __init__(
        self,
        url: str,
        transport: Transport,
        clock: Clock,
        sink: Sink,
        settings: VenueSettings,
        rng: random.Random,
        signer: Signer,
        terms: Terms,
    ) -> None:
        self._clock = clock
        self._sink = sink
        self._timeout_s = settings.request_timeout_s
        self._signer = signer
        self._terms = terms
        self._questions: dict[str, _Question] = {}
        self._names = count(1)
        self._shunned_until_ms = 0
        self._told: bool | None = None
        self._stream = Stream(
            name="trade",
            url=url,
            transport=transport,
            clock=clock,
            listener=self,
            settings=settings,
            rng=rng,
            pace=Pace(clock),
            login=lambda: signer.login(terms.venue_ms()),
        )

    @property
    def ready(self) -> bool:
        """Connected, logged in, taking orders, and owing no answer for long."""
        now_ms = self._clock.now_ms()
        if not self._stream.up or now_ms < self._shunned_until_ms:
            return False
        oldest = next(iter(self._questions.values()), None)
        return oldest is None or now_ms - oldest.at_ms < DOUBT_MS

    async def run(self) -> None:
        """Connect again and again until cancelled."""
        try:
            await self._stream.run()
        finally:
            self._lose("the trade socket was put down")

    async def ask(self, endpoint: Endpoint, body: Params, *, soon: bool, sent: Point | None = None) -> TradeAnswer:
        """One request and its answer; `soon` as in `Signer`, `sent` is the crash point when its bytes are out.

        What is not `soon` protects: it is given up sooner, so that another can be tried by another way. Raises
        TransportError where nothing is known of it, with `sent` False where surely nothing has left.
        """
        patience_s = self._timeout_s if soon else min(self._timeout_s, DOUBT_MS / 1000)
        now_ms, operation = self._clock.now_ms(), operation_of(endpoint)
        name = f"bw-{now_ms}-{next(self._names)}"  # the venue refuses one it has seen, perhaps from the run before
        header = self._signer.window(self._terms.venue_ms(), soon=soon)
        request = {"reqId": name, "header": header, "op": operation, "args": [body]}
        question = self._questions[name] = _Question(operation, now_ms)
        try:
            async with asyncio.timeout(patience_s):  # a peer that reads nothing holds up the sending too
                await self._stream.send(msgspec.json.encode(request).decode())
                if sent is not None:
                    points.reach(sent)
                answer = await question.answer
            await points.linger("trade socket: answer read", self._clock.sleep)
        except TimeoutError as error:
            reason = f"{operation}: no answer on the trade socket within {patience_s:g} s"
            self.give_up(reason)
            raise TransportError(reason) from error
        finally:
            del self._questions[name]
        return answer

    def give_up(self, reason: str) -> None:
        """It cannot be trusted any more: begin anew. What it still owes an answer is unknown."""
        self._stream.give_up(reason)

    def hurry(self) -> None:
        """See `Stream.hurry`."""
        self._stream.hurry()

    def shun(self, reason: str) -> None:
        """It takes no orders: let it be for a while."""
        self._shunned_until_ms = self._clock.now_ms() + SHUN_MS
        self.give_up(f"{reason}; not asked again for {SHUN_MS // 1000} s")

    def on_frame(self, frame: Frame) -> None:
        """An answer, for whoever waits for it; late ones are nobody's: their requests are being queried."""
        try:
            answer = _decode(frame.data)
        except (msgspec.MsgspecError, RecursionError) as error:
            begin = sanitise(frame.data[:60].decode(errors="replace"))
            self.give_up(f"trade: expected an answer, found {begin!r} ({error})")
            return
        if answer.op in _CHATTER:
            return
        question = self._questions.get(str(answer.request_id))
        if question is None:
            if answer.request_id is None:
                said = f"{answer.code} {sanitise(answer.message or '', 60)}"
                self.give_up(f"trade: expected an answer with the id of its request, found {said!r} without")
        elif answer.op != question.operation:
            found = sanitise(answer.op, 40)
            self.give_up(f"trade: expected an answer to {question.operation}, found one to {found!r}")
        elif not question.answer.done():
            question.answer.set_result(answer)

    def on_link(self, up: bool, reason: str) -> None:
        """Changes only: it is tried again and again."""
        if not up:
            self._lose(reason)
        if self._told is not up:
            self._told = up
            self._sink.put(LinkChanged(Link.TRADE, up, reason))

    def on_silence(self, topic: str, reason: str) -> None:
        """It follows no topic."""

    def _lose(self, reason: str) -> None:
        for question in self._questions.values():
            if not question.answer.done():
                question.answer.set_exception(TransportError(reason))
                question.answer.exception()  # whoever asked may be gone; that is no news


def operation_of(endpoint: Endpoint) -> str:
    """The trade socket's word for an order endpoint: /v5/order/create-batch is order.create-batch."""
    return endpoint.path.removeprefix("/v5/").replace("/", ".")
