"""Keeps the books of one ledger: projects entries into it, in transactions that also say how far they got."""

from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import DataError, IntegrityError

from breakwall.model.journal import JournalEntry
from breakwall.model.records import MarketFact
from breakwall.ports import LedgerError
from breakwall.storage.ledger import market, schema
from breakwall.storage.ledger.batch import Batch
from breakwall.storage.ledger.database import LedgerDamagedError, Target, connect, explained, name_of
from breakwall.storage.ledger.journal_tail import Numbered
from breakwall.storage.ledger.line import source_of
from breakwall.storage.ledger.memory import Memory
from breakwall.storage.ledger.projection import project
from breakwall.storage.ledger.tables import PROGRESS, REVISION, SYSTEM_EVENTS

UNFIT = (IntegrityError, DataError, OverflowError, UnicodeError)
"""What a database raises for a row that it cannot hold, however often it is tried."""


class Bookkeeper:
    """The only writer of a ledger. `run` and `row` are how far in the journal the books are written.

    Methods raise LedgerError; then nothing of that call is in the books.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self.run = self.row = 0
        self._engine = connect(target)
        self._connection: Connection | None = None
        self._memory: Memory | None = None

    @property
    def connection(self) -> Connection:
        """The open connection. Raises LedgerError."""
        if self._connection is None:
            try:
                self._connection = self._engine.connect()
            except Exception as error:
                raise explained(self.target, error) from error
        return self._connection

    def open(self, identity: dict[str, str], now_ms: int) -> None:
        """Make or update the tables, and find where the books were left off. `identity`: whose journal it is."""
        try:
            self._prepare(now_ms)
            with self.connection.begin():
                found = self.connection.execute(select(PROGRESS)).one_or_none()
                if found is None:
                    row = {"id": 1, "run": 0, "row": 0, "identity": msgspec.json.encode(identity).decode()}
                    self.connection.execute(insert(PROGRESS), row)
                else:
                    self._check_identity(msgspec.json.decode(found.identity), identity)
                    self.run, self.row = found.run, found.row
            self._remembered()
        except Exception as error:
            self.close()
            raise explained(self.target, error) from error

    def book(self, lines: Sequence[Numbered]) -> int:
        """Write what these entries say, in the journal's order; those that are booked already change nothing.

        Returns how many rows were written. An entry that cannot be understood, or does not fit, becomes a system
        event: one bad line never holds up those behind it.
        """
        if not lines:
            return 0
        try:
            return self._book(lines)
        except UNFIT as error:
            self._memory = None
            if len(lines) == 1:
                return self._set_aside(lines[0], error)
            return sum(self.book([line]) for line in lines)
        except Exception as error:
            self._memory = None
            raise explained(self.target, error) from error

    def keep(self, facts: Iterable[MarketFact]) -> int:
        """Write facts of the market; returns how many rows there are of them."""
        batch = Batch()
        for fact in facts:
            market.add(fact, batch)
        return self._write(batch)

    def tell(self, at_ms: int, kind: str, text: str, level: str = "warning") -> None:
        """A system event of the ledger itself."""
        batch = Batch()
        batch.add(SYSTEM_EVENTS, _event(None, at_ms, kind, level, text))
        self._write(batch)

    def close(self) -> None:
        connection, self._connection = self._connection, None
        self._memory = None
        if connection is not None:
            connection.close()
        self._engine.dispose()

    def _prepare(self, now_ms: int) -> None:
        connection = self.connection
        with connection.begin():
            schema.check_sound(connection, self.target)
            found = schema.revision_of(connection, self.target)
            if not found:
                schema.make(connection)
            if found == REVISION:
                schema.check_whole(connection, self.target)
        if found not in {"", REVISION}:
            connection.close()
            self._connection = None
            schema.migrate(self.target, found, now_ms)

    def _check_identity(self, found: dict[str, str], identity: dict[str, str]) -> None:
        if found != identity:
            raise LedgerError(
                f"{name_of(self.target)}: keeps the books of another account ({_words(found)}), this one is "
                f"{_words(identity)}. Give each its own ledger: `[ledger] url`, or its own folder with --state."
            )

    def _book(self, lines: Sequence[Numbered]) -> int:
        memory, batch = self._remembered(), Batch()
        for row, entry in lines:
            try:
                project(memory, row, entry, batch)
            except Exception as error:
                text = f"journal row {row} ({entry.kind.value}) not understood: {error}"
                batch.add(SYSTEM_EVENTS, _event(source_of(entry.run, row), entry.at_ms, "unread", "error", text))
        return self._commit(batch, *lines[-1])

    def _set_aside(self, line: Numbered, error: Exception) -> int:
        row, entry = line
        text = f"journal row {row} ({entry.kind.value}) does not fit: {getattr(error, 'orig', error)}"
        batch = Batch()
        batch.add(SYSTEM_EVENTS, _event(source_of(entry.run, row), entry.at_ms, "unread", "error", text))
        try:
            return self._commit(batch, row, entry)
        except Exception as failure:
            raise explained(self.target, failure) from failure

    def _commit(self, batch: Batch, row: int, entry: JournalEntry) -> int:
        """One transaction: the rows, and how far they go."""
        ahead = source_of(entry.run, row) > source_of(self.run, self.row)
        with self.connection.begin():
            batch.write(self.connection)
            if ahead:
                self.connection.execute(update(PROGRESS).values(run=entry.run, row=row))
        if ahead:
            self.run, self.row = entry.run, row
        return batch.rows

    def _write(self, batch: Batch) -> int:
        if batch:
            try:
                with self.connection.begin():
                    batch.write(self.connection)
            except Exception as error:
                raise explained(self.target, error) from error
        return batch.rows

    def _remembered(self) -> Memory:
        if self._memory is None:
            try:
                with self.connection.begin():
                    self._memory = Memory.of(self.connection)
            except (ValueError, ArithmeticError) as error:
                text = f"{name_of(self.target)}: holds what cannot be understood ({error!r})"
                raise LedgerDamagedError(f"{text}. `breakwall ledger rebuild` makes it again.") from error
        return self._memory


def _event(source: int | None, at_ms: int, kind: str, level: str, text: str) -> dict[str, object]:
    named = {"source": source, "at_ms": at_ms, "kind": kind, "level": level, "text": text}
    return {**named, "symbol": "", "client_id": "", "trace": ""}


def _words(identity: dict[str, str]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in identity.items())
