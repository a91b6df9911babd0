"""A recorded book that goes on where messages are missing: for who asks for a snapshot in the middle of a recording.

What a lost message said is not known: the levels it changed stay as they were until they are told of again, and those
that newer ones cross are wrong and go. A message that comes late changes what nothing newer has changed.
"""

from enum import Enum

from breakwall.model.events import BookDelta, BookSnapshot


class Arrival(Enum):
    """What a message was to the book."""

    EARLY = "early"  # before the first snapshot
    BEGUN = "begun"  # a whole window
    NEXT = "next"
    GAP = "gap"  # messages before it are missing
    LATE = "late"  # it was missing
    REPEATED = "repeated"


class MendedBook:
    """Levels by ticks; `update_id`, `seq` and `cts_ms` are those of the newest message.

    `dropped` are the levels (bid, ticks) that the newest message showed to be wrong, without saying so.
    """

    def __init__(self) -> None:
        self.bids: dict[int, int] = {}
        self.asks: dict[int, int] = {}
        self.update_id = self.seq = self.cts_ms = self.depth = 0
        self.dropped: list[tuple[bool, int]] = []
        self._missing: set[int] = set()
        self._since: dict[tuple[bool, int], None] = {}  # levels changed since the oldest gap
        self._doubtful = self._gaped = False

    @property
    def begun(self) -> bool:
        return self.update_id > 0

    @property
    def waits(self) -> bool:
        """Whether the message before the newest is missing: it may be the next one, where two changed places."""
        return self._gaped and bool(self._missing)

    def take(self, event: BookSnapshot | BookDelta) -> Arrival:
        self.dropped = []
        if isinstance(event, BookSnapshot) or event.update_id == 1:
            self._begin(event)
            return Arrival.BEGUN
        if not self.begun:
            return Arrival.EARLY
        if event.update_id <= self.update_id:
            return self._late(event) if event.update_id in self._missing else Arrival.REPEATED
        gap = self._gaped = event.update_id > self.update_id + 1
        if gap:
            self._missing.update(range(max(self.update_id + 1, event.update_id - 100), event.update_id))
            self._doubtful = True
        self.update_id, self.seq, self.cts_ms = event.update_id, event.seq, event.cts_ms
        self._apply(event)
        return Arrival.GAP if gap else Arrival.NEXT

    def window(self, depth: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """The best levels of both sides, best first."""
        return (sorted(self.bids.items(), reverse=True)[:depth], sorted(self.asks.items())[:depth])

    def snapshot(self, symbol: str) -> BookSnapshot:
        """The book as it is now."""
        bids, asks = self.window(self.depth)
        return BookSnapshot(symbol, bids, asks, self.update_id, self.seq, self.cts_ms, self.depth)

    def _begin(self, event: BookSnapshot | BookDelta) -> None:
        self.bids = {ticks: lots for ticks, lots in event.bids if lots}
        self.asks = {ticks: lots for ticks, lots in event.asks if lots}
        self.update_id, self.seq, self.cts_ms = event.update_id, event.seq, event.cts_ms
        self.depth = event.depth
        self._doubtful = self._gaped = False
        self._missing.clear()
        self._since.clear()

    def _late(self, event: BookDelta) -> Arrival:
        self._missing.discard(event.update_id)
        for bid, side, levels in ((True, self.bids, event.bids), (False, self.asks, event.asks)):
            _set(side, [level for level in levels if (bid, level[0]) not in self._since])
        if not self._missing:
            self._since.clear()
        self._uncross({(True, ticks) for ticks, _ in event.bids} ^ {(False, ticks) for ticks, _ in event.asks})
        return Arrival.LATE

    def _apply(self, event: BookDelta) -> None:
        _set(self.bids, event.bids)
        _set(self.asks, event.asks)
        if self._missing:
            self._since |= dict.fromkeys((True, ticks) for ticks, _ in event.bids)
            self._since |= dict.fromkeys((False, ticks) for ticks, _ in event.asks)
        if self._doubtful:
            new = {(True, ticks) for ticks, lots in event.bids if lots}
            self._uncross(new | {(False, ticks) for ticks, lots in event.asks if lots})

    def _uncross(self, new: set[tuple[bool, int]]) -> None:
        """Of two prices that cross the older one is wrong."""
        while self.bids and self.asks and (bid := max(self.bids)) >= (ask := min(self.asks)):
            wrong = (False, ask) if (True, bid) in new else (True, bid)
            self.dropped.append(wrong)
            del (self.bids if wrong[0] else self.asks)[wrong[1]]


def _set(side: dict[int, int], levels: list[tuple[int, int]]) -> None:
    for ticks, lots in levels:
        if lots:
            side[ticks] = lots
        else:
            side.pop(ticks, None)
