"""The exits, one by one."""

import pytest

from breakwall.settings import ExitSettings
from breakwall.trading.exits import Exits

T0 = 1_000_000


@pytest.fixture(scope="module")
def exits():
    return Exits(ExitSettings())


def walk(make, prices, lots=10, strategy="breakout"):
    """A position that saw these exit prices, one a second."""
    position = make.position(lots, strategy, stop_ticks=600_000 - lots * 120)
    for n, price in enumerate(prices):
        position.observe(price, T0 + n * 1000)
    return position, make.market(bid=prices[-1], ask=prices[-1])


@pytest.mark.parametrize(("lots", "target"), [(10, 612_000), (-10, 588_000)])
def test_the_target_is_taken(make, exits, lots, target):
    sign = 1 if lots > 0 else -1
    position, market = walk(make, [target - sign], lots)
    assert exits.reason(position, market, T0) == ""
    position, market = walk(make, [target], lots)
    assert exits.reason(position, market, T0) == "take-profit: target reached"


@pytest.mark.parametrize(
    ("prices", "slow"),
    [
        ([601_400, 600_800], False),  # never well ahead
        ([603_000, 601_951], False),  # gave back a little less than 35 %
        ([603_000, 601_950], True),
        ([603_000, 599_000], True),
    ],
)
def test_momentum_slowdown_needs_a_lead_and_a_giveback(make, exits, prices, slow):
    for sign in (1, -1):
        mirrored = [600_000 + sign * (price - 600_000) for price in prices]
        position, market = walk(make, mirrored, sign * 10)
        assert exits.reason(position, market, T0) == ("take-profit: momentum slowed down" if slow else "")


def test_a_local_extremum_is_taken_while_well_ahead(make, exits):
    up = [601_000 + 300 * n for n in range(6)]
    down = [602_490 - 10 * n for n in range(5)]
    position, market = walk(make, up + down)
    assert exits.reason(position, market, T0) == "take-profit: local extremum"
    position, market = walk(make, up + down[:4])
    assert exits.reason(position, market, T0) == ""
    position, market = walk(make, [603_500, *up, *down])
    assert exits.reason(position, market, T0) == ""


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"lots": 21}, ""),
        ({"lots": 20}, "wall eroded by 80%"),
        ({"lots": 20, "in_view": False}, ""),
        ({"end": "pulled"}, "wall pulled"),
        ({"end": "eaten"}, "wall eaten"),
        ({"end": "unknown"}, ""),
    ],
)
def test_a_bounce_leaves_when_its_wall_is_lost_and_stays_when_it_is_out_of_view(make, exits, changes, reason):
    position, _ = walk(make, [600_100], strategy="bounce")
    wall = make.wall(bid=True, near=position.plan.wall_near_ticks, **changes)
    assert exits.reason(position, make.market(walls=(wall,)), T0) == reason
    breakout, _ = walk(make, [600_100])
    assert exits.reason(breakout, make.market(walls=(wall,)), T0) == ""


def test_a_wall_of_another_run_with_the_same_id_is_not_ours(make, exits):
    position, _ = walk(make, [600_100], strategy="bounce")
    stranger = make.wall(bid=True, near=580_000, end="pulled")
    assert exits.reason(position, make.market(walls=(stranger,)), T0) == ""
    same_place = make.wall(bid=True, near=position.plan.wall_near_ticks - 20, lots=10, wall_id=99)
    assert exits.reason(position, make.market(walls=(stranger, same_place)), T0) == "wall eroded by 80%"


def test_time_is_up(make, exits):
    position, market = walk(make, [600_100])
    assert exits.reason(position, market, T0 + 899_999) == ""
    assert exits.reason(position, market, T0 + 900_000) == "time stop: 900 s"


def test_best_and_worst_are_kept(make):
    position, _ = walk(make, [600_500, 599_500, 600_100])
    assert (position.best_ticks, position.worst_ticks, len(position.samples)) == (600_500, 599_500, 3)


def test_a_position_without_a_plan_is_left_to_its_stop_and_its_owner(make, exits):
    position, market = walk(make, [603_000, 599_000])
    position.plan = None
    assert exits.reason(position, market, T0 + 10_000_000) == ""
