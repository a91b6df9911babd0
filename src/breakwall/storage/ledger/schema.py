"""The tables in a database: made in an empty one, brought up to date in an older one, refused in a newer one."""

import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path

from msgspec import Struct
from sqlalchemy import Column, Connection, Dialect, MetaData, String, Table, insert, inspect, select
from sqlalchemy.dialects import registry
from sqlalchemy.schema import CreateIndex, CreateTable

from breakwall.ports import LedgerError
from breakwall.storage.ledger.columns import METADATA
from breakwall.storage.ledger.database import (
    EmptyLedgerError,
    LedgerDamagedError,
    NewerLedgerError,
    Target,
    connect,
    explained,
    name_of,
)
from breakwall.storage.ledger.tables import REVISION
from breakwall.storage.ledger.triggers import guard_the_audit

CHECKED_BYTES = 64 << 20
"""Files up to this size are checked with their indexes, half a second at most; of larger ones only the structure."""

_VERSION = Table("alembic_version", MetaData(), Column("version_num", String(32), nullable=False))


def revision_of(connection: Connection, target: Target) -> str:
    """The Alembic revision of what is there; empty: nothing is. Raises LedgerError where it is somebody else's."""
    there = inspect(connection).get_table_names()
    if there and _VERSION.name not in there:
        raise LedgerError(
            f"{name_of(target)}: holds tables of another program ({there[0]}). Give the ledger its own place, or let "
            "`breakwall ledger rebuild` make it: what is there is kept under another name."
        )
    return connection.execute(select(_VERSION.c.version_num)).scalar() or "" if there else ""


def expect_current(connection: Connection, target: Target) -> None:
    """Whoever only reads needs these very tables. Raises LedgerError where they are newer, older, or not there."""
    found = revision_of(connection, target)
    if not found:
        raise EmptyLedgerError(
            f"{name_of(target)}: it is empty. `breakwall ledger rebuild` makes it from the journal."
        )
    if found < REVISION:
        text = f"{name_of(target)}: written by an older Breakwall (ledger schema {found}, this one reads {REVISION})"
        raise LedgerError(f"{text}. `breakwall ledger migrate` brings it up to date, and keeps a copy.")
    if found > REVISION:
        raise refuse_newer(target, found)


def make(connection: Connection) -> None:
    """All tables as of now, in an empty database. The same as all migrations make, without loading Alembic."""
    for statement in _statements(connection.dialect.name):
        connection.exec_driver_sql(statement)
    guard_the_audit(connection)
    connection.execute(insert(_VERSION).values(version_num=REVISION))


@cache
def _statements(dialect: str) -> list[str]:
    """Compiled once a process: the simulation makes many ledgers."""
    made: Dialect = registry.load(dialect)()
    tables = [*METADATA.sorted_tables, _VERSION]
    indexes = [index for table in tables for index in sorted(table.indexes, key=lambda index: str(index.name))]
    elements: list[CreateTable | CreateIndex] = [*map(CreateTable, tables), *map(CreateIndex, indexes)]
    return [str(element.compile(dialect=made)) for element in elements]


def check_sound(connection: Connection, target: Target) -> None:
    """Raises LedgerDamagedError where a SQLite file is not sound. SQLite sees damage in its own structures and in
    what is indexed; the rest shows in `ledger check`, which compares with the journal.
    """
    if connection.dialect.name == "sqlite":
        size = target.stat().st_size if isinstance(target, Path) else 0
        check = "integrity_check" if size <= CHECKED_BYTES else "quick_check"
        found = connection.exec_driver_sql(f"PRAGMA {check}(1)").scalar()
        if found != "ok":
            raise LedgerDamagedError(f"{name_of(target)}: {found}. `breakwall ledger rebuild` makes it again.")


def check_whole(connection: Connection, target: Target) -> None:
    """Raises LedgerDamagedError where a table of today's is missing."""
    missing = sorted(METADATA.tables.keys() - set(inspect(connection).get_table_names()))
    if missing:
        raise LedgerDamagedError(f"{name_of(target)}: {missing[0]} is missing. `breakwall ledger rebuild` makes it.")


def copy_of(path: Path, revision: str, now_ms: int) -> Path:
    """A copy of a SQLite file, all that is committed, beside it and for us alone."""
    copy = path.with_name(f"{path.name}.before-migration-{revision}-{now_ms}")
    copy.touch(mode=0o600)
    with closing(sqlite3.connect(path)) as db, closing(sqlite3.connect(copy)) as there:
        db.backup(there)
    return copy


def refuse_newer(target: Target, found: str) -> NewerLedgerError:
    return NewerLedgerError(
        f"{name_of(target)}: written by a newer Breakwall (ledger schema {found}, this one knows {REVISION}). "
        "Upgrade Breakwall, or move the file aside: it is then made again from the journal."
    )


class Migrated(Struct, frozen=True):
    """Revisions before and after, and the copy's name where one was made."""

    before: str
    after: str
    copy: str


def bring_up_to_date(target: Target, now_ms: int) -> Migrated:
    """What a start does to the tables, by hand. Raises LedgerError."""
    engine = connect(target, read_only=True)
    try:
        with engine.connect() as connection:
            found = revision_of(connection, target)
    except Exception as error:
        raise explained(target, error) from error
    finally:
        engine.dispose()
    copy = migrate(target, found, now_ms) if found != REVISION else None
    return Migrated(found, REVISION, copy.name if copy else "")


def migrate(target: Target, found: str, now_ms: int) -> Path | None:
    """Bring an older database to these tables, in one transaction; a file is copied before. Returns the copy.

    Raises NewerLedgerError, or LedgerError where a step fails: the database is then as it was.
    """
    from breakwall.storage.migrations import steps  # noqa: PLC0415 - loads Alembic, 11 MB, which is seldom needed

    return steps.climb(target, found, now_ms)
