"""What an exchange does to its contracts while others trade them: new steps of price and size, an end, a new one."""

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

from msgspec import structs

from breakwall.model.text import sanitise
from breakwall.model.units import Instrument, UnitError
from breakwall.venues.exchange.listing import Listing
from breakwall.venues.exchange.order import Order
from breakwall.venues.exchange.orders import Orders
from breakwall.venues.exchange.positions import Position

STATUSES = ("Trading", "Delivering", "Closed")
_YEAR_MIN = 525_600
BY_THE_VENUE = "CancelByAdmin"
_TICKS = (
    *("limit_ticks", "stop_loss_ticks", "take_profit_ticks", "sl_limit_ticks", "tp_limit_ticks"),
    *("trail_ticks", "active_ticks", "trigger_ticks", "slippage_ticks"),
)


def changed(instrument: Instrument, changes: dict[str, object]) -> Instrument:
    """The rules with these changes. Raises ValueError for a step that is none, TypeError for an unknown field."""
    new = structs.replace(instrument, **changes)
    for name, step in (("tick", new.tick), ("lot", new.lot)):
        if not isinstance(step, Decimal) or not step.is_finite() or step <= 0:
            raise ValueError(f"{instrument.symbol} {name}: expected a step above 0, found {step!r}")
    same_book = (new.tick, new.lot) == (instrument.tick, instrument.lot)
    return new if same_book else structs.replace(new, price_decimals=max(new.price_decimals, _decimals(new.tick)))


def changes_of(body: dict[str, object], now_ms: int) -> dict[str, object]:
    """What a request to the control endpoint wants changed: `tick`, `lot`, `status`, `ends_min` from now (0: never).

    Raises ValueError naming the field.
    """
    changes: dict[str, object] = {}
    for name, value in body.items():
        if name in {"tick", "lot"}:
            changes[name] = _step(name, value)
        elif name == "status" and value in STATUSES:
            changes[name] = value
        elif name == "ends_min" and isinstance(value, int | float) and 0 <= value <= _YEAR_MIN:
            changes["delivery_ms"] = now_ms + round(value * 60_000) if value else 0
        elif name != "contract":
            found = f"{sanitise(name, 40)}: {sanitise(value, 40)}"
            known = f"tick, lot, status ({', '.join(STATUSES)}) or ends_min"
            raise ValueError(f"contract: expected {known}, found {found}")
    return changes


def _step(name: str, value: object) -> Decimal:
    try:
        return Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError(f"{name}: expected a number such as 0.01, found {sanitise(value, 40)}") from error


def convert(listing: Listing, new: Instrument, positions: Iterable[Position], orders: Orders, now_ms: int) -> None:
    """Take new rules. With another tick or lot everything in the book is cancelled, ours and others'; stops stay,
    on the nearest tick. Raises ValueError, with nothing done, where what is held is not a whole number of new lots.
    """
    old = listing.instrument
    moved = (new.tick, new.lot) != (old.tick, old.lot)
    held = list(positions)
    if moved:
        for position in held:
            _lots(position.lots, old, new)
        orders.cancel_active(BY_THE_VENUE, now_ms, old.symbol)
    for order in orders.log.live(old.symbol):
        if moved:
            _convert_order(order, old, new)
        order.instrument = new
    for position in held:
        position.lots = _lots(position.lots, old, new)
        position.instrument = new
    if moved:
        listing.begin_again(new)
    listing.instrument = new


def _convert_order(order: Order, old: Instrument, new: Instrument) -> None:
    """What waits for a trigger: a stop of a position is as large as the position, whatever it says."""
    for name in _TICKS:
        ticks = getattr(order, name)
        setattr(order, name, max(1, new.ticks_near(old.price(ticks))) if ticks else 0)
    order.lots = max(1, new.lots_down(old.qty(order.lots)))
    order.filled_lots = new.lots_down(old.qty(order.filled_lots))
    order.attached_lots = new.lots_down(old.qty(order.attached_lots))


def _lots(lots: int, old: Instrument, new: Instrument) -> int:
    try:
        return new.lots(old.qty(lots))
    except UnitError as error:
        raise ValueError(f"position: {error}") from error


def _decimals(step: Decimal) -> int:
    exponent = step.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
