"""The ledger's database: how it is opened, and what its failures mean in words."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, NullPool, StaticPool, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from breakwall.model.text import sanitise
from breakwall.ports import LedgerError

BUSY_S = 2.0
CONNECT_S = 3
_WRITING = ("journal_mode=TRUNCATE", "synchronous=NORMAL")
"""No write-ahead log: its index is mapped into memory, and whoever truncates that file kills the process (SIGBUS)."""

Target = Path | str | None
"""A SQLite file, the URL of a PostgreSQL database, or None: in memory."""


class LedgerDamagedError(LedgerError):
    """The file is not a sound database (any more)."""


class EmptyLedgerError(LedgerError):
    """Nothing was ever written to it."""


class NewerLedgerError(LedgerError):
    """Written by a newer Breakwall."""


def connect(target: Target, *, read_only: bool = False, foreign_keys: bool = True) -> Engine:
    """An engine for one writer, or for readers beside it. Opens nothing yet; a file must be there (`make_room`).

    Raises LedgerError where the driver of a server is not installed.
    """
    if isinstance(target, str):
        url = make_url(target).set(drivername="postgresql+psycopg")
        try:
            return create_engine(url, poolclass=NullPool, connect_args={"connect_timeout": CONNECT_S})
        except ImportError as error:
            raise LedgerError(f"{name_of(target)}: needs psycopg. `pip install 'breakwall[postgres]'`.") from error
    pool = StaticPool if target is None else NullPool
    engine = create_engine(
        "sqlite://", creator=_opener(target, read_only=read_only, foreign_keys=foreign_keys), poolclass=pool
    )
    begin = "BEGIN" if read_only else "BEGIN IMMEDIATE"
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin) and None)
    return engine


def explained(target: Target, error: Exception) -> LedgerError:
    """An error of the database, or of its file, in words; one that is in words already as it is."""
    if isinstance(error, LedgerError):
        return error
    origin: BaseException | None = (
        error.orig if isinstance(error, SQLAlchemyError) and hasattr(error, "orig") else error
    )
    text = sanitise(origin or error).rstrip(".")
    kind, remedy = _remedy(origin)
    return kind(f"{name_of(target)}: {text}. {remedy}")


def name_of(target: Target) -> str:
    """What the ledger is called towards people; never with a password."""
    if target is None:
        return "the ledger in memory"
    return make_url(target).render_as_string(hide_password=True) if isinstance(target, str) else str(target)


def make_room(path: Path) -> None:
    """The file for us alone (0600), in a folder for us alone. Raises OSError. Not while SQLite has it open here:
    closing any other handle of a file gives up this process's locks on it (fcntl(2)).
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))


def _opener(path: Path | None, *, read_only: bool, foreign_keys: bool) -> Callable[[], sqlite3.Connection]:
    """A reader opens for writing too, where it may: what a killed writer left half done is taken back first."""
    pragmas = ["query_only=ON"] if read_only else [*_WRITING, f"foreign_keys={'ON' if foreign_keys else 'OFF'}"]

    def open_it() -> sqlite3.Connection:
        where = ":memory:" if path is None else f"{path.absolute().as_uri()}?mode=rw"
        db = sqlite3.connect(where, uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            for pragma in pragmas:
                db.execute(f"PRAGMA {pragma}")
        except BaseException:
            db.close()
            raise
        return db

    return open_it


def _remedy(error: Any) -> tuple[type[LedgerError], str]:
    code = getattr(error, "sqlite_errorcode", None)
    code = code & 0xFF if isinstance(code, int) else None
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return LedgerDamagedError, "`breakwall ledger rebuild` makes it again from the journal."
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return (
            LedgerError,
            "Another program holds it (a backup, a browser for SQLite); it is tried again until it lets go.",
        )
    if code in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}:
        return LedgerError, "Free some space, or check the disk; what is missing is caught up from the journal."
    if code in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN} or isinstance(error, OSError):
        return (
            LedgerError,
            "Make the file and its folder writable for you; what is missing is caught up from the journal.",
        )
    return LedgerError, "It is tried again; what is missing is caught up from the journal."
