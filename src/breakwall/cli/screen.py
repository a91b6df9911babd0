"""The cockpit as a session sees it: opened before the engine, and what its end means."""

import asyncio
from pathlib import Path
from types import TracebackType
from typing import Self

from breakwall.app.cockpit import Cockpit
from breakwall.app.leaving import Leaving
from breakwall.cli.streams import abandon_terminal
from breakwall.ports import Clock, Desk, Playback, Stage
from breakwall.settings import Settings


class Screen:
    """The cockpit and the task it runs in, as a context that gives the terminal back whatever happens inside.

    `ended` is done with the way of leaving; None where it was closed from outside. With a `size` (columns, rows)
    it is drawn without a terminal, for a picture.
    """

    def __init__(self, settings: Settings, clock: Clock, size: tuple[int, int] | None = None) -> None:
        self.ended: asyncio.Task[Leaving | None]
        self._size = size
        self._drawing: asyncio.Task[None] | None = None
        self._settings = settings
        self._cockpit = Cockpit(settings, clock)
        self._failure: Exception | None = None

    async def __aenter__(self) -> Self:
        self.ended = asyncio.create_task(self._run(), name="screen")
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self.close()
        if self._drawing is not None:
            await self._drawing

    @property
    def covers(self) -> bool:
        """Whether the terminal is the cockpit's now."""
        return not self.ended.done()

    @property
    def failure(self) -> Exception | None:
        """What broke the cockpit; None: nothing did."""
        return self._failure or self._cockpit.failure

    @property
    def why(self) -> str:
        """Why it was lost."""
        lost = self._cockpit.lost_why
        return f"the terminal has gone ({lost})" if self.failure is None else "the screen failed"

    @property
    def bytes_written(self) -> int:
        """What the terminal got."""
        terminal = self._cockpit.terminal
        return terminal.bytes_written if terminal is not None else 0

    async def seen(self) -> None:
        """Wait for the first picture, or for the end where there is none."""
        painted = asyncio.create_task(self._cockpit.painted.wait())
        await asyncio.wait({painted, self.ended}, return_when=asyncio.FIRST_COMPLETED)
        painted.cancel()

    def show(self, desk: Desk, playback: Playback | None = None, stage: Stage | None = None) -> None:
        """From now on it looks at this desk, at what plays its recording, and where crises can be played."""
        self._cockpit.playback = playback
        self._cockpit.stage = stage
        self._cockpit.desk = desk

    def remember(self) -> None:
        """Something has happened that no frame may come to show."""
        self._cockpit.remember()

    def draw(self, path: Path, after_s: float) -> None:
        """Write the screen to this file as it will be after so many seconds; OSError comes with the end."""
        self._drawing = asyncio.create_task(self._draw(path, after_s))

    async def _draw(self, path: Path, after_s: float) -> None:
        await self._cockpit.clock.sleep(after_s)
        svg = self._cockpit.picture("breakwall demo")
        await asyncio.to_thread(path.write_text, svg, encoding="utf-8")

    def lose(self, why: str) -> None:
        """There is no terminal any more, somebody says."""
        if self.covers:
            self._cockpit.on_terminal_lost(why)

    async def close(self) -> None:
        """End it, if it has not ended by itself, and give the terminal back."""
        if self.covers:
            self._cockpit.exit()
        await asyncio.wait({self.ended})

    async def _run(self) -> Leaving | None:
        leaving: Leaving | None = None
        try:
            leaving = await self._cockpit.run_async(
                headless=self._size is not None, size=self._size, mouse=self._settings.ui.mouse
            )
        except Exception as error:  # whatever breaks the screen must not reach the engine
            self._failure = error
        if not await self._cockpit.given_back():
            abandon_terminal()
        leaving = leaving or self._cockpit.return_value  # a choice stands, even if the screen breaks while it ends
        return Leaving.LOST if leaving is None and self.failure is not None else leaving
