"""How many rows a second the ledger writes, and what it, and its death, cost the engine.

    python benchmarks/ledger.py [--rows N] [--seconds S] [--folder DIR]

First: rows a second into a file as the ledger makes it (indexes, foreign keys, checks), 5,000 in a transaction,
beside plain sqlite3 `executemany` of the same rows into the same tables. Target: 50,000.
Then: how late an event loop was and how long commits of a journal took in it, with no ledger, with one, with one that
another program holds (BEGIN EXCLUSIVE), and with one whose file is taken away again and again. 20 entries and 5 facts
of the market a second, each third of a second one commit: a wild market.
"""

import argparse
import asyncio
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from time import perf_counter
from typing import Any

import msgspec

from breakwall.clock import SystemClock
from breakwall.model.actions import Note
from breakwall.model.journal import EntryKind, JournalEntry
from breakwall.model.records import BookShot
from breakwall.settings import LedgerSettings
from breakwall.storage.journal import SqliteJournal
from breakwall.storage.ledger.batch import Batch
from breakwall.storage.ledger.bookkeeper import Bookkeeper
from breakwall.storage.ledger.database import make_room
from breakwall.storage.ledger.tables import FILLS, STATS
from breakwall.storage.ledger.writer import AFTER_START_S, ThreadLedger

BATCH = 5_000
PRICE = Decimal("64250.10")
NOTE = msgspec.json.encode(Note("process", "something to remember " * 6, durable=True)).decode()


def stats(number: int) -> dict[str, Any]:
    return {
        "symbol": f"S{number % 40}",
        "at_ms": number,
        "bid": PRICE,
        "ask": PRICE,
        "mark": PRICE,
        "turnover_24h_usdt": Decimal("1234567.89"),
        "change_24h": Decimal("0.0123"),
        "funding_rate": Decimal("0.0001"),
        "open_interest": Decimal("12345.678"),
        "walls": 3,
        "trend": "up",
    }


def fill(number: int) -> dict[str, Any]:
    return {
        "exec_id": f"BTCUSDT-{number}-t",
        "source": number,
        "order_key": None,
        "position_key": None,
        "symbol": "BTCUSDT",
        "client_id": f"bw-trs-{number}-e",
        "exec_kind": "Trade",
        "side": "Buy",
        "lots": 46,
        "qty": Decimal("0.046"),
        "price": PRICE,
        "fee_usdt": Decimal("1.634"),
        "maker": False,
        "at_ms": number,
        "trace": f"trs-{number}",
    }


def ledger_rows(folder: Path, rows: int) -> None:
    for table, make in ((STATS, stats), (FILLS, fill)):
        path = folder / f"{table.name}.db"
        make_room(path)
        keeper = Bookkeeper(path)
        keeper.open({}, 0)
        took = 0.0
        for start in range(0, rows, BATCH):
            batch = Batch()
            for number in range(start, start + BATCH):
                batch.add(table, make(number))
            began = perf_counter()
            with keeper.connection.begin():
                batch.write(keeper.connection)
            took += perf_counter() - began
        keeper.close()
        print(f"ledger          {table.name:14} {rows / took:10,.0f} rows/s")
        print(f"plain sqlite3   {table.name:14} {plain(path, folder, table.name, make, rows):10,.0f} rows/s")


def plain(model: Path, folder: Path, table: str, make: Callable[[int], dict[str, Any]], rows: int) -> float:
    """The same rows by bare `executemany` into tables and indexes as `model` has them; rows a second."""
    with closing(sqlite3.connect(model)) as there:
        kinds = "CASE type WHEN 'table' THEN 0 ELSE 1 END"
        query = f"SELECT sql FROM sqlite_master WHERE sql > '' AND type <> 'trigger' ORDER BY {kinds}"  # noqa: S608
        found = there.execute(query)
        statements = [sql for (sql,) in found]
    names = list(make(0))
    places = ", ".join("?" * len(names))
    insert = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({places}) ON CONFLICT DO NOTHING"  # noqa: S608
    took = 0.0
    with closing(sqlite3.connect(folder / f"plain-{table}.db", isolation_level=None)) as db:
        for statement in (
            "PRAGMA journal_mode=WAL",
            "PRAGMA synchronous=NORMAL",
            "PRAGMA foreign_keys=ON",
            *statements,
        ):
            db.execute(statement)
        for start in range(0, rows, BATCH):
            values = [tuple(map(bare, make(number).values())) for number in range(start, start + BATCH)]
            began = perf_counter()
            db.execute("BEGIN IMMEDIATE")
            db.executemany(insert, values)
            db.execute("COMMIT")
            took += perf_counter() - began
    return rows / took


def bare(value: object) -> object:
    return format(value, "f") if isinstance(value, Decimal) else value


class Trial:
    """A loop that commits and keeps facts for a while; what happens to its ledger is up to `harm`."""

    def __init__(self, folder: Path, seconds: float) -> None:
        self.folder = folder
        self.seconds = seconds
        self.late: list[float] = []
        self.commits: list[float] = []

    async def run(self, name: str, harm: Callable[[Path], Callable[[], None]] | None) -> None:
        folder = self.folder / name.replace(" ", "-")
        folder.mkdir()
        journal = SqliteJournal(folder / "journal.db", {})
        await journal.open()
        path = folder / "ledger.db"
        ledger = None
        if harm is not None:
            ledger = ThreadLedger(path, folder / "journal.db", SystemClock(), LedgerSettings(), lambda *_: None)
            ledger.keep(shot(0))
            while not path.exists() or ledger.trouble:  # noqa: ASYNC110 - a thread makes it
                await asyncio.sleep(0.1)
            await asyncio.sleep(AFTER_START_S / 2)
        end = perf_counter() + self.seconds
        watcher = asyncio.create_task(self.watch(end))
        stop = harm(path) if harm is not None else lambda: None
        number = 0
        while perf_counter() < end:
            entries = [entry(number + more) for more in range(7)]
            number += len(entries)
            began = perf_counter()
            await journal.commit(entries)
            self.commits.append(perf_counter() - began)
            if ledger is not None:
                ledger.take(entries)
                ledger.keep(shot(number))
                ledger.keep(shot(number + 1))
            await asyncio.sleep(0.33)
        await watcher
        stop()
        said = ledger.trouble[:60] if ledger is not None else ""
        if ledger is not None:
            await ledger.close()
        await journal.close()
        print(f"{name:16} loop late {ranks(self.late)}   commit {ranks(self.commits)}   {said}")

    async def watch(self, end: float) -> None:
        """How late a pause of 5 ms ends."""
        while perf_counter() < end:
            began = perf_counter()
            await asyncio.sleep(0.005)
            self.late.append(perf_counter() - began - 0.005)


def ranks(seconds: list[float]) -> str:
    ordered = sorted(seconds)
    p50, p99 = (ordered[int(len(ordered) * share)] * 1e3 for share in (0.50, 0.99))
    return f"p50 {p50:5.2f} p99 {p99:6.2f} max {ordered[-1] * 1e3:6.2f} ms"


def entry(number: int) -> JournalEntry:
    return JournalEntry(1_800_000_000, number, SystemClock().now_ms(), EntryKind.NOTE, NOTE)


def shot(number: int) -> BookShot:
    side = tuple((PRICE + level, Decimal("1.5")) for level in range(50))
    return BookShot("BTCUSDT", SystemClock().now_ms() + number, side, side)


def healthy(_path: Path) -> Callable[[], None]:
    return lambda: None


def held(path: Path) -> Callable[[], None]:
    db = sqlite3.connect(path, isolation_level=None, timeout=10, check_same_thread=False)
    db.execute("BEGIN EXCLUSIVE")
    return db.close


def taken_away(path: Path) -> Callable[[], None]:
    task = asyncio.get_running_loop().create_task(_take_away(path))
    return lambda: bool(task.cancel()) and None


async def _take_away(path: Path) -> None:
    while True:
        for part in path.parent.glob("ledger.db*"):
            part.unlink(missing_ok=True)
        await asyncio.sleep(1)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=100_000)
    options.add_argument("--seconds", type=float, default=15)
    options.add_argument("--folder", type=Path, help="on the disk to measure (default: the temporary folder)")
    chosen = options.parse_args()
    folder = Path(tempfile.mkdtemp(dir=chosen.folder))
    try:
        ledger_rows(folder, chosen.rows)
        for name, harm in (("no ledger", None), ("ledger", healthy), ("held", held), ("taken away", taken_away)):
            asyncio.run(Trial(folder, chosen.seconds).run(name, harm))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
