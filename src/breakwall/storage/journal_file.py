"""The journal's file: its tables, how it is opened and checked, and what is done with one that is damaged.

Each row has a checksum over its columns, since SQLite itself notices damage only in its own structures. A restart
reads from the newest sound checkpoint on; what is before it stays in the file for history.
"""

import contextlib
import os
import sqlite3
import zlib
from collections.abc import Generator, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from breakwall import points
from breakwall.model.actions import Note
from breakwall.model.journal import DAMAGED, EntryKind, JournalEntry
from breakwall.points import Point
from breakwall.ports import JournalError

SCHEMA_VERSION = 2
BUSY_S = 2.0
CHECKED_BYTES = 64 << 20
"""Files up to this size are checked as a whole when they are opened, which takes 4 ms a megabyte; of larger ones
only what is read."""

Rows = list[tuple[Any, ...]]
Script = Generator[str | tuple[str, tuple[Any, ...]], Rows, tuple[JournalEntry, ...]]
"""Statements one after the other; each is answered with its rows. Both journals run the same script."""

_SET_UP = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA wal_autocheckpoint=4000",
)
_CHECKPOINT_INDEX = "CREATE INDEX journal_checkpoint ON journal (id) WHERE kind = 'checkpoint'"
_CREATE = (
    """CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE journal (
        id INTEGER PRIMARY KEY, run INTEGER NOT NULL, seq INTEGER NOT NULL, at_ms INTEGER NOT NULL,
        kind TEXT NOT NULL, symbol TEXT NOT NULL, client_id TEXT NOT NULL, trace TEXT NOT NULL,
        body TEXT NOT NULL, checksum INTEGER)""",
    "CREATE INDEX journal_client_id ON journal (client_id) WHERE client_id <> ''",
    "CREATE INDEX journal_trace ON journal (trace) WHERE trace <> ''",
    "CREATE INDEX journal_symbol ON journal (symbol) WHERE symbol <> ''",
    _CHECKPOINT_INDEX,
    "CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal BEGIN SELECT RAISE(ABORT, 'append-only'); END",
    "CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal BEGIN SELECT RAISE(ABORT, 'append-only'); END",
)
_UPCAST = {1: ("ALTER TABLE journal ADD COLUMN checksum INTEGER", _CHECKPOINT_INDEX)}
"""By the schema that a file has: what makes the next one of it."""

_COLUMNS = ("run", "seq", "at_ms", "kind", "symbol", "client_id", "trace", "body", "checksum")
NAMES = ", ".join(_COLUMNS)
_FIELDS = ", ".join(f"json_extract(value, '$[{place}]')" for place in range(len(_COLUMNS)))
INSERT = f"INSERT INTO journal ({NAMES}) SELECT {_FIELDS} FROM json_each(?)"  # noqa: S608 - constants above
ALL = f"SELECT {NAMES} FROM journal ORDER BY id"  # noqa: S608 - constants above
_AFTER = f"SELECT {NAMES} FROM journal WHERE id > ? ORDER BY id"  # noqa: S608 - constants above
_NEWEST = f"SELECT id, {NAMES} FROM journal WHERE kind = 'checkpoint' AND id < ? ORDER BY id DESC LIMIT 1"  # noqa: S608
_LAST_BEFORE = "SELECT id FROM journal WHERE id < ? AND (run < ? OR (run = ? AND seq <= ?)) ORDER BY id DESC LIMIT 1"
_KINDS = frozenset(kind.value for kind in EntryKind)
_HIGHEST_ID = (1 << 63) - 1


class _Since(msgspec.Struct):
    """What the file itself needs of a checkpoint's body: the event after which there is more to read."""

    run: int
    seq: int


def opening(path: Path, identity: Mapping[str, str], *, whole: bool = True) -> Script:
    """Check the file (all of it where `whole`), create or upcast what is missing, read what a restart needs."""
    if whole:
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
    found: dict[str, str] = dict((yield "SELECT name, value FROM meta"))
    schema = _schema_of(found)
    _check_identity(path, schema, found, identity)
    yield from _upcast(schema)
    yield "BEGIN IMMEDIATE"  # proves that the file can be written and that nobody holds it
    yield "ROLLBACK"
    return (yield from _tail())


def _upcast(schema: int) -> Generator[str | tuple[str, tuple[Any, ...]], Rows, None]:
    """An older file becomes one of ours, in one transaction."""
    if schema == SCHEMA_VERSION:
        return
    yield "BEGIN IMMEDIATE"
    for older in range(schema, SCHEMA_VERSION):
        for statement in _UPCAST[older]:  # noqa: UP028 - a tuple cannot be sent the rows
            yield statement
    points.reach(Point.CHECKPOINT)
    yield "UPDATE meta SET value = ? WHERE name = 'schema'", (str(SCHEMA_VERSION),)
    yield "COMMIT"


def _tail() -> Script:
    """The newest sound checkpoint and all that came after the moment it speaks of; everything where there is none."""
    below = _HIGHEST_ID
    while newest := (yield _NEWEST, (below,)):
        below, *row = newest[0]
        checkpoint = entry_of(tuple(row))
        if checkpoint.sound:
            since = msgspec.json.decode(checkpoint.body, type=_Since)
            before = yield _LAST_BEFORE, (below, since.run, since.run, since.seq)
            rows = yield _AFTER, (before[0][0] if before else 0,)
            return (checkpoint, *map(entry_of, rows))
    return tuple(map(entry_of, (yield ALL)))


def rows_of(entries: Iterable[JournalEntry]) -> str:
    """What `INSERT` takes: all entries in one JSON text, each with its checksum."""
    columns = [(e.run, e.seq, e.at_ms, e.kind.value, e.symbol, e.client_id, e.trace, e.body) for e in entries]
    return msgspec.json.encode([(*values, _checksum(values)) for values in columns]).decode()


def entry_of(row: Sequence[Any]) -> JournalEntry:
    """A row as an entry; one that is not what was written is not `sound`, and nothing in it is worth anything."""
    *values, checksum = row
    run, seq, at_ms, kind, symbol, client_id, trace, body = values
    if kind in _KINDS and checksum in {None, _checksum(values)}:  # files of schema 1 had no checksums
        return JournalEntry(run, seq, at_ms, EntryKind(kind), body, symbol, client_id, trace)
    run, seq, at_ms = (number if isinstance(number, int) else 0 for number in (run, seq, at_ms))
    return JournalEntry(run, seq, at_ms, EntryKind.NOTE, str(body), sound=False)


def lenient(raw: bytes) -> str:
    """Text of a column, whatever has become of it."""
    return raw.decode(errors="replace")


def make_room(path: Path) -> None:
    """The folder for us alone (0700), the file for us alone (0600); SQLite gives its side files the same mode."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise JournalError(
            f"{path}: the journal cannot be written ({error.strerror}). "
            "Give a folder of your own on a writable disk with --state."
        ) from error


def place_of(path: Path) -> tuple[int, int]:
    """Which file it is that has this name now; zeros where there is none."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_dev, found.st_ino


def prepare_copy(path: Path) -> Path:
    """Where a deleted journal is written anew; raises JournalError where another file has taken its place."""
    if path.exists():
        raise JournalError(
            f"{path}: another file has taken its place while this one was being written. "
            "Start Breakwall again; until then no order that opens risk is sent."
        )
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    copy = path.with_name(f"{path.name}.again")
    copy.unlink(missing_ok=True)
    return copy


def finish_copy(copy: Path, path: Path) -> None:
    """The copy is on the disk and ours alone, then it is the journal. SQLite does not sync what VACUUM writes."""
    copy.chmod(0o600)
    with copy.open("rb") as file:
        os.fsync(file.fileno())
    copy.rename(path)


def mark(path: Path) -> None:
    """Leave a sign beside the file that it has been written to, so that its loss is noticed."""
    with contextlib.suppress(OSError):  # what was written stands without it
        _sign(path).touch(mode=0o600)


def was_lost(path: Path) -> bool:
    """Whether an empty file has had something in it before."""
    return _sign(path).exists()


def _sign(path: Path) -> Path:
    return path.with_name(f"{path.name}.written")


def is_damage(error: BaseException) -> bool:
    """Whether the file itself is broken: not the disk, the rights or another program."""
    return isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError)


def set_aside(path: Path, error: BaseException) -> JournalEntry:
    """Move a damaged file and its side files out of the way, for whoever wants to look at them.

    Returns the first entry of the new one, which says so. Raises JournalError where they cannot be moved.
    """
    number = 1
    while (kept := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    try:
        for side in ("", "-wal", "-shm"):
            old = path.with_name(path.name + side)
            if old.exists():
                old.rename(kept.with_name(kept.name + side))
    except OSError as failure:
        raise JournalError(f"{path}: damaged ({error}), and not to be moved aside ({failure.strerror})") from failure
    return loss(f"the journal was damaged ({error}) and is kept as {kept.name}")


def loss(how: str) -> JournalEntry:
    """The first entry of a journal that begins anew because of a loss."""
    note = Note(DAMAGED, f"{how}; what it knew is lost, only the exchange knows what is held", "error", durable=True)
    return JournalEntry(0, 0, 0, EntryKind.NOTE, msgspec.json.encode(note).decode())


def explained(path: Path, error: BaseException) -> BaseException:
    """A database error as a JournalError that names the file and the remedy; anything else as it is."""
    if isinstance(error, OSError):
        return JournalError(f"{path}: {error.strerror}. Check the disk and the rights of the folder.")
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
        remedy = "The file is damaged. It is moved aside at the next start, which takes over what the exchange knows."
    return JournalError(f"{path}: {text}. {remedy}")


def _schema_of(found: Mapping[str, str]) -> int:
    said = found.get("schema", "")
    if not said.isdecimal():
        raise sqlite3.DatabaseError(f"expected its schema as a number, found {said!r}")
    return int(said)


def _check_identity(path: Path, schema: int, found: Mapping[str, str], identity: Mapping[str, str]) -> None:
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


def _checksum(values: Sequence[Any]) -> int:
    return zlib.crc32("\x1f".join(map(str, values)).encode())
