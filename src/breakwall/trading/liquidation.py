"""Where an isolated position would be liquidated, in ticks."""

from decimal import Decimal

from breakwall.model.margin import ONE, liquidation_price
from breakwall.model.units import Instrument


def liquidation_ticks(instrument: Instrument, sign: int, entry_ticks: int | Decimal, leverage: Decimal) -> Decimal:
    """The liquidation price nearest to the entry of the two published forms: the cautious one.

    Source: Bybit help centre, margin of UTA perpetuals, 2025-09 (maintenance margin on the mark value, and
    the older form on the entry value).
    """
    entry = instrument.tick * entry_ticks
    on_mark = liquidation_price(sign, entry, leverage, instrument.maintenance_rate)
    on_entry = entry * (ONE - sign / leverage + sign * instrument.maintenance_rate)
    nearest = max(on_mark, on_entry) if sign > 0 else min(on_mark, on_entry)
    return nearest / instrument.tick
