"""The only wiring place: which clock, transport, feed, broker and journal an engine gets."""

import asyncio
import random
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from breakwall.bans import Ban
from breakwall.engine.inbox import Inbox
from breakwall.engine.loop import Engine, Say
from breakwall.headless import Receipt
from breakwall.model.actions import Note
from breakwall.model.journal import JournalEntry
from breakwall.places import EMBEDDED, ban_file
from breakwall.ports import Clock, Feed, Journal, Ledger, Recorder, Transport
from breakwall.settings import Settings
from breakwall.storage.journal import InlineJournal, SqliteJournal
from breakwall.storage.ledger.at_start import with_coins
from breakwall.storage.ledger.writer import ThreadLedger
from breakwall.storage.recording import DigestRecorder, Recording
from breakwall.storage.runs import InstanceLock, StateFolder
from breakwall.storage.tap import TappedTransport
from breakwall.venues.bybit.broker import BybitBroker
from breakwall.venues.bybit.endpoints import Urls
from breakwall.venues.bybit.feed import BybitFeed

if TYPE_CHECKING:
    from breakwall.logs.log import Log
    from breakwall.venues.paper import PaperVenue


class Access(Struct, frozen=True):
    """Where a venue is and the key to it; `badge` is what the trader sees of it.

    `environment` is whose books these are: a journal of another one is refused.
    """

    badge: str
    urls: Urls
    api_key: str
    api_secret: str
    environment: str = EMBEDDED

    def __repr__(self) -> str:
        return f"Access({self.badge!r}, {self.urls!r}, ***)"


class Run:
    """One run on one account: its engine, recording and journal, from the lock to the last line written."""

    def __init__(
        self, engine: Engine, recording: Recording | DigestRecorder, journal: SqliteJournal | InlineJournal
    ) -> None:
        self.engine = engine
        self.recording = recording
        self.journal = journal


class NoMarkets:
    """`ports.Feed` of nothing."""

    async def run(self) -> None:
        await asyncio.Event().wait()

    def subscribe(self, symbols: Mapping[str, int]) -> None:
        """Nothing is heard of them."""

    def resubscribe(self, symbol: str, depth: int = 0) -> None:
        """Nothing is heard of it."""


def bybit_engine(
    *,
    settings: Settings,
    access: Access,
    run: int,
    remembered: tuple[JournalEntry, ...],
    clock: Clock,
    transport: Transport,
    journal: Journal,
    recorder: Recorder,
    say: Say,
    ledger: Ledger | None = None,
    log_trouble: Callable[[], str] = str,
    markets: bool = True,
    ban: Ban | None = None,
    paper: "PaperVenue | None" = None,
) -> Engine:
    """An engine on a Bybit v5 venue, real or embedded, over whatever transport and clock it is given.

    The simulation uses it too: nothing here knows the time or the network. Without `markets` it sees the account
    only, and so can open nothing. A `paper` venue hears the market that the engine hears.
    """
    inbox = Inbox(clock, settings.engine.market_queue)
    jitter = random.Random(run)  # noqa: S311 - spreads reconnects, guards nothing
    venue, keys = settings.venue, (access.api_key, access.api_secret)
    broker = BybitBroker(transport, clock, inbox, access.urls, *keys, venue, settings.risk.leverage, jitter)
    if ban is not None:
        broker.honour_ban(ban.until_ms(clock.now_ms()), ban.tell)
    public, rules, doubt = access.urls.public, broker.instruments, broker.doubt_rules
    sink = inbox if paper is None else paper.heard(inbox)
    feed: Feed = NoMarkets()
    if markets:
        feed = streams = BybitFeed(transport, clock, sink, public, venue, rules, jitter, doubt)
        broker.on_return(streams.hurry)
    return Engine(
        settings=settings,
        mode=access.badge,
        run=run,
        remembered=remembered,
        clock=clock,
        inbox=inbox,
        feed=feed if paper is None else paper.feed(feed),
        broker=broker,
        journal=journal,
        recorder=recorder,
        say=say,
        venue_offset_ms=lambda: broker.venue_offset_ms,
        reset_api=broker.reset_api,
        scanner=broker.scanner(settings.screener.refresh_s) if settings.screener.enabled and markets else None,
        ledger=ledger,
        log_trouble=log_trouble,
        limits=broker.limits,
    )


async def on_bybit(
    settings: Settings,
    place: StateFolder,
    lock: InstanceLock,
    access: Access,
    clock: Clock,
    transport: Transport,
    log: "Log",
    *,
    markets: bool = True,
    paper: "PaperVenue | None" = None,
) -> Run:
    """A run of the Bybit adapter on Bybit or on the embedded exchange, with journal and recording in `place`.

    Without `markets` it only looks after the account; on `paper` the account is in this process. The lock must be
    held. Raises JournalError or OSError before anything else happens.
    """
    journal = SqliteJournal(place.journal, {"venue": "bybit", "environment": access.environment})
    remembered = await journal.open()
    run = lock.claim_run(max((entry.run for entry in remembered if entry.sound), default=0), clock.now_ms())
    books_at = settings.ledger.url or place.ledger
    settings, note = await asyncio.to_thread(with_coins, settings, books_at)
    if note is not None:
        log.note(note, clock.now_ms())

    def on_stop(reason: str) -> None:
        log.note(Note("recording", reason, level="error"), clock.now_ms())

    recording = Recording(
        place.recording(run), clock, run=run, settings=settings.model_dump_json(by_alias=True), on_stop=on_stop
    )
    await recording.open()
    books = settings.ledger
    ledger = ThreadLedger(books_at, place.journal, clock, books, log.note) if books.enabled else None
    engine = bybit_engine(
        settings=settings,
        access=access,
        run=run,
        remembered=remembered,
        clock=clock,
        transport=TappedTransport(transport, recording),
        journal=journal,
        recorder=recording,
        say=log.note,
        ledger=ledger,
        log_trouble=lambda: log.trouble,
        markets=markets,
        ban=Ban(ban_file(access.urls.rest)),
        paper=paper,
    )
    return Run(engine, recording, journal)


def receipt(
    run: Run,
    *,
    seed: int | None = None,
    scenario: str = "",
    seconds: float,
    began_ms: int,
    rss_mb: float,
    terminal_bytes: int,
    exit_reason: str,
) -> Receipt:
    """What the run did, from its last view."""
    engine = run.engine
    view, core = engine.view(), engine.core
    sums = structs.asdict(view.counters)
    sums |= {"opened_by": dict(view.counters.opened_by), "closed_by": dict(view.counters.closed_by)}
    return Receipt(
        **sums,
        mode=engine.mode,
        venue="bybit",
        seed=seed,
        scenario=scenario,
        symbols=engine.settings.symbols,
        seconds=round(seconds, 3),
        positions_open=len(view.positions),
        loop_delay_p99_ms=round(view.loop_delay_p99_ms, 2),
        loop_delay_max_ms=round(engine.loop_delays.max_ms, 2),
        event_latency_p99_ms=round(view.event_latency_p99_ms, 2),
        first_book_s=_since(began_ms, core.first_book_ms),
        recovered_s=_since(began_ms, core.recovered_ms),
        rss_mb=round(rss_mb, 1),
        terminal_bytes=terminal_bytes,
        actions_digest=run.recording.digest.text,
        recording=str(run.recording.path),
        exit_reason=exit_reason,
    )


def _since(began_ms: int, at_ms: int | None) -> float | None:
    return None if at_ms is None else round((at_ms - began_ms) / 1000, 3)
