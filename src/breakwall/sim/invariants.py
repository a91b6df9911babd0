"""What must hold at every step, judged on the exchange's own truth and on the wire, never on the program's word.

I1  whenever a position is, its stop is; where others took the stop away or opened the position, within seconds
I2  one order per intent: a client id is accepted once, no entry joins a position or an entry that is there
I3  positions, initial margin, exposure and the loss at all stops stay within the settings
I4  an entry leaves only after its intent is durable; every order accepted belongs to an intent; nothing leaves
    that the last gate did not approve, or that was refused (G6)
I5  a stop never moves to a worse price
I6  what only reduces never opens anything: no fill of it goes beyond the position
I7  orders move as their table says
I8  what is filled of an order never becomes less
I10 no entry leaves unless the program is armed and ACTIVE, nor while a person's hold or wish to be flat is in force,
    restarts included
I11 what is said to be flat is flat

After all faults have healed, and soon after a restart in clear weather: the program's positions are
the exchange's, each with a proven stop and the plan it was opened with, every fill is booked once,
nothing is UNKNOWN, no order is left over, the ledger is the exchange's (quantities, executions, open orders exactly,
fees and funding to 1e-8), what holds entries back has a name, and nothing is asked without end.
I9, that the journal read again gives what is in memory, is asked then too.
"""

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal

import msgspec
from msgspec import Struct

from breakwall.model.actions import Note
from breakwall.model.events import Command, CommandKind
from breakwall.model.journal import EntryKind, JournalEntry
from breakwall.model.records import OrderStep
from breakwall.ports import HttpRequest
from breakwall.settings import BreakerSettings, RiskSettings
from breakwall.sim.people import HOLDS
from breakwall.venues.exchange.faults import EXCHANGE_ACTS, FaultKind

_CREATES = "/v5/order/create"  # and its batch
_COMMAND = '{"type":"Command"'
_SLACK = Decimal("1.05")
"""Prices move between the decision and the look: a fill may be slightly dearer, equity slightly smaller."""

NAKED_MS, NAKED_HINDERED_MS = 3_000, 9_000
"""How long a position may be without a stop that others took away: from that moment, or from when the program was
last kept from seeing it or doing something about it; then it may have to wait for the next reading of the account.
"""

_HINDERED_LONG_MS = 10_000
_EXCUSE_MS = 5_000
_STRANGE = frozenset({FaultKind.FOREIGN_POSITION, FaultKind.FOREIGN_ORDER})
_STRIPPED = frozenset({FaultKind.STOP_VANISHES, FaultKind.STOP_NOT_ATTACHED, FaultKind.FOREIGN_POSITION})


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
    `fees_usdt` is the sum of the fees of all fills booked; None where an earlier life booked some. `troubles` are
    what else keeps it from being well, in words.
    """

    lots: dict[str, int] = {}
    protected: frozenset[str] = frozenset()
    planned: frozenset[str] = frozenset()
    unknown: frozenset[str] = frozenset()
    fees_usdt: Decimal | None = None
    troubles: tuple[str, ...] = ()


class _Order(Struct):
    """What matters here of a create request."""

    symbol: str
    orderLinkId: str = ""  # noqa: N815 - the venue's word
    reduceOnly: bool = False  # noqa: N815 - the venue's word


class _Batch(Struct):
    request: tuple[_Order, ...]


class Referee:
    """Watches one run; hands an InvariantBroken to `fail` when a promise is not kept, which must end the run.

    It cannot raise: it looks while the program's own code runs, which must not be able to catch it.
    `truth` reads the exchange, `may_enter` asks the living program whether it is armed and ACTIVE, `hindered_ms` says
    when something last kept it from looking after its positions.
    `orders` counts the orders accepted, `entries` those of them that open risk, `requests` all that were sent;
    `meddled_with`: somebody else has traded.
    """

    def __init__(
        self,
        risk: RiskSettings,
        breaker: BreakerSettings,
        truth: Callable[[], Truth],
        may_enter: Callable[[], bool],
        fail: Callable[[InvariantBroken], None],
        reproduce: str,
        hindered_ms: Callable[[], int] = lambda: 0,
    ) -> None:
        self._risk = risk
        self._breaker = breaker
        self._truth = truth
        self._may_enter = may_enter
        self._fail = fail
        self._reproduce = reproduce
        self._hindered_ms = hindered_ms
        self._intents: set[str] = set()
        self._approved: set[str] = set()
        self._refused: set[str] = set()
        self._forgotten: set[str] = set()
        self._accepted: set[str] = set()
        self._filled: dict[str, int] = {}
        self._naked: dict[str, int] = {}  # symbol -> since when it is held without a stop
        self._excused: dict[str, int] = {}  # symbol -> when others took its stop away, or never gave it one
        self._strange: dict[str, int] = {}  # symbol -> when somebody else traded it; until it is flat
        self.meddled_with = False
        self._stops: dict[str, tuple[int, int]] = {}
        self._holds: set[CommandKind] = set()
        self._wished = False  # to be flat, and not told yet that it is
        self._now_ms = 0
        self.orders = self.entries = self.requests = 0

    def committed(self, entries: Iterable[JournalEntry]) -> None:
        """These entries are durable."""
        for entry in entries:
            if entry.kind is EntryKind.INTENT:
                self._intents.add(entry.client_id)
            elif entry.kind is EntryKind.EVENT and entry.body.startswith(_COMMAND):
                self._told(msgspec.json.decode(entry.body, type=Command).kind)
            elif entry.kind is EntryKind.NOTE and msgspec.json.decode(entry.body, type=Note).kind == "flat":
                self._flat()

    def approved(self, client_id: str) -> None:
        """The last gate let this intent pass."""
        self._approved.add(client_id)

    def refused(self, client_id: str) -> None:
        """We refused to send it: it must never leave."""
        self._refused.add(client_id)

    def meddled(self, kind: FaultKind, symbol: str, now_ms: int) -> None:
        """The exchange or somebody else did something to this symbol that the program did not do."""
        self.meddled_with |= kind in EXCHANGE_ACTS
        if kind in _STRANGE:
            self._strange[symbol] = now_ms
        if kind in _STRIPPED:
            self._excused[symbol] = now_ms

    def stepped(self, step: OrderStep) -> None:
        """The program told of a move of an order."""
        name = step.client_id or step.order_id
        if not step.legal:
            self._broken("I7", f"order {name} was {step.before}, where {step.cause} is not possible")
        if step.filled_lots < self._filled.get(name, 0):
            self._broken("I8", f"order {name} was filled {self._filled[name]} lots, now {step.filled_lots}")
        self._filled[name] = step.filled_lots

    def died(self) -> None:
        """The program died, and with it what it knew and had not written down."""
        self._filled = {}
        self._forgotten = self._approved - self._intents  # closes and stops leave without waiting for a failing disk

    def executed(self, order_id: str, lots: int, closed_lots: int) -> None:
        """A fill, at the exchange, of an order of ours that may only reduce."""
        if closed_lots < lots:
            self._broken("I6", f"order {order_id} only reduces, yet {lots - closed_lots} lots of {lots} opened anew")

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
        held = [position.symbol for position in self._truth().positions if position.symbol not in self._strange]
        if held:
            self._broken("I11", f"said to be flat, but {', '.join(held)} is held")

    def sent(self, request: HttpRequest, now_ms: int) -> None:
        """The program let go of a request."""
        self._now_ms = now_ms
        self.requests += 1
        for order in _orders(request):
            self._check_leaving(order)

    def arriving(self, request: HttpRequest, now_ms: int) -> None:
        """A request reaches the exchange, which has not acted on it yet."""
        self._now_ms = now_ms
        for order in _orders(request):
            known = order.orderLinkId in self._accepted or order.symbol in self._strange
            if not (order.reduceOnly or known):
                self._check_alone(order)

    def acted(self, request: HttpRequest, accepted: Iterable[str], now_ms: int) -> None:
        """The exchange has acted on a request: of the client ids in it, it has accepted these."""
        self._now_ms = now_ms
        orders = {order.orderLinkId: order for order in _orders(request)}
        for name in accepted:
            if name in self._accepted:
                self._broken("I2", f"{name} was accepted twice")
            self._accepted.add(name)
            self.orders += 1
            self.entries += not orders[name].reduceOnly
        self.check(now_ms)

    def check(self, now_ms: int) -> None:
        """Look at the exchange's truth as it is now."""
        self._now_ms = now_ms
        truth = self._truth()
        for position in truth.positions:
            self._check_stop(position)
        held = {position.symbol for position in truth.positions}
        for symbol in self._stops.keys() - held:
            del self._stops[symbol]
        for symbol in self._naked.keys() - held:
            del self._naked[symbol]
        for symbol in [symbol for symbol in self._strange.keys() - held if self._over(self._strange[symbol])]:
            del self._strange[symbol]
        if truth.positions:
            self._check_risk(truth)

    def check_healed(
        self, belief: Belief, now_ms: int, forgotten: Iterable[str] = (), misbooked: Iterable[str] = ()
    ) -> None:
        """Faults are over since long enough: knowledge must equal truth, the journal must hold all of it, and the
        ledger's books must be right.
        """
        self.check(now_ms)
        for what in misbooked:
            self._broken("liveness", f"ledger: {what}")
        for what in forgotten:
            self._broken("I9", what)
        for what in self._differences(belief):
            self._broken("liveness", what)
        strangers = self._accepted - self._intents - self._forgotten
        if strangers:
            self._broken("I4", f"accepted without an intent: {', '.join(sorted(strangers))}")

    def check_resolved(self, unknown: frozenset[str]) -> None:
        """Long enough after a start in clear weather: what was on its way is known."""
        if unknown:
            self._broken("liveness", f"still UNKNOWN: {', '.join(sorted(unknown))}")

    def check_quiet(self, requests: int, limit: int) -> None:
        """All has come right: no more requests than the usual ones may leave."""
        if requests > limit:
            self._broken("liveness", f"{requests} requests although all is well, the limit is {limit}")

    def agrees(self, belief: Belief) -> bool:
        """Whether the program knows the truth by now."""
        return not any(self._differences(belief))

    def _differences(self, belief: Belief) -> Iterator[str]:
        truth = self._truth()
        lots = {position.symbol: position.lots for position in truth.positions}
        if not self.meddled_with and belief.fees_usdt not in {None, truth.fees_usdt}:
            yield f"fees of {belief.fees_usdt} were booked, {truth.fees_usdt} were charged"
        if belief.lots != lots:
            yield f"the program knows positions {belief.lots}, the exchange has {lots}"
        if belief.unknown:
            yield f"still UNKNOWN: {', '.join(sorted(belief.unknown))}"
        yield from belief.troubles
        for symbol in sorted(lots.keys() - belief.protected):
            yield f"no proven stop for {symbol}"
        for symbol in sorted(lots.keys() - belief.planned - self._strange.keys()):
            yield f"the plan of {symbol} is forgotten"

    def _check_leaving(self, order: _Order) -> None:
        if order.orderLinkId not in self._approved:
            self._broken("I4", f"{order.orderLinkId} in {order.symbol} left without the last gate's approval")
        if order.orderLinkId in self._refused:
            self._broken("I4", f"{order.orderLinkId} in {order.symbol} left although it was refused")
        if order.reduceOnly:
            return
        if order.orderLinkId not in self._intents:
            self._broken("I4", f"entry {order.orderLinkId} in {order.symbol} left before its intent was durable")
        if not self._may_enter():
            self._broken("I10", f"entry {order.orderLinkId} in {order.symbol} left although entries are not allowed")
        for hold in self._holds:
            self._broken("I10", f"entry {order.orderLinkId} in {order.symbol} left after {hold.value} was durable")
        if self._wished:
            self._broken("I10", f"entry {order.orderLinkId} in {order.symbol} left while all had to be flat")

    def _check_alone(self, order: _Order) -> None:
        truth = self._truth()
        if order.symbol in truth.entries or any(held.symbol == order.symbol for held in truth.positions):
            self._broken(
                "I2", f"entry {order.orderLinkId} arrived although {order.symbol} has a position or an entry"
            )

    def _check_stop(self, position: TruePosition) -> None:
        if position.stop_ticks is None:
            self._check_naked(position.symbol, position.lots)
            return
        self._naked.pop(position.symbol, None)
        sign = 1 if position.lots > 0 else -1
        held_sign, held_ticks = self._stops.get(position.symbol, (sign, position.stop_ticks))
        if held_sign == sign and (position.stop_ticks - held_ticks) * sign < 0:
            self._broken("I5", f"{position.symbol} stop moved from {held_ticks} to the worse {position.stop_ticks}")
        self._stops[position.symbol] = (sign, position.stop_ticks)

    def _check_naked(self, symbol: str, lots: int) -> None:
        since_ms = self._naked.setdefault(symbol, self._now_ms)
        if since_ms - self._excused.get(symbol, -_EXCUSE_MS - 1) > _EXCUSE_MS:
            self._broken("I1", f"{symbol} has {lots} lots and no stop")
            return
        hindered_ms = self._hindered_ms()
        if hindered_ms >= self._now_ms:  # nobody has seen it: whoever starts may find no trace of the stop anywhere
            self._stops.pop(symbol, None)
        limit_ms = NAKED_MS if since_ms - hindered_ms > _HINDERED_LONG_MS else NAKED_HINDERED_MS
        bare_ms = self._now_ms - max(since_ms, hindered_ms)
        if bare_ms > limit_ms:
            self._broken("I1", f"{symbol} has {lots} lots and no stop for {bare_ms} ms, the limit is {limit_ms}")

    def _over(self, at_ms: int) -> bool:
        return self._now_ms - at_ms > _EXCUSE_MS

    def _check_risk(self, truth: Truth) -> None:
        risk, equity = self._risk, truth.equity_usdt
        held = [position for position in truth.positions if position.symbol not in self._strange]
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


def client_ids(request: HttpRequest) -> tuple[str, ...]:
    """Those of the orders that a request asks for."""
    return tuple(order.orderLinkId for order in _orders(request))


def _orders(request: HttpRequest) -> tuple[_Order, ...]:
    if not request.path.startswith(_CREATES):
        return ()
    if request.path == _CREATES:
        return (msgspec.json.decode(request.body, type=_Order),)
    return msgspec.json.decode(request.body, type=_Batch).request


def _sum(values: Iterable[Decimal]) -> Decimal:
    return sum(values, Decimal(0))
