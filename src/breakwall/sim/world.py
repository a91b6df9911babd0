"""A whole world in one thread: exchange, network, journal and the real program, all in made-up time.

The program is the one that trades: the Bybit adapter, the engine, the core. Only its clock, its
transport and its journal's thread are replaced. It may be killed between any two of its steps; the
exchange, what is on the wire and what was committed stay.
"""

import asyncio
import hashlib
import random
import shlex
from collections.abc import Iterable, Sequence
from decimal import Decimal

from msgspec import Struct

from breakwall.clock import LoopClock
from breakwall.config import Settings, VenueSettings
from breakwall.engine.loop import Engine
from breakwall.model.actions import Note
from breakwall.model.events import Command, Event
from breakwall.model.journal import EntryKind, JournalEntry
from breakwall.modes import Access, bybit_engine
from breakwall.ports import Frame, HttpAnswer, HttpRequest, Journal, VenueError
from breakwall.sim.faults import Faults, Plan, draw_plan, plan_of, plan_text
from breakwall.sim.invariants import Belief, Referee, TruePosition, Truth
from breakwall.sim.loop import Process, SimulationError, VirtualLoop, run
from breakwall.sim.people import draw_wishes
from breakwall.sim.transport import LoopTransport, Network
from breakwall.storage.journal import InlineJournal
from breakwall.venues.bybit.endpoints import Urls
from breakwall.venues.exchange.account import Position
from breakwall.venues.exchange.exchange import Exchange

__all__ = ["Report", "World", "plan_of", "play"]

EPOCH_MS = 1_800_000_000_000
ACCESS = Access(
    "SIM", Urls("http://sim", "ws://sim/v5/public/linear", "ws://sim/v5/private"), "sim-key", "sim-secret"
)
SETTINGS = Settings(venue=VenueSettings(ping_interval_s=5, pong_timeout_s=3, reconnect_cap_s=3))
"""The defaults, but quicker to notice a dead peer, so that healing does not take half a minute of each run."""

REBOOT_S = 0.5
RECOVERY_S = 3.0
STEPS_TO_DEATH = 60
MOMENTS_TO_DEATH = 4
_STRATEGIES = {"breakout", "bounce"}
_WRITES = ("/v5/order/", "/v5/position/trading-stop")


class Report(Struct, frozen=True):
    """How a run went.

    `deaths` counts kills and starts in vain, `deaths_holding` those with a position or an entry at the exchange;
    `recovery_ms` is the longest time from a start in clear weather to knowing the truth. `trace` is a
    digest of all that left the inbox and all that was decided, in order.
    """

    seed: int
    seconds: float
    orders: int
    entries: int
    deaths: int
    deaths_holding: int
    recovery_ms: int
    unprotected_ms: int
    struck: dict[str, int]
    trace: str


def play(
    seed: int, *, seconds: float = 60.0, heal_s: float = 3.0, plan: Plan | None = None, crashes: int = 0
) -> Report:
    """Live through `seconds` of bad weather and at least `heal_s` of good; raises InvariantBroken.

    `plan` None draws the weather from the seed, `()` is none at all. `crashes` kills the program that
    often, at any time or soon after an intent was committed or sent, and starts it again.
    """
    weather = "" if plan is None else f", plan=plan_of({plan_text(plan)!r})"
    call = f"play({seed}, seconds={seconds:g}, heal_s={heal_s:g}, crashes={crashes}{weather})"
    line = f"python -c {shlex.quote(f'from breakwall.sim.world import plan_of, play; {call}')}"
    story = _story(seed, draw_plan(seed, seconds) if plan is None else plan, seconds, heal_s, crashes, line)
    return run(story, seed=seed, until_s=seconds + heal_s + 60)


async def _story(seed: int, plan: Plan, seconds: float, heal_s: float, crashes: int, line: str) -> Report:
    """Bad weather, people, crashes; then healing; then knowledge is compared with truth."""
    world = World(seed, SETTINGS, plan, line)
    turning = asyncio.create_task(world.turn(), name="exchange")
    try:
        world.boot()
        world.meddle(seconds)
        world.plot(crashes, seconds)
        await asyncio.sleep(seconds)
        world.heal()
        await asyncio.sleep(heal_s)
        await world.judge()
    finally:
        turning.cancel()
        world.journal.drop()
    return world.report()


class Trace:
    """`ports.Recorder` that keeps only a digest, over all programs of one world."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def event(self, seq: int, at_ms: int, event: Event, frame: Frame | None) -> None:
        self._digest.update(f"{seq} {at_ms} {type(event).__name__}".encode())
        if frame is not None:
            self._digest.update(frame.data)

    def actions(self, seq: int, actions: Iterable[object]) -> None:
        self._digest.update(f"{seq} {actions}".encode())

    async def close(self) -> None:
        """Outlives the programs."""

    def hexdigest(self) -> str:
        return self._digest.hexdigest()


class World:
    """Built inside the running loop. Also the network's witness: it passes what it sees to the referee."""

    def __init__(self, seed: int, settings: Settings, plan: Plan, reproduce: str) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        self._loop = loop
        self._seed = seed
        self._settings = settings
        self._dice = random.Random(f"world {seed}")
        self._clear = not plan
        self.clock = LoopClock(EPOCH_MS)
        self.exchange = Exchange(
            seed, "tour", EPOCH_MS, symbols=settings.symbols, api_key=ACCESS.api_key, api_secret=ACCESS.api_secret
        )
        self.faults = Faults(plan, seed)
        self._reproduce = reproduce
        self.referee = Referee(
            settings.risk, settings.breaker, self.truth, self._may_enter, loop.fail, self._reproduce
        )
        self.network = Network(self.exchange, self.clock.now_ms, seed, faults=self.faults, witness=self)
        self.journal = InlineJournal()
        self.trace = Trace()
        self.notes: list[tuple[int, Note]] = []
        self.engine: Engine | None = None
        self._process: Process | None = None
        self._boots = self._deaths = self._deaths_holding = self._recovery_ms = 0
        self._moments: list[int] = []

    async def turn(self) -> None:
        """The exchange's own time: everything that happens there, each at its own moment."""
        while True:
            await asyncio.sleep(max(0, self.exchange.due_ms - self.clock.now_ms()) / 1000)
            now_ms = self.clock.now_ms()
            self.exchange.advance(now_ms)
            self.referee.check(now_ms)

    def boot(self) -> None:
        """Start the program, as a service manager would."""
        self._boots += 1
        transport = LoopTransport(self.network)
        self._process = Process(f"cockpit-{self._boots}", lambda: self._mourn(transport))
        self._process.start(self._program(transport)).add_done_callback(self._ended)
        if self._clear:
            began = self._loop.time()
            self.network.later(0, lambda: self._look_for_recovery(self._boots, began))

    def meddle(self, seconds: float) -> None:
        """Let people do what the seed has them do."""
        for wish in draw_wishes(self._seed, seconds):
            self._loop.call_at(wish.at_s, self._ask, Command(wish.kind, who="person", why="as they please"))

    def plot(self, crashes: int, seconds: float) -> None:
        """Draw when to kill the program: by turns at any time, or after the n-th commit or request since the last."""
        for number in range(crashes):
            if number % 2:
                self._moments.append(self._dice.randint(1, MOMENTS_TO_DEATH))
            else:
                self._loop.call_at(self._dice.uniform(15, seconds), self._kill_soon)

    def heal(self) -> None:
        """End the bad weather; no more crashes."""
        self.faults.heal()
        self._moments = []

    async def judge(self, patience_s: float = 30.0) -> None:
        """Knowledge must come to equal truth: what is on the wire now may take its time."""
        for _ in range(int(patience_s * 10)):
            if self._knows():
                break
            await asyncio.sleep(0.1)
        self.referee.check_healed(self.belief(), self.clock.now_ms())

    def truth(self) -> Truth:
        """The account as the exchange keeps it."""
        account = self.exchange.account
        held = tuple(_true(position, account.taker_fee) for position in account.positions.values() if position.lots)
        entries = frozenset(
            order.symbol for order in self.exchange.open_orders() if not order.reduce_only and not order.stop_kind
        )
        fees = sum((done.fee_usdt for done in self.exchange.executions if done.exec_type == "Trade"), Decimal(0))
        return Truth(account.equity(self.exchange.listings), held, entries, fees)

    def belief(self) -> Belief:
        """The account as the living program knows it; empty while none is up."""
        if self.engine is None:
            return Belief()
        view = self.engine.view()
        held = [position for position in view.positions if position.lots]
        return Belief(
            {position.symbol: position.lots for position in held},
            frozenset(position.symbol for position in held if position.stop and position.proof_age_ms is not None),
            frozenset(position.symbol for position in held if position.strategy in _STRATEGIES),
            frozenset(order.client_id for order in view.orders if order.state == "UNKNOWN"),
            view.counters.fees_usdt if self._boots == 1 else None,
        )

    def report(self) -> Report:
        return Report(
            seed=self._seed,
            seconds=(self.clock.now_ms() - EPOCH_MS) / 1000,
            orders=self.referee.orders,
            entries=self.referee.entries,
            deaths=self._deaths,
            deaths_holding=self._deaths_holding,
            recovery_ms=self._recovery_ms,
            unprotected_ms=max(self.exchange.unprotected_ms(symbol) for symbol in self._settings.symbols),
            struck={kind.name: count for kind, count in self.faults.struck.items()},
            trace=self.trace.hexdigest(),
        )

    # What the network and the journal tell.
    def sent(self, request: HttpRequest, now_ms: int) -> None:
        self.referee.sent(request, now_ms)
        if request.method == "POST" and request.path.startswith(_WRITES):
            self._moment()

    def arriving(self, request: HttpRequest, now_ms: int) -> None:
        self.referee.arriving(request, now_ms)

    def answered(self, request: HttpRequest, answer: HttpAnswer, now_ms: int) -> None:
        self.referee.answered(request, answer, now_ms)

    def committed(self, entries: Sequence[JournalEntry]) -> None:
        self.referee.committed(entries)
        if any(entry.kind is EntryKind.INTENT for entry in entries):
            self._moment()

    async def _program(self, transport: LoopTransport) -> None:
        """What a real start does, on this world's ports."""
        journal = WatchedJournal(self.journal, self)
        self.engine = bybit_engine(
            settings=self._settings,
            access=ACCESS,
            run=self._boots,
            remembered=await journal.open(),
            clock=self.clock,
            transport=transport,
            journal=journal,
            recorder=self.trace,
            say=self._hear,
        )
        await self.engine.start()
        await self.engine.run()

    def _ended(self, program: "asyncio.Task[None]") -> None:
        """It left by itself: in bad weather the venue may be out of reach, and it is started again; else a bug."""
        if program.cancelled() or self._process is None:
            return
        error = program.exception()
        if isinstance(error, VenueError) and not self._clear:
            self._process.kill()
        else:
            self._loop.call_exception_handler({"message": "the program ended", "exception": error})

    def _hear(self, note: Note, at_ms: int) -> None:
        """The log. A task that had to be started again is a bug here, however well it was survived."""
        self.notes.append((at_ms, note))
        if note.kind == "task-failed":
            self._loop.fail(SimulationError(f"{note.text}. See it again: {self._reproduce}"))

    def _mourn(self, transport: LoopTransport) -> None:
        """The operating system closes a dead program's sockets; the service manager starts it again."""
        truth = self.truth()
        self._deaths += 1
        self._deaths_holding += bool(truth.positions or truth.entries)
        self.engine = None
        transport.disconnect()
        self.network.later(REBOOT_S, self.boot)

    def _moment(self) -> None:
        """Something was just committed or sent: the best time to die."""
        if self._moments:
            self._moments[0] -= 1
            if not self._moments[0]:
                del self._moments[0]
                self._kill_soon()

    def _kill_soon(self) -> None:
        process = self._process
        if process is not None:
            process.dies_at = process.steps + self._dice.randint(1, STEPS_TO_DEATH)

    def _ask(self, command: Command) -> None:
        if self.engine is not None:
            self.engine.submit(command)

    def _may_enter(self) -> bool:
        if self.engine is None:
            return False
        view = self.engine.view()
        return view.armed and view.trading_state == "ACTIVE"

    def _knows(self) -> bool:
        recovered = self.engine is not None and self.engine.core.recovered_ms is not None
        return recovered and self.referee.agrees(self.belief())

    def _look_for_recovery(self, boot: int, began: float) -> None:
        """Look again and again after a start until the program knows the truth; too late is a broken promise."""
        since = self._loop.time() - began
        if boot != self._boots:
            return
        if self._knows():
            self._recovery_ms = max(self._recovery_ms, round(since * 1000))
        elif since > RECOVERY_S:
            self.referee.check_healed(self.belief(), self.clock.now_ms())
        else:
            self.network.later(0.01, lambda: self._look_for_recovery(boot, began))


class WatchedJournal:
    """`ports.Journal` that shows the world what has become durable."""

    def __init__(self, journal: Journal, world: World) -> None:
        self._journal = journal
        self._world = world

    async def open(self) -> tuple[JournalEntry, ...]:
        return await self._journal.open()

    async def commit(self, entries: Iterable[JournalEntry]) -> None:
        kept = tuple(entries)
        await self._journal.commit(kept)
        self._world.committed(kept)

    async def close(self) -> None:
        await self._journal.close()


def _true(position: Position, taker: Decimal) -> TruePosition:
    """The position as the invariants need it; a stop that has been passed into profit loses nothing."""
    entry, sign = position.entry, position.sign
    stop = position.stop if position.stop is not None and position.stop.status == "Untriggered" else None
    ticks = None if stop is None else stop.trigger_ticks
    loss = Decimal(0) if ticks is None else (entry - position.instrument.price(ticks)) * sign * position.qty
    return TruePosition(
        position.instrument.symbol,
        position.lots,
        ticks,
        position.initial_margin(taker),
        position.qty * entry,
        max(Decimal(0), loss),
    )
