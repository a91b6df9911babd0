"""The ledger without a thread: for virtual time, tests and whoever waits for it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from breakwall.model.journal import JournalEntry
from breakwall.model.records import MarketFact
from breakwall.ports import LedgerError
from breakwall.storage.ledger.bookkeeper import Bookkeeper
from breakwall.storage.ledger.books import Books
from breakwall.storage.ledger.database import make_room
from breakwall.storage.ledger.journal_tail import Numbered

BATCH = 500


class InlineLedger:
    """A `ports.Ledger` that writes when it is asked to (`settle`), or once enough has gathered. In memory by default.

    It counts the journal's rows itself: `recover` with all that the journal remembers, then `take` what follows. In
    memory it outlives `close`, so that a simulated crash and restart finds the books as they were written.
    """

    def __init__(self, path: Path | None = None, *, batch: int = BATCH) -> None:
        if path is not None:
            make_room(path)
        self._keeper = Bookkeeper(path)
        self._keeper.open({}, 0)
        self._batch = batch
        self._row = 0
        self._entries: list[Numbered] = []
        self._facts: list[MarketFact] = []
        self._trouble = ""

    def recover(self, remembered: Sequence[JournalEntry]) -> None:
        """A (re)start: what was taken and not written is lost, and found again in the journal."""
        self._entries.clear()
        self._facts.clear()
        self._row = 0
        self.take(remembered)

    def take(self, entries: Sequence[JournalEntry]) -> None:
        for entry in entries:
            self._row += 1
            if self._row > self._keeper.row:
                self._entries.append((self._row, entry))
        if len(self._entries) >= self._batch:
            self.settle()

    def keep(self, fact: MarketFact) -> None:
        self._facts.append(fact)

    @property
    def trouble(self) -> str:
        return self._trouble

    def settle(self) -> None:
        """Write all that was taken. A failure is told in `trouble`, and tried again with the next one."""
        try:
            for start in range(0, len(self._entries), BATCH):
                self._keeper.book(self._entries[start : start + BATCH])
            self._entries.clear()
            self._keeper.keep(self._facts)
            self._facts.clear()
        except LedgerError as error:
            self._trouble = str(error)
        else:
            self._trouble = ""

    @contextmanager
    def read(self) -> Iterator[Books]:
        """The books, with all that was taken. Raises LedgerError where it could not be written."""
        self.settle()
        if self._trouble:
            raise LedgerError(self._trouble)
        with self._keeper.connection.begin():
            yield Books(self._keeper.connection)

    async def close(self) -> None:
        self.settle()
