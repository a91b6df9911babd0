"""Makes a failing session smaller: less goes wrong in it, and it still fails.

Delta debugging (Zeller and Hildebrandt, 2002): leave out halves, then quarters, down to single faults
and wishes; then shorten it.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from msgspec.structs import replace

from breakwall.sim.session import Session

T = TypeVar("T")
_SHORTER = (0.25, 0.5, 0.75, 0.9)


def shrink(session: Session, fails: Callable[[Session], bool]) -> Session:
    """The smallest session found that still `fails`; `session` itself must."""
    session = replace(session, faults=_fewer(session.faults, lambda some: fails(replace(session, faults=some))))
    session = replace(session, wishes=_fewer(session.wishes, lambda some: fails(replace(session, wishes=some))))
    for share in _SHORTER:
        shorter = replace(session, seconds=round(session.seconds * share, 1))
        if fails(shorter):
            return shorter
    return session


def _fewer(things: tuple[T, ...], fails: Callable[[tuple[T, ...]], bool]) -> tuple[T, ...]:
    """As few of these as still fail, in their order."""
    pieces = 1
    while things:
        size = -(-len(things) // pieces)
        for start in range(0, len(things), size):
            rest = _without(things, start, size)
            if fails(rest):
                things, pieces = rest, max(pieces - 1, 1)
                break
        else:
            if size == 1:
                break
            pieces = min(pieces * 2, len(things))
    return things


def _without(things: Sequence[T], start: int, size: int) -> tuple[T, ...]:
    return (*things[:start], *things[start + size :])
