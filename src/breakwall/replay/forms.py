"""Recordings of every form we know, as one stream of book messages, seeds and trades.

Told apart by content, never by the file's name:

- JSON lines with a `t` (our own recordings and cryptofeed's, usually zstd),
- `<time> {frame}` lines (Binance recorders; nanoseconds or microseconds, usually gzip),
- bare frames, one per line (also Bybit's order book archives, `2025-06-01_BTCUSDT_ob200.data.zip`),
- tables of trades, quotes and bars (`replay.tables`).
"""

import re
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal, InvalidOperation
from itertools import chain
from pathlib import Path
from typing import Generic, TypeVar
from urllib.parse import parse_qs, urlsplit

import msgspec

from breakwall.model.text import sanitise
from breakwall.replay.books import BookMessage, Seed
from breakwall.replay.tables import Bar, Row, Table, TradeMessage, table_of
from breakwall.storage.lines import Lines

Levels = list[tuple[Decimal, Decimal]]


class RecordingError(Exception):
    """A recording cannot be used: names the file, what was expected, what was found. Exit code 2."""


class Other(msgspec.Struct, frozen=True, gc=False):
    """A frame that `inspect` has no use for, but whose topic and symbol are worth naming."""

    topic: str
    symbol: str


Message = BookMessage | Seed | TradeMessage | Bar | Other
T = TypeVar("T")


class _Line(msgspec.Struct, gc=False):
    """A recording line: `data` is a frame where `t` is recv, an answer to `url` where it is http."""

    t: str
    data: str = ""
    url: str = ""


class _Frame(msgspec.Struct, gc=False):
    """The envelopes of both venues in one: Bybit's `topic`, Binance's `stream`, or a bare REST snapshot."""

    topic: str = ""
    type: str = ""
    ts: int = 0
    cts: int = 0
    stream: str = ""
    e: str = ""
    last_update_id: int = msgspec.field(name="lastUpdateId", default=0)
    data: msgspec.Raw = msgspec.Raw(b"null")


class _BybitBook(msgspec.Struct, gc=False):
    s: str
    b: Levels
    a: Levels
    u: int
    seq: int | None = None


class _BybitTrade(msgspec.Struct, gc=False):
    p: Decimal
    v: Decimal
    side: str = msgspec.field(name="S")
    ts: int = msgspec.field(name="T", default=0)


class _BinanceKind(msgspec.Struct, gc=False):
    e: str = ""
    s: str = ""


class _BinanceDepth(msgspec.Struct, gc=False):
    s: str
    ts: int = msgspec.field(name="E")
    first: int = msgspec.field(name="U")
    u: int
    b: Levels
    a: Levels
    pu: int = 0
    cts: int = msgspec.field(name="T", default=0)


class _BinanceTrade(msgspec.Struct, gc=False):
    s: str
    p: Decimal
    q: Decimal
    m: bool
    ts: int = msgspec.field(name="T", default=0)
    trade_id: int = msgspec.field(name="t", default=0)


class _BinanceSeed(msgspec.Struct, gc=False):
    last_update_id: int = msgspec.field(name="lastUpdateId")
    bids: Levels
    asks: Levels
    cts: int = msgspec.field(name="T", default=0)


_LINE = msgspec.json.Decoder(_Line)
_FRAME = msgspec.json.Decoder(_Frame)
_BYBIT_BOOK = msgspec.json.Decoder(_BybitBook)
_BYBIT_TRADES = msgspec.json.Decoder(list[_BybitTrade])
_BINANCE_KIND = msgspec.json.Decoder(_BinanceKind)
_BINANCE_DEPTH = msgspec.json.Decoder(_BinanceDepth)
_BINANCE_TRADE = msgspec.json.Decoder(_BinanceTrade)
_BINANCE_SEED = msgspec.json.Decoder(_BinanceSeed)
UNREADABLE = (msgspec.MsgspecError, InvalidOperation, UnicodeDecodeError, ValueError, KeyError, OverflowError)
RECORDED = re.compile(rb'(?<!\\)"t"\s*:\s*"')  # inside a recorded frame every quote is escaped
_PARTIAL_DEPTH = re.compile(r"@depth(5|10|20)\b")
_HOPELESS = 100
"""So many lines without a sense at the beginning, and it is no recording."""
_MARKS = ((b"SQLite format 3", "an SQLite database"), (b"\x89PNG", "a picture"))


class Reader(Generic[T]):
    """Files of any form, line by line: `of_line` says what is made of a line, `of_rows` of the rows of a table.

    `unreadable` counts lines that made no sense, `cuts` tells in plain words which files break off. `wanted` names in
    errors what a file must have.
    """

    def __init__(
        self,
        paths: Iterable[Path],
        wanted: str,
        of_line: Callable[[bytes], Iterable[T]],
        of_rows: Callable[[Iterator[Row]], Iterator[T]],
    ) -> None:
        self.paths = tuple(paths)
        self.unreadable = 0
        self.cuts: list[str] = []
        self._wanted = wanted
        self._of_line = of_line
        self._of_rows = of_rows

    def items(self, path: Path) -> Iterator[T]:
        """What one file holds. Raises RecordingError where it cannot be opened, is no recording or lacks that."""
        lines = Lines(path)
        told = False
        try:
            for item in self._items(lines):
                told = True
                yield item
        except OSError as error:
            raise RecordingError(f"{path}: cannot be read ({error.strerror or error}).") from error
        if not told:
            raise RecordingError(f"{path}: expected {self._wanted}, found none (lines: {lines.count}).")
        if lines.cut:
            self.cuts.append(f"{path}: {lines.cut}")

    def _items(self, lines: Lines) -> Iterator[T]:
        understood, first = 0, b""
        left = iter(lines)
        for line in left:
            if not line.strip():
                continue
            table = None if first else table_of(lines.member, line)
            if table is not None:
                yield from self._of_rows(self._rows(table, chain((line,), left)))
                return
            first = first or line
            try:
                items = self._of_line(line)
            except UNREADABLE:
                self.unreadable += 1
                if not understood and self.unreadable > _HOPELESS:
                    break
                continue
            understood += 1
            yield from items
        if not understood:
            raise _foreign(lines, first)

    def _rows(self, table: Table, lines: Iterable[bytes]) -> Iterator[Row]:
        for line in lines:
            if not line.strip():
                continue
            try:
                row = table.row(line)
            except UNREADABLE:
                self.unreadable += 1
            else:
                if row is not None:
                    yield row


class Recording(Reader[Message]):
    """One or more files, in the order given, as one stream of messages; raises as `Reader.items` does."""

    def __init__(self, paths: Iterable[Path]) -> None:
        super().__init__(paths, "order books, trades or bars", _of_line, lambda rows: rows)

    def __iter__(self) -> Iterator[Message]:
        self.unreadable, self.cuts = 0, []
        for path in self.paths:
            yield from self.items(path)


def _of_line(line: bytes) -> tuple[Message, ...]:
    message = read(line)
    return () if message is None else (message,)


def read(line: bytes) -> Message | None:
    """The message in one line of any form; None: nothing to say. Raises msgspec.MsgspecError, ValueError."""
    if line.startswith(b"{") and RECORDED.search(line):
        entry = _LINE.decode(line)
        if entry.t == "recv":
            return frame(entry.data)
        return answer(entry.url, entry.data) if entry.t == "http" else None
    if line[:1].isdigit():
        return frame(line.split(b" ", 1)[1] if b" " in line else b"")
    return frame(line)


def frame(data: bytes | str) -> Message | None:
    """The message in one raw frame of a Bybit v5 or Binance USD-M stream."""
    envelope = _FRAME.decode(data)
    if envelope.topic:
        return _bybit(envelope)
    if envelope.stream:
        return _binance(envelope.stream, envelope.data)
    if envelope.last_update_id:
        return _seed("", data)
    if envelope.e:
        raw = data.encode() if isinstance(data, str) else data
        return _binance("", msgspec.Raw(raw))
    return None


def _bybit(envelope: _Frame) -> Message:
    kind, _, symbol = envelope.topic.partition(".")
    if kind == "orderbook":
        book = _BYBIT_BOOK.decode(envelope.data)
        _check_finite(book.b, book.a)
        return BookMessage(
            topic=envelope.topic,
            symbol=book.s,
            ts=envelope.ts,
            update_id=book.u,
            bids=book.b,
            asks=book.a,
            snapshot=envelope.type == "snapshot",
            seq=book.seq,
            cts=envelope.cts,
        )
    if kind == "publicTrade":
        rows = _BYBIT_TRADES.decode(envelope.data)
        trades = [(trade.p, trade.v, trade.side == "Buy") for trade in rows]
        return TradeMessage(envelope.topic, symbol, trades, rows[0].ts if rows else 0)
    return Other(envelope.topic, envelope.topic.rpartition(".")[2] if symbol else "")


def _binance(stream: str, data: msgspec.Raw) -> Message | None:
    kind = _BINANCE_KIND.decode(data)
    if kind.e == "depthUpdate":
        depth = _BINANCE_DEPTH.decode(data)
        _check_finite(depth.b, depth.a)
        return BookMessage(
            topic=stream or f"{depth.s.lower()}@depth",
            symbol=depth.s,
            ts=depth.ts,
            update_id=depth.u,
            bids=depth.b,
            asks=depth.a,
            snapshot=_PARTIAL_DEPTH.search(stream) is not None,
            first=depth.first,
            previous=depth.pu,
            cts=depth.cts,
        )
    if kind.e in {"trade", "aggTrade"}:
        trade = _BINANCE_TRADE.decode(data)
        topic = stream or f"{trade.s.lower()}@{kind.e}"
        trade_id = str(trade.trade_id or "")
        return TradeMessage(topic, trade.s, [(trade.p, trade.q, not trade.m)], trade.ts, trade_id)
    return Other(stream or f"{kind.s.lower()}@{kind.e}", kind.s)


def answer(url: str, data: str) -> Message | None:
    """A recorded REST answer: only Binance's depth is a message."""
    parts = urlsplit(url)
    if not parts.path.endswith("/depth"):
        return None
    return _seed(parse_qs(parts.query).get("symbol", [""])[0], data)


def _seed(symbol: str, data: bytes | str) -> Seed:
    seed = _BINANCE_SEED.decode(data)
    _check_finite(seed.bids, seed.asks)
    return Seed(symbol, seed.last_update_id, seed.bids, seed.asks, seed.cts)


def _check_finite(*sides: Levels) -> None:
    if not all(price.is_finite() and quantity.is_finite() for side in sides for price, quantity in side):
        raise ValueError("expected finite prices and quantities")


def _foreign(lines: Lines, first: bytes) -> RecordingError:
    if lines.cut and not lines.count:
        return RecordingError(f"{lines.path}: nothing can be read: {lines.cut}.")
    if not first:
        return RecordingError(f"{lines.path}: expected a recording, found an empty file.")
    found = next((name for mark, name in _MARKS if first.startswith(mark)), "")
    if not found:
        found = f"a file that begins with {sanitise(first[:60].decode('utf-8', 'replace'), 60)!r}"
    return RecordingError(
        f"{lines.path}: expected a recording (JSON lines, timed frames or a table; plain, gzip, zstd or zip), "
        f"found {found}."
    )
