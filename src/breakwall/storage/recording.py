"""The recording: raw frames and everything else that reached the core, in core order (`.jsonl.zst`).

One JSON object per line, told apart by `t`: header, http, connect, send, recv (the exact frame),
event, actions. An event that was read from a frame is written as that frame and an `event` line
without a body: a replay decodes the frame again. Every other event carries its body. `actions`
follow the event that caused them.

A recording may lose its last second in a power cut (see `storage.packed`), the journal may not.
"""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from breakwall import __version__
from breakwall.model.events import Event
from breakwall.ports import Clock, Frame
from breakwall.storage.packed import DISK_FLOOR_BYTES, PackedLines
from breakwall.storage.runs import StateError

FORMAT = 1


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

    A recording never disturbs the trading: when it cannot go on, it stops and tells `on_stop` the reason.
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
        self._lines = PackedLines(
            path, on_stop=lambda why: on_stop(f"{why}, trading goes on"), disk_floor_bytes=disk_floor_bytes
        )
        self._write(Header(f"breakwall {__version__}", FORMAT, run, self._seconds(), settings))

    async def open(self) -> None:
        """Create the file and start writing; raises StateError."""
        try:
            await self._lines.open()
        except OSError as error:
            raise StateError(
                f"{self.path}: the recording cannot be made ({error.strerror}). Give a writable folder with --state."
            ) from error

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
        self._lines.append(line)

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
        await self._lines.close()

    def _seconds(self) -> float:
        return self._clock.now_ns() / 1e9

    def _write(self, line: Line | FrameMark) -> None:
        self._lines.append(_ENCODER.encode(line))
