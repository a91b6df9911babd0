"""A recording of any form as one stream: the public frames of a Bybit v5 market, each with the time it came.

Files are read beside each other and joined by time, so that books and trades that were archived apart come together
again. Frames of Bybit are given exactly as they were recorded, with all that may be wrong with them.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

import msgspec
from msgspec import Struct

from breakwall.replay import forms
from breakwall.replay.books import BookMessage, Seed
from breakwall.replay.forms import Reader
from breakwall.replay.tables import Bar, Row, TradeMessage
from breakwall.replay.translation import FullBook, bar_frame, mark_frame, quote_frame, trade_frame

PUBLIC = ("orderbook", "publicTrade", "tickers", "kline", "allLiquidation")
_INSTRUMENTS = "/v5/market/instruments-info"
_TICKERS = "/v5/market/tickers"
_BEST_ONLY = b"@bookTicker"  # the book says it better; two thirds of the frames of a Binance recording
_HEAD = 60
_LATEST_NS = 4_102_444_800 * 10**9


class Heard(Struct, frozen=True, gc=False):
    """A public frame of one symbol and when it came (nanoseconds since 1970)."""

    at_ns: int
    topic: str
    symbol: str
    data: bytes


class Rules(Struct, frozen=True, gc=False):
    """The venue's answer to the question for its instruments."""

    at_ns: int
    data: bytes


class _Foreign(Struct, frozen=True, gc=False):
    """What is not Bybit's: its frame is made when all files have been joined."""

    at_ns: int
    message: forms.Message
    raw: bytes = b""


class _Line(Struct, gc=False):
    t: str
    conn: str = ""
    ts: float = 0.0
    url: str = ""
    data: str = ""


class _Head(Struct, gc=False):
    """The envelope of a frame of either venue."""

    topic: str = ""
    ts: int = 0
    cts: int = 0
    stream: str = ""
    e: str = ""
    at: int = msgspec.field(name="E", default=0)
    last_update_id: int = msgspec.field(name="lastUpdateId", default=0)
    data: msgspec.Raw = msgspec.Raw(b"null")


class _Mark(Struct, gc=False):
    """Binance's `markPriceUpdate`."""

    s: str
    p: str = ""
    i: str = ""
    r: str = ""
    next_ms: int = msgspec.field(name="T", default=0)
    at: int = msgspec.field(name="E", default=0)


class _Seq(Struct, gc=False):
    seq: int = 0


class _Tickers(Struct, gc=False):
    """An answer of `/v5/market/tickers`."""

    class Result(Struct, gc=False):
        list: list[dict[str, object]]

    result: Result
    time: int = 0


_decode_line = msgspec.json.Decoder(_Line).decode
_decode_head = msgspec.json.Decoder(_Head).decode
_decode_mark = msgspec.json.Decoder(_Mark).decode
_decode_seq = msgspec.json.Decoder(_Seq).decode
_decode_tickers = msgspec.json.Decoder(_Tickers).decode

Item = Heard | Rules | _Foreign


class Tape(Reader[Item]):
    """The frames of some files in the order of their times; of the given symbols only, where some are given.

    Iterating raises as `Reader.items` does.
    """

    def __init__(self, paths: Sequence[Path], symbols: Iterable[str] = ()) -> None:
        super().__init__(paths, "frames of a public market", _read, _in_order)
        self.symbols = frozenset(symbols)

    def __iter__(self) -> Iterator[Heard | Rules]:
        self.unreadable, self.cuts = 0, []
        translator = _Translator(self._wants)
        sources = [self._source(path) for path in self.paths]
        joined: Iterable[Item] = (
            sources[0] if len(sources) == 1 else heapq.merge(*sources, key=lambda item: item.at_ns)
        )
        for item in joined:
            yield from translator.frames(item)
        for symbol in translator.unbegun:
            self.cuts.append(
                f"{symbol}: no order book, as its updates have no snapshot to begin from; "
                "join them to the file that has it"
            )

    def _wants(self, symbol: str) -> bool:
        return not self.symbols or symbol in self.symbols

    def _source(self, path: Path) -> Iterator[Item]:
        """One file's items; a time that goes back is held, as a clock that was set back would be."""
        last = 0
        for item in self.items(path):
            last = max(last, item.at_ns)
            yield item if item.at_ns == last else msgspec.structs.replace(item, at_ns=last)


def _in_order(rows: Iterator[Row]) -> Iterator[_Foreign]:
    """Old archives have their newest row first: those are read whole and turned round."""
    first = next(rows, None)
    if first is None:
        return
    head = [first]
    for row in rows:
        head.append(row)
        if row.ts != first.ts:
            break
    ordered = chain(head, rows) if head[-1].ts >= first.ts else reversed([*head, *rows])
    yield from (_Foreign(row.ts * 1_000_000, row) for row in ordered)


def _read(line: bytes) -> tuple[Item, ...]:
    """What a line of any form holds, mostly one frame."""
    if line.startswith(b"{") and forms.RECORDED.search(line):
        entry = _decode_line(line)
        at_ns = _checked(int(entry.ts * 1e9))
        if entry.t == "recv":
            return _frame(entry.data.encode(), at_ns)
        return _answer(entry.url, entry.data, at_ns) if entry.t == "http" else ()
    if line[:1].isdigit():
        time, _, data = line.partition(b" ")
        return _frame(data, _checked(int(time) * 10 ** max(0, 19 - len(time))))
    return _frame(line, 0)


def _checked(at_ns: int) -> int:
    """A time that can be; a damaged one would make everybody wait for it."""
    if not 0 <= at_ns < _LATEST_NS:
        raise ValueError(f"expected a time before the year 2100, found {at_ns} ns")
    return at_ns


def _frame(data: bytes, at_ns: int) -> tuple[Item, ...]:
    if _BEST_ONLY in data[:_HEAD]:
        return ()
    head = _decode_head(data)
    if head.topic:
        kind, _, rest = head.topic.partition(".")
        symbol = rest.rpartition(".")[2]
        if kind not in PUBLIC or not symbol:
            return ()
        return (Heard(at_ns or (head.cts or head.ts) * 1_000_000, head.topic, symbol, data),)
    if head.stream or head.e or head.last_update_id:
        message = forms.frame(data)
        if message is None:
            return ()
        return (_Foreign(at_ns or head.at * 1_000_000, message, bytes(head.data) if head.stream else data),)
    return ()


def _answer(url: str, data: str, at_ns: int) -> tuple[Item, ...]:
    if _INSTRUMENTS in url:
        return (Rules(at_ns, data.encode()),)
    if _TICKERS in url:
        return tuple(_tickers(data, at_ns))
    message = forms.answer(url, data)
    return () if message is None else (_Foreign(at_ns, message),)


def _tickers(data: str, at_ns: int) -> Iterator[Heard]:
    answer = _decode_tickers(data)
    for row in answer.result.list:
        topic = f"tickers.{row.get('symbol', '')}"
        frame = {"topic": topic, "type": "snapshot", "data": row, "cs": 0, "ts": answer.time or at_ns // 1_000_000}
        yield Heard(at_ns, topic, str(row.get("symbol", "")), msgspec.json.encode(frame))


class _Translator:
    """Makes frames of what is not Bybit's, and keeps what that takes: books, and where their sequence stands."""

    def __init__(self, wants: Callable[[str], bool]) -> None:
        self._wants = wants
        self._books: dict[str, FullBook] = {}
        self._newest: dict[str, bytes] = {}  # the last frame of each book that has a sequence of its own
        self._early: list[_Foreign] = []  # snapshots that do not say whose they are, before any book was heard

    @property
    def unbegun(self) -> list[str]:
        """The symbols whose book has no snapshot."""
        return [symbol for symbol, book in self._books.items() if not book.begun]

    def frames(self, item: Item) -> Iterator[Heard | Rules]:
        if isinstance(item, _Foreign):
            yield from self._foreign(item)
        elif isinstance(item, Rules):
            yield item
        elif self._wants(item.symbol):
            if item.topic.startswith("orderbook."):
                self._newest[item.symbol] = item.data
            yield item

    def _foreign(self, item: _Foreign) -> Iterator[Heard]:
        message, at_ns = item.message, item.at_ns
        if isinstance(message, Seed):
            yield from self._seed(item, message)
        elif not self._wants(message.symbol):
            return
        elif isinstance(message, BookMessage):
            yield from self._book(message, at_ns)
        elif isinstance(message, TradeMessage):
            yield _heard(at_ns, f"publicTrade.{message.symbol}", trade_frame(message, self._seq(message)))
        elif isinstance(message, Bar):
            yield _heard(at_ns, message.topic, bar_frame(message))
        elif "markPrice" in message.topic:
            mark = _decode_mark(item.raw)
            frame = mark_frame(mark.s, mark.p, mark.i, mark.r, mark.next_ms, mark.at)
            yield _heard(at_ns, f"tickers.{mark.s}", frame)

    def _book(self, message: BookMessage, at_ns: int) -> Iterator[Heard]:
        if message.topic.startswith("orderbook.1."):
            yield _heard(at_ns, message.topic, quote_frame(message))
            return
        book = self._books.get(message.symbol)
        if book is None:
            book = self._books[message.symbol] = FullBook(message.symbol)
            early, self._early = self._early, []
            for seed in early:
                yield from self._foreign(seed)
        for frame in book.take(message):
            yield _heard(at_ns, _topic(message.symbol), frame)

    def _seed(self, item: _Foreign, seed: Seed) -> Iterator[Heard]:
        """A snapshot that names no symbol belongs to the only one the recording has."""
        symbol = seed.symbol or (next(iter(self._books)) if len(self._books) == 1 else "")
        if not symbol:
            self._early.append(item)
        elif self._wants(symbol):
            book = self._books.setdefault(symbol, FullBook(symbol))
            for frame in book.seed(seed, item.at_ns // 1_000_000):
                yield _heard(item.at_ns, _topic(symbol), frame)

    def _seq(self, trade: TradeMessage) -> int:
        """The next message of the book shows it: where the book has a sequence, just after the last one's."""
        newest = self._newest.get(trade.symbol)
        return trade.ts if newest is None else _decode_seq(_decode_head(newest).data).seq + 1


def _topic(symbol: str) -> str:
    return f"orderbook.1000.{symbol}"


def _heard(at_ns: int, topic: str, data: bytes) -> Heard:
    return Heard(at_ns, topic, topic.rpartition(".")[2], data)
