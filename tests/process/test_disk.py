"""Files that fail a running demo, and files it cannot start with: the disk is full, locked, damaged, gone."""

import contextlib
import os
import resource
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.process.books import Bourse, compare, judge
from tests.process.demo import Demo, hasty, rob

pytestmark = pytest.mark.process


def fill_disk(demo: Demo) -> None:
    """No file of this process grows any more, as on a full disk."""
    resource.prlimit(demo.process.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))


def make_room(demo: Demo) -> None:
    resource.prlimit(demo.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def test_a_full_disk_stops_entries_and_nothing_else(bourse: Bourse, tmp_path: Path) -> None:
    """Journal, recording and log all fail; a stop that vanishes is set again, and later the journal has it all."""
    key = bourse.open(tmp_path, 1)
    demo = Demo(tmp_path, *hasty(tmp_path))
    demo.wait_for(" opened ")
    fill_disk(demo)
    rob(demo)
    demo.wait_for("journal fails")
    demo.wait_for("stop to ")
    bourse.protected(key)
    demo.wait_for("the recording ends here, trading goes on")
    make_room(demo)
    demo.wait_for("journal writes again")
    code, _ = demo.leave()
    assert code == 0, demo.tail
    truth = bourse.ask(shut=key)
    judge(truth, robbed=True)
    compare(truth, tmp_path)


def test_leaving_with_a_full_disk_still_closes_what_is_held(bourse: Bourse, tmp_path: Path) -> None:
    key = bourse.open(tmp_path, 2)
    demo = Demo(tmp_path, *hasty(tmp_path))
    demo.wait_for(" opened ")
    fill_disk(demo)
    code, _ = demo.leave()
    assert code == 0, demo.tail
    truth = bourse.ask(shut=key)
    judge(truth)
    assert (truth["positions"], truth["open"]) == ({}, [])


def test_a_backup_that_locks_the_journal_stops_entries_and_nothing_else(bourse: Bourse, tmp_path: Path) -> None:
    key = bourse.open(tmp_path, 3)
    demo = Demo(tmp_path, *hasty(tmp_path))
    demo.wait_for(" opened ")
    backup = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    backup.execute("BEGIN EXCLUSIVE")
    rob(demo)
    demo.wait_for("stop to ")
    bourse.protected(key)
    assert "locked" in demo.wait_for("journal fails")
    backup.execute("ROLLBACK")
    backup.close()
    demo.wait_for("journal writes again")
    assert demo.leave()[0] == 0, demo.tail
    truth = bourse.ask(shut=key)
    judge(truth, robbed=True)
    compare(truth, tmp_path)


def flip(file: Path) -> None:
    """A byte in each page, the first one spared: it says what kind of file this is."""
    whole = bytearray(file.read_bytes())
    for place in range(5_000, len(whole), 4_096):
        whole[place] ^= 0xFF
    file.write_bytes(whole)


def cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def garble(file: Path) -> None:
    file.write_bytes(b"\x1b]0;what is this?\x07" * 1_000)


@pytest.mark.parametrize("spoil", [flip, cut, garble, Path.unlink])
def test_it_starts_with_whatever_is_left_of_its_files(
    bourse: Bourse, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    """Without its memory it observes: what is held stays as it is, with its stop, and nothing is opened."""
    key = bourse.open(tmp_path, 4)
    words = hasty(tmp_path)
    first = Demo(tmp_path, *words)
    first.wait_for(" opened ")
    time.sleep(1.0)
    first.kill()
    for file in tmp_path.rglob("*"):
        if file.suffix in {".db", ".db-wal", ".zst", ".jsonl", ".lock"} or file.name == "heartbeat.json":
            spoil(file)
    heir = Demo(tmp_path, *words)
    assert "MISSING" not in heir.wait_for("recovered: SOLUSDT")
    judge(bourse.truth(key))
    assert heir.leave()[0] == 5, heir.tail
    assert "observing only" in heir.tail
    truth = bourse.ask(shut=key)
    judge(truth)
    assert (len(truth["stops"]), truth["open"], len(truth["orders"])) == (1, [], 1)
    assert "\x1b" not in "".join(heir.lines)


def test_files_deleted_under_a_running_demo_are_there_again_at_its_end(bourse: Bourse, tmp_path: Path) -> None:
    key = bourse.open(tmp_path, 5)
    demo = Demo(tmp_path, *hasty(tmp_path))
    demo.wait_for(" opened ")
    for file in tmp_path.glob("*.db*"):
        file.unlink()
    assert demo.leave()[0] == 0, demo.tail
    truth = bourse.ask(shut=key)
    judge(truth)
    compare(truth, tmp_path)


def test_what_cannot_be_used_is_named(bourse: Bourse, tmp_path: Path) -> None:
    """A journal of somebody else, one that a program holds, a folder that cannot be written: exit code 2 or 6."""
    state, words = tmp_path / "state", hasty(tmp_path)
    key = bourse.open(state, 6)
    first = Demo(state, *words)
    first.wait_for("recovered: ")
    first.kill()
    refused(Demo(Path("/proc/breakwall"), *words), 2, "/proc/breakwall")
    with contextlib.closing(sqlite3.connect(state / "journal.db", isolation_level=None)) as db:
        db.execute("BEGIN EXCLUSIVE")
        refused(Demo(state, *words), 6, "locked")
        db.execute("ROLLBACK")
        for name, value, text in (("schema", "99", "newer"), ("venue", "another", "belongs to another venue")):
            db.execute("UPDATE meta SET value = ? WHERE name = ?", (value, name))
            refused(Demo(state, *words), 6, text)
            db.execute("UPDATE meta SET value = '2' WHERE name = 'schema'")
    bourse.ask(shut=key)


def refused(demo: Demo, code: int, words: str) -> None:
    assert demo.end()[0] == code, demo.tail
    assert words in demo.tail
    assert "Traceback" not in demo.tail
