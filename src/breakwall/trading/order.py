"""One order and the table that says how it may move."""

from enum import Enum

from msgspec import Struct

from breakwall.model.actions import Note, PlaceOrder, TimeInForce
from breakwall.model.events import OrderReport
from breakwall.model.records import OrderStep
from breakwall.model.units import Side


class OrderState(Enum):
    PENDING = "PENDING"
    SENT = "SENT"
    UNKNOWN = "UNKNOWN"
    PLACED = "PLACED"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    AMENDING = "AMENDING"
    CANCELLING = "CANCELLING"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"


class Cause(Enum):
    """What can happen to an order.

    Ours: sent, cancel, amend (asked for). From the answer to placing it: lost (nothing is known),
    refused (never left us), denied (definitely not executed), absent (the venue does not know it, asked
    twice and long enough). From the venue: live (it has it), partial, full, gone (cancelled, maybe with
    fills), bounced (rejected without fills), late (a fill after its last word).
    """

    SENT = "sent"
    CANCEL = "cancel"
    AMEND = "amend"
    LOST = "lost"
    REFUSED = "refused"
    DENIED = "denied"
    ABSENT = "absent"
    LIVE = "live"
    PARTIAL = "partial"
    FULL = "full"
    GONE = "gone"
    BOUNCED = "bounced"
    LATE = "late"


_S, _C = OrderState, Cause

LOCAL_ENDINGS = frozenset({_C.REFUSED, _C.DENIED, _C.ABSENT})
CLOSED = frozenset({_S.FILLED, _S.CANCELLED, _S.REJECTED, _S.EXPIRED})
_EXPECTED = frozenset({_S.SENT, _S.PLACED, _S.PARTIALLY_FILLED, _S.FILLED})

_VENUE = {
    _C.LIVE: _S.PLACED,
    _C.PARTIAL: _S.PARTIALLY_FILLED,
    _C.FULL: _S.FILLED,
    _C.GONE: _S.CANCELLED,
    _C.BOUNCED: _S.REJECTED,
}
_ENDINGS = {_C.REFUSED: _S.EXPIRED, _C.DENIED: _S.REJECTED, _C.ABSENT: _S.EXPIRED}

TRANSITIONS: dict[OrderState, dict[Cause, OrderState]] = {
    _S.PENDING: {_C.SENT: _S.SENT, _C.CANCEL: _S.CANCELLING, _C.LOST: _S.UNKNOWN, **_ENDINGS, **_VENUE},
    _S.SENT: {_C.SENT: _S.SENT, _C.CANCEL: _S.CANCELLING, _C.LOST: _S.UNKNOWN, **_ENDINGS, **_VENUE},
    _S.UNKNOWN: {_C.SENT: _S.UNKNOWN, _C.CANCEL: _S.CANCELLING, _C.LOST: _S.UNKNOWN, **_ENDINGS, **_VENUE},
    _S.PLACED: {
        _C.SENT: _S.PLACED,
        _C.CANCEL: _S.CANCELLING,
        _C.AMEND: _S.AMENDING,
        _C.LOST: _S.PLACED,
        **_VENUE,
    },
    _S.PARTIALLY_FILLED: {
        **_VENUE,
        _C.SENT: _S.PARTIALLY_FILLED,
        _C.CANCEL: _S.CANCELLING,
        _C.AMEND: _S.AMENDING,
        _C.LOST: _S.PARTIALLY_FILLED,
        _C.LIVE: _S.PARTIALLY_FILLED,
        _C.BOUNCED: _S.CANCELLED,
    },
    _S.AMENDING: {
        **_VENUE,
        _C.SENT: _S.AMENDING,
        _C.CANCEL: _S.CANCELLING,
        _C.AMEND: _S.AMENDING,
        _C.LOST: _S.AMENDING,
    },
    _S.CANCELLING: {
        **_VENUE,
        **_ENDINGS,
        _C.SENT: _S.CANCELLING,
        _C.CANCEL: _S.CANCELLING,
        _C.LOST: _S.CANCELLING,
        _C.LIVE: _S.CANCELLING,
        _C.PARTIAL: _S.CANCELLING,
    },
    _S.FILLED: dict.fromkeys(
        (_C.SENT, _C.CANCEL, _C.LOST, _C.LIVE, _C.PARTIAL, _C.FULL, _C.GONE, _C.BOUNCED, _C.LATE), _S.FILLED
    ),
    _S.CANCELLED: {
        **dict.fromkeys(
            (_C.SENT, _C.CANCEL, _C.LOST, _C.LIVE, _C.PARTIAL, _C.GONE, _C.BOUNCED, _C.LATE), _S.CANCELLED
        ),
        _C.FULL: _S.FILLED,
    },
    _S.REJECTED: {
        **_VENUE,
        **dict.fromkeys((_C.SENT, _C.CANCEL, _C.LOST, _C.REFUSED, _C.DENIED, _C.ABSENT), _S.REJECTED),
        _C.LATE: _S.CANCELLED,
    },
    _S.EXPIRED: {
        **_VENUE,
        **dict.fromkeys((_C.SENT, _C.CANCEL, _C.LOST, _C.REFUSED, _C.ABSENT), _S.EXPIRED),
        _C.DENIED: _S.REJECTED,
    },
}

_STATUS = {"Filled": _C.FULL, "Cancelled": _C.GONE, "PartiallyFilledCanceled": _C.GONE, "Deactivated": _C.GONE}


class Transition(Struct, frozen=True):
    """One move of an order or position, kept with its time, cause and trace."""

    at_ms: int
    before: str
    after: str
    cause: str
    trace: str


class OrderChange(Struct, frozen=True):
    """What an event did to an order. `added_lots` newly filled; `alarm` says what a person must know;
    `legal` False: the table forbids it and the state did not move.
    """

    order: "Order"
    cause: Cause
    before: OrderState
    after: OrderState
    added_lots: int
    alarm: str
    legal: bool
    trace: str

    @property
    def matters(self) -> bool:
        """Whether it is more than a repetition of what was known."""
        return self.before is not self.after or self.added_lots > 0 or bool(self.alarm) or not self.legal

    @property
    def ended(self) -> bool:
        return self.before is not self.after and self.after in CLOSED

    @property
    def note(self) -> Note:
        """For the journal: transitions and refused ones; alarms are warnings."""
        text = f"order {self.before.value} -> {self.after.value} ({self.cause.value})"
        if not self.legal:
            text = f"order stays {self.before.value}: {self.cause.value} is not possible there"
        level = "debug" if self.after in _EXPECTED else "info"  # fills are told by what they open and close
        return Note(
            kind="order",
            text=f"{text}; {self.alarm}" if self.alarm else text,
            level="warning" if self.alarm or not self.legal else level,
            symbol=self.order.symbol,
            trace=self.trace,
            client_id=self.order.client_id,
            durable=True,
            record=self.step,
        )

    @property
    def step(self) -> OrderStep:
        order = self.order
        return OrderStep(
            client_id=order.client_id,
            order_id=order.order_id,
            before=self.before.value,
            after=self.after.value,
            cause=self.cause.value,
            filled_lots=order.filled_lots,
            lots=order.lots,
            reason=order.reason,
            alarm=self.alarm,
            legal=self.legal,
        )


class Order:
    """One order. Moves by this table (state: cause state, cause state, ...); what is not listed is refused.

    PENDING: sent SENT, lost UNKNOWN, cancel CANCELLING, refused/absent EXPIRED, denied REJECTED, live PLACED,
        partial PARTIALLY_FILLED, full FILLED, gone CANCELLED, bounced REJECTED
    SENT: sent SENT, and like PENDING
    UNKNOWN: sent/lost UNKNOWN, and like PENDING
    PLACED: sent/lost/live PLACED, cancel CANCELLING, amend AMENDING, partial PARTIALLY_FILLED, full FILLED,
        gone CANCELLED, bounced REJECTED
    PARTIALLY_FILLED: sent/lost/live/partial PARTIALLY_FILLED, cancel CANCELLING, amend AMENDING, full FILLED,
        gone/bounced CANCELLED
    AMENDING: sent/lost/amend AMENDING, live PLACED, partial PARTIALLY_FILLED, cancel CANCELLING, full FILLED,
        gone CANCELLED, bounced REJECTED
    CANCELLING: sent/lost/cancel/live/partial CANCELLING, full FILLED, gone CANCELLED, denied/bounced REJECTED,
        refused/absent EXPIRED
    FILLED: everything but amend and local endings FILLED
    CANCELLED: everything but amend and local endings CANCELLED, except full FILLED
    REJECTED: sent/cancel/lost/refused/denied/absent/bounced REJECTED, late CANCELLED, live PLACED,
        partial PARTIALLY_FILLED, full FILLED, gone CANCELLED
    EXPIRED: sent/cancel/lost/refused/absent EXPIRED, denied/bounced REJECTED, live PLACED,
        partial PARTIALLY_FILLED, full FILLED, gone CANCELLED

    Local endings (refused, denied, absent) are our belief: the venue's word overrules them, they never
    overrule the venue's. The venue's closing word is final, except that more fills are always booked.
    So the end does not depend on the order in which messages arrive, nor on duplicates.
    `filled_lots` is cumulative and never falls (a cancelled order reports no leaves).
    """

    __slots__ = (
        "absences",
        "asked_ms",
        "client_id",
        "created_ms",
        "durable",
        "exec_lots",
        "filled_lots",
        "history",
        "intent",
        "known",
        "limit_ticks",
        "lots",
        "order_id",
        "reason",
        "reduce_only",
        "side",
        "since_ms",
        "state",
        "stop_kind",
        "symbol",
        "venue_closed",
    )

    def __init__(self, client_id: str, symbol: str, side: Side, lots: int, at_ms: int) -> None:
        self.client_id = client_id
        self.symbol = symbol
        self.side = side
        self.lots = lots
        self.intent: PlaceOrder | None = None
        self.order_id = self.reason = self.stop_kind = ""
        self.limit_ticks: int | None = None
        self.reduce_only = False
        self.state = OrderState.PENDING
        self.filled_lots = 0
        self.exec_lots: dict[str, int] = {}
        self.durable = self.known = self.venue_closed = False
        self.created_ms = self.since_ms = at_ms
        self.asked_ms = 0
        self.absences = 0
        self.history: list[Transition] = []

    @classmethod
    def ours(cls, intent: PlaceOrder) -> "Order":
        order = cls(intent.client_id, intent.symbol, intent.side, intent.lots, intent.decided_ms)
        order.intent = intent
        order.reduce_only = intent.reduce_only
        order.limit_ticks = intent.limit_ticks
        return order

    @classmethod
    def told(cls, report: OrderReport, at_ms: int) -> "Order":
        """An order that only the venue told of: somebody else's, a stop's child, or one of ours we forgot."""
        order = cls(report.client_id, report.symbol, report.side, report.lots, at_ms)
        order.reduce_only = report.reduce_only
        order.limit_ticks = report.limit_ticks
        order.stop_kind = report.stop_kind
        return order

    @property
    def is_open(self) -> bool:
        return self.state not in CLOSED

    @property
    def is_entry(self) -> bool:
        """One of our orders that may increase risk."""
        return self.intent is not None and not self.reduce_only

    @property
    def rests(self) -> bool:
        """A limit order that the venue keeps in its book, as was meant: it may take its time."""
        meant = self.intent is not None and self.intent.tif in {TimeInForce.GTC, TimeInForce.POST_ONLY}
        return meant and self.state in {OrderState.PLACED, OrderState.PARTIALLY_FILLED}

    @property
    def unbooked_lots(self) -> int:
        """What is, or may still become, a position without having been booked on one."""
        return max(0, self.lots - sum(self.exec_lots.values())) if self.is_open else 0

    @property
    def unresolved(self) -> bool:
        """Nobody knows whether the venue has it: no new entry in this symbol until it is known."""
        waiting = self.state in {OrderState.CANCELLING, OrderState.AMENDING} and not self.known
        return self.state is OrderState.UNKNOWN or waiting

    def report_cause(self, report: OrderReport) -> Cause:
        """The cause behind the venue's status; an unknown status is an open order."""
        filled = max(self.filled_lots, report.filled_lots)
        if report.status == "Rejected":
            return Cause.GONE if filled else Cause.BOUNCED
        cause = _STATUS.get(report.status)
        if cause is not None and not (cause is Cause.GONE and self.lots and filled >= self.lots):
            return cause
        return self.fill_cause(filled)

    def fill_cause(self, filled_lots: int) -> Cause:
        if self.lots and filled_lots >= self.lots:
            return Cause.FULL
        return Cause.PARTIAL if filled_lots else Cause.LIVE

    def apply(self, cause: Cause, filled_lots: int, at_ms: int, trace: str) -> OrderChange:
        """Move by the table. `filled_lots` is the cumulative amount known to the caller."""
        before, added = self.state, max(0, filled_lots - self.filled_lots)
        self.filled_lots += added
        alarm = self._alarm(cause, added)
        cause = self._settled(cause)
        after = TRANSITIONS[before].get(cause)
        legal = after is not None and not (self.known and cause in LOCAL_ENDINGS)
        if after is not None and legal and after is not before:
            self.history.append(Transition(at_ms, before.value, after.value, cause.value, trace))
            self.state, self.since_ms = after, at_ms
        if cause in _VENUE or cause is Cause.LATE:
            self.known = True
            self.absences = 0
        self.venue_closed |= cause in {Cause.FULL, Cause.GONE, Cause.BOUNCED}
        return OrderChange(self, cause, before, self.state, added, alarm, legal, trace)

    def _settled(self, cause: Cause) -> Cause:
        """After the venue's closing word: live is an old message, a fill is late."""
        if not self.venue_closed:
            return cause
        if cause is Cause.BOUNCED and self.filled_lots:
            return Cause.GONE
        if cause in {Cause.LIVE, Cause.PARTIAL}:
            return Cause.LATE if self.filled_lots or self.state is not OrderState.REJECTED else Cause.BOUNCED
        return cause

    def _alarm(self, cause: Cause, added: int) -> str:
        if added and self.state in CLOSED:
            return f"zombie: {added} lots filled on an order that was {self.state.value}; booked"
        if cause in {Cause.LIVE, Cause.PARTIAL} and self.state in CLOSED and not self.venue_closed:
            return f"zombie: the venue works an order that we took for {self.state.value}"
        if self.lots and self.filled_lots > self.lots:
            return f"overfilled: {self.filled_lots} lots of {self.lots}"
        return ""
