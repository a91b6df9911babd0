"""The life of a wall: built, eaten, pulled, out of view, faded, lost and found again."""

import random

import pytest


def test_a_wall_is_built_only_after_its_minimum_age(stage):
    stage.open(asks={10_051: 100})
    stage.wait(900)
    assert stage.market.live_walls() == ()
    stage.wait(100)
    (wall,) = stage.market.live_walls()
    assert (wall.bid, wall.near_ticks, wall.far_ticks) == (False, 10_050, 10_059)
    assert (wall.lots, wall.first_lots, wall.peak_lots) == (109, 109, 109)
    assert stage.kinds() == ["built"]
    assert stage.market.walls_seen == 1


def test_a_wall_is_found_in_the_message_that_makes_it(stage):
    stage.open()
    stage.wait(1_000)
    stage.delta(asks=[(10_051, 100)])
    first_sight = stage.now
    (candidate,) = stage.market.all_walls()
    assert (candidate.built, candidate.seen_ms, candidate.alive) == (False, first_sight, True)
    stage.wait(1_000)
    assert stage.market.live_walls() == (candidate,)


def test_a_flickering_order_never_becomes_a_wall(stage):
    stage.open()
    for _ in range(20):
        stage.delta(asks=[(10_051, 100)])
        stage.wait(500)
        stage.delta(asks=[(10_051, 1)])
        stage.wait(100)
    assert stage.market.walls_seen == 0


def test_the_edges_of_a_bid_wall_face_the_price(stage):
    wall = stage.build(ticks=9_955)
    assert wall.bid
    assert (wall.near_ticks, wall.far_ticks) == (9_959, 9_950)
    assert wall.price_ticks == 9_955  # 100 lots at 9955 outweigh nine single ones around it


def test_trade_before_book_is_eaten(stage):
    wall = stage.build()
    stage.trade(10_051, 40, buy=True)
    assert (wall.lots, wall.eaten_lots) == (109, 0)  # the book does not show it yet
    stage.delta(asks=[(10_051, 60)])
    assert (wall.lots, wall.eaten_lots, wall.pulled_lots, wall.undecided_lots) == (69, 40, 0, 0)
    assert wall.eaten_share == 1.0


def test_shrinkage_without_a_trade_waits_and_is_then_pulled(stage):
    wall = stage.build()
    stage.delta(asks=[(10_051, 60)])
    assert (wall.eaten_lots, wall.pulled_lots, wall.undecided_lots) == (0, 0, 40)
    stage.wait(900)
    assert wall.undecided_lots == 40
    stage.wait(100)
    assert (wall.eaten_lots, wall.pulled_lots, wall.undecided_lots) == (0, 40, 0)


def test_a_later_trade_proves_shrinkage_pulled_before_the_deadline(stage):
    wall = stage.build()
    stage.delta(asks=[(10_051, 60)])
    stage.trade(9_990, 1, buy=False, ahead=1)
    stage.wait(100)
    assert (wall.pulled_lots, wall.undecided_lots) == (40, 0)


def test_book_before_trade_is_eaten_too(stage):
    wall = stage.build()
    stage.delta(asks=[(10_051, 60)])
    stage.trade(10_051, 30, buy=True, ahead=-2)
    assert (wall.eaten_lots, wall.undecided_lots) == (30, 10)
    stage.wait(1_000)
    assert (wall.eaten_lots, wall.pulled_lots) == (30, 10)


def test_a_trade_the_book_has_shown_refilled_explains_no_later_pull(stage):
    wall = stage.build()
    stage.trade(10_051, 40, buy=True)
    stage.delta(bids=[(9_990, 2)])  # the book passed the trade and the wall held its size: refilled
    stage.delta(asks=[(10_051, 60)])
    stage.wait(1_000)
    assert (wall.eaten_lots, wall.pulled_lots) == (0, 40)


def test_a_trade_beyond_the_message_waits_for_the_next(stage):
    wall = stage.build()
    stage.trade(10_051, 40, buy=True, ahead=15)  # in the book after next
    stage.delta(asks=[(10_051, 95)])
    assert (wall.eaten_lots, wall.undecided_lots) == (0, 5)
    stage.delta(asks=[(10_051, 55)])
    assert (wall.eaten_lots, wall.undecided_lots) == (40, 5)


def test_block_and_rpi_trades_never_eat(stage):
    wall = stage.build()
    stage.trade(10_051, 40, buy=True, off_book=True)
    stage.delta(asks=[(10_051, 60)])
    stage.wait(1_000)
    assert (wall.eaten_lots, wall.pulled_lots) == (0, 40)


def test_a_sell_does_not_eat_asks(stage):
    wall = stage.build()
    stage.trade(10_051, 40, buy=False)
    stage.delta(asks=[(10_051, 60)])
    stage.wait(1_000)
    assert (wall.eaten_lots, wall.pulled_lots) == (0, 40)


def test_what_comes_back_makes_up_for_what_went(stage):
    wall = stage.build()
    stage.trade(10_051, 40, buy=True)
    stage.delta(asks=[(10_051, 60)])
    stage.delta(asks=[(10_051, 110)])
    assert (wall.lots, wall.peak_lots, wall.eaten_lots, wall.eroded) == (119, 119, 0, 0.0)


@pytest.mark.parametrize(("traded", "kind"), [(100, "eaten"), (60, "eaten"), (40, "pulled"), (0, "pulled")])
def test_a_wall_ends_by_what_took_most_of_it(stage, traded, kind):
    wall = stage.build()
    if traded:
        stage.trade(10_051, traded, buy=True)
    stage.delta(asks=[(10_051, 0)])
    assert wall.alive  # not before it is decided
    stage.wait(1_100)
    assert wall.end == kind
    assert stage.kinds() == [kind]
    assert stage.market.live_walls() == ()
    assert stage.market.wall(wall.wall_id) is wall  # how it ended can still be asked
    assert (stage.market.walls_eaten, stage.market.walls_pulled) == ((1, 0) if kind == "eaten" else (0, 1))


def test_a_side_swept_empty_ends_its_walls(stage):
    wall = stage.build()
    stage.trade(10_051, 100, buy=True)
    stage.delta(asks=[(ticks, 0) for ticks in range(10_001, 10_201)])
    assert stage.market.best_ask is None
    assert (wall.lots, wall.eaten_lots) == (0, 100)
    stage.wait(1_100)
    assert wall.end == "eaten"


def test_an_eroding_wall_stays_a_wall_below_the_criteria(stage):
    wall = stage.build()
    stage.trade(10_051, 80, buy=True)
    stage.delta(asks=[(10_051, 20)])
    stage.wait(5_000)
    assert stage.market.live_walls() == (wall,)
    assert wall.eroded == pytest.approx(80 / 109)
    assert wall.eaten == pytest.approx(80 / 109)


def test_a_wall_that_is_none_any_more_fades(stage):
    wall = stage.build()
    stage.delta(asks=[(10_051, 20)])
    stage.wait(33_000)
    assert wall.end == "faded"
    assert stage.kinds() == ["faded"]


def slide_out(stage) -> None:
    """Fill in front of the asks until the wall's bucket, 10180 to 10189, is at the window's edge."""
    stage.delta(asks=[(ticks, 0) for ticks in range(10_184, 10_201)])


def test_leaving_the_window_is_neither_eaten_nor_pulled(stage):
    wall = stage.build(ticks=10_181)
    slide_out(stage)
    assert not wall.in_view
    assert stage.market.live_walls() == ()
    assert stage.kinds() == ["left"]
    stage.delta(asks=[(10_181, 0), (10_182, 0), (10_183, 0)])
    stage.wait(3_000)
    assert wall.alive
    assert (wall.lots, wall.eaten_lots, wall.pulled_lots, wall.undecided_lots) == (109, 0, 0, 0)


def test_a_wall_back_in_view_keeps_its_id_and_what_happened_unseen_is_unknown(stage):
    wall = stage.build(ticks=10_181)
    stage.trade(10_181, 20, buy=True)
    stage.delta(asks=[(10_181, 80)])
    slide_out(stage)
    stage.delta(asks=[(10_181, 60)] + [(ticks, 1) for ticks in range(10_184, 10_201)])
    assert wall.in_view
    assert stage.market.live_walls() == (wall,)
    assert (wall.lots, wall.eaten_lots, wall.pulled_lots, wall.peak_lots) == (69, 20, 0, 89)


def test_a_wall_back_in_view_at_less_than_half_is_another(stage):
    wall = stage.build(ticks=10_181)
    slide_out(stage)
    stage.delta(asks=[(10_181, 30)] + [(ticks, 1) for ticks in range(10_184, 10_201)])
    assert wall.end == "unknown"
    assert (wall.eaten_lots, wall.pulled_lots) == (0, 0)


def test_a_wall_long_out_of_view_is_forgotten(stage):
    wall = stage.build(ticks=10_181)
    slide_out(stage)
    stage.wait(62_000)
    assert wall.end == "left"
    assert stage.kinds() == ["left"]  # told once
    assert (stage.market.walls_eaten, stage.market.walls_pulled) == (0, 0)


def test_the_outermost_bucket_is_never_a_wall(stage):
    stage.open(asks={10_200: 500})
    stage.wait(3_000)
    assert stage.market.all_walls() == []


@pytest.mark.parametrize("how", ["gap", "lost", "snapshot"])
@pytest.mark.parametrize(("after", "end"), [(100, ""), (60, ""), (0, "unknown")])
def test_a_gap_neither_eats_nor_pulls(stage, how, after, end):
    wall = stage.build()
    stage.delta(asks=[(10_051, 90)])  # undecided when the book is lost
    if how == "gap":
        assert stage.delta(asks=[(10_051, 60)], skip=1)
    elif how == "lost":
        stage.market.lose("link down", stage.now)
    if how != "snapshot":
        assert stage.market.live_walls() == ()
        stage.trade(10_051, 40, buy=True)
    stage.open(asks={10_051: after} if after else {})
    stage.wait(1_500)
    assert wall.end == end
    assert (wall.eaten_lots, wall.pulled_lots) == (0, 0)
    assert (stage.market.walls_eaten, stage.market.walls_pulled) == (0, 0)
    if not end:
        assert stage.market.live_walls() == (wall,)
        assert wall.peak_lots == wall.lots == after + 9


def test_a_stale_time_neither_eats_nor_pulls(stage):
    wall = stage.build()
    stage.wait(6_000, alive=False)
    assert stage.market.live_walls() == ()
    stage.delta(asks=[(10_051, 60)])
    stage.wait(1_500)
    assert stage.market.live_walls() == (wall,)
    assert (wall.lots, wall.eaten_lots, wall.pulled_lots, wall.peak_lots) == (69, 0, 0, 69)


def test_touches_count_how_often_the_price_came(stage):
    wall = stage.build(ticks=10_021)
    assert wall.touches == 0
    for _ in range(3):
        stage.delta(asks=[(ticks, 0) for ticks in range(10_001, 10_021)])
        stage.delta(asks=[(ticks, 0) for ticks in range(10_001, 10_021)])
        stage.delta(asks=[(ticks, 1) for ticks in range(10_001, 10_021)])
    assert wall.touches == 3


def test_wall_ids_follow_the_clock_and_never_repeat(stage):
    stage.open(bids={9_955: 100}, asks={10_051: 100})
    stage.wait(2_500)
    ids = sorted(wall.wall_id for wall in stage.market.live_walls())
    assert len(set(ids)) == 2
    assert ids[0] >= 1_000_000  # the millisecond of the first sight: unlike any of an earlier run
    assert all(stage.market.wall(wall_id).wall_id == wall_id for wall_id in ids)
    assert stage.market.wall(1) is None


def test_regrid_maps_wall_ids(stage):
    wall = stage.build()
    stage.market.regrid(5, stage.now)
    assert stage.market.live_walls() == (wall,)
    assert (wall.near_ticks, wall.far_ticks, wall.lots) == (10_050, 10_054, 104)
    stage.market.regrid(40, stage.now)
    assert (wall.near_ticks, wall.far_ticks) == (10_040, 10_079)


def test_of_two_walls_in_one_new_bucket_the_elder_keeps_its_id(stage):
    elder = stage.build(ticks=10_051)
    stage.delta(asks=[(10_065, 200)])
    stage.wait(2_000)
    younger = next(wall for wall in stage.market.live_walls() if wall is not elder)
    stage.market.regrid(40, stage.now)
    assert stage.market.live_walls() == (elder,)
    assert younger.end == "unknown"
    assert elder.lots == 338


@pytest.mark.parametrize("seed", range(8))
def test_walls_that_no_trade_can_decide_need_not_be_asked(stage_with, seed):
    """Beside a market whose walls are settled after every trade, through trades, cancels, refills and losses."""
    lazy, eager = stage_with(min_age_s=0.5, catch_up_s=0.5), stage_with(min_age_s=0.5, catch_up_s=0.5)
    rng = random.Random(seed)
    for stage in (lazy, eager):
        stage.open(asks={10_051: 100, 10_081: 90}, bids={9_951: 120})
    for _ in range(400):
        price, lots = rng.choice((10_051, 10_081, 9_951, 9_921)), rng.choice((0, 1, 20, 60, 100))
        ahead, what = rng.choice((-5, 5, 15)), rng.random()
        for stage in (lazy, eager):
            if what < 0.4:
                stage.delta(**{"asks" if price > 10_000 else "bids": [(price, lots)]})
            elif what < 0.75:
                stage.trade(price, 5 + lots // 2, buy=price > 10_000, ahead=ahead)
            elif what > 0.99:
                stage.open(asks={10_051: lots})
            for lookout in (eager.market.bid_walls, eager.market.ask_walls):
                lookout.in_question = True
            stage.wait(100, alive=price % 3 > 0)
    assert lazy.events() == eager.events()
    assert lazy.market.walls_seen > 3
    assert lazy.market.walls_eaten + lazy.market.walls_pulled > 0
