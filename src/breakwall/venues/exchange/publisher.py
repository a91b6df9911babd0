"""The exchange's public topics: order books, trades, tickers and candles, computed once for all their readers.

Only topics with subscribers cost anything. Trades leave before the book change they caused, and
share its `seq`. Source of the frames: Bybit v5 public topics of linear contracts.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence

import msgspec

from breakwall.model.units import Side
from breakwall.venues.exchange.candles import INTERVALS, Candle, end_of
from breakwall.venues.exchange.listing import Listing
from breakwall.venues.exchange.matching import PublicTrade

Send = Callable[[str], None]
"""Takes one text frame of one session."""

PERIOD_MS = {1: 10, 50: 20, 200: 100, 1000: 200}
"""Depths of the order book topics and how often each is pushed."""

FIRST_UPDATE = 40_000_000
"""Where `u` of a topic starts: anything but 1, which would mean a restarted service."""

SNAPSHOT_DELAY_MS = 5  # clients may register their handlers after the subscription is sent
_TICKER_MS = 100
_KLINE_MS = 1000
_REPEAT_MS = 3000  # an unchanged best price is repeated this often
_MAX_TRADES = 1024
_DEPTHS = {str(depth): depth for depth in PERIOD_MS}

_encoder = msgspec.json.Encoder()


class _Topic:
    """Readers of one topic; new ones wait for a moment first."""

    __slots__ = ("listing", "name", "readers", "waiting")

    def __init__(self, name: str, listing: Listing) -> None:
        self.name = name
        self.listing = listing
        self.readers: list[Send] = []
        self.waiting: list[tuple[int, Send]] = []

    def join(self, send: Send, now_ms: int) -> None:
        """A reader who subscribes again gets a new snapshot."""
        self.leave(send)
        self.waiting.append((now_ms + SNAPSHOT_DELAY_MS, send))

    def leave(self, send: Send) -> None:
        # Lists are replaced, never changed: a reader may leave while it is being told.
        self.readers = [reader for reader in self.readers if reader != send]
        self.waiting = [waiter for waiter in self.waiting if waiter[1] != send]

    def admit(self, now_ms: int) -> list[Send]:
        """Those who have waited long enough become readers."""
        admitted = [send for due_ms, send in self.waiting if due_ms <= now_ms]
        if admitted:
            self.waiting = [waiter for waiter in self.waiting if waiter[0] > now_ms]
            self.readers = self.readers + admitted
        return admitted

    def tell(self, readers: list[Send], message: dict[str, object]) -> None:
        if readers:
            text = _encoder.encode(message).decode()
            for send in readers:
                send(text)


class _Paced(_Topic, ABC):
    """A topic of snapshot and deltas, pushed on a fixed grid of time."""

    __slots__ = ("_next_ms", "_period_ms")

    def __init__(self, name: str, listing: Listing, period_ms: int) -> None:
        super().__init__(name, listing)
        self._period_ms = period_ms
        self._next_ms = 0

    def publish(self, now_ms: int) -> None:
        """Readers get what changed; those who come in now get what they have by then, whole."""
        if now_ms >= self._next_ms:
            self._next_ms = (now_ms // self._period_ms + 1) * self._period_ms
            self._update(now_ms)
        admitted = self.admit(now_ms)
        if admitted:
            self.tell(admitted, self._snapshot(now_ms))

    @abstractmethod
    def _update(self, now_ms: int) -> None:
        """Tell the readers what changed."""

    @abstractmethod
    def _snapshot(self, now_ms: int) -> dict[str, object]:
        """The whole, for new readers."""


class BookTopic(_Paced):
    """`orderbook.N`: the best N levels; levels that enter or leave these count as changes.

    Depth 1 sends snapshots only, and repeats an unchanged one.
    """

    __slots__ = ("_changed_ms", "_depth", "_levels", "_seq", "_told_ms", "update_id")

    def __init__(self, name: str, listing: Listing, depth: int) -> None:
        super().__init__(name, listing, PERIOD_MS[depth])
        self._depth = depth
        self._levels: dict[Side, dict[int, int]] = {Side.BUY: {}, Side.SELL: {}}
        self._seq = -1
        self._changed_ms = 0
        self._told_ms = 0
        self.update_id = FIRST_UPDATE

    def _update(self, now_ms: int) -> None:
        changes = self._changes()
        if changes is not None:
            self.update_id += 1
            self._changed_ms = self._told_ms = now_ms
            single = self._depth == 1
            self.tell(self.readers, self._snapshot(now_ms) if single else self._message("delta", now_ms, changes))
        elif self._depth == 1 and now_ms - self._told_ms >= _REPEAT_MS:
            self._told_ms = now_ms
            self.tell(self.readers, self._snapshot(now_ms))

    def _changes(self) -> dict[Side, dict[int, int]] | None:
        """Take the window anew; what is different in it, None where nothing is."""
        if self.listing.book.seq == self._seq:
            return None
        self._seq = self.listing.book.seq
        changes = {side: self._refresh(side) for side in (Side.BUY, Side.SELL)}
        return changes if any(changes.values()) else None

    def _refresh(self, side: Side) -> dict[int, int]:
        """Changes of one side's window, 0 lots for levels that are no longer in it."""
        before = self._levels[side]
        after = self._levels[side] = dict(self.listing.book.depth(side, self._depth))
        changes = {ticks: lots for ticks, lots in after.items() if before.get(ticks) != lots}
        changes.update((ticks, 0) for ticks in before if ticks not in after)
        return changes

    def _snapshot(self, now_ms: int) -> dict[str, object]:
        return self._message("snapshot", now_ms, self._levels)

    def _message(self, kind: str, now_ms: int, levels: Mapping[Side, dict[int, int]]) -> dict[str, object]:
        data = {
            "s": self.listing.instrument.symbol,
            "b": self._texts(levels[Side.BUY]),
            "a": self._texts(levels[Side.SELL]),
            "u": self.update_id,
            "seq": self._seq,
        }
        return {"topic": self.name, "type": kind, "ts": now_ms, "data": data, "cts": self._changed_ms}

    def _texts(self, levels: dict[int, int]) -> list[tuple[str, str]]:
        price, qty = self.listing.instrument.price_text, self.listing.instrument.qty_text
        return [(price(ticks), qty(lots) if lots else "0") for ticks, lots in levels.items()]


class TickerTopic(_Paced):
    """`tickers`: all fields once, then the changed ones."""

    __slots__ = ("_fields",)

    def __init__(self, name: str, listing: Listing) -> None:
        super().__init__(name, listing, _TICKER_MS)
        self._fields: dict[str, str] = {}

    def _update(self, now_ms: int) -> None:
        before, self._fields = self._fields, self.listing.ticker()
        changes = {name: text for name, text in self._fields.items() if before.get(name) != text}
        if changes:
            self.tell(self.readers, self._message("delta", now_ms, changes))

    def _snapshot(self, now_ms: int) -> dict[str, object]:
        return self._message("snapshot", now_ms, self._fields)

    def _message(self, kind: str, now_ms: int, fields: dict[str, str]) -> dict[str, object]:
        data = {"symbol": self.listing.instrument.symbol, **fields}
        return {"topic": self.name, "type": kind, "data": data, "cs": self.listing.book.seq, "ts": now_ms}


class TradesTopic(_Topic):
    """`publicTrade`: every trade as soon as it is known; there is no first snapshot."""

    __slots__ = ("_direction", "_last_ticks")

    def __init__(self, name: str, listing: Listing) -> None:
        super().__init__(name, listing)
        self._last_ticks = 0
        self._direction = "ZeroPlusTick"

    def publish(self, now_ms: int, trades: Sequence[PublicTrade]) -> None:
        self.admit(now_ms)
        for start in range(0, len(trades), _MAX_TRADES):
            rows = [self._row(trade) for trade in trades[start : start + _MAX_TRADES]]
            self.tell(self.readers, {"topic": self.name, "type": "snapshot", "ts": now_ms, "data": rows})

    def _row(self, trade: PublicTrade) -> dict[str, object]:
        instrument = self.listing.instrument
        if trade.ticks != self._last_ticks:
            self._direction = "PlusTick" if trade.ticks > self._last_ticks else "MinusTick"
        else:
            self._direction = "ZeroPlusTick" if self._direction.endswith("PlusTick") else "ZeroMinusTick"
        self._last_ticks = trade.ticks
        return {
            "T": trade.at_ms,
            "s": instrument.symbol,
            "S": trade.side.value,
            "v": instrument.qty_text(trade.lots),
            "p": instrument.price_text(trade.ticks),
            "L": self._direction,
            "i": trade.trade_id,
            "BT": False,
            "RPI": False,
            "seq": trade.seq,
        }


class KlineTopic(_Paced):
    """`kline`: the open candle each second in which it changed, and each candle once more when it closes."""

    __slots__ = ("_interval", "_told")

    def __init__(self, name: str, listing: Listing, interval: str) -> None:
        super().__init__(name, listing, _KLINE_MS)
        self._interval = interval
        self._told: Candle | None = None

    def _update(self, now_ms: int) -> None:
        candles = self.listing.candles.of(self._interval, now_ms)
        before, self._told = self._told, candles[-1] if candles else None
        if self._told is None or self._told == before:
            return
        if before is not None and self._told.start_ms != before.start_ms:
            closed = [one for one in candles[:-1] if one.start_ms >= before.start_ms]
            self.tell(self.readers, self._message(now_ms, closed))
        self.tell(self.readers, self._message(now_ms, [self._told]))

    def _snapshot(self, now_ms: int) -> dict[str, object]:
        return self._message(now_ms, [] if self._told is None else [self._told])

    def _message(self, now_ms: int, candles: Sequence[Candle]) -> dict[str, object]:
        return {
            "topic": self.name,
            "data": [self._row(one, now_ms) for one in candles],
            "ts": now_ms,
            "type": "snapshot",
        }

    def _row(self, candle: Candle, now_ms: int) -> dict[str, object]:
        opening, high, low, close, volume, turnover = candle.texts(self.listing.instrument)
        end_ms = end_of(self._interval, candle.start_ms)
        return {
            "start": candle.start_ms,
            "end": end_ms,
            "interval": self._interval,
            "open": opening,
            "close": close,
            "high": high,
            "low": low,
            "volume": volume,
            "turnover": turnover,
            "confirm": now_ms > end_ms,
            "timestamp": min(now_ms, end_ms),
        }


AnyTopic = BookTopic | TickerTopic | TradesTopic | KlineTopic


class Publisher:
    """Sends the public topics of all listings. In real time `publish` wants to be called each 10 ms."""

    def __init__(self, listings: Mapping[str, Listing]) -> None:
        self._listings = listings
        self._topics: dict[str, AnyTopic] = {}

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
            if isinstance(topic, _Paced):
                topic.publish(now_ms)

    def update_id(self, symbol: str) -> int:
        """`u` of the 1000-level book, which the REST order book shares."""
        topic = self._topics.get(f"orderbook.1000.{symbol}")
        return topic.update_id if isinstance(topic, BookTopic) else FIRST_UPDATE

    def _find(self, name: str) -> AnyTopic | None:
        """The topic of this name, a new one where nobody reads it yet, None where there is none."""
        if name in self._topics:
            return self._topics[name]
        kind, _, rest = name.partition(".")
        depth, _, symbol = rest.rpartition(".")
        listing = self._listings.get(symbol)
        if listing is None:
            return None
        if kind == "orderbook" and depth in _DEPTHS:
            return BookTopic(name, listing, _DEPTHS[depth])
        if kind == "kline" and depth in INTERVALS:
            return KlineTopic(name, listing, depth)
        if kind == "publicTrade" and not depth:
            return TradesTopic(name, listing)
        return TickerTopic(name, listing) if kind == "tickers" and not depth else None
