"""Where `run` trades on paper: the market of a real venue, an account that is only in its folder."""

import hashlib
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from breakwall.cli.place import Place
from breakwall.places import PAPER, PAPER_FILE, account_folder
from breakwall.settings import Settings
from breakwall.storage.runs import InstanceLock, StateError, StateFolder

if TYPE_CHECKING:
    from breakwall.logs.log import Log
    from breakwall.modes import Access, Run
    from breakwall.ports import Clock, Transport
    from breakwall.venues.bybit.endpoints import Urls


class PaperPlace(Place):
    """A paper account belongs to its folder, and needs no key: the one it has opens nothing."""

    def __init__(self, folder: StateFolder, lock: InstanceLock, words: str, urls: "Urls", key: str) -> None:
        super().__init__(folder, (lock,), words)
        self._urls = urls
        self._key, self._secret = key, secrets.token_urlsafe(24)

    @property
    def access(self) -> "Access":
        from breakwall.modes import Access

        return Access("PAPER", self._urls, self._key, self._secret, PAPER)

    async def begin(
        self, settings: Settings, clock: "Clock", transport: "Transport", log: "Log", *, markets: bool = True
    ) -> "Run":
        from breakwall import modes
        from breakwall.model.actions import Note
        from breakwall.venues.paper import paper_venue

        def trouble(reason: str) -> None:
            log.note(Note("paper", reason, level="error"), clock.now_ms())

        path, access = self.folder.path / PAPER_FILE, self.access
        keys = (access.api_key, access.api_secret)
        try:
            venue = paper_venue(settings, path, keys, self._urls.public, clock, transport, trouble)
        except ValueError as error:
            raise StateError(str(error)) from error
        except OSError as error:
            raise StateError(
                f"{path}: the paper account cannot be kept there ({error.strerror or error}). "
                "Make room on its disk, or give another folder with --state."
            ) from error
        return await modes.on_bybit(
            settings, self.folder, self.lock, access, clock, venue, log, markets=markets, paper=venue
        )


async def find(settings: Settings, state: Path | None) -> PaperPlace:
    """The paper account of this folder, or of the venue's environment, with its lock. Raises VenueError for addresses
    that do not fit each other, AlreadyRunningError or StateError.
    """
    from breakwall.venues.bybit.hosts import checked

    urls = checked(settings.venue)
    folder = StateFolder(state or account_folder("bybit", PAPER, settings.venue.environment))
    key = f"paper-{hashlib.sha256(os.fsencode(folder.path.resolve())).hexdigest()[:16]}"
    lock = InstanceLock("bybit", PAPER, key)
    lock.acquire()
    kept = "goes on" if (folder.path / PAPER_FILE).exists() else f"begins with {settings.paper.balance_usdt} USDT"
    words = f"paper account in {folder.path} {kept}; the market is that of {urls.rest}"
    return PaperPlace(folder, lock, words, urls, key)
