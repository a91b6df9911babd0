import asyncio
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from breakwall.model.journal import EntryKind, JournalEntry
from breakwall.ports import Journal, JournalError
from breakwall.storage import journal as storage_journal
from breakwall.storage.journal import InlineJournal, SqliteJournal

MINE = {"venue": "bybit", "environment": "demo", "account_id": "42"}

Make = Callable[[Path, dict[str, str]], Journal]


@pytest.fixture(params=[SqliteJournal, InlineJournal])
def make(request: pytest.FixtureRequest) -> Make:
    kind: Make = request.param
    return kind


def entry(seq: int, body: str = "{}") -> JournalEntry:
    return JournalEntry(7, seq, 1_000 + seq, EntryKind.INTENT, body, "BTCUSDT", f"bw-7-{seq}-e", f"7-{seq}")


async def remembered(journal: Journal) -> tuple[JournalEntry, ...]:
    entries = await journal.open()
    await journal.close()
    return entries


@pytest.mark.asyncio
async def test_what_was_committed_is_remembered_in_order(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "state" / "journal.db"
    first = make(path, MINE)
    assert await first.open() == ()
    awkward = '{"why":"a \\u0000 \\"quoted\\" wall — 壁"}'
    await first.commit([entry(1, awkward), entry(2)])
    await first.commit([])
    await first.commit([JournalEntry(7, 3, 5, EntryKind.NOTE, "{}")])
    await first.close()
    assert await remembered(make(path, MINE)) == (
        entry(1, awkward),
        entry(2),
        JournalEntry(7, 3, 5, EntryKind.NOTE, "{}"),
    )


@pytest.mark.asyncio
async def test_both_journals_read_each_other(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    inline = InlineJournal(path, MINE)
    await inline.open()
    await inline.commit([entry(1)])
    await inline.close()
    assert await remembered(SqliteJournal(path, MINE)) == (entry(1),)


@pytest.mark.asyncio
async def test_an_unclosed_journal_keeps_its_commits(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    abandoned = make(path, MINE)
    await abandoned.open()
    await abandoned.commit([entry(1)])
    assert await remembered(make(path, MINE)) == (entry(1),)
    await abandoned.close()


@pytest.mark.asyncio
async def test_memory_survives_close_until_dropped() -> None:
    journal = InlineJournal()
    await journal.open()
    await journal.commit([entry(1)])
    await journal.close()
    assert await journal.open() == (entry(1),)
    journal.drop()
    with pytest.raises(JournalError, match="not open"):
        await journal.commit([entry(2)])


@pytest.mark.asyncio
async def test_files_are_for_us_alone_and_durable(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "state" / "journal.db"
    journal = make(path, MINE)
    await journal.open()
    await journal.commit([entry(1)])
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    await journal.close()
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert modes == dict.fromkeys(("journal.db", "journal.db-wal", "journal.db-shm"), 0o600)


@pytest.mark.asyncio
@pytest.mark.parametrize("statement", ["UPDATE journal SET body = ''", "DELETE FROM journal"])
async def test_history_cannot_be_rewritten(make: Make, tmp_path: Path, statement: str) -> None:
    path = tmp_path / "journal.db"
    journal = make(path, MINE)
    await journal.open()
    await journal.commit([entry(1)])
    await journal.close()
    with sqlite3.connect(path) as db, pytest.raises(sqlite3.IntegrityError, match="append-only"):
        db.execute(statement)
    db.close()


def change(path: Path, statement: str) -> None:
    db = sqlite3.connect(path)
    with db:
        db.execute(statement)
    db.close()


@pytest.mark.asyncio
async def test_a_newer_journal_is_refused_with_the_remedy(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    await remembered(make(path, MINE))
    change(path, "UPDATE meta SET value = '2' WHERE name = 'schema'")
    with pytest.raises(JournalError, match=r"journal\.db: written by a newer .*schema 2.*Upgrade"):
        await make(path, MINE).open()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("other", "text"),
    [
        ({"account_id": "43"}, "another account id: expected '43', found '42'"),
        ({"venue": "binance"}, "another venue"),
    ],
)
async def test_a_foreign_journal_is_refused(make: Make, tmp_path: Path, other: dict[str, str], text: str) -> None:
    path = tmp_path / "journal.db"
    await remembered(make(path, MINE))
    with pytest.raises(JournalError, match=text):
        await make(path, {**MINE, **other}).open()


@pytest.mark.asyncio
async def test_a_damaged_journal_is_named_and_kept(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    damaged = b"this is not a database, but somebody's shopping list" * 100
    path.write_bytes(damaged)
    with pytest.raises(JournalError, match=r"journal\.db: .*not a database.*left as it is"):
        await make(path, MINE).open()
    assert path.read_bytes() == damaged


@pytest.mark.asyncio
async def test_flipped_bytes_are_noticed(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    journal = make(path, MINE)
    await journal.open()
    await journal.commit([entry(seq) for seq in range(500)])
    await journal.close()
    content = bytearray(path.read_bytes())
    for page in range(2, len(content) // 4096):
        content[page * 4096 : page * 4096 + 12] = b"\xff" * 12
    path.write_bytes(content)
    with pytest.raises(JournalError, match=r"journal\.db: .*left as it is"):
        await make(path, MINE).open()


@pytest.mark.asyncio
async def test_a_folder_that_cannot_be_made_is_named(make: Make, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(JournalError, match=r"file/journal\.db: the journal cannot be written .*--state"):
        await make(tmp_path / "file" / "journal.db", MINE).open()


@pytest.mark.asyncio
async def test_a_full_disk_fails_the_commit(tmp_path: Path) -> None:
    journal = InlineJournal(tmp_path / "journal.db", MINE)
    await journal.open()
    assert journal._db is not None
    journal._db.execute("PRAGMA max_page_count = 20")
    with pytest.raises(JournalError, match=r"full.*Free some space"):
        await journal.commit([entry(seq, '{"x":"' + "x" * 4000 + '"}') for seq in range(100)])
    await journal.commit([entry(1)])
    await journal.close()
    assert await remembered(InlineJournal(tmp_path / "journal.db", MINE)) == (entry(1),)


WRITER = """
import asyncio, sys
from pathlib import Path
from breakwall.model.journal import EntryKind, JournalEntry
from breakwall.storage.journal import SqliteJournal

async def main():
    journal = SqliteJournal(Path(sys.argv[1]), {})
    await journal.open()
    for seq in range(1, 100_000):
        await journal.commit([JournalEntry(1, seq, 0, EntryKind.INTENT, "{}")] * 3)
        print(seq, flush=True)

asyncio.run(main())
"""


def test_a_kill_loses_nothing_that_was_committed_and_halves_no_group(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        while int(writer.stdout.readline()) < 200:
            pass
        writer.kill()
        told = [200, *(int(line) for line in writer.stdout if line.endswith("\n"))]
    entries = asyncio.run(remembered(SqliteJournal(path, {})))
    last = entries[-1].seq
    assert last in {told[-1], told[-1] + 1}
    assert [entry.seq for entry in entries] == [seq for seq in range(1, last + 1) for _ in range(3)]


@pytest.mark.asyncio
async def test_a_file_that_somebody_holds_is_named(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "journal.db"
    await remembered(make(path, MINE))
    monkeypatch.setattr(storage_journal, "BUSY_S", 0.05)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(JournalError, match=r"journal\.db: database is locked.*Another program"):
        await make(path, MINE).open()
    holder.close()
