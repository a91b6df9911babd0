"""Equity, drawdown and the spread of results."""

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakwall.replay.curves import equity_curve, histogram
from tests.replay.trades import trade


def test_the_curve_starts_at_nothing_and_knows_how_far_it_is_below_its_peak():
    results = ["2", "-3", "1.5", "4"]
    points = equity_curve([trade(net, closed_ms=2_000_000 + n) for n, net in enumerate(results)])
    assert [point.net_usdt for point in points] == [0, 2, -1, Decimal("0.5"), Decimal("4.5")]
    assert [point.drawdown_usdt for point in points] == [0, 0, 3, Decimal("1.5"), 0]
    assert (points[0].at_ms, points[-1].at_ms) == (1_000_000, 2_000_003)
    assert equity_curve([]) == ()


@given(results=st.lists(st.decimals(-10_000, 10_000, places=4), min_size=1, max_size=60))
@settings(max_examples=100, deadline=None)
def test_each_result_is_in_one_bin_and_none_holds_gains_and_losses(results):
    bins = histogram(results)
    assert sum(each.trades for each in bins) == len(results)
    assert all(before.high_usdt == after.low_usdt for before, after in pairwise(bins))
    assert all(each.low_usdt >= 0 or each.high_usdt <= 0 for each in bins)
    for each in bins:
        assert each.trades == sum(each.low_usdt <= result < each.high_usdt for result in results)
    assert len(bins) <= 18


@pytest.mark.parametrize(
    ("results", "edges"), [([], []), (["0", "0"], [0, Decimal("0.01")]), (["-4.78"], [-5, Decimal("-4.5")])]
)
def test_few_results_make_few_bins(results, edges):
    bins = histogram([Decimal(result) for result in results])
    assert [edge for each in bins for edge in (each.low_usdt, each.high_usdt)] == edges
