"""The books once more from the journal, in a fresh file that takes the old one's place."""

import contextlib
import os
import sqlite3
from pathlib import Path

from msgspec import Struct

from breakwall.ports import LedgerError
from breakwall.storage.ledger.bookkeeper import Bookkeeper
from breakwall.storage.ledger.carry import MARKET, SAID_BY_PEOPLE, carry_over
from breakwall.storage.ledger.database import BUSY_S, explained, make_room
from breakwall.storage.ledger.journal_tail import JournalTail

BATCH = 1_000


class Rebuilt(Struct, frozen=True):
    """What was made: entries read, rows written, rows carried over by table, and what the old file is called now."""

    entries: int
    rows: int
    carried: dict[str, int]
    lost: tuple[str, ...]
    kept: str


def rebuild(path: Path, journal: Path, now_ms: int) -> Rebuilt:
    """Make the file at `path` again from `journal`; the old one is kept beside it.

    A cockpit that is writing goes on with the new one. Raises LedgerError or JournalError; then nothing has changed.
    """
    fresh = path.with_name(f"{path.name}.new-{now_ms}")
    try:
        make_room(fresh)
        entries, rows, carried, lost = _fill(fresh, path, journal, now_ms)
        kept = _swap(path, fresh, now_ms)
    except OSError as error:
        raise explained(path, error) from error
    finally:
        for suffix in ("", "-journal"):
            fresh.with_name(fresh.name + suffix).unlink(missing_ok=True)
    return Rebuilt(entries, rows, carried, tuple(lost), kept.name if kept else "")


def _fill(fresh: Path, old: Path, journal: Path, now_ms: int) -> tuple[int, int, dict[str, int], list[str]]:
    keeper, tail = Bookkeeper(fresh), JournalTail(journal)
    with contextlib.closing(keeper), contextlib.closing(tail):
        keeper.open(tail.identity(), now_ms)
        entries = rows = last = 0
        while lines := tail.after(last, BATCH):
            rows += keeper.book(lines)
            entries += len(lines)
            last = lines[-1][0]
        there = old.exists() and old.stat().st_size > 0
        carried, lost = carry_over(keeper, old, (*SAID_BY_PEOPLE, *MARKET)) if there else ({}, [])
        keeper.tell(now_ms, "ledger", f"made again from {entries} entries of the journal", "info")
    return entries, rows, carried, lost


def _swap(path: Path, fresh: Path, now_ms: int) -> Path | None:
    """The fresh file takes the name in one step, between two transactions of whoever writes the old one."""
    if not path.exists():
        fresh.replace(path)
        return None
    kept = path.with_name(f"{path.name}.before-rebuild-{now_ms}")
    with contextlib.closing(sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)) as old:
        try:
            old.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            raise explained(path, error) from error
        except sqlite3.DatabaseError:  # damaged: nobody can be writing it
            pass
        os.link(path, kept)
        journal = path.with_name(f"{path.name}-journal")
        if journal.exists():  # empty but for a damaged file: SQLite would play it into the new one
            journal.replace(kept.with_name(f"{kept.name}-journal"))
        fresh.replace(path)
    return kept


def refuse_server(url: str) -> LedgerError:
    return LedgerError(
        f"{url}: only a file is made again in place. Make an empty database, name it in `[ledger] url`: "
        "the books are written into it from the journal at the next start."
    )
