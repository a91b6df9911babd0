"""The journal: every intent, private event and state change, on the disk before it counts.

Two implementations of `ports.Journal` share one set of statements: `SqliteJournal` (aiosqlite, its
own thread, one fsync for all who wait) for real time, `InlineJournal` (plain sqlite3 in the loop)
for virtual time, where a thread would stand outside the simulated clock.

SQLite in WAL mode with `synchronous=FULL`: a commit that returned survives a power cut, and a
`kill -9` loses nothing that was committed. Source: SQLite, `PRAGMA synchronous`.
"""

import os
import sqlite3
from collections.abc import Generator, Iterable, Mapping
from pathlib import Path
from typing import Any

import aiosqlite
import msgspec

from breakwall.model.journal import EntryKind, JournalEntry
from breakwall.ports import JournalError

SCHEMA_VERSION = 1
BUSY_S = 2.0
MEMORY = ":memory:"

Rows = list[tuple[Any, ...]]
Script = Generator[str | tuple[str, tuple[Any, ...]], Rows, tuple[JournalEntry, ...]]
"""Statements one after the other; each is answered with its rows. Both journals run the same script."""

_SET_UP = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA wal_autocheckpoint=4000",
)
_CREATE = (
    """CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE journal (
        id INTEGER PRIMARY KEY, run INTEGER NOT NULL, seq INTEGER NOT NULL, at_ms INTEGER NOT NULL,
        kind TEXT NOT NULL, symbol TEXT NOT NULL, client_id TEXT NOT NULL, trace TEXT NOT NULL,
        body TEXT NOT NULL)""",
    "CREATE INDEX journal_client_id ON journal (client_id) WHERE client_id <> ''",
    "CREATE INDEX journal_trace ON journal (trace) WHERE trace <> ''",
    "CREATE INDEX journal_symbol ON journal (symbol) WHERE symbol <> ''",
    "CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal BEGIN SELECT RAISE(ABORT, 'append-only'); END",
    "CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal BEGIN SELECT RAISE(ABORT, 'append-only'); END",
)
_COLUMNS = ("run", "seq", "at_ms", "kind", "symbol", "client_id", "trace", "body")
_NAMES = ", ".join(_COLUMNS)
_FIELDS = ", ".join(f"json_extract(value, '$.{name}')" for name in _COLUMNS)
_INSERT = f"INSERT INTO journal ({_NAMES}) SELECT {_FIELDS} FROM json_each(?)"  # noqa: S608 - constants above
_SELECT = f"SELECT {_NAMES} FROM journal ORDER BY id"  # noqa: S608 - constants above


class SqliteJournal:
    """The journal of a real run, on aiosqlite.

    `identity` says whose journal it is (venue, environment, account id); a file of somebody else is
    refused, and so is one written by a newer Breakwall.
    """

    def __init__(self, path: Path, identity: Mapping[str, str]) -> None:
        self._path = path
        self._identity = identity
        self._db: aiosqlite.Connection | None = None

    async def open(self) -> tuple[JournalEntry, ...]:
        """Open or create the file and return all it remembers, oldest first; raises JournalError."""
        _make_room(self._path)
        try:
            self._db = await aiosqlite.connect(self._path, timeout=BUSY_S, isolation_level=None)
            return await self._play(_opening(self._path, self._identity))
        except BaseException as error:
            await self.close()
            raise _explained(self._path, error) from error

    async def commit(self, entries: Iterable[JournalEntry]) -> None:
        """Return once all entries are on the disk: one statement, one transaction, one fsync."""
        rows = msgspec.json.encode(list(entries)).decode()
        try:
            await self._ask(_INSERT, (rows,))
        except sqlite3.Error as error:
            raise _explained(self._path, error) from error

    async def close(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            await db.close()

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
                return _entries_of(end)


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
        """Open or create and return all it remembers, oldest first; raises JournalError."""
        if self._path is not None:
            _make_room(self._path)
        try:
            if self._db is None:
                self._db = sqlite3.connect(self._path or MEMORY, timeout=BUSY_S, isolation_level=None)
            return self._play(_opening(self._name, self._identity))
        except BaseException as error:
            await self.close()
            raise _explained(self._name, error) from error

    async def commit(self, entries: Iterable[JournalEntry]) -> None:
        """Return once all entries are in; raises JournalError."""
        rows = msgspec.json.encode(list(entries)).decode()
        try:
            self._ask(_INSERT, (rows,))
        except sqlite3.Error as error:
            raise _explained(self._name, error) from error

    async def close(self) -> None:
        if self._path is not None:
            self.drop()

    def drop(self) -> None:
        """Close for good, what is in memory included."""
        db, self._db = self._db, None
        if db is not None:
            db.close()

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
                return _entries_of(end)


def _opening(path: Path, identity: Mapping[str, str]) -> Script:
    """Check the file, create what is missing, read what is there."""
    sound = yield "PRAGMA quick_check"
    if sound != [("ok",)]:
        raise sqlite3.DatabaseError(sound[0][0])
    for statement in _SET_UP:
        yield statement
    if not (yield "SELECT name FROM sqlite_master WHERE name = 'journal'"):
        yield "BEGIN IMMEDIATE"
        for statement in _CREATE:
            yield statement
        for name, value in {"schema": str(SCHEMA_VERSION), **identity}.items():
            yield "INSERT INTO meta VALUES (?, ?)", (name, value)
        yield "COMMIT"
    _check_identity(path, dict((yield "SELECT name, value FROM meta")), identity)
    yield "BEGIN IMMEDIATE"  # proves that the file can be written and that nobody holds it
    yield "ROLLBACK"
    rows = yield _SELECT
    return tuple(
        JournalEntry(run, seq, at_ms, EntryKind(kind), body, symbol, client_id, trace)
        for run, seq, at_ms, kind, symbol, client_id, trace, body in rows
    )


def _entries_of(end: StopIteration) -> tuple[JournalEntry, ...]:
    entries: tuple[JournalEntry, ...] = end.value
    return entries


def _check_identity(path: Path, found: Mapping[str, str], identity: Mapping[str, str]) -> None:
    schema = int(found.get("schema", 0))
    if schema > SCHEMA_VERSION:
        raise JournalError(
            f"{path}: written by a newer Breakwall (journal schema {schema}, this one knows {SCHEMA_VERSION}). "
            "Upgrade Breakwall, or give another folder with --state."
        )
    for name, expected in identity.items():
        if found.get(name) != expected:
            raise JournalError(
                f"{path}: belongs to another {name.replace('_', ' ')}: expected {expected!r}, "
                f"found {found.get(name)!r}. Give each account its own folder with --state."
            )


def _make_room(path: Path) -> None:
    """The folder for us alone (0700), the file for us alone (0600); SQLite gives its side files the same mode."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise JournalError(
            f"{path}: the journal cannot be written ({error.strerror}). "
            "Give a folder of your own on a writable disk with --state."
        ) from error


def _explained(path: Path, error: BaseException) -> BaseException:
    """A database error as a JournalError that names the file and the remedy; anything else as it is."""
    if not isinstance(error, sqlite3.Error):
        return error
    text = str(error)
    if "full" in text:
        remedy = "Free some space; until then no order that opens risk is sent."
    elif "locked" in text:
        remedy = "Another program holds the file; close it (a backup, a browser for SQLite) and start again."
    elif isinstance(error, sqlite3.OperationalError):
        remedy = "Check the disk and the rights of the folder."
    else:
        remedy = (
            "The file is damaged and was left as it is. Move it aside and start again: "
            "Breakwall then takes over what the exchange knows."
        )
    return JournalError(f"{path}: {text}. {remedy}")
