"""The trend: the slope of the mid and the balance of aggressive trades, which must agree."""

from collections.abc import Iterable
from math import sqrt

from breakwall.config import TrendSettings

Point = tuple[int, int]


def slope_and_error(points: Iterable[Point]) -> tuple[float, float]:
    """Least-squares slope of (x, y) integers and its standard error; (0, 0) for fewer than three points.

    Source: ordinary least squares, error = sqrt(residual variance / sum of squared x deviations).
    """
    shifted = list(points)
    n = len(shifted)
    if n < 3:
        return 0.0, 0.0
    x0, y0 = shifted[0]
    shifted = [(x - x0, y - y0) for x, y in shifted]
    sum_x = sum(x for x, _ in shifted)
    sum_y = sum(y for _, y in shifted)
    # n times the central sums: integers, so no digit is lost
    xx = n * sum(x * x for x, _ in shifted) - sum_x * sum_x
    xy = n * sum(x * y for x, y in shifted) - sum_x * sum_y
    yy = n * sum(y * y for _, y in shifted) - sum_y * sum_y
    if xx == 0:
        return 0.0, 0.0
    residual = max(0.0, (yy - xy * xy / xx) / n)
    return xy / xx, sqrt(residual / (n - 2) / (xx / n))


class Trend:
    """-1 down, 0 flat, 1 up. Once in a trend both criteria are taken at `hysteresis` times their size.

    `slope` is ticks per second, `error` its standard error, `imbalance` from -1 to 1.
    """

    __slots__ = ("error", "imbalance", "now", "settings", "slope")

    def __init__(self, settings: TrendSettings) -> None:
        self.settings = settings
        self.now = 0
        self.slope = self.error = self.imbalance = 0.0

    def update(self, points: Iterable[Point], imbalance: float) -> None:
        """Judge again from (second, half ticks) samples and the balance of trades over the same window."""
        points = list(points)
        half_ticks, error = slope_and_error(points)
        self.slope, self.error, self.imbalance = half_ticks / 2, error / 2, imbalance
        if len(points) < self.settings.min_samples:
            self.now = 0
        elif not (self.now and self._agree(self.now, self.settings.hysteresis)):
            self.now = next((side for side in (1, -1) if self._agree(side, 1.0)), 0)

    def _agree(self, side: int, ease: float) -> bool:
        slope = self.slope * side
        steep = slope > 0 and slope > self.settings.slope_errors * ease * self.error
        return steep and self.imbalance * side > self.settings.imbalance * ease
