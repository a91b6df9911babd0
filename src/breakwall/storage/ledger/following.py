"""The books of a run that is under way: they follow its journal, whatever becomes of their file."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from breakwall.model.records import MarketFact
from breakwall.ports import JournalError
from breakwall.settings import LedgerSettings
from breakwall.storage.ledger import retention
from breakwall.storage.ledger.bookkeeper import Bookkeeper
from breakwall.storage.ledger.carry import SAID_BY_PEOPLE, carry_over
from breakwall.storage.ledger.database import LedgerDamagedError, Target, explained, make_room
from breakwall.storage.ledger.journal_tail import JournalTail

TIDY_EVERY_MS = 3_600_000


class Following:
    """Writes what is new in the journal, from where the books were left off. Live and catching up are the same.

    A damaged file is set aside and the books begin again; one that was taken away is made again. Methods raise
    LedgerError or JournalError, and may be called again: nothing is lost, nothing is written twice.
    """

    def __init__(self, target: Target, journal: Path, settings: LedgerSettings) -> None:
        self._target = target
        self._tail = JournalTail(journal)
        self._settings = settings
        self._keeper: Bookkeeper | None = None
        self._inode = 0
        self._row = 0
        self._tidied_ms = 0
        self.news = ""
        """What happened to the file, in words, until there is nothing left to write."""

    def follow(self, most: int, now_ms: int) -> bool:
        """Write at most so many entries; returns whether there may be more."""
        try:
            with self._books(now_ms) as keeper:
                lines = self._tail.after(self._row, most)
                keeper.book(lines)
        except LedgerDamagedError:
            return True  # it was set aside
        if lines:
            self._row = lines[-1][0]
        else:
            self.news = ""
        return len(lines) == most

    def keep(self, facts: Iterable[MarketFact], now_ms: int, dropped: int) -> None:
        """Write facts of the market, and how many of them were given up since the last time."""
        with self._books(now_ms) as keeper:
            keeper.keep(facts)
            if dropped:
                keeper.tell(now_ms, "ledger", f"{dropped} facts of the market were dropped: the ledger was too slow")
            if now_ms - self._tidied_ms >= TIDY_EVERY_MS:
                retention.tidy(keeper.connection, self._settings, now_ms)
                self._tidied_ms = now_ms

    def close(self) -> None:
        self._shut()
        self._tail.close()

    @contextmanager
    def _books(self, now_ms: int) -> Iterator[Bookkeeper]:
        """The open books. After a failure the next try looks at the file anew; a damaged one is set aside."""
        try:
            yield self._open(now_ms)
        except LedgerDamagedError as error:
            self._set_aside(error, now_ms)
            raise
        except JournalError:
            raise
        except Exception as error:
            self._shut()
            raise explained(self._target, error) from error

    def _open(self, now_ms: int) -> Bookkeeper:
        if self._keeper is not None and not self._gone():
            return self._keeper
        self._shut()
        identity = self._tail.identity()
        if isinstance(self._target, Path):
            make_room(self._target)
            self._inode = self._target.stat().st_ino
        keeper = Bookkeeper(self._target)
        keeper.open(identity, now_ms)
        self._keeper, before = keeper, self._row
        self._row = keeper.row if self._tail.run_at(keeper.row) == keeper.run else 0
        if before and not keeper.row:
            self._tell("the file was taken away or emptied while it was written", now_ms)
        return keeper

    def _gone(self) -> bool:
        """Whether another file, or none, has the name of the one that is open."""
        if not isinstance(self._target, Path):
            return False
        try:
            return self._target.stat().st_ino != self._inode
        except OSError:
            return True

    def _set_aside(self, error: LedgerDamagedError, now_ms: int) -> None:
        """Keep the damaged file under another name, and begin a new one."""
        self._shut()
        assert isinstance(self._target, Path), "only a file is found damaged"
        try:
            aside = set_aside(self._target, f"damaged-{now_ms}")
        except OSError as failure:
            raise explained(self._target, failure) from failure
        self._row = 0
        carry_over(self._open(now_ms), aside, SAID_BY_PEOPLE)
        self._tell(f"{error} The damaged file is kept as {aside.name}", now_ms)

    def _tell(self, what: str, now_ms: int) -> None:
        self.news = f"{what}; the books are written again from the journal, without the market before"
        if self._keeper is not None:
            self._keeper.tell(now_ms, "ledger", self.news)

    def _shut(self) -> None:
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.close()


def set_aside(path: Path, ending: str) -> Path:
    """Give a SQLite file, with what belongs to it, another name; returns it. Raises OSError."""
    aside = path.with_name(f"{path.name}.{ending}")
    for suffix in ("-journal", ""):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.replace(aside.with_name(aside.name + suffix))
    return aside
