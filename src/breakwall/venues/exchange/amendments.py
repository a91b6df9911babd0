"""What an amend request changes of an open order. Source: Bybit v5 amend-order page."""

from breakwall.venues.exchange import checks
from breakwall.venues.exchange.fields import Body, bad, order_lots, price_ticks, text
from breakwall.venues.exchange.listing import Listing
from breakwall.venues.exchange.order import Order, Refusal
from breakwall.venues.exchange.orders import Change
from breakwall.venues.exchange.stop_terms import FULL, PARTIAL, STOP_LOSS, check_sides, legs_of, mode_of, trigger_by


def amendment(order: Order, body: Body, listing: Listing, *, reprice: bool) -> Change:
    """The fields that really change, with their new values. Raises Refusal where they cannot be so."""
    change: dict[str, int | str] = {}
    if text(body, "qty"):
        change["lots"] = _lots(order, body, listing)
    if text(body, "price") and order.kind == "Limit":
        ticks = price_ticks(body, "price", listing.instrument)
        change["limit_ticks"] = checks.in_band(ticks, order.side, listing, reprice=reprice)
    if order.status == "Untriggered":
        if text(body, "triggerPrice"):
            change["trigger_ticks"] = price_ticks(body, "triggerPrice", listing.instrument)
        if text(body, "triggerBy"):
            change["trigger_by"] = trigger_by(body, "triggerBy")
    change |= _stops(order, body, listing)
    return {field: value for field, value in change.items() if getattr(order, field) != value}


def _lots(order: Order, body: Body, listing: Listing) -> int:
    """The new total, filled ones included."""
    lots = order_lots(body, listing.instrument)
    if order.stop_kind and order.tpsl_mode == FULL:
        raise bad("Qty invalid: a stop for all of a position has the position's size")
    if lots <= order.filled_lots:
        raise Refusal(110064, "The quantity must be larger than what is filled")
    if lots > checks.largest_lots(order):
        raise bad("The number of contracts exceeds the maximum")
    return lots


def _stops(order: Order, body: Body, listing: Listing) -> dict[str, int | str]:
    mode = mode_of(body, order.tpsl_mode or FULL)
    legs = legs_of(body, listing, mode)
    if not legs:
        return {}
    if order.filled_lots:
        raise Refusal(110059, "TP/SL of a partially filled order cannot be amended: use trading-stop")
    if order.reduce_only:
        raise bad("TP/SL can not be set on a reduceOnly order")
    entry = listing.instrument.price(order.trigger_ticks) if order.trigger_ticks else None
    check_sides(order.side, legs, listing, entry)
    change: dict[str, int | str] = {"tpsl_mode": mode}
    for leg in legs:
        names = ("stop_loss_ticks", "sl") if leg.kind == STOP_LOSS else ("take_profit_ticks", "tp")
        change[names[0]] = leg.ticks
        change[f"{names[1]}_limit_ticks"] = leg.limit_ticks if mode == PARTIAL else 0
        by = getattr(order, f"{names[1]}_by")
        change[f"{names[1]}_by"] = leg.by if text(body, f"{names[1]}TriggerBy") or not by else by
    return change
