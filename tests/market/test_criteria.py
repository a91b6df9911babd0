"""The three criteria, alone and together."""

from decimal import Decimal

import pytest

from breakwall.market.criteria import floor_lots, large, outstanding, weighty
from breakwall.model.units import Instrument


@pytest.mark.parametrize(("lots", "met"), [(49, False), (50, True), (51, True)])
def test_large_is_at_least_the_floor(lots, met):
    assert large(lots, 50) is met


@pytest.mark.parametrize(
    ("lots", "mean", "met"), [(39, 10.0, False), (40, 10.0, True), (1, 0.0, True), (1_000, None, False)]
)
def test_outstanding_is_k_times_the_neighbours(lots, mean, met):
    assert outstanding(lots, mean, 4.0) is met


@pytest.mark.parametrize(("lots", "met"), [(79, False), (80, True)])
def test_weighty_is_a_share_of_the_side(lots, met):
    assert weighty(lots, 1_000, 0.08) is met


def test_the_floor_in_lots_is_worth_at_least_the_floor():
    btc = Instrument("BTCUSDT", Decimal("0.10"), Decimal("0.001"), 1, 10**6, 10**6)
    mid_half_ticks = 2 * 651_142  # 65114.2
    lots = floor_lots(Decimal(1_000_000), btc, mid_half_ticks)
    assert btc.notional(651_142, lots) >= 1_000_000 > btc.notional(651_142, lots - 1)


@pytest.mark.parametrize(
    ("require", "lots", "is_wall"),
    [
        (3, 100, True),
        (3, 35, False),  # stands out and weighs, but is not worth the floor
        (2, 35, True),
        (1, 35, True),
    ],
)
def test_as_many_criteria_as_required(stage_with, require, lots, is_wall):
    stage = stage_with(require=require)
    stage.open(asks={10_051: lots})
    stage.wait(3_000)
    assert (10_050 in {wall.near_ticks for wall in stage.market.live_walls()}) is is_wall


def test_a_thick_side_has_no_wall_where_none_stands_out(stage):
    """Domain fact: naive size rules flag half of a real book. Everything is large here, nothing is a wall."""
    stage.open(asks=dict.fromkeys(range(10_001, 10_201), 60))
    stage.wait(3_000)
    assert stage.market.live_walls() == ()


def test_dust_around_one_order_is_not_what_it_is_compared_with_level_by_level(stage):
    """Sixty times its median level, yet nothing: buckets and the floor decide."""
    stage.open(asks={10_051: 35})
    stage.wait(3_000)
    assert stage.market.live_walls() == ()


def test_a_symbol_without_a_floor_takes_the_default(stage_with):
    stage = stage_with(floor_usdt={}, floor_usdt_default=2_000_000)
    stage.open(asks={10_051: 150})
    stage.wait(3_000)
    assert stage.market.live_walls() == ()
    stage.delta(asks=[(10_051, 250)])
    stage.wait(3_000)
    assert len(stage.market.live_walls()) == 1
