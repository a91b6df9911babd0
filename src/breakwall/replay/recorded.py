"""A recording as the market of an embedded exchange."""

from collections.abc import Callable, Iterator

from msgspec.structs import replace

from breakwall.model.events import BookDelta, BookSnapshot, Event, Ticker
from breakwall.replay.contents import Contents
from breakwall.replay.mending import Arrival, MendedBook
from breakwall.replay.tape import Heard, Tape
from breakwall.venues.bybit.codec import PublicCodec
from breakwall.venues.exchange.exchange import Exchange

_LAST_MS = 500
"""By then every topic has told of the last frame."""


class RecordedMarket:
    """`exchange.Market`: plays a recording into an exchange, whose own public topics then tell of it.

    It waits at its first order books until somebody subscribes to anything, so that no client misses the beginning;
    then each frame comes as long after the one before as it did. A gap in a recorded book is a gap in the book that
    clients read: the levels it hides stay as they were, and who asks for a snapshot gets those. With `loop` it begins
    again at its end, which is such a gap too; else `ended` is told, once, and the market stands at its last prices:
    what is held can be closed there, no book is sent any more. A file that cannot be read raises RecordingError.
    """

    def __init__(
        self,
        contents: Contents,
        exchange: Exchange,
        *,
        loop: bool = False,
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        self._contents = contents
        self._exchange = exchange
        self._codec = PublicCodec(contents.instruments)
        self._topics = {contents.held[symbol].book for symbol in contents.symbols}
        self._books = {symbol: MendedBook() for symbol in contents.symbols}
        self._loop = loop
        self._ended = ended
        self._waits = True
        self._shift_ms = self._end_ms = 0
        self._frames: Iterator[Heard] = iter(())
        self._next: Heard | None = None
        exchange.outside.mends = True
        self._wind(exchange.now_ms)
        self._show(exchange.now_ms)

    def step(self, now_ms: int) -> None:
        """Play what is due; nothing before somebody listens."""
        frame = self._next
        if self._waits and frame is not None and self._exchange.publisher.read:
            self._waits = False
            self._shift_ms = now_ms - _ms(frame)
        while frame is not None and not self._waits and _ms(frame) + self._shift_ms <= now_ms:
            self._play(frame, now_ms)
            self._end_ms = now_ms + _LAST_MS
            frame = self._next
        if frame is None and self._loop:
            self._wind(now_ms)
        elif frame is None and self._end_ms and now_ms >= self._end_ms:
            self._end_ms = 0
            self._exchange.outside.end()
            self._ended()

    def _show(self, now_ms: int) -> None:
        """Play on until every symbol has its book."""
        frame = self._next
        while frame is not None and not all(book.begun for book in self._books.values()):
            self._play(frame, now_ms)
            frame = self._next

    def _play(self, frame: Heard, now_ms: int) -> None:
        event: Event = self._codec.decode(frame.data)
        if isinstance(event, BookDelta | BookSnapshot):
            book = self._books[event.symbol]
            if book.take(event) is Arrival.LATE:
                event = book.snapshot(event.symbol)
        elif isinstance(event, Ticker) and event.next_funding_ms is not None:
            event = replace(event, next_funding_ms=event.next_funding_ms + self._shift_ms)
        self._exchange.outside.take(event, now_ms)
        self._next = next(self._frames, None)

    def _wind(self, now_ms: int) -> None:
        """To the beginning, which is now."""
        self._frames = (
            item
            for item in Tape(self._contents.paths, self._contents.symbols)
            if isinstance(item, Heard) and (not item.topic.startswith("orderbook.") or item.topic in self._topics)
        )
        self._next = next(self._frames, None)
        if self._next is not None:
            self._shift_ms = now_ms - _ms(self._next)


def _ms(frame: Heard) -> int:
    return frame.at_ns // 1_000_000
