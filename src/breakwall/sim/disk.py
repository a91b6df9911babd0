"""Journal and ledger on a simulated disk: it takes its time, and it fails as disks do."""

import asyncio
import random
from collections.abc import Callable, Iterable, Sequence

from breakwall.model.journal import JournalEntry
from breakwall.model.records import MarketFact
from breakwall.ports import Journal, JournalError
from breakwall.storage.journal import InlineJournal
from breakwall.storage.ledger.inline import InlineLedger
from breakwall.venues.exchange.faults import FaultKind, Faults

SYNC_S = (0.0002, 0.004)
"""How long an fsync takes on a sound disk."""

BUSY_S = 2.0
_WHY = {
    FaultKind.COMMIT_FAILS: "disk I/O error",
    FaultKind.DISK_FULL: "database or disk is full",
    FaultKind.JOURNAL_LOCKED: "database is locked",
}


class SlowJournal:
    """`ports.Journal` of one program over what survives it; `committed` is told of what has become durable.

    A program that dies before the disk has acted leaves nothing behind; later, all of it.
    """

    def __init__(
        self,
        journal: Journal,
        faults: Faults,
        dice: random.Random,
        committed: Callable[[Sequence[JournalEntry]], None],
    ) -> None:
        self._journal = journal
        self._faults = faults
        self._dice = dice
        self._committed = committed

    async def open(self) -> tuple[JournalEntry, ...]:
        await self._suffer()
        return await self._journal.open()

    async def commit(self, entries: Iterable[JournalEntry]) -> None:
        kept = tuple(entries)
        await asyncio.sleep(self._dice.uniform(*SYNC_S))
        await self._suffer()
        slow = self._faults.strike(FaultKind.COMMIT_SLOW, asyncio.get_running_loop().time())
        before_s = 0.0 if slow is None else slow.delay_s * self._dice.choice((0, 1))
        if before_s:
            await asyncio.sleep(before_s)
        await self._journal.commit(kept)
        self._committed(kept)
        if slow is not None and not before_s:
            await asyncio.sleep(slow.delay_s)

    async def close(self) -> None:
        await self._journal.close()

    async def _suffer(self) -> None:
        """Raises JournalError where the disk has such a time."""
        for kind, why in _WHY.items():
            if self._faults.strike(kind, asyncio.get_running_loop().time()) is not None:
                if kind is FaultKind.JOURNAL_LOCKED:
                    await asyncio.sleep(BUSY_S)
                raise JournalError(f"the simulated disk: {why}")


class MortalLedger:
    """`ports.Ledger` whose writer dies now and then; when it is back it reads on where it was, in the journal."""

    def __init__(self, ledger: InlineLedger, journal: InlineJournal, faults: Faults) -> None:
        self._ledger = ledger
        self._journal = journal
        self._faults = faults
        self._dead = False

    def heal(self) -> None:
        """A writer that has died is back."""
        if self._dead:
            self.start()

    def start(self) -> None:
        """A program starts: what it had taken and not written is read again."""
        self._dead = False
        self._ledger.recover(self._journal.read())

    def take(self, entries: Sequence[JournalEntry]) -> None:
        dead = self._faults.strike(FaultKind.LEDGER_DEAD, asyncio.get_running_loop().time()) is not None
        if self._dead and not dead:
            self.start()
        elif not dead:
            self._ledger.take(entries)
        self._dead = dead

    def keep(self, fact: MarketFact) -> None:
        if not self._dead:
            self._ledger.keep(fact)

    @property
    def trouble(self) -> str:
        return "the simulated disk: the ledger cannot be written" if self._dead else self._ledger.trouble

    async def close(self) -> None:
        await self._ledger.close()
