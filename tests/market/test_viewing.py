"""What a screen gets of one market: cheap as a row, whole when it is selected."""

from decimal import Decimal

import pytest

from breakwall.market.chronicle import Chronicle
from breakwall.market.tape import SHOWN
from breakwall.market.viewing import symbol_view
from breakwall.market.walls import Wall
from breakwall.model.events import Ticker

SYMBOL = "TESTUSDT"


def test_a_row_has_figures_and_neither_walls_nor_depth(stage):
    stage.build()
    ticker = Ticker(
        SYMBOL,
        1,
        mark=Decimal(10_000),
        funding_rate=Decimal("0.0001"),
        next_funding_ms=5_000,
        change_24h=Decimal("-0.02"),
    )
    stage.market.on_ticker(ticker, stage.now)
    view = symbol_view(stage.market, stage.now + 50, venue_offset_ms=200, paused=True)
    assert (view.symbol, view.status, view.bid, view.ask, view.trend) == (SYMBOL, "LIVE", 9_999, 10_001, "flat")
    assert (view.mark, view.funding_rate, view.change_24h) == (10_000, Decimal("0.0001"), Decimal("-0.02"))
    assert (view.age_ms, view.next_funding_ms, view.paused) == (50, 4_800, True)
    assert (view.bids, view.walls, view.ended, view.trades) == ((), (), (), ())
    assert [wall.bid for wall in symbol_view(stage.market, stage.now, walls=True).walls] == [False]


def test_the_selected_market_has_its_depth_walls_and_trades(stage):
    wall = stage.build()
    stage.trade(10_051, 40, buy=True)
    stage.delta(asks=[(10_051, 60)])
    view = symbol_view(stage.market, stage.now + 50, levels=2)
    assert (view.bids, view.asks) == (((9_999, 1), (9_998, 1)), ((10_001, 1), (10_002, 1)))
    (seen,) = view.walls
    assert (seen.wall_id, seen.bid, seen.near_ticks, seen.far_ticks) == (wall.wall_id, False, 10_050, 10_059)
    assert (seen.lots, seen.peak_lots, seen.in_view, seen.touches, seen.end) == (69, 109, True, 0, "")
    assert seen.eaten == pytest.approx(40 / 109) == seen.eroded
    assert seen.notional_usdt == Decimal(10_051 * 69)
    assert [(trade.ticks, trade.lots, trade.buy) for trade in view.trades] == [(10_051, 40, True)]


def test_a_wall_that_ended_is_shown_for_two_minutes_with_how_and_how_old(stage):
    wall = stage.build()
    stage.trade(10_051, 100, buy=True)
    stage.delta(asks=[(10_051, 0)])
    stage.wait(100)
    ended_ms = stage.now
    stage.wait(119_000)
    view = symbol_view(stage.market, stage.now, levels=1)
    (ended,) = view.ended
    assert (ended.wall_id, ended.end, ended.ended_ms) == (wall.wall_id, "eaten", ended_ms)
    assert ended.age_ms == ended_ms - wall.seen_ms
    assert view.walls == ()
    assert symbol_view(stage.market, ended_ms + 120_001, levels=1).ended == ()


def test_of_many_ended_walls_the_newest_come_first():
    chronicle = Chronicle()
    for ended_ms in range(1_000, 1_010):
        chronicle.close(Wall(ended_ms, True, 1, 10, 5, 0), "faded", ended_ms)
    assert [wall.ended_ms for wall in chronicle.lately(1_003, 3)] == [1_009, 1_008, 1_007]
    assert [wall.ended_ms for wall in chronicle.lately(1_008, 3)] == [1_009, 1_008]


def test_trades_are_counted_so_that_a_reader_knows_which_are_new(stage):
    stage.open()
    for number in range(SHOWN + 5):
        stage.trade(10_001, number + 1, buy=True)
    view = symbol_view(stage.market, stage.now, levels=1)
    assert (len(view.trades), view.trades_seen) == (SHOWN, SHOWN + 5)
    assert view.trades[-1].lots == SHOWN + 5
    stage.wait(300_000)
    assert len(symbol_view(stage.market, stage.now, levels=1).trades) == SHOWN
