import asyncio
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from breakwall.model.actions import Note
from breakwall.model.journal import DAMAGED, EntryKind, JournalEntry
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
    assert modes == dict.fromkeys((path.name + side for side in ("", "-wal", "-shm", ".written")), 0o600)


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
    change(path, "UPDATE meta SET value = '3' WHERE name = 'schema'")
    with pytest.raises(JournalError, match=r"journal\.db: written by a newer .*schema 3.*Upgrade"):
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
async def test_a_damaged_journal_is_kept_and_a_new_one_says_so_until_its_end(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    damaged = b"this is not a database, but somebody's shopping list" * 100
    path.write_bytes(damaged)
    (first,) = await remembered(make(path, MINE))
    note = msgspec.json.decode(first.body, type=Note)
    assert note.kind == DAMAGED
    assert "not a database" in note.text
    assert (tmp_path / "journal.db.damaged-1").read_bytes() == damaged
    assert await remembered(make(path, MINE)) == (first,)
    path.write_bytes(damaged)
    assert len(await remembered(make(path, MINE))) == 1
    assert (tmp_path / "journal.db.damaged-2").exists()


@pytest.mark.asyncio
@pytest.mark.parametrize("lose", [Path.unlink, Path.touch], ids=["deleted", "emptied"])
async def test_a_journal_that_is_gone_is_missed(make: Make, tmp_path: Path, lose: Callable[[Path], None]) -> None:
    path = tmp_path / "journal.db"
    assert await remembered(make(path, MINE)) == ()
    assert await remembered(make(path, MINE)) == ()
    journal = make(path, MINE)
    await journal.open()
    await journal.commit([entry(1)])
    await journal.close()
    path.unlink()
    if lose is not Path.unlink:
        lose(path)
    (first,) = await remembered(make(path, MINE))
    assert "gone although" in msgspec.json.decode(first.body, type=Note).text
    assert await remembered(make(path, MINE)) == (first,)


@pytest.mark.asyncio
async def test_damage_to_the_structure_sets_the_file_aside(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    journal = make(path, MINE)
    await journal.open()
    await journal.commit([entry(seq) for seq in range(500)])
    await journal.close()
    content = bytearray(path.read_bytes())
    for page in range(2, len(content) // 4096):
        content[page * 4096 : page * 4096 + 12] = b"\xff" * 12
    path.write_bytes(content)
    (first,) = await remembered(make(path, MINE))
    assert msgspec.json.decode(first.body, type=Note).kind == DAMAGED


@pytest.mark.asyncio
@pytest.mark.parametrize("garbage", [b"63", b"\xff\xfe", b"\x00\x00"])
async def test_a_flipped_byte_in_what_was_written_is_noticed(make: Make, tmp_path: Path, garbage: bytes) -> None:
    """SQLite does not look into the columns; a price that has changed would still be a price."""
    path = tmp_path / "journal.db"
    journal = make(path, MINE)
    await journal.open()
    await journal.commit([entry(seq, f'{{"price":"{6400 + seq}"}}') for seq in range(5)])
    await journal.close()
    content = path.read_bytes()
    assert content.count(b'"6402"') == 1
    path.write_bytes(content.replace(b'"6402"', b'"' + garbage + b'02"'))
    entries = await remembered(make(path, MINE))
    assert [each.sound for each in entries] == [True, True, False, True, True]
    assert not (tmp_path / "journal.db.damaged-1").exists()


@pytest.mark.asyncio
async def test_a_journal_of_the_first_schema_is_upcast_with_all_it_knows(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    await remembered(make(path, MINE))
    change(path, "UPDATE meta SET value = '1' WHERE name = 'schema'")
    change(path, "DROP INDEX journal_checkpoint")
    change(path, "ALTER TABLE journal DROP COLUMN checksum")
    change(path, "INSERT INTO journal VALUES (1, 7, 1, 1001, 'intent', 'BTCUSDT', 'bw-7-1-e', '7-1', '{}')")
    assert await remembered(make(path, MINE)) == (entry(1),)
    journal = make(path, MINE)
    await journal.open()
    await journal.commit([entry(2)])
    await journal.close()
    assert await remembered(make(path, MINE)) == (entry(1), entry(2))


def checkpoint(seq: int, since: int, run: int = 7) -> JournalEntry:
    return JournalEntry(run, seq, 1_000 + seq, EntryKind.CHECKPOINT, f'{{"run":{run},"seq":{since}}}')


@pytest.mark.asyncio
async def test_a_restart_reads_the_newest_checkpoint_and_what_came_after_its_moment(
    make: Make, tmp_path: Path
) -> None:
    path = tmp_path / "journal.db"
    journal = make(path, MINE)
    await journal.open()
    written = [entry(1), entry(2), checkpoint(3, 1), entry(4), entry(5), entry(6), checkpoint(7, 4), entry(8)]
    await journal.commit(written)
    await journal.close()
    assert await remembered(make(path, MINE)) == (written[6], *written[4:])


@pytest.mark.asyncio
async def test_a_damaged_checkpoint_is_passed_over(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    journal = make(path, MINE)
    await journal.open()
    written = [entry(1), entry(2), checkpoint(3, 1), entry(4), checkpoint(5, 4), entry(6)]
    await journal.commit(written)
    await journal.close()
    path.write_bytes(path.read_bytes().replace(b'{"run":7,"seq":4}', b'{"run":7,"seq":9}'))
    entries = await remembered(make(path, MINE))
    assert entries[:4] == (written[2], *written[1:4])
    assert [each.sound for each in entries[4:]] == [False, True]


@pytest.mark.asyncio
@pytest.mark.parametrize("delete", [lambda path: path.unlink(), lambda path: shutil.rmtree(path.parent)])
async def test_a_journal_that_is_deleted_while_it_is_open_is_written_anew(
    tmp_path: Path, delete: Callable[[Path], None]
) -> None:
    path = tmp_path / "state" / "journal.db"
    journal = SqliteJournal(path, MINE)
    await journal.open()
    await journal.commit([entry(1), entry(2)])
    delete(path)
    await journal.commit([entry(3)])
    await journal.commit([entry(4)])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not list(path.parent.glob("*.again"))
    await journal.close()
    assert await remembered(SqliteJournal(path, MINE)) == tuple(map(entry, (1, 2, 3, 4)))


@pytest.mark.asyncio
async def test_a_journal_is_never_written_over_another_file_that_took_its_place(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    journal = SqliteJournal(path, MINE)
    await journal.open()
    path.rename(tmp_path / "moved.db")
    path.write_text("somebody's")
    for _ in range(2):
        with pytest.raises(JournalError, match="another file has taken its place"):
            await journal.commit([entry(1)])
    assert path.read_text() == "somebody's"
    path.unlink()
    await journal.commit([entry(2)])
    await journal.close()
    assert await remembered(SqliteJournal(path, MINE)) == (entry(2),)


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
