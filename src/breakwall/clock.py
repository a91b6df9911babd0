"""The only place that reads a clock."""

import asyncio
import time

_ANCHOR_WALL_NS = time.time_ns()
_ANCHOR_MONOTONIC_NS = time.monotonic_ns()


class SystemClock:
    """Wall time that never jumps: the start's wall time plus the monotonic time since then."""

    def now_ms(self) -> int:
        """Milliseconds since 1970, never going back, deaf to clock steps after the start."""
        return self.now_ns() // 1_000_000

    def now_ns(self) -> int:
        return _ANCHOR_WALL_NS + time.monotonic_ns() - _ANCHOR_MONOTONIC_NS

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class LoopClock:
    """The running event loop's own time, counted from `epoch_ms`: virtual under a virtual-time loop."""

    def __init__(self, epoch_ms: int) -> None:
        self._epoch_ns = epoch_ms * 1_000_000

    def now_ms(self) -> int:
        return self.now_ns() // 1_000_000

    def now_ns(self) -> int:
        return self._epoch_ns + int(asyncio.get_running_loop().time() * 1e9)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
