"""The mid, once a second, and bars made of it. Prices are half ticks (best bid + best ask), exact integers."""

from collections import deque
from math import sqrt

from msgspec import Struct

SAMPLE_MS = 1_000
BAR_MS = 60_000


class Bar(Struct, frozen=True, gc=False):
    """One time bar of the mid, in half ticks; `start_ms` is engine time."""

    start_ms: int
    open: int
    high: int
    low: int
    close: int


class Samples:
    """(second, half ticks) of the last `window_s` seconds, at most one per second; a gap stays a gap.

    The sums a straight line needs are carried along as exact integers.
    """

    __slots__ = ("_window_s", "_x", "_xx", "_xy", "_y", "_yy", "points")

    def __init__(self, window_s: int) -> None:
        self._window_s = window_s
        self.points: deque[tuple[int, int]] = deque()
        self._x = self._y = self._xx = self._xy = self._yy = 0

    def add(self, second: int, mid_half_ticks: int) -> None:
        self.points.append((second, mid_half_ticks))
        self._count(second, mid_half_ticks, 1)
        while self.points[0][0] <= second - self._window_s:
            self._count(*self.points.popleft(), -1)

    def line(self) -> tuple[float, float]:
        """Least-squares slope in half ticks per second and its standard error; (0, 0) for fewer than three.

        Source: ordinary least squares, error = sqrt(residual variance / sum of squared x deviations).
        """
        n = len(self.points)
        if n < 3:
            return 0.0, 0.0
        # n times the central sums: integers, so no digit is lost
        xx = n * self._xx - self._x * self._x
        xy = n * self._xy - self._x * self._y
        yy = n * self._yy - self._y * self._y
        residual = max(0.0, (yy - xy * xy / xx) / n)
        return xy / xx, sqrt(residual / (n - 2) / (xx / n))

    def _count(self, x: int, y: int, sign: int) -> None:
        self._x += sign * x
        self._y += sign * y
        self._xx += sign * x * x
        self._xy += sign * x * y
        self._yy += sign * y * y


class Bars:
    """Time bars of the mid, aligned to multiples of `span_ms`."""

    __slots__ = ("_high", "_low", "_open", "_span_ms", "_start_ms", "close")

    def __init__(self, span_ms: int = BAR_MS) -> None:
        self._span_ms = span_ms
        self._start_ms = -1
        self._open = self._high = self._low = self.close = 0

    def add(self, at_ms: int, mid_half_ticks: int) -> Bar | None:
        """Take a sample; the answer is the bar it closed, if it began a new one."""
        start = at_ms - at_ms % self._span_ms
        closed = None
        if start != self._start_ms:
            if self._start_ms >= 0:
                closed = Bar(self._start_ms, self._open, self._high, self._low, self.close)
            self._start_ms = start
            self._open = self._high = self._low = mid_half_ticks
        self._high = max(self._high, mid_half_ticks)
        self._low = min(self._low, mid_half_ticks)
        self.close = mid_half_ticks
        return closed
