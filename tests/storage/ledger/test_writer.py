import asyncio
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from breakwall.clock import SystemClock
from breakwall.model.actions import Note
from breakwall.model.records import BookShot
from breakwall.settings import LedgerSettings
from breakwall.storage.ledger import database, writer
from breakwall.storage.ledger.books import opened
from breakwall.storage.ledger.tables import BOOKS
from breakwall.storage.ledger.writer import FACTS_MOST, ThreadLedger
from tests.storage.ledger.conftest import Write
from tests.storage.ledger.diary import SYMBOL, Diary


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AFTER_START_S", "GATHER_S", "IDLE_S", "RETRY_S"):
        monkeypatch.setattr(writer, name, 0.02)
    monkeypatch.setattr(database, "BUSY_S", 0.02)


class Run:
    """A ledger over a run folder, and what it said."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "ledger.db"
        self.said: list[Note] = []
        self.ledger = ThreadLedger(
            self.path, folder / "journal.db", SystemClock(), LedgerSettings(), lambda note, _: self.said.append(note)
        )

    async def until(self, seen: Callable[[], object]) -> None:
        async with asyncio.timeout(60):
            while not seen():  # noqa: ASYNC110 - a thread does it
                await asyncio.sleep(0.01)

    def troubled(self) -> bool:
        return bool(self.ledger.trouble)

    def at_peace(self) -> bool:
        return not self.ledger.trouble


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


NOW_MS = SystemClock().now_ms()


def shot(number: int) -> BookShot:
    return BookShot(SYMBOL, NOW_MS + number, ((Decimal(1), Decimal(2)),), ())


@pytest.mark.asyncio
async def test_what_is_taken_and_kept_is_in_the_books_once_it_is_closed(diary: Diary, write: Write, run: Run) -> None:
    diary.trades()
    write(diary.entries)
    run.ledger.take(diary.entries)
    run.ledger.keep(shot(1))
    await run.ledger.close()
    with opened(run.path) as books:
        assert len(books.trades()) == 1
        assert len(books.connection.execute(BOOKS.select()).all()) == 1
    assert run.said == []


@pytest.mark.asyncio
async def test_trouble_is_told_once_and_when_it_is_over(diary: Diary, write: Write, run: Run) -> None:
    write(diary.entries)
    run.path.mkdir()
    run.ledger.take(diary.entries)
    run.ledger.keep(shot(1))
    await run.until(run.troubled)
    await asyncio.sleep(0.1)
    run.path.rmdir()
    await run.until(run.at_peace)
    await run.ledger.close()
    assert [note.level for note in run.said] == ["warning", "info"]
    with opened(run.path) as books:
        assert len(books.connection.execute(BOOKS.select()).all()) == 1


@pytest.mark.asyncio
async def test_what_waits_of_the_market_is_bounded_and_counted(diary: Diary, write: Write, run: Run) -> None:
    journal = write(diary.entries)
    shutil.move(journal, journal.with_name("away.db"))
    run.ledger.take(diary.entries)
    await run.until(run.troubled)
    for number in range(FACTS_MOST + 7):
        run.ledger.keep(shot(number))
    await asyncio.sleep(0.1)
    shutil.move(journal.with_name("away.db"), journal)
    await run.until(run.at_peace)
    await run.ledger.close()
    with opened(run.path) as books:
        oldest, *rest = books.connection.execute(BOOKS.select().order_by(BOOKS.c.at_ms)).mappings()
        assert (oldest["at_ms"], len(rest)) == (NOW_MS + 7, FACTS_MOST - 1)
        assert "7 facts of the market were dropped" in books.system_events()[-1].text


@pytest.mark.asyncio
async def test_a_ledger_that_was_never_asked_starts_no_thread(run: Run) -> None:
    before = threading.active_count()
    await run.ledger.close()
    assert threading.active_count() == before
    assert not run.path.exists()


@pytest.mark.asyncio
async def test_the_end_does_not_wait_for_a_ledger_that_somebody_holds(diary: Diary, write: Write, run: Run) -> None:
    write(diary.entries)
    run.ledger.take(diary.entries)
    await run.until(lambda: run.path.exists() and run.path.stat().st_size)
    with closing(sqlite3.connect(run.path, isolation_level=None, timeout=10)) as db:
        db.execute("BEGIN EXCLUSIVE")
        diary.trades()
        write(diary.entries[2:])
        run.ledger.take(diary.entries)
        async with asyncio.timeout(60):
            await run.ledger.close()


LIGHT = """import sys, breakwall.storage.ledger.writer, breakwall.storage.ledger.at_start
print('sqlalchemy' in sys.modules)"""


def test_the_loop_loads_no_sqlalchemy() -> None:
    done = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
