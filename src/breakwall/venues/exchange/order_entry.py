"""Order entry: what the account asks for, checked against the account and handed to the matching engine.

Every write is asynchronous, as at the venue: the answer says "accepted", the matching engine acts
`match_delay_ms` later. Requests raise `Refusal` where they are not accepted.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from breakwall.venues.exchange import checks
from breakwall.venues.exchange.account import Account
from breakwall.venues.exchange.amendments import amendment
from breakwall.venues.exchange.fields import Body, bad, flag, text
from breakwall.venues.exchange.listing import Listing
from breakwall.venues.exchange.order import ACCEPTED, Order, Refusal
from breakwall.venues.exchange.orders import Orders
from breakwall.venues.exchange.positions import Position
from breakwall.venues.exchange.risk_tiers import largest_usdt, tiers_of
from breakwall.venues.exchange.stop_terms import FULL

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
        pieces = self._pieces(self.checked(body, now_ms))
        for piece in pieces:
            self.log.accept(piece)
            self.later(now_ms, partial(self._orders.arrive, piece))
        return pieces[0]

    def checked(self, body: Body, now_ms: int) -> Order:
        """The order a request asks for, if it would be accepted now."""
        listing = checks.listing_of(body, self._listings)
        checks.check_live(listing, reduces=flag(body, "reduceOnly"))
        if self.log.used(text(body, "orderLinkId")):
            raise Refusal(110072, "OrderLinkedID is duplicate")
        symbol = listing.instrument.symbol
        order = checks.new_order(
            body,
            listing,
            self.log.new_id(),
            now_ms,
            reprice=self._account.reprice,
            hedging=symbol in self._account.hedging,
            mode=self._account.tpsl_modes.get(symbol, FULL),
        )
        self._check_counts(order)
        if order.reduce_only or (order.position_idx and self._position(order).closes(order.side)):
            order.reduce_only = True
            self._check_reduces(order)
        elif not order.trigger_ticks:
            self._check_tier(order)
            self._check_funds(order)
        return order

    def cancel(self, body: Body, now_ms: int) -> Order:
        checks.listing_of(body, self._listings)
        order = self._existing(body)
        self.later(now_ms, partial(self._orders.withdraw, order, late=True))
        return order

    def cancel_all(self, body: Body, now_ms: int) -> list[Order]:
        """Without `orderFilter` this takes the protective stops too, as at the venue; 500 at most."""
        checks.linear(body)
        symbols = self._scope(body)
        which = text(body, "orderFilter")
        if which not in {"", "Order", "StopOrder", "OpenOrder"}:
            raise bad(f"orderFilter invalid: expected Order, StopOrder or OpenOrder, found {which[:40]!r}")
        orders = [
            order
            for symbol in symbols
            for order in self.log.live(symbol)
            if _passes(order, which, text(body, "stopOrderType"))
        ][:MAX_ACTIVE]
        for order in orders:
            self.later(now_ms, partial(self._orders.withdraw, order, late=False))
        return orders

    def amend(self, body: Body, now_ms: int) -> Order:
        listing = checks.listing_of(body, self._listings)
        order = self._existing(body)
        if order.status == ACCEPTED:
            raise Refusal(110079, "The order is processing and can not be operated, please try again later")
        change = amendment(order, body, listing, reprice=self._account.reprice)
        if not change:
            raise bad("The order remains unchanged as the parameters entered match the existing ones.")
        if not order.reduce_only and not order.conditional:
            lots, ticks = int(change.get("lots", order.lots)), int(change.get("limit_ticks", order.limit_ticks))
            self._check_funds(replace(order, lots=lots, limit_ticks=ticks), instead_of=order)
        self.later(now_ms, partial(self._orders.amend, order, change))
        return order

    def later(self, now_ms: int, act: Callable[[int], None]) -> None:
        """Let the matching engine act once it has got the request."""
        self._schedule(now_ms + self._delay_ms, act)

    def _pieces(self, order: Order) -> list[Order]:
        """A close larger than one order may be goes in several; quantity 0 closes as much as one order may."""
        largest = checks.largest_lots(order)
        if order.lots <= largest:
            return [order]
        whole, rest = divmod(order.lots, largest)
        sizes = [largest] * whole + ([rest] if rest else [])
        order.lots = sizes[0]
        return [order, *(replace(order, order_id=self.log.new_id(), lots=lots) for lots in sizes[1:])]

    def _check_counts(self, order: Order) -> None:
        open_orders = [
            other for other in self.log.live(order.symbol) if not other.stop_kind or other.stop_kind == "Stop"
        ]
        waiting = sum(other.conditional for other in open_orders)
        if order.trigger_ticks and waiting >= MAX_CONDITIONAL:
            raise Refusal(110009, f"The number of stop orders exceeds the maximum of {MAX_CONDITIONAL}")
        if len(open_orders) - waiting >= MAX_ACTIVE:
            raise Refusal(110020, f"Not allowed to have more than {MAX_ACTIVE} active orders")

    def _check_reduces(self, order: Order) -> None:
        """There must be something to close; more than there is becomes as much as there is."""
        position = self._position(order)
        if position.lots * order.side.sign >= 0:
            raise Refusal(110017, "current position is zero, cannot fix reduce-only order qty")
        largest = checks.largest_lots(order)
        order.lots = min(order.lots or largest, abs(position.lots))

    def _check_funds(self, order: Order, instead_of: Order | None = None) -> None:
        held = [other for other in self.log.live() if other is not instead_of]
        if self._account.available([*held, order]) < 0:
            raise Refusal(110007, "ab not enough for new order")

    def _check_tier(self, order: Order) -> None:
        """Position and orders together must fit the leverage's tier."""
        position, instrument = self._position(order), order.instrument
        lots = order.lots + sum(
            other.remaining
            for other in self.log.live(order.symbol)
            if other.side is order.side and not (other.reduce_only or other.conditional)
        )
        if position.lots * order.side.sign > 0:
            lots += abs(position.lots)
        value = instrument.notional(order.limit_ticks, lots)
        if value > tiers_of(instrument)[-1].limit_usdt:
            raise Refusal(110021, "You have exceeded the position limit of this contract")
        if value > largest_usdt(instrument, position.leverage):
            raise Refusal(110090, "The position is too large for this leverage: lower it first")

    def _existing(self, body: Body) -> Order:
        order = self.log.find(body)
        if order is None or order.symbol != text(body, "symbol"):
            raise Refusal(110001, "order not exists or too late to cancel")
        if order.status == "Filled":
            raise Refusal(110008, "The order has been completed or cancelled.")
        if not order.open:
            raise Refusal(110010, "The order has been cancelled")
        return order

    def _scope(self, body: Body) -> list[str]:
        symbol, base, settle = text(body, "symbol"), text(body, "baseCoin"), text(body, "settleCoin")
        if not (symbol or base or settle):
            raise bad("params error: one of symbol, baseCoin, settleCoin is required")
        if symbol:
            return [checks.listing_of(body, self._listings).instrument.symbol]
        return [name for name in self._listings if (name == f"{base}USDT" if base else settle == "USDT")]

    def _position(self, order: Order) -> Position:
        return self._account.position(order.symbol, order.position_idx)


def _passes(order: Order, which: str, stop_kind: str) -> bool:
    """orderFilter of cancel-all: Order spares everything that waits for a trigger, StopOrder takes only that."""
    waiting = bool(order.stop_kind) and order.conditional
    if which == "StopOrder":
        return waiting and (not stop_kind or order.stop_kind == stop_kind)
    return not (which and waiting)
