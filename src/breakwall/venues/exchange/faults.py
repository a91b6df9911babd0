"""What can go wrong around the program, as plain data: a plan is a tuple of faults.

The simulation and the served exchange share it. A failing run is made smaller by leaving faults out. While they
strike nothing unsafe may happen; then `heal` ends them all, and everything must come right again.
"""

import math
import random
from collections import Counter
from enum import Enum

import msgspec
from msgspec import Struct

from breakwall.model.events import Link
from breakwall.ports import HttpAnswer

FOR_EVER_S = 1e9
BAD_GATEWAY = b"<html><head><title>502 Bad Gateway</title></head><body>cut off he"
_DAY_S = 86_400
_FIRST_RET_CODE = 1000


class FaultKind(Enum):
    """Spells strike each request, frame, commit ... of their time with a probability; acts happen once."""

    # Requests and their answers, over REST or the trade socket.
    REQUEST_LOST = "request-lost"  # before the exchange saw it, no answer
    REQUEST_RESET = "request-reset"  # before the exchange saw it, the connection reset
    REQUEST_LATE = "request-late"  # later ones overtake it
    REQUEST_TWICE = "request-twice"  # something between us sends it again; the second answer is the one that comes
    ANSWER_LOST = "answer-lost"  # accepted, then silence
    ANSWER_RESET = "answer-reset"  # accepted, the connection reset instead of an answer
    ANSWER_BAD = "answer-bad"  # accepted, a 502 page instead of the answer
    ANSWER_GARBLED = "answer-garbled"  # accepted, HTTP 200 with half of a JSON text
    ANSWER_LATE = "answer-late"
    ANSWER_UNCLEAR = "answer-unclear"  # accepted, but the answer is the error `code`
    ANSWER_EMPTY = "answer-empty"  # the list in it is empty: the venue's own copies lag behind
    REFUSED = "refused"  # not acted upon: the error `code` (HTTP status below 1000, else a retCode)
    # Frames and sockets of `link`.
    FRAME_LATE = "frame-late"  # and all behind it
    FRAME_DROPPED = "frame-dropped"
    FRAME_TWICE = "frame-twice"
    FRAME_SWAPPED = "frame-swapped"  # comes after the next one
    FRAME_GARBLED = "frame-garbled"  # cut off in the middle
    SOCKET_CLOSED = "socket-closed"
    SOCKET_RESET = "socket-reset"  # cut off without a close frame
    SOCKET_SILENT = "socket-silent"  # the peer is gone without a word: nothing passes, nothing closes
    SOCKET_HALF_OPEN = "socket-half-open"  # what we send is lost, what the exchange sends arrives
    CONNECT_REFUSED = "connect-refused"
    LINK_CLOGGED = "link-clogged"  # nothing passes until the spell is over, then all of it
    # Order books on the public socket.
    BOOK_GAP = "book-gap"  # a delta is left out, so that `u` jumps
    BOOK_REPEATED = "book-repeated"  # a delta comes twice
    BOOK_CROSSED = "book-crossed"  # a bid above the best ask
    BOOK_RESET = "book-reset"  # the service starts anew: a snapshot with `u` == 1, which counts on from there
    BOOK_STRANGE = "book-strange"  # a level that nobody has told of is deleted
    # The exchange as a whole.
    MAINTENANCE = "maintenance"  # announced on the status socket; private requests are refused with 10016
    CLOCK_WRONG = "clock-wrong"  # every time the exchange tells or checks is `delay_s` ahead (behind: negative)
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


SERVED_ONLY = frozenset(
    {
        FaultKind.REQUEST_RESET,
        FaultKind.ANSWER_EMPTY,
        FaultKind.FRAME_SWAPPED,
        FaultKind.SOCKET_RESET,
        FaultKind.BOOK_GAP,
        FaultKind.BOOK_REPEATED,
        FaultKind.BOOK_CROSSED,
        FaultKind.BOOK_RESET,
        FaultKind.BOOK_STRANGE,
        FaultKind.MAINTENANCE,
        FaultKind.CLOCK_WRONG,
    }
)
"""Those that only a real exchange process does, not the simulation."""
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
SIMULATED_ONLY = (
    CLOCK_ACTS
    | DEATHS
    | {
        FaultKind.STANDS_STILL,
        FaultKind.LINGER,
        FaultKind.STUMBLE,
        FaultKind.COMMIT_SLOW,
        FaultKind.COMMIT_FAILS,
        FaultKind.DISK_FULL,
        FaultKind.JOURNAL_LOCKED,
        FaultKind.LEDGER_DEAD,
    }
)
"""The program's own disk, host and life: out of an exchange's reach."""
SERVED = tuple(kind for kind in FaultKind if kind not in SIMULATED_ONLY)

REQUESTS = frozenset(
    {
        FaultKind.REQUEST_LOST,
        FaultKind.REQUEST_RESET,
        FaultKind.REQUEST_LATE,
        FaultKind.REQUEST_TWICE,
        FaultKind.ANSWER_LOST,
        FaultKind.ANSWER_RESET,
        FaultKind.ANSWER_BAD,
        FaultKind.ANSWER_GARBLED,
        FaultKind.ANSWER_LATE,
        FaultKind.ANSWER_UNCLEAR,
        FaultKind.ANSWER_EMPTY,
        FaultKind.REFUSED,
    }
)
"""What befalls requests, whichever door they use."""
FRAMES = frozenset(
    {
        FaultKind.FRAME_LATE,
        FaultKind.FRAME_DROPPED,
        FaultKind.FRAME_TWICE,
        FaultKind.FRAME_SWAPPED,
        FaultKind.FRAME_GARBLED,
        FaultKind.SOCKET_CLOSED,
        FaultKind.SOCKET_RESET,
        FaultKind.SOCKET_SILENT,
        FaultKind.SOCKET_HALF_OPEN,
        FaultKind.CONNECT_REFUSED,
        FaultKind.LINK_CLOGGED,
    }
)
"""What befalls the sockets of one link."""
BOOKS = frozenset(
    {
        FaultKind.BOOK_GAP,
        FaultKind.BOOK_REPEATED,
        FaultKind.BOOK_CROSSED,
        FaultKind.BOOK_RESET,
        FaultKind.BOOK_STRANGE,
    }
)
DELAYS = frozenset({FaultKind.REQUEST_LATE, FaultKind.ANSWER_LATE, FaultKind.FRAME_LATE, FaultKind.CLOCK_WRONG})
"""Those that need `delay_s`."""
CODES = frozenset({FaultKind.REFUSED, FaultKind.ANSWER_UNCLEAR})
"""Those that need `code`."""


class Fault(Struct, frozen=True, omit_defaults=True):
    """One thing that goes wrong, from `from_s` until `until_s`, in seconds of the world it happens in.

    A spell strikes with `probability` what fits `match` (text in a request's path, a frame's first bytes, the name
    of a place) and `symbol`, `count` times at most (0: any number). An act happens at `from_s`; where it needs an
    occasion it waits for one until `until_s`. What is late is so by `delay_s` and up to `jitter_s` more.
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
    symbol: str = ""
    count: int = 0
    jitter_s: float = 0.0

    @property
    def is_act(self) -> bool:
        return self.kind in ACTS


Plan = tuple[Fault, ...]


class Faults:
    """A plan at work: `strike` says whether a spell hits, `struck` counts all that did, `hits` those of each fault.

    `last_s` is when something last hindered the program in protecting what it holds.
    """

    def __init__(self, plan: Plan, seed: int) -> None:
        self._seed = seed
        self._spells: dict[tuple[FaultKind, Link], list[tuple[Fault, random.Random]]] = {}
        self.struck: Counter[FaultKind] = Counter()
        self.hits: Counter[Fault] = Counter()
        self.last_s = -FOR_EVER_S
        for fault in plan:
            self.add(fault)

    def add(self, fault: Fault, ordered: Fault | None = None) -> None:
        """One more; acts are for whoever does them. `ordered` is how it was ordered, where its times were moved."""
        if not fault.is_act:
            # Dice of its own: leaving out another fault does not change when this one strikes.
            dice = random.Random(f"{self._seed} {msgspec.json.encode(ordered or fault).decode()}")
            self._spells.setdefault((fault.kind, fault.link), []).append((fault, dice))

    def strike(
        self, kind: FaultKind, now_s: float, link: Link = Link.REST, subject: str = "", whole: str = ""
    ) -> Fault | None:
        """The spell of this kind that hits `subject` now, if any; its symbol is looked for in `whole` as well."""
        for fault, dice in self._spells.get((kind, link), ()):
            within = fault.from_s <= now_s < fault.until_s and fault.match in subject
            meant = within and (fault.symbol in subject or fault.symbol in whole) and self.is_left(fault)
            if meant and dice.random() < fault.probability:
                self.struck[kind] += 1
                self.hits[fault] += 1
                if link is not Link.PUBLIC:
                    self.last_s = now_s
                return fault
        return None

    def is_left(self, fault: Fault) -> bool:
        """Whether it has not struck as often as it may."""
        return not fault.count or self.hits[fault] < fault.count

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


def error_answer(code: int, left_s: float, now_ms: int) -> HttpAnswer:
    """As the venue says it: an HTTP status below 1000, else a retCode in its envelope; when it will be over, where it
    ends within a day.
    """
    if code < _FIRST_RET_CODE:
        ends = {"retry-after": str(max(1, math.ceil(left_s)))} if left_s <= _DAY_S else {}
        return HttpAnswer(code, b"", ends)
    body = {"retCode": code, "retMsg": f"error {code}", "result": {}, "retExtInfo": {}, "time": now_ms}
    return HttpAnswer(200, msgspec.json.encode(body))
