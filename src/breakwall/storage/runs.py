"""Where a run keeps its files, how it is numbered, and who may trade at the same time.

The lock is one file per venue, environment and key in one fixed folder of the user, whatever state
folder a run was given: two cockpits on one account would fight over its positions. The same file
remembers the last run number, so that client ids never repeat even when a journal is lost.

A file can be deleted, and another user or another XDG_STATE_HOME has another one. Where the kernel has
names that nobody can take away (abstract sockets, Linux), one of those is held as well.
"""

import errno
import fcntl
import os
import socket
import stat
import struct
import sys
from pathlib import Path
from typing import Self

from breakwall.model.text import file_name
from breakwall.places import APP, JOURNAL_FILE, LEDGER_FILE, lock_name, state_folder

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_OWNER_S = 0.2
_LINE = 40
_CREDENTIALS = struct.Struct("3i")  # process, user, group


class AlreadyRunningError(Exception):
    """Another process trades on this account: names the process and the remedy. Exit code 6."""


class StateError(Exception):
    """A folder of ours cannot be used: names it and the remedy. Exit code 2."""


class StateFolder:
    """The files of one account's runs. Creates the folder with mode 0700; raises StateError.

    One that is there already must be ours: nobody else may put files into it, or take them away.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            _make_ours(path)
        except OSError as error:
            raise StateError(
                f"{path}: the state folder cannot be made ({error.strerror}). Give a writable one with --state."
            ) from error

    @property
    def journal(self) -> Path:
        return self.path / JOURNAL_FILE

    @property
    def ledger(self) -> Path:
        return self.path / LEDGER_FILE

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    def recording(self, run: int) -> Path:
        return self.path / "recordings" / f"run-{run}.jsonl.zst"


def _make_ours(path: Path) -> None:
    """Close a folder of ours to the writes of others; raises StateError where it is somebody else's, or OSError."""
    found = path.stat()
    if found.st_uid != os.geteuid():
        raise StateError(
            f"{path}: expected a folder of yours (user {os.geteuid()}), found one of user {found.st_uid}. "
            "Give one of your own with --state."
        )
    if found.st_mode & _OTHERS_WRITE:
        path.chmod(stat.S_IMODE(found.st_mode) & ~_OTHERS_WRITE)


def next_run(last: int, now_ms: int) -> int:
    """A run number above all before it: seconds since 1970, or one more than the last where the clock went back."""
    return max(last + 1, now_ms // 1000)


class InstanceLock:
    """Held for the life of a trading process; the kernel lets it go when the process dies, however it dies."""

    def __init__(self, venue: str, environment: str, key: str, folder: Path | None = None) -> None:
        self.path = (folder or state_folder() / "locks") / f"{file_name(lock_name(venue, environment, key))}.lock"
        self._file: int | None = None
        self._name: int | None = None

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
            raise self._taken(holder) from error
        self._file = file
        self._name = self._claim_name()
        _write(file, _read(file)[1])

    def claim_run(self, last_in_journal: int, now_ms: int) -> int:
        """The number of this run, remembered with our process id; the lock must be held."""
        if self._file is None:
            raise StateError(f"{self.path}: a run number was asked for without the lock")
        run = next_run(max(last_in_journal, _read(self._file)[1]), now_ms)
        _write(self._file, run)
        os.fsync(self._file)
        return run

    def holder(self) -> int | None:
        """The process that holds it, 0 where that cannot be told; None: nobody does. Takes and makes nothing."""
        try:
            file = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _read(file)[0]
        finally:
            os.close(file)
        return None

    def release(self) -> None:
        for number in (self._name, self._file):
            if number is not None:
                os.close(number)
        self._name = self._file = None

    def _claim_name(self) -> int | None:
        """The lock that nobody can delete; None where the kernel has none. Raises AlreadyRunningError."""
        if sys.platform != "linux":
            return None
        address = f"\0{APP}/{self.path.stem}"
        name = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            name.bind(address)
            name.listen()
        except OSError as error:
            name.close()
            if error.errno != errno.EADDRINUSE:
                return None
            self.release()
            raise self._taken(_owner(address)) from error
        return name.detach()

    def _taken(self, holder: int) -> AlreadyRunningError:
        return AlreadyRunningError(
            f"another Breakwall (process {holder or 'unknown'}) already trades on this account, perhaps without "
            f"a screen. `kill -TERM {holder or 'PID'}` ends it in order; the lock is {self.path}."
        )


def _owner(address: str) -> int:
    """The process that listens at an abstract address; 0 where it cannot be told."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        caller.settimeout(_OWNER_S)
        try:
            caller.connect(address)
            credentials = caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        except OSError:
            return 0
    return int(_CREDENTIALS.unpack(credentials)[0])


def _read(file: int) -> tuple[int, int]:
    """Process id and last run number in a lock file; zeros where there are none."""
    words = os.pread(file, 100, 0).split()
    if len(words) != 2 or not all(word.isdigit() for word in words):
        return 0, 0
    return int(words[0]), int(words[1])


def _write(file: int, run: int) -> None:
    """Who holds it, and the last run number; always as long, so that nothing of what was there before remains."""
    os.pwrite(file, f"{os.getpid()} {run}".ljust(_LINE).encode() + b"\n", 0)
