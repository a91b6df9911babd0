"""Clusters of walls."""

from breakwall.market.clusters import clusters
from breakwall.market.walls import Wall


def wall(wall_id: int, ticks: int, bid: bool) -> Wall:
    return Wall(wall_id, bid, ticks // 10, 10, 100, 0)


def test_three_walls_within_the_range_are_a_cluster():
    walls = [wall(1, 100, True), wall(2, 80, True), wall(3, 60, True), wall(4, 0, True), wall(5, 200, False)]
    (cluster,) = clusters(walls, 45, 3)
    assert (cluster.bid, cluster.wall_ids, cluster.lots) == (True, (1, 2, 3), 300)
    assert (cluster.near_ticks, cluster.far_ticks) == (109, 60)


def test_walls_of_two_sides_are_no_cluster():
    assert clusters([wall(1, 100, True), wall(2, 110, False), wall(3, 120, False)], 100, 3) == []


def test_each_wall_is_in_one_cluster_at_most():
    walls = [wall(n, 200 + 10 * n, False) for n in range(6)]
    assert [cluster.wall_ids for cluster in clusters(walls, 20, 3)] == [(0, 1, 2), (3, 4, 5)]


def test_a_market_tells_its_clusters(stage_with):
    stage = stage_with(cluster_range_bp=120)
    stage.open(asks={10_031: 100, 10_091: 100, 10_151: 100})
    stage.wait(2_000)
    (cluster,) = stage.market.clusters()
    assert (cluster.near_ticks, cluster.far_ticks, len(cluster.wall_ids)) == (10_030, 10_159, 3)
