"""Samples, bars and the average true range."""

import numpy as np
import pytest
import talib

from breakwall.market.bars import Bar, Bars, Samples
from breakwall.market.indicators import AverageTrueRange


def test_samples_older_than_the_window_are_forgotten():
    samples = Samples(3)
    for second in (1, 2, 3, 4, 9):
        samples.add(second, second * 10)
    assert list(samples.points) == [(9, 90)]


def test_bars_are_aligned_and_closed_by_the_next():
    bars = Bars(60_000)
    assert bars.add(61_000, 100) is None
    assert bars.add(90_000, 120) is None
    assert bars.add(119_000, 90) is None
    assert bars.add(120_000, 95) == Bar(60_000, 100, 120, 90, 90)


def test_a_gap_leaves_no_empty_bars():
    bars = Bars(1_000)
    closed = [bars.add(at_ms, price) for at_ms, price in ((0, 1), (10_000, 2), (11_000, 3))]
    assert [bar and bar.start_ms for bar in closed] == [None, 0, 10_000]


def test_true_range_reaches_back_to_the_last_close():
    atr = AverageTrueRange(14)
    assert atr.value is None
    atr.add(Bar(0, 100, 110, 95, 105))
    assert atr.value == 15.0
    atr.add(Bar(1, 120, 125, 118, 121))
    assert atr.value == pytest.approx((15 + 20) / 2)


def test_atr_converges_to_talib():
    rng = np.random.default_rng(7)
    close = np.cumsum(rng.integers(-50, 51, 400)) + 100_000
    high, low = close + rng.integers(0, 30, 400), close - rng.integers(0, 30, 400)
    atr = AverageTrueRange(14)
    for n in range(400):
        atr.add(Bar(n, int(close[n]), int(high[n]), int(low[n]), int(close[n])))
    expected = talib.ATR(high.astype(float), low.astype(float), close.astype(float), 14)[-1]
    assert atr.value == pytest.approx(expected, rel=1e-6)
