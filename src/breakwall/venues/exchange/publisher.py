"""The exchange's public topics, computed once for all their readers.

Only topics with subscribers cost anything. Trades leave before the book change they caused, and
share its `seq`. Source: Bybit v5 public topics of linear contracts.
"""

from collections.abc import Callable, Mapping

from breakwall.venues.exchange.adl_topic import ADL_TOPIC, AdlTopic
from breakwall.venues.exchange.book_topics import FIRST_UPDATE, PERIOD_MS, BookTopic, RpiBookTopic, TickerTopic
from breakwall.venues.exchange.candles import INTERVALS
from breakwall.venues.exchange.event_topics import KlineTopic, LiquidationsTopic, PriceLimitTopic, TradesTopic
from breakwall.venues.exchange.listing import DEEPEST, Listing
from breakwall.venues.exchange.topics import Paced, Send, Topic

_DEPTHS = {str(depth): depth for depth in PERIOD_MS}


class Publisher:
    """Sends the public topics of all listings. In real time `publish` wants to be called each 10 ms.

    A `pace_ms` slows books, trades and tickers down to one frame in that time.
    """

    def __init__(self, listings: Mapping[str, Listing], pace_ms: int = 0) -> None:
        self._listings = listings
        self._pace_ms = pace_ms
        self._topics: dict[str, Topic] = {}
        self._plain: Mapping[str, Callable[[str, Listing], Topic]] = {
            "publicTrade": lambda name, listing: TradesTopic(name, listing, pace_ms),
            "tickers": lambda name, listing: TickerTopic(name, listing, pace_ms),
            "allLiquidation": LiquidationsTopic,
            "priceLimit": PriceLimitTopic,
        }

    def refusal(self, topic: str) -> str:
        """Why this topic cannot be subscribed, in the venue's words; "" where it can."""
        return "" if self._find(topic) else f"error:handler not found,topic:{topic}"

    def subscribe(self, send: Send, topic: str, now_ms: int) -> str:
        """Add a reader; its snapshot follows at least 5 ms later. Returns the refusal, "" when done."""
        found = self._find(topic)
        if found is None:
            return self.refusal(topic)
        self._topics[topic] = found
        found.join(send, now_ms)
        return ""

    def unsubscribe(self, send: Send, topic: str) -> None:
        found = self._topics.get(topic)
        if found is not None:
            found.leave(send)
            if not found.readers and not found.waiting:
                found.close()
                del self._topics[topic]

    def drop(self, send: Send) -> None:
        """A session is gone: no more frames to it."""
        for topic in list(self._topics):
            self.unsubscribe(send, topic)

    def publish(self, now_ms: int) -> None:
        """Push what is due: trades first, then the books they changed, and tickers."""
        for symbol, listing in self._listings.items():
            trades = listing.take_trades()
            tape = self._topics.get(f"publicTrade.{symbol}")
            if isinstance(tape, TradesTopic):
                tape.publish(now_ms, trades)
        for topic in list(self._topics.values()):
            if isinstance(topic, Paced):
                topic.publish(now_ms)

    def begin_again(self, symbol: str, now_ms: int) -> None:
        """A contract has other rules: its readers begin anew."""
        for topic in self._topics.values():
            if topic.listing.instrument.symbol == symbol:
                topic.begin_again(now_ms)

    @property
    def read(self) -> bool:
        """Whether anybody reads anything."""
        return bool(self._topics)

    def update_id(self, symbol: str) -> int:
        """`u` of the 1000-level book, which the REST order book shares."""
        topic = self._topics.get(f"orderbook.1000.{symbol}")
        return topic.update_id if isinstance(topic, BookTopic) else FIRST_UPDATE

    def whole(self, topic: str, now_ms: int) -> dict[str, object]:
        """The snapshot that a reader of this book would get now; KeyError where nobody reads it."""
        book = self._topics[topic]
        if not isinstance(book, BookTopic):
            raise KeyError(topic)
        return book.whole(now_ms)

    def _find(self, name: str) -> Topic | None:
        """The topic of this name, a new one where nobody reads it yet, None where there is none."""
        if name in self._topics:
            return self._topics[name]
        if name == ADL_TOPIC:
            return AdlTopic(self._listings)
        kind, _, rest = name.partition(".")
        part, _, symbol = rest.rpartition(".")
        listing = self._listings.get(symbol)
        if listing is None:
            return None
        if kind == "orderbook":
            return self._book(name, listing, part)
        if kind == "kline" and part in INTERVALS:
            return KlineTopic(name, listing, part)
        make = self._plain.get(kind)
        return make(name, listing) if make is not None and not part else None

    def _book(self, name: str, listing: Listing, depth: str) -> Topic | None:
        if depth == "rpi":
            return RpiBookTopic(name, listing, self._pace_ms)
        if _DEPTHS.get(depth, DEEPEST + 1) > listing.deepest:
            return None
        return BookTopic(name, listing, _DEPTHS[depth], self._pace_ms)
