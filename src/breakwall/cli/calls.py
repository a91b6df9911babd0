"""Signals and a trader's early wish to leave: what ends a run from outside."""

import asyncio
import signal
from typing import TYPE_CHECKING, Any, TypeVar

from breakwall.app.leaving import Leaving
from breakwall.cli.voice import Voice
from breakwall.exit_codes import DONE, INTERRUPTED
from breakwall.ports import Clock

if TYPE_CHECKING:
    from breakwall.cli.screen import Screen

PATIENCE_S = 15.0
"""How long leaving may take."""

Thing = TypeVar("Thing")


class LeftEarly(Exception):
    """The end was wished before there was an engine; `code` is the exit code."""

    def __init__(self, reason: str, code: int) -> None:
        super().__init__(reason)
        self.code = code


class Calls:
    """Signals to this process: `first` is done with the name of the first one that asks it to end.

    Where there is a screen, a hang-up is the end of the screen and not of the run. Further signals are only
    answered: leaving takes its time.
    """

    def __init__(self, voice: Voice, clock: "Clock", screen: "Screen | None" = None) -> None:
        loop = asyncio.get_running_loop()
        self.first: asyncio.Future[str] = loop.create_future()
        self._voice = voice
        self._clock = clock
        self._screen = screen
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._hear, number)

    @property
    def code(self) -> int:
        """The exit code that the first signal leads to."""
        return INTERRUPTED if self.first.result() == signal.SIGINT.name else DONE

    def _hear(self, number: signal.Signals) -> None:
        if number is signal.SIGHUP and self._screen is not None:
            self._screen.lose("hang-up")
        elif not self.first.done():
            self.first.set_result(number.name)
        else:
            patience = f"already leaving; it takes at most {PATIENCE_S:.0f} s, the stops stay on the exchange"
            self._voice.line(self._clock.now_ms(), "warning", patience)


async def unless_called_off(starting: asyncio.Future[Thing], calls: Calls, screen: "Screen | None") -> Thing:
    """What `starting` gives. Raises LeftEarly where a signal or the trader ends the run before it is there.

    A screen that is lost in the meantime changes nothing, what is held must be managed; nor does the wish to leave
    flat: an earlier run may hold something, and only an engine can close it.
    """
    waited: set[asyncio.Future[Any]] = {starting, calls.first}
    if screen is not None:
        waited.add(screen.ended)
    try:
        while not starting.done():
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                break
            if calls.first.done():
                raise LeftEarly(calls.first.result(), calls.code)
            if screen is not None and screen.ended.done():
                waited.discard(screen.ended)
                if screen.ended.result() in {Leaving.KEEP, None}:
                    raise LeftEarly("quit", DONE)
        return starting.result()
    finally:
        starting.cancel()
        await asyncio.wait({starting})
