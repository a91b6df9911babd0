"""trading-stop: place, move, add and remove the stops of an open position. Source: Bybit v5 trading-stop page."""

from collections.abc import Mapping
from functools import partial

from breakwall.venues.exchange import checks
from breakwall.venues.exchange.account import Account
from breakwall.venues.exchange.fields import Body, bad, price_ticks, text
from breakwall.venues.exchange.listing import Listing
from breakwall.venues.exchange.order import Refusal
from breakwall.venues.exchange.order_entry import OrderEntry
from breakwall.venues.exchange.orders import Orders
from breakwall.venues.exchange.positions import Position
from breakwall.venues.exchange.stop_terms import FULL, STOP_LOSS, Leg, check_sides, legs_of, mode_of
from breakwall.venues.exchange.stops import MAX_PARTIAL

_NOT_MODIFIED = 34040


class StopEntry:
    """Checks requests about a position's stops and hands them to the matching engine, as late as orders."""

    __slots__ = ("_account", "_entry", "_listings", "_orders")

    def __init__(self, listings: Mapping[str, Listing], account: Account, orders: Orders, entry: OrderEntry) -> None:
        self._listings = listings
        self._account = account
        self._orders = orders
        self._entry = entry

    def set(self, body: Body, now_ms: int) -> None:
        """Raises Refusal: 34040 where nothing would change, 10001 for what cannot be, 110061 beyond 20 for parts."""
        listing = checks.listing_of(body, self._listings)
        symbol = listing.instrument.symbol
        only_trails = not (text(body, "stopLoss") or text(body, "takeProfit"))
        mode = mode_of(body, FULL if only_trails and text(body, "trailingStop") else "")
        idx = checks.position_idx(body, hedging=symbol in self._account.hedging)
        position = self._account.position(symbol, idx)
        legs = legs_of(body, listing, mode)
        if not position.lots:
            raise bad("can not set tp/sl/ts for zero position")
        check_sides(position.side, legs, listing)
        trails = self._trail(position, body, listing, now_ms)
        guards = self._replace(position, legs, body, now_ms) if mode == FULL else self._add(position, legs, now_ms)
        if not (trails or guards):
            raise Refusal(_NOT_MODIFIED, "not modified")

    def _replace(self, position: Position, legs: list[Leg], body: Body, now_ms: int) -> bool:
        """One stop and one target for all of the position: a new price moves what is there."""
        wanted = []
        for leg in legs:
            child = position.stop if leg.kind == STOP_LOSS else position.take_profit
            named = text(body, "slTriggerBy" if leg.kind == STOP_LOSS else "tpTriggerBy")
            ticks, by = (child.trigger_ticks, child.trigger_by) if child else (0, leg.by)
            if leg.ticks != ticks or (named and leg.by != by):
                wanted.append(leg)
        if wanted:
            self._entry.later(now_ms, partial(self._orders.set_stops, position, wanted))
        return bool(wanted)

    def _add(self, position: Position, legs: list[Leg], now_ms: int) -> bool:
        """One more stop, target or pair for a part of the position."""
        wanted = [leg for leg in legs if leg.ticks]
        if not wanted:
            return False
        sizes = {leg.lots for leg in wanted}
        if len(sizes) > 1:
            raise bad("tpSize and slSize must be equal")
        if max(sizes) > abs(position.lots):
            raise bad("slSize and tpSize must not exceed the position")
        if len(position.partials) + len(wanted) > MAX_PARTIAL:
            raise Refusal(110061, f"The number of partial TP/SL orders exceeds the maximum of {MAX_PARTIAL}")
        self._entry.later(now_ms, partial(self._orders.add_stops, position, wanted))
        return True

    def _trail(self, position: Position, body: Body, listing: Listing, now_ms: int) -> bool:
        """The trailing stop: a distance, and the price from which on it follows (none: at once)."""
        if not text(body, "trailingStop"):
            return False
        distance = price_ticks(body, "trailingStop", listing.instrument)
        active = price_ticks(body, "activePrice", listing.instrument)
        last = listing.last_ticks or 0
        if distance >= last:
            raise bad("trailingStop invalid: the distance must be smaller than the price")
        if active and (active - last) * position.sign <= 0:
            raise bad(f"activePrice invalid: must lie beyond the last price {listing.last} in the position's favour")
        there = position.trailing
        if distance == (there.trail_ticks if there else 0) and active == (there.active_ticks if there else 0):
            return False
        self._entry.later(now_ms, partial(self._orders.trail, position, distance, active))
        return True
