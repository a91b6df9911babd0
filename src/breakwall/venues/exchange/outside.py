"""A market from outside: books, trades and prices of a real or recorded venue, instead of agents.

It is told what happens there as events, and makes the listings follow: the account's orders meet that market, what
the exchange publishes is that market. The same events at the same times give the same exchange.
"""

from collections.abc import Mapping
from decimal import Decimal

from breakwall.model.events import BookDelta, BookLost, BookSnapshot, Event, Ticker, Trades
from breakwall.model.units import Side
from breakwall.venues.exchange.listing import Listing
from breakwall.venues.exchange.queues import OutsideBook

_FUNDING_NEAR_MS = 60_000
_ONE = Decimal(1)


class OutsideMarket:
    """All symbols of one venue, `exchange.Market`.

    While the book of a symbol is not known (before its first snapshot, after it was lost) its market stands still:
    nothing matches, market orders and limits that would match at once are dropped with the venue's own word
    (nothing to match), stops wait; resting orders stay and can be cancelled, liquidation goes on with the mark price.
    The next snapshot ends it. Nobody is sent a book that is not known.

    A gap in the update ids loses the book, unless it `mends`: of a recording nobody can ask for a snapshot, so it
    goes on with what it has, and tells the readers of its own books by a gap in theirs, so that they ask for one.
    """

    def __init__(self, listings: Mapping[str, Listing], *, mends: bool = False) -> None:
        self.mends = mends
        self._listings = listings
        self._symbols: dict[str, _Followed] = {}

    def step(self, now_ms: int) -> None:
        """Nothing happens by itself."""

    def end(self) -> None:
        """No more will be heard: the books stay for those who want to leave, but nobody is sent them as new."""
        for followed in self._symbols.values():
            followed.silence()

    def take(self, event: Event, now_ms: int) -> Listing | None:
        """Something happened there: the listing it is about. What is about none that is listed is passed over."""
        if not isinstance(event, BookDelta | BookSnapshot | Trades | Ticker | BookLost):
            return None
        followed = self._symbols.get(event.symbol)
        if followed is None or followed.outdated:
            listing = self._listings.get(event.symbol)
            if listing is None:
                return None
            followed = self._symbols[event.symbol] = _Followed(listing)
        if isinstance(event, BookDelta):
            followed.change(event, now_ms, mends=self.mends)
        elif isinstance(event, BookSnapshot):
            followed.begin(event, now_ms)
        elif isinstance(event, Trades):
            followed.trade(event, now_ms)
        elif isinstance(event, Ticker):
            followed.price(event, now_ms)
        else:
            followed.lose()
        return followed.listing


class _Followed:
    """One symbol: where its book stands in the venue's sequence, and whether that venue tells of mark prices."""

    __slots__ = ("_book", "_depth", "_marked", "_mended", "_seq", "_update_id", "listing")

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self._book = OutsideBook(listing.book)
        self._depth = self._update_id = self._seq = 0
        self._marked = self._mended = False
        self.lose()

    @property
    def outdated(self) -> bool:
        """Whether the contract has other ticks or lots by now: it waits for a book in those."""
        return self.listing.book is not self._book.book

    def begin(self, event: BookSnapshot | BookDelta, now_ms: int) -> None:
        """A whole window. Of several books of one symbol the deepest is followed."""
        book = self.listing.book
        if not book.still and event.depth < self._depth:
            return
        if self._depth and not self._mended:  # readers of our books must not take the jump for a change
            self.listing.breaks += 1
        book.still = self._mended = False
        self.listing.told, self.listing.deepest = True, event.depth
        self._depth, self._update_id, self._seq = event.depth, event.update_id, event.seq
        self._book.replace(event.bids, event.asks, event.depth, event.seq, now_ms)
        self._mark_at_mid()

    def change(self, event: BookDelta, now_ms: int, *, mends: bool) -> None:
        if self.listing.book.still or event.depth != self._depth:
            return
        if event.update_id == 1:  # the venue was restarted: it is a whole window
            self.begin(event, now_ms)
            return
        if event.update_id <= self._update_id or event.seq < self._seq:
            return
        if event.update_id > self._update_id + 1:
            if not mends:
                self.lose()
                return
            self._mended = True
            self.listing.breaks += 1
        self._update_id, self._seq = event.update_id, event.seq
        self._book.apply(event.bids, event.asks, event.seq, now_ms)
        self.listing.told = True
        self._mark_at_mid()

    def lose(self) -> None:
        self.listing.book.still = True
        self.silence()

    def silence(self) -> None:
        self.listing.told = False

    def trade(self, event: Trades, now_ms: int) -> None:
        book = self.listing.book
        for trade in event.trades:
            side = Side.BUY if trade.buy else Side.SELL
            if trade.off_book:
                book.report(side, trade.ticks, trade.lots, now_ms, block=True)
            elif book.still:
                book.passed(side, trade.ticks, trade.lots, now_ms)
            else:
                self._book.trade(side, trade.ticks, trade.lots, trade.seq, now_ms)
                if not 0 < trade.seq <= self._seq:  # the venue's book will show it: ours is told with that message
                    self.silence()

    def price(self, event: Ticker, now_ms: int) -> None:
        listing = self.listing
        if event.mark:
            self._marked = True
            listing.set_prices(event.mark, event.index or listing.index or None)
        elif event.index and listing.mark:
            listing.set_prices(listing.mark, event.index)
        if event.funding_rate is not None:
            listing.funding_rate = event.funding_rate
        if event.next_funding_ms is not None:
            self._move_funding(event.next_funding_ms, now_ms)
        if event.open_interest is not None:
            listing.open_interest = event.open_interest
        if event.turnover_24h_usdt is not None:
            listing.turnover_usdt = event.turnover_24h_usdt
        if event.change_24h is not None and event.change_24h > -_ONE and (event.last or listing.last):
            listing.open_price = (event.last or listing.last) / (_ONE + event.change_24h)

    def _move_funding(self, due_ms: int, now_ms: int) -> None:
        """A payment that is due in a moment is not put off: the venue names the next one as soon as it was made."""
        left_ms = self.listing.next_funding_ms - now_ms
        if due_ms > now_ms and (left_ms > _FUNDING_NEAR_MS or due_ms < self.listing.next_funding_ms):
            self.listing.next_funding_ms = due_ms

    def _mark_at_mid(self) -> None:
        """The mark price of a venue that tells of none is the middle of its book."""
        bid, ask = self.listing.book.best_bid, self.listing.book.best_ask
        if not self._marked and bid is not None and ask is not None:
            self.listing.set_prices(self.listing.instrument.price(bid + ask) / 2)
