"""Log files, one for each UTC day, written by a thread of their own: a stalled or full disk delays nobody.

Lines wait in a bounded queue. While the disk takes nothing the oldest ones are dropped and counted, and once it
takes them again `healed` tells how many are missing. A line is in the file whole or not at all.
"""

import contextlib
import os
import re
import threading
from collections import deque
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

MOST = 10_000
"""Lines that may wait: hours of trading, some 4 MB."""
RETRY_S = 1.0
STALLED = 1_000
"""So many waiting lines mean that the disk takes none."""

_AT_ONCE = 500
_STALLED = "the disk takes nothing"


class Line(NamedTuple):
    """One line, without its end, and when it was said."""

    at_ms: int
    data: bytes


class Gap(NamedTuple):
    """Lines that were lost: how many, from when to when, and why."""

    lines: int
    since_ms: int
    until_ms: int
    why: str

    @property
    def words(self) -> str:
        span_s = (self.until_ms - self.since_ms) / 1000
        lines = f"{self.lines} line{'s' * (self.lines != 1)}"
        return f"{lines} of the log were lost over {span_s:.0f} s: {self.why}"


class DailyFiles:
    """`FOLDER/PREFIX2026-11-20.jsonl`, mode 0600, for the day of each line; older than `keep_days` are removed."""

    def __init__(self, prefix: str, keep_days: int) -> None:
        self._prefix = prefix
        self._keep_days = keep_days
        self._queue: deque[Line] = deque()
        self._ended = False
        self._failure = ""
        self._why = _STALLED
        self._lost: Gap | None = None
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._folder = Path()
        self._file = -1
        self._day: date | None = None

    def open(self, folder: Path) -> None:
        """Begin to write into this folder; what was put before comes first."""
        self._folder = folder
        # A daemon: a write to a stalled disk may never return, and must not keep the process.
        self._thread = threading.Thread(target=self._run, name=f"log {self._prefix}", daemon=True)
        self._thread.start()

    def put(self, line: Line) -> None:
        """Have it written; never waits, never fails."""
        with self._changed:
            if self._ended:
                return
            self._queue.append(line)
            self._drop()
            self._changed.notify()

    @property
    def trouble(self) -> str:
        """Why nothing is written, in words; empty while all is well."""
        failure, lost = self._failure, self._lost
        if not failure and len(self._queue) < STALLED:
            return ""
        missing = f", {lost.lines} lines lost" if lost else ""
        return (failure or _STALLED) + missing

    def healed(self) -> Gap | None:
        """What was lost, once, as soon as lines are written again."""
        with self._changed:
            if self._lost is None or self._failure or len(self._queue) >= STALLED:
                return None
            lost, self._lost = self._lost._replace(why=self._why), None
            self._why = _STALLED
            return lost

    def close(self, patience_s: float) -> bool:
        """Write what is waiting, for so long at most; whether all of it is in the files, if there are any."""
        with self._changed:
            self._ended = True
            self._changed.notify()
        if self._thread is None:
            return True
        self._thread.join(patience_s)
        return not self._thread.is_alive() and not self._queue

    def _drop(self) -> None:
        """Let the oldest go where too many wait, and remember that they did."""
        while len(self._queue) > MOST:
            at_ms = self._queue.popleft().at_ms
            lost = self._lost or Gap(0, at_ms, at_ms, "")
            self._lost = lost._replace(lines=lost.lines + 1, until_ms=at_ms)

    def _run(self) -> None:
        while batch := self._next():
            try:
                self._turn_to(datetime.fromtimestamp(batch[0].at_ms / 1000, UTC).date())
                self._write(batch)
            except OSError as error:
                self._failed(error, batch)
                if self._ended:
                    break
            else:
                self._failure = ""
        self._close_file()

    def _next(self) -> list[Line]:
        """What to write next, all of one day; waits for it, after a failure at least a moment. Empty: the end."""
        with self._changed:
            if self._failure and not self._ended:
                self._changed.wait_for(lambda: self._ended, RETRY_S)
            while not self._queue and not self._ended:
                self._changed.wait()
            batch: list[Line] = []
            while self._queue and len(batch) < _AT_ONCE and _same_day([*batch[:1], self._queue[0]]):
                batch.append(self._queue.popleft())
            return batch

    def _failed(self, error: OSError, batch: list[Line]) -> None:
        """What could not be written waits again, as far as there is room."""
        self._close_file()
        with self._changed:
            self._failure = self._why = error.strerror or str(error)
            self._queue.extendleft(reversed(batch))
            self._drop()

    def _write(self, batch: list[Line]) -> None:
        data = b"".join(line.data + b"\n" for line in batch)
        end = os.fstat(self._file).st_size
        try:
            while data:
                data = data[os.write(self._file, data) :]
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, end)  # no half lines
            raise

    def _turn_to(self, day: date) -> None:
        """Have the file of this day open, never that of an earlier one than before; it may have been removed."""
        if self._file >= 0 and self._day is not None and day <= self._day and os.fstat(self._file).st_nlink:
            return
        self._close_file()
        self._day = max(day, self._day or day)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = _opened(self._folder / f"{self._prefix}{self._day}.jsonl")
        self._forget_old(self._day)

    def _close_file(self) -> None:
        file, self._file = self._file, -1
        if file >= 0:
            with contextlib.suppress(OSError):
                os.close(file)

    def _forget_old(self, today: date) -> None:
        pattern = re.compile(re.escape(self._prefix) + r"(\d{4}-\d\d-\d\d)\.jsonl")
        oldest = str(today - timedelta(days=self._keep_days))
        for path in self._folder.iterdir():
            found = pattern.fullmatch(path.name)
            if found and found[1] < oldest:
                with contextlib.suppress(OSError):
                    path.unlink()


def _same_day(lines: list[Line]) -> bool:
    return len({line.at_ms // 86_400_000 for line in lines}) <= 1


def _opened(path: Path) -> int:
    """The file at its end, which is made the end of a line: a machine that lost power may have left half of one."""
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        os.fchmod(file, 0o600)
        end = os.fstat(file).st_size
        if end and os.pread(file, 1, end - 1) != b"\n":
            os.write(file, b"\n")
    except OSError:
        os.close(file)
        raise
    return file
