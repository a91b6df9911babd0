"""What the exchange does to positions by itself: funding payments, liquidation, deleveraging."""

from collections.abc import Mapping

from breakwall.model import margin
from breakwall.model.units import Side
from breakwall.venues.exchange.account import Account
from breakwall.venues.exchange.listing import Liquidation, Listing
from breakwall.venues.exchange.order import Execution, Order
from breakwall.venues.exchange.orders import Orders
from breakwall.venues.exchange.positions import Position

_MINUTE_MS = 60_000
_CREATED_BY = {"BustTrade": "CreateByTakeOver_PassThrough", "AdlTrade": "CreateByAdl_PassThrough"}


def settle_funding(listing: Listing, account: Account, orders: Orders, now_ms: int) -> None:
    """Pay or receive funding once its time has come; longs pay a positive rate, all from the balance."""
    if now_ms < listing.next_funding_ms:
        return
    listing.funding_history.append((listing.next_funding_ms, listing.funding_rate))
    listing.next_funding_ms += listing.instrument.funding_interval_min * _MINUTE_MS
    for position in account.of(listing.instrument.symbol):
        if position.lots:
            _pay_funding(position, listing, account, orders, now_ms)


def _pay_funding(position: Position, listing: Listing, account: Account, orders: Orders, now_ms: int) -> None:
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
            position_idx=position.idx,
            cash_after=account.balance,
        )
    )


def liquidate_if_due(listing: Listing, account: Account, orders: Orders, now_ms: int) -> None:
    """Take positions with margin of their own over once the mark has reached their liquidation price."""
    for position in account.of(listing.instrument.symbol):
        if not position.lots or account.cross or not _due(position, listing):
            continue
        if position.auto_add:
            _add_margin(position, account, orders)
        if _due(position, listing):
            liquidate(listing, account, orders, now_ms, position)


def liquidate_account_if_due(listings: Mapping[str, Listing], account: Account, orders: Orders, now_ms: int) -> None:
    """In cross margin everything goes once the equity is down to the maintenance margin."""
    if not account.cross or not any(position.lots for position in account.all_positions()) or not account.bankrupt:
        return
    for position in list(account.all_positions()):
        if position.lots:
            liquidate(listings[position.instrument.symbol], account, orders, now_ms, position)


def liquidate(
    listing: Listing, account: Account, orders: Orders, now_ms: int, position: Position | None = None
) -> None:
    """Take a whole position over, at its bankruptcy price or in cross margin at the mark; all its orders go first."""
    position = position or account.positions[listing.instrument.symbol]
    position.status = "Liq"
    orders.drop_all(listing.instrument.symbol, "CancelAllBeforeLiq", now_ms)
    ticks = max(1, listing.instrument.ticks_near(listing.mark if account.cross else position.bankruptcy))
    lots = abs(position.lots)
    listing.liquidations.append(Liquidation(now_ms, position.side, lots, ticks))
    _take_over(position, lots, ticks, "BustTrade", listing, account, orders, now_ms)
    position.status = "Normal"


def deleverage(
    lots: int, listing: Listing, account: Account, orders: Orders, now_ms: int, position: Position | None = None
) -> None:
    """Take lots of a position at the mark price, to make up for somebody else's bankruptcy (ADL)."""
    position = position or account.positions[listing.instrument.symbol]
    ticks = max(1, listing.instrument.ticks_near(listing.mark))
    _take_over(position, lots, ticks, "AdlTrade", listing, account, orders, now_ms)
    orders.stops.follow(position, now_ms)


def _due(position: Position, listing: Listing) -> bool:
    liquidation = position.liquidation
    return liquidation is not None and bool(listing.mark) and (listing.mark - liquidation) * position.sign <= 0


def _add_margin(position: Position, account: Account, orders: Orders) -> None:
    """What auto-add-margin does before a liquidation: as much again as the position has, if it is there."""
    free = account.available(orders.log.live())
    if free > 0:
        position.extra_margin += min(free, position.initial_margin(account.taker_fee))


def _take_over(
    position: Position,
    lots: int,
    ticks: int,
    exec_type: str,
    listing: Listing,
    account: Account,
    orders: Orders,
    now_ms: int,
) -> None:
    instrument = listing.instrument
    side = position.side.opposite
    price = instrument.price(ticks)
    order = _take_over_order(side, lots, ticks, exec_type, listing, orders, now_ms)
    order.position_idx = position.idx
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
            exec_type=exec_type,
            closed_lots=lots,
            pnl_usdt=booked.pnl,
            entry=booked.entry,
            open_fee_usdt=booked.open_fee,
            order_price=price,
            order_lots=lots,
            order_kind="Market",
            create_type=order.create_type,
            position_idx=position.idx,
            cash_after=account.balance,
        )
    )
    order.end("Filled", now_ms)
    orders.log.changed(order, now_ms)


def _take_over_order(
    side: Side, lots: int, ticks: int, exec_type: str, listing: Listing, orders: Orders, now_ms: int
) -> Order:
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
        create_type=_CREATED_BY[exec_type],
    )
