"""What the venue grants one key and what it has said of late: budgets, API breakers, its clock.

REST and trade socket share all of it: both spend the same budgets, and both teach the same lessons.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

from breakwall.model.api import ApiGroup
from breakwall.model.view import LimitView
from breakwall.ports import Clock, HttpAnswer, Sink
from breakwall.venues.bybit import outcome
from breakwall.venues.bybit.endpoints import CAPS, GROUPS, Endpoint, VenueTime
from breakwall.venues.bybit.outcome import Verdict
from breakwall.venues.circuit import Circuits
from breakwall.venues.limiter import Budget, Limiter

MAY_WAIT = frozenset({ApiGroup.ADMISSION, ApiGroup.MARKET})
"""Groups of which nothing protects: here an open API breaker holds back what may spend the reserved budget too."""


class Answer(Protocol):
    """The frame of an answer: `time` is the venue's when it answered."""

    @property
    def code(self) -> int: ...
    @property
    def message(self) -> str | None: ...
    @property
    def time(self) -> int | None: ...


class Terms:
    """One for each key. Times are the engine's, in ms, but for those that are said to be the venue's."""

    def __init__(self, clock: Clock, sink: Sink) -> None:
        self._clock = clock
        self._ban_told = False
        self._tell_ban: Callable[[int], None] = _nobody
        self.limiter = Limiter(CAPS)
        self.circuits = Circuits(sink)
        self.time = VenueTime()

    def venue_ms(self) -> int:
        """The venue's time now."""
        return self.time.at(self._clock.now_ms())

    async def admit(self, doors: tuple[Endpoint, ...], *, urgent: bool, rest: bool = True) -> Endpoint | str:
        """The first of these endpoints of one group that has budget for a request now, or why none may leave.

        `urgent` may spend the reserved budget and waits for it; others are shed where they would have to wait.
        An open API breaker refuses entries, and what is no part of protection. Stops, closes, cancels, and the
        reading that finds out what became of them, always pass; only a ban of our address stops those, and not where
        they go over the trade socket (`rest` False).
        """
        while isinstance(found := self._with_budget(doors, urgent=urgent, rest=rest), int):
            if rest and self.banned:
                return self._banned_words
            if not urgent:
                return f"rate budget: the next entry may leave in {found} ms"
            await self._clock.sleep(found / 1000)
        always = urgent and found.group not in MAY_WAIT
        return self.circuits.refusal(found.group, self._clock.now_ms(), always=always) or found

    def grant(self, door: Endpoint, wanted: int) -> int:
        """How many of so many urgent orders may leave over REST right now, in one batch; their budget is spent.

        They spend the address's budget as if each were a request: that errs on the safe side.
        """
        at_ms, granted = self._clock.now_ms(), 0
        while granted < wanted and not self.limiter.acquire(door.path, at_ms, urgent=True):
            granted += 1
        if granted:
            self.circuits.refusal(door.group, at_ms, always=True)
        return granted

    def _with_budget(self, doors: tuple[Endpoint, ...], *, urgent: bool, rest: bool) -> Endpoint | int:
        """The first one with budget, which is then spent; or in how many ms the next one has some."""
        at_ms, waits = self._clock.now_ms(), []
        for door in doors:
            wait_ms = self.limiter.acquire(door.path, at_ms, urgent=urgent, rest=rest)
            if not wait_ms:
                return door
            waits.append(wait_ms)
        return min(waits)

    def honour(self, until_ms: int, tell: Callable[[int], None]) -> None:
        """Go on with a ban of our address from before (0: none), and let it be known for the next start: `tell` gets
        the moment each ban ends, and 0 once the venue answers again.
        """
        self._tell_ban = tell
        if until_ms:
            self._ban_told = True
            self.limiter.ban(until_ms)
            self.circuits.banned("our address was banned before this start (HTTP 403)", until_ms)

    @property
    def banned(self) -> bool:
        return self.banned_until_ms > 0

    @property
    def banned_until_ms(self) -> int:
        """Until when nothing leaves over REST; 0: no ban."""
        now_ms = self._clock.now_ms()
        left_ms = self.limiter.banned_ms(now_ms)
        return now_ms + left_ms if left_ms else 0

    @property
    def _banned_words(self) -> str:
        """The same each time while it lasts, so that a log tells it once."""
        at_s = self.banned_until_ms // 1000
        at = f"{at_s // 3600 % 24:02d}:{at_s // 60 % 60:02d}:{at_s % 60:02d}"
        return f"our address is banned until {at} UTC (HTTP 403)"

    def turned_away(self, endpoint: Endpoint, answer: HttpAnswer, reason: str) -> None:
        """An HTTP status said it all."""
        now_ms = self._clock.now_ms()
        if answer.status == outcome.BAN_STATUS:
            until_ms = self.limiter.banned(now_ms, answer.headers, self.venue_ms())
            self.circuits.banned(reason, until_ms)
            self._ban_told = True
            self._tell_ban(until_ms)
        elif answer.status >= 500:
            self.circuits.failed(endpoint.group, reason, now_ms)
        elif answer.status in outcome.BUSY_CODES:
            self.limiter.busy(now_ms)

    def heard(self, endpoint: Endpoint, answer: Answer, headers: Mapping[str, str], sent_ms: float) -> Verdict:
        """What an answer means. Its budget, its time and what it says of the venue's health are noted.

        `headers` have names in lower case; `sent_ms` is when the request left.
        """
        now_ms, verdict = self._clock.now_ms(), outcome.of_code(answer.code, answer.message or "")
        if answer.code in outcome.FAILED_CODES:
            self.circuits.failed(endpoint.group, verdict.reason, now_ms)
        else:
            self.circuits.succeeded(endpoint.group, now_ms)
        if answer.code in outcome.CLOCK_CODES:
            self.time.forget()
        self.time.learn(sent_ms, self._clock.now_ns() / 1e6, answer.time or 0)
        self.limiter.learn(endpoint.path, headers, now_ms)
        if self._ban_told and not self.banned:
            self._ban_told = False
            self._tell_ban(0)
        if answer.code == outcome.RATE_LIMIT:
            self.exceeded(endpoint, headers)
        elif answer.code in outcome.BUSY_CODES:
            self.limiter.busy(now_ms)
        return verdict

    def exceeded(self, endpoint: Endpoint, headers: Mapping[str, str] | None = None) -> None:
        """The venue said 10006: this endpoint rests until the time in its headers."""
        self.limiter.exceeded(endpoint.path, headers or {}, self._clock.now_ms(), self.venue_ms())

    def failed(self, endpoint: Endpoint, reason: str) -> None:
        """Nothing was understood, so nothing is known."""
        self.circuits.failed(endpoint.group, reason, self._clock.now_ms())

    def limits(self) -> tuple[LimitView, ...]:
        """What the address and each group may still ask for."""
        at_ms = self._clock.now_ms()
        found = [_limit(ApiGroup.ALL, self.limiter.address(at_ms))]
        found += [_limit(GROUPS.get(budget.path, ApiGroup.ALL), budget) for budget in self.limiter.budgets(at_ms)]
        worst: dict[str, LimitView] = {}
        for limit in found:
            worst[limit.group] = max(worst.get(limit.group, limit), limit, key=_pressed)
        return tuple(worst.values())


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


def _pressed(limit: LimitView) -> tuple[int, float]:
    return limit.wait_ms, limit.used


def _nobody(until_ms: int) -> None:
    """Nobody wants to know of bans."""
