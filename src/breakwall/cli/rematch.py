"""A recording traded again from the command line: with a screen over it or without, and its receipt."""

import asyncio
import contextlib
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from breakwall.app.leaving import Leaving
from breakwall.cli.calls import Calls
from breakwall.cli.config import load_checked
from breakwall.cli.streams import hand_out
from breakwall.cli.trading import rss_mb
from breakwall.cli.voice import Voice
from breakwall.clock import SystemClock
from breakwall.exit_codes import DONE, INTERNAL, NOT_FLAT
from breakwall.headless import receipt_json, receipt_text
from breakwall.model.actions import Note
from breakwall.replay.contents import Contents, contents
from breakwall.settings import Settings
from breakwall.sim.playback import Playback

if TYPE_CHECKING:
    from breakwall.cli.screen import Screen

_BEAT_S = 0.02
_SHARE = 0.4
"""How much of the time between two beats may go into the recording: the rest is the screen's."""
_ALONE_S = 0.2
_STATUS_S = 10.0


class RematchWish(Struct, frozen=True):
    """What was asked on the command line; `speed` is infinite for as fast as it goes, `seconds` of the recording."""

    paths: Sequence[Path]
    symbols: tuple[str, ...] = ()
    speed: float = 1.0
    seconds: float | None = None
    seed: int = 1
    as_json: bool = False
    screen: bool = True
    config: Path | None = None


def rematch(wish: RematchWish) -> int:
    """Play it and print the receipt; returns the exit code: 4 where it was not flat at the end although asked."""
    settings = load_checked(wish.config)
    found = contents(wish.paths, wish.symbols)
    return asyncio.run(_Showing(wish, settings, found).run())


class _Showing:
    """One rematch from its first frame to its receipt."""

    def __init__(self, wish: RematchWish, settings: Settings, found: Contents) -> None:
        self._wish = wish
        self._settings = settings
        self._clock = SystemClock()
        self._voice = Voice(settings)
        self._seconds = 0.0
        self._told_ns = 0
        self.playback = Playback(found, settings, wish.seed, self._say, self._clock, wish.speed, wish.seconds)
        self._notes = found.notes

    async def run(self) -> int:
        with contextlib.closing(self._voice), contextlib.closing(self.playback):
            for note in self._notes:
                self._voice.line(self.playback.world.clock.now_ms(), "warning", note)
            code, reason, terminal_bytes = await self._play()
            receipt = self.playback.world.receipt(reason, rss_mb(), terminal_bytes + self._voice.bytes_written)
            as_json = receipt_json(receipt)
            self._voice.receipt(self._clock.now_ms(), receipt_text(receipt), as_json)
        if self._wish.as_json:
            hand_out(as_json)
        return code

    def _say(self, note: Note, at_ms: int) -> None:
        self._voice.log.note(note, at_ms)

    async def _play(self) -> tuple[int, str, int]:
        """Exit code, reason, and what the screen wrote."""
        async with contextlib.AsyncExitStack() as stack:
            screen = await stack.enter_async_context(self._screen()) if self._wish.screen else None
            calls = Calls(self._voice, self._clock, screen)
            self.playback.begin()
            if screen is not None and self.playback.world.begun:
                screen.show(self.playback, self.playback)
                self.playback.seen = screen.remember
            ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
            self._live(screen, ended, self._clock.now_ns())
            waited: set[asyncio.Future[Any]] = {ended, calls.first}
            if screen is not None:
                waited.add(screen.ended)
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            ended.cancel()
            leaving = screen.ended.result() if screen is not None and screen.ended.done() else None
        if screen is not None and screen.failure is not None:
            raise screen.failure
        written = screen.bytes_written if screen is not None else 0
        if calls.first.done():
            return *self._leave(None, calls.first.result(), calls.code), written
        reason = "quit" if leaving is not None or (screen is not None) else "the recording is over"
        return *self._leave(leaving, reason, DONE), written

    def _screen(self) -> "Screen":
        from breakwall.cli.screen import Screen

        screen = Screen(self.playback.world.settings, self._clock)
        self._voice.covered = lambda: screen.covers
        return screen

    def _live(self, screen: "Screen | None", ended: asyncio.Future[str], since_ns: int) -> None:
        """One beat. A callback, not a task: the tasks of the world must not run inside one of ours."""
        if ended.done():
            return
        now_ns = self._clock.now_ns()
        budget_s = _BEAT_S * _SHARE if screen is not None else _ALONE_S
        self.playback.tick((now_ns - since_ns) / 1e9, budget_s)
        self._tell_status(now_ns)
        if screen is None and self.playback.ended:
            ended.set_result("over")
            return
        hurry = screen is None and math.isinf(self._wish.speed)
        asyncio.get_running_loop().call_later(0 if hurry else _BEAT_S, self._live, screen, ended, now_ns)

    def _tell_status(self, now_ns: int) -> None:
        if now_ns - self._told_ns >= _STATUS_S * 1e9 and self.playback.world.begun:
            self._told_ns = now_ns
            self._voice.status(self.playback.view(), self.playback.world.clock.now_ms())

    def _leave(self, leaving: Leaving | None, reason: str, code: int) -> tuple[int, str]:
        """Leave at the moment that was reached; what is held is closed there, unless it is to be kept."""
        world = self.playback.world
        if world.broken is not None:
            return INTERNAL, f"broken: {world.broken}"
        flatten = self._settings.on_exit == "flatten" if leaving is None else leaving is not Leaving.KEEP
        if not world.leave(flatten=flatten, why=reason):
            return NOT_FLAT, f"{reason}; not flat"
        return code, reason
