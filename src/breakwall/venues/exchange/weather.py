"""What the clients of a served exchange meet on their way to it: the faults in force, and how slow answers are.

Seconds count from the exchange's start. Requests pass here whichever door they use; sockets are `lines.Line`s.
"""

import asyncio
import contextlib
import random
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Protocol

import msgspec
from msgspec import Struct, structs

from breakwall.mistakes import nearest_name
from breakwall.model.crisis import Deed, Story
from breakwall.model.events import Link
from breakwall.model.text import sanitise
from breakwall.ports import Clock, HttpAnswer, HttpRequest
from breakwall.venues.exchange.bulletin import Notice
from breakwall.venues.exchange.crises import CRISES
from breakwall.venues.exchange.exchange import Exchange
from breakwall.venues.exchange.faults import (
    BAD_GATEWAY,
    EXCHANGE_ACTS,
    Fault,
    FaultKind,
    Faults,
    error_answer,
)
from breakwall.venues.exchange.forecast import ACK_MS, Forecast, ForecastError, told
from breakwall.venues.exchange.limits import Allowance
from breakwall.venues.exchange.mischief import Mischief
from breakwall.venues.exchange.scene import Phase, Scene, asked
from breakwall.venues.exchange.streams import REPLY_DELAY_MS
from breakwall.venues.exchange.synthetic import SyntheticMarket
from breakwall.venues.exchange.wrong_clock import behind, shifted

SILENCE_S = 30.0
"""A request that nobody will answer is held open for so long; clients give up much earlier."""
_MAINTAINED, _TOO_OFTEN = 10016, 10006
_CAP = 10  # requests a second, as the headers of one that came too often tell it
_KEPT = 200
_CREATES = ("/v5/order/create", "/v5/order/create-batch")
_BREAKS = frozenset({FaultKind.SOCKET_CLOSED, FaultKind.SOCKET_RESET, FaultKind.SOCKET_SILENT})
_STORIES = 20
_decoder = msgspec.json.Decoder(dict[str, object])


class Line(Protocol):
    """A socket that is open."""

    @property
    def link(self) -> Link: ...

    def suffer(self, kind: FaultKind) -> None:
        """It breaks in this way, now."""
        ...


class Incident(Struct, frozen=True):
    """Something that was done to the account or the venue: when, in exchange time, and what in words."""

    at_ms: int
    text: str


class Weather:
    """Strikes with the faults of a forecast and of those that are added; `stop` ends every wait."""

    def __init__(self, exchange: Exchange, clock: Clock, stop: asyncio.Event, forecast: Forecast) -> None:
        self.exchange = exchange
        self.incidents: deque[Incident] = deque(maxlen=_KEPT)
        self._clock = clock
        self._stop = stop
        self._began_ms = clock.now_ms()
        self._seed = forecast.seed
        self._delays = random.Random(0)
        self._dice = random.Random(f"weather {forecast.seed}")
        self._notices = 0
        self.lines: set[Line] = set()
        self.stories: deque[Story] = deque(maxlen=_STORIES)
        self._plan: list[Fault] = []
        self._scene: Scene | None = None
        self._props: list[Fault] = []
        self.clear()
        self.ack_ms = forecast.ack_ms or ACK_MS
        self.add(forecast.faults)

    @property
    def now_s(self) -> float:
        return (self._clock.now_ms() - self._began_ms) / 1000

    @property
    def clear_sky(self) -> bool:
        """Whether nothing is ordered: then nothing else needs to be asked."""
        return not (self._plan or self._scene or self.ack_ms != ACK_MS)

    def add(self, faults: Iterable[Fault]) -> list[Fault]:
        """These too, their times counted from now; returns them as they are in the plan."""
        now_s, added = self.now_s, []
        for ordered in faults:
            fault = structs.replace(ordered, from_s=ordered.from_s + now_s, until_s=ordered.until_s + now_s)
            added.append(fault)
            self.faults.add(fault, ordered)
            if fault.kind in EXCHANGE_ACTS | _BREAKS or fault.kind is FaultKind.MAINTENANCE:
                self._due.append(fault)
        self._plan += added
        return added

    def play(self, name: str, symbol: str = "") -> None:
        """Begin a crisis, in this market or in any. Raises ForecastError where it is unknown or another is on."""
        known = CRISES.get(name)
        if known is None:
            raise ForecastError(f"crisis: unknown {sanitise(name, 60)!r}; {nearest_name(name, CRISES)}")
        if self._scene is not None:
            raise ForecastError(f"crisis: {self._scene.name} is still on; DELETE calls it off")
        if (known.crash or known.pulls) and not isinstance(self.exchange.market, SyntheticMarket):
            raise ForecastError(f"crisis: {name} needs a market of our own making; this one is a recording's")
        self._scene = Scene(name, symbol, self.exchange)
        self._props = self.add(known.faults) if self._scene.waits_for_orders else []

    @property
    def story(self) -> Story | None:
        """The crisis that is on."""
        return None if self._scene is None else self._scene.story()

    def deed(self, text: str) -> Deed | None:
        """A crisis writes down what the program asks for."""
        return None if self._scene is None else self._scene.deed(text)

    def clear(self) -> None:
        """No fault is in force any more; a maintenance that was announced is over."""
        for fault in self._maintained() if self._plan else ():
            self._announce(fault, "completed")
        self._plan.clear()
        self.ack_ms = ACK_MS
        self._scene = None
        self._props = []
        self._due: list[Fault] = []
        self._open: dict[Fault, str] = {}
        self.faults = Faults((), self._seed)
        self._mischief = Mischief(self.exchange, self.faults, self._dice, self._happened)

    def report(self) -> list[dict[str, object]]:
        """Every fault that was ordered: in its own words, its state, how often it struck."""
        now_s = self.now_s
        return [
            {**told(fault), "state": self._state(fault, now_s), "struck": self.faults.hits[fault]}
            for fault in self._plan
        ]

    def tick(self) -> None:
        """Do the acts that are due and have something to act upon; announce what begins and ends."""
        if self.clear_sky:
            return
        self._direct()
        now_s = self.now_s
        for fault in list(self._due):
            if fault.kind is FaultKind.MAINTENANCE:
                self._maintain(fault, now_s)
            elif fault.kind in _BREAKS:
                self._break(fault, now_s)
            elif now_s >= fault.until_s or (now_s >= fault.from_s and self._mischief.act(fault)):
                self._due.remove(fault)
                self.faults.hits[fault] += now_s < fault.until_s

    # Strokes of fate

    def strike(self, kind: FaultKind, link: Link, subject: str = "", whole: str = "") -> Fault | None:
        """The fault that strikes now, if any."""
        return self.faults.strike(kind, self.now_s, link, subject, whole)

    def delay(self, kind: FaultKind, link: Link, subject: str = "", whole: str = "") -> float:
        """By how many seconds this kind, or a clogged link, holds something up now; 0 where neither does."""
        late = self.strike(kind, link, subject, whole)
        late_s = 0.0 if late is None else late.delay_s + self._dice.uniform(0, late.jitter_s)
        clog = self.strike(FaultKind.LINK_CLOGGED, link)
        return late_s if clog is None else max(late_s, clog.until_s - self.now_s)

    @property
    def slow_s(self) -> float:
        """By how much the trade socket's answers take longer than they do by themselves."""
        return 0.0 if self.ack_ms == ACK_MS else max(0.0, self._ack_s() - REPLY_DELAY_MS / 1000)

    @property
    def ahead_ms(self) -> int:
        """By how much the exchange's clock is wrong now."""
        wrong = None if self.clear_sky else self.strike(FaultKind.CLOCK_WRONG, Link.REST)
        return 0 if wrong is None else round(wrong.delay_s * 1000)

    def refusal(self, subject: str, whole: str, *, writes: bool) -> Fault | None:
        """The fault by which a request is refused before it is acted upon, if any."""
        refused = self.strike(FaultKind.REFUSED, Link.REST, subject, whole)
        if refused is not None or not writes:
            return refused
        maintained = next(iter(self._maintained()), None)
        return None if maintained is None else structs.replace(maintained, code=_MAINTAINED)

    def error(self, fault: Fault) -> HttpAnswer:
        """The answer of a fault with a code; too many visits may come again in `delay_s`, if it is said."""
        now_ms = self._clock.now_ms()
        answer = error_answer(fault.code, fault.until_s - self.now_s, now_ms)
        if fault.code != _TOO_OFTEN or not fault.delay_s:
            return answer
        reset = Allowance(_CAP, 0, now_ms + round(fault.delay_s * 1000)).texts()
        return HttpAnswer(answer.status, answer.body, {name.lower(): text for name, text in reset.items()})

    # Requests over REST

    async def ask(self, request: HttpRequest) -> HttpAnswer | None:
        """The exchange's answer as it reaches the client; None: the connection is reset instead."""
        writes = self._scene is not None and request.method == "POST"
        deed = self.deed(asked(request.path, "rest", _object(request.body))) if writes else None
        answer = await self._ask(request)
        if deed is not None:
            deed.answer = "the connection was reset" if answer is None else _words(answer)
        return answer

    async def _ask(self, request: HttpRequest) -> HttpAnswer | None:
        if self.clear_sky:
            answer = self.exchange.handle(request, self._clock.now_ms())
            await self._clock.sleep(self._ack_s())
            return answer
        subject, whole = f"rest {request.path}", f"{request.query} {request.body.decode(errors='replace')}"
        if self._hits(FaultKind.REQUEST_LOST, subject, whole):
            return await self._silence()
        if self._hits(FaultKind.REQUEST_RESET, subject, whole):
            return None
        await self._clock.sleep(self.delay(FaultKind.REQUEST_LATE, Link.REST, subject, whole))
        ahead_ms = self.ahead_ms
        refused = self.refusal(subject, whole, writes=request.method == "POST")
        if refused is not None:
            await self._clock.sleep(self._ack_s())
            return self.error(refused)
        answer = self._handle(behind(request, self.exchange.keys, ahead_ms))
        if self._hits(FaultKind.REQUEST_TWICE, subject, whole):
            answer = self._handle(request)
        await self._clock.sleep(self._ack_s())
        return await self._answer(subject, whole, shifted(answer, ahead_ms))

    async def _answer(self, subject: str, whole: str, answer: HttpAnswer) -> HttpAnswer | None:
        if self._hits(FaultKind.ANSWER_LOST, subject, whole):
            return await self._silence()
        await self._clock.sleep(self.delay(FaultKind.ANSWER_LATE, Link.REST, subject, whole))
        if self._hits(FaultKind.ANSWER_RESET, subject, whole):
            return None
        unclear = self.strike(FaultKind.ANSWER_UNCLEAR, Link.REST, subject, whole)
        if unclear is not None:
            return self.error(unclear)
        if self._hits(FaultKind.ANSWER_BAD, subject, whole):
            return HttpAnswer(502, BAD_GATEWAY)
        if self._hits(FaultKind.ANSWER_GARBLED, subject, whole):
            return HttpAnswer(200, answer.body[: len(answer.body) // 2])
        if self._hits(FaultKind.ANSWER_EMPTY, subject, whole):
            return HttpAnswer(answer.status, emptied(answer.body), answer.headers)
        return answer

    def _handle(self, request: HttpRequest) -> HttpAnswer:
        answer = self.exchange.handle(request, self._clock.now_ms())
        if request.path in _CREATES:
            self.accepted(_object(request.body))
        return answer

    def accepted(self, body: Mapping[str, object]) -> None:
        """Orders may have been accepted, one or a batch; the matching engine has not seen them yet."""
        items = body.get("request")
        for item in items if isinstance(items, list) else [body]:
            link_id = item.get("orderLinkId") if isinstance(item, dict) else None
            if link_id:
                self._mischief.accepted(str(link_id), self.now_s)

    def _hits(self, kind: FaultKind, subject: str, whole: str) -> bool:
        return self.strike(kind, Link.REST, subject, whole) is not None

    def _ack_s(self) -> float:
        low_ms, high_ms = self.ack_ms
        return self._delays.uniform(low_ms / 1000, high_ms / 1000)

    async def _silence(self) -> HttpAnswer | None:
        """No answer, for longer than anybody waits."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SILENCE_S):
                await self._stop.wait()
        return None

    # What the venue does by itself

    def _direct(self) -> None:
        """Let the crisis go on, and clear up behind it."""
        scene = self._scene
        if scene is None:
            return
        self._props += self.add(scene.tick(sum(self.faults.hits[fault] for fault in self._props)))
        if scene.phase is Phase.OVER:
            self.stories.append(scene.story())
            self._plan = [fault for fault in self._plan if fault not in self._props]
            self._scene = None

    def _break(self, fault: Fault, now_s: float) -> None:
        """What is meant for all sockets of a link does not wait for their next frames."""
        if now_s < fault.from_s:
            return
        self._due.remove(fault)
        if fault.probability == 1 and not (fault.match or fault.symbol):
            for line in [line for line in self.lines if line.link is fault.link and self.faults.is_left(fault)]:
                self.faults.hits[fault] += 1
                line.suffer(fault.kind)

    def _happened(self, kind: FaultKind, symbol: str) -> None:
        self.faults.happened(kind, self.now_s)
        self.incidents.append(Incident(self.exchange.now_ms, f"{kind.value} {symbol}"))

    def _maintained(self) -> list[Fault]:
        return [fault for fault in self._open if fault.kind is FaultKind.MAINTENANCE]

    def _maintain(self, fault: Fault, now_s: float) -> None:
        if fault not in self._open and fault.from_s <= now_s < fault.until_s:
            self._notices += 1
            self._open[fault] = f"weather-{self._notices}"
            self.faults.hits[fault] += 1
            self._announce(fault, "ongoing")
        elif now_s >= fault.until_s:
            self._due.remove(fault)
            if fault in self._open:
                self._announce(fault, "completed")
                del self._open[fault]

    def _announce(self, fault: Fault, state: str) -> None:
        now_ms = self.exchange.now_ms
        end_ms = now_ms + round(max(0.0, min(fault.until_s - self.now_s, 86_400.0)) * 1000)
        self.exchange.announce(Notice(self._open[fault], "Maintenance", state, now_ms, end_ms))
        self.incidents.append(Incident(now_ms, f"maintenance {state}"))

    def _state(self, fault: Fault, now_s: float) -> str:
        if now_s < fault.from_s:
            return "waiting"
        done = fault.is_act and fault not in self._due
        return "over" if done or now_s >= fault.until_s or not self.faults.is_left(fault) else "on"


def emptied(body: bytes) -> bytes:
    """The answer without the rows of its list, as a copy of the venue's that has not heard of them yet."""
    answer = _object(body)
    result = answer.get("result")
    if isinstance(result, dict) and isinstance(result.get("list"), list):
        answer["result"] = {**result, "list": [], "nextPageCursor": ""}
    return msgspec.json.encode(answer)


def _words(answer: HttpAnswer) -> str:
    """An answer in a few words."""
    body = _object(answer.body)
    return f"{body['retCode']} {body.get('retMsg', '')}" if "retCode" in body else f"HTTP {answer.status}"


def _object(body: bytes) -> dict[str, object]:
    try:
        return _decoder.decode(body)
    except msgspec.DecodeError:
        return {}
