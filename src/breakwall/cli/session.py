"""One run of an engine from the command line: start, wait for the end, leave in order, say how it went."""

import asyncio
import gc
import os
import sys
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from breakwall.app.leaving import Leaving
from breakwall.cli.calls import PATIENCE_S, Calls
from breakwall.cli.errors import told
from breakwall.cli.voice import Voice
from breakwall.engine.loop import Engine
from breakwall.engine.supervise import GaveUp
from breakwall.exit_codes import DONE, INTERNAL, INTERRUPTED, NOT_FLAT, UNEXPLAINED
from breakwall.model.events import Command, CommandKind
from breakwall.model.view import ADOPTED, View

if TYPE_CHECKING:
    from breakwall.cli.pulse import Pulse
    from breakwall.cli.screen import Screen

_STATUS_EVERY_S = 10.0
_LOOK_EVERY_S = 0.1
_GARBAGE = (10_000, 10, 100)
"""How seldom garbage is looked for: a look at everything takes 20 ms with a screen, and little is in cycles."""
_SWITCH_S = 0.0005
"""How long the loop may keep a thread waiting that has work: a commit of the journal passes through one several
times, and with Python's own 5 ms each of them delays a close."""


class Ended(Struct, frozen=True):
    """How a run ended: the exit code, its reason in words, when it began (engine time), how long it lasted."""

    code: int
    reason: str
    began_ms: int
    seconds: float


class End(Struct, frozen=True):
    """Why a run is to end, the exit code if leaving goes well, and whether to leave flat."""

    code: int
    reason: str
    flatten: bool


class Session:
    """An engine from its start to its end, with or without a screen over it."""

    def __init__(
        self,
        engine: Engine,
        voice: Voice,
        calls: Calls,
        screen: "Screen | None" = None,
        pulse: "Pulse | None" = None,
    ) -> None:
        self._engine = engine
        self._voice = voice
        self._calls = calls
        self._screen = screen
        self._pulse = pulse
        self._settings = engine.settings

    async def conduct(self, seconds: float | None) -> Ended:
        """Run until the time is over, a signal comes, the screen ends or the engine gives up; then leave and close.

        Exit codes: 0 done, 1 a critical task gave up, 4 not flat although asked or without a stop, 5 observing only,
        130 interrupted.
        """
        engine = self._engine
        began = engine.clock.now_ms()
        if self._pulse is not None:
            self._pulse.listen()  # before the account is read: it may trade from then on
        running = asyncio.create_task(self._start_and_run())
        telling = asyncio.create_task(self._tell())
        beating = asyncio.create_task(self._pulse.run()) if self._pulse is not None else None
        time_over = asyncio.create_task(engine.clock.sleep(seconds)) if seconds is not None else None
        try:
            end = await self._end(running, time_over)
            code, reason = end.code, end.reason
            flat = await engine.leave(flatten=end.flatten, patience_s=PATIENCE_S, why=reason)
            if not flat:
                what = "not flat" if end.flatten else "not left in order"
                code, reason = NOT_FLAT, f"{reason}; {what}: {_remains(engine.account())}"
            elif self._pulse is not None:
                self._pulse.end()
            code, reason = self._unexplained(code, reason)
        finally:
            if self._screen is not None:
                await self._screen.close()
            tasks = [task for task in (telling, beating, running, time_over) if task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await engine.close()
        return Ended(code, reason, began, (engine.clock.now_ms() - began) / 1000)

    async def _end(self, running: asyncio.Task[None], time_over: asyncio.Task[None] | None) -> End:
        """The first thing that ends the run; a lost screen does so only if the settings or the trader say so."""
        screen, managed = self._screen, None
        while True:
            waited: list[asyncio.Future[Any] | None] = [running, self._calls.first, time_over, managed]
            waited += [screen.ended] if screen is not None else []
            await asyncio.wait([one for one in waited if one is not None], return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                return self._verdict_of(running, flatten=self._flatten)
            if self._calls.first.done():
                return End(self._calls.code, self._calls.first.result(), self._flatten)
            if time_over is not None and time_over.done():
                return End(DONE, "time is over", self._flatten)
            if managed is not None and managed.done():
                error = managed.exception()
                if error is not None:
                    return End(INTERNAL, f"watching over what is held failed: {error!r}", self._flatten)
                return End(DONE, "nothing is held any more, and nobody watches", flatten=True)
            assert screen is not None
            assert self._screen is not None
            leaving = screen.ended.result()
            if leaving in {Leaving.FLATTEN, Leaving.KEEP, None}:
                return End(DONE, "quit", self._flatten if leaving is None else leaving is Leaving.FLATTEN)
            what = self._settings.on_screen_lost if leaving is Leaving.LOST else "manage"
            self._tell_of_the_screen(leaving, what)
            if what == "flatten":
                return End(DONE, f"{screen.why}, on_screen_lost = flatten", flatten=True)
            if what == "manage":
                managed = asyncio.create_task(self._manage_to_the_end())
            screen = None

    @property
    def _flatten(self) -> bool:
        """Whether to leave flat where nobody says otherwise. What cannot be explained may be somebody else's; and who
        was never armed only looked on, and closes nothing beside what others have opened.
        """
        view = self._engine.account()
        foreign = not self._engine.core.was_armed and any(held.strategy == ADOPTED for held in view.positions)
        return self._settings.on_exit == "flatten" and not (view.observing or foreign)

    def _unexplained(self, code: int, reason: str) -> tuple[int, str]:
        """The exit code and reason of a run that only observed at its end."""
        observing = self._engine.account().observing
        if not observing or code not in {DONE, INTERRUPTED}:
            return code, reason
        return UNEXPLAINED, f"{reason}; observing only: {observing}"

    def _tell_of_the_screen(self, leaving: Leaving, what: str) -> None:
        """Say what became of the screen, what the engine does now, and how to end it."""
        screen, at_ms = self._screen, self._engine.clock.now_ms()
        assert screen is not None
        if leaving is Leaving.LOST:
            self._voice.line(at_ms, "error", screen.why, screen.failure)
        if screen.failure is not None:
            self._voice.write(f"{told(screen.failure)[0]}\n")
        held = _count(len(self._engine.account().positions), "position")
        words = {
            "manage": f"SAFE: no new entries. The engine manages {held} until nothing is held, then it ends",
            "flatten": f"closing {held}, then it ends (on_screen_lost = flatten)",
            "trade": f"the engine trades on without a screen (on_screen_lost = trade), {held} held",
        }[what]
        self._voice.line(at_ms, "warning", f"{words}. To end it now: Ctrl-C, or kill -TERM {os.getpid()}")

    async def _manage_to_the_end(self) -> None:
        """Open nothing, look after what is held, until nothing is."""
        engine, why = self._engine, "nobody watches the screen"
        engine.submit(Command(CommandKind.DISARM, who="process", why=why))  # before the account is read: it may trade
        while engine.core.recovered_ms is None:
            await engine.clock.sleep(_LOOK_EVERY_S)
        engine.submit(Command(CommandKind.CANCEL, who="process", why=why))
        while True:
            await engine.clock.sleep(_LOOK_EVERY_S)
            view = engine.account()
            if not (view.blind or view.positions or view.orders):
                return

    async def _start_and_run(self) -> None:
        await self._engine.start()
        gc.freeze()  # what was made until now stays for the whole run: no need to look at it again and again
        gc.set_threshold(*_GARBAGE)
        sys.setswitchinterval(_SWITCH_S)
        await self._engine.run()

    def _verdict_of(self, running: asyncio.Task[None], *, flatten: bool) -> End:
        error = running.exception()
        if isinstance(error, GaveUp):
            return End(INTERNAL, f"gave up: {error}", flatten)
        if error is not None:
            raise error
        return End(DONE, "ended", flatten)

    async def _tell(self) -> None:
        while True:
            await self._engine.clock.sleep(_STATUS_EVERY_S)
            self._voice.status(self._engine.view(), self._engine.clock.now_ms())


def _remains(view: View) -> str:
    positions = [
        f"{position.symbol} {position.qty:+f}" + (" WITHOUT A STOP" if position.stop is None else "")
        for position in view.positions
    ]
    orders = [f"order {order.client_id} {order.state}" for order in view.orders]
    return ", ".join(positions + orders) or "not proven by the venue"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
