"""The trend: the slope of the mid and the balance of aggressive trades, which must agree."""

from breakwall.market.bars import Samples
from breakwall.settings import TrendSettings


class Trend:
    """-1 down, 0 flat, 1 up. Once in a trend both criteria are taken at `hysteresis` times their size.

    `slope` is ticks per second, `error` its standard error, `imbalance` from -1 to 1.
    """

    __slots__ = ("error", "imbalance", "now", "settings", "slope")

    def __init__(self, settings: TrendSettings) -> None:
        self.settings = settings
        self.now = 0
        self.slope = self.error = self.imbalance = 0.0

    def update(self, samples: Samples, imbalance: float) -> None:
        """Judge again from samples of the mid and the balance of trades over the same window."""
        half_ticks, error = samples.line()
        self.slope, self.error, self.imbalance = half_ticks / 2, error / 2, imbalance
        if len(samples.points) < self.settings.min_samples:
            self.now = 0
        elif not (self.now and self._agree(self.now, self.settings.hysteresis)):
            self.now = next((side for side in (1, -1) if self._agree(side, 1.0)), 0)

    def _agree(self, side: int, ease: float) -> bool:
        slope = self.slope * side
        steep = slope > 0 and slope > self.settings.slope_errors * ease * self.error
        return steep and self.imbalance * side > self.settings.imbalance * ease
