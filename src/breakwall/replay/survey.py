"""What a recording says about one symbol: its books at the asked messages, its trades, its faults."""

from collections.abc import Callable, Iterable
from decimal import Decimal

from msgspec import Struct

from breakwall.replay.books import BinanceBook, Book, BookMessage, BybitBook, Checkpoint, Seed, Verdict, plain
from breakwall.replay.forms import Message, Other, Recording, RecordingError
from breakwall.replay.tables import Bar, TradeMessage


class Summary(Struct, frozen=True):
    """The end of an inspection. Sums are over the trade stream `trades_topic` and over bars, quantities in coins."""

    symbol: str
    topic: str
    book_messages: int
    applied: int
    before_snapshot: int
    repeated: int
    gaps: int
    after_gap: int
    resyncs: int
    crossed: int
    trades_topic: str
    trades: int
    buy_qty: str
    sell_qty: str
    notional: str
    bars: int
    bars_qty: str
    unreadable: int
    notes: tuple[str, ...]


class _Sums:
    """Counts of one trade stream."""

    __slots__ = ("buy", "notional", "sell", "trades")

    def __init__(self) -> None:
        self.trades = 0
        self.buy = self.sell = self.notional = Decimal(0)

    def add(self, price: Decimal, quantity: Decimal, bought: bool) -> None:
        self.trades += 1
        self.notional += price * quantity
        if bought:
            self.buy += quantity
        else:
            self.sell += quantity


class Survey:
    """Follows one symbol through a recording; every book stream of it has its own book.

    `wanted` tells for which message numbers (1 is the first applied) a checkpoint is kept.
    """

    def __init__(self, symbol: str, wanted: Callable[[int], bool]) -> None:
        self._symbol = symbol
        self._wanted = wanted
        self._books: dict[str, Book] = {}
        self._kept: dict[str, list[Checkpoint]] = {}
        self._sums: dict[str, _Sums] = {}
        self._bars: list[Decimal] = []
        self._symbols: set[str] = set()
        self._latest_seed: Seed | None = None

    def follow(self, recording: Iterable[Message]) -> None:
        """Read the whole recording; raises RecordingError."""
        for message in recording:
            if isinstance(message, Seed):
                self._seed(message)
                continue
            if message.symbol:
                self._symbols.add(message.symbol)
            if message.symbol == self._symbol:
                self._take(message)
        for book in self._books.values():
            if isinstance(book, BinanceBook):
                book.close()

    def topic(self, asked: str = "") -> str:
        """The asked book stream, else the deepest; "" where the symbol has only trades.

        Raises RecordingError naming what is there where the symbol or the stream is not.
        """
        if asked:
            if asked in self._books:
                return asked
            raise RecordingError(f"{asked}: no such book stream of {self._symbol}; found {_listed(self._books)}.")
        if self._books:
            return max(self._books, key=lambda topic: (len(self._books[topic].bids.prices), self._books[topic].n))
        if self._sums or self._bars:
            return ""
        if self._symbol in self._symbols:
            raise RecordingError(f"{self._symbol}: the recording has neither book nor trades of it.")
        raise RecordingError(f"{self._symbol}: not in the recording; found {_listed(self._symbols)}.")

    def checkpoints(self, topic: str) -> list[Checkpoint]:
        """The kept checkpoints of a stream, in order."""
        return self._kept.get(topic, [])

    def last(self, topic: str) -> Checkpoint | None:
        """The book of a stream at its last applied message."""
        book = self._books.get(topic)
        return book.checkpoint() if book is not None and book.last is not None else None

    def summary(self, topic: str, recording: Recording) -> Summary:
        book = self._books.get(topic) or BybitBook()  # of a recording without a book: an empty one
        trades_topic = max(self._sums, key=lambda name: self._sums[name].trades, default="")
        sums = self._sums.get(trades_topic) or _Sums()
        return Summary(
            symbol=self._symbol,
            topic=topic,
            book_messages=sum(book.verdicts.values()),
            applied=book.n,
            before_snapshot=book.verdicts[Verdict.EARLY],
            repeated=book.verdicts[Verdict.REPEATED],
            gaps=book.gaps,
            after_gap=book.verdicts[Verdict.VOID],
            resyncs=book.resyncs,
            crossed=book.crossed,
            trades_topic=trades_topic,
            trades=sums.trades,
            buy_qty=plain(sums.buy),
            sell_qty=plain(sums.sell),
            notional=plain(sums.notional),
            bars=len(self._bars),
            bars_qty=plain(sum(self._bars, Decimal(0))),
            unreadable=recording.unreadable,
            notes=tuple(recording.cuts),
        )

    def _take(self, message: BookMessage | TradeMessage | Bar | Other) -> None:
        if isinstance(message, TradeMessage):
            sums = self._sums.setdefault(message.topic, _Sums())
            for price, quantity, bought in message.trades:
                sums.add(price, quantity, bought)
        elif isinstance(message, Bar):
            self._bars.append(message.volume)
        elif isinstance(message, BookMessage):
            self._advance(message)

    def _advance(self, message: BookMessage) -> None:
        book = self._books.get(message.topic)
        if book is None:
            book = self._books[message.topic] = (
                BybitBook() if message.previous == message.first == 0 else BinanceBook()
            )
            if isinstance(book, BinanceBook) and self._latest_seed is not None:
                book.seed(self._latest_seed)
        if book.take(message) and self._wanted(book.n):
            self._kept.setdefault(message.topic, []).append(book.checkpoint())

    def _seed(self, seed: Seed) -> None:
        """A snapshot that names no symbol belongs to the only one the recording has."""
        if seed.symbol != self._symbol and (seed.symbol or self._symbols - {self._symbol}):
            return
        self._latest_seed = seed
        for book in self._books.values():
            if isinstance(book, BinanceBook):
                for message in book.seed(seed):
                    self._advance(message)


def _listed(names: Iterable[str]) -> str:
    ordered = sorted(names)
    more = f" and {len(ordered) - 12} more" if len(ordered) > 12 else ""
    return (", ".join(ordered[:12]) or "none") + more
