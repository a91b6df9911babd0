"""Topics of the present state: order books and tickers. Source of the frames: Bybit v5 public topics."""

from collections.abc import Mapping, Sequence

from breakwall.model.units import Side
from breakwall.venues.exchange.listing import Listing
from breakwall.venues.exchange.topics import Paced
from breakwall.venues.exchange.windows import Window

PERIOD_MS = {1: 10, 50: 20, 200: 100, 1000: 200}
"""Depths of the order book topics and how often each is pushed."""

FIRST_UPDATE = 40_000_000
"""Where `u` of a topic starts: anything but 1, which would mean a restarted service."""

_TICKER_MS = 100
_RPI_MS = 100
_REPEAT_MS = 3000  # an unchanged best price is repeated this often


class BookTopic(Paced):
    """`orderbook.N`: the best N levels; levels that enter or leave these count as changes.

    Depth 1 sends snapshots only, and repeats an unchanged one. A book that jumped leaves one `u` out: readers see a
    gap, and ask for a snapshot. Of a book that is not `told` nothing is sent; who asks for it waits.
    """

    __slots__ = ("_breaks", "_changed_ms", "_depth", "_seq", "_told_ms", "_windows", "update_id")

    def __init__(self, name: str, listing: Listing, depth: int, pace_ms: int = 0) -> None:
        super().__init__(name, listing, max(pace_ms, PERIOD_MS[depth]))
        self._depth = depth
        self._windows: dict[Side, Window] = {}
        self._breaks = listing.breaks
        self._seq = -1
        self._changed_ms = 0
        self._told_ms = 0
        self.update_id = FIRST_UPDATE

    def publish(self, now_ms: int) -> None:
        if self.listing.told:
            super().publish(now_ms)

    def _update(self, now_ms: int) -> None:
        changes = self._changes()
        if changes is not None:
            self.update_id += 1 + (self.listing.breaks != self._breaks)
            self._breaks = self.listing.breaks
            self._changed_ms = self._told_ms = now_ms
            single = self._depth == 1
            self.tell(self.readers, self._snapshot(now_ms) if single else self._message("delta", now_ms, changes))
        elif self._depth == 1 and now_ms - self._told_ms >= _REPEAT_MS:
            self._told_ms = now_ms
            self.tell(self.readers, self._snapshot(now_ms))

    def _changes(self) -> dict[Side, dict[int, int]] | None:
        """What is different in the windows, None where nothing is."""
        if self.listing.book.seq == self._seq:
            return None
        book = self.listing.book
        self._seq = book.seq
        if not self._windows:
            self._windows = {side: book.window(side, self._depth) for side in (Side.BUY, Side.SELL)}
        changes = {side: window.changes() for side, window in self._windows.items()}
        return changes if any(changes.values()) else None

    def begin_again(self, now_ms: int) -> None:
        """As after a restart of the service: a snapshot with `u` 1."""
        super().begin_again(now_ms)
        self.close()
        self._windows = {}
        self._seq, self.update_id, self._next_ms = -1, 0, 0

    def close(self) -> None:
        for window in self._windows.values():
            window.close()

    def whole(self, now_ms: int) -> dict[str, object]:
        """The book as readers have it now, as a snapshot."""
        return self._snapshot(now_ms)

    def _snapshot(self, now_ms: int) -> dict[str, object]:
        whole = {
            side: dict(sorted(window.lots.items(), reverse=side is Side.BUY))
            for side, window in self._windows.items()
        }
        return self._message("snapshot", now_ms, whole)

    def _message(self, kind: str, now_ms: int, levels: Mapping[Side, dict[int, int]]) -> dict[str, object]:
        data = {
            "s": self.listing.instrument.symbol,
            "b": self._texts(levels[Side.BUY]),
            "a": self._texts(levels[Side.SELL]),
            "u": self.update_id,
            "seq": self._seq,
        }
        return {"topic": self.name, "type": kind, "ts": now_ms, "data": data, "cts": self._changed_ms}

    def _texts(self, levels: dict[int, int]) -> Sequence[tuple[str, ...]]:
        price, qty = self.listing.instrument.price_text, self.listing.instrument.qty_text
        return [(price(ticks), qty(lots) if lots else "0") for ticks, lots in levels.items()]


class RpiBookTopic(BookTopic):
    """`orderbook.rpi`: 50 levels, each with a second size for retail orders only; nobody quotes such here."""

    __slots__ = ()

    def __init__(self, name: str, listing: Listing, pace_ms: int = 0) -> None:
        super().__init__(name, listing, 50, max(pace_ms, _RPI_MS))

    def _texts(self, levels: dict[int, int]) -> Sequence[tuple[str, ...]]:
        return [(*level, "0") for level in super()._texts(levels)]


class TickerTopic(Paced):
    """`tickers`: all fields once, then the changed ones."""

    __slots__ = ("_fields",)

    def __init__(self, name: str, listing: Listing, pace_ms: int = 0) -> None:
        super().__init__(name, listing, max(pace_ms, _TICKER_MS))
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
