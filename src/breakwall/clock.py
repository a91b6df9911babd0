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
