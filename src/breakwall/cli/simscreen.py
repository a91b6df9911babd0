"""`breakwall sim --ui`: one simulated session in the cockpit."""

import asyncio
import contextlib

import typer

from breakwall.cli.screen import Screen
from breakwall.cli.streams import why_no_screen
from breakwall.clock import SystemClock
from breakwall.exit_codes import INTERNAL
from breakwall.sim.session import Session
from breakwall.sim.watched import Watched

_STEP_S = 0.025
_FIRST_S = 30.0
"""A program that has not come up by then will not: the weather of such a session is too bad to watch."""


def watch(session: Session, speed: float) -> None:
    """Show it, `speed` times as fast as real, until the person quits. Exit code 1 where a promise was broken."""
    why = why_no_screen()
    if why:
        raise typer.BadParameter(f"expected a terminal that can show a screen: {why}", param_hint="--ui")
    with contextlib.closing(Watched(session)) as world:
        to_s = 0.0
        while not world.begun and to_s < _FIRST_S and world.broken is None:
            to_s += _STEP_S
            world.advance(to_s)
        if world.begun:
            asyncio.run(_show(world, speed, to_s))
        if world.broken is not None:
            print(f"seed {session.seed}: {world.broken}")
            raise typer.Exit(INTERNAL)


async def _show(world: Watched, speed: float, from_s: float) -> None:
    clock = SystemClock()
    async with Screen(world.settings, clock) as screen:
        screen.show(world)
        loop = asyncio.get_running_loop()
        to_s = from_s

        def live_on() -> None:
            """A callback, not a task: the tasks of the world must not run inside one of ours."""
            nonlocal to_s
            to_s += _STEP_S * speed
            world.advance(to_s)
            if screen.covers:
                loop.call_later(_STEP_S, live_on)

        loop.call_soon(live_on)
        await asyncio.wait({screen.ended})
    if screen.failure is not None:
        raise screen.failure
