"""The only way into the core: two lanes, and a sequence number for everything that leaves."""

import asyncio
from collections import Counter, deque

from msgspec import Struct

from breakwall.model.events import (
    MARKET_EVENTS,
    BookDelta,
    BookLost,
    BookSnapshot,
    Event,
    MarketEvent,
    Stamped,
    Ticker,
    Trades,
)
from breakwall.ports import Clock, Frame

_FULL_ENOUGH = 0.75
_MarketData = BookSnapshot | BookDelta | Trades | Ticker


class Item(Struct, frozen=True, gc=False):
    """An event on its way out, with the frame it was read from and when it came in."""

    stamped: Stamped
    frame: Frame | None
    came_ns: int


class Inbox:
    """Orders and people overtake market data; a full market lane drops whole symbols, never single deltas.

    `put` is called by adapters and people, `take` by the drain alone. A symbol whose events had to be
    dropped is reported as `BookLost` at once and all its events stay out until its next snapshot.
    """

    def __init__(self, clock: Clock, market_limit: int) -> None:
        self._clock = clock
        self._limit = market_limit
        self._urgent: deque[tuple[Event, Frame | None, int]] = deque()
        self._market: deque[tuple[_MarketData, Frame | None, int]] = deque()
        self._dropped: set[str] = set()
        self._seq = 0
        self._last_ms = 0
        self._ready = asyncio.Event()

    def __len__(self) -> int:
        return len(self._urgent) + len(self._market)

    def put(self, event: Event, frame: Frame | None = None) -> None:
        came_ns = frame.at_ns if frame is not None else self._clock.now_ns()
        if isinstance(event, MARKET_EVENTS):
            if self._wanted(event):
                self._market.append((event, frame, came_ns))
        else:
            self._urgent.append((event, frame, came_ns))
        self._ready.set()

    async def wait(self) -> None:
        """Return as soon as there is something to take."""
        if not self._urgent and not self._market:
            self._ready.clear()
            await self._ready.wait()

    def take(self) -> Item | None:
        """The next event with its sequence number and time; None when both lanes are empty."""
        lane = self._urgent or self._market
        if not lane:
            return None
        event, frame, came_ns = lane.popleft()
        self._seq += 1
        self._last_ms = max(self._last_ms, self._clock.now_ms())
        return Item(Stamped(self._seq, self._last_ms, event), frame, came_ns)

    def _wanted(self, event: MarketEvent) -> bool:
        symbol = event.symbol
        if symbol in self._dropped and not isinstance(event, BookSnapshot):
            return False
        if len(self._market) < self._limit:
            self._dropped.discard(symbol)
            return True
        self._make_room(symbol)
        return False

    def _make_room(self, symbol: str) -> None:
        """Drop this symbol, and the busiest others until a quarter of the lane is free.

        Among hundreds of symbols one is too little: the next event would find the lane full again.
        """
        waiting = Counter(event.symbol for event, _, _ in self._market)
        left = len(self._market) - waiting.pop(symbol, 0)
        gone = {symbol}
        for other, events in waiting.most_common():
            if left <= self._limit * _FULL_ENOUGH:
                break
            gone.add(other)
            left -= events
        self._market = deque(item for item in self._market if item[0].symbol not in gone)
        self._dropped |= gone
        for name in sorted(gone):
            lost = BookLost(name, f"inbox full ({self._limit} market events waiting)", ours=True)
            self._urgent.append((lost, None, self._clock.now_ns()))
