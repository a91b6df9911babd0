"""Exact order books of recorded markets, in `Decimal`, one class per venue's rules.

Independent of the trading book on purpose: `breakwall inspect` is the ruler that the trading book
is measured with, so the two share no code.
"""

import hashlib
from abc import ABC, abstractmethod
from bisect import bisect_left
from decimal import Decimal
from enum import Enum

from msgspec import Struct

TOP = 50


class Verdict(Enum):
    """What became of a book message."""

    APPLIED = "applied"
    EARLY = "early"  # before the first snapshot
    REPEATED = "repeated"  # old news, dropped
    VOID = "void"  # after a gap, before the next snapshot


class BookMessage(Struct, frozen=True, gc=False):
    """One message of a book stream. Levels are (price, quantity); 0 deletes.

    `update_id` is Bybit's or Binance's `u`; `first` and `previous` are Binance's `U` and `pu`; `cts` is the
    matching engine's time (ms), 0 where the venue does not say.
    """

    topic: str
    symbol: str
    ts: int
    update_id: int
    bids: list[tuple[Decimal, Decimal]]
    asks: list[tuple[Decimal, Decimal]]
    snapshot: bool = False
    seq: int | None = None
    first: int = 0
    previous: int = 0
    cts: int = 0


class Seed(Struct, frozen=True, gc=False):
    """A REST snapshot of a Binance book; `symbol` is empty and `cts` 0 where the recording does not say."""

    symbol: str
    update_id: int
    bids: list[tuple[Decimal, Decimal]]
    asks: list[tuple[Decimal, Decimal]]
    cts: int = 0


class Checkpoint(Struct, frozen=True):
    """The book after one message, as `inspect --json` prints it; numbers are plain decimal text."""

    n: int
    ts: int
    u: int
    seq: int | None
    bid: tuple[str, str] | None
    ask: tuple[str, str] | None
    nb: int
    na: int
    sum_bid50: str
    sum_ask50: str
    sha256_top50: str


class Side:
    """One side of a book: its prices in ascending order and the quantity at each."""

    __slots__ = ("prices", "quantity")

    def __init__(self) -> None:
        self.prices: list[Decimal] = []
        self.quantity: dict[Decimal, Decimal] = {}

    def set(self, price: Decimal, quantity: Decimal) -> None:
        known = price in self.quantity
        if quantity > 0:
            self.quantity[price] = quantity
            if not known:
                self.prices.insert(bisect_left(self.prices, price), price)
        elif known:
            del self.quantity[price]
            del self.prices[bisect_left(self.prices, price)]

    def lowest(self) -> list[Decimal]:
        return self.prices[:TOP]

    def highest(self) -> list[Decimal]:
        return self.prices[: -TOP - 1 : -1]


class Book(ABC):
    """The levels of one stream and the counters of its life. `n` counts the messages that were applied."""

    def __init__(self) -> None:
        self.bids, self.asks = Side(), Side()
        self.n = 0
        self.verdicts = dict.fromkeys(Verdict, 0)
        self.gaps = 0
        self.resyncs = 0
        self.crossed = 0
        self.last: BookMessage | None = None

    @abstractmethod
    def take(self, message: BookMessage) -> bool:
        """Follow one message; returns whether it was applied."""

    def checkpoint(self) -> Checkpoint:
        """The book as it stands; at least one message must have been applied."""
        if self.last is None:
            raise ValueError("checkpoint: expected a book, found none applied yet")
        bids, asks = self.bids.highest(), self.asks.lowest()
        lines = [f"b|{plain(price)}|{plain(self.bids.quantity[price])}" for price in bids]
        lines += [f"a|{plain(price)}|{plain(self.asks.quantity[price])}" for price in asks]
        return Checkpoint(
            n=self.n,
            ts=self.last.ts,
            u=self.last.update_id,
            seq=self.last.seq,
            bid=(plain(bids[0]), plain(self.bids.quantity[bids[0]])) if bids else None,
            ask=(plain(asks[0]), plain(self.asks.quantity[asks[0]])) if asks else None,
            nb=len(self.bids.prices),
            na=len(self.asks.prices),
            sum_bid50=plain(sum((self.bids.quantity[price] for price in bids), Decimal(0))),
            sum_ask50=plain(sum((self.asks.quantity[price] for price in asks), Decimal(0))),
            sha256_top50=hashlib.sha256("\n".join(lines).encode()).hexdigest(),
        )

    def _reset(self, bids: list[tuple[Decimal, Decimal]], asks: list[tuple[Decimal, Decimal]]) -> None:
        self.bids, self.asks = Side(), Side()
        self._set_levels(bids, asks)

    def _set_levels(self, bids: list[tuple[Decimal, Decimal]], asks: list[tuple[Decimal, Decimal]]) -> None:
        for price, quantity in bids:
            self.bids.set(price, quantity)
        for price, quantity in asks:
            self.asks.set(price, quantity)

    def _count(self, message: BookMessage, verdict: Verdict) -> bool:
        self.verdicts[verdict] += 1
        if verdict is not Verdict.APPLIED:
            return False
        self.n += 1
        self.last = message
        bids, asks = self.bids.prices, self.asks.prices
        if bids and asks and bids[-1] >= asks[0]:
            self.crossed += 1
        return True


class BybitBook(Book):
    """Snapshot, then deltas whose `u` rises by one; `u == 1` is a restarted service: a snapshot in any case."""

    def __init__(self) -> None:
        super().__init__()
        self._valid = False

    def take(self, message: BookMessage) -> bool:
        if message.snapshot or message.update_id == 1:
            self.resyncs += self.last is not None
            self._valid = True
            self._reset(message.bids, message.asks)
            return self._count(message, Verdict.APPLIED)
        if not self._valid or self.last is None:
            return self._count(message, Verdict.EARLY if self.last is None else Verdict.VOID)
        if message.update_id <= self.last.update_id:
            return self._count(message, Verdict.REPEATED)
        if message.update_id > self.last.update_id + 1:
            self._valid = False
            self.gaps += 1
            return self._count(message, Verdict.VOID)
        self._set_levels(message.bids, message.asks)
        return self._count(message, Verdict.APPLIED)


class BinanceBook(Book):
    """A REST snapshot joined to the stream by its update id, then messages chained by `pu`.

    Messages before the snapshot wait for it. Source: Binance USD-M, "How to manage a local order
    book correctly".
    """

    WAITING_ROOM = 5000

    def __init__(self) -> None:
        super().__init__()
        self._seed: Seed | None = None  # not joined to the stream yet
        self._chained = False
        self._waiting: list[BookMessage] = []

    def seed(self, seed: Seed) -> list[BookMessage]:
        """Offer a REST snapshot; returns the messages that waited for it, to be taken now.

        A snapshot that is not needed is left alone.
        """
        if self._chained:
            return []
        self.resyncs += self.last is not None
        self._seed = seed
        self._reset(seed.bids, seed.asks)
        waiting, self._waiting = self._waiting, []
        return waiting

    def take(self, message: BookMessage) -> bool:
        if message.snapshot:
            self.resyncs += self.last is not None
            self._reset(message.bids, message.asks)
            return self._count(message, Verdict.APPLIED)
        if self._chained and self.last is not None:
            return self._chain(message, self.last)
        return self._wait(message) if self._seed is None else self._join(message, self._seed)

    def close(self) -> None:
        """The recording ends: what still waits for a snapshot was never usable."""
        while self._waiting:
            self._count(self._waiting.pop(), self._unusable)

    @property
    def _unusable(self) -> Verdict:
        return Verdict.EARLY if self.last is None else Verdict.VOID

    def _wait(self, message: BookMessage) -> bool:
        self._waiting.append(message)
        if len(self._waiting) > self.WAITING_ROOM:
            self._count(self._waiting.pop(0), self._unusable)
        return False

    def _join(self, message: BookMessage, seed: Seed) -> bool:
        if message.update_id < seed.update_id:
            return self._count(message, self._unusable)
        if message.first > seed.update_id != message.previous:
            self._seed = None
            self.gaps += 1
            return self._wait(message)
        self._seed, self._chained = None, True
        return self._apply(message)

    def _chain(self, message: BookMessage, last: BookMessage) -> bool:
        if message.update_id <= last.update_id:
            return self._count(message, Verdict.REPEATED)
        if message.previous != last.update_id:
            self._chained = False
            self.gaps += 1
            return self._wait(message)
        return self._apply(message)

    def _apply(self, message: BookMessage) -> bool:
        self._set_levels(message.bids, message.asks)
        return self._count(message, Verdict.APPLIED)


def plain(number: Decimal) -> str:
    """Decimal text without exponent and trailing zeros."""
    return f"{number.normalize():f}"
