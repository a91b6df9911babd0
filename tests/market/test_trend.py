"""The trend: two criteria that must agree, with hysteresis."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakwall.market.bars import Samples
from breakwall.market.trend import Trend
from breakwall.settings import TrendSettings


def line(slope: int, n: int = 60, wobble: int = 2) -> Samples:
    samples = Samples(60)
    for x in range(n):
        samples.add(1_000 + x, 20_000 + slope * x + wobble * (-1) ** x)
    return samples


@pytest.mark.parametrize(
    ("samples", "imbalance", "now"),
    [
        (line(2), 0.3, 1),
        (line(-2), -0.3, -1),
        (line(2), 0.1, 0),  # rising, but nobody buys
        (line(2), -0.3, 0),  # they disagree
        (line(0), 0.9, 0),  # bought, but it does not rise
        (line(2, n=19), 0.3, 0),  # too few samples
        (line(2, n=20), 0.3, 1),
        (line(1, wobble=500), 0.3, 0),  # rises less than its error
        (Samples(60), 0.9, 0),
    ],
)
def test_both_criteria_must_agree(samples, imbalance, now):
    trend = Trend(TrendSettings())
    trend.update(samples, imbalance)
    assert trend.now == now


def test_hysteresis_keeps_a_trend_that_weakens_and_starts_none():
    trend = Trend(TrendSettings(imbalance=0.15, hysteresis=0.6))
    trend.update(line(2), 0.10)
    assert trend.now == 0
    trend.update(line(2), 0.16)
    trend.update(line(2), 0.10)
    assert trend.now == 1
    trend.update(line(2), 0.08)
    assert trend.now == 0


def test_a_trend_turns_at_once():
    trend = Trend(TrendSettings())
    trend.update(line(2), 0.3)
    trend.update(line(-2), -0.3)
    assert trend.now == -1


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-5_000, 5_000), min_size=3, max_size=80), st.integers(1, 10**9))
def test_slope_and_error_are_those_of_numpy(moves, start):
    samples = Samples(60)
    for x, y in enumerate(moves):
        samples.add(start + x, 10**6 + y)
    y = np.array(moves[-60:], dtype=float)
    x = np.arange(len(y), dtype=float)
    expected = np.polyfit(x, y, 1)
    residual = y - np.polyval(expected, x)
    variance = (residual**2).sum() / (len(y) - 2) / ((x - x.mean()) ** 2).sum()
    slope, error = samples.line()
    assert slope == pytest.approx(expected[0], abs=1e-6)
    assert error == pytest.approx(variance**0.5, abs=1e-5)
