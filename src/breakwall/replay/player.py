"""Plays a recording to an exchange, which follows its market, and to whoever has subscribed to it.

Books, trades and tickers leave exactly as they were recorded, with every gap, repeat and reset that is in them. Who
asks again for a book gets a snapshot of it as it stands in the recording, with what is missing mended.
"""

from collections.abc import Callable, Iterator

import msgspec

from breakwall.model.events import BookDelta, BookSnapshot
from breakwall.replay.contents import DEPTHS, Contents
from breakwall.replay.mending import Arrival, MendedBook
from breakwall.replay.tape import Heard, Rules, Tape
from breakwall.venues.bybit.codec import PublicCodec
from breakwall.venues.exchange.exchange import Exchange

_TICKER_MS = 1000
"""How often a ticker is told of a symbol whose recording has none."""
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, object]).decode

Send = Callable[[bytes], None]
Sides = tuple[dict[int, int], dict[int, int]]


class Player:
    """A recording, from its beginning to its end, at the pace of whoever calls `play`.

    `depth` is the one depth in which books are served: the deepest that all have. `frames`, `gaps` (messages missing
    in books) and `repeats` count what was played.
    """

    def __init__(self, contents: Contents, exchange: Exchange) -> None:
        self.contents = contents
        self.depth = served_depth(contents)
        self.frames = self.gaps = self.repeats = 0
        self._exchange = exchange
        exchange.outside.mends = True
        self._codec = PublicCodec(contents.instruments)
        self._books = {symbol: MendedBook() for symbol in contents.instruments}
        self._told: dict[str, Sides] = {}  # what clients have of books that were recorded in another depth
        self._ticked_ms = {
            symbol: 0 for symbol in contents.instruments if f"tickers.{symbol}" not in contents.held[symbol].topics
        }
        self._topics = {contents.held[symbol].book: symbol for symbol in contents.instruments}
        self._sessions: list[PublicSession] = []
        self._left: Iterator[Heard | Rules] = iter(Tape(contents.paths, contents.symbols))
        self._next = self._pull()

    @property
    def due_ns(self) -> int | None:
        """When the next frame came; None at the end of the recording."""
        return None if self._next is None else self._next.at_ns

    def play(self, now_ns: int) -> None:
        """Let everything be heard that had come by then."""
        while self._next is not None and self._next.at_ns <= now_ns:
            self._hear(self._next, now_ns // 1_000_000)
            self._next = self._pull()

    def session(self, send: Send) -> "PublicSession":
        """A new client of the public socket."""
        session = PublicSession(self, send)
        self._sessions.append(session)
        return session

    def leave(self, session: "PublicSession") -> None:
        self._sessions.remove(session)

    def snapshot(self, symbol: str, now_ms: int, *, hurry: bool = False) -> bytes | None:
        """The book as a client would get it now; None while there is none, or, without `hurry`, in the middle of two
        messages that seem to have changed places.
        """
        book = self._books[symbol]
        if not book.begun or (book.waits and not hurry):
            return None
        bids, asks = book.window(self.depth)
        self._told[symbol] = dict(bids), dict(asks)
        return self._book_frame("snapshot", symbol, bids, asks, book.update_id, now_ms)

    def serves(self, topic: str) -> str:
        """The symbol of a book that is served under this name; "" where it is another topic."""
        kind, _, rest = topic.partition(".")
        depth, _, symbol = rest.partition(".")
        return symbol if kind == "orderbook" and depth == str(self.depth) and symbol in self._books else ""

    def _pull(self) -> Heard | None:
        """The next frame of what is followed: of several books of a symbol the one that is told of most."""
        for item in self._left:
            if isinstance(item, Heard) and (not item.topic.startswith("orderbook.") or item.topic in self._topics):
                return item
        return None

    def _hear(self, frame: Heard, now_ms: int) -> None:
        self.frames += 1
        event = self._codec.decode(frame.data)
        if not isinstance(event, BookSnapshot | BookDelta):
            self._exchange.hear(event, now_ms)
            self._push(frame.topic, frame.data)
            return
        book, symbol = self._books[event.symbol], event.symbol
        heard = book.take(event)
        self.gaps += heard is Arrival.GAP
        self.repeats += heard is Arrival.REPEATED
        if heard is not Arrival.REPEATED:
            self._exchange.hear(book.snapshot(symbol) if heard is Arrival.LATE else event, now_ms)
        served = f"orderbook.{self.depth}.{symbol}"
        verbatim = frame.topic == served and not book.dropped
        data = frame.data if verbatim else self._rewritten(frame, event, book, now_ms)
        for session in self._sessions:
            session.push_book(served, symbol, data, now_ms, whole=heard is Arrival.BEGUN)
        if symbol in self._ticked_ms and now_ms - self._ticked_ms[symbol] >= _TICKER_MS:
            self._ticked_ms[symbol] = now_ms
            self._push(f"tickers.{symbol}", self._ticker(symbol, now_ms))

    def _push(self, topic: str, data: bytes) -> None:
        for session in self._sessions:
            session.push(topic, data)

    def _rewritten(self, frame: Heard, event: BookSnapshot | BookDelta, book: MendedBook, now_ms: int) -> bytes:
        """A book that was recorded in another depth, as the changes of its window; or a message after a gap, with the
        deletes that only the lost one told. Both under the ids they had.
        """
        symbol = event.symbol
        if frame.topic == f"orderbook.{self.depth}.{symbol}":
            gone = [[(ticks, 0) for bid, ticks in book.dropped if bid is side] for side in (True, False)]
            bids, asks = [*event.bids, *gone[0]], [*event.asks, *gone[1]]
            return self._book_frame("delta", symbol, bids, asks, event.update_id, now_ms)
        known = self._told.get(symbol, ({}, {}))
        bids, asks = book.window(self.depth)
        sides = self._told[symbol] = dict(bids), dict(asks)
        if isinstance(event, BookSnapshot) or event.update_id == 1:
            return self._book_frame("snapshot", symbol, bids, asks, event.update_id, now_ms)
        bids, asks = (_changes(before, side) for before, side in zip(known, sides, strict=True))
        return self._book_frame("delta", symbol, bids, asks, event.update_id, now_ms)

    def _book_frame(
        self,
        kind: str,
        symbol: str,
        bids: list[tuple[int, int]],
        asks: list[tuple[int, int]],
        update_id: int,
        now_ms: int,
    ) -> bytes:
        rules, book = self.contents.instruments[symbol], self._books[symbol]
        texts = [
            [(rules.price_text(ticks), rules.qty_text(lots) if lots else "0") for ticks, lots in side]
            for side in (bids, asks)
        ]
        data = {"s": symbol, "b": texts[0], "a": texts[1], "u": update_id, "seq": book.seq}
        topic = f"orderbook.{self.depth}.{symbol}"
        return _encode({"topic": topic, "type": kind, "ts": now_ms, "data": data, "cts": book.cts_ms})

    def _ticker(self, symbol: str, now_ms: int) -> bytes:
        fields = self._exchange.listings[symbol].ticker()
        topic = f"tickers.{symbol}"
        return _encode({"topic": topic, "type": "snapshot", "data": fields, "cs": 0, "ts": now_ms})


class PublicSession:
    """One client's public socket: it subscribes, gets answers, and its topics as they are played."""

    def __init__(self, player: Player, send: Send) -> None:
        self._player = player
        self._send = send
        self._topics: set[str] = set()
        self._waiting: set[str] = set()  # books asked for, whose snapshot is not there yet

    def on_text(self, text: str, now_ms: int) -> None:
        try:
            message = _decode(text)
        except msgspec.DecodeError:
            message = {}
        operation, topics = message.get("op"), message.get("args")
        names = [str(name) for name in topics] if isinstance(topics, list) else []
        answer = {"success": True, "ret_msg": "", "conn_id": "replay", "req_id": message.get("req_id", "")}
        if operation == "ping":
            answer["ret_msg"] = "pong"
        elif operation == "unsubscribe":
            self._topics.difference_update(names)
        elif operation == "subscribe":
            self._topics.update(names)
        else:
            answer |= {"success": False, "ret_msg": "expected ping, subscribe or unsubscribe"}
        self._send(_encode(answer | {"op": operation}))
        if operation == "subscribe":
            for name in names:
                self._begin(name, now_ms)

    def push(self, topic: str, data: bytes) -> None:
        if topic in self._topics:
            self._send(data)

    def push_book(self, topic: str, symbol: str, data: bytes, now_ms: int, *, whole: bool) -> None:
        """A message of a book; `whole`: it is a snapshot, with which whoever waits for one begins."""
        if topic in self._waiting and not whole:
            snapshot = self._player.snapshot(symbol, now_ms)
            if snapshot is None:
                return
            data = snapshot
        self._waiting.discard(topic)
        self.push(topic, data)

    def close(self) -> None:
        self._player.leave(self)

    def _begin(self, topic: str, now_ms: int) -> None:
        """A book begins with a snapshot, as soon as there is one; who asks twice gets it at once."""
        symbol = self._player.serves(topic)
        if not symbol:
            return
        snapshot = self._player.snapshot(symbol, now_ms, hurry=topic in self._waiting)
        if snapshot is None:
            self._waiting.add(topic)
        else:
            self._waiting.discard(topic)
            self._send(snapshot)


def served_depth(contents: Contents) -> int:
    """The deepest the venue offers that every recorded book has."""
    least = min(contents.held[symbol].depth for symbol in contents.symbols)
    return max((depth for depth in DEPTHS if depth <= least), default=DEPTHS[0])


def _changes(before: dict[int, int], side: dict[int, int]) -> list[tuple[int, int]]:
    """Levels (ticks, lots) that are not as they were; 0 lots: gone."""
    return [(ticks, side.get(ticks, 0)) for ticks in before | side if before.get(ticks) != side.get(ticks)]
