"""A book from outside in the matching engine: sizes without orders, and where the account's orders stand among them.

Of the outside only the size at each price is known. It rests as one order, or as several where orders of ours
stand between: what is ahead of ours and what is behind. Sources of the rules: price-time priority; who cancels is
not told, so a cancel is spread over the queue in proportion.
"""

from collections.abc import Iterable, Sequence

from breakwall.model.units import Side
from breakwall.venues.exchange.matching import MatchingBook, RestingOrder

OUTSIDE = "outside"
Levels = Sequence[tuple[int, int]]
"""(ticks, lots); 0 lots: no longer told of."""


class OutsideBook:
    """Makes a matching book follow the visible window of another one, which has `depth` levels a side.

    What we took is missing until a price is told of again. What leaves the window is unknown, not gone: a queue that
    one of ours stands in keeps its length; what comes (back) into the window is taken to stand before ours.
    """

    __slots__ = ("_depth", "_owed", "_seq", "_shown", "book")

    def __init__(self, book: MatchingBook) -> None:
        self.book = book
        self._depth = self._seq = 0
        self._owed: dict[
            tuple[Side, int], tuple[int, int]
        ] = {}  # lots traded away that no window showed yet: seq, lots
        self._shown: dict[Side, dict[int, int]] = {Side.BUY: {}, Side.SELL: {}}

    def replace(self, bids: Levels, asks: Levels, depth: int, seq: int, now_ms: int) -> None:
        """Take over a whole window, as of `seq`."""
        self._depth, self._seq = depth, seq
        self._owed.clear()
        for side, levels in ((Side.BUY, bids), (Side.SELL, asks)):
            fresh = {ticks: lots for ticks, lots in levels if lots}
            gone = [ticks for ticks in self._shown[side] if ticks not in fresh]
            self._shown[side] = fresh
            self._clear(side, gone)
        for side, fresh in self._shown.items():
            for ticks, lots in fresh.items():
                self._resize(side, ticks, lots - self._meet(side, ticks, lots, now_ms), first=True)

    def apply(self, bids: Levels, asks: Levels, seq: int, now_ms: int) -> None:
        """Follow the changes of a window up to `seq`."""
        changes = ((Side.BUY, bids), (Side.SELL, asks))
        self._seq = seq
        if self._owed:
            self._settle({(side, ticks) for side, levels in changes for ticks, _ in levels})
        if self.book.ours:
            self._follow(changes, now_ms)
        else:
            for side, levels in changes:
                self.book.show(OUTSIDE, side, levels)
                shown = self._shown[side]
                for ticks, lots in levels:
                    if lots:
                        shown[ticks] = lots
                    else:
                        shown.pop(ticks, None)
        self._uncross(changes)

    def _follow(self, changes: Iterable[tuple[Side, Levels]], now_ms: int) -> None:
        """What goes first, then what comes, which may meet orders of ours."""
        edges = {side: self._edge(side) for side, _ in changes}
        for side, levels in changes:
            self._fall(side, levels)
        for side, levels in changes:
            self._rise(side, levels, edges[side], now_ms)

    def trade(self, side: Side, ticks: int, lots: int, seq: int, now_ms: int) -> None:
        """Somebody traded at a price; `side` is the taker's. Ours at better prices are served before the queue there.

        Where the window has it already (it stands at `seq` or later) only our places in the queue move up.
        """
        makers = side.opposite
        late = 0 < seq <= self._seq
        for order in self._reached(makers, ticks + makers.sign):  # whoever traded there went through these
            lots -= self._hit(order, lots, now_ms)
        taken_there = 0
        for order in [] if late and not self._stands(makers, ticks) else self.book.queue(makers, ticks):
            taken = min(lots, order.lots)
            if order.owner != OUTSIDE:
                self._hit(order, taken, now_ms)
            elif taken:
                self.book.passed(side, ticks, taken, now_ms)
                self.book.reduce(order, taken)
                taken_there += taken
            lots -= taken
        if taken_there:
            before = self._owed.get((makers, ticks), (0, 0))[1]
            self._owed[makers, ticks] = (seq, before + taken_there)
            if late:
                self._settle(set())
        if lots:
            self.book.passed(side, ticks, lots, now_ms)

    def _settle(self, told: set[tuple[Side, int]]) -> None:
        """A size that is not told of again is as it was: as much as was traded has come anew, behind ours."""
        for (side, ticks), (seq, lots) in list(self._owed.items()):
            if (side, ticks) in told or seq <= self._seq:
                del self._owed[side, ticks]
                if (side, ticks) not in told:
                    self._join(side, ticks, lots, first=False)

    def _fall(self, side: Side, levels: Levels) -> None:
        """Take away what is no longer told of, and what has become smaller."""
        shown, gone = self._shown[side], []
        for ticks, lots in levels:
            before = shown.get(ticks, 0)
            if not lots and before:
                del shown[ticks]
                gone.append(ticks)
            elif lots < before:
                shown[ticks] = lots
                self._resize(side, ticks, 0 if self._crossed(side, ticks) else lots)
        for ticks in gone:
            if not self._stands(side, ticks):
                self._resize(side, ticks, 0)

    def _rise(self, side: Side, levels: Levels, edge: int | None, now_ms: int) -> None:
        """Add what is new or has become larger; beyond the former `edge` it may have been there before ours."""
        shown = self._shown[side]
        for ticks, lots in levels:
            before = shown.get(ticks, 0)
            if lots and lots >= before:
                shown[ticks] = lots
                met = self._meet(side, ticks, lots - before, now_ms)
                left = 0 if self._crossed(side, ticks) else lots - met
                self._resize(side, ticks, left, first=not before and _beyond(side, ticks, edge))
        self._clear(side)

    def _clear(self, side: Side, gone: Iterable[int] = ()) -> None:
        """Empty the prices that are `gone` and those where one of ours stands: unless they are out of the window."""
        ours = {order.ticks for order in self.book.own(side)}
        for ticks in gone:
            if ticks not in ours:
                self._resize(side, ticks, 0)
        edge = self._edge(side) if ours else None
        for ticks in ours - self._shown[side].keys():
            if not _beyond(side, ticks, edge):
                self._resize(side, ticks, 0)

    def _meet(self, side: Side, ticks: int, lots: int, now_ms: int) -> int:
        """What comes to a price where orders of ours were waiting for it trades with them, at their prices."""
        met = 0
        for order in self._reached(side.opposite, ticks):
            met += self._hit(order, lots - met, now_ms)
        return met

    def _hit(self, order: RestingOrder, lots: int, now_ms: int) -> int:
        taken = min(order.lots, lots)
        if taken > 0:
            self.book.hit(order, taken, now_ms)
        return max(taken, 0)

    def _reached(self, makers: Side, ticks: int) -> list[RestingOrder]:
        """Orders of ours on this side that whoever trades at `ticks` would meet, the best price first."""
        sign = makers.sign
        found = [order for order in self.book.own(makers) if (order.ticks - ticks) * sign >= 0]
        return sorted(found, key=lambda order: -order.ticks * sign)

    def _crossed(self, side: Side, ticks: int) -> bool:
        return any((order.ticks - ticks) * side.sign <= 0 for order in self.book.own(side.opposite))

    def _resize(self, side: Side, ticks: int, lots: int, *, first: bool = False) -> None:
        """Make the outside's size at a price what it is said to be; newcomers stand last, or `first`."""
        theirs = [order for order in self.book.queue(side, ticks) if order.owner == OUTSIDE]
        change = lots - sum(order.lots for order in theirs)
        if change < 0:
            self._cancel(theirs, -change)
        elif change:
            self._join(side, ticks, change, first=first)

    def _join(self, side: Side, ticks: int, lots: int, *, first: bool) -> None:
        queue = self.book.queue(side, ticks)
        neighbour = queue[0 if first else -1] if queue else None
        if neighbour is not None and neighbour.owner == OUTSIDE:
            self.book.grow(neighbour, lots)
        else:
            self.book.stand(OUTSIDE, side, ticks, lots, first=first)

    def _cancel(self, theirs: list[RestingOrder], lots: int) -> None:
        """Spread a cancel over the queue; what cannot be divided goes from its end, which favours nobody of ours."""
        standing, left = sum(order.lots for order in theirs), lots
        for order in theirs:
            share = order.lots * lots // standing
            if share:
                self.book.reduce(order, share)
                left -= share
        for order in reversed(theirs):
            rest = min(left, order.lots)
            if rest:
                self.book.reduce(order, rest)
                left -= rest

    def _uncross(self, changes: Iterable[tuple[Side, Levels]]) -> None:
        """After a gap older prices may stand where newer ones have come: those are wrong and go."""
        book = self.book
        while (bid := book.best_bid) is not None and (ask := book.best_ask) is not None and bid >= ask:
            new = {(side, ticks) for side, levels in changes for ticks, lots in levels if lots}
            stale = (Side.SELL, ask) if (Side.BUY, bid) in new or self._stands(Side.BUY, bid) else (Side.BUY, bid)
            self._shown[stale[0]].pop(stale[1], None)
            self._resize(*stale, 0)

    def _stands(self, side: Side, ticks: int) -> bool:
        """Whether one of ours stands at a price."""
        return any(order.ticks == ticks for order in self.book.own(side))

    def _edge(self, side: Side) -> int | None:
        """The outermost price of a full window; None where it is not full (all is in view), or nobody asks."""
        shown = self._shown[side]
        if len(shown) < self._depth or not shown or not self.book.own(side):
            return None
        return min(shown) if side is Side.BUY else max(shown)


def _beyond(side: Side, ticks: int, edge: int | None) -> bool:
    """Whether a price lies outside a window that ends at `edge`."""
    return edge is not None and (ticks - edge) * side.sign < 0
