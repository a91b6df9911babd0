"""The wall a plan leans on, found again in the market."""

from decimal import Decimal

from breakwall.market.state import Market
from breakwall.market.walls import Wall
from breakwall.model.actions import Plan


def eroded_at_least(wall: Wall, share: Decimal) -> bool:
    """Whether at least this share of the wall's peak is gone."""
    return wall.peak_lots - wall.lots >= share * wall.peak_lots


def short_id(wall_id: int) -> int:
    """The end of a wall's id: enough for a sentence (ids are unique over runs and therefore long)."""
    return wall_id % 100_000


def leaning_wall(market: Market, plan: Plan) -> Wall | None:
    """The plan's wall by id, or, after a restart or a regrid, the living wall at its place; None: not known.

    An id alone proves nothing: another run may have given it to another wall.
    """
    wall = market.wall(plan.wall_id)
    if wall is not None and _same_place(wall, plan):
        return wall
    return next((other for other in market.live_walls() if _same_place(other, plan)), None)


def _same_place(wall: Wall, plan: Plan) -> bool:
    if wall.side is not plan.wall_side:
        return False
    low, high = sorted((plan.wall_near_ticks, plan.wall_far_ticks))
    return min(wall.near_ticks, wall.far_ticks) <= high and max(wall.near_ticks, wall.far_ticks) >= low
