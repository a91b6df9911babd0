"""The journal: every intent, private event and state change, on the disk before it counts.

Two implementations of `ports.Journal` share one set of statements: `SqliteJournal` (aiosqlite, its
own thread, one fsync for all who wait) for real time, `InlineJournal` (plain sqlite3 in the loop)
for virtual time, where a thread would stand outside the simulated clock.

SQLite in WAL mode with `synchronous=FULL`: a commit that returned survives a power cut, and a
`kill -9` loses nothing that was committed. Source: SQLite, `PRAGMA synchronous`.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import aiosqlite

from breakwall.model.journal import JournalEntry
from breakwall.ports import JournalError
from breakwall.storage.journal_file import (
    ALL,
    BUSY_S,
    CHECKED_BYTES,
    INSERT,
    Rows,
    Script,
    entry_of,
    explained,
    finish_copy,
    is_damage,
    lenient,
    loss,
    make_room,
    mark,
    opening,
    place_of,
    prepare_copy,
    rows_of,
    set_aside,
    was_lost,
)

MEMORY = ":memory:"
GONE = "the journal is gone although it had been written to"


class SqliteJournal:
    """The journal of a real run, on aiosqlite.

    `identity` says whose journal it is (venue, environment, account id); a file of somebody else is
    refused, and so is one written by a newer Breakwall.
    """

    def __init__(self, path: Path, identity: Mapping[str, str]) -> None:
        self._path = path
        self._identity = identity
        self._db: aiosqlite.Connection | None = None
        self._marked = False
        self._place = (0, 0)

    async def open(self) -> tuple[JournalEntry, ...]:
        """Open or create the file and return what a restart needs of it, oldest first; raises JournalError.

        That is the newest checkpoint and all that came after it. A damaged file is moved aside and begun anew; where
        the old one was lost, the first entry of the new one says so.
        """
        try:
            entries = await self._open()
            if entries or not was_lost(self._path):
                return entries
            first = loss(GONE)
        except BaseException as error:
            await self.close()
            if not is_damage(error):
                raise explained(self._path, error) from error
            first = set_aside(self._path, error)
            await self._open()
        await self.commit([first])
        return (first,)

    async def commit(self, entries: Iterable[JournalEntry]) -> None:
        """Return once all entries are on the disk: one statement, one transaction, one fsync."""
        rows = rows_of(entries)
        try:
            if place_of(self._path) != self._place:
                await self._write_anew()
            await self._ask(INSERT, (rows,))
            if not self._marked:
                mark(self._path)
                self._marked = True
        except (sqlite3.Error, OSError) as error:
            raise explained(self._path, error) from error

    async def close(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            await db.close()

    async def _write_anew(self) -> None:
        """Somebody deleted the file while it is open: all that it holds is written to its place again."""
        copy = prepare_copy(self._path)
        await self._ask("VACUUM INTO ?", (str(copy),))
        await self.close()
        finish_copy(copy, self._path)
        await self._open()

    async def _open(self) -> tuple[JournalEntry, ...]:
        make_room(self._path)
        self._db = await aiosqlite.connect(self._path, timeout=BUSY_S, isolation_level=None)
        self._db.text_factory = lenient
        self._place = place_of(self._path)
        return await self._play(opening(self._path, self._identity, whole=_is_small(self._path)))

    async def _ask(self, sql: str, values: tuple[Any, ...] = ()) -> Rows:
        if self._db is None:
            raise JournalError(f"{self._path}: the journal is not open")
        return [tuple(row) for row in await self._db.execute_fetchall(sql, values)]

    async def _play(self, script: Script) -> tuple[JournalEntry, ...]:
        step = next(script)
        while True:
            rows = await self._ask(*((step,) if isinstance(step, str) else step))
            try:
                step = script.send(rows)
            except StopIteration as end:
                entries: tuple[JournalEntry, ...] = end.value
                return entries


class InlineJournal:
    """The same journal without a thread, for virtual time; `path` None keeps it in memory.

    In memory it outlives `close`, so that a simulated crash and restart finds what was committed.
    """

    def __init__(self, path: Path | None = None, identity: Mapping[str, str] | None = None) -> None:
        self._path = path
        self._name = path or Path(MEMORY)
        self._identity = identity or {}
        self._db: sqlite3.Connection | None = None

    async def open(self) -> tuple[JournalEntry, ...]:
        """As `SqliteJournal.open`."""
        try:
            entries = self._open()
            if entries or self._path is None or not was_lost(self._path):
                return entries
            first = loss(GONE)
        except BaseException as error:
            await self.close()
            if self._path is None or not is_damage(error):
                raise explained(self._name, error) from error
            first = set_aside(self._path, error)
            self._open()
        await self.commit([first])
        return (first,)

    async def commit(self, entries: Iterable[JournalEntry]) -> None:
        """Return once all entries are in; raises JournalError."""
        rows = rows_of(entries)
        try:
            self._ask(INSERT, (rows,))
        except sqlite3.Error as error:
            raise explained(self._name, error) from error
        if self._path is not None:
            mark(self._path)

    async def close(self) -> None:
        if self._path is not None:
            self.drop()

    def read(self) -> tuple[JournalEntry, ...]:
        """All that is committed, oldest first; the journal must be open."""
        return tuple(map(entry_of, self._ask(ALL)))

    def abandon(self) -> None:
        """Its program has died: what was not committed is gone."""
        if self._db is not None:
            self._db.rollback()

    def drop(self) -> None:
        """Close for good, what is in memory included."""
        db, self._db = self._db, None
        if db is not None:
            db.close()

    def _open(self) -> tuple[JournalEntry, ...]:
        if self._path is not None:
            make_room(self._path)
        if self._db is None:
            self._db = sqlite3.connect(self._path or MEMORY, timeout=BUSY_S, isolation_level=None)
            self._db.text_factory = lenient
        return self._play(opening(self._name, self._identity))

    def _ask(self, sql: str, values: tuple[Any, ...] = ()) -> Rows:
        if self._db is None:
            raise JournalError(f"{self._name}: the journal is not open")
        return self._db.execute(sql, values).fetchall()

    def _play(self, script: Script) -> tuple[JournalEntry, ...]:
        step = next(script)
        while True:
            rows = self._ask(*((step,) if isinstance(step, str) else step))
            try:
                step = script.send(rows)
            except StopIteration as end:
                entries: tuple[JournalEntry, ...] = end.value
                return entries


def _is_small(path: Path) -> bool:
    return path.stat().st_size <= CHECKED_BYTES
