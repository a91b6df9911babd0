"""How late the loop is, how long events wait: the figures that say whether anything here can be trusted."""

from collections import deque
from heapq import nlargest

from breakwall.ports import Clock

_KEPT = 4096


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


async def watch_loop_delay(clock: Clock, delays: Delays, every_s: float = 0.05) -> None:
    """Measure for ever how much later than asked a sleep returns; a suspended machine shows as one huge delay."""
    while True:
        asked_ns = clock.now_ns() + int(every_s * 1e9)
        await clock.sleep(every_s)
        delays.add(max(0.0, (clock.now_ns() - asked_ns) / 1e6))
