"""The books beside what the journal makes of itself: an edited or lost row shows, and `ledger rebuild` heals it."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Table, select

from breakwall.storage.ledger.bookkeeper import Bookkeeper
from breakwall.storage.ledger.books import Books, opened
from breakwall.storage.ledger.database import Target
from breakwall.storage.ledger.journal_tail import JournalTail
from breakwall.storage.ledger.tables import (
    AUDIT,
    FILLS,
    HANGING,
    INSTRUMENTS,
    NUMBERED,
    ORDER_STEPS,
    ORDERS,
    POSITION_STEPS,
    POSITIONS,
    RECOVERIES,
    RUNS,
    SYSTEM_EVENTS,
    TRADES,
)

BATCH = 1_000
PROJECTED = (
    *(INSTRUMENTS, RUNS, POSITIONS, POSITION_STEPS, ORDERS, ORDER_STEPS, FILLS, TRADES),
    *(RECOVERIES, HANGING, SYSTEM_EVENTS, AUDIT),
)
"""All that is made from the journal."""


class Checked(Struct, frozen=True):
    """How far the books are (`row`), how many entries they are behind, and where they differ, in words."""

    row: int
    behind: int
    differences: tuple[str, ...]


def check(target: Target, journal: Path) -> Checked:
    """Project the journal anew, in memory, as far as the books go. Raises LedgerError or JournalError."""
    truth, tail = Bookkeeper(None), JournalTail(journal)
    with contextlib.closing(truth), contextlib.closing(tail), opened(target) as books:
        truth.open(tail.identity(), 0)
        _, until = books.progress()
        behind = 0
        last = 0
        while lines := tail.after(last, BATCH):
            truth.book([line for line in lines if line[0] <= until])
            behind += sum(row > until for row, _ in lines)
            last = lines[-1][0]
        with truth.connection.begin():
            found = [text for table in PROJECTED for text in _differences(table, books, truth.connection)]
    return Checked(until, behind, tuple(found))


def _differences(table: Table, books: Books, truth: Connection) -> list[str]:
    ours, theirs = _rows(table, books.connection), _rows(table, truth)
    found = []
    for key in sorted({*ours, *theirs}, key=str):
        name = f"{table.name} {' '.join(map(str, key))}"
        if key not in theirs:
            found.append(f"{name}: only in the books, the journal knows nothing of it")
        elif key not in ours:
            found.append(f"{name}: missing in the books")
        else:
            found += [f"{name}: {text}" for text in _changed(ours[key], theirs[key])]
    return found


def _changed(row: Mapping[str, Any], true: Mapping[str, Any]) -> list[str]:
    return [f"{name} is {row[name]!s}, the journal makes {true[name]!s}" for name in true if row[name] != true[name]]


def _rows(table: Table, connection: Connection) -> dict[tuple[Any, ...], Mapping[str, Any]]:
    """The projected rows by their key."""
    numbered = table in NUMBERED
    keys = ["source"] if numbered else [column.name for column in table.primary_key]
    query = select(*[column for column in table.columns if not (numbered and column.name == "id")])
    if numbered:
        query = query.where(table.c.source.is_not(None))
    rows = connection.execute(query).mappings()
    return {tuple(row[name] for name in keys): dict(row) for row in rows}
