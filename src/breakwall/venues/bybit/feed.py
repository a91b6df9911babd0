"""Public market data of Bybit v5 linear: books, trades and tickers as events into a sink."""

import asyncio
import random
from collections.abc import Callable, Iterable, Mapping

from breakwall.model.events import BadFrame, BookLost, BookSnapshot, Link, LinkChanged
from breakwall.model.units import Instrument
from breakwall.ports import Clock, Frame, Sink, Transport
from breakwall.settings import VenueSettings
from breakwall.venues.bybit.codec import PublicCodec
from breakwall.venues.topics import Topic
from breakwall.venues.websocket import Pace, Stream

TOPICS_PER_SYMBOL = 4


class BybitFeed:
    """Follows symbols over as few sockets as `topics_per_socket` allows.

    `instruments` is read when the feed starts and, of a symbol, whenever it is subscribed (again), so its owner may
    replace rules in place. A symbol stays on its socket for as long as it is followed; a socket whose symbols have
    all left stays for the next ones, and nobody waits for it. `doubt` is called when a change of a contract's
    rules shows first: a frame that cannot be read, as its prices do not fit, or a book that was begun anew (`u` 1).
    """

    def __init__(
        self,
        transport: Transport,
        clock: Clock,
        sink: Sink,
        url: str,
        settings: VenueSettings,
        instruments: Mapping[str, Instrument],
        rng: random.Random,
        doubt: Callable[[], None] = lambda: None,
    ) -> None:
        self._doubt = doubt
        self._transport = transport
        self._clock = clock
        self._sink = sink
        self._url = url
        self._settings = settings
        self._instruments = instruments
        self._rng = rng
        self._pace = Pace(clock)
        self._known = dict(instruments)
        self._codec = PublicCodec(self._known)
        self._shards: list[Shard] = []
        self._more = asyncio.Event()
        self._up = False

    async def run(self) -> None:
        """Keep every socket alive until cancelled; sockets added by `subscribe` join at once."""
        self._learn_rules(self._instruments)
        started = 0
        async with asyncio.TaskGroup() as group:
            while True:
                self._more.clear()
                for shard in self._shards[started:]:
                    group.create_task(shard.stream.run(), name=shard.stream.name)
                started = len(self._shards)
                await self._more.wait()

    def subscribe(self, symbols: Mapping[str, int]) -> None:
        """Follow exactly these symbols; symbol -> levels of the book (1, 50, 200 or 1000)."""
        for shard in self._shards:
            shard.depths = {name: symbols[name] for name in shard.depths if name in symbols}
        followed = {name for shard in self._shards for name in shard.depths}
        self._learn_rules(symbols.keys() - followed)
        for symbol, depth in symbols.items():
            if symbol not in followed:
                self._shard_with_room().depths[symbol] = depth
        for shard in self._shards:
            shard.follow(self._settings.book_silence_s)
        if self._all_up and not self._up:  # those of a lost socket have left
            self._up = True
            self._sink.put(LinkChanged(Link.PUBLIC, True))

    def resubscribe(self, symbol: str, depth: int = 0) -> None:
        """Ask for a new snapshot of the symbol's book, with another depth where one is given."""
        self._learn_rules((symbol,))
        for shard in self._shards:
            if symbol not in shard.depths:
                continue
            if depth and depth != shard.depths[symbol]:
                shard.depths[symbol] = depth
                shard.follow(self._settings.book_silence_s)
            else:
                shard.stream.renew(book_topic(symbol, shard.depths[symbol]))

    def hurry(self) -> None:
        """See `Stream.hurry`."""
        for shard in self._shards:
            shard.stream.hurry()

    def on_frame(self, frame: Frame) -> None:
        event = self._codec.decode(frame.data)
        self._sink.put(event, frame)
        if type(event) is BadFrame or (type(event) is BookSnapshot and event.update_id == 1):
            self._doubt()

    def on_shard(self, shard: "Shard", up: bool, reason: str) -> None:
        """The link is up while all sockets with symbols are; the books of a lost socket are lost one by one."""
        if not up:
            for symbol in shard.depths:
                self._sink.put(BookLost(symbol, reason))
        all_up = self._all_up
        if all_up != self._up or not (up or all_up):
            self._up = all_up
            self._sink.put(LinkChanged(Link.PUBLIC, all_up, reason))

    def on_topic_lost(self, topic: str, reason: str) -> None:
        """Only a silent or refused book matters; trades and tickers may be quiet."""
        kind, _, rest = topic.partition(".")
        if kind == "orderbook":
            self._sink.put(BookLost(rest.partition(".")[2], reason))

    @property
    def _all_up(self) -> bool:
        return all(shard.stream.up for shard in self._shards if shard.depths)

    def _learn_rules(self, symbols: Iterable[str]) -> None:
        """Only of these: of the others frames in the old rules may be on their way, which the core still has."""
        fresh = {symbol: self._instruments[symbol] for symbol in symbols if symbol in self._instruments}
        if any(self._known.get(symbol) != rules for symbol, rules in fresh.items()):
            self._known |= fresh
            self._codec.set_instruments(self._known)

    def _shard_with_room(self) -> "Shard":
        room = max(1, self._settings.topics_per_socket // TOPICS_PER_SYMBOL)
        for shard in self._shards:
            if len(shard.depths) < room:
                return shard
        shard = Shard(self, len(self._shards) + 1)
        self._shards.append(shard)
        self._more.set()
        return shard

    def make_stream(self, shard: "Shard", number: int) -> Stream:
        return Stream(
            name=f"public{number}",
            url=self._url,
            transport=self._transport,
            clock=self._clock,
            listener=shard,
            settings=self._settings,
            rng=self._rng,
            pace=self._pace,
        )


class Shard:
    """One socket of the feed and the symbols it carries (symbol -> depth)."""

    def __init__(self, feed: BybitFeed, number: int) -> None:
        self.depths: dict[str, int] = {}
        self._feed = feed
        self.stream = feed.make_stream(self, number)
        self.on_frame = feed.on_frame

    def follow(self, silence_s: float) -> None:
        self.stream.follow(
            topic for symbol, depth in self.depths.items() for topic in topics_of(symbol, depth, silence_s)
        )

    def on_link(self, up: bool, reason: str) -> None:
        self._feed.on_shard(self, up, reason)

    def on_silence(self, topic: str, reason: str) -> None:
        self._feed.on_topic_lost(topic, reason)


def book_topic(symbol: str, depth: int) -> str:
    return f"orderbook.{depth}.{symbol}"


def topics_of(symbol: str, depth: int, silence_s: float) -> tuple[Topic, ...]:
    """The book must begin with a snapshot and go on; all others come when they come."""
    return (
        Topic(book_topic(symbol, depth), speaks_first=True, silence_s=silence_s),
        Topic(f"publicTrade.{symbol}"),
        Topic(f"tickers.{symbol}"),
        Topic(f"allLiquidation.{symbol}"),
    )
