import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from breakwall.storage.runs import AlreadyRunningError, InstanceLock, StateError, StateFolder, next_run

NOW_MS = 1_800_000_000_500


def lock(folder: Path, key: str = "") -> InstanceLock:
    """Names in the kernel are everybody's: each test has a key of its own."""
    return InstanceLock("bybit", "testnet", key or f"key of {folder}", folder)


def test_run_numbers_grow_whatever_the_clock_does() -> None:
    assert next_run(0, NOW_MS) == 1_800_000_000
    assert next_run(1_800_000_000, NOW_MS) == 1_800_000_001
    assert next_run(1_900_000_000, NOW_MS) == 1_900_000_001


def test_a_second_instance_is_refused_and_named(tmp_path: Path) -> None:
    first = lock(tmp_path)
    first.acquire()
    first.claim_run(0, NOW_MS)
    with pytest.raises(AlreadyRunningError, match=rf"process {os.getpid()}\) already trades.*\.lock"):
        lock(tmp_path).acquire()
    lock(tmp_path, f"another key of {tmp_path}").acquire()
    first.release()
    lock(tmp_path).acquire()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel has no names that nobody can delete")
def test_deleting_the_lock_file_or_using_another_folder_lets_nobody_in(tmp_path: Path) -> None:
    first = lock(tmp_path)
    first.acquire()
    first.path.unlink()
    elsewhere = InstanceLock("bybit", "testnet", f"key of {tmp_path}", tmp_path / "elsewhere")
    for second in (lock(tmp_path), elsewhere):
        for _ in range(3):
            with pytest.raises(AlreadyRunningError, match=rf"process {os.getpid()}\) already trades"):
                second.acquire()
    first.release()
    elsewhere.acquire()
    with pytest.raises(AlreadyRunningError):
        lock(tmp_path).acquire()


def test_the_lock_dies_with_its_process(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from breakwall.storage.runs import InstanceLock\n"
        "folder = sys.argv[1]; lock = InstanceLock('bybit', 'testnet', f'key of {folder}', Path(folder))\n"
        "lock.acquire()\n"
        "lock.claim_run(0, 1_900_000_000_000); os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False).returncode == -9
    mine = lock(tmp_path)
    mine.acquire()
    assert mine.claim_run(0, NOW_MS) == 1_900_000_001


def test_the_lock_remembers_the_run_when_the_journal_is_lost(tmp_path: Path) -> None:
    for expected in (1_800_000_000, 1_800_000_001):
        mine = lock(tmp_path)
        mine.acquire()
        assert mine.claim_run(0, NOW_MS) == expected
        mine.release()
    assert stat.S_IMODE(mine.path.stat().st_mode) == 0o600
    assert b"key" not in mine.path.name.encode() + mine.path.read_bytes()


def test_a_damaged_lock_file_is_no_obstacle(tmp_path: Path) -> None:
    mine = lock(tmp_path)
    mine.path.write_bytes(b"\xff what is this")
    mine.acquire()
    assert mine.claim_run(5, NOW_MS) == 1_800_000_000


def test_state_folder_is_ours_alone(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path / "deep" / "state")
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    assert folder.recording(7).name == "run-7.jsonl.zst"
    (tmp_path / "file").touch()
    with pytest.raises(StateError, match=r"file/state: .*--state"):
        StateFolder(tmp_path / "file" / "state")
