"""Tasks that must live: restarted when they fail, and a verdict when restarting does not help."""

import asyncio
import traceback
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path

from breakwall import points
from breakwall.ports import Clock

_WINDOW_MS = 60_000
_RESTARTS = 3
_FRAMES = 8


class GaveUp(Exception):
    """A critical task failed more than three times within a minute; the process has to go."""


def raised_at(error: BaseException) -> str:
    """Where an error was raised, innermost place first, in one line without any values."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    return " < ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(frames))


class Supervisor:
    """Runs named tasks for ever. `on_failure(name, error)` hears of each crash before the restart."""

    def __init__(self, clock: Clock, on_failure: Callable[[str, BaseException], None]) -> None:
        self._clock = clock
        self._on_failure = on_failure
        self._tasks: list[asyncio.Task[None]] = []
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def keep(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Start `work` and start it again whenever it ends or fails."""
        self._tasks.append(asyncio.create_task(self._run(name, work), name=name))

    def give_up(self, why: str) -> None:
        """Nothing that could be started again would help: `failed` tells."""
        if not self.failed.done():
            self.failed.set_exception(GaveUp(why))

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        if not self.failed.done():
            self.failed.cancel()

    async def _run(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        crashes: deque[int] = deque(maxlen=_RESTARTS + 1)
        while True:
            try:
                await work()
                raise RuntimeError(f"{name} ended although it should run for ever")
            except Exception as error:
                crashes.append(self._clock.now_ms())
                self._on_failure(name, error)
                if len(crashes) > _RESTARTS and crashes[-1] - crashes[0] <= _WINDOW_MS:
                    self.give_up(f"{name}: {error!r}")
                    return
            await self._clock.sleep(0.1)
            await points.linger("supervisor: before a restart", self._clock.sleep)
