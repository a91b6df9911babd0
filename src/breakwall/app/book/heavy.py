"""Where a wall stands. Its bucket is many levels wide, and most of them are ordinary."""

from bisect import bisect_left, bisect_right

from breakwall.model.view import SymbolView, WallView

_HEAVY = 0.2
"""A level with this share of a wall is part of what makes it one."""


def heavy_levels(wall: WallView, market: SymbolView) -> list[int]:
    """Ticks of the levels that make a wall of this market one, best first; its own price where no level is heavy."""
    sign, levels = (-1, market.bids) if wall.bid else (1, market.asks)
    low, high = sorted((sign * wall.near_ticks, sign * wall.far_ticks))
    first = bisect_left(levels, low, key=lambda level: sign * level[0])
    last = bisect_right(levels, high, key=lambda level: sign * level[0])
    heavy = [ticks for ticks, lots in levels[first:last] if lots >= _HEAVY * wall.lots]
    return heavy or [price_ticks(wall, market)]


def price_ticks(wall: WallView, market: SymbolView) -> int:
    """A wall's price, which is weighed by size, in ticks."""
    return round(wall.price / market.tick)
