"""A whole world in one thread: exchange, network, journal and the real program, all in made-up time.

The program is the one that trades: the Bybit adapter, the engine, the core. Only its clock, its
transport and its journal's thread are replaced. It may be killed between any two of its steps; the
exchange, what is on the wire and what was committed stay.
"""

import asyncio
import hashlib
import random
from collections.abc import Iterable, Sequence
from decimal import Decimal

from msgspec import Struct

from breakwall.clock import LoopClock
from breakwall.config import Settings, VenueSettings
from breakwall.engine.inbox import Inbox
from breakwall.engine.loop import Engine
from breakwall.engine.supervise import GaveUp
from breakwall.model.actions import Note
from breakwall.model.events import Command, CommandKind, Event
from breakwall.model.journal import EntryKind, JournalEntry
from breakwall.ports import Frame, HttpAnswer, HttpRequest, Journal, JournalError, VenueError
from breakwall.sim.faults import Faults, Plan, draw_plan
from breakwall.sim.invariants import Belief, Referee, TruePosition, Truth
from breakwall.sim.loop import Process, VirtualLoop, run
from breakwall.sim.transport import LoopTransport, Network
from breakwall.storage.journal import InlineJournal
from breakwall.venues.bybit.broker import BybitBroker
from breakwall.venues.bybit.endpoints import Urls
from breakwall.venues.bybit.feed import BybitFeed
from breakwall.venues.exchange.account import Position
from breakwall.venues.exchange.exchange import Exchange

EPOCH_MS = 1_800_000_000_000
KEY, SECRET = "sim-key", "sim-secret"
URLS = Urls("http://sim", "ws://sim/v5/public/linear", "ws://sim/v5/private")
REBOOT_S = 0.5
STEPS_TO_DEATH = 60
SETTINGS = Settings(venue=VenueSettings(ping_interval_s=5, pong_timeout_s=3, reconnect_cap_s=3))
"""The defaults, but quicker to notice a dead peer, so that healing does not take half a minute of each run."""


class Report(Struct, frozen=True):
    """How a run went. `trace` is a digest of all that left the inbox and all that was decided, in order."""

    seed: int
    seconds: float
    orders: int
    entries: int
    deaths: int
    struck: dict[str, int]
    unprotected_ms: int
    trace: str


def play(
    seed: int,
    *,
    seconds: float = 60.0,
    heal_s: float = 30.0,
    plan: Plan | None = None,
    crashes: int = 0,
    settings: Settings | None = None,
) -> Report:
    """Live through `seconds` of bad weather and `heal_s` of good; raises InvariantBroken.

    `plan` None draws the weather from the seed; `crashes` kills the program that often, soon after
    intents were committed or sent, and starts it again.
    """
    weather = draw_plan(seed, seconds) if plan is None else plan
    story = World.tell(seed, settings or SETTINGS, weather, seconds, heal_s, crashes)
    return run(story, seed=seed, until_s=seconds + heal_s + 60)


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

    def __init__(self, seed: int, settings: Settings, plan: Plan, crashes: int) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        self._seed = seed
        self._settings = settings
        self._dice = random.Random(f"world {seed}")
        self.clock = LoopClock(EPOCH_MS)
        self.exchange = Exchange(seed, "tour", EPOCH_MS, symbols=settings.symbols, api_key=KEY, api_secret=SECRET)
        self.faults = Faults(plan, seed)
        self.referee = Referee(
            settings.risk,
            settings.breaker,
            self.truth,
            self._may_enter,
            loop.fail,
            f'python -c "from breakwall.sim.world import play; play({seed}, crashes={crashes})"',
        )
        self.network = Network(self.exchange, self.clock.now_ms, seed, faults=self.faults, witness=self)
        self.journal = InlineJournal()
        self.trace = Trace()
        self.boots = 0
        self.deaths = 0
        self.notes: list[tuple[int, Note]] = []
        self.engine: Engine | None = None
        self._process: Process | None = None
        self._crashes_left = crashes
        self._moments_to_crash = self._dice.randint(1, 6)

    @classmethod
    async def tell(
        cls, seed: int, settings: Settings, plan: Plan, seconds: float, heal_s: float, crashes: int
    ) -> Report:
        """The whole story: bad weather, healing, and the comparison of knowledge with truth."""
        world = cls(seed, settings, plan, crashes)
        turning = asyncio.create_task(world.turn())
        world.boot()
        await asyncio.sleep(seconds)
        world.heal()
        await asyncio.sleep(heal_s)
        await world.judge()
        turning.cancel()
        world.journal.drop()
        return world.report()

    async def turn(self) -> None:
        """The exchange's own time: everything that happens there, each at its own moment."""
        while True:
            await asyncio.sleep(max(0, self.exchange.due_ms - self.clock.now_ms()) / 1000)
            now_ms = self.clock.now_ms()
            self.exchange.advance(now_ms)
            self.referee.check(now_ms)

    def boot(self) -> None:
        """Start the program, as a service manager would."""
        self.boots += 1
        transport = LoopTransport(self.network)
        process = Process(f"cockpit-{self.boots}", lambda: self._mourn(transport))
        self._process = process
        process.start(self._program(transport)).add_done_callback(self._ended)

    def heal(self) -> None:
        """End the bad weather; no more crashes."""
        self.faults.heal()
        self._crashes_left = 0

    async def judge(self, patience_s: float = 10.0) -> None:
        """Knowledge must come to equal truth: what is on the wire now may take its time."""
        for _ in range(int(patience_s * 10)):
            if self.engine is not None and self.referee.agrees(self.belief()):
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
        return Truth(account.equity(self.exchange.listings), held, entries)

    def belief(self) -> Belief:
        """The account as the living program knows it; empty while none is up."""
        if self.engine is None:
            return Belief({}, frozenset(), frozenset())
        view = self.engine.view()
        held = [position for position in view.positions if position.lots]
        return Belief(
            {position.symbol: position.lots for position in held},
            frozenset(position.symbol for position in held if position.stop and position.proof_age_ms is not None),
            frozenset(order.client_id for order in view.orders if order.state == "UNKNOWN"),
        )

    def _may_enter(self) -> bool:
        if self.engine is None:
            return False
        view = self.engine.view()
        return view.armed and view.trading_state == "ACTIVE"

    def report(self) -> Report:
        return Report(
            seed=self._seed,
            seconds=(self.clock.now_ms() - EPOCH_MS) / 1000,
            orders=self.referee.orders,
            entries=self.referee.entries,
            deaths=self.deaths,
            struck={
                kind.name: count for kind, count in sorted(self.faults.struck.items(), key=lambda it: it[0].name)
            },
            unprotected_ms=max(self.exchange.unprotected_ms(symbol) for symbol in self._settings.symbols),
            trace=self.trace.hexdigest(),
        )

    # What the network and the journal tell.
    def sent(self, request: HttpRequest, now_ms: int) -> None:
        self.referee.sent(request, now_ms)
        if request.method == "POST" and request.path.startswith(("/v5/order", "/v5/position/trading-stop")):
            self._moment()

    def arriving(self, request: HttpRequest, now_ms: int) -> None:
        self.referee.arriving(request, now_ms)

    def answered(self, request: HttpRequest, answer: HttpAnswer, now_ms: int) -> None:
        self.referee.answered(request, answer, now_ms)

    def committed(self, entries: Sequence[JournalEntry]) -> None:
        self.referee.committed(entries)
        if any(entry.kind is EntryKind.INTENT for entry in entries):
            self._moment()

    def _moment(self) -> None:
        """Something was just committed or sent: the best time to die, within the next few steps."""
        process = self._process
        if not self._crashes_left or process is None or process.dies_at is not None:
            return
        self._moments_to_crash -= 1
        if not self._moments_to_crash:
            self._crashes_left -= 1
            self._moments_to_crash = self._dice.randint(1, 6)
            process.dies_at = process.steps + self._dice.randint(1, STEPS_TO_DEATH)

    async def _program(self, transport: LoopTransport) -> None:
        """What `breakwall run` does, on this world's ports."""
        settings, clock = self._settings, self.clock
        rng = random.Random(f"program {self._seed} {self.boots}")
        inbox = Inbox(clock, settings.engine.market_queue)
        broker = BybitBroker(transport, clock, inbox, URLS, KEY, SECRET, settings.venue, settings.risk.leverage, rng)
        feed = BybitFeed(transport, clock, inbox, URLS.public, settings.venue, broker.instruments, rng)
        journal = WatchedJournal(self.journal, self)
        engine = Engine(
            settings=settings,
            mode="sim",
            run=self.boots,
            remembered=await journal.open(),
            clock=clock,
            inbox=inbox,
            feed=feed,
            broker=broker,
            journal=journal,
            recorder=self.trace,
            say=lambda note, at_ms: self.notes.append((at_ms, note)),
            venue_offset_ms=lambda: broker.venue_offset_ms,
        )
        self.engine = engine
        await engine.start()
        engine.submit(Command(CommandKind.ARM, who="sim", why="the run begins"))
        await engine.run()

    def _ended(self, program: "asyncio.Task[None]") -> None:
        """It left by itself, as it does where the venue cannot be reached: an ordinary exit, and a restart."""
        if program.cancelled() or self._process is None:
            return
        error = program.exception()
        if isinstance(error, VenueError | JournalError | GaveUp):
            self._process.kill()
        else:
            asyncio.get_running_loop().call_exception_handler({"message": "the program ended", "exception": error})

    def _mourn(self, transport: LoopTransport) -> None:
        """The operating system closes a dead program's sockets; the service manager starts it again."""
        transport.disconnect()
        self.engine = None
        self.deaths += 1
        self.network.later(REBOOT_S, self.boot)


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
