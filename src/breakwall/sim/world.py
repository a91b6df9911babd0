"""A whole world in one thread: exchange, network, host and people, all in made-up time, and a referee over it."""

import asyncio
import hashlib
import random
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import islice

from msgspec.structs import replace

from breakwall.model.actions import Approved, Note
from breakwall.model.events import Command, Event, Outcome, OutcomeKind
from breakwall.model.records import OrderStep
from breakwall.modes import Access
from breakwall.ports import Frame, HttpRequest
from breakwall.settings import Settings
from breakwall.sim.host import Host
from breakwall.sim.invariants import Belief, Referee, TruePosition, Truth, client_ids
from breakwall.sim.loop import SimulationError, VirtualLoop
from breakwall.sim.memory import unlike_the_journal
from breakwall.sim.network import Network
from breakwall.sim.people import Wish
from breakwall.storage.ledger import comparison
from breakwall.venues.bybit.endpoints import Urls
from breakwall.venues.exchange.exchange import Exchange
from breakwall.venues.exchange.faults import CLOCK_ACTS, DEATHS, EXCHANGE_ACTS, Fault, FaultKind, Faults, Plan
from breakwall.venues.exchange.mischief import Mischief
from breakwall.venues.exchange.positions import Position

EPOCH_MS = 1_800_000_000_000
URLS = Urls("http://sim", "ws://sim/v5/public/linear", "ws://sim/v5/private", "ws://sim/v5/trade")
STEP_MS, PACE_MS = 50, 500
"""How fine the exchange's time is, and how often it pushes a public topic: two frames a second."""

RECOVERY_S, UNKNOWN_S = 3.0, 10.0
"""In clear weather: how long after a start all that is held is known and protected, and nothing is UNKNOWN."""

QUIET_S, QUIET_REQUESTS = 2.0, 40
"""In so many seconds after all has come right no more requests than these may leave."""

ZERO = Decimal(0)
_AGAIN_S = 0.2
_LIES = FaultKind.ANSWER_UNCLEAR, FaultKind.REQUEST_TWICE
"""They may say no to what was done: that explains any move of an order."""

_STRATEGIES = {"breakout", "bounce"}
_WRITES = ("/v5/order/", "/v5/position/trading-stop")


class Tap:
    """`ports.Recorder` that keeps only a digest, over all programs of one world, and shows the referee the gate."""

    def __init__(self) -> None:
        self.referee: Referee | None = None
        self._digest = hashlib.sha256()

    def event(self, seq: int, at_ms: int, event: Event, frame: Frame | None) -> None:
        self._digest.update(f"{seq} {at_ms} {type(event).__name__}".encode())
        if frame is not None:
            self._digest.update(frame.data)
        if self.referee is not None and isinstance(event, Outcome) and event.kind is OutcomeKind.REFUSED:
            self.referee.refused(event.client_id)

    def actions(self, seq: int, actions: Iterable[object]) -> None:
        self._digest.update(f"{seq} {actions}".encode())
        for action in actions:
            if self.referee is not None and isinstance(action, Approved):
                self.referee.approved(action.intent.client_id)

    async def close(self) -> None:
        """Outlives the programs."""

    def hexdigest(self) -> str:
        return self._digest.hexdigest()


class World:
    """Built inside the running loop. Also the network's witness: it passes what it sees to the referee.

    `deaths_holding` counts those of the program with a position or an entry at the exchange, `recovery_ms` is the
    longest time from a start in clear weather to knowing the truth.
    """

    def __init__(
        self, loop: VirtualLoop, seed: int, settings: Settings, plan: Plan, reproduce: str, *, badge: str = "SIM"
    ) -> None:
        self._loop = loop
        self._settings = settings
        self._clear = all(fault.kind in DEATHS for fault in plan)
        self._plan = plan
        self._reproduce = reproduce
        self._seen, self._fees_usdt = 0, ZERO
        self._before: dict[str, object] = {}
        self._healed = False
        self.notes: list[tuple[int, Note]] = []
        self.deaths_holding = self.recovery_ms = 0
        self.access = Access(badge, URLS, "sim-key", "sim-secret")
        self.exchange = Exchange(
            seed,
            "sprint",
            EPOCH_MS,
            symbols=settings.symbols,
            api_key=self.access.api_key,
            api_secret=self.access.api_secret,
            step_ms=STEP_MS,
            pace_ms=PACE_MS,
        )
        self.faults = Faults(plan, seed)
        self.referee = Referee(
            settings.risk,
            settings.breaker,
            self.truth,
            self._may_enter,
            loop.fail,
            reproduce,
            self._hindered_ms,
        )
        self.tap = Tap()
        self.tap.referee = self.referee
        self.network = Network(self.exchange, self.now_ms, seed, faults=self.faults, witness=self)
        dice = random.Random(f"world {seed}")
        self._mischief = Mischief(self.exchange, self.faults, dice, self._meddled)
        self.host = Host(
            loop,
            settings,
            self.access,
            self.network,
            self.faults,
            dice,
            epoch_ms=EPOCH_MS,
            recorder=self.tap,
            say=self._hear,
            committed=self.referee.committed,
            booted=self._watch_recovery,
            died=self._mourn,
        )

    def now_ms(self) -> int:
        """The true time, which the exchange keeps."""
        return EPOCH_MS + int(self._loop.time() * 1000)

    async def turn(self) -> None:
        """The exchange's own time: everything that happens there, each at its own moment."""
        while True:
            await asyncio.sleep(max(0, self.exchange.due_ms - self.now_ms()) / 1000)
            now_ms = self.now_ms()
            self.exchange.advance(now_ms)
            self._look(now_ms)

    def begin(self, wishes: Sequence[Wish]) -> None:
        """Start the program; let people and faults come as planned."""
        self.host.boot()
        for wish in wishes:
            self._loop.call_at(wish.at_s, self._ask, Command(wish.kind, who="person", why="as they please"))
        for fault in self._plan:
            if fault.kind in EXCHANGE_ACTS:
                self._loop.call_at(fault.from_s, self._meddle, fault)
            elif fault.is_act:
                self._loop.call_at(fault.from_s, self._afflict, fault)

    def heal(self) -> None:
        """End the bad weather; no more crashes."""
        self._healed = True
        self.faults.heal()
        self.host.heal()

    async def judge(self, patience_s: float = 30.0) -> None:
        """Knowledge must come to equal truth, and then it must become quiet."""
        for _ in range(int(patience_s * 10)):
            if self._knows() and not self._forgets() and not self._misbooked():
                break
            await asyncio.sleep(0.1)
        self.referee.check_healed(self.belief(), self.now_ms(), self._forgets(), self._misbooked())
        before = self.referee.requests
        await asyncio.sleep(QUIET_S)
        self.referee.check_quiet(self.referee.requests - before, QUIET_REQUESTS)

    def truth(self) -> Truth:
        """The account as the exchange keeps it."""
        account = self.exchange.account
        held = tuple(_true(position, account.taker_fee) for position in account.positions.values() if position.lots)
        entries = frozenset(
            order.symbol
            for order in self.exchange.log.live()
            if order.link_id and not order.reduce_only and not order.stop_kind
        )
        return Truth(account.equity(self.exchange.listings), held, entries, self._fees_usdt)

    def belief(self) -> Belief:
        """The account as the living program knows it; empty while none is up."""
        engine = self.host.engine
        if engine is None:
            return Belief(troubles=("no program is up",))
        view = engine.view()
        held = [position for position in view.positions if position.lots]
        troubles = [f"still blind: {view.why}"] if view.blind else []
        if view.trading_state != "ACTIVE" and not view.why:
            troubles.append(f"{view.trading_state} without a reason")
        known = {order.client_id for order in view.orders}
        troubles += [
            f"order {order.link_id} of ours is left over"
            for order in self.exchange.log.live()
            if order.link_id and not order.stop_kind and order.link_id not in known
        ]
        return Belief(
            {position.symbol: position.lots for position in held},
            frozenset(position.symbol for position in held if position.stop and position.proof_age_ms is not None),
            frozenset(position.symbol for position in held if position.strategy in _STRATEGIES),
            frozenset(order.client_id for order in view.orders if order.state == "UNKNOWN"),
            view.counters.fees_usdt if self.host.boots == 1 else None,
            tuple(troubles),
        )

    # What the network and the journal tell.
    def sent(self, request: HttpRequest, now_ms: int) -> None:
        self.referee.sent(request, now_ms)
        if request.method == "POST" and request.path.startswith(_WRITES):
            self.host.busy()

    def arriving(self, request: HttpRequest, now_ms: int) -> None:
        self.referee.arriving(request, now_ms)
        self._before = self._ordered(request)

    def acted(self, request: HttpRequest, now_ms: int) -> None:
        accepted = [name for name, order in self._ordered(request).items() if order is not self._before[name]]
        for link_id in () if self._healed else accepted:
            self._mischief.accepted(link_id, self._loop.time())
        self._look(now_ms)
        self.referee.acted(request, accepted, now_ms)

    def _ordered(self, request: HttpRequest) -> dict[str, object]:
        """What the exchange has under the client ids of a create request: another order there is one it accepted."""
        return {name: self.exchange.log.find({"orderLinkId": name}) for name in client_ids(request)}

    def _look(self, now_ms: int) -> None:
        """The referee sees all fills, and what they have made of the account."""
        executions = self.exchange.log.executions
        for fill in islice(executions, self._seen, None):
            if fill.exec_type != "Trade":
                continue
            self._fees_usdt += fill.fee_usdt
            order = self.exchange.log.find({"orderId": fill.order_id})
            assert order is not None, "the exchange forgets no order"
            if not (order.link_id or order.reduce_only):
                self.referee.meddled(FaultKind.FOREIGN_POSITION, fill.symbol, now_ms)
            elif order.reduce_only:
                self.referee.executed(order.link_id or order.order_id, fill.lots, fill.closed_lots)
        self._seen = len(executions)
        self.referee.check(now_ms)

    def _hear(self, note: Note, at_ms: int) -> None:
        """The log. A task that had to be started again is a bug here, unless it was tripped up."""
        self.notes.append((at_ms, note))
        if isinstance(note.record, OrderStep):
            lied_to = any(self.faults.struck[kind] for kind in _LIES)
            self.referee.stepped(replace(note.record, legal=note.record.legal or lied_to))
        if note.kind == "task-failed" and not self.host.stumbled:
            self._loop.fail(SimulationError(f"{note.text}. See it again: {self._reproduce}"))

    def _watch_recovery(self) -> None:
        if self._clear:
            boot, began_s = self.host.boots, self._loop.time()
            self.network.later(0, lambda: self._look_for_recovery(boot, began_s))
            self.network.later(UNKNOWN_S, lambda: self._look_for_unknown(boot))

    def _look_for_recovery(self, boot: int, began_s: float) -> None:
        """Look again and again after a start until the program knows the truth; too late is a broken promise."""
        if boot != self.host.boots:
            return
        since_s = self._loop.time() - began_s
        belief = replace(self.belief(), unknown=frozenset())  # an order on its way might still arrive
        if self._recovered and self.referee.agrees(belief):
            self.recovery_ms = max(self.recovery_ms, round(since_s * 1000))
        elif since_s > RECOVERY_S:
            self.referee.check_healed(belief, self.now_ms())
        else:
            self.network.later(0.01, lambda: self._look_for_recovery(boot, began_s))

    def _look_for_unknown(self, boot: int) -> None:
        if boot == self.host.boots:
            self.referee.check_resolved(self.belief().unknown)

    def _mourn(self) -> None:
        truth = self.truth()
        self.deaths_holding += bool(truth.positions or truth.entries)
        self.referee.died()

    def _meddled(self, kind: FaultKind, symbol: str) -> None:
        self.faults.happened(kind, self._loop.time())
        self.referee.meddled(kind, symbol, self.now_ms())

    def _meddle(self, fault: Fault) -> None:
        if not self._healed and not self._mischief.act(fault):
            self.network.later(_AGAIN_S, lambda: self._meddle(fault))

    def _afflict(self, fault: Fault) -> None:
        if not self._healed:
            self.host.suffer(fault)

    def _ask(self, command: Command) -> None:
        if self.host.engine is not None:
            self.host.engine.submit(command)

    def _may_enter(self) -> bool:
        if self.host.engine is None:
            return False
        view = self.host.engine.view()
        return view.armed and view.trading_state == "ACTIVE"

    def _hindered_ms(self) -> int:
        able = self.host.up and self._recovered  # before the first reading it cannot know of anything
        return EPOCH_MS + int(self.faults.last_s * 1000) if able else self.now_ms()

    def _forgets(self) -> list[str]:
        """What a restart now would not know, or know otherwise."""
        engine = self.host.engine
        timeless = any(self.faults.struck[kind] for kind in CLOCK_ACTS)
        return [] if engine is None else list(unlike_the_journal(engine, self.host.journal, timeless=timeless))

    def _misbooked(self) -> list[str]:
        """Where the ledger has it otherwise than the exchange. Trades of strangers may not be in it."""
        account, executions = self.exchange.account, self.exchange.log.executions
        funding = sum((done.fee_usdt for done in executions if done.exec_type == "Funding"), ZERO)
        true = comparison.Truth(
            positions={name: held.qty * held.sign for name, held in account.positions.items() if held.lots},
            executions=frozenset(done.exec_id for done in executions),
            fees_usdt=sum((done.fee_usdt for done in executions), -funding),
            funding_usdt=funding,
            open_orders=frozenset(
                order.link_id for order in self.exchange.log.live() if order.link_id and not order.stop_kind
            ),
        )
        with self.host.books.read() as books:
            booked = comparison.booked(books)
            trades = books.trades()
        net = sum((trade.net_usdt for trade in trades), ZERO)
        estimated = any(trade.estimated for trade in trades)
        if self.referee.meddled_with:
            ours = frozenset(done.exec_id for done in executions if done.link_id)
            true = replace(true, executions=ours, fees_usdt=ZERO, funding_usdt=ZERO)
            booked = replace(booked, executions=booked.executions & ours, fees_usdt=ZERO, funding_usdt=ZERO)
        elif not (true.positions or estimated) and abs(net - account.realised) > comparison.EXACT:
            return [f"closed trades made {net}, the account {account.realised} USDT"]
        return comparison.differences(booked, true)

    def _knows(self) -> bool:
        return self._recovered and self.referee.agrees(self.belief())

    @property
    def _recovered(self) -> bool:
        engine = self.host.engine
        return engine is not None and engine.core.recovered_ms is not None


def _true(position: Position, taker: Decimal) -> TruePosition:
    """The position as the invariants need it; a stop that has been passed into profit loses nothing."""
    entry, sign = position.entry, position.sign
    stop = position.stop if position.stop is not None and position.stop.status == "Untriggered" else None
    ticks = None if stop is None else stop.trigger_ticks
    loss = ZERO if ticks is None else (entry - position.instrument.price(ticks)) * sign * position.qty
    return TruePosition(
        position.instrument.symbol,
        position.lots,
        ticks,
        position.initial_margin(taker),
        position.qty * entry,
        max(ZERO, loss),
    )
