"""Self-match prevention: what an incoming order does to the account's own orders on its way.

The incoming order's `smpType` decides. Source: Bybit v5 smp page.
"""

from collections.abc import Iterable

from breakwall.venues.exchange.listing import Listing
from breakwall.venues.exchange.order import Order

SMP_TYPES = frozenset({"None", "CancelMaker", "CancelTaker", "CancelBoth"})


def own_makers(order: Order, listing: Listing, own: Iterable[Order]) -> list[Order]:
    """Our resting orders that this one would reach, nearest first."""
    sign = order.side.sign
    opposite = sorted(
        (
            other
            for other in own
            if other.resting is not None
            and other.side is not order.side
            and (order.limit_ticks - other.limit_ticks) * sign >= 0
        ),
        key=lambda other: other.limit_ticks * sign,
    )
    wanted = order.remaining
    return [
        other for other in opposite if listing.book.available(order.side, other.limit_ticks - sign, wanted) < wanted
    ]


def short_of(order: Order, makers: list[Order]) -> int:
    """The limit at which a taker that is to be cancelled stops: one tick before our nearest order."""
    return makers[0].limit_ticks - order.side.sign


def cancelled_makers(order: Order, makers: list[Order]) -> list[Order]:
    """The makers that have to go."""
    return {"CancelMaker": makers, "CancelBoth": makers[:1]}.get(order.smp, [])
