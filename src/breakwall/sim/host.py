"""The simulated host: starts the program, stops it, kills it, and keeps what a real host would keep.

The program is the one that trades: the Bybit adapter, the engine, the core. Only its clock, its
transport and its journal's thread are replaced. What was committed stays when it dies.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence

from breakwall.engine.loop import Engine, Say
from breakwall.engine.supervise import GaveUp
from breakwall.model.journal import EntryKind, JournalEntry
from breakwall.modes import Access, bybit_engine
from breakwall.points import Point, Stumbled
from breakwall.ports import JournalError, Recorder, VenueError
from breakwall.settings import Settings
from breakwall.sim.clock import HostClock
from breakwall.sim.disk import MortalLedger, SlowJournal
from breakwall.sim.loop import Process, VirtualLoop, current_process
from breakwall.sim.network import Network
from breakwall.sim.transport import LoopTransport
from breakwall.storage.journal import InlineJournal
from breakwall.storage.ledger.inline import InlineLedger
from breakwall.venues.exchange.faults import FOR_EVER_S, Fault, FaultKind, Faults

REBOOT_S = 0.5
SOME_STEPS = 60


class Host:
    """One machine with one program on it, which a service manager starts again whenever it ends.

    `engine` is the living program's, None while none is up. `reached` counts visits of the crash points, `killed_at`
    the deaths there, `stumbled` the places where the program was held up or made to fail.
    """

    def __init__(
        self,
        loop: VirtualLoop,
        settings: Settings,
        access: Access,
        network: Network,
        faults: Faults,
        dice: random.Random,
        *,
        epoch_ms: int,
        recorder: Recorder,
        say: Say,
        committed: Callable[[Sequence[JournalEntry]], None],
        booted: Callable[[], None],
        died: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._settings = settings
        self._access = access
        self._network = network
        self._faults = faults
        self._dice = dice
        self._recorder = recorder
        self._say = say
        self._committed = committed
        self._booted = booted
        self._died = died
        self._process: Process | None = None
        self._booked: list[Fault] = []  # deaths that wait for their moment
        self._visits: Counter[Fault] = Counter()
        self.clock = HostClock(epoch_ms, loop)
        self.journal = InlineJournal()
        self.books = InlineLedger()
        self._ledger = MortalLedger(self.books, self.journal, faults)
        self.engine: Engine | None = None
        self.boots = self.deaths = 0
        self.reached: Counter[str] = Counter()
        self.killed_at: Counter[str] = Counter()
        self.stumbled: Counter[str] = Counter()

    @property
    def up(self) -> bool:
        """Whether the program lives and is not standing still."""
        process = self._process
        return process is not None and process.alive and not process.suspended

    def boot(self) -> None:
        """Start the program, as a service manager would."""
        self.boots += 1
        self._faults.hinder(self._loop.time())
        transport = LoopTransport(self._network)
        self._process = Process(f"cockpit-{self.boots}", lambda: self._mourn(transport))
        self.clock.start()
        self._process.start(self._program(transport)).add_done_callback(self._ended)
        self._booted()

    def suffer(self, fault: Fault) -> None:
        """An act upon the program or its clock."""
        if fault.kind in {FaultKind.KILLED_BUSY, FaultKind.KILLED_AT}:
            self._booked.append(fault)
            return
        self._faults.happened(fault.kind, self._loop.time())
        if fault.kind is FaultKind.KILLED:
            self.kill_soon(fault.nth)
        elif fault.kind is FaultKind.STANDS_STILL:
            self._suspend(fault.delay_s, counted=True)
        elif fault.kind is FaultKind.HOST_SLEEPS:
            self._suspend(fault.delay_s, counted=False)
        elif fault.kind is FaultKind.CLOCK_SKEWED:
            self.clock.skew(fault.delay_s)
        else:
            self.clock.jump(fault.delay_s)

    def heal(self) -> None:
        """No more deaths; whoever stands still for good is killed, and started again."""
        self._booked = []
        self.clock.skew(0)
        self._ledger.heal()
        if self._process is not None and self._process.suspended:
            self._process.kill()

    def busy(self) -> None:
        """Something was just committed or sent: a good time to die."""
        for fault in self._booked:
            if fault.kind is FaultKind.KILLED_BUSY and self._is_due(fault):
                self._faults.happened(fault.kind, self._loop.time())
                self.kill_soon(self._dice.randint(1, SOME_STEPS))
                return

    def visit(self, point: Point) -> None:
        """The program is at a crash point."""
        process = current_process()
        if process is None or not process.alive:
            return
        self.reached[point.value] += 1
        for fault in self._booked:
            if fault.kind is FaultKind.KILLED_AT and fault.match == point.value and self._is_due(fault):
                self._faults.happened(fault.kind, self._loop.time())
                self.killed_at[point.value] += 1
                process.die_here()

    def lose_s(self, place: str) -> float:
        """By how many seconds the program is held up at a place; 0 nearly always."""
        fault = self._faults.strike(FaultKind.LINGER, self._loop.time(), subject=place)
        if fault is None:
            return 0.0
        self.stumbled[place] += 1
        return fault.delay_s

    def fails(self, place: str) -> bool:
        """Whether the program is made to fail at a place."""
        failed = self._faults.strike(FaultKind.STUMBLE, self._loop.time(), subject=place) is not None
        if failed:
            self.stumbled[place] += 1
        return failed

    def kill_soon(self, steps: int) -> None:
        """Kill it between two of its next steps; at once with 0, or where it stands still."""
        process = self._process
        if process is None:
            return
        if steps and not process.suspended:
            process.dies_at = process.steps + steps
        else:
            process.kill()

    def _is_due(self, fault: Fault) -> bool:
        """Count towards the moment it waits for; it comes once."""
        self._visits[fault] += 1
        due = self._visits[fault] == fault.nth
        if due:
            self._booked = [other for other in self._booked if other is not fault]
        return due

    def _suspend(self, seconds: float, *, counted: bool) -> None:
        process = self._process
        if process is None or not process.alive or process.suspended:
            return
        process.suspended = True
        if seconds < FOR_EVER_S:
            self._network.later(seconds, lambda: self._wake(process, 0 if counted else seconds))

    def _wake(self, process: Process, slept_s: float) -> None:
        if process.alive:
            self._faults.hinder(self._loop.time())
            self.clock.jump(-slept_s)
            self._loop.resume(process)

    async def _program(self, transport: LoopTransport) -> None:
        """What a real start does, on this world's ports."""
        journal = SlowJournal(self.journal, self._faults, self._dice, self._on_commit)
        remembered = await journal.open()
        self._ledger.start()
        self.engine = bybit_engine(
            settings=self._settings,
            access=self._access,
            run=self.boots,
            remembered=remembered,
            clock=self.clock,
            transport=transport,
            journal=journal,
            recorder=self._recorder,
            say=self._say,
            ledger=self._ledger,
        )
        await self.engine.start()
        await self.engine.run()

    def _on_commit(self, entries: Sequence[JournalEntry]) -> None:
        self._committed(entries)
        if any(entry.kind is EntryKind.INTENT for entry in entries):
            self.busy()

    def _ended(self, program: "asyncio.Task[None]") -> None:
        """It left by itself: in bad weather a start may be in vain, and a task may fail too often; else a bug."""
        process = self._process
        if program.cancelled() or process is None or not process.alive:
            return
        error = program.exception()
        tripped = isinstance(error, GaveUp | Stumbled) and self.stumbled
        excused = tripped or isinstance(error, VenueError | JournalError)
        if excused and self._faults.struck:
            process.kill()
        else:
            self._loop.call_exception_handler({"message": "the program ended", "exception": error})

    def _mourn(self, transport: LoopTransport) -> None:
        """The operating system closes a dead program's files and sockets; the service manager starts it again."""
        assert self._process is not None
        self._loop.resume(self._process)  # what waits for a suspended one is put where the callbacks of the dead are
        self.deaths += 1
        self.engine = None
        transport.disconnect()
        self.journal.abandon()
        self._died()
        self._network.later(REBOOT_S, self.boot)
