"""What other venues and archives tell, as the public frames Bybit v5 would have sent.

A Binance book has as many levels as it likes and ids of its own; here it becomes the best 1000 levels with an `u`
that rises by one with each message, and by more where the recording lacks one.
"""

from bisect import bisect_left
from collections.abc import Iterator
from decimal import Decimal

import msgspec

from breakwall.replay.books import BookMessage, Seed, Side
from breakwall.replay.tables import Bar, TradeMessage

DEPTH = 1000
FIRST_UPDATE = 1000
"""Anything but 1, which would mean a restarted service."""
_WAITING_ROOM = 5000
_MINUTE_MS = 60_000

Levels = dict[Decimal, Decimal]
_encode = msgspec.json.Encoder(decimal_format="string").encode


class FullBook:
    """A Binance book joined to its stream as `replay.books.BinanceBook` does it, and told as a window.

    A missing message does not end it: the levels that it changed stay as they were, the reader is shown the gap.
    One that comes late fills it.
    """

    def __init__(self, symbol: str) -> None:
        self._symbol = symbol
        self._bids, self._asks = _Window(bid=True), _Window(bid=False)
        self._update_id = FIRST_UPDATE
        self._last = 0  # the venue's id of the last message; 0: no snapshot yet
        self._joined = False
        self._before_hole = self._hole = 0  # the venue's id before a gap, and the `u` left out for it
        self._since: set[Decimal] = set()  # levels changed since the gap: newer than what comes late
        self._waiting: list[BookMessage] = []

    @property
    def begun(self) -> bool:
        return bool(self._last)

    def seed(self, seed: Seed, ts: int) -> Iterator[bytes]:
        """A REST snapshot: begins the book, or ends a gap; one that is not needed is left alone. Its sequence is the
        time of the book in it, not of the answer (`ts`): what follows may be older than that.
        """
        if self._last and not self._hole:
            return
        self._last, self._joined, self._hole = seed.update_id, False, 0
        yield self._snapshot(seed.bids, seed.asks, seed.cts, ts)
        waiting, self._waiting = self._waiting, []
        for message in waiting:
            yield from self.take(message)

    def take(self, message: BookMessage) -> Iterator[bytes]:
        at_ms, ts = message.cts or message.ts, message.ts
        if message.snapshot:
            self._last, self._joined = message.update_id, True
            yield self._snapshot(message.bids, message.asks, at_ms, ts)
        elif not self._last:
            self._waiting = [*self._waiting[1 - _WAITING_ROOM :], message]
        elif message.update_id < self._last or (message.update_id == self._last and self._joined):
            if self._joined:
                yield self._late(message, at_ms, ts)
        else:
            yield self._next(message, at_ms, ts)

    def _next(self, message: BookMessage, at_ms: int, ts: int) -> bytes:
        follows = message.previous == self._last if self._joined else message.first <= self._last + 1
        if not (follows or message.previous == self._last):
            self._update_id += 1
            self._before_hole, self._hole = self._last, self._update_id
            self._since = set()
        self._joined, self._last = True, message.update_id
        self._update_id += 1
        if self._hole:
            self._since.update(price for price, _ in (*message.bids, *message.asks))
        return self._delta(message.bids, message.asks, self._update_id, at_ms, ts)

    def _late(self, message: BookMessage, at_ms: int, ts: int) -> bytes:
        """A repeat, which is told as one, or the message that was missed."""
        if not (self._hole and message.previous == self._before_hole):
            return self._frame("delta", {}, {}, self._update_id, at_ms, ts)
        hole, self._hole = self._hole, 0
        bids, asks = (
            [level for level in side if level[0] not in self._since] for side in (message.bids, message.asks)
        )
        return self._delta(bids, asks, hole, at_ms, ts)

    def _snapshot(
        self, bids: list[tuple[Decimal, Decimal]], asks: list[tuple[Decimal, Decimal]], at_ms: int, ts: int
    ) -> bytes:
        self._update_id += 1
        self._bids, self._asks = _Window(bid=True), _Window(bid=False)
        shown = [
            {price: quantity for price, quantity in side.apply(levels).items() if quantity}
            for side, levels in ((self._bids, bids), (self._asks, asks))
        ]
        return self._frame("snapshot", shown[0], shown[1], self._update_id, at_ms, ts)

    def _delta(
        self,
        bids: list[tuple[Decimal, Decimal]],
        asks: list[tuple[Decimal, Decimal]],
        update_id: int,
        at_ms: int,
        ts: int,
    ) -> bytes:
        return self._frame("delta", self._bids.apply(bids), self._asks.apply(asks), update_id, at_ms, ts)

    def _frame(self, kind: str, bids: Levels, asks: Levels, update_id: int, at_ms: int, ts: int) -> bytes:
        return book_frame(self._symbol, kind, bids, asks, update_id, at_ms, ts)


class _Window:
    """One side of a book of which the reader sees the best `DEPTH` levels."""

    def __init__(self, *, bid: bool) -> None:
        self._bid = bid
        self._side = Side()
        self._rim: Decimal | None = None  # the outermost level seen; None: all are

    def apply(self, changed: list[tuple[Decimal, Decimal]]) -> Levels:
        """Take changes and tell those of the window, levels that enter or leave it among them."""
        before, touched = self._rim, dict(changed)
        for price, quantity in touched.items():
            self._side.set(price, quantity)
        prices = self._side.prices
        full = len(prices) > DEPTH
        rim = self._rim = (prices[-DEPTH] if self._bid else prices[DEPTH - 1]) if full else None
        told = {
            price: quantity if self._within(price, rim) else Decimal(0)
            for price, quantity in touched.items()
            if self._within(price, rim) or self._within(price, before)
        }
        if rim != before:
            told |= {price: Decimal(0) for price in self._between(rim, before)}
            told |= {price: self._side.quantity[price] for price in self._between(before, rim)}
        return told

    def _within(self, price: Decimal, rim: Decimal | None) -> bool:
        return rim is None or (price >= rim if self._bid else price <= rim)

    def _between(self, near: Decimal | None, far: Decimal | None) -> list[Decimal]:
        """The levels beyond the rim `near` up to the rim `far`; none where `far` is the nearer one."""
        prices = self._side.prices
        if near is None:
            return []
        if self._bid:
            return prices[0 if far is None else bisect_left(prices, far) : bisect_left(prices, near)]
        start = bisect_left(prices, near)
        start += start < len(prices) and prices[start] == near
        if far is None:
            return prices[start:]
        end = bisect_left(prices, far)
        return prices[start : end + (end < len(prices) and prices[end] == far)]


def book_frame(symbol: str, kind: str, bids: Levels, asks: Levels, update_id: int, at_ms: int, ts: int) -> bytes:
    """`orderbook.1000`. Its sequence is the matching engine's time, which the trades share."""
    data = {"s": symbol, "b": _texts(bids, high_first=True), "a": _texts(asks), "u": update_id, "seq": at_ms}
    return _encode({"topic": f"orderbook.{DEPTH}.{symbol}", "type": kind, "ts": ts, "data": data, "cts": at_ms})


def quote_frame(message: BookMessage) -> bytes:
    """A snapshot of the best prices, as `orderbook.1`."""
    data = {
        "s": message.symbol,
        "b": _texts(dict(message.bids)),
        "a": _texts(dict(message.asks)),
        "u": message.update_id,
        "seq": message.seq,
    }
    topic = f"orderbook.1.{message.symbol}"
    return _encode({"topic": topic, "type": "snapshot", "ts": message.ts, "data": data, "cts": message.ts})


def trade_frame(message: TradeMessage, seq: int) -> bytes:
    rows = [
        {
            "T": message.ts,
            "s": message.symbol,
            "S": "Buy" if bought else "Sell",
            "v": f"{quantity:f}",
            "p": f"{price:f}",
            "i": message.trade_id,
            "BT": False,
            "seq": seq,
        }
        for price, quantity, bought in message.trades
    ]
    return _encode({"topic": f"publicTrade.{message.symbol}", "type": "snapshot", "ts": message.ts, "data": rows})


def mark_frame(symbol: str, mark: str, index: str, funding_rate: str, next_funding_ms: int, ts: int) -> bytes:
    """A ticker that tells the reference prices only."""
    fields = {"markPrice": mark, "indexPrice": index, "fundingRate": funding_rate}
    data = {"symbol": symbol} | {name: text for name, text in fields.items() if text}
    if next_funding_ms:
        data["nextFundingTime"] = str(next_funding_ms)
    return _encode({"topic": f"tickers.{symbol}", "type": "delta", "data": data, "cs": ts, "ts": ts})


def bar_frame(bar: Bar) -> bytes:
    """A closed bar of a minute."""
    opened, high, low, closed = (f"{price:f}" for price in bar.prices)
    end = bar.ts + _MINUTE_MS - 1
    row = {"start": bar.ts, "end": end, "interval": "1", "open": opened, "close": closed, "high": high, "low": low}
    row |= {"volume": f"{bar.volume:f}", "turnover": "", "confirm": True, "timestamp": end}
    return _encode({"topic": bar.topic, "type": "snapshot", "data": [row], "ts": end})


def _texts(levels: Levels, *, high_first: bool = False) -> list[tuple[str, str]]:
    return [(f"{price:f}", f"{levels[price]:f}") for price in sorted(levels, reverse=high_first)]
