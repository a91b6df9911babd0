"""Clusters: several walls close together, which hold or break as one."""

from collections.abc import Iterable

from msgspec import Struct

from breakwall.market.walls import Wall


class Cluster(Struct, frozen=True):
    """Walls of one side within a range; edges in ticks (near the price, away from it), size in lots."""

    bid: bool
    near_ticks: int
    far_ticks: int
    lots: int
    wall_ids: tuple[int, ...]


def clusters(walls: Iterable[Wall], range_ticks: int, least: int) -> list[Cluster]:
    """Groups of at least `least` walls of one side whose prices lie within `range_ticks`.

    Greedy from the price outwards, each wall in at most one cluster. `walls` may hold both sides.
    """
    found: list[Cluster] = []
    by_side = list(walls)
    for bid in (True, False):
        side = sorted(
            (wall for wall in by_side if wall.bid is bid),
            key=lambda wall: -wall.price_ticks if wall.bid else wall.price_ticks,
        )
        start = 0
        while start < len(side):
            end = start
            while end < len(side) and abs(side[end].price_ticks - side[start].price_ticks) <= range_ticks:
                end += 1
            if end - start >= least:
                found.append(_cluster(side[start:end]))
                start = end
            else:
                start += 1
    return found


def _cluster(walls: list[Wall]) -> Cluster:
    return Cluster(
        bid=walls[0].bid,
        near_ticks=walls[0].near_ticks,
        far_ticks=walls[-1].far_ticks,
        lots=sum(wall.lots for wall in walls),
        wall_ids=tuple(wall.wall_id for wall in walls),
    )
