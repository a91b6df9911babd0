"""Breakout and bounce exactly as the design says, on markets that stand still."""

from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakwall.market.state import Market, Status
from breakwall.market.walls import Wall
from breakwall.model.units import Instrument, Side
from breakwall.settings import Settings
from breakwall.strategies.base import Strategy
from breakwall.strategies.density import FRESH_MS, Density
from breakwall.trading.cost import Costs

BTC = Instrument(
    symbol="BTCUSDT", tick=Decimal("0.1"), lot=Decimal("0.001"), min_lots=1, max_lots=10_000, max_market_lots=10_000
)
T0 = 1_000_000


def wall(wall_id, near, bid, lots=100, eaten=0, pulled=0, **changes):
    """A wall of 100 lots at its peak."""
    found = Wall(wall_id, bid, 0, 100, 100, 0)
    found.near_ticks, found.far_ticks = near, near + (-99 if bid else 99)
    found.lots, found.eaten_lots, found.pulled_lots, found.built_ms = lots, eaten, pulled, 1
    for name, value in changes.items():
        setattr(found, name, value)
    return found


def market(*walls, trend=1, mid=600_000, **changes):
    """What `Density` reads of a market, and nothing else."""
    known = {w.wall_id: w for w in walls}
    fields = {
        "instrument": BTC,
        "status": Status.LIVE,
        "best_bid": mid,
        "best_ask": mid + 1,
        "trend_now": trend,
        "atr_ticks": None,
        "trend": SimpleNamespace(slope=1.5 * trend, error=0.2, imbalance=0.4 * trend),
        "live_walls": lambda: tuple(w for w in walls if w.alive and w.in_view),
        "wall": known.get,
    }
    return SimpleNamespace(**{**fields, **changes})


def density(**sections):
    chosen = Settings.model_validate(sections)
    return Density(chosen, Costs.of(chosen.entry, Decimal("0.00055")))


EATEN = {"lots": 60, "eaten": 30, "pulled": 10}


def test_it_is_a_strategy_for_the_real_market():
    strategy: Strategy = density()
    assert strategy.look(Market(BTC, Settings(), 200), T0, "1-1") is None


def test_a_wall_eaten_in_the_trends_way_is_broken_through():
    signal = density().look(market(wall(7, 600_100, bid=False, price_ticks=600_100, **EATEN)), T0, "1-9")
    assert (signal.strategy, signal.side, signal.entry_ticks, signal.wall_side) == (
        "breakout", Side.BUY, 600_001, Side.SELL,
    )  # fmt: skip
    assert signal.stop_ticks == 599_200  # 15 bp behind the near edge, rounded towards the entry
    assert signal.target_ticks == 612_001  # 2 %, rounded inwards
    assert (signal.at_ms, signal.trace, signal.key) == (T0, "1-9", ("BTCUSDT", "breakout", 7))
    seen = {"slope": 1.5, "slope_error": 0.2, "eroded": 0.4, "eaten_share": 0.75, "wall_age_s": 1000, "touches": 0}
    assert signal.imbalance == 0.4
    assert signal.indicators == pytest.approx({**seen, "wall_usdt": 60 * 600_100 * 0.0001})
    assert signal.reasons[0] == "wall 7 of asks eroded 40%, 75% of that eaten"


def test_down_is_the_mirror_of_up():
    signal = density().look(market(wall(7, 599_900, bid=True, **EATEN), trend=-1), T0, "1-9")
    assert (signal.side, signal.entry_ticks, signal.stop_ticks, signal.target_ticks) == (
        Side.SELL, 600_000, 600_799, 588_000,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "trend", "signals"),
    [
        (EATEN, 1, True),
        ({"lots": 70, "eaten": 18, "pulled": 12}, 1, True),  # exactly 30 % gone, exactly 60 % of it eaten
        ({"lots": 71, "eaten": 29}, 1, False),
        ({"lots": 60, "eaten": 23, "pulled": 17}, 1, False),
        ({"lots": 60, "eaten": 20}, 1, False),  # the undecided is not eaten
        (EATEN, 0, False),
        (EATEN, -1, False),
        ({**EATEN, "in_view": False}, 1, False),
    ],
)
def test_a_breakout_needs_erosion_by_trades_and_the_trend(changes, trend, signals):
    found = density().look(market(wall(7, 600_100, bid=False, **changes), trend=trend), T0, "1-1")
    assert (found is not None) is signals


@pytest.mark.parametrize(
    ("changes", "near", "atr", "signals"),
    [
        ({}, 599_200, None, True),
        ({"lots": 91, "eaten": 9}, 599_200, None, True),
        ({"lots": 90, "eaten": 10}, 599_200, None, False),
        ({}, 599_101, None, True),  # 0.15 % of the entry is 900 ticks
        ({}, 599_100, None, False),
        ({}, 598_000, 6_700.0, True),  # 0.3 ATR is 2,010 ticks
        ({}, 598_000, 6_600.0, False),
        ({"in_view": False}, 599_200, None, False),
    ],
)
def test_a_bounce_needs_an_intact_wall_behind_and_near(changes, near, atr, signals):
    found = density().look(market(wall(7, near, bid=True, **changes), atr_ticks=atr), T0, "1-1")
    assert (found is not None) is signals
    if found:
        far = near - 99
        assert (found.strategy, found.side, found.wall_side) == ("bounce", Side.BUY, Side.BUY)
        assert far * 999 // 1000 <= found.stop_ticks <= far * 999 // 1000 + 1


def test_the_target_is_just_before_the_next_wall_where_that_pays():
    broken = wall(7, 600_100, bid=False, **EATEN)
    in_the_way, too_near, too_far = (
        wall(n, near, bid=False) for n, near in ((8, 605_000), (9, 602_000), (10, 615_000))
    )

    def look(*others):
        return density().look(market(broken, *others), T0, "1-1")

    assert look(in_the_way).target_ticks == 604_999
    assert look(in_the_way).reasons[-1] == "target before the next wall"
    assert look(too_near, in_the_way).target_ticks == 612_001
    assert look(too_far).target_ticks == 612_001


def test_a_wall_signals_once_per_kind_until_it_may_again():
    strategy, standing = density(), market(wall(7, 600_100, bid=False, **EATEN))
    signal = strategy.look(standing, T0, "1-1")
    assert strategy.look(standing, T0 + 60_000, "1-2") is None
    strategy.again(signal.key, T0 + 61_000)
    assert strategy.look(standing, T0 + 60_999, "1-3") is None
    assert strategy.look(standing, T0 + 61_000, "1-4").key == signal.key
    assert strategy.look(standing, T0 + 62_000, "1-5") is None


def test_a_wall_eaten_up_between_two_looks_is_a_breakout_while_fresh():
    strategy, gone = density(), wall(7, 600_100, bid=False)
    standing = market(gone)
    assert strategy.look(standing, T0, "1-1") is None
    gone.lots, gone.eaten_lots, gone.end, gone.ended_ms = 5, 95, "eaten", T0 + 100
    assert strategy.look(standing, T0 + 200, "1-2").strategy == "breakout"
    late = density()
    gone.end = ""
    late.look(standing, T0, "1-1")
    gone.end = "eaten"
    assert late.look(standing, T0 + 100 + FRESH_MS, "1-2") is None


@pytest.mark.parametrize("end", ["pulled", "unknown", "faded"])
def test_a_wall_that_ended_otherwise_is_no_breakout(end):
    strategy, gone = density(), wall(7, 600_100, bid=False)
    strategy.look(market(gone), T0, "1-1")
    gone.lots, gone.eaten_lots, gone.end, gone.ended_ms = 5, 95, end, T0 + 100
    assert strategy.look(market(gone), T0 + 200, "1-2") is None


@pytest.mark.parametrize(
    "changes", [{"status": Status.RESYNC}, {"status": Status.STALE}, {"best_bid": None}, {"best_ask": None}]
)
def test_a_market_that_cannot_be_trusted_has_no_signal(changes):
    assert density().look(market(wall(7, 600_100, bid=False, **EATEN), **changes), T0, "1-1") is None


def test_a_kind_that_is_switched_off_never_signals():
    walls = (wall(7, 600_100, bid=False, **EATEN), wall(8, 599_900, bid=True))
    assert density(breakout={"enabled": False}).look(market(*walls), T0, "1-1").strategy == "bounce"
    off = {"breakout": {"enabled": False}, "bounce": {"enabled": False}}
    assert density(**off).look(market(*walls), T0, "1-1") is None


@given(
    trend=st.sampled_from([-1, 0, 1]),
    walls=st.lists(
        st.tuples(st.booleans(), st.integers(-5_000, 5_000), st.integers(0, 100), st.integers(0, 100)), max_size=6
    ),
)
@settings(max_examples=100, deadline=None)
def test_every_signal_goes_with_the_trend_and_risks_less_than_it_hopes(trend, walls):
    built = [
        wall(n, 600_000 + (-abs(away) - 1 if bid else abs(away) + 1), bid, 100 - gone, gone * share // 100)
        for n, (bid, away, gone, share) in enumerate(walls)
    ]
    first = density().look(market(*built, trend=trend), T0, "1-1")
    assert first == density().look(market(*built, trend=trend), T0, "1-1")
    if first is None:
        return
    assert first.side.sign == trend
    assert first.target_distance > 0
    assert 0 <= first.strength <= 1
    assert (first.wall_side is first.side) == (first.strategy == "bounce")


def test_a_wall_the_price_is_not_at_yet_keeps_its_signal():
    strategy, eroded = density(), wall(7, 601_500, bid=False, **EATEN)
    assert strategy.look(market(eroded), T0, "1-1") is None
    signal = strategy.look(market(eroded, mid=601_400), T0 + 5_000, "1-2")
    assert signal.stop_distance > 300
