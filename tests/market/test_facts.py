"""What the ledger is told of a market."""

from decimal import Decimal

from breakwall.market.facts import SHOT_LEVELS, book_shot, market_stats, wall_life
from breakwall.model.events import Ticker


def test_a_wall_that_was_eaten_leaves_its_life(stage):
    wall = stage.build()
    stage.trade(10_051, 100, buy=True)
    stage.delta(asks=[(10_051, 0)])
    stage.wait(1_500)
    (ended,) = stage.market.take_ended_walls()
    life = wall_life(ended, stage.market.instrument)
    assert ended is wall
    assert (life.side, life.end, life.born_ms, life.ended_ms) == ("ask", "eaten", wall.seen_ms, wall.ended_ms)
    assert (life.price, life.peak_usdt, life.last_usdt) == (10_051, 10_051 * 109, 10_051 * 9)
    assert (round(life.eaten, 4), life.pulled) == (round(100 / 109, 4), 0.0)
    assert stage.market.take_ended_walls() == ()


def test_a_wall_out_of_view_for_good_leaves_its_life_although_that_was_told_before(stage):
    stage.build(ticks=10_181)
    stage.delta(asks=[(ticks, 0) for ticks in range(10_184, 10_201)])
    stage.wait(62_000)
    assert [wall.end for wall in stage.market.take_ended_walls()] == ["left"]


def test_a_picture_of_the_book_has_fifty_levels_a_side_best_first(stage):
    stage.open()
    shot = book_shot(stage.market, stage.now)
    assert (len(shot.bids), len(shot.asks)) == (SHOT_LEVELS, SHOT_LEVELS)
    assert (shot.bids[0], shot.bids[1], shot.asks[0]) == ((9_999, 1), (9_998, 1), (10_001, 1))
    assert all(isinstance(price, Decimal) and isinstance(qty, Decimal) for price, qty in shot.bids + shot.asks)


def test_the_figures_of_a_minute_name_no_price_of_a_book_that_is_not_trusted(stage):
    stage.build()
    stage.market.on_ticker(Ticker("TESTUSDT", stage.now, mark=Decimal("10000.5"), funding_rate=Decimal("0.0001")), 1)
    stats = market_stats(stage.market, stage.now)
    assert (stats.bid, stats.ask, stats.mark, stats.walls, stats.trend) == (
        9_999,
        10_001,
        Decimal("10000.5"),
        1,
        "flat",
    )
    assert (stats.funding_rate, stats.open_interest) == (Decimal("0.0001"), None)
    stage.market.lose("gap", stage.now)
    blind = market_stats(stage.market, stage.now)
    assert (blind.bid, blind.ask, blind.mark, blind.walls) == (None, None, Decimal("10000.5"), 0)
