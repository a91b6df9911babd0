import pytest

from breakwall.market.density import A_SIDE, density_view


def test_the_largest_walls_of_each_side_come_with_distance_size_and_age(stage_with) -> None:
    stage = stage_with(relative_k=1.1)
    stage.open({9_951: 200, 9_901: 100, 9_861: 400, 9_831: 300}, {10_051: 200})
    stage.wait(2_500)
    seen = density_view(stage.market, stage.now)
    assert (seen.symbol, seen.status, seen.price) == ("TESTUSDT", "LIVE", 10_000)
    assert [wall.bid for wall in seen.walls] == [True] * A_SIDE + [False]
    assert [round(wall.notional_usdt, -5) for wall in seen.walls[:2]] == [4_000_000, 3_000_000]
    ask = seen.walls[-1]
    assert ask.away == pytest.approx(0.005, abs=0.0005)
    assert ask.away > 0 > seen.walls[0].away
    assert (ask.age_ms, ask.eroded) == (2_500, 0)


def test_what_was_eaten_is_gone_from_its_size(stage) -> None:
    stage.build(10_051, 100)
    whole = density_view(stage.market, stage.now).walls[0]
    stage.delta(asks=[(10_051, 41)])
    eaten = density_view(stage.market, stage.now).walls[0]
    assert eaten.notional_usdt < whole.notional_usdt
    assert eaten.eroded == pytest.approx(0.54, abs=0.01)
    assert eaten.wall_id == whole.wall_id


def test_a_book_that_is_not_trusted_shows_nothing(stage) -> None:
    stage.build()
    stage.delta(skip=1)
    seen = density_view(stage.market, stage.now)
    assert (seen.status, seen.price, seen.walls) == ("RESYNC", None, ())
