"""How margin grows with size: the risk tiers of a contract.

Source: Bybit v5 risk-limit page and its help centre: a tier's deduction keeps the maintenance margin continuous.
The first tier is the contract's own; the wider ones are ours, in the usual proportions.
"""

from decimal import Decimal
from functools import cache

from msgspec import Struct

from breakwall.model.units import Instrument

FIRST_LIMIT_USDT = Decimal(2_000_000)
_STEPS = ((1, 1), (5, 2), (25, 4), (50, 10))  # limit and maintenance rate as multiples of the first tier's
_ZERO = Decimal(0)


class Tier(Struct, frozen=True):
    """Up to `limit_usdt` of position value; rates are fractions, `deduction_usdt` is off the maintenance margin."""

    tier_id: int
    limit_usdt: Decimal
    maintenance: Decimal
    max_leverage: Decimal
    deduction_usdt: Decimal


@cache
def tiers_of(instrument: Instrument) -> tuple[Tier, ...]:
    """The tiers of a contract, smallest first."""
    tiers: list[Tier] = []
    limit, rate, deduction = _ZERO, instrument.maintenance_rate, _ZERO
    for number, (size, steps) in enumerate(_STEPS, 1):
        before = rate
        rate = instrument.maintenance_rate * steps
        deduction += limit * (rate - before)
        limit = FIRST_LIMIT_USDT * size
        leverage = max(Decimal(1), instrument.max_leverage / steps).quantize(Decimal("0.01"))
        tiers.append(Tier(number, limit, rate, leverage, deduction))
    return tuple(tiers)


def tier_of(instrument: Instrument, value_usdt: Decimal) -> Tier:
    """The tier of a position of this value; the last one beyond all limits."""
    tiers = tiers_of(instrument)
    return next((tier for tier in tiers if value_usdt <= tier.limit_usdt), tiers[-1])


def largest_usdt(instrument: Instrument, leverage: Decimal) -> Decimal:
    """The position value this leverage may have; 0 where no tier allows it."""
    return max((tier.limit_usdt for tier in tiers_of(instrument) if leverage <= tier.max_leverage), default=_ZERO)
