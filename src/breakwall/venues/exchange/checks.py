"""What the exchange accepts: a create request becomes an order, or a `Refusal` with the venue's code.

Everything here looks only at the request, the contract and its reference prices; what depends on
the account (duplicates, position, margin) is checked where the account is, in `order_entry`.
Source: Bybit v5 create-order page and the error-code page.
"""

from collections.abc import Mapping
from decimal import Decimal

from breakwall.model.units import Side
from breakwall.venues.exchange.fields import Body, bad, flag, link_id, number, order_lots, price_ticks, text
from breakwall.venues.exchange.instruments import price_limit_ratio_y
from breakwall.venues.exchange.listing import Listing
from breakwall.venues.exchange.order import FALL, RISE, Order, Refusal
from breakwall.venues.exchange.self_match import SMP_TYPES
from breakwall.venues.exchange.stop_terms import (
    FULL,
    STOP_LOSS,
    check_sides,
    legs_of,
    mode_of,
    trigger_by,
    trigger_price,
)

_TIMES_IN_FORCE = {"GTC", "IOC", "FOK", "PostOnly"}
_ONE = Decimal(1)
_CENT = Decimal("0.01")


def linear(body: Body) -> None:
    if text(body, "category") != "linear":
        raise bad(f"params error: category invalid: expected linear, found {text(body, 'category')[:40]!r}")


def listing_of(body: Body, listings: Mapping[str, Listing]) -> Listing:
    """The contract a trading request is about."""
    linear(body)
    listing = listings.get(text(body, "symbol"))
    if listing is None:
        raise bad(f"Not supported symbols: {text(body, 'symbol')[:40]}")
    return listing


def position_idx(body: Body, *, hedging: bool) -> int:
    """0 in one-way mode; 1 or 2, and nothing else, in hedge mode."""
    value = text(body, "positionIdx")
    if value not in ({"1", "2"} if hedging else {"", "0"}):
        raise bad("position idx not match position mode")
    return int(value or 0)


def new_order(
    body: Body,
    listing: Listing,
    order_id: str,
    now_ms: int,
    *,
    reprice: bool,
    hedging: bool = False,
    mode: str = FULL,
) -> Order:
    """The order a create request describes.

    `reprice` moves a far limit price into the band; `mode` is the tpslMode where the request has none.
    """
    instrument = listing.instrument
    if text(body, "side") not in {"Buy", "Sell"}:
        raise bad(f"Side invalid: expected Buy or Sell, found {text(body, 'side')[:40]!r}")
    kind = text(body, "orderType")
    if kind not in {"Market", "Limit"}:
        raise bad(f"OrderType invalid: expected Market or Limit, found {kind[:40]!r}")
    order = Order(
        instrument=instrument,
        order_id=order_id,
        link_id=link_id(body),
        side=Side(text(body, "side")),
        kind=kind,
        tif="IOC" if kind == "Market" else _time_in_force(body),
        lots=order_lots(body, instrument),
        created_ms=now_ms,
        position_idx=position_idx(body, hedging=hedging),
        reduce_only=flag(body, "reduceOnly"),
        close_on_trigger=flag(body, "closeOnTrigger"),
        smp=_smp(body),
        last_on_created=listing.last,
    )
    _price(order, body, listing, reprice=reprice)
    _trigger(order, body, listing)
    _stops(order, body, listing, mode)
    _size(order, listing)
    return order


def check_live(listing: Listing, *, reduces: bool) -> None:
    """What is not traded (any more) takes no orders; what will be delisted takes only those that close."""
    instrument = listing.instrument
    if instrument.status != "Trading":
        raise Refusal(110074, f"This contract is not live: {instrument.status}")
    if instrument.delivery_ms and not reduces:
        raise Refusal(30228, "Delisting in progress: only reduce-only orders")


def band(listing: Listing) -> tuple[int, int]:
    """Lowest sell and highest buy limit in ticks; the premium term of the venue's formula is taken as 0."""
    instrument = listing.instrument
    near, far = instrument.price_limit_ratio, price_limit_ratio_y(instrument)
    top = min(listing.mark * (_ONE + far), max(listing.index, listing.mark * (_ONE + near)))
    bottom = max(listing.mark * (_ONE - far), min(listing.index, listing.mark * (_ONE - near)))
    return instrument.ticks_up(bottom), instrument.ticks_down(top)


def in_band(ticks: int, side: Side, listing: Listing, *, reprice: bool) -> int:
    """The limit price, moved to the nearest allowed one or refused where it lies outside the band."""
    if not listing.mark:
        return ticks
    lowest_sell, highest_buy = band(listing)
    price = listing.instrument.price_text
    if side is Side.BUY and ticks > highest_buy:
        if not reprice:
            raise Refusal(30208, f"The order price is higher than the maximum buying price {price(highest_buy)}")
        return highest_buy
    if side is Side.SELL and ticks < lowest_sell:
        if not reprice:
            raise Refusal(30209, f"The order price is lower than the minimum selling price {price(lowest_sell)}")
        return lowest_sell
    return ticks


def protective_ticks(order: Order, listing: Listing) -> int:
    """The limit of a market order: its own slippage tolerance from the touch, else the wide price band."""
    instrument, sign = listing.instrument, order.side.sign
    best = listing.book.best(order.side.opposite)
    if order.slippage_ticks and best is not None:
        return max(1, best + sign * order.slippage_ticks)
    limit = listing.mark * (_ONE + sign * price_limit_ratio_y(instrument))
    return instrument.ticks_down(limit) if sign > 0 else max(1, instrument.ticks_up(limit))


def check_trigger(order: Order, listing: Listing) -> None:
    """A trigger must lie where its direction says. Raises Refusal 110092 or 110093."""
    base = trigger_price(listing, order.trigger_by)
    price = listing.instrument.price(order.trigger_ticks)
    if order.trigger_direction == RISE and price <= base:
        raise Refusal(110092, f"expect Rising, but trigger_price[{price}] <= current[{base}]")
    if order.trigger_direction == FALL and price >= base:
        raise Refusal(110093, f"expect Falling, but trigger_price[{price}] >= current[{base}]")


def _time_in_force(body: Body) -> str:
    tif = text(body, "timeInForce") or "GTC"
    if tif == "RPI":
        raise Refusal(110119, "RPI orders are for approved market makers only")
    if tif not in _TIMES_IN_FORCE:
        raise bad(f"TimeInForce invalid: expected one of {', '.join(sorted(_TIMES_IN_FORCE))}, found {tif[:40]!r}")
    return tif


def _smp(body: Body) -> str:
    smp = text(body, "smpType") or "None"
    if smp not in SMP_TYPES:
        raise bad(f"smpType invalid: expected one of {', '.join(sorted(SMP_TYPES))}, found {smp[:40]!r}")
    return smp


def _price(order: Order, body: Body, listing: Listing, *, reprice: bool) -> None:
    if order.kind == "Market":
        if not listing.mark:
            raise Refusal(110118, f"No market price available for {order.symbol}")
        _slippage(order, body, listing)
        order.limit_ticks = protective_ticks(order, listing)
        return
    if text(body, "slippageToleranceType") not in {"", "UNKNOWN"}:
        raise bad("slippageToleranceType invalid: only Market orders have one")
    ticks = _bbo_ticks(order, body, listing) or price_ticks(body, "price", listing.instrument)
    if not ticks:
        raise bad("Price invalid: a Limit order needs a price above 0")
    order.limit_ticks = in_band(ticks, order.side, listing, reprice=reprice)


def _bbo_ticks(order: Order, body: Body, listing: Listing) -> int:
    """The price of a level of the book, as `bboSideType` asks for it; 0 where nothing is asked."""
    kind, level = text(body, "bboSideType"), text(body, "bboLevel")
    if not kind:
        return 0
    if kind not in {"Queue", "Counterparty"} or level not in {"1", "2", "3", "4", "5"}:
        raise bad(f"bboSideType invalid: expected Queue or Counterparty and a level of 1 to 5, found {kind[:20]!r}")
    side = order.side if kind == "Queue" else order.side.opposite
    levels = listing.book.depth(side, int(level))
    if len(levels) < int(level):
        raise Refusal(110118, f"No market price available for {order.symbol}")
    order.create_type = "CreateByBboOrder"
    return levels[-1][0]


def _slippage(order: Order, body: Body, listing: Listing) -> None:
    """Ticks, or a share of the best price at the moment of the order."""
    kind, value = text(body, "slippageToleranceType"), text(body, "slippageTolerance")
    if not kind and not value:
        return
    if text(body, "triggerPrice") or text(body, "stopLoss") or text(body, "takeProfit"):
        raise bad("slippageTolerance invalid: not for conditional orders and orders with TP/SL")
    amount = number(body, "slippageTolerance")
    order.slippage = kind, value
    if kind == "TickSize":
        if not (1 <= amount <= 10_000 and amount == int(amount)):
            raise Refusal(110108, f"slippageTolerance: expected 1 to 10000 ticks, found {value[:40]}")
        order.slippage_ticks = int(amount)
        return
    if kind != "Percent" or not _CENT <= amount <= 10 or amount % _CENT:
        raise Refusal(110109, f"slippageTolerance: expected Percent of 0.01 to 10, found {kind[:20]} {value[:40]}")
    best = listing.book.best(order.side.opposite)
    base = listing.last if best is None else listing.instrument.price(best)
    order.slippage_ticks = max(1, listing.instrument.ticks_down(base * amount / 100))


def _stops(order: Order, body: Body, listing: Listing, mode: str) -> None:
    order.tpsl_mode = mode_of(body, mode)
    if text(body, "trailingStop") not in {"", "0"}:
        raise bad("trailingStop invalid: set it with trading-stop")
    legs = [leg for leg in legs_of(body, listing, order.tpsl_mode) if leg.ticks]
    if not legs:
        order.tpsl_mode = ""
        return
    if order.reduce_only:
        raise bad("TP/SL can not be set on a reduceOnly order")
    for leg in legs:
        if leg.kind == STOP_LOSS:
            order.stop_loss_ticks, order.sl_by, order.sl_limit_ticks = leg.ticks, leg.by, leg.limit_ticks
        else:
            order.take_profit_ticks, order.tp_by, order.tp_limit_ticks = leg.ticks, leg.by, leg.limit_ticks
    entry = listing.instrument.price(order.trigger_ticks) if order.trigger_ticks else None
    check_sides(order.side, legs, listing, entry)


def _trigger(order: Order, body: Body, listing: Listing) -> None:
    order.trigger_ticks = price_ticks(body, "triggerPrice", listing.instrument)
    if not order.trigger_ticks:
        return
    direction = text(body, "triggerDirection")
    if direction not in {"1", "2"}:
        raise bad(f"triggerDirection invalid: expected 1 (rise) or 2 (fall), found {direction[:40]!r}")
    order.trigger_direction = int(direction)
    order.trigger_by = trigger_by(body, "triggerBy")
    order.stop_kind = "Stop"
    check_trigger(order, listing)


def _size(order: Order, listing: Listing) -> None:
    instrument = listing.instrument
    if not order.lots:
        if order.reduce_only and order.close_on_trigger:
            return
        raise bad("Qty invalid: 0 closes a position only with reduceOnly and closeOnTrigger")
    if order.lots < instrument.min_lots:
        raise bad(f"The number of contracts is below the minimum {instrument.qty_text(instrument.min_lots)}")
    largest = largest_lots(order)
    if order.lots > largest and not order.reduce_only:
        raise bad(f"The number of contracts exceeds the maximum {instrument.qty_text(largest)}")
    if order.reduce_only:
        return
    notional = instrument.notional(order.limit_ticks, order.lots)
    if notional < instrument.min_notional_usdt:
        raise Refusal(110094, f"Order does not meet minimum order value {instrument.min_notional_usdt}USDT")


def largest_lots(order: Order) -> int:
    """The most one order of this type may have."""
    instrument = order.instrument
    return instrument.max_market_lots if order.kind == "Market" else instrument.max_lots
