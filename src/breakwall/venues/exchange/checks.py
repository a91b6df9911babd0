"""What the exchange accepts: a request body becomes an order, or a `Refusal` with the venue's code.

Everything here looks only at the request, the contract and its reference prices; what depends on
the account (duplicates, position, margin) is checked where the account is, in `orders`.
Source: Bybit v5 create-order, amend-order and trading-stop pages and the error-code page.
"""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from breakwall.model.units import Instrument, Side, UnitError
from breakwall.venues.exchange.instruments import price_limit_ratio_y
from breakwall.venues.exchange.listing import Listing
from breakwall.venues.exchange.order import FALL, RISE, Order, Refusal

Body = Mapping[str, object]
BAD_PARAMETER = 10001
_LINK_ID = re.compile(r"[A-Za-z0-9_-]{1,36}")
_TIMES_IN_FORCE = {"GTC", "IOC", "FOK", "PostOnly"}
_TRIGGERS = {"LastPrice", "IndexPrice", "MarkPrice"}
_ONE = Decimal(1)
_MOST_DIGITS = 20


def bad(message: str) -> Refusal:
    return Refusal(BAD_PARAMETER, message)


def text(body: Body, key: str) -> str:
    """The field as text; numbers are taken as their text, absent and null are ""."""
    value = body.get(key)
    return "" if value is None else str(value)


def flag(body: Body, key: str) -> bool:
    return text(body, key) in {"true", "True"}


def number(body: Body, key: str) -> Decimal:
    """The field as a finite number of sane size; raises Refusal where it is not one."""
    value = text(body, key)
    try:
        amount = Decimal(value)
    except InvalidOperation as error:
        raise bad(f"{key} invalid: expected a number, found {value[:40]!r}") from error
    if not amount.is_finite() or abs(amount.adjusted()) > _MOST_DIGITS:
        raise bad(f"{key} invalid: expected a number, found {value[:40]!r}")
    return amount


def listing_of(body: Body, listings: Mapping[str, Listing]) -> Listing:
    """The contract a trading request is about."""
    if text(body, "category") != "linear":
        raise bad(f"params error: category invalid: expected linear, found {text(body, 'category')!r}")
    listing = listings.get(text(body, "symbol"))
    if listing is None:
        raise bad(f"Not supported symbols: {text(body, 'symbol')}")
    return listing


def one_way(body: Body) -> None:
    if text(body, "positionIdx") not in {"", "0"}:
        raise bad("position idx not match position mode")


def price_ticks(body: Body, key: str, instrument: Instrument) -> int:
    """A price field in ticks; 0 where it is absent, "" or "0"."""
    if not text(body, key):
        return 0
    try:
        ticks = instrument.ticks(number(body, key))
    except UnitError as error:
        raise bad(f"{key} invalid: {error}") from error
    if ticks < 0:
        raise bad(f"{key} invalid: expected a positive price, found {text(body, key)}")
    return ticks


def order_lots(body: Body, instrument: Instrument) -> int:
    """The quantity in lots; 0 is for closing all of a position."""
    try:
        lots = instrument.lots(number(body, "qty"))
    except UnitError as error:
        raise bad(f"Qty invalid: {error}") from error
    if lots < 0:
        raise bad(f"Qty invalid: expected a positive number, found {text(body, 'qty')}")
    return lots


def new_order(body: Body, listing: Listing, order_id: str, now_ms: int, *, reprice: bool) -> Order:
    """The order a create request describes. `reprice` moves a far limit price into the band."""
    one_way(body)
    instrument = listing.instrument
    if text(body, "side") not in {"Buy", "Sell"}:
        raise bad(f"Side invalid: expected Buy or Sell, found {text(body, 'side')!r}")
    kind = text(body, "orderType")
    if kind not in {"Market", "Limit"}:
        raise bad(f"OrderType invalid: expected Market or Limit, found {kind!r}")
    order = Order(
        instrument=instrument,
        order_id=order_id,
        link_id=_link_id(body),
        side=Side(text(body, "side")),
        kind=kind,
        tif="IOC" if kind == "Market" else _time_in_force(body),
        lots=order_lots(body, instrument),
        created_ms=now_ms,
        reduce_only=flag(body, "reduceOnly"),
        close_on_trigger=flag(body, "closeOnTrigger"),
        last_on_created=listing.last,
    )
    _price(order, body, listing, reprice=reprice)
    _stops(order, body, listing)
    _trigger(order, body, listing)
    _size(order, listing)
    return order


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


def trigger_price(listing: Listing, by: str) -> Decimal:
    return {"MarkPrice": listing.mark, "IndexPrice": listing.index}.get(by, listing.last)


def check_stop_sides(
    side: Side, stop_ticks: int, profit_ticks: int, sl_by: str, tp_by: str, listing: Listing
) -> None:
    """A stop must lie behind, a target beyond the price that would trigger it; `side` opens the position."""
    for noun, ticks, by, sign in (("StopLoss", stop_ticks, sl_by, -1), ("TakeProfit", profit_ticks, tp_by, 1)):
        base = trigger_price(listing, by)
        price = listing.instrument.price(ticks)
        if ticks and base and (price - base) * side.sign * sign <= 0:
            where = "higher" if side.sign * sign > 0 else "lower"
            position = "Buy" if side is Side.BUY else "Sell"
            raise bad(f"{noun}:{price} set for {position} position should be {where} than base_price:{base}??{by}")


def stop_triggers(body: Body) -> tuple[str, str]:
    """slTriggerBy and tpTriggerBy, LastPrice where not said."""
    return _trigger_by(body, "slTriggerBy"), _trigger_by(body, "tpTriggerBy")


def full_mode(body: Body) -> None:
    """Only position-wide market stops exist here; the other forms are refused, never half done."""
    if text(body, "tpslMode") not in {"", "Full"}:
        raise bad("tpslMode invalid: the embedded exchange only knows Full")
    for key in ("slOrderType", "tpOrderType"):
        if text(body, key) not in {"", "Market"}:
            raise bad(f"{key} invalid: tpslMode Full only supports Market")
    if text(body, "trailingStop") not in {"", "0"}:
        raise bad("trailingStop invalid: the embedded exchange has no trailing stops")


def _link_id(body: Body) -> str:
    link = text(body, "orderLinkId")
    if link and not _LINK_ID.fullmatch(link):
        raise bad(f"OrderLinkId invalid: expected up to 36 of letters, digits, - and _, found {link[:60]!r}")
    return link


def _time_in_force(body: Body) -> str:
    tif = text(body, "timeInForce") or "GTC"
    if tif == "RPI":
        raise Refusal(110119, "RPI orders are for approved market makers only")
    if tif not in _TIMES_IN_FORCE:
        raise bad(f"TimeInForce invalid: expected one of {', '.join(sorted(_TIMES_IN_FORCE))}, found {tif!r}")
    return tif


def _trigger_by(body: Body, key: str) -> str:
    by = text(body, key) or "LastPrice"
    if by not in _TRIGGERS:
        raise bad(f"{key} invalid: expected one of {', '.join(sorted(_TRIGGERS))}, found {by!r}")
    return by


def _price(order: Order, body: Body, listing: Listing, *, reprice: bool) -> None:
    if order.kind == "Market":
        if not listing.mark:
            raise Refusal(110118, f"No market price available for {order.symbol}")
        order.slippage_ticks = _slippage(body, listing)
        order.limit_ticks = protective_ticks(order, listing)
        return
    ticks = price_ticks(body, "price", listing.instrument)
    if not ticks:
        raise bad("Price invalid: a Limit order needs a price above 0")
    order.limit_ticks = in_band(ticks, order.side, listing, reprice=reprice)


def _slippage(body: Body, listing: Listing) -> int:
    kind, value = text(body, "slippageToleranceType"), text(body, "slippageTolerance")
    if not kind and not value:
        return 0
    amount = number(body, "slippageTolerance")
    if kind == "TickSize":
        if not (1 <= amount <= 10_000 and amount == int(amount)):
            raise Refusal(110108, f"slippageTolerance: expected 1 to 10000 ticks, found {value}")
        return int(amount)
    if kind != "Percent" or not Decimal("0.01") <= amount <= 10:
        raise Refusal(110109, f"slippageTolerance: expected Percent of 0.01 to 10, found {kind} {value}")
    return max(1, listing.instrument.ticks_down(listing.last * amount / 100))


def _stops(order: Order, body: Body, listing: Listing) -> None:
    order.stop_loss_ticks = price_ticks(body, "stopLoss", listing.instrument)
    order.take_profit_ticks = price_ticks(body, "takeProfit", listing.instrument)
    if not (order.stop_loss_ticks or order.take_profit_ticks):
        return
    full_mode(body)
    if order.reduce_only:
        raise bad("TP/SL can not be set on a reduceOnly order")
    sl_by, tp_by = stop_triggers(body)
    order.sl_by = sl_by if order.stop_loss_ticks else ""
    order.tp_by = tp_by if order.take_profit_ticks else ""
    check_stop_sides(order.side, order.stop_loss_ticks, order.take_profit_ticks, sl_by, tp_by, listing)


def _trigger(order: Order, body: Body, listing: Listing) -> None:
    order.trigger_ticks = price_ticks(body, "triggerPrice", listing.instrument)
    if not order.trigger_ticks:
        return
    direction = text(body, "triggerDirection")
    if direction not in {"1", "2"}:
        raise bad(f"triggerDirection invalid: expected 1 (rise) or 2 (fall), found {direction!r}")
    order.trigger_direction = int(direction)
    order.trigger_by = _trigger_by(body, "triggerBy")
    order.stop_kind = "Stop"
    base = trigger_price(listing, order.trigger_by)
    price = listing.instrument.price(order.trigger_ticks)
    if order.trigger_direction == RISE and price <= base:
        raise Refusal(110092, f"expect Rising, but trigger_price[{price}] <= current[{base}]")
    if order.trigger_direction == FALL and price >= base:
        raise Refusal(110093, f"expect Falling, but trigger_price[{price}] >= current[{base}]")


def _size(order: Order, listing: Listing) -> None:
    instrument = listing.instrument
    if not order.lots:
        if order.reduce_only and order.close_on_trigger:
            return
        raise bad("Qty invalid: 0 closes a position only with reduceOnly and closeOnTrigger")
    if order.lots < instrument.min_lots:
        raise bad(f"The number of contracts is below the minimum {instrument.qty_text(instrument.min_lots)}")
    largest = instrument.max_market_lots if order.kind == "Market" else instrument.max_lots
    if order.lots > largest and not order.reduce_only:
        raise bad(f"The number of contracts exceeds the maximum {instrument.qty_text(largest)}")
    if order.reduce_only:
        return
    notional = instrument.notional(order.limit_ticks, order.lots)
    if notional < instrument.min_notional_usdt:
        raise Refusal(110094, f"Order does not meet minimum order value {instrument.min_notional_usdt}USDT")
