"""The engine: connects inbox, core, journal, executor and recorder, and keeps their tasks alive."""

import asyncio
from collections.abc import Callable, Sequence

import msgspec
from msgspec import structs

from breakwall import points
from breakwall.engine import landmarks
from breakwall.engine.core import Core
from breakwall.engine.delays import Delays, watch_loop_delay
from breakwall.engine.executor import Executor
from breakwall.engine.inbox import Inbox, Item
from breakwall.engine.logbook import Logbook
from breakwall.engine.scribe import Scribe
from breakwall.engine.supervise import Supervisor, raised_at
from breakwall.engine.turnstile import Turnstile
from breakwall.model.actions import (
    Action,
    Admit,
    Approved,
    AskReadBack,
    Follow,
    Keep,
    Note,
    QueryOrder,
    ResetApi,
    Resubscribe,
    WriteCheckpoint,
)
from breakwall.model.api import ApiGroup
from breakwall.model.events import (
    MARKET_EVENTS,
    Account,
    Command,
    CommandKind,
    Event,
    Fills,
    Instruments,
    IntentSent,
    OrderAnswer,
    OrderReports,
    Outcome,
    PositionReports,
    ReadBack,
    Recovered,
    SettingsChanged,
    Tick,
    WalletReport,
)
from breakwall.model.journal import EntryKind, JournalEntry
from breakwall.model.listings import Admitted
from breakwall.model.view import DensityView, LimitView, SymbolView, View
from breakwall.ports import Broker, Clock, Feed, Journal, Ledger, Recorder, Scanner, VenueError
from breakwall.settings import Settings
from breakwall.trading.reconcile.restore import END, START, account_of, unfinished

Say = Callable[[Note, int], None]
"""Where log lines go: the note and the engine time."""

_JOURNALED = (
    Account,
    Admitted,
    Command,
    Fills,
    Instruments,
    IntentSent,
    OrderAnswer,
    OrderReports,
    Outcome,
    PositionReports,
    SettingsChanged,
    WalletReport,
)
_encode = msgspec.json.Encoder().encode


class Engine:
    """One engine for every mode; what differs is handed in.

    `start` recovers and begins to trade, `run` lasts until the engine is stopped or a critical task
    gives up (raises GaveUp), `close` ends everything in order.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        mode: str,
        run: int,
        remembered: tuple[JournalEntry, ...],
        clock: Clock,
        inbox: Inbox,
        feed: Feed,
        broker: Broker,
        journal: Journal,
        recorder: Recorder,
        say: Say,
        venue_offset_ms: Callable[[], float],
        reset_api: Callable[[ApiGroup], None],
        scanner: Scanner | None = None,
        ledger: Ledger | None = None,
        log_trouble: Callable[[], str] = str,
        limits: Callable[[], tuple[LimitView, ...]] = tuple,
    ) -> None:
        self.settings = settings
        self.mode = mode
        self.run_number = run
        self.core = Core(run)
        self.clock = clock
        self._inbox = inbox
        self._feed = feed
        self._broker = broker
        self._scanner = scanner
        self._journal = journal
        self._recorder = recorder
        self._ledger = ledger
        self._log_trouble = log_trouble
        self._limits = limits
        self._print = say
        self._log = Logbook()
        self._venue_offset_ms = venue_offset_ms
        self._reset_api = reset_api
        self._scribe = Scribe(journal, clock, inbox, settings.breaker.slow_commit_ms, ledger)
        self._turnstile = Turnstile(inbox)
        self._executor = Executor(
            broker, clock, inbox, self.core.gate, self._turnstile, settings.engine.commit_wait_ms
        )
        self._supervisor = Supervisor(clock, self._on_failure)
        self._remembered = remembered
        self._left = False
        self.loop_delays = Delays()
        self.event_delays = Delays()

    async def start(self) -> None:
        """Check the account, hand it to the core with what the journal remembers, then open the streams.

        Symbols that may still be held are followed and protected although they are no longer traded.

        Raises VenueError before anything was sent.
        """
        held = unfinished(self._remembered)
        account, instruments = await self._broker.prepare(self.settings.symbols, held)
        self._check_account(account)
        settings = self.settings.model_dump_json(by_alias=True)
        for event in (SettingsChanged(settings, self.run_number), account, instruments, Recovered(self._remembered)):
            self._inbox.put(event)
        self._remembered = ()
        symbols = [instrument.symbol for instrument in instruments.instruments]
        self._feed.subscribe(dict.fromkeys(symbols, self.settings.venue.first_depth))
        await self._write(START, f"run {self.run_number} begins")
        engine = self.settings.engine
        keep = self._supervisor.keep
        keep("journal", self._scribe.run)
        keep("core", self._drain)
        keep("feed", self._feed.run)
        keep("private stream", self._broker.run)
        if self._scanner is not None:
            keep("scanner", self._scanner.run)
        keep("tick", lambda: self._tick(engine.tick_ms / 1000))
        keep("loop delay", lambda: watch_loop_delay(self.clock, self.loop_delays))
        keep("percentiles", self._rank)

    async def run(self) -> None:
        """Wait until a critical task gives up; cancelled by whoever ends the run."""
        await asyncio.shield(self._supervisor.failed)

    def submit(self, command: Event) -> None:
        self._inbox.put(command)

    def view(self, symbol: str = "") -> View:
        """The state now, with the depth and walls of `symbol`; without one the walls of all and no depth."""
        return self._view(symbol)

    def account(self) -> View:
        """The state now without the markets: who looks often must not pay for hundreds of them."""
        return self._view(None)

    def _view(self, symbol: str | None) -> View:
        loop_ms, event_ms = self.loop_delays.p99_ms, self.event_delays.p99_ms
        seen = self.core.view(self.clock.now_ms(), self.mode, symbol, loop_ms, event_ms, self._log.lines)
        ledger, log = self._ledger.trouble if self._ledger else "", self._log_trouble()
        return structs.replace(seen, ledger_trouble=ledger, log_trouble=log, limits=self._limits())

    def market(self, symbol: str) -> SymbolView | None:
        """One market with its depth, without the rest of the view; None where it is not followed."""
        return self.core.market(symbol, self.clock.now_ms())

    def density(self) -> tuple[DensityView, ...]:
        """The largest walls of every market, for a map of all of them."""
        return self.core.density(self.clock.now_ms())

    def say(self, text: str, level: str = "info") -> None:
        """A line of the process (not of the core) for the log and the screen."""
        self._tell(Note("process", text, level), self.clock.now_ms())

    async def leave(self, *, flatten: bool, patience_s: float, why: str = "leaving") -> bool:
        """End trading in order: no entries, resting entries cancelled, positions closed if asked.

        Returns whether the venue, read back, shows what was asked (no entries; flat if `flatten`).
        """
        self.submit(Command(CommandKind.STOP, who="process", why=why))
        if flatten:
            self.submit(Command(CommandKind.FLATTEN, who="process", why=why))
        self._left = True
        deadline = self.clock.now_ms() + int(patience_s * 1000)
        while self.clock.now_ms() < deadline:
            await self.clock.sleep(0.05)
            if self.core.settled(flat=flatten):
                return True
        return self.core.settled(flat=flatten)

    async def close(self) -> None:
        in_order = self._left and not self._supervisor.failed.done()
        await self._supervisor.stop()
        await self._executor.stop()
        if in_order:
            await self._write(END, f"run {self.run_number} ended in order")
        await self._scribe.finish()
        await self._recorder.close()
        if self._ledger is not None:
            await self._ledger.close()
        await self._journal.close()

    def _check_account(self, account: Account) -> None:
        """The journal speaks of one account: with another one's key everything in it would be wrong."""
        known = account_of(self._remembered)
        if known and known != account.account_id:
            raise VenueError(
                f"journal: belongs to account {known}, the key to account {account.account_id}. "
                "Give each account its own folder with --state.",
                code=6,
            )

    async def _write(self, kind: str, text: str) -> None:
        """A note of the process itself, on the disk before anything else happens; a failing journal is told."""
        body = _encode(Note(kind, text, durable=True)).decode()
        self._scribe.store([JournalEntry(self.run_number, 0, self.clock.now_ms(), EntryKind.NOTE, body)])
        await self._scribe.finish()

    async def _tick(self, every_s: float) -> None:
        while True:
            await self.clock.sleep(every_s)
            points.stumble("engine: tick")
            await points.linger("engine: tick", self.clock.sleep)
            self._inbox.put(Tick(self._venue_offset_ms()))

    async def _rank(self) -> None:
        while True:
            await self.clock.sleep(1)
            self.loop_delays.rank()
            self.event_delays.rank()

    async def _drain(self) -> None:
        most, span_ns = self.settings.engine.drain_events, int(self.settings.engine.drain_ms * 1e6)
        while True:
            await self._inbox.wait()
            points.stumble("engine: before a turn of the core")
            await points.linger("engine: before a turn of the core", self.clock.sleep)
            until = self.clock.now_ns() + span_ns
            for _ in range(most):
                item = self._inbox.take()
                if item is None:
                    break
                if self._process(item) >= until:
                    break
            if len(self._inbox):
                await asyncio.sleep(0)

    def _process(self, item: Item) -> int:
        """Let the core decide on it, and do what it says; returns when that was done (ns)."""
        stamped = item.stamped
        self._recorder.event(stamped.seq, stamped.at_ms, stamped.event, item.frame)
        public = isinstance(stamped.event, MARKET_EVENTS)
        if not public:
            landmarks.heard(stamped.event)
        try:
            actions = self.core.on_event(stamped)
        except Exception:
            self._act(item, self.core.rescued())
            raise
        if actions or not public:  # of most market data nothing follows, and the journal keeps none of it
            self._act(item, actions)
        done_ns = self.clock.now_ns()
        self.event_delays.add((done_ns - item.came_ns) / 1e6)
        return done_ns

    def _act(self, item: Item, actions: Sequence[Action]) -> None:
        """Record and journal what the event and its actions are, then carry them out."""
        stamped = item.stamped
        if actions:
            self._recorder.actions(stamped.seq, actions)
        landmarks.decided(stamped.event, actions)
        entries = self._entries(item, actions)
        stored = self._scribe.store(entries) if entries else None
        for action in actions:
            self._carry_out(action, stamped.at_ms, stored)

    def _carry_out(self, action: Action, at_ms: int, stored: asyncio.Future[None] | None) -> None:
        if isinstance(action, Approved):
            assert stored is not None, "an approved intent is always an entry of the journal"
            self._executor.send(action, stored)
        elif isinstance(action, Note):
            self._tell(action, at_ms)
        elif isinstance(action, Keep):
            if self._ledger is not None:
                self._ledger.keep(action.fact)
        elif isinstance(action, QueryOrder):
            self._executor.query(action)
        elif isinstance(action, AskReadBack):
            self._executor.read_back(action, self.core.fills_since_ms)
        elif isinstance(action, Resubscribe):
            self._feed.resubscribe(action.symbol, action.depth)
        elif isinstance(action, Follow):
            self._feed.subscribe(dict(action.depths))
        elif isinstance(action, Admit):
            if self._scanner is not None:
                self._scanner.admit(action.symbols)
        elif isinstance(action, ResetApi):
            self._reset_api(action.group)

    def _entries(self, item: Item, actions: Sequence[Action]) -> list[JournalEntry]:
        seq, at_ms, event = item.stamped.seq, item.stamped.at_ms, item.stamped.event
        run = self.run_number
        entries: list[JournalEntry] = []
        if isinstance(event, _JOURNALED) or (isinstance(event, ReadBack) and actions):
            entries.append(JournalEntry(run, seq, at_ms, EntryKind.EVENT, _encode(event).decode()))
        for action in actions:
            if isinstance(action, Approved):
                intent = action.intent
                self._turnstile.expect(intent)
                body = _encode(intent).decode()
                entries.append(
                    JournalEntry(
                        run, seq, at_ms, EntryKind.INTENT, body, intent.symbol, intent.client_id, intent.trace
                    )
                )
            elif isinstance(action, WriteCheckpoint):
                entries.append(JournalEntry(run, seq, at_ms, EntryKind.CHECKPOINT, action.body))
            elif isinstance(action, Note) and action.durable:
                body = _encode(action).decode()
                entries.append(
                    JournalEntry(run, seq, at_ms, EntryKind.NOTE, body, action.symbol, action.client_id, action.trace)
                )
        return entries

    def _tell(self, note: Note, at_ms: int) -> None:
        self._log.add(note, at_ms)
        self._print(note, at_ms)

    def _on_failure(self, name: str, error: BaseException) -> None:
        text = f"{name} failed: {error!r}; started again"
        note = Note("task-failed", text, level="error", data={"raised": raised_at(error)})
        self._tell(note, self.clock.now_ms())
        if name == "core" and self.core.recovered_ms is None:
            self._supervisor.give_up(f"the start failed: {error!r}")
        elif name == "core":
            self._inbox.put(Command(CommandKind.HALT, who="supervisor", why=f"{name} failed: {error!r}"))
