"""The terminal of a benchmark: a pty whose other end is read, counted, stalled and typed into."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import threading
import time
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from breakwall.app.layout import Place

SSH_READ = 16_384  # sshd reads a pty in pieces of this size and flushes its compressor after each
_TOKEN = re.compile(
    rb"\x1b\[(?P<move>\d*;?\d*)H"  # move the cursor
    rb"|\x1b\[[0-?]*[ -/]*[@-~]"  # any other control sequence
    rb"|\x1b[\]P_^X][^\x07\x1b]*(?:\x07|\x1b\\)"  # strings to the terminal
    rb"|\x1b[ -/]*[0-~]|[\r\n]|[^\x1b\r\n]+"
)


@dataclass
class Screen:
    """A process on a pty. `chunks` is all it wrote, as (time.monotonic, bytes)."""

    argv: Sequence[str]
    width: int
    height: int
    environment: Mapping[str, str] = field(default_factory=dict)
    chunks: list[tuple[float, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._reading = threading.Event()
        self._reading.set()
        self.began = time.monotonic()
        self.pid, self._end = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", self.height, self.width, 0, 0))
            os.execve(self.argv[0], list(self.argv), {**os.environ, **self.environment})  # noqa: S606 - no shell wanted
        os.set_inheritable(self._end, False)  # a later screen must not keep this terminal alive
        self._running = True
        threading.Thread(target=self._read, daemon=True).start()

    def stall(self) -> None:
        """Stop reading, as a terminal does whose link has died."""
        self._reading.clear()

    def resume(self) -> None:
        self._reading.set()

    def type(self, keys: str) -> float:
        """Press keys; returns the moment just before they were on their way."""
        at = time.monotonic()
        os.write(self._end, keys.encode())
        return at

    def wait_for(self, words: str, seconds: float) -> float:
        """When these bytes had been read; raises TimeoutError."""
        wanted, until, seen = words.encode(), time.monotonic() + seconds, 0
        tail = b""
        while time.monotonic() < until:
            while seen < len(self.chunks):
                at, data = self.chunks[seen]
                tail = tail[-len(wanted) :] + data
                seen += 1
                if wanted in tail:
                    return at
            time.sleep(0.002)
        raise TimeoutError(f"no {words!r} on the screen within {seconds:g} s")

    def wait_for_cells(self, letters: int, seconds: float) -> float:
        """When so many letters (no blanks, no escapes) had been painted; raises TimeoutError."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            seen = b""
            for at, data in list(self.chunks):
                seen += data
                words = b"".join(token.group() for token in _TOKEN.finditer(seen) if token.group()[0] != 0x1B)
                if len(b"".join(words.split())) >= letters:
                    return at
            time.sleep(0.005)
        raise TimeoutError(f"fewer than {letters} letters on the screen within {seconds:g} s")

    def end(self, patience_s: float, request: int = signal.SIGTERM) -> float:
        """Ask it to end; seconds until it has. Killed after `patience_s`, which is then the answer: infinite."""
        at = time.monotonic()
        os.kill(self.pid, request)
        return self._ended(at, patience_s)

    def close(self) -> None:
        """Whatever has happened: leave no process behind."""
        if self._running:
            self.end(5)

    def _ended(self, since: float, patience_s: float) -> float:
        self._running = False
        while time.monotonic() - since < patience_s:
            if os.waitpid(self.pid, os.WNOHANG)[0]:
                return time.monotonic() - since
            time.sleep(0.005)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        return float("inf")

    def written(self, since: float, until: float) -> list[bytes]:
        return [data for at, data in self.chunks if since <= at < until]

    def _read(self) -> None:
        while True:
            self._reading.wait()
            ready, _, _ = select.select([self._end], [], [], 0.05)
            if not ready:
                continue
            try:
                data = os.read(self._end, SSH_READ)
            except OSError:
                return
            if not data:
                return
            self.chunks.append((time.monotonic(), data))


def compressed(chunks: Iterable[bytes]) -> int:
    """Bytes of these chunks after `ssh -C`: zlib level 6, flushed after each."""
    packer = zlib.compressobj(6)
    return sum(len(packer.compress(data)) + len(packer.flush(zlib.Z_PARTIAL_FLUSH)) for data in chunks)


def by_pane(data: bytes, places: Mapping[str, Place]) -> Counter[str]:
    """Whose bytes these are: each goes to the pane the cursor stands in; escapes to the one written next.

    Follows what Textual writes: absolute moves, styles, text, line ends. What is outside every pane is "".
    """
    counts: Counter[str] = Counter()
    owner = {
        (x, y): name
        for name, at in places.items()
        for y in range(at.y, at.y + at.height)
        for x in range(at.x, at.x + at.width)
    }
    row = column = waiting = 0
    for token in _TOKEN.finditer(data):
        text = token.group()
        move = token.group("move")
        if move is not None:
            line, _, place = move.partition(b";")
            row, column = int(line or 1) - 1, int(place or 1) - 1
            waiting += len(text)
        elif text == b"\n":
            row, waiting = row + 1, waiting + 1
        elif text == b"\r":
            column, waiting = 0, waiting + 1
        elif text.startswith(b"\x1b"):
            waiting += len(text)
        else:
            letters = text.decode("utf-8", "replace")
            for place, letter in enumerate(letters, column):
                counts[owner.get((place, row), "")] += waiting + len(letter.encode())
                waiting = 0
            column += len(letters)
    counts[""] += waiting
    return counts
