"""How far book and exchange agree: the recovery under way, what the last reading showed, and what was reported."""

from collections import deque

from breakwall.model.records import RecoveryReport
from breakwall.trading.reconcile.differences import Difference

REPORTS_SHOWN = 10


class Passes:
    """The passes of one recovery. `purpose` is start, by hand, reconnect or periodic; `number` counts those done.

    A reading that was asked before `next_ms` (engine time) is none of them.
    """

    __slots__ = ("next_ms", "number", "purpose")

    def __init__(self, purpose: str, at_ms: int) -> None:
        self.purpose = purpose
        self.next_ms = at_ms
        self.number = 0


class Review:
    """`passes` are those of the recovery under way, None while there is none. `found` is what the last reading has
    shown, `escalated` the keys of what a person has to look at already, `machines` what was taken over at the start,
    until it is reported.
    """

    __slots__ = ("escalated", "found", "machines", "passes", "reports")

    def __init__(self) -> None:
        self.passes: Passes | None = None
        self.reports: deque[RecoveryReport] = deque(maxlen=REPORTS_SHOWN)
        self.found: tuple[Difference, ...] = ()
        self.escalated: frozenset[tuple[str, str, str]] = frozenset()
        self.machines: tuple[str, ...] = ()
