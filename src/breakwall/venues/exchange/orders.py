"""The life of the account's orders at the matching engine: arrival, fills, triggers, changes, end.

Times are milliseconds and always arguments.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from breakwall.venues.exchange import checks
from breakwall.venues.exchange.account import Account, Booked
from breakwall.venues.exchange.listing import Listing
from breakwall.venues.exchange.matching import ACCOUNT, PublicTrade
from breakwall.venues.exchange.order import ACCEPTED, Execution, Order
from breakwall.venues.exchange.order_log import OrderLog
from breakwall.venues.exchange.positions import Position
from breakwall.venues.exchange.self_match import cancelled_makers, own_makers, short_of
from breakwall.venues.exchange.stop_terms import Leg
from breakwall.venues.exchange.stops import Stops, follow_price, triggered

Change = Mapping[str, int | str]
"""Fields of an order and their new values."""


class Orders:
    """Moves orders through their states and books what happens into the account and the log."""

    __slots__ = ("_account", "_listings", "log", "stops")

    def __init__(self, listings: Mapping[str, Listing], account: Account, log: OrderLog) -> None:
        self._listings = listings
        self._account = account
        self.log = log
        self.stops = Stops(log)

    def settle_fills(self, now_ms: int) -> None:
        """Book the fills of our resting orders that others have caused, then what follows from them."""
        filled: dict[Order, None] = {}
        for listing in self._listings.values():
            for match in listing.book.take_fills():
                order = match.maker.tag
                if isinstance(order, Order):
                    self._fill(order, match.trade, maker=True)
                    filled[order] = None
        for order in filled:
            if order.remaining:
                order.status = "PartiallyFilled"
            else:
                order.end("Filled", now_ms)
            self.log.changed(order, now_ms)
        for order in filled:
            self._position_moved(order, now_ms)

    def run_triggers(self, now_ms: int) -> None:
        """Let every waiting order whose price has come act at once; in a market that stands still it waits on."""
        for order in self.log.live():
            listing = self._listings[order.symbol]
            if listing.book.still:
                continue
            if order.trail_ticks and order.status == "Untriggered" and follow_price(order, listing):
                self.log.changed(order, now_ms)
            if triggered(order, listing):
                self._trigger(order, now_ms)

    def _trigger(self, order: Order, now_ms: int) -> None:
        self.stops.fire(self._position(order), order, now_ms)
        if order.reduce_only or self._funded(order, now_ms):
            self._enter(order, now_ms)
        else:
            order.end("Cancelled", now_ms, reason="EC_Others")
            self.log.changed(order, now_ms)

    def _funded(self, order: Order, now_ms: int) -> bool:
        """Whether the money for a triggered order is there; a close-on-trigger one frees it from other orders."""
        if order.close_on_trigger:
            for other in self.log.live(order.symbol):
                if self._account.available(self.log.live()) >= 0:
                    break
                if other is not order and other.resting is not None and not other.reduce_only:
                    self._end(other, "CancelByReduceOnly", now_ms)
        return self._account.available(self.log.live()) >= 0

    def drop_all(self, symbol: str, cancel_type: str, now_ms: int) -> None:
        """The venue itself takes every order of a symbol away (before a liquidation)."""
        for order in self.log.live(symbol):
            self._end(order, cancel_type, now_ms)

    def cancel_active(self, cancel_type: str, now_ms: int, symbol: str = "") -> None:
        """Cancel every order that works in the book (of one symbol); what waits for a trigger stays."""
        for order in self.log.live(symbol):
            if order.status != "Untriggered":
                self._end(order, cancel_type, now_ms)

    def arrive(self, order: Order, now_ms: int) -> None:
        """An accepted order reaches the matching engine."""
        if order.status != ACCEPTED:
            return
        if order.trigger_ticks:
            order.status = "Untriggered"
            self.log.changed(order, now_ms)
        else:
            self._enter(order, now_ms)

    def _enter(self, order: Order, now_ms: int) -> None:
        """The order meets the book."""
        listing = self._listings[order.symbol]
        if order.reduce_only and not self._cap_to_position(order):
            order.end("Cancelled", now_ms, "CancelByReduceOnly", "EC_ReduceOnlyWillIncreasePosition")
            self.log.changed(order, now_ms)
            return
        if order.kind == "Market":
            order.limit_ticks = checks.protective_ticks(order, listing)
        makers = own_makers(order, listing, self.log.live(order.symbol)) if order.smp != "None" else []
        for maker in cancelled_makers(order, makers):
            self._end(maker, "CancelBySmp", now_ms)
        stops_short = bool(makers) and order.smp != "CancelMaker"
        placed = listing.book.add(
            ACCOUNT,
            order.side,
            short_of(order, makers) if stops_short else order.limit_ticks,
            order.remaining,
            ioc=order.tif == "IOC" or stops_short,
            fok=order.tif == "FOK",
            post_only=order.tif == "PostOnly",
            now_ms=now_ms,
            tag=order,
        )
        for match in placed.matches:
            self._fill(order, match.trade, maker=False)
        order.resting = placed.order
        if placed.order is not None:
            order.status = "PartiallyFilled" if order.filled_lots else "New"
        elif not order.remaining:
            order.end("Filled", now_ms)
        elif stops_short:
            order.end("Cancelled", now_ms, "CancelBySmp", "EC_BySelfMatch")
        else:
            order.end("Cancelled", now_ms, reason=placed.reason)
        self.log.changed(order, now_ms)
        self.settle_fills(now_ms)
        if placed.matches:
            self._position_moved(order, now_ms)
        elif order.reduce_only:
            self._shrink_reduce_only(self._position(order), now_ms)

    def _fill(self, order: Order, trade: PublicTrade, *, maker: bool) -> None:
        price = order.instrument.price(trade.ticks)
        booked = self._account.book_fill(
            self._position(order), order.side, price, trade.lots, maker=maker, now_ms=trade.at_ms, seq=trade.seq
        )
        order.filled_lots += trade.lots
        order.filled_usdt += order.instrument.notional(trade.ticks, trade.lots)
        order.fees_usdt += booked.fee
        order.closed_pnl += booked.pnl - booked.open_fee - booked.fee * booked.closed_lots / trade.lots
        mark = self._listings[order.symbol].mark
        self.log.executed(_execution(order, trade, price, booked, mark, self._account.balance, maker=maker))

    def _position_moved(self, order: Order, now_ms: int) -> None:
        position = self._position(order)
        self.stops.follow(position, now_ms)
        if position.lots * order.side.sign > 0:
            self.stops.attach(position, order, now_ms)
        self._shrink_reduce_only(position, now_ms)

    def _shrink_reduce_only(self, position: Position, now_ms: int) -> None:
        """Reduce-only holds for life: together such orders never exceed the position; the oldest keep."""
        allowed = abs(position.lots)
        for order in self.log.live(position.instrument.symbol):
            if not order.reduce_only or order.resting is None or order.position_idx != position.idx:
                continue
            closes = position.lots * order.side.sign < 0
            keep = min(order.remaining, allowed) if closes else 0
            allowed -= keep
            if not keep:
                self._end(order, "CancelByReduceOnly", now_ms)
            elif keep < order.remaining:
                self._resize(order, order.filled_lots + keep)
                self.log.changed(order, now_ms)

    def withdraw(self, order: Order, now_ms: int, *, late: bool) -> None:
        """A cancel reaches the matching engine; `late` tells a filled order once more, as the venue does."""
        if order.open:
            self._end(order, "CancelByUser", now_ms)
        elif late and order.status == "Filled":
            order.cancel_type = "CancelByUser"  # the cancel lost the race; the venue says Filled twice
            order.reject_reason = "EC_OrigClOrdIDDoesNotExist"
            self.log.changed(order, now_ms)

    def _end(self, order: Order, cancel_type: str, now_ms: int) -> None:
        position = self._position(order)
        if order in position.whole_legs or order in position.partials:
            self.stops.cancelled(position, order, cancel_type, now_ms)
            return
        if order.resting is not None:
            self._listings[order.symbol].book.cancel(order.resting)
        status = "Deactivated" if order.status == "Untriggered" else "Cancelled"
        order.end(status, now_ms, cancel_type, "EC_PerCancelRequest")
        self.log.changed(order, now_ms)

    def amend(self, order: Order, change: Change, now_ms: int) -> None:
        """Smaller at the same price keeps its place in the queue; everything else goes to its end."""
        lots = int(change.get("lots", order.lots))
        if not order.open or lots <= order.filled_lots:
            return
        if order.pair is not None:
            order.pair.pair = None
            order.pair = None
        moves = change.get("limit_ticks", order.limit_ticks) != order.limit_ticks or lots > order.lots
        for field, value in change.items():
            if field != "lots":
                setattr(order, field, value)
        if order.resting is None:
            order.lots = lots
            self.log.changed(order, now_ms)
        elif moves:
            self._listings[order.symbol].book.cancel(order.resting)
            order.resting = None
            order.lots = lots
            self._enter(order, now_ms)
        else:
            self._resize(order, lots)
            self.log.changed(order, now_ms)

    def _resize(self, order: Order, lots: int) -> None:
        if order.resting is not None and lots < order.lots:
            self._listings[order.symbol].book.reduce(order.resting, order.lots - lots)
        order.lots = lots

    def set_stops(self, position: Position, legs: Iterable[Leg], now_ms: int) -> None:
        """Apply legs to all of a position, unless it has gone flat meanwhile."""
        if position.lots:
            for leg in legs:
                self.stops.set(position, leg, now_ms)

    def add_stops(self, position: Position, legs: Iterable[Leg], now_ms: int) -> None:
        """Guard a part of a position, unless it has gone flat meanwhile."""
        if position.lots:
            self.stops.add(position, legs, now_ms)

    def trail(self, position: Position, distance: int, active_ticks: int, now_ms: int) -> None:
        """Place, change or remove the trailing stop, unless the position has gone flat meanwhile."""
        if position.lots:
            listing = self._listings[position.instrument.symbol]
            self.stops.trail(position, distance, active_ticks, listing, now_ms)

    def _cap_to_position(self, order: Order) -> bool:
        """Make a reduce-only order no larger than what it may close; False where nothing is left."""
        position = self._position(order)
        closable = abs(position.lots) if position.lots * order.side.sign < 0 else 0
        order.lots = order.filled_lots + min(order.remaining, closable)
        return closable > 0

    def _position(self, order: Order) -> Position:
        return self._account.position(order.symbol, order.position_idx)


def _execution(
    order: Order, trade: PublicTrade, price: Decimal, booked: Booked, mark: Decimal, cash: Decimal, *, maker: bool
) -> Execution:
    return Execution(
        exec_id=f"{trade.trade_id}-{'m' if maker else 't'}",
        order_id=order.order_id,
        link_id=order.link_id,
        instrument=order.instrument,
        side=order.side,
        price=price,
        lots=trade.lots,
        fee_usdt=booked.fee,
        fee_rate=booked.rate,
        mark=mark,
        at_ms=trade.at_ms,
        seq=trade.seq,
        maker=maker,
        closed_lots=booked.closed_lots,
        pnl_usdt=booked.pnl,
        entry=booked.entry,
        open_fee_usdt=booked.open_fee,
        order_price=order.instrument.price(order.limit_ticks),
        order_lots=order.lots,
        leaves_lots=order.remaining,
        order_kind=order.kind,
        stop_kind=order.stop_kind,
        create_type=order.create_type,
        position_idx=order.position_idx,
        cash_after=cash,
    )
