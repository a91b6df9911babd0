"""Where a command trades: the folder of an account, the way to its venue, and the lock on it."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING

from breakwall.places import mark_in, mark_of_panic
from breakwall.storage.runs import InstanceLock, StateFolder

if TYPE_CHECKING:
    from breakwall.cli.stage import Stage
    from breakwall.logs.log import Log
    from breakwall.modes import Access, Run
    from breakwall.ports import Clock, Transport
    from breakwall.settings import Settings


class Place(ABC):
    """Whoever was given it by its `find` holds the locks, until `release`; the last of them numbers the runs.

    `words` say where it is, `safe` why a run must start SAFE (empty: as it was left), `warnings` what a trader should
    know of the account before it trades. `seed` and `scenario` are for the receipt of an embedded exchange.
    """

    seed: int | None = None
    scenario: str = ""
    safe: str = ""
    warnings: tuple[str, ...] = ()

    def __init__(self, folder: StateFolder, locks: tuple[InstanceLock, ...], words: str) -> None:
        self.folder = folder
        self.locks = locks
        self.words = words

    @property
    @abstractmethod
    def access(self) -> "Access":
        """The way to the venue, and the badge."""

    @property
    def lock(self) -> InstanceLock:
        return self.locks[-1]

    @property
    def marks(self) -> tuple[Path, ...]:
        """Where a panic beside us would leave word."""
        access = self.access
        return mark_of_panic("bybit", access.environment, access.api_key), mark_in(self.folder.path)

    def release(self) -> None:
        for lock in reversed(self.locks):
            lock.release()

    async def begin(
        self, settings: "Settings", clock: "Clock", transport: "Transport", log: "Log", *, markets: bool = True
    ) -> "Run":
        """Make the engine. Without `markets` it only looks after the account."""
        from breakwall import modes
        from breakwall.redaction import hide

        access = self.access
        hide(access.api_key, access.api_secret)
        return await modes.on_bybit(settings, self.folder, self.lock, access, clock, transport, log, markets=markets)

    def stage(self, run: "Run", settings: "Settings", clock: "Clock", transport: "Transport") -> "Stage | None":  # noqa: ARG002
        """Where crises can be played; None where the venue is not embedded."""
        return None

    def abandon(self) -> None:  # noqa: B027 - most have nothing to put down
        """The start has failed, and nothing was traded."""

    def finish(self) -> None:  # noqa: B027 - the same
        """The run has ended, and nothing is held."""
