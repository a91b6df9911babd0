"""The recording of a public market: exact frames in parts, each of which can be used alone.

A part begins with the venue's instruments and tickers and asks for every book again. Until a symbol's new snapshot
comes its frames still go to the part before: the old one ends and the new one begins with that snapshot, without a
hole between. What a killed process left behind ends in the middle of a line, which is normal; the next start begins
a new part.
"""

import contextlib
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from breakwall import __version__
from breakwall.model.events import (
    BookDelta,
    BookLost,
    BookSnapshot,
    Event,
    LinkChanged,
    MarketEvent,
    Ticker,
    Trades,
)
from breakwall.model.text import file_name
from breakwall.ports import Clock, Frame, Socket, Transport
from breakwall.settings import RecordSettings
from breakwall.storage.packed import PackedLines
from breakwall.storage.recording import FORMAT, Connect, Header, Http, Line, Recv, Send
from breakwall.storage.runs import StateError

MOVING_S = 10.0
"""So long a new part waits for the snapshot of a symbol; then it goes on without."""
_MB = 1_000_000
_SAME_SECOND = 100
_encode = msgspec.json.Encoder().encode

Say = Callable[[str, str], None]
"""say(level, text)."""


class Sums(Struct):
    """What was recorded. `gaps` are messages missing in books, `lost` how often a book was lost otherwise."""

    frames: int = 0
    book_messages: int = 0
    trades: int = 0
    tickers: int = 0
    gaps: int = 0
    lost: int = 0
    unreadable: int = 0


class MarketRecorder:
    """`ports.Sink` of a feed; `stopped` says why it could not go on.

    `renew` asks for a symbol's book again. Nothing is written before the first `begin_part`.
    """

    def __init__(self, folder: Path, name: str, clock: Clock, settings: RecordSettings, say: Say) -> None:
        self.sums = Sums()
        self.paths: list[Path] = []
        self.stopped = ""
        self.up = False
        self._folder = folder
        self._name = file_name(name)
        self._clock = clock
        self._settings = settings
        self.renew: Callable[[str], None] = lambda _symbol: None
        self._say = say
        self._part: PackedLines | None = None
        self._before: PackedLines | None = None
        self._began_ns = 0
        self._day = ""
        self._closed_bytes = 0
        self._moving: set[str] = set()  # symbols whose snapshot the new part still waits for
        self._update_ids: dict[str, int] = {}
        self._asked: set[str] = set()  # symbols that wait for a snapshot after a gap
        self._connects: dict[str, bytes] = {}  # the newest connect line of each socket

    @property
    def part_bytes(self) -> int:
        return self._part.written if self._part is not None else 0

    @property
    def all_bytes(self) -> int:
        return self._closed_bytes + self.part_bytes

    @property
    def wants_part(self) -> bool:
        """Whether the part has grown enough, or another day has begun."""
        grown = self.part_bytes >= self._settings.part_mb * _MB
        return not self.stopped and (grown or (self._settings.new_day and self._today() != self._day))

    async def begin_part(self, symbols: Iterable[str], beginning: Iterable[tuple[str, bytes]]) -> None:
        """Begin a new part, with these answers (url, body). Raises StateError where it cannot be made."""
        await self.end_part_before()
        self._day, self._began_ns = self._today(), self._clock.now_ns()
        part = await self._new_file()
        at_s = self._began_ns / 1e9
        self._append(part, Header(f"breakwall {__version__}", FORMAT, ts=at_s, exchange="BYBIT"))
        for url, body in beginning:
            self._append(part, Http("rest", at_s, url, body.decode("utf-8", "replace")))
        for line in self._connects.values():
            part.append(line)
        self._before, self._part = self._part, part
        if self._before is not None:
            self._moving = set(symbols)
            for symbol in self._moving:
                self.renew(symbol)

    async def end_part_before(self, *, patient: bool = False) -> None:
        """Close the part before this one; `patient`: only when it is not needed any more."""
        before = self._before
        waited_s = (self._clock.now_ns() - self._began_ns) / 1e9
        if before is None or (patient and self._moving and waited_s < MOVING_S):
            return
        self._moving.clear()
        self._before = None
        await before.close()
        self._closed_bytes += before.written

    async def close(self) -> None:
        """Write all that is left."""
        await self.end_part_before()
        if self._part is not None:
            await self._part.close()

    def put(self, event: Event, frame: Frame | None = None) -> None:
        """A frame with what it says, or what the feed says of itself."""
        symbol = event.symbol if isinstance(event, MarketEvent) else ""
        if isinstance(event, BookSnapshot):
            self._moving.discard(symbol)
        if frame is not None:
            part = self._before if symbol in self._moving else self._part
            if part is not None:
                self.sums.frames += 1
                self._append(part, Recv(frame.conn, frame.at_ns / 1e9, frame.data.decode("utf-8", "replace")))
        if isinstance(event, BookSnapshot | BookDelta):
            self._follow(event)
        elif isinstance(event, Trades):
            self.sums.trades += len(event.trades)
        elif isinstance(event, Ticker):
            self.sums.tickers += 1
        elif isinstance(event, BookLost):
            self.sums.lost += 1
            self._update_ids.pop(symbol, None)
            self._say("warning", f"{symbol}: {event.reason}; asked for again")
        elif isinstance(event, LinkChanged):
            self.up = event.up
            self._say("info" if event.up else "warning", f"link {'up' if event.up else f'down: {event.reason}'}")

    def connected(self, conn: str, url: str) -> None:
        line = self._connects[conn] = _encode(Connect(conn, self._clock.now_ns() / 1e9, url))
        if self._part is not None:
            self._part.append(line)

    def sent(self, conn: str, text: str) -> None:
        """What was asked on a public socket; nothing on it is secret."""
        if self._part is not None:
            self._append(self._part, Send(conn, self._clock.now_ns() / 1e9, text))

    def _follow(self, event: BookSnapshot | BookDelta) -> None:
        """Look for holes: what is not there cannot be written, but it is told, and the book asked for again."""
        self.sums.book_messages += 1
        symbol, last = event.symbol, self._update_ids.get(event.symbol)
        if isinstance(event, BookSnapshot) or event.update_id == 1:
            self._asked.discard(symbol)
        elif last is not None and event.update_id > last + 1 and symbol not in self._asked:
            self.sums.gaps += 1
            self._asked.add(symbol)
            self._say(
                "warning",
                f"{symbol}: updates {last + 1} to {event.update_id - 1} of its book are missing; asked for again",
            )
            self.renew(symbol)
        self._update_ids[symbol] = event.update_id

    async def _new_file(self) -> PackedLines:
        """One whose name nobody has, dated so that names sort as times do."""
        stamp = datetime.fromtimestamp(self._began_ns / 1e9, UTC).strftime("%Y%m%dT%H%M%SZ")
        floor = self._settings.disk_floor_mb * _MB
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for number in range(1, _SAME_SECOND):
                again = f"-{number}" if number > 1 else ""
                path = self._folder / f"{self._name}-{stamp}{again}.jsonl.zst"
                part = PackedLines(path, on_stop=self._stop, disk_floor_bytes=floor)
                with contextlib.suppress(FileExistsError):
                    await part.open()
                    self.paths.append(path)
                    return part
        except OSError as error:
            raise StateError(
                f"{self._folder}: a recording cannot be made here ({error.strerror}). Name another with --out."
            ) from error
        raise StateError(f"{self._folder}: expected room for one more name like {self._name}-{stamp}, found none.")

    def _append(self, part: PackedLines, line: Line) -> None:
        part.append(_encode(line))

    def _stop(self, reason: str) -> None:
        self.stopped = self.stopped or reason

    def _today(self) -> str:
        return datetime.fromtimestamp(self._clock.now_ns() / 1e9, UTC).strftime("%Y%m%d")


class TappedSockets:
    """A transport that tells the recorder what is connected and what is asked there."""

    def __init__(self, transport: Transport) -> None:
        self.recorder: MarketRecorder | None = None
        self.request = transport.request
        self.close = transport.close
        self._transport = transport
        self._connects = 0

    async def connect(self, url: str) -> Socket:
        socket = await self._transport.connect(url)
        self._connects += 1
        conn = f"public#{self._connects}"
        if self.recorder is not None:
            self.recorder.connected(conn, url)
        return _TappedSocket(socket, conn, self)


class _TappedSocket:
    def __init__(self, socket: Socket, conn: str, tap: TappedSockets) -> None:
        self._socket = socket
        self._conn = conn
        self._tap = tap
        self.receive = socket.receive
        self.close = socket.close

    async def send(self, text: str) -> None:
        if self._tap.recorder is not None:
            self._tap.recorder.sent(self._conn, text)
        await self._socket.send(text)


def names_missing(symbols: Iterable[str], listed: Mapping[str, object]) -> list[str]:
    """Those that the venue does not list."""
    return [symbol for symbol in symbols if symbol not in listed]
