"""How late the loop is, how long events wait: the figures that say whether anything here can be trusted."""

from collections import deque
from heapq import nlargest

from breakwall.ports import Clock

_KEPT = 4096
TICKS_KEPT = 50


class Delays:
    """The last few thousand delays in milliseconds; the 99th percentile as of the last `rank`, the worst of all."""

    def __init__(self) -> None:
        self._samples: deque[float] = deque(maxlen=_KEPT)
        self.p99_ms = 0.0
        self.max_ms = 0.0

    def add(self, delay_ms: float) -> None:
        self._samples.append(delay_ms)
        self.max_ms = max(self.max_ms, delay_ms)

    def rank(self) -> None:
        """Find the percentile anew: too dear (0.1 ms) for every frame of a screen."""
        count = len(self._samples)
        if count:
            self.p99_ms = nlargest(count - min(count - 1, int(count * 0.99)), self._samples)[-1]


class Lateness:
    """By how much the last ticks came late, in ms; a tick's time is part of the event, so a replay sees the same."""

    def __init__(self) -> None:
        self._late: deque[int] = deque(maxlen=TICKS_KEPT)
        self._before_ms = 0

    def tick(self, at_ms: int, every_ms: int) -> None:
        if self._before_ms:
            self._late.append(max(0, at_ms - self._before_ms - every_ms))
        self._before_ms = at_ms

    @property
    def mean_ms(self) -> int:
        return sum(self._late) // TICKS_KEPT


async def watch_loop_delay(clock: Clock, delays: Delays, every_s: float = 0.05) -> None:
    """Measure for ever how much later than asked a sleep returns; a suspended machine shows as one huge delay."""
    while True:
        asked_ns = clock.now_ns() + int(every_s * 1e9)
        await clock.sleep(every_s)
        delays.add(max(0.0, (clock.now_ns() - asked_ns) / 1e6))
