"""The clock of the simulated host: as deaf to steps as the real one, and as wrong as a host's can be."""

import asyncio


class HostClock:
    """`ports.Clock` of all programs on one host, counted from `epoch_ms` in the time of `loop`.

    Like `SystemClock`, each program takes the wall time once, at its start, and follows the host's monotonic
    clock from there: a clock set wrong is seen by the next start only. A host that sleeps does not count the time.
    """

    def __init__(self, epoch_ms: int, loop: asyncio.AbstractEventLoop) -> None:
        self._epoch_ns = epoch_ms * 1_000_000
        self._loop = loop
        self._skew_ns = 0
        self._offset_ns = 0

    def now_ms(self) -> int:
        return self.now_ns() // 1_000_000

    def now_ns(self) -> int:
        return self._epoch_ns + int(self._loop.time() * 1e9) + self._offset_ns

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def start(self) -> None:
        """A program starts: it anchors at the wall time as the host shows it now."""
        self._offset_ns = self._skew_ns

    def skew(self, seconds: float) -> None:
        """The wall clock is set: so much ahead of the truth (negative: behind)."""
        self._skew_ns = int(seconds * 1e9)

    def jump(self, seconds: float) -> None:
        """The monotonic clock is suddenly ahead; negative after a sleep that it did not count."""
        self._offset_ns += int(seconds * 1e9)
