"""Stops of positions: the child orders that guard them, their triggers and their end.

For all of a position there are one stop-loss, one take-profit (both at market) and one trailing stop;
they follow its size and go when it is flat. Beside them up to `MAX_PARTIAL` guard parts of it, each with
its own size. Source: Bybit v5 create-order and trading-stop pages.
"""

from collections.abc import Iterable

from breakwall.venues.exchange.listing import Listing
from breakwall.venues.exchange.order import FALL, RISE, Order
from breakwall.venues.exchange.order_log import OrderLog
from breakwall.venues.exchange.positions import Position
from breakwall.venues.exchange.stop_terms import PARTIAL, STOP_LOSS, TAKE_PROFIT, TRAILING, Leg, trigger_price

CLEARED = "CancelByTpSlTsClear"
MAX_PARTIAL = 20
_OTHER_LEG_FIRED = {
    STOP_LOSS: "CancelByOCOTpCanceledBySlTriggered",
    TAKE_PROFIT: "CancelByOCOSlCanceledByTpTriggered",
}


class Stops:
    """Keeps each position's child orders true to the position."""

    __slots__ = ("_log",)

    def __init__(self, log: OrderLog) -> None:
        self._log = log

    def set(self, position: Position, leg: Leg, now_ms: int, parent_link: str = "") -> None:
        """Place, move or (with 0 ticks) remove one leg of a position that is not flat."""
        child = _whole_leg(position, leg.kind)
        if not leg.ticks:
            if child is not None:
                self._end(position, child, "CancelByUser", now_ms)
            return
        if child is None:
            child = self._child(position, leg.kind, parent_link, now_ms)
            if leg.kind == STOP_LOSS:
                position.stop = child
            else:
                position.take_profit = child
        child.trigger_ticks = leg.ticks
        child.trigger_by = leg.by
        position.updated_ms = now_ms
        self._log.changed(child, now_ms)

    def add(self, position: Position, legs: Iterable[Leg], now_ms: int, parent_link: str = "") -> None:
        """Guard a part of a position: each leg is one more child order; a stop and its target are a pair."""
        children = []
        for leg in legs:
            child = self._child(position, f"{PARTIAL}{leg.kind}", parent_link, now_ms)
            child.tpsl_mode = PARTIAL
            child.lots = leg.lots or abs(position.lots)
            child.trigger_ticks, child.trigger_by = leg.ticks, leg.by
            if leg.limit_ticks:
                child.kind, child.tif, child.limit_ticks = "Limit", "GTC", leg.limit_ticks
            position.partials.append(child)
            children.append(child)
            self._log.changed(child, now_ms)
        if len(children) == 2:
            children[0].pair, children[1].pair = children[1], children[0]

    def trail(self, position: Position, distance: int, active_ticks: int, listing: Listing, now_ms: int) -> None:
        """Place, change or (with distance 0) remove the trailing stop; it waits for `active_ticks`, 0 is no wait."""
        child = position.trailing
        if not distance:
            if child is not None:
                self._end(position, child, "CancelByUser", now_ms)
            return
        if child is None:
            child = position.trailing = self._child(position, TRAILING, "", now_ms)
            child.trigger_by = "LastPrice"
        child.trail_ticks, child.active_ticks, child.trigger_ticks = distance, active_ticks, 0
        follow_price(child, listing)
        self._log.changed(child, now_ms)

    def attach(self, position: Position, entry: Order, now_ms: int) -> None:
        """Give the position the stops its entry carries.

        Those for all of it are placed once, so that a stop moved later stays moved; those for a part come with
        each fill, as large as the fill.
        """
        fresh, first = entry.filled_lots - entry.attached_lots, not entry.attached_lots
        entry.attached_lots = entry.filled_lots
        legs = attached_legs(entry)
        if entry.tpsl_mode == PARTIAL:
            lots = min(fresh, abs(position.lots))
            if lots and legs:
                self.add(
                    position, [Leg(g.kind, g.ticks, g.by, g.limit_ticks, lots) for g in legs], now_ms, entry.link_id
                )
            return
        for leg in legs:
            if first or _whole_leg(position, leg.kind) is None:
                self.set(position, leg, now_ms, entry.link_id)

    def follow(self, position: Position, now_ms: int) -> None:
        """Make the legs as large as the position; they end with it or when it has turned round."""
        for leg in position.whole_legs:
            if leg is None:
                continue
            if not position.lots or leg.side is position.side:
                self._end(position, leg, CLEARED, now_ms)
            elif leg.lots != abs(position.lots):
                leg.lots = abs(position.lots)
                self._log.changed(leg, now_ms)
        for leg in list(position.partials):
            if not position.lots or leg.side is position.side:
                self._end(position, leg, CLEARED, now_ms)

    def cancelled(self, position: Position, leg: Order, cancel_type: str, now_ms: int) -> None:
        """A child order is cancelled by itself; one of a pair takes the other along."""
        other = leg.pair
        self._end(position, leg, cancel_type, now_ms)
        if other is not None:
            self._end(position, other, cancel_type, now_ms)

    def fire(self, position: Position, order: Order, now_ms: int) -> None:
        """An untriggered order triggers; as a leg it leaves the position and takes the other one along."""
        order.status = "Triggered"
        self._log.changed(order, now_ms)
        if order in position.whole_legs:
            order.lots = abs(position.lots)
            others = [position.stop, position.take_profit] if order is not position.trailing else []
        elif order in position.partials:
            others = [order.pair]
        else:
            return
        _forget(position, order)
        for other in others:
            if other is not None and other is not order:
                self._end(position, other, _OTHER_LEG_FIRED[order.stop_kind.removeprefix(PARTIAL)], now_ms)

    def _child(self, position: Position, kind: str, parent_link: str, now_ms: int) -> Order:
        falling = kind.endswith(TAKE_PROFIT) == (position.lots < 0)
        child = Order(
            instrument=position.instrument,
            order_id=self._log.new_id(),
            link_id="",
            side=position.side.opposite,
            kind="Market",
            tif="IOC",
            lots=abs(position.lots),
            created_ms=now_ms,
            position_idx=position.idx,
            reduce_only=True,
            close_on_trigger=True,
            stop_kind=kind,
            tpsl_mode="Full",
            trigger_direction=FALL if falling else RISE,
            parent_link=parent_link,
            create_type=f"CreateBy{kind}",
            status="Untriggered",
        )
        self._log.accept(child)
        return child

    def _end(self, position: Position, leg: Order, cancel_type: str, now_ms: int) -> None:
        _forget(position, leg)
        position.updated_ms = now_ms
        leg.end("Deactivated", now_ms, cancel_type, "EC_PerCancelRequest")
        self._log.changed(leg, now_ms)


def attached_legs(entry: Order) -> list[Leg]:
    """The stops an order carries for the position it will open."""
    legs = (
        Leg(STOP_LOSS, entry.stop_loss_ticks, entry.sl_by, entry.sl_limit_ticks),
        Leg(TAKE_PROFIT, entry.take_profit_ticks, entry.tp_by, entry.tp_limit_ticks),
    )
    return [leg for leg in legs if leg.ticks]


def triggered(order: Order, listing: Listing) -> bool:
    """Whether the price an untriggered order watches has reached its trigger."""
    if order.status != "Untriggered" or not order.trigger_ticks:
        return False
    price = trigger_price(listing, order.trigger_by)
    if not price:
        return False
    trigger = order.instrument.price(order.trigger_ticks)
    return price >= trigger if order.trigger_direction == RISE else price <= trigger


def follow_price(order: Order, listing: Listing) -> bool:
    """Let a trailing stop's trigger follow the last price; whether it has just been armed."""
    last = listing.last_ticks
    away = -order.side.sign
    if last is None or (order.active_ticks and (last - order.active_ticks) * away < 0):
        return False
    armed = not order.trigger_ticks
    trigger = max(1, last - away * order.trail_ticks)
    if armed or (trigger - order.trigger_ticks) * away > 0:
        order.trigger_ticks = trigger
    order.active_ticks = 0
    return armed


def _whole_leg(position: Position, kind: str) -> Order | None:
    return position.stop if kind == STOP_LOSS else position.take_profit


def _forget(position: Position, leg: Order) -> None:
    if leg.pair is not None:
        leg.pair.pair = None
        leg.pair = None
    if position.stop is leg:
        position.stop = None
    elif position.take_profit is leg:
        position.take_profit = None
    elif position.trailing is leg:
        position.trailing = None
    elif leg in position.partials:
        position.partials.remove(leg)
