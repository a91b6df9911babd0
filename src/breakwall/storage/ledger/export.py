"""The tables as files for other programs: CSV for spreadsheets, JSON lines for the rest."""

import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Table, select

from breakwall.model.text import sanitise
from breakwall.storage.ledger.books import Books
from breakwall.storage.ledger.columns import METADATA
from breakwall.storage.ledger.market import unpacked
from breakwall.storage.ledger.tables import PROGRESS

TEXT_MOST = 100_000
_FORMULA = ("=", "+", "-", "@")
Row = Mapping[str, Any]


def names() -> list[str]:
    """The tables that can be exported."""
    return sorted(table.name for table in METADATA.tables.values() if table is not PROGRESS)


def export(books: Books, folder: Path, table: str, kind: str) -> tuple[Path, int]:
    """Write one table to `folder`, as csv or json; returns the file and how many rows it has. Raises OSError.

    The file is ours alone and appears when it is whole.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{table}.{'csv' if kind == 'csv' else 'jsonl'}"
    part = path.with_name(f".{path.name}.part")
    with os.fdopen(
        os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_NOFOLLOW, 0o600), "w", newline=""
    ) as file:
        count = _WRITERS[kind](file, METADATA.tables[table], _rows(books, METADATA.tables[table]))
    part.replace(path)
    return path, count


def _rows(books: Books, table: Table) -> Iterator[Row]:
    for row in books.connection.execute(select(table).order_by(*table.primary_key)).mappings():
        yield {name: _shown(value) for name, value in row.items()}


def _shown(value: Any) -> Any:
    return (
        [[list(map(str, level)) for level in side] for side in unpacked(value)] if isinstance(value, bytes) else value
    )


def _csv(file: IO[str], table: Table, rows: Iterable[Row]) -> int:
    writer = csv.DictWriter(file, [column.name for column in table.columns])
    writer.writeheader()
    count = 0
    for row in rows:
        writer.writerow({name: _cell(value) for name, value in row.items()})
        count += 1
    return count


def _cell(value: Any) -> Any:
    """Texts that a spreadsheet would take for a formula get an apostrophe; numbers are numbers."""
    if isinstance(value, Decimal):
        return format(value, "f")
    text = (
        json.dumps(value)
        if isinstance(value, list)
        else sanitise(value, TEXT_MOST)
        if isinstance(value, str)
        else value
    )
    return f"'{text}" if isinstance(text, str) and text.startswith(_FORMULA) else text


def _json(file: IO[str], _table: Table, rows: Iterable[Row]) -> int:
    count = 0
    for row in rows:
        file.write(json.dumps(row, default=str) + "\n")
        count += 1
    return count


_WRITERS: dict[str, Callable[[IO[str], Table, Iterable[Row]], int]] = {"csv": _csv, "json": _json}
