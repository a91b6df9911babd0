"""The journal as the ledger reads it: row by row from where it left off, beside the one that writes it."""

import sqlite3
from pathlib import Path
from typing import Any

from breakwall.model.journal import JournalEntry
from breakwall.ports import JournalError
from breakwall.storage.journal_file import NAMES, entry_of, lenient

BUSY_S = 2.0
Numbered = tuple[int, JournalEntry]
"""A row number of the journal, and what stands there."""

_AFTER = f"SELECT id, {NAMES} FROM journal WHERE id > ? ORDER BY id LIMIT ?"  # noqa: S608 - constants


class JournalTail:
    """Reads a journal's file, never writes it. Opened with the first read. Methods raise JournalError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._db: sqlite3.Connection | None = None

    def after(self, row: int, most: int) -> list[Numbered]:
        """At most so many entries behind `row`, oldest first."""
        return [(number, entry_of(values)) for number, *values in self._ask(_AFTER, (row, most))]

    def run_at(self, row: int) -> int | None:
        """Which run wrote this row; None where there is no such row."""
        found = self._ask("SELECT run FROM journal WHERE id = ?", (row,))
        return found[0][0] if found else None

    def identity(self) -> dict[str, str]:
        """Whose journal it is: venue, environment, account."""
        return {name: value for name, value in self._ask("SELECT name, value FROM meta") if name != "schema"}

    def close(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            db.close()

    def _ask(self, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        try:
            if self._db is None:
                where = f"{self.path.absolute().as_uri()}?mode=ro"
                self._db = sqlite3.connect(where, uri=True, timeout=BUSY_S, check_same_thread=False)
                self._db.text_factory = lenient
            return self._db.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            self.close()
            raise JournalError(f"{self.path}: the journal cannot be read ({error})") from error
