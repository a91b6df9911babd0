"""Log files: one a day, whole lines, and nobody waits for a disk."""

import errno
import os
import stat
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from breakwall.logs import files
from breakwall.logs.files import DailyFiles, Line

NOON = int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp() * 1000)
DAY = 86_400_000


def line(number: int, at_ms: int = NOON) -> Line:
    return Line(at_ms, b'{"n":%d}' % number)


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.002)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "RETRY_S", 0.01)


def test_lines_go_to_the_file_of_their_day_in_order(tmp_path: Path) -> None:
    log = DailyFiles("", 30)
    log.put(line(0, NOON - 60_000))
    log.open(tmp_path / "logs")
    for number, at_ms in enumerate((NOON, NOON + DAY // 2 - 1, NOON + DAY // 2, NOON + DAY), 1):
        log.put(line(number, at_ms))
    log.put(line(5, NOON))  # a thread was late: it does not open yesterday's file again
    assert log.close(5)
    assert {path.name: path.read_text() for path in (tmp_path / "logs").iterdir()} == {
        "2026-11-20.jsonl": '{"n":0}\n{"n":1}\n{"n":2}\n',
        "2026-11-21.jsonl": '{"n":3}\n{"n":4}\n{"n":5}\n',
    }
    assert stat.S_IMODE((tmp_path / "logs").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "logs").iterdir()} == {0o600}


def test_old_files_go_and_others_stay(tmp_path: Path) -> None:
    names = ["2026-11-17.jsonl", "2026-11-18.jsonl", "errors-2026-11-01.jsonl", "2026-01-01.txt", "notes"]
    for name in names:
        (tmp_path / name).touch()
    log = DailyFiles("", 2)
    log.open(tmp_path)
    log.put(line(1))
    assert log.close(5)
    assert {path.name for path in tmp_path.iterdir()} == {*names[1:], "2026-11-20.jsonl"}


def test_half_a_line_of_an_earlier_run_is_ended(tmp_path: Path) -> None:
    (tmp_path / "2026-11-20.jsonl").write_text('{"n":0}\n{"n":')
    log = DailyFiles("", 2)
    log.open(tmp_path)
    log.put(line(1))
    assert log.close(5)
    assert (tmp_path / "2026-11-20.jsonl").read_text() == '{"n":0}\n{"n":\n{"n":1}\n'


@pytest.mark.usefixtures("hurried")
def test_a_full_disk_loses_the_oldest_lines_and_tells_how_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full, write = threading.Event(), os.write

    def half_a_write(file: int, data: bytes) -> int:
        if not full.is_set() or len(data) < 4:
            return write(file, data)
        write(file, data[:3])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files, "MOST", 100)
    monkeypatch.setattr(os, "write", half_a_write)
    log = DailyFiles("", 30)
    log.open(tmp_path)
    log.put(line(0))
    until(lambda: next(tmp_path.iterdir(), tmp_path).stat().st_size == 8)
    full.set()
    for number in range(1, 151):
        log.put(line(number, NOON + number))
    until(lambda: log.trouble == "No space left on device, 50 lines lost")
    assert log.healed() is None
    full.clear()
    until(lambda: not log.trouble)
    gap = log.healed()
    assert gap is not None
    assert gap.words == "50 lines of the log were lost over 0 s: No space left on device"
    assert (gap.since_ms, gap.until_ms) == (NOON + 1, NOON + 50)
    assert log.healed() is None
    assert log.close(5)
    numbers = (tmp_path / "2026-11-20.jsonl").read_text().splitlines()
    assert numbers == ['{"n":0}', *(f'{{"n":{number}}}' for number in range(51, 151))]


@pytest.mark.usefixtures("hurried")
def test_a_file_that_was_removed_is_made_anew(tmp_path: Path) -> None:
    log = DailyFiles("", 30)
    log.open(tmp_path / "logs")
    path = tmp_path / "logs" / "2026-11-20.jsonl"
    log.put(line(1))
    until(path.exists)
    until(lambda: path.stat().st_size > 0)
    path.unlink()
    path.parent.rmdir()
    log.put(line(2))
    assert log.close(5)
    assert path.read_text() == '{"n":2}\n'


@pytest.mark.usefixtures("hurried")
def test_a_disk_that_stalls_delays_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    back, write = threading.Event(), os.write
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data) if back.wait() else 0)
    log = DailyFiles("", 30)
    log.open(tmp_path)
    for number in range(files.STALLED + 1_000):
        log.put(line(number))
    assert log.trouble == "the disk takes nothing"
    assert not log.close(0.01)
    back.set()
    assert log.close(5)


def test_a_folder_that_cannot_be_made_is_trouble_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    log = DailyFiles("", 30)
    log.open(tmp_path / "file" / "logs")
    log.put(line(1))
    until(lambda: bool(log.trouble))
    assert log.trouble == "Not a directory"
    assert not log.close(5)
    assert log._thread is not None
    assert not log._thread.is_alive()


def test_without_a_folder_nothing_is_waited_for() -> None:
    log = DailyFiles("", 30)
    log.put(line(1))
    assert log.close(0)
