"""Order entry: what the account asks for, checked against the account and handed to the matching engine.

Every write is asynchronous, as at the venue: the answer says "accepted", the matching engine acts
`match_delay_ms` later. Requests raise `Refusal` where they are not accepted.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from breakwall.venues.exchange import checks
from breakwall.venues.exchange.account import Account, Position
from breakwall.venues.exchange.checks import Body, text
from breakwall.venues.exchange.listing import Listing
from breakwall.venues.exchange.order import Order, Refusal
from breakwall.venues.exchange.orders import Orders
from breakwall.venues.exchange.stops import STOP_LOSS, TAKE_PROFIT

MAX_ACTIVE = 500
MAX_CONDITIONAL = 10
Schedule = Callable[[int, Callable[[int], None]], None]
"""schedule(due_ms, act): call act(due_ms) when the exchange's time has come there."""


class OrderEntry:
    """The account's door to the matching engine; bodies are those of the v5 requests."""

    __slots__ = ("_account", "_delay_ms", "_listings", "_orders", "_schedule", "log")

    def __init__(
        self, listings: Mapping[str, Listing], account: Account, orders: Orders, schedule: Schedule, delay_ms: int
    ) -> None:
        self._listings = listings
        self._account = account
        self._orders = orders
        self._schedule = schedule
        self._delay_ms = delay_ms
        self.log = orders.log

    def place(self, body: Body, now_ms: int) -> Order:
        listing = checks.listing_of(body, self._listings)
        if self.log.used(text(body, "orderLinkId")):
            raise Refusal(110072, "OrderLinkedID is duplicate")
        order = checks.new_order(body, listing, self.log.new_id(), now_ms, reprice=self._account.reprice)
        self._check_counts(order)
        if order.reduce_only:
            self._check_reduces(order)
        elif not order.trigger_ticks:
            self._check_funds(order)
        self.log.accept(order)
        self._later(now_ms, partial(self._orders.arrive, order))
        return order

    def cancel(self, body: Body, now_ms: int) -> Order:
        checks.listing_of(body, self._listings)
        order = self._existing(body)
        self._later(now_ms, partial(self._orders.withdraw, order, late=True))
        return order

    def cancel_all(self, body: Body, now_ms: int) -> list[Order]:
        """Without `orderFilter` this takes the protective stops too, as at the venue."""
        if text(body, "category") != "linear":
            raise checks.bad("params error: category invalid")
        symbols = self._scope(body)
        which = text(body, "orderFilter")
        if which not in {"", "Order", "StopOrder", "OpenOrder"}:
            raise checks.bad(f"orderFilter invalid: expected Order, StopOrder or OpenOrder, found {which!r}")
        orders = [
            order
            for symbol in symbols
            for order in self.log.live(symbol)
            if _passes(order, which, text(body, "stopOrderType"))
        ]
        for order in orders:
            self._later(now_ms, partial(self._orders.withdraw, order, late=False))
        return orders

    def amend(self, body: Body, now_ms: int) -> Order:
        listing = checks.listing_of(body, self._listings)
        order = self._existing(body)
        change = self._amendment(order, body, listing)
        if not change:
            raise checks.bad("The order remains unchanged as the parameters entered match the existing ones.")
        if not order.reduce_only and not order.trigger_ticks:
            lots, ticks = change.get("lots", order.lots), change.get("limit_ticks", order.limit_ticks)
            self._check_funds(replace(order, lots=lots, limit_ticks=ticks), instead_of=order)
        self._later(now_ms, partial(self._orders.amend, order, change))
        return order

    def set_stops(self, body: Body, now_ms: int) -> None:
        """trading-stop: place, move or remove the stops of an open position."""
        listing = checks.listing_of(body, self._listings)
        checks.one_way(body)
        if not text(body, "tpslMode"):
            raise checks.bad("tpslMode invalid: expected Full, found nothing")
        checks.full_mode(body)
        position = self._account.positions[listing.instrument.symbol]
        if not position.lots:
            raise checks.bad("can not set tp/sl/ts for zero position")
        sl_by, tp_by = checks.stop_triggers(body)
        wanted = [
            (kind, ticks, by)
            for key, kind, leg, by in (
                ("stopLoss", STOP_LOSS, position.stop, sl_by),
                ("takeProfit", TAKE_PROFIT, position.take_profit, tp_by),
            )
            if text(body, key)
            for ticks in [checks.price_ticks(body, key, listing.instrument)]
            if ticks != (leg.trigger_ticks if leg else 0)
        ]
        if not wanted:
            raise Refusal(34040, "not modified")
        ticks_of = {kind: ticks for kind, ticks, _ in wanted}
        stop_ticks, profit_ticks = ticks_of.get(STOP_LOSS, 0), ticks_of.get(TAKE_PROFIT, 0)
        checks.check_stop_sides(position.side, stop_ticks, profit_ticks, sl_by, tp_by, listing)
        self._later(now_ms, partial(self._orders.set_stops, position, wanted))

    def _check_counts(self, order: Order) -> None:
        waiting = [other.status == "Untriggered" for other in self.log.live(order.symbol)]
        if order.trigger_ticks and sum(waiting) >= MAX_CONDITIONAL:
            raise Refusal(110009, f"The number of stop orders exceeds the maximum of {MAX_CONDITIONAL}")
        if len(waiting) - sum(waiting) >= MAX_ACTIVE:
            raise Refusal(110020, f"Not allowed to have more than {MAX_ACTIVE} active orders")

    def _check_reduces(self, order: Order) -> None:
        position = self._position(order)
        if position.lots * order.side.sign >= 0:
            raise Refusal(110017, "current position is zero, cannot fix reduce-only order qty")
        order.lots = min(order.lots or abs(position.lots), abs(position.lots))

    def _check_funds(self, order: Order, instead_of: Order | None = None) -> None:
        held = [other for other in self.log.live() if other is not instead_of]
        if self._account.available([*held, order]) < 0:
            raise Refusal(110007, "ab not enough for new order")

    def _existing(self, body: Body) -> Order:
        order = self.log.find(body)
        if order is None or order.symbol != text(body, "symbol") or not order.open:
            raise Refusal(110001, "order not exists or too late to cancel")
        return order

    def _scope(self, body: Body) -> list[str]:
        symbol, base, settle = text(body, "symbol"), text(body, "baseCoin"), text(body, "settleCoin")
        if not (symbol or base or settle):
            raise checks.bad("params error: one of symbol, baseCoin, settleCoin is required")
        if symbol:
            return [checks.listing_of(body, self._listings).instrument.symbol]
        return [name for name in self._listings if (name == f"{base}USDT" if base else settle == "USDT")]

    def _amendment(self, order: Order, body: Body, listing: Listing) -> dict[str, int]:
        """The fields of the order that really change, with their new values."""
        instrument = listing.instrument
        change: dict[str, int] = {}
        if text(body, "qty"):
            change["lots"] = checks.order_lots(body, instrument)
            if change["lots"] <= order.filled_lots:
                raise Refusal(110064, "The quantity must be larger than what is filled")
            if change["lots"] > instrument.max_lots:
                raise checks.bad("The number of contracts exceeds the maximum")
        if text(body, "price") and order.kind == "Limit":
            ticks = checks.price_ticks(body, "price", instrument)
            change["limit_ticks"] = checks.in_band(ticks, order.side, listing, reprice=self._account.reprice)
        if text(body, "triggerPrice") and order.status == "Untriggered":
            change["trigger_ticks"] = checks.price_ticks(body, "triggerPrice", instrument)
        self._amended_stops(order, body, listing, change)
        return {field: value for field, value in change.items() if getattr(order, field) != value}

    def _amended_stops(self, order: Order, body: Body, listing: Listing, change: dict[str, int]) -> None:
        if not (text(body, "stopLoss") or text(body, "takeProfit")):
            return
        if order.filled_lots:
            raise Refusal(110059, "TP/SL of a partially filled order cannot be amended: use trading-stop")
        sl_by, tp_by = checks.stop_triggers(body)
        if text(body, "stopLoss"):
            change["stop_loss_ticks"] = checks.price_ticks(body, "stopLoss", listing.instrument)
            order.sl_by = order.sl_by or sl_by
        if text(body, "takeProfit"):
            change["take_profit_ticks"] = checks.price_ticks(body, "takeProfit", listing.instrument)
            order.tp_by = order.tp_by or tp_by
        stop, profit = change.get("stop_loss_ticks", 0), change.get("take_profit_ticks", 0)
        checks.check_stop_sides(order.side, stop, profit, order.sl_by, order.tp_by, listing)

    def _position(self, order: Order) -> Position:
        return self._account.positions[order.symbol]

    def _later(self, now_ms: int, act: Callable[[int], None]) -> None:
        self._schedule(now_ms + self._delay_ms, act)


def _passes(order: Order, which: str, stop_kind: str) -> bool:
    """orderFilter of cancel-all: Order spares everything that waits for a trigger, StopOrder takes only that."""
    waiting = bool(order.stop_kind) and order.status == "Untriggered"
    if which == "StopOrder":
        return waiting and (not stop_kind or order.stop_kind == stop_kind)
    return not (which and waiting)
