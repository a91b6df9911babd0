"""What can go wrong between the program and the exchange, as plain data drawn from a seed.

A plan is a tuple of faults, so that a failing run can be made smaller by leaving faults out. The
first phase of a run has them (nothing unsafe may happen), then `heal` ends them all (everything must
come right again).
"""

import random
from collections import Counter
from collections.abc import Callable
from enum import Enum

import msgspec
from msgspec import Struct

from breakwall.model.events import Link


class FaultKind(Enum):
    """Requests: the first five. Frames from the exchange: the next two. Sockets: the rest."""

    REQUEST_LOST = "request lost before the exchange saw it, no answer"
    ANSWER_LOST = "accepted, the answer lost, silence"
    ANSWER_RESET = "accepted, the connection reset instead of an answer"
    ANSWER_BAD = "accepted, a 502 page instead of the answer"
    ANSWER_LATE = "accepted, the answer late"
    FRAME_LATE = "a frame, and all behind it, late"
    FRAME_DROPPED = "a frame never comes"
    SOCKET_CLOSED = "the exchange closes the socket"
    SOCKET_SILENT = "the peer is gone without a word: nothing passes, nothing closes"
    CONNECT_REFUSED = "no new socket"


class Fault(Struct, frozen=True):
    """While `from_s` <= virtual time < `until_s`, strikes each matching request, frame or connect with `probability`.

    `match` is text in the request's path or in the first bytes of the frame; `delay_s` is for the late kinds.
    """

    kind: FaultKind
    link: Link
    from_s: float
    until_s: float
    probability: float
    match: str = ""
    delay_s: float = 0.0


Plan = tuple[Fault, ...]


def plan_text(plan: Plan) -> str:
    """A plan as JSON, to be kept or made smaller by hand."""
    return msgspec.json.encode(plan).decode()


def plan_of(text: str) -> Plan:
    """The plan of such a text; raises msgspec.ValidationError naming what is wrong in it."""
    return msgspec.json.decode(text, type=Plan)


class Faults:
    """A plan at work: `strike` says whether a fault hits, `struck` counts those that did."""

    def __init__(self, plan: Plan, seed: int) -> None:
        self._plan: dict[tuple[FaultKind, Link], list[Fault]] = {}
        for fault in plan:
            self._plan.setdefault((fault.kind, fault.link), []).append(fault)
        self._random = random.Random(f"faults {seed}")
        self.struck: Counter[FaultKind] = Counter()

    def strike(self, kind: FaultKind, link: Link, now_s: float, subject: str = "") -> Fault | None:
        """The fault of this kind that hits `subject` now, if any."""
        for fault in self._plan.get((kind, link), ()):
            within = fault.from_s <= now_s < fault.until_s and fault.match in subject
            if within and self._random.random() < fault.probability:
                self.struck[kind] += 1
                return fault
        return None

    def heal(self) -> None:
        """End every fault; a silent socket stays silent, as its peer is gone for good."""
        self._plan = {}


def draw_plan(seed: int, seconds: float) -> Plan:
    """Bad weather for `seconds`: one or two spells of each sort, somewhere in that time, some overlapping."""
    dice = random.Random(f"plan {seed}")
    plan: list[Fault] = []
    for sort in _SORTS:
        for _ in range(dice.randint(1, 2)):
            plan.append(sort(dice, dice.uniform(0, seconds)))  # noqa: PERF401 - drawn one after the other
    return tuple(plan)


def _command_answer(dice: random.Random, start: float) -> Fault:
    """Aimed at what is sent seldom and matters most, hence long and likely."""
    path = dice.choice(["/v5/order/create", "/v5/order/create", "/v5/position/trading-stop"])
    return Fault(dice.choice(_ANSWERS), Link.REST, start, start + dice.uniform(15, 40), 0.6, path)


def _any_answer(dice: random.Random, start: float) -> Fault:
    return Fault(dice.choice(_ANSWERS), Link.REST, start, start + dice.uniform(1, 5), 0.3)


def _late_answer(dice: random.Random, start: float) -> Fault:
    return Fault(
        FaultKind.ANSWER_LATE, Link.REST, start, start + dice.uniform(1, 10), 0.5, delay_s=dice.uniform(0.2, 8)
    )


def _late_frames(dice: random.Random, start: float) -> Fault:
    link = dice.choice([Link.PUBLIC, Link.PRIVATE])
    return Fault(FaultKind.FRAME_LATE, link, start, start + dice.uniform(1, 5), 0.1, delay_s=dice.uniform(0.1, 2))


def _lost_delta(dice: random.Random, start: float) -> Fault:
    return Fault(FaultKind.FRAME_DROPPED, Link.PUBLIC, start, start + dice.uniform(1, 4), 0.1, match="orderbook")


def _lost_push(dice: random.Random, start: float) -> Fault:
    return Fault(FaultKind.FRAME_DROPPED, Link.PRIVATE, start, start + dice.uniform(5, 20), 0.5)


def _socket(dice: random.Random, start: float) -> Fault:
    kind = dice.choice([FaultKind.SOCKET_CLOSED, FaultKind.SOCKET_SILENT])
    return Fault(kind, dice.choice([Link.PUBLIC, Link.PRIVATE]), start, start + 0.5, 0.5)


def _refusal(dice: random.Random, start: float) -> Fault:
    return Fault(
        FaultKind.CONNECT_REFUSED, dice.choice([Link.PUBLIC, Link.PRIVATE]), start, start + dice.uniform(1, 4), 0.8
    )


_ANSWERS = (FaultKind.ANSWER_LOST, FaultKind.ANSWER_RESET, FaultKind.ANSWER_BAD, FaultKind.REQUEST_LOST)
_SORTS: tuple[Callable[[random.Random, float], Fault], ...] = (
    _command_answer,
    _command_answer,
    _any_answer,
    _late_answer,
    _late_frames,
    _lost_delta,
    _lost_push,
    _socket,
    _refusal,
)
