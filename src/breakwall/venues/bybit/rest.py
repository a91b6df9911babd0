"""One REST call to Bybit: budget, signature, exchange, answer. Every page of a list."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from msgspec import Struct

from breakwall import points
from breakwall.model.api import Bars
from breakwall.model.events import Link, LinkChanged
from breakwall.model.text import sanitise
from breakwall.points import Point
from breakwall.ports import Clock, HttpAnswer, Sink, Transport, TransportError
from breakwall.venues.bybit import outcome
from breakwall.venues.bybit.endpoints import (
    TIME,
    Endpoint,
    Params,
    Signer,
    UnreadableError,
    build,
    open_envelope,
)
from breakwall.venues.bybit.outcome import Reaction, Verdict
from breakwall.venues.bybit.reports import Record, RecordError, dict_in, records_in
from breakwall.venues.bybit.terms import Terms

PAGES_MOST = 100
TRIES = 3


class Reply(Struct, frozen=True):
    """`sent` False: surely never left this machine. `extra` is where a batch tells what became of each item."""

    verdict: Verdict
    result: object = None
    extra: object = None
    sent: bool = True


def refused(reason: str) -> Reply:
    """We did not send it."""
    return Reply(Verdict(Reaction.REFUSED, 0, reason), sent=False)


async def insist(once: Callable[[], Awaitable[Reply]], clock: Clock, *, urgent: bool) -> Reply:
    """A command, sent again only where the one before surely did nothing, always the same.

    Entries (not `urgent`) leave at once or not at all: whatever allowed them may have changed during a wait, and
    nobody asks the last gate again in here. Where a budget was exceeded, it makes its own wait.
    """
    reply = await once()
    for attempt in range(1, TRIES if urgent else 1):
        never_left = not reply.sent and reply.verdict.reaction is Reaction.AMBIGUOUS
        if not never_left and reply.verdict.reaction is not Reaction.RETRY:
            break
        if reply.verdict.code not in outcome.AT_ONCE:
            await clock.sleep(50 * 2**attempt / 1000)
        reply = await once()
    return reply


class ReadError(Exception):
    """Something could not be read completely; never to be taken as "there is nothing".

    `alarm`: the venue refuses the key or the account, trying again will not help.
    """

    def __init__(self, reason: str, *, alarm: bool = False) -> None:
        super().__init__(reason)
        self.alarm = alarm


@asynccontextmanager
async def together() -> AsyncIterator[asyncio.TaskGroup]:
    """A task group whose first error comes out as itself, once the others are cancelled and gone."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from errors


class Rest:
    """All calls of one key share its terms and one opinion on whether REST works.

    `on_return` are told when it answers again: then the venue's sockets may be there again too.
    """

    def __init__(
        self, transport: Transport, clock: Clock, sink: Sink, base: str, signer: Signer, timeout_s: float
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._sink = sink
        self._base = base
        self._signer = signer
        self._timeout_s = timeout_s
        self._up = True
        self.terms = Terms(clock, sink)
        self.on_return: list[Callable[[], None]] = []

    @property
    def host(self) -> str:
        return self._base.partition("://")[2]

    async def read(self, endpoint: Endpoint, params: Params) -> dict[str, object]:
        """The result of a GET, tried again where that is safe; raises ReadError with the reason."""
        verdict = outcome.unknown("not tried")
        for attempt in range(TRIES):
            reply = await self.call(endpoint, params, urgent=True)
            verdict = reply.verdict
            if verdict.ok:
                return dict_in(reply.result)
            if verdict.reaction not in {Reaction.RETRY, Reaction.AMBIGUOUS} or self.terms.banned:
                break
            await points.linger("rest: before reading again", self._clock.sleep)
            if attempt + 1 < TRIES:
                await self._clock.sleep(100 * 2**attempt / 1000)
        raise ReadError(f"{endpoint.path}: {verdict.reason}", alarm=verdict.bars is Bars.PERSON)

    async def write(self, endpoint: Endpoint, body: Params, *, urgent: bool, sent: Point | None = None) -> Reply:
        """A POST; see `insist`. `sent` is the crash point when its bytes are out."""
        points.stumble("rest: before a command")
        return await insist(lambda: self.call(endpoint, body, urgent=urgent, sent=sent), self._clock, urgent=urgent)

    async def read_list(self, endpoint: Endpoint, params: Params) -> list[Record]:
        """All pages of a list; raises ReadError also where the venue repeats a cursor or a page has no list."""
        await points.linger("rest: before a list", self._clock.sleep)
        rows: list[Record] = []
        seen: set[str] = set()
        asked = dict(params)
        for _ in range(PAGES_MOST):
            result = await self.read(endpoint, asked)
            try:
                rows += records_in(result)
            except RecordError as error:
                raise ReadError(f"{endpoint.path}: {error}") from error
            cursor = str(result.get("nextPageCursor") or "")
            if not cursor:
                return rows
            if cursor in seen:
                raise ReadError(f"{endpoint.path}: expected a new page, found cursor {sanitise(cursor, 40)!r} again")
            seen.add(cursor)
            asked["cursor"] = cursor
        raise ReadError(f"{endpoint.path}: expected at most {PAGES_MOST} pages, found more")

    async def call(self, endpoint: Endpoint, params: Params, *, urgent: bool, sent: Point | None = None) -> Reply:
        """One request, never repeated here; `Terms.admit` says what may leave."""
        admitted = await self.terms.admit((endpoint,), urgent=urgent)
        if isinstance(admitted, str):
            return refused(admitted)
        return await self.send(endpoint, params, urgent=urgent, sent=sent)

    async def send(self, endpoint: Endpoint, params: Params, *, urgent: bool, sent: Point | None = None) -> Reply:
        """One request that was admitted; what is not `urgent` is void where it is long on the way."""
        at_ms, soon = self.terms.venue_ms(), not urgent
        request = build(endpoint, params, self._base, self._timeout_s, self._signer, at_ms, sent, soon=soon)
        sent_ns = self._clock.now_ns()
        try:
            answer = await self._transport.request(request)
            await points.linger("rest: answer read", self._clock.sleep)
        except TransportError as error:
            self._failed(endpoint, str(error))
            return Reply(outcome.unknown(str(error)), sent=error.sent)
        return self._judge(endpoint, answer, sent_ns / 1e6)

    async def measure_time(self, times: int = 3) -> None:
        """Ask the venue for its time; the quickest answer counts. Raises ReadError."""
        for _ in range(times):
            await self.read(TIME, {})

    def _judge(self, endpoint: Endpoint, answer: HttpAnswer, sent_ms: float) -> Reply:
        verdict = outcome.of_status(answer.status)
        if verdict is not None:
            self.terms.turned_away(endpoint, answer, verdict.reason)
            self._link(False, verdict.reason)
            return Reply(verdict)
        try:
            envelope = open_envelope(answer)
        except UnreadableError as error:
            self._failed(endpoint, str(error))
            return Reply(outcome.unknown(str(error)))
        verdict = self.terms.heard(endpoint, envelope, answer.headers, sent_ms)
        self._link(verdict.reaction is not Reaction.ALARM, verdict.reason)
        return Reply(verdict, envelope.result, envelope.extra)

    def _failed(self, endpoint: Endpoint, reason: str) -> None:
        """Nothing was understood, so nothing is known."""
        self.terms.failed(endpoint, reason)
        self._link(False, reason)

    def _link(self, up: bool, reason: str) -> None:
        """Tell changes only."""
        if up != self._up:
            self._up = up
            self._sink.put(LinkChanged(Link.REST, up, "" if up else reason))
            for told in self.on_return if up else ():
                told()
