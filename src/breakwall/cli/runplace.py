"""Which folder and which exchange a demo uses: a living one left by a killed cockpit, or fresh ones."""

import asyncio
import secrets
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from breakwall.cli import child as children
from breakwall.cli.child import ChildExchange, Life
from breakwall.cli.place import Place
from breakwall.clock import SystemClock
from breakwall.places import EMBEDDED, EXCHANGE_FILE, demo_folder, demo_folders
from breakwall.ports import VenueError
from breakwall.storage.runs import AlreadyRunningError, InstanceLock, StateError, StateFolder

if TYPE_CHECKING:
    from breakwall.cli.stage import Stage
    from breakwall.logs.log import Log
    from breakwall.modes import Access, Run
    from breakwall.ports import Clock, Transport
    from breakwall.settings import Settings

LINGER_S = 60
_BEGUN_S = 1.0
_KEPT = 10
"""Run folders of earlier demos that are kept."""


class DemoPlace(Place):
    """A run folder and its exchange (`fresh`: started just now).

    The exchange goes with a run, unless something is still held there: then it waits a minute to be taken up again.
    """

    def __init__(
        self, folder: StateFolder, exchange: ChildExchange, lock: InstanceLock, words: str, *, fresh: bool
    ) -> None:
        super().__init__(folder, (lock,), words)
        self.seed = exchange.seed
        self.scenario = exchange.scenario
        self._exchange = exchange
        self._fresh = fresh
        self.lasts_s = 0.0
        self._telling: asyncio.Task[None] | None = None

    @property
    def access(self) -> "Access":
        """The way to the exchange, and the badge SIM."""
        from breakwall.modes import Access
        from breakwall.venues.bybit.endpoints import Urls

        exchange = self._exchange
        urls = Urls(exchange.http, exchange.public, exchange.private, exchange.trade)
        return Access("SIM", urls, exchange.api_key, exchange.api_secret)

    def stage(self, run: "Run", settings: "Settings", clock: "Clock", transport: "Transport") -> "Stage":
        from breakwall.cli.stage import Stage
        from breakwall.venues.exchange.crises import CRISES

        books = settings.ledger
        ledger = (books.url or self.folder.ledger) if books.enabled else None
        exchange = self._exchange
        names = {} if exchange.recording else {name: crisis.text for name, crisis in CRISES.items()}
        return Stage(transport, clock, run.engine, exchange.http, exchange.api_secret, ledger, names)

    async def begin(
        self, settings: "Settings", clock: "Clock", transport: "Transport", log: "Log", *, markets: bool = True
    ) -> "Run":
        run = await super().begin(settings, clock, transport, log, markets=markets)
        if self.lasts_s:
            self._telling = asyncio.create_task(self._tell_the_end(run, clock))
        return run

    async def _tell_the_end(self, run: "Run", clock: "Clock") -> None:
        """The recording began when the engine subscribed, a moment after it was made."""
        await clock.sleep(self.lasts_s + _BEGUN_S)
        run.engine.say("the recording has ended: what is held can be closed at its last prices, nothing is opened")

    def abandon(self) -> None:
        if self._fresh:
            self.finish()

    def finish(self) -> None:
        children.stop(self.folder.path, self._exchange)


def lock_of(key: str) -> InstanceLock:
    return InstanceLock("bybit", EMBEDDED, key)


class Market(Struct, frozen=True):
    """Which market was asked for; `seed` None: any. `faults` is the file of what goes wrong there, None: nothing.

    A `recording` is played instead of a scenario, again and again with `loop`; `notes` tell what is to know of it.
    `listed` is how many contracts the exchange lists, 0: the usual four.
    """

    scenario: str
    seed: int | None
    faults: Path | None = None
    recording: tuple[Path, ...] = ()
    loop: bool = False
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    listed: int = 0


async def find(market: Market, state: Path | None) -> DemoPlace:
    """The place to run in, with its lock; starts an exchange where none is alive.

    An exchange that is still alive without a cockpit was left by one that was killed: it is taken up again, unless
    another seed or scenario was asked for. Raises AlreadyRunningError, StateError or VenueError.
    """
    if state is not None:
        return await _in(StateFolder(state), market)
    for path in demo_folders():
        place = await _orphan(path, market)
        if place is not None:
            return place
    _forget_old()
    stamp = datetime.fromtimestamp(SystemClock().now_ms() / 1000, UTC).strftime("%Y%m%d-%H%M%S")
    return await _in(StateFolder(demo_folder() / f"{stamp}-{secrets.token_hex(2)}"), market)


async def living(state: Path | None) -> DemoPlace:
    """The run folder that is given, or the newest, whose exchange is alive, with its lock.

    Raises VenueError where there is none, AlreadyRunningError where it has a cockpit.
    """
    folders = [state] if state is not None else demo_folders()
    for path in folders:
        exchange = children.remembered(path)
        if exchange is not None and await children.alive(exchange):
            lock = lock_of(exchange.api_key)
            lock.acquire()
            return _again(StateFolder(path), exchange, lock)
    where = str(state) if state is not None else "any run folder of the demo"
    raise VenueError(f"{where}: expected an exchange that is alive, found none; `breakwall demo` starts one")


async def _in(folder: StateFolder, market: Market) -> DemoPlace:
    """The lock comes first: until we have it, the exchange of this folder is another cockpit's."""
    key = children.account(folder.path)
    lock = lock_of(key)
    lock.acquire()
    try:
        before = children.remembered(folder.path)
        if before is not None and await _is_alive(before):
            return _again(folder, before, lock)
        return await _anew(folder, key, lock, before, market)
    except BaseException:
        lock.release()
        raise


async def _is_alive(exchange: ChildExchange) -> bool:
    """Whether it answers (True) or is gone. Raises VenueError where it is there and stays silent."""
    life = await children.look(exchange)
    if life is not Life.SILENT:
        return life is Life.ANSWERS
    raise VenueError(
        f"the demo's exchange at {exchange.http} does not answer: its process {exchange.pid} hangs or is stopped; "
        f"what is held there stays. `kill -CONT {exchange.pid}` lets it go on, `kill -KILL {exchange.pid}` "
        "gives it up with all that is held there; then start again."
    )


async def _anew(
    folder: StateFolder, key: str, lock: InstanceLock, before: ChildExchange | None, market: Market
) -> DemoPlace:
    """Start an exchange for the account of this folder, and say what has become of the one `before`."""
    place = folder.path / EXCHANGE_FILE
    if before is None and place.exists():
        raise StateError(
            f"{place}: expected where the demo's exchange is and its key, found something else. "
            f"That exchange ends {LINGER_S} s after its last client; then delete the file."
        )
    known = folder.journal.exists()
    seed = secrets.randbelow(1_000_000) if market.seed is None else market.seed
    exchange = await children.start(
        folder.path,
        key,
        seed=seed,
        scenario=market.scenario,
        linger_s=LINGER_S,
        faults=market.faults,
        recording=market.recording,
        loop=market.loop,
        listed=market.listed,
    )
    words = f"embedded exchange at {exchange.http}, {market.scenario}"
    words += "" if market.recording else f", seed {seed}"
    words += f", {market.listed} contracts" if market.listed else ""
    words += f", faults of {market.faults}" if market.faults else ""
    if before is not None:
        words += f"; it begins flat: the one before (process {before.pid}) is gone with all that was held there"
    elif known:
        words += "; it begins flat: the one before ended with its run"
    found = DemoPlace(folder, exchange, lock, words, fresh=True)
    found.warnings = market.notes
    found.lasts_s = 0.0 if market.loop else market.seconds
    return found


def _again(folder: StateFolder, exchange: ChildExchange, lock: InstanceLock) -> DemoPlace:
    words = f"embedded exchange at {exchange.http} is still alive: taking up {folder.path}"
    return DemoPlace(folder, exchange, lock, words, fresh=False)


async def _orphan(path: Path, market: Market) -> DemoPlace | None:
    exchange = children.remembered(path)
    if exchange is None or market.scenario != exchange.scenario or market.seed not in {None, exchange.seed}:
        return None
    if market.faults is not None or market.recording or market.listed or exchange.recording:
        return None
    if not await children.alive(exchange):
        return None
    lock = lock_of(exchange.api_key)
    try:
        lock.acquire()
    except AlreadyRunningError:
        return None
    return _again(StateFolder(path), exchange, lock)


def _forget_old() -> None:
    """Remove the run folders of long finished demos; those of a given `--state` are never touched."""
    for path in demo_folders()[_KEPT:]:
        shutil.rmtree(path, ignore_errors=True)
