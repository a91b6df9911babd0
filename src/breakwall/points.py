"""Named points of the program at which a test may kill it or hold it up; in a real run they do nothing.

Crash points stand where a crash hurts most. `BREAKWALL_CRASHPOINT=NAME` or `NAME:N` kills the real process at the
N-th time it gets there; the simulation watches the same points in its own way. Where the program may `linger` or
`stumble`, the simulation holds it up or makes it fail.
"""

import os
import signal
from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Protocol

VARIABLE = "BREAKWALL_CRASHPOINT"


class Point(Enum):
    """The crash points of the reliability contract, C1 to C14; what recovery must find is in the name's words."""

    SIGNAL_DECIDED = "signal-decided"  # C1: no intent in the journal, no order
    INTENT_STORED = "intent-stored"  # C2: the intent is there, nothing was sent: never sent later
    ORDER_SENT = "order-sent"  # C3: the bytes are out, no answer yet: asked for by client id
    ORDER_ANSWERED = "order-answered"  # C4: the answer came and is not in the journal
    ENTRY_FILLED = "entry-filled"  # C5: the first fill is known, its stop not proven yet
    STOP_SENT = "stop-sent"  # C6: a stop is on its way, no answer yet
    STOP_ANSWERED = "stop-answered"  # C7: the stop stands, which is not in the journal
    STOP_PROVEN = "stop-proven"  # C8: the new stop was read back, which is not in the journal
    FILL_BOOKED = "fill-booked"  # C9: a fill is booked in memory and not in the journal
    BREAKEVEN_SENT = "breakeven-sent"  # C10: the stop moves to breakeven
    CLOSE_SENT = "close-sent"  # C11: flattening: closes are out, cancels are not
    BREAKER_TRIPPED = "breaker-tripped"  # C12: tripped in memory, not in the journal
    RECOVERING = "recovering"  # C13: inside recovery itself
    CHECKPOINT = "checkpoint"  # C14: a database is being migrated, or the journal checkpointed


_visitor: Callable[[Point], None] | None = None


def reach(point: Point) -> None:
    """The program is at this point."""
    if _visitor is not None:
        _visitor(point)


def watch(visitor: Callable[[Point], None] | None) -> None:
    """Have someone told of every point; None: nobody."""
    global _visitor  # noqa: PLW0603 - one process, one visitor: a test's, never a real run's
    _visitor = visitor


class Stumbled(RuntimeError):
    """The program was made to fail at a place where it could."""


class Tripper(Protocol):
    """Who decides about the places of the program, each named in its text."""

    def lose_s(self, place: str) -> float:
        """How many seconds to lose there; 0: none."""
        ...

    def fails(self, place: str) -> bool: ...


_tripper: Tripper | None = None


async def linger(place: str, sleep: Callable[[float], Awaitable[None]]) -> None:
    """Lose some time here, if someone wants that; never in a real run."""
    if _tripper is not None:
        lost_s = _tripper.lose_s(place)
        if lost_s:
            await sleep(lost_s)


def stumble(place: str) -> None:
    """Fail here, if someone wants that; never in a real run. Raises Stumbled."""
    if _tripper is not None and _tripper.fails(place):
        raise Stumbled(place)


def trip(tripper: Tripper | None) -> None:
    """Have someone decide; None: nobody lingers, nobody stumbles."""
    global _tripper  # noqa: PLW0603 - as above
    _tripper = tripper


def obey(text: str) -> None:
    """Die as with kill -9 where `text` says (NAME or NAME:N). Raises ValueError naming the points there are."""
    name, _, count = text.partition(":")
    names = [point.value for point in Point]
    if name not in names or not (count.isdecimal() or not count):
        raise ValueError(f"{VARIABLE}: expected NAME or NAME:N with one of {', '.join(names)}, found {text!r}")
    left = int(count or 1)

    def die(point: Point) -> None:
        nonlocal left
        if point.value == name:
            left -= 1
            if left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)

    watch(die)
