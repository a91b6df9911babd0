"""Position-wide stops: the child orders that guard a position, their triggers and their end.

Full mode only: one stop-loss and one take-profit per position, at market, for all of it. They
follow the position's size and go when it is flat.
Source: Bybit v5 create-order and trading-stop pages.
"""

from breakwall.venues.exchange.account import Position
from breakwall.venues.exchange.checks import trigger_price
from breakwall.venues.exchange.listing import Listing
from breakwall.venues.exchange.order import FALL, RISE, Order
from breakwall.venues.exchange.order_log import OrderLog

STOP_LOSS, TAKE_PROFIT = "StopLoss", "TakeProfit"
CLEARED = "CancelByTpSlTsClear"
_OTHER_LEG_FIRED = {
    STOP_LOSS: "CancelByOCOTpCanceledBySlTriggered",
    TAKE_PROFIT: "CancelByOCOSlCanceledByTpTriggered",
}


class Stops:
    """Keeps each position's child orders true to the position."""

    __slots__ = ("_log",)

    def __init__(self, log: OrderLog) -> None:
        self._log = log

    def set(
        self,
        position: Position,
        kind: str,
        ticks: int,
        by: str,
        now_ms: int,
        parent_link: str = "",
    ) -> None:
        """Place, move or (with 0 ticks) remove one leg of a position that is not flat."""
        leg = _leg(position, kind)
        if not ticks:
            if leg is not None:
                self._end(position, leg, "CancelByUser", now_ms)
            return
        if leg is None:
            leg = self._child(position, kind, parent_link, now_ms)
        leg.trigger_ticks = ticks
        leg.trigger_by = by
        self._log.changed(leg, now_ms)

    def attach(self, position: Position, entry: Order, now_ms: int) -> None:
        """Give the position the stops its entry carries: once, so that a stop moved later stays moved."""
        for kind, ticks, by in (
            (STOP_LOSS, entry.stop_loss_ticks, entry.sl_by),
            (TAKE_PROFIT, entry.take_profit_ticks, entry.tp_by),
        ):
            if ticks and (not entry.attached or _leg(position, kind) is None):
                self.set(position, kind, ticks, by, now_ms, entry.link_id)
        entry.attached = True

    def follow(self, position: Position, now_ms: int) -> None:
        """Make the legs as large as the position; they end with it or when it has turned round."""
        for leg in (position.stop, position.take_profit):
            if leg is None:
                continue
            if not position.lots or leg.side is position.side:
                self._end(position, leg, CLEARED, now_ms)
            elif leg.lots != abs(position.lots):
                leg.lots = abs(position.lots)
                self._log.changed(leg, now_ms)

    def cancelled(self, position: Position, leg: Order, cancel_type: str, now_ms: int) -> None:
        """A child order is cancelled by itself: the position loses that leg."""
        self._end(position, leg, cancel_type, now_ms)

    def fire(self, position: Position, order: Order, now_ms: int) -> None:
        """An untriggered order triggers; as a leg it leaves the position and takes the other one along."""
        order.status = "Triggered"
        self._log.changed(order, now_ms)
        if order not in {position.stop, position.take_profit}:
            return
        _forget(position, order)
        order.lots = abs(position.lots)
        for other in (position.stop, position.take_profit):
            if other is not None:
                self._end(position, other, _OTHER_LEG_FIRED[order.stop_kind], now_ms)

    def _child(self, position: Position, kind: str, parent_link: str, now_ms: int) -> Order:
        falling = (kind == STOP_LOSS) == (position.lots > 0)
        child = Order(
            instrument=position.instrument,
            order_id=self._log.new_id(),
            link_id="",
            side=position.side.opposite,
            kind="Market",
            tif="IOC",
            lots=abs(position.lots),
            created_ms=now_ms,
            reduce_only=True,
            close_on_trigger=True,
            stop_kind=kind,
            trigger_direction=FALL if falling else RISE,
            parent_link=parent_link,
            create_type=f"CreateBy{kind}",
            status="Untriggered",
        )
        self._log.accept(child)
        if kind == STOP_LOSS:
            position.stop = child
        else:
            position.take_profit = child
        return child

    def _end(self, position: Position, leg: Order, cancel_type: str, now_ms: int) -> None:
        _forget(position, leg)
        leg.end("Deactivated", now_ms, cancel_type, "EC_PerCancelRequest")
        self._log.changed(leg, now_ms)


def triggered(order: Order, listing: Listing) -> bool:
    """Whether the price an untriggered order watches has reached its trigger."""
    if order.status != "Untriggered":
        return False
    price = trigger_price(listing, order.trigger_by)
    if not price:
        return False
    trigger = order.instrument.price(order.trigger_ticks)
    return price >= trigger if order.trigger_direction == RISE else price <= trigger


def _leg(position: Position, kind: str) -> Order | None:
    return position.stop if kind == STOP_LOSS else position.take_profit


def _forget(position: Position, leg: Order) -> None:
    if position.stop is leg:
        position.stop = None
    if position.take_profit is leg:
        position.take_profit = None
