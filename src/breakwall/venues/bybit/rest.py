"""One REST call to Bybit: budget, signature, exchange, answer. Every page of a list."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from msgspec import Struct

from breakwall import points
from breakwall.model.api import ApiGroup
from breakwall.model.events import Link, LinkChanged
from breakwall.model.text import sanitise
from breakwall.model.view import LimitView
from breakwall.points import Point
from breakwall.ports import Clock, HttpAnswer, Sink, Transport, TransportError
from breakwall.venues.bybit import outcome
from breakwall.venues.bybit.endpoints import (
    CAPS,
    GROUPS,
    TIME,
    Endpoint,
    Envelope,
    Params,
    Signer,
    UnreadableError,
    VenueTime,
    build,
    open_envelope,
)
from breakwall.venues.bybit.outcome import Reaction, Verdict
from breakwall.venues.bybit.reports import Record, RecordError, dict_in, records_in
from breakwall.venues.circuit import Circuits
from breakwall.venues.limiter import Budget, Limiter

PAGES_MOST = 100
TRIES = 3
MAY_WAIT = frozenset({ApiGroup.ADMISSION, ApiGroup.MARKET})
"""Groups of which nothing protects: here an open API breaker holds back what may spend the reserved budget too."""


class Reply(Struct, frozen=True):
    """`sent` False: surely never left this machine. `wait_ms` is the pause the venue asked for (10006)."""

    verdict: Verdict
    result: object = None
    sent: bool = True
    wait_ms: int = 0


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
    """All calls of one key share its budget, its clock offset and one opinion on whether REST works."""

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
        self._ban_told = False
        self._tell_ban: Callable[[int], None] = _nobody
        self.limiter = Limiter(CAPS)
        self.circuits = Circuits(sink)
        self.time = VenueTime()

    def honour(self, until_ms: int, tell: Callable[[int], None]) -> None:
        """Go on with a ban of our address from before (engine time; 0: none), and let it be known for the next start:
        `tell` gets the moment each ban ends, and 0 once the venue answers again.
        """
        self._tell_ban = tell
        if until_ms:
            self._ban_told = True
            self.limiter.ban(until_ms)
            self.circuits.banned("our address was banned before this start (HTTP 403)", until_ms)

    @property
    def host(self) -> str:
        return self._base.partition("://")[2]

    @property
    def banned_until_ms(self) -> int:
        """Until when nothing leaves; 0: no ban."""
        now_ms = self._clock.now_ms()
        left_ms = self.limiter.banned_ms(now_ms)
        return now_ms + left_ms if left_ms else 0

    def venue_ms(self) -> int:
        return self.time.at(self._clock.now_ms())

    async def read(self, endpoint: Endpoint, params: Params) -> dict[str, object]:
        """The result of a GET, tried again where that is safe; raises ReadError with the reason."""
        verdict = outcome.unknown("not tried")
        for attempt in range(TRIES):
            reply = await self.call(endpoint, params, urgent=True)
            verdict = reply.verdict
            if verdict.ok:
                return dict_in(reply.result)
            if verdict.reaction not in {Reaction.RETRY, Reaction.AMBIGUOUS} or self._banned():
                break
            await points.linger("rest: before reading again", self._clock.sleep)
            if attempt + 1 < TRIES:
                await self._clock.sleep(max(reply.wait_ms, 100 * 2**attempt) / 1000)
        raise ReadError(f"{endpoint.path}: {verdict.reason}", alarm=verdict.reaction is Reaction.ALARM)

    async def write(self, endpoint: Endpoint, body: Params, *, urgent: bool, sent: Point | None = None) -> Reply:
        """A POST, sent again only where the first surely did nothing, always with the same body.

        Entries (not `urgent`) leave at once or not at all: whatever allowed them may have changed during
        a wait, and nobody asks the last gate again in here. `sent` is the crash point when its bytes are out.
        """
        points.stumble("rest: before a command")
        reply = await self.call(endpoint, body, urgent=urgent, sent=sent)
        for attempt in range(1, TRIES if urgent else 1):
            never_left = not reply.sent and reply.verdict.reaction is Reaction.AMBIGUOUS
            if not never_left and reply.verdict.reaction is not Reaction.RETRY:
                break
            if reply.verdict.code not in outcome.CLOCK_CODES:
                await self._clock.sleep(max(reply.wait_ms, 50 * 2**attempt) / 1000)
            reply = await self.call(endpoint, body, urgent=urgent, sent=sent)
        return reply

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
        """One request, never repeated here. `urgent` may spend the reserved budget and waits for it; others
        are shed where they would have to wait, and are void where they are long on the way.

        An open API breaker refuses entries, and what is no part of protection. Stops, closes, cancels, and the
        reading that finds out what became of them, always pass; only a ban of our address stops those.
        """
        while wait := self.limiter.acquire(endpoint.path, self._clock.now_ms(), urgent=urgent):
            if self._banned():
                return _refused(f"our address is banned for another {wait // 1000} s after HTTP 403")
            if not urgent:
                return _refused(f"rate budget: the next entry may leave in {wait} ms")
            await self._clock.sleep(wait / 1000)
        always = urgent and endpoint.group not in MAY_WAIT
        if refusal := self.circuits.refusal(endpoint.group, self._clock.now_ms(), always=always):
            return _refused(refusal)
        at_ms, soon = self.venue_ms(), not urgent
        request = build(endpoint, params, self._base, self._timeout_s, self._signer, at_ms, sent, soon=soon)
        sent_ns = self._clock.now_ns()
        try:
            answer = await self._transport.request(request)
            await points.linger("rest: answer read", self._clock.sleep)
        except TransportError as error:
            self._failed(endpoint, str(error))
            return Reply(outcome.unknown(str(error)), sent=error.sent)
        return self._judge(endpoint, answer, sent_ns / 1e6)

    def limits(self) -> tuple[LimitView, ...]:
        """What the address and each group may still ask for."""
        at_ms = self._clock.now_ms()
        found = [_limit(ApiGroup.ALL, self.limiter.address(at_ms))]
        found += [_limit(GROUPS.get(budget.path, ApiGroup.ALL), budget) for budget in self.limiter.budgets(at_ms)]
        worst: dict[str, LimitView] = {}
        for limit in found:
            worst[limit.group] = max(worst.get(limit.group, limit), limit, key=_pressed)
        return tuple(worst.values())

    async def measure_time(self, times: int = 3) -> None:
        """Ask the venue for its time; the quickest answer counts. Raises ReadError."""
        for _ in range(times):
            await self.read(TIME, {})

    def _judge(self, endpoint: Endpoint, answer: HttpAnswer, sent_ms: float) -> Reply:
        now_ms = self._clock.now_ms()
        verdict = outcome.of_status(answer.status)
        if verdict is not None:
            if answer.status == outcome.BAN_STATUS:
                until_ms = self.limiter.banned(now_ms, answer.headers, self.venue_ms())
                self.circuits.banned(verdict.reason, until_ms)
                self._ban_told = True
                self._tell_ban(until_ms)
            elif answer.status >= 500:
                self.circuits.failed(endpoint.group, verdict.reason, now_ms)
            elif answer.status in outcome.BUSY_CODES:
                self.limiter.busy(now_ms)
            self._link(False, verdict.reason)
            return Reply(verdict)
        try:
            envelope = open_envelope(answer)
        except UnreadableError as error:
            self._failed(endpoint, str(error))
            return Reply(outcome.unknown(str(error)))
        verdict = outcome.of_code(envelope.code, envelope.message or "")
        if envelope.code in outcome.FAILED_CODES:
            self.circuits.failed(endpoint.group, verdict.reason, now_ms)
        else:
            self.circuits.succeeded(endpoint.group, now_ms)
        self._learn(endpoint, envelope, answer, sent_ms)
        if self._ban_told and not self._banned():
            self._ban_told = False
            self._tell_ban(0)
        wait_ms = 0
        if envelope.code == outcome.RATE_LIMIT:
            wait_ms = self.limiter.exceeded(endpoint.path, answer.headers, now_ms, self.venue_ms())
        elif envelope.code in outcome.BUSY_CODES:
            self.limiter.busy(now_ms)
        self._link(verdict.reaction is not Reaction.ALARM, verdict.reason)
        return Reply(verdict, envelope.result, wait_ms=wait_ms)

    def _learn(self, endpoint: Endpoint, envelope: Envelope, answer: HttpAnswer, sent_ms: float) -> None:
        if envelope.code in outcome.CLOCK_CODES:
            self.time.forget()
        self.time.learn(sent_ms, self._clock.now_ns() / 1e6, envelope.time or 0)
        self.limiter.learn(endpoint.path, answer.headers, self._clock.now_ms())

    def _banned(self) -> bool:
        return self.limiter.banned_ms(self._clock.now_ms()) > 0

    def _failed(self, endpoint: Endpoint, reason: str) -> None:
        """Nothing was understood, so nothing is known."""
        self.circuits.failed(endpoint.group, reason, self._clock.now_ms())
        self._link(False, reason)

    def _link(self, up: bool, reason: str) -> None:
        """Tell changes only."""
        if up != self._up:
            self._up = up
            self._sink.put(LinkChanged(Link.REST, up, "" if up else reason))


def _limit(group: ApiGroup, budget: Budget) -> LimitView:
    return LimitView(
        group=group.value,
        endpoint=budget.path,
        cap=budget.cap,
        size=budget.size,
        left=budget.left,
        reserve=budget.reserve,
        wait_ms=budget.wait_ms,
    )


def _nobody(until_ms: int) -> None:
    """Nobody wants to know of bans."""


def _pressed(limit: LimitView) -> tuple[int, float]:
    return limit.wait_ms, limit.used


def _refused(reason: str) -> Reply:
    return Reply(Verdict(Reaction.REFUSED, 0, reason), sent=False)
