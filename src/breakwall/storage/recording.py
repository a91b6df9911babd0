"""The recording: raw frames and everything else that reached the core, in core order (`.jsonl.zst`).

One JSON object per line, told apart by `t`: header, http, connect, send, recv (the exact frame),
event, actions. An event that was read from a frame is written as that frame and an `event` line
without a body: a replay decodes the frame again. Every other event carries its body. `actions`
follow the event that caused them.

Lines are encoded where they happen and packed and written off the loop every quarter of a second;
what was flushed is readable after a `kill -9`. No fsync: a recording may lose its last second in a
power cut, the journal may not.
"""

import asyncio
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO

import msgspec

from breakwall import __version__
from breakwall.model.events import Event
from breakwall.ports import Clock, Frame
from breakwall.storage.lines import zstd
from breakwall.storage.runs import StateError

FORMAT = 1
FLUSH_S = 0.25
FLUSH_BYTES = 1 << 18
BACKLOG_BYTES = 1 << 26
DISK_FLOOR_BYTES = 500_000_000


class Line(msgspec.Struct, frozen=True, gc=False, tag_field="t", omit_defaults=True):
    """`ts` is seconds since 1970 by our clock; `data` is exactly what went over the wire."""


class Header(Line, frozen=True, gc=False, tag="header"):
    """The first line. `settings` is the JSON of the effective settings; `exchange` is set by foreign recorders."""

    app: str = ""
    format: int = 0
    run: int = 0
    ts: float = 0.0
    settings: str = ""
    exchange: str = ""


class Http(Line, frozen=True, gc=False, tag="http"):
    conn: str
    ts: float
    url: str
    data: str


class Connect(Line, frozen=True, gc=False, tag="connect"):
    conn: str
    ts: float
    addr: str = ""


class Send(Line, frozen=True, gc=False, tag="send"):
    conn: str
    ts: float
    data: str
    addr: str = ""


class Recv(Line, frozen=True, gc=False, tag="recv"):
    conn: str
    ts: float
    data: str


class EventLine(Line, frozen=True, gc=False, tag="event"):
    """An event as it left the inbox; without a body it is what the `recv` line before it says."""

    seq: int
    at_ms: int
    event: msgspec.Raw = msgspec.Raw(b"null")

    @property
    def from_frame(self) -> bool:
        return bytes(self.event) == b"null"


class ActionsLine(Line, frozen=True, gc=False, tag="actions"):
    seq: int
    actions: msgspec.Raw


AnyLine = Header | Http | Connect | Send | Recv | EventLine | ActionsLine
_ENCODER = msgspec.json.Encoder()


class FrameMark(msgspec.Struct, frozen=True, gc=False, tag_field="t", tag="event"):
    """An event line without a body: the shortest form of `EventLine`."""

    seq: int
    at_ms: int


def actions_line(seq: int, actions: Iterable[object]) -> bytes:
    """The line of what the core answered to event `seq`; equal answers give equal bytes."""
    return _ENCODER.encode(ActionsLine(seq, msgspec.Raw(_ENCODER.encode(list(actions)))))


class ActionsDigest:
    """SHA-256 over the lines of all answers of a run: two runs that decided the same have the same."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, line: bytes) -> None:
        self._hash.update(line)
        self._hash.update(b"\n")

    @property
    def text(self) -> str:
        return self._hash.hexdigest()


class DigestRecorder:
    """A `ports.Recorder` that keeps nothing but the digest of what was decided; `path` is what is played."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.digest = ActionsDigest()

    def event(self, seq: int, at_ms: int, event: Event, frame: Frame | None) -> None:
        """Not kept."""

    def actions(self, seq: int, actions: Iterable[object]) -> None:
        self.digest.add(actions_line(seq, actions))

    async def close(self) -> None:
        """Nothing is open."""


class Recording:
    """Writes one recording; a `ports.Recorder`.

    A recording never disturbs the trading: when the disk runs low, fails or is too slow, it stops
    and tells `on_stop` the reason; what was written stays readable.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock,
        *,
        run: int,
        settings: str,
        on_stop: Callable[[str], None] = lambda _reason: None,
        disk_floor_bytes: int = DISK_FLOOR_BYTES,
    ) -> None:
        self.path = path
        self.digest = ActionsDigest()
        self._clock = clock
        self._on_stop = on_stop
        self._floor = disk_floor_bytes
        self._buffer = bytearray()
        self._pack = zstd.ZstdCompressor(level=3)
        self._file: IO[bytes] | None = None
        self._wake = asyncio.Event()
        self._leaving = False
        self._writer: asyncio.Task[None] | None = None
        self._write(Header(f"breakwall {__version__}", FORMAT, run, self._seconds(), settings))

    async def open(self) -> None:
        """Create the file and start writing; raises StateError."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            number = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StateError(
                f"{self.path}: the recording cannot be made ({error.strerror}). Give a writable folder with --state."
            ) from error
        self._file = os.fdopen(number, "wb", buffering=0)
        self._writer = asyncio.create_task(self._keep_writing(), name="recording")

    def event(self, seq: int, at_ms: int, event: Event, frame: Frame | None) -> None:
        """What left the inbox, in that order."""
        if frame is None:
            self._write(EventLine(seq, at_ms, msgspec.Raw(_ENCODER.encode(event))))
        else:
            self._write(Recv(frame.conn, frame.at_ns / 1e9, frame.data.decode("utf-8", "replace")))
            self._write(FrameMark(seq, at_ms))

    def actions(self, seq: int, actions: Iterable[object]) -> None:
        line = actions_line(seq, actions)
        self.digest.add(line)
        self._append(line)

    def http(self, conn: str, url: str, data: bytes) -> None:
        """An answer worth keeping beside the events, such as the instruments."""
        self._write(Http(conn, self._seconds(), url, data.decode("utf-8", "replace")))

    def connect(self, conn: str, addr: str) -> None:
        self._write(Connect(conn, self._seconds(), addr))

    def send(self, conn: str, data: str) -> None:
        """A public request. Never call it with an authentication: recordings hold no secrets."""
        self._write(Send(conn, self._seconds(), data))

    async def close(self) -> None:
        """Write what is left and close the file."""
        if self._writer is None:
            return
        self._leaving = True
        self._wake.set()
        await self._writer

    def _seconds(self) -> float:
        return self._clock.now_ns() / 1e9

    def _write(self, line: Line | FrameMark) -> None:
        self._append(_ENCODER.encode(line))

    def _append(self, line: bytes) -> None:
        if self._leaving:
            return
        self._buffer += line
        self._buffer += b"\n"
        if len(self._buffer) >= FLUSH_BYTES:
            self._wake.set()

    async def _keep_writing(self) -> None:
        try:
            while not self._leaving:
                await self._pause()
                if self._buffer:
                    await self._flush()
        except OSError as error:
            self._stop(f"{self.path}: {error.strerror or error}; the recording ends here, trading goes on")
        else:
            await self._finish()

    async def _finish(self) -> None:
        try:
            await self._flush(last=True)
        except OSError as error:
            self._stop(f"{self.path}: {error.strerror or error}; the last lines of the recording are missing")
        if self._file is not None:
            self._file.close()

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(FLUSH_S):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()

    async def _flush(self, *, last: bool = False) -> None:
        if len(self._buffer) > BACKLOG_BYTES:
            raise OSError(f"the disk is too slow: {len(self._buffer) >> 20} MB are waiting")
        chunk, self._buffer = bytes(self._buffer), bytearray()
        await asyncio.to_thread(self._store, chunk, last)

    def _store(self, chunk: bytes, last: bool) -> None:
        """Runs in a thread, one call at a time."""
        free = shutil.disk_usage(self.path.parent).free
        if free < self._floor:
            raise OSError(f"only {free >> 20} MB are free on the disk, the floor is {self._floor >> 20} MB")
        pack = self._pack
        packed = memoryview(
            pack.compress(chunk, pack.FLUSH_FRAME) if last else pack.compress(chunk, pack.FLUSH_BLOCK)
        )
        while packed and self._file is not None:
            packed = packed[self._file.write(packed) :]

    def _stop(self, reason: str) -> None:
        self._leaving = True
        self._buffer.clear()
        if self._file is not None:
            self._file.close()
        self._on_stop(reason)
