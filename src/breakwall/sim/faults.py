"""What can go wrong around the program, as plain data: a plan is a tuple of faults.

A failing run is made smaller by leaving faults out. In the first phase of a run they strike (nothing
unsafe may happen), then `heal` ends them all (everything must come right again).
"""

import random
from collections import Counter
from enum import Enum

import msgspec
from msgspec import Struct

from breakwall.model.events import Link

FOR_EVER_S = 1e9


class FaultKind(Enum):
    """Spells strike each request, frame, commit ... of their time with a probability; acts happen once."""

    # Requests and their answers.
    REQUEST_LOST = "request-lost"  # before the exchange saw it, no answer
    REQUEST_LATE = "request-late"  # later ones overtake it
    REQUEST_TWICE = "request-twice"  # something between us sends it again; the second answer is the one that comes
    ANSWER_LOST = "answer-lost"  # accepted, then silence
    ANSWER_RESET = "answer-reset"  # accepted, the connection reset instead of an answer
    ANSWER_BAD = "answer-bad"  # accepted, a 502 page instead of the answer
    ANSWER_GARBLED = "answer-garbled"  # accepted, HTTP 200 with half of a JSON text
    ANSWER_LATE = "answer-late"
    ANSWER_UNCLEAR = "answer-unclear"  # accepted, but the answer is the error `code`
    REFUSED = "refused"  # not acted upon: the error `code` (HTTP status below 1000, else a retCode)
    # Frames and sockets of `link`.
    FRAME_LATE = "frame-late"  # and all behind it
    FRAME_DROPPED = "frame-dropped"
    FRAME_TWICE = "frame-twice"
    FRAME_GARBLED = "frame-garbled"  # cut off in the middle
    SOCKET_CLOSED = "socket-closed"
    SOCKET_SILENT = "socket-silent"  # the peer is gone without a word: nothing passes, nothing closes
    SOCKET_HALF_OPEN = "socket-half-open"  # what we send is lost, what the exchange sends arrives
    CONNECT_REFUSED = "connect-refused"
    LINK_CLOGGED = "link-clogged"  # nothing passes until the spell is over, then all of it
    # The disk.
    COMMIT_SLOW = "commit-slow"
    COMMIT_FAILS = "commit-fails"
    DISK_FULL = "disk-full"
    JOURNAL_LOCKED = "journal-locked"  # by another program: two seconds of waiting in vain
    LEDGER_DEAD = "ledger-dead"  # its file cannot be written
    # The host's clock; acts.
    CLOCK_SKEWED = "clock-skewed"  # set wrong by `delay_s`: what starts from now on is that much ahead
    CLOCK_JUMPS = "clock-jumps"  # ahead, under the running program
    HOST_SLEEPS = "host-sleeps"  # for `delay_s`, which its clock does not notice
    # The program; acts, but for the last two.
    STANDS_STILL = "stands-still"  # for `delay_s`, as after SIGSTOP, or in a call that blocks
    KILLED = "killed"  # `nth` steps later
    KILLED_BUSY = "killed-busy"  # after the `nth` commit of an intent or write request from then on
    KILLED_AT = "killed-at"  # at the `nth` visit of the crash point `match` from then on
    LINGER = "linger"  # loses `delay_s` at a place named in its text
    STUMBLE = "stumble"  # fails at such a place
    # The exchange and the other hands on the account. Spells:
    ORDER_REJECTED = "order-rejected"  # accepted, rejected by the matching engine
    NO_LIQUIDITY = "no-liquidity"  # accepted, cancelled without a fill
    PARTIAL_FILL = "partial-fill"  # somebody was faster: about half is left
    STOP_NOT_ATTACHED = "stop-not-attached"  # the entry is accepted, its stop forgotten
    # Acts, as soon as there is something to act upon:
    STOP_VANISHES = "stop-vanishes"
    CLOSED_BY_HAND = "closed-by-hand"
    REDUCED_BY_HAND = "reduced-by-hand"
    FOREIGN_ORDER = "foreign-order"  # rests far from the market
    FOREIGN_POSITION = "foreign-position"
    LIQUIDATED = "liquidated"
    DELEVERAGED = "deleveraged"  # half of it, by the exchange (ADL)


CLOCK_ACTS = frozenset({FaultKind.CLOCK_SKEWED, FaultKind.CLOCK_JUMPS, FaultKind.HOST_SLEEPS})
DEATHS = frozenset({FaultKind.KILLED, FaultKind.KILLED_BUSY, FaultKind.KILLED_AT})
EXCHANGE_ACTS = frozenset(
    {
        FaultKind.STOP_VANISHES,
        FaultKind.CLOSED_BY_HAND,
        FaultKind.REDUCED_BY_HAND,
        FaultKind.FOREIGN_ORDER,
        FaultKind.FOREIGN_POSITION,
        FaultKind.LIQUIDATED,
        FaultKind.DELEVERAGED,
    }
)
ACTS = CLOCK_ACTS | DEATHS | EXCHANGE_ACTS | {FaultKind.STANDS_STILL}


class Fault(Struct, frozen=True, omit_defaults=True):
    """One thing that goes wrong, in virtual seconds from `from_s` until `until_s`.

    A spell strikes with `probability` what fits `match` (text in a request's path, a frame's first bytes, the name
    of a place). An act happens at `from_s`; where it needs an occasion it waits for one until `until_s`.
    """

    kind: FaultKind
    from_s: float
    until_s: float = FOR_EVER_S
    probability: float = 1.0
    link: Link = Link.REST
    match: str = ""
    delay_s: float = 0.0
    code: int = 0
    nth: int = 1

    @property
    def is_act(self) -> bool:
        return self.kind in ACTS


Plan = tuple[Fault, ...]


class Faults:
    """A plan at work: `strike` says whether a spell hits, `struck` counts all that did.

    `last_s` is when something last hindered the program in protecting what it holds.
    """

    def __init__(self, plan: Plan, seed: int) -> None:
        self._spells: dict[tuple[FaultKind, Link], list[tuple[Fault, random.Random]]] = {}
        for fault in plan:
            if not fault.is_act:
                # Dice of its own: leaving out another fault does not change when this one strikes.
                dice = random.Random(f"{seed} {msgspec.json.encode(fault).decode()}")
                self._spells.setdefault((fault.kind, fault.link), []).append((fault, dice))
        self.struck: Counter[FaultKind] = Counter()
        self.last_s = -FOR_EVER_S

    def strike(self, kind: FaultKind, now_s: float, link: Link = Link.REST, subject: str = "") -> Fault | None:
        """The spell of this kind that hits `subject` now, if any."""
        for fault, dice in self._spells.get((kind, link), ()):
            within = fault.from_s <= now_s < fault.until_s and fault.match in subject
            if within and dice.random() < fault.probability:
                self.struck[kind] += 1
                if link is not Link.PUBLIC:
                    self.last_s = now_s
                return fault
        return None

    def happened(self, kind: FaultKind, now_s: float) -> None:
        """An act was done."""
        self.struck[kind] += 1
        self.hinder(now_s)

    def hinder(self, now_s: float) -> None:
        """Only from now on can the program see and do something, as it could not for a while."""
        self.last_s = now_s

    def heal(self) -> None:
        """End every spell; a silent socket stays silent, as its peer is gone for good."""
        self._spells = {}
