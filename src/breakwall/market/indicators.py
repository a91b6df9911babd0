"""Indicators that carry their state from the first bar on."""

from breakwall.market.bars import Bar

ATR_PERIOD = 14


class AverageTrueRange:
    """Wilder's ATR in half ticks: the plain mean of the true ranges until `period` bars, then smoothed.

    Source: J. Welles Wilder, New Concepts in Technical Trading Systems (1978).
    """

    __slots__ = ("_count", "_last_close", "_period", "value")

    def __init__(self, period: int = ATR_PERIOD) -> None:
        self._period = period
        self._count = 0
        self._last_close: int | None = None
        self.value: float | None = None

    def add(self, bar: Bar) -> None:
        previous = bar.open if self._last_close is None else self._last_close
        true_range = max(bar.high, previous) - min(bar.low, previous)
        self._last_close = bar.close
        self._count = min(self._count + 1, self._period)
        before = self.value or 0.0
        self.value = before + (true_range - before) / self._count
