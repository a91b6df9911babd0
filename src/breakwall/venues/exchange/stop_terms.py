"""What a request says about stops: prices, triggers, modes, limits, sizes.

Raises `Refusal` 10001 where it cannot be so; what depends on the position is checked where the position is.
Source: Bybit v5 create-order and trading-stop pages.
"""

from decimal import Decimal

from msgspec import Struct

from breakwall.model.units import Side
from breakwall.venues.exchange.fields import Body, bad, order_lots, price_ticks, text
from breakwall.venues.exchange.listing import Listing

FULL, PARTIAL = "Full", "Partial"
STOP_LOSS, TAKE_PROFIT, TRAILING = "StopLoss", "TakeProfit", "TrailingStop"
_TRIGGERS = {"LastPrice", "IndexPrice", "MarkPrice"}
_KEYS = {STOP_LOSS: ("stopLoss", "sl"), TAKE_PROFIT: ("takeProfit", "tp")}


class Leg(Struct, frozen=True):
    """One stop of a position: `ticks` 0 removes it, `limit_ticks` 0 is at market, `lots` 0 is all of it."""

    kind: str
    ticks: int
    by: str
    limit_ticks: int = 0
    lots: int = 0


def mode_of(body: Body, default: str) -> str:
    mode = text(body, "tpslMode") or default
    if mode not in {FULL, PARTIAL}:
        raise bad(f"tpslMode invalid: expected {FULL} or {PARTIAL}, found {mode[:40]!r}")
    return mode


def legs_of(body: Body, listing: Listing, mode: str) -> list[Leg]:
    """The stop and the target a request names, those it wants removed included."""
    return [leg for leg in (_leg(kind, body, listing, mode) for kind in _KEYS) if leg is not None]


def _leg(kind: str, body: Body, listing: Listing, mode: str) -> Leg | None:
    key, prefix = _KEYS[kind]
    by = trigger_by(body, f"{prefix}TriggerBy")
    limit = _limit_ticks(body, prefix, listing, mode)
    if not text(body, key):
        return None
    lots = order_lots(body, listing.instrument, f"{prefix}Size") if text(body, f"{prefix}Size") else 0
    return Leg(kind, price_ticks(body, key, listing.instrument), by, limit, lots)


def _limit_ticks(body: Body, prefix: str, listing: Listing, mode: str) -> int:
    """The limit of a stop that is a limit order once it triggers; only stops for a part may be."""
    kind = text(body, f"{prefix}OrderType")
    if kind not in {"", "Market", "Limit"}:
        raise bad(f"{prefix}OrderType invalid: expected Market or Limit, found {kind[:40]!r}")
    if kind != "Limit":
        return 0
    if mode != PARTIAL:
        raise bad(f"{prefix}OrderType invalid: tpslMode {FULL} only supports Market")
    ticks = price_ticks(body, f"{prefix}LimitPrice", listing.instrument)
    if not ticks:
        raise bad(f"{prefix}LimitPrice invalid: a Limit order needs a price above 0")
    return ticks


def trigger_by(body: Body, key: str) -> str:
    """The price that triggers; the last one where nothing is said."""
    by = text(body, key) or "LastPrice"
    if by not in _TRIGGERS:
        raise bad(f"{key} invalid: expected one of {', '.join(sorted(_TRIGGERS))}, found {by[:40]!r}")
    return by


def trigger_price(listing: Listing, by: str) -> Decimal:
    return {"MarkPrice": listing.mark, "IndexPrice": listing.index}.get(by, listing.last)


def check_sides(side: Side, legs: list[Leg], listing: Listing, entry: Decimal | None = None) -> None:
    """A stop must lie behind, a target beyond the price that would trigger it; `side` opens the position.

    `entry` is the price instead, for what only opens once it is reached.
    """
    for leg in legs:
        sign = side.sign if leg.kind == TAKE_PROFIT else -side.sign
        base = trigger_price(listing, leg.by) if entry is None else entry
        price = listing.instrument.price(leg.ticks)
        if leg.ticks and base and (price - base) * sign <= 0:
            where = "higher" if sign > 0 else "lower"
            raise bad(
                f"{leg.kind}:{price} set for {side.value} position should be {where} than base_price:{base}??{leg.by}"
            )
