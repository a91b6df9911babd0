"""The grid: its width, its sums and its neighbours."""

import pytest

from breakwall.market.buckets import Buckets, bucket_width, too_short


@pytest.mark.parametrize(
    ("mid", "reach", "width"),
    [
        (651_142, 280, 9),  # BTC with 200 levels reaches 0.043 %: reach / 30
        (651_142, 20_000, 130),  # deep enough: 2 bp
        (20_000, 5_200, 4),  # SOL reaches 2.6 %
        (1_000, 26, 1),  # never less than a tick
        (21_345, 0, 1),
    ],
)
def test_the_width_is_whole_ticks_of_two_basis_points_or_less(mid, reach, width):
    assert bucket_width(2 * mid, reach, 2.0, 30) == width


@pytest.mark.parametrize(("reach", "short"), [(280, True), (3_906, True), (3_907, False)])
def test_a_window_of_less_than_thirty_full_buckets_is_too_short(reach, short):
    assert too_short(2 * 651_142, reach, 2.0, 30) is short


def bids(sums: dict[int, int]) -> Buckets:
    buckets = Buckets(True, 10)
    buckets.rebuild({bucket * 10: lots for bucket, lots in sums.items()})
    return buckets


def test_a_level_falls_into_its_absolute_bucket():
    buckets = Buckets(False, 10)
    buckets.rebuild({100: 1, 109: 2, 110: 4})
    assert buckets.sums == {10: 3, 11: 4}


def test_the_mean_leaves_out_the_bucket_itself_and_the_outermost():
    buckets = bids({90: 999, 91: 10, 92: 20, 93: 500, 94: 30, 95: 40})
    assert buckets.mean_around(93, 5, innermost=95, outermost=90) == 25.0
    assert buckets.mean_around(93, 1, innermost=95, outermost=90) == 25.0
    assert buckets.mean_around(95, 2, innermost=95, outermost=90) == 265.0


def test_empty_buckets_between_best_and_edge_count_as_nothing():
    assert bids({90: 1, 92: 100, 95: 30}).mean_around(92, 5, innermost=95, outermost=90) == 7.5


def test_a_lone_bucket_has_no_mean():
    assert bids({92: 100}).mean_around(92, 5, innermost=92, outermost=91) is None


def test_the_side_is_weighed_up_to_the_limit_and_empty_buckets_are_forgotten():
    buckets = bids({90: 5, 91: 7, 92: 9})
    buckets.sums[93] = 0
    buckets.survey(91)
    assert buckets.near_lots == 16
    assert 93 not in buckets.sums
    asks = Buckets(False, 10)
    asks.rebuild({900: 5, 910: 7, 920: 9})
    asks.survey(91)
    assert asks.near_lots == 12
