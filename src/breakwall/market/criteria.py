"""The three criteria of a wall, each a small function over lots. A bucket must meet `require` of them."""

from decimal import ROUND_CEILING, Decimal

from msgspec import Struct

from breakwall.model.units import Instrument
from breakwall.settings import WallSettings


def large(lots: int, floor_lots: int) -> bool:
    """Absolute: worth at least the symbol's floor."""
    return lots >= floor_lots


def outstanding(lots: int, mean_around: float | None, k: float) -> bool:
    """Relative: at least `k` times the mean of the neighbouring buckets; without neighbours nothing stands out."""
    return mean_around is not None and lots >= k * mean_around


def weighty(lots: int, side_lots: int, share: float) -> bool:
    """Percent: at least this share of the side's lots within the counted reach."""
    return lots >= share * side_lots


def floor_lots(floor_usdt: Decimal, instrument: Instrument, mid_half_ticks: int) -> int:
    """The fewest lots worth the floor at the mid."""
    usdt_per_lot = instrument.usdt_per_tick_lot * mid_half_ticks / 2
    return max(1, int((floor_usdt / usdt_per_lot).to_integral_value(ROUND_CEILING)))


class Criteria(Struct, frozen=True):
    """The figures the criteria are held against, for one symbol."""

    floor_usdt: Decimal
    relative_k: float
    neighbours: int
    share: float
    share_reach: float
    require: int
    min_age_ms: int
    catch_up_ms: int


def criteria_of(settings: WallSettings, symbol: str) -> Criteria:
    """The settings as one symbol's figures; percentages become fractions, seconds milliseconds."""
    return Criteria(
        floor_usdt=settings.floor_usdt.get(symbol, settings.floor_usdt_default),
        relative_k=settings.relative_k,
        neighbours=settings.neighbours,
        share=float(settings.side_percent / 100),
        share_reach=float(settings.side_reach_percent / 100),
        require=settings.require,
        min_age_ms=round(settings.min_age_s * 1000),
        catch_up_ms=round(settings.catch_up_s * 1000),
    )
