"""Which folder and which exchange a demo uses: a living one left by a killed cockpit, or fresh ones."""

import secrets
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from breakwall.cli import child as children
from breakwall.cli.child import ChildExchange
from breakwall.clock import SystemClock
from breakwall.storage.runs import AlreadyRunningError, InstanceLock, StateFolder, user_folder

if TYPE_CHECKING:
    from breakwall.modes import Access

LINGER_S = 60
_KEPT = 10
"""Run folders of earlier demos that are kept."""


class RunPlace:
    """A run folder, its exchange (`fresh`: started just now) and the lock on its account, to be used as a context."""

    def __init__(self, folder: StateFolder, exchange: ChildExchange, words: str, *, fresh: bool) -> None:
        self.folder = folder
        self.exchange = exchange
        self.words = words
        self.fresh = fresh
        self.lock = lock_of(exchange)

    @property
    def access(self) -> "Access":
        """The way to the exchange, and the badge SIM."""
        from breakwall.modes import Access
        from breakwall.venues.bybit.endpoints import Urls

        urls = Urls(self.exchange.http, self.exchange.public, self.exchange.private)
        return Access("SIM", urls, self.exchange.api_key, self.exchange.api_secret)

    def stop_exchange(self) -> None:
        children.stop(self.folder.path, self.exchange)


def lock_of(exchange: ChildExchange) -> InstanceLock:
    return InstanceLock("bybit", "embedded", exchange.api_key)


class Market(Struct, frozen=True):
    """Which market was asked for; `seed` None: any."""

    scenario: str
    seed: int | None


async def find(market: Market, state: Path | None) -> RunPlace:
    """The place to run in; starts an exchange where none is alive. Raises StateError or VenueError.

    An exchange that is still alive without a cockpit was left by one that was killed: it is taken up
    again, unless another seed or scenario was asked for.
    """
    base = user_folder() / "demo"
    if state is not None:
        return await _in(StateFolder(state), market)
    for path in _newest_first(base):
        exchange = await _orphan(path, market)
        if exchange is not None:
            return _again(StateFolder(path), exchange)
    _forget_old(base)
    stamp = datetime.fromtimestamp(SystemClock().now_ms() / 1000, UTC).strftime("%Y%m%d-%H%M%S")
    return await _in(StateFolder(base / f"{stamp}-{secrets.token_hex(2)}"), market)


async def _in(folder: StateFolder, market: Market) -> RunPlace:
    exchange = children.remembered(folder.path)
    if exchange is not None and await children.alive(exchange):
        return _again(folder, exchange)
    seed = secrets.randbelow(1_000_000) if market.seed is None else market.seed
    exchange = await children.start(folder.path, seed=seed, scenario=market.scenario, linger_s=LINGER_S)
    words = f"embedded exchange at {exchange.http}, {market.scenario}, seed {seed}"
    return RunPlace(folder, exchange, words, fresh=True)


def _again(folder: StateFolder, exchange: ChildExchange) -> RunPlace:
    words = f"embedded exchange at {exchange.http} is still alive: taking up {folder.path}"
    return RunPlace(folder, exchange, words, fresh=False)


async def _orphan(path: Path, market: Market) -> ChildExchange | None:
    exchange = children.remembered(path)
    if exchange is None or market.scenario != exchange.scenario or market.seed not in {None, exchange.seed}:
        return None
    if not await children.alive(exchange):
        return None
    try:
        with lock_of(exchange):
            return exchange
    except AlreadyRunningError:
        return None


def _newest_first(base: Path) -> list[Path]:
    return sorted((path for path in base.glob("*") if path.is_dir()), reverse=True) if base.is_dir() else []


def _forget_old(base: Path) -> None:
    """Remove the run folders of long finished demos; those of a given `--state` are never touched."""
    for path in _newest_first(base)[_KEPT:]:
        shutil.rmtree(path, ignore_errors=True)
