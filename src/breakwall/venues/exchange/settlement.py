"""What the exchange does to positions by itself: funding payments and liquidation."""

from breakwall.model import margin
from breakwall.model.units import Side
from breakwall.venues.exchange.account import Account, Position
from breakwall.venues.exchange.listing import Listing
from breakwall.venues.exchange.order import Execution, Order
from breakwall.venues.exchange.orders import Orders

_MINUTE_MS = 60_000


def settle_funding(listing: Listing, account: Account, orders: Orders, now_ms: int) -> None:
    """Pay or receive funding once its time has come; longs pay a positive rate, all from the balance."""
    if now_ms < listing.next_funding_ms:
        return
    listing.funding_history.append((listing.next_funding_ms, listing.funding_rate))
    listing.next_funding_ms += listing.instrument.funding_interval_min * _MINUTE_MS
    position = account.positions[listing.instrument.symbol]
    if not position.lots:
        return
    payment = margin.funding(position.sign, position.qty, listing.mark, listing.funding_rate)
    account.pay(position, payment)
    position.updated_ms = now_ms
    orders.log.executed(
        Execution(
            exec_id=orders.log.new_id(),
            order_id=orders.log.new_id(),
            link_id="",
            instrument=listing.instrument,
            side=position.side,
            price=listing.mark,
            lots=abs(position.lots),
            fee_usdt=payment,
            fee_rate=listing.funding_rate,
            mark=listing.mark,
            at_ms=now_ms,
            seq=listing.book.seq,
            exec_type="Funding",
        )
    )


def liquidate_if_due(listing: Listing, account: Account, orders: Orders, now_ms: int) -> None:
    """Take a position over at its bankruptcy price once the mark has reached the liquidation price."""
    position = account.positions[listing.instrument.symbol]
    liquidation = position.liquidation
    if liquidation is None or not listing.mark or (listing.mark - liquidation) * position.sign > 0:
        return
    position.status = "Liq"
    orders.drop_all(listing.instrument.symbol, "CancelAllBeforeLiq", now_ms)
    _take_over(position, listing, account, orders, now_ms)
    position.status = "Normal"


def _take_over(position: Position, listing: Listing, account: Account, orders: Orders, now_ms: int) -> None:
    instrument = listing.instrument
    side, lots = position.side.opposite, abs(position.lots)
    ticks = max(1, instrument.ticks_near(position.bankruptcy))
    price = instrument.price(ticks)
    order = _take_over_order(side, lots, ticks, listing, orders, now_ms)
    orders.log.accept(order)
    booked = account.book_fill(position, side, price, lots, maker=False, now_ms=now_ms, seq=listing.book.seq)
    order.filled_lots, order.filled_usdt, order.fees_usdt = lots, instrument.notional(ticks, lots), booked.fee
    order.closed_pnl = booked.pnl - booked.open_fee - booked.fee
    orders.log.executed(
        Execution(
            exec_id=orders.log.new_id(),
            order_id=order.order_id,
            link_id="",
            instrument=instrument,
            side=side,
            price=price,
            lots=lots,
            fee_usdt=booked.fee,
            fee_rate=booked.rate,
            mark=listing.mark,
            at_ms=now_ms,
            seq=listing.book.seq,
            exec_type="BustTrade",
            closed_lots=lots,
            pnl_usdt=booked.pnl,
            entry=booked.entry,
            open_fee_usdt=booked.open_fee,
            order_price=price,
            order_lots=lots,
            order_kind="Market",
            create_type=order.create_type,
        )
    )
    order.end("Filled", now_ms)
    orders.log.changed(order, now_ms)


def _take_over_order(side: Side, lots: int, ticks: int, listing: Listing, orders: Orders, now_ms: int) -> Order:
    return Order(
        instrument=listing.instrument,
        order_id=orders.log.new_id(),
        link_id="",
        side=side,
        kind="Market",
        tif="IOC",
        lots=lots,
        created_ms=now_ms,
        limit_ticks=ticks,
        reduce_only=True,
        create_type="CreateByTakeOver_PassThrough",
    )
