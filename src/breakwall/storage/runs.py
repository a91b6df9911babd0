"""Where a run keeps its files, how it is numbered, and who may trade at the same time.

The lock is one file per venue, environment and key in one fixed folder of the user, whatever state
folder a run was given: two cockpits on one account would fight over its positions. The same file
remembers the last run number, so that client ids never repeat even when a journal is lost.
"""

import fcntl
import hashlib
import os
from pathlib import Path
from typing import Self

import platformdirs

from breakwall.model.text import file_name

APP = "breakwall"


class AlreadyRunningError(Exception):
    """Another process trades on this account: names the process and the remedy. Exit code 6."""


class StateError(Exception):
    """A folder of ours cannot be used: names it and the remedy. Exit code 2."""


class StateFolder:
    """The files of one account's runs. Creates the folder with mode 0700; raises StateError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StateError(
                f"{path}: the state folder cannot be made ({error.strerror}). Give a writable one with --state."
            ) from error

    @property
    def journal(self) -> Path:
        return self.path / "journal.db"

    @property
    def log(self) -> Path:
        return self.path / "breakwall.log"

    def recording(self, run: int) -> Path:
        return self.path / "recordings" / f"run-{run}.jsonl.zst"


def user_folder() -> Path:
    """The user's folder for state: lock files, crash logs, and the runs that were given no folder."""
    return platformdirs.user_state_path(APP, appauthor=False)


def next_run(last: int, now_ms: int) -> int:
    """A run number above all before it: seconds since 1970, or one more than the last where the clock went back."""
    return max(last + 1, now_ms // 1000)


class InstanceLock:
    """Held for the life of a trading process; the kernel lets it go when the process dies, however it dies."""

    def __init__(self, venue: str, environment: str, key: str, folder: Path | None = None) -> None:
        digest = hashlib.sha256(key.encode()).hexdigest()[:12]
        self.path = (folder or user_folder() / "locks") / f"{file_name(f'{venue}-{environment}-{digest}')}.lock"
        self._file: int | None = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *_error: object) -> None:
        self.release()

    def acquire(self) -> None:
        """Raises AlreadyRunningError where another process holds the lock, StateError where it cannot be made."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = os.open(self.path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StateError(
                f"{self.path}: the lock file cannot be opened ({error.strerror}). "
                "Make its folder writable for you, or name another with XDG_STATE_HOME."
            ) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = _read(file)[0]
            os.close(file)
            raise AlreadyRunningError(
                f"another Breakwall (process {holder or 'unknown'}) already trades on this account, perhaps without "
                f"a screen. `kill -TERM {holder or 'PID'}` ends it in order; the lock is {self.path}."
            ) from error
        self._file = file

    def claim_run(self, last_in_journal: int, now_ms: int) -> int:
        """The number of this run, remembered with our process id; the lock must be held."""
        if self._file is None:
            raise StateError(f"{self.path}: a run number was asked for without the lock")
        run = next_run(max(last_in_journal, _read(self._file)[1]), now_ms)
        os.pwrite(self._file, f"{os.getpid()} {run}\n".encode(), 0)
        os.fsync(self._file)
        return run

    def release(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            os.close(file)


def _read(file: int) -> tuple[int, int]:
    """Process id and last run number in a lock file; zeros where there are none."""
    words = os.pread(file, 100, 0).split()
    if len(words) != 2 or not all(word.isdigit() for word in words):
        return 0, 0
    return int(words[0]), int(words[1])
