"""What no journal knows, taken over from another ledger's file."""

import contextlib
import sqlite3
from pathlib import Path

from sqlalchemy import Table

from breakwall.model.text import sanitise
from breakwall.storage.ledger.bookkeeper import Bookkeeper
from breakwall.storage.ledger.line import source_of
from breakwall.storage.ledger.tables import AUDIT, BOOKS, COINS, NUMBERED, STATS, SYSTEM_EVENTS, WALLS

SAID_BY_PEOPLE = (COINS, AUDIT, SYSTEM_EVENTS)
"""Of the audit and the system events only what was said outside of the journal."""
MARKET = (WALLS, STATS, BOOKS)


def carry_over(keeper: Bookkeeper, old: Path, tables: tuple[Table, ...]) -> tuple[dict[str, int], list[str]]:
    """Copy what can be read of these tables of another file; returns rows by table, and what could not, in words.

    A table that the file never had has lost nothing.
    """
    carried: dict[str, int] = {}
    lost: list[str] = []
    db = keeper.connection.connection.driver_connection
    assert isinstance(db, sqlite3.Connection)
    try:
        db.execute("ATTACH ? AS old", (f"{old.absolute().as_uri()}?mode=ro",))
    except sqlite3.Error as error:
        return {}, [f"all of them ({sanitise(error)})"]
    for table in tables:
        try:
            there = {row[1] for row in db.execute(f"PRAGMA old.table_info({table.name})")}
            if there:
                carried[table.name] = db.execute(_copy(table, there)).rowcount
        except sqlite3.Error as error:
            lost.append(f"{table.name} ({sanitise(error)})")
    with contextlib.suppress(sqlite3.Error):  # what cannot be read is told already
        lost += _unknown_runs(db)
    db.execute("DETACH old")
    return carried, lost


def _unknown_runs(db: sqlite3.Connection) -> list[str]:
    """Runs with orders in the old file that these books know nothing of: their journal is gone."""
    runs = f"SELECT DISTINCT source / {source_of(1, 0)} FROM"
    found = [str(run) for (run,) in db.execute(f"{runs} old.orders EXCEPT {runs} main.orders")]
    return [f"{len(found)} runs that this journal does not know ({', '.join(found)})"] if found else []


def _copy(table: Table, there: set[str]) -> str:
    """By the columns that are `there` as well: the old file may be of an earlier Breakwall."""
    numbered = table in NUMBERED
    names = [
        column.name for column in table.columns if column.name in there and not (numbered and column.name == "id")
    ]
    columns = ", ".join(f'"{name}"' for name in names)
    only = " WHERE source IS NULL" if numbered else ""
    return f"INSERT OR IGNORE INTO main.{table.name} ({columns}) SELECT {columns} FROM old.{table.name}{only}"  # noqa: S608 - our own tables' names
