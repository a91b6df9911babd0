"""What must hold at every step, judged on the exchange's own truth and on the wire, never on the program's word.

I1  whenever a position is, its stop is
I2  one order per intent: a client id is accepted once, no entry joins a position or an entry that is there
I3  positions, initial margin, exposure and the loss at all stops stay within the settings
I4  an entry leaves only after its intent is durable; every order accepted belongs to an intent
I5  a stop never moves to a worse price
I10 no entry leaves unless the program is armed and ACTIVE, nor while a person's hold or wish to be flat is in force,
    restarts included
I11 what is said to be flat is flat

After all faults have healed, and soon after a restart in clear weather: the program's positions are
the exchange's, each with a proven stop and the plan it was opened with, every fill is booked once, and
nothing is UNKNOWN.
"""

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal

import msgspec
from msgspec import Struct

from breakwall.config import BreakerSettings, RiskSettings
from breakwall.model.actions import Note
from breakwall.model.events import Command, CommandKind
from breakwall.model.journal import EntryKind, JournalEntry
from breakwall.ports import HttpAnswer, HttpRequest
from breakwall.sim.people import HOLDS

CREATE = "/v5/order/create"
_COMMAND = '{"type":"Command"'
_SLACK = Decimal("1.05")
"""Prices move between the decision and the look: a fill may be slightly dearer, equity slightly smaller."""


class InvariantBroken(AssertionError):
    """A promise was not kept; the text says which, where, when, and how to see it again."""


class TruePosition(Struct, frozen=True):
    """One open position as the exchange keeps it: signed lots, prices in ticks (None: no stop), money in USDT."""

    symbol: str
    lots: int
    stop_ticks: int | None
    margin_usdt: Decimal
    notional_usdt: Decimal
    loss_at_stop_usdt: Decimal


class Truth(Struct, frozen=True):
    """The account as the exchange keeps it.

    `entries` are the symbols with an open order that is not reduce-only, `fees_usdt` is the sum of all
    trading fees charged so far.
    """

    equity_usdt: Decimal
    positions: tuple[TruePosition, ...]
    entries: frozenset[str] = frozenset()
    fees_usdt: Decimal = Decimal(0)


class Belief(Struct, frozen=True):
    """The account as the program knows it: lots by symbol (never 0) and ids of UNKNOWN orders.

    `protected` are the symbols whose stop was read back, `planned` those whose plan is remembered.
    `fees_usdt` is the sum of the fees of all fills booked; None where an earlier life booked some.
    """

    lots: dict[str, int] = {}
    protected: frozenset[str] = frozenset()
    planned: frozenset[str] = frozenset()
    unknown: frozenset[str] = frozenset()
    fees_usdt: Decimal | None = None


class _Order(Struct):
    """What matters here of a create request."""

    symbol: str
    orderLinkId: str = ""  # noqa: N815 - the venue's word
    reduceOnly: bool = False  # noqa: N815 - the venue's word


class _Answer(Struct):
    retCode: int = -1  # noqa: N815 - the venue's word


class Referee:
    """Watches one run; hands an InvariantBroken to `fail` when a promise is not kept, which must end the run.

    It cannot raise: it looks while the program's own code runs, which must not be able to catch it.
    `truth` reads the exchange, `may_enter` asks the living program whether it is armed and ACTIVE.
    `orders` counts the orders accepted, `entries` those of them that open risk.
    """

    def __init__(
        self,
        risk: RiskSettings,
        breaker: BreakerSettings,
        truth: Callable[[], Truth],
        may_enter: Callable[[], bool],
        fail: Callable[[InvariantBroken], None],
        reproduce: str,
    ) -> None:
        self._risk = risk
        self._breaker = breaker
        self._truth = truth
        self._may_enter = may_enter
        self._fail = fail
        self._reproduce = reproduce
        self._intents: set[str] = set()
        self._accepted: set[str] = set()
        self._stops: dict[str, tuple[int, int]] = {}
        self._holds: set[CommandKind] = set()
        self._wished = False  # to be flat, and not told yet that it is
        self._now_ms = 0
        self.orders = 0
        self.entries = 0

    def committed(self, entries: Iterable[JournalEntry]) -> None:
        """These entries are durable."""
        for entry in entries:
            if entry.kind is EntryKind.INTENT:
                self._intents.add(entry.client_id)
            elif entry.kind is EntryKind.EVENT and entry.body.startswith(_COMMAND):
                self._told(msgspec.json.decode(entry.body, type=Command).kind)
            elif entry.kind is EntryKind.NOTE and msgspec.json.decode(entry.body, type=Note).kind == "flat":
                self._flat()

    def _told(self, kind: CommandKind) -> None:
        self._wished |= kind in {CommandKind.FLATTEN, CommandKind.PANIC}
        if kind in HOLDS:
            self._holds.add(kind)
        elif kind is CommandKind.RESET_BREAKER:
            self._holds -= {CommandKind.HALT, CommandKind.PAUSE}
        else:
            self._holds -= {hold for hold, freed in HOLDS.items() if freed is kind}

    def _flat(self) -> None:
        """The program says that all is flat (people here never ask for one symbol); entries may leave again."""
        self._wished = False
        held = [position.symbol for position in self._truth().positions]
        if held:
            self._broken("I11", f"said to be flat, but {', '.join(held)} is held")

    def sent(self, request: HttpRequest, now_ms: int) -> None:
        """The program let go of a request."""
        self._now_ms = now_ms
        order = _order(request)
        if order is None or order.reduceOnly:
            return
        if order.orderLinkId not in self._intents:
            self._broken("I4", f"entry {order.orderLinkId} in {order.symbol} left before its intent was durable")
        if not self._may_enter():
            self._broken("I10", f"entry {order.orderLinkId} in {order.symbol} left although entries are not allowed")
        for hold in self._holds:
            self._broken("I10", f"entry {order.orderLinkId} in {order.symbol} left after {hold.value} was durable")
        if self._wished:
            self._broken("I10", f"entry {order.orderLinkId} in {order.symbol} left while all had to be flat")

    def arriving(self, request: HttpRequest, now_ms: int) -> None:
        """A request reaches the exchange, which has not acted on it yet."""
        self._now_ms = now_ms
        order = _order(request)
        if order is None or order.reduceOnly or order.orderLinkId in self._accepted:
            return
        truth = self._truth()
        if order.symbol in truth.entries or any(held.symbol == order.symbol for held in truth.positions):
            self._broken(
                "I2", f"entry {order.orderLinkId} arrived although {order.symbol} has a position or an entry"
            )

    def answered(self, request: HttpRequest, answer: HttpAnswer, now_ms: int) -> None:
        """The exchange has acted on a request, whether or not its answer will arrive."""
        self._now_ms = now_ms
        order = _order(request)
        if order is not None and msgspec.json.decode(answer.body, type=_Answer).retCode == 0:
            if order.orderLinkId in self._accepted:
                self._broken("I2", f"{order.orderLinkId} was accepted twice")
            self._accepted.add(order.orderLinkId)
            self.orders += 1
            self.entries += not order.reduceOnly
        self.check(now_ms)

    def check(self, now_ms: int) -> None:
        """Look at the exchange's truth as it is now."""
        self._now_ms = now_ms
        truth = self._truth()
        for position in truth.positions:
            self._check_stop(position)
        for symbol in self._stops.keys() - {position.symbol for position in truth.positions}:
            del self._stops[symbol]
        if truth.positions:
            self._check_risk(truth)

    def check_healed(self, belief: Belief, now_ms: int) -> None:
        """Faults are over since long enough: knowledge must equal truth."""
        self.check(now_ms)
        for what in self._differences(belief):
            self._broken("liveness", what)
        strangers = self._accepted - self._intents
        if strangers:
            self._broken("I4", f"accepted without an intent: {', '.join(sorted(strangers))}")

    def agrees(self, belief: Belief) -> bool:
        """Whether the program knows the truth by now."""
        return not any(self._differences(belief))

    def _differences(self, belief: Belief) -> Iterator[str]:
        truth = self._truth()
        lots = {position.symbol: position.lots for position in truth.positions}
        if belief.fees_usdt not in {None, truth.fees_usdt}:
            yield f"fees of {belief.fees_usdt} were booked, {truth.fees_usdt} were charged"
        if belief.lots != lots:
            yield f"the program knows positions {belief.lots}, the exchange has {lots}"
        if belief.unknown:
            yield f"still UNKNOWN: {', '.join(sorted(belief.unknown))}"
        for symbol in sorted(lots.keys() - belief.protected):
            yield f"no proven stop for {symbol}"
        for symbol in sorted(lots.keys() - belief.planned):
            yield f"the plan of {symbol} is forgotten"

    def _check_stop(self, position: TruePosition) -> None:
        if position.stop_ticks is None:
            self._broken("I1", f"{position.symbol} has {position.lots} lots and no stop")
            return
        sign = 1 if position.lots > 0 else -1
        held_sign, held_ticks = self._stops.get(position.symbol, (sign, position.stop_ticks))
        if held_sign == sign and (position.stop_ticks - held_ticks) * sign < 0:
            self._broken("I5", f"{position.symbol} stop moved from {held_ticks} to the worse {position.stop_ticks}")
        self._stops[position.symbol] = (sign, position.stop_ticks)

    def _check_risk(self, truth: Truth) -> None:
        risk, equity = self._risk, truth.equity_usdt
        held = truth.positions
        limits = (
            ("positions", Decimal(len(held)), Decimal(risk.max_positions)),
            ("initial margin", _sum(p.margin_usdt for p in held), _SLACK * equity * risk.total_margin_percent / 100),
            ("exposure", _sum(p.notional_usdt for p in held), _SLACK * risk.max_exposure_usdt),
            (
                "loss at all stops",
                _sum(p.loss_at_stop_usdt for p in held),
                _SLACK * equity * self._breaker.daily_loss_percent / 100,
            ),
        )
        for name, found, limit in limits:
            if found > limit:
                self._broken("I3", f"{name} is {found:.2f}, the limit is {limit:.2f}")

    def _broken(self, name: str, what: str) -> None:
        self._fail(InvariantBroken(f"{name} at {self._now_ms} ms: {what}. See it again: {self._reproduce}"))


def _order(request: HttpRequest) -> _Order | None:
    return msgspec.json.decode(request.body, type=_Order) if request.path == CREATE else None


def _sum(values: Iterable[Decimal]) -> Decimal:
    return sum(values, Decimal(0))
