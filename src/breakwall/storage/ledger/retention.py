"""How long the market is remembered. What we traded is never forgotten."""

from sqlalchemy import Column, Connection, delete, func, select

from breakwall.settings import LedgerSettings
from breakwall.storage.ledger.tables import BOOKS, STATS, WALLS

DAY_MS = 86_400_000


def tidy(connection: Connection, settings: LedgerSettings, now_ms: int) -> int:
    """Delete what is older than the settings say, a day at a time: no transaction is long. Returns how many."""
    limits: tuple[tuple[Column[int], int], ...] = (
        (WALLS.c.ended_ms, settings.walls_days),
        (STATS.c.at_ms, settings.walls_days),
        (BOOKS.c.at_ms, settings.books_days),
    )
    return sum(_forget(connection, column, now_ms - days * DAY_MS) for column, days in limits)


def _forget(connection: Connection, column: Column[int], before_ms: int) -> int:
    forgotten = 0
    while True:
        with connection.begin():
            oldest = connection.execute(select(func.min(column))).scalar()
            if oldest is None or oldest >= before_ms:
                return forgotten
            until_ms = min(before_ms, oldest + DAY_MS)
            forgotten += connection.execute(delete(column.table).where(column < until_ms)).rowcount
