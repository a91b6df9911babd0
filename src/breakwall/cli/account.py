"""Where `run` trades: an account of Bybit, or of an exchange on this machine that stands in for it."""

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from breakwall import keys as key_places
from breakwall.cli.place import Place
from breakwall.keys import Keys
from breakwall.places import EMBEDDED, account_folder, state_folder
from breakwall.ports import VenueError
from breakwall.settings import Settings
from breakwall.storage.runs import InstanceLock, StateFolder

if TYPE_CHECKING:
    from breakwall.doctor.examination import Examination
    from breakwall.modes import Access
    from breakwall.venues.bybit.endpoints import Urls

BADGES = {"mainnet": "BYBIT LIVE", "testnet": "BYBIT TESTNET", "demo": "BYBIT DEMO", EMBEDDED: "SIM"}
SAFE = "an account always starts SAFE"
"""Why a run on an account does."""
_TOLD_ANYWAY = {"key"}
"""What a start says by itself."""


class Where(Struct, frozen=True):
    """One account as the settings and the command line name it; the exchange was not asked yet."""

    urls: "Urls"
    keys: Keys
    environment: str

    def __repr__(self) -> str:
        return f"Where({self.environment!r})"


class AccountPlace(Place):
    """The folder and the locks of one account; SAFE at each start."""

    safe = SAFE

    def __init__(
        self,
        folder: StateFolder,
        locks: tuple[InstanceLock, ...],
        words: str,
        where: Where,
        warnings: tuple[str, ...] = (),
    ) -> None:
        super().__init__(folder, locks, words)
        self.warnings = warnings
        self._where = where

    @property
    def access(self) -> "Access":
        from breakwall.modes import Access

        found = self._where
        key, secret = found.keys.key.reveal(), found.keys.secret.reveal()
        return Access(BADGES[found.environment], found.urls, key, secret, found.environment)


def where(settings: Settings, env_file: Path | None) -> Where:
    """The account that the settings and the keys name. Raises VenueError or KeysError; nothing is asked or sent."""
    from breakwall.venues.bybit.hosts import checked

    urls = checked(settings.venue)
    return Where(urls, keys_for(settings, urls, env_file), environment_of(settings))


def keys_for(settings: Settings, urls: "Urls", env_file: Path | None) -> Keys:
    """The keys for these addresses. Raises KeysError."""
    key_file = Path(settings.venue.key_file).expanduser() if settings.venue.key_file else None
    return key_places.find(env_file=env_file, key_file=key_file, names=key_places.names_for(urls.rest))


def environment_of(settings: Settings) -> str:
    """See `keys.environment_of`."""
    return key_places.environment_of(settings.mode, settings.venue.environment, settings.venue.rest_url)


async def find(settings: Settings, state: Path | None, env_file: Path | None, *, strict: bool) -> AccountPlace:
    """The account's place with its locks: by venue, environment and key, then by the account's number.

    The exchange is asked whose key it is; `strict`: the doctor looks at everything, and what it does not find in
    order ends the start. Raises KeysError, VenueError, AlreadyRunningError or StateError.
    """
    found = where(settings, env_file)
    key_lock = InstanceLock("bybit", found.environment, found.keys.key.reveal())
    key_lock.acquire()
    try:
        seen = await _examined(settings, found, strict=strict)
        account_lock = InstanceLock("bybit", found.environment, seen.account)
        account_lock.acquire()
        try:
            folder = StateFolder(state or account_folder("bybit", found.environment, seen.account))
            words = f"account {seen.account} of {_told(settings, found)}; key from {found.keys.source}; {folder.path}"
            warnings = tuple(finding.words for finding in seen.warnings if finding.point not in _TOLD_ANYWAY)
            return AccountPlace(folder, (key_lock, account_lock), words, found, warnings)
        except BaseException:
            account_lock.release()
            raise
    except BaseException:
        key_lock.release()
        raise


async def _examined(settings: Settings, found: Where, *, strict: bool) -> "Examination":
    """Raises VenueError with everything that forbids trading on this account."""
    from breakwall.clock import SystemClock
    from breakwall.doctor import examination
    from breakwall.venues.transport import AiohttpTransport

    clock = SystemClock()
    if not strict:
        seen = await examination.of_key(settings, found.urls, found.keys, clock)
    else:
        transport = AiohttpTransport()
        try:
            seen = await examination.of_venue(settings, found.urls, found.keys, "", clock, transport)
        finally:
            await transport.close()
        here = await asyncio.to_thread(examination.of_machine, settings, os.environ, state_folder())
        seen = structs.replace(seen, findings=(*here, *seen.findings))
    faults = seen.faults(strict=strict)
    if faults:
        lines = "\n".join(f"  {fault.words}" for fault in faults)
        why = "the exchange is not reached" if not seen.reached else "nothing is traded"
        raise VenueError(f"doctor: {why}:\n{lines}", code=6 if seen.reached else 3)
    return seen


def _told(settings: Settings, found: Where) -> str:
    if found.environment == EMBEDDED:
        return f"an exchange on this machine ({found.urls.rest}), in the place of Bybit {settings.venue.environment}"
    return f"Bybit {found.environment} ({found.urls.rest})"
