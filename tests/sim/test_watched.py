"""A watched session: the same session, step by step, and a desk that survives its program."""

import asyncio

from breakwall.model.events import Command, CommandKind
from breakwall.sim.mixes import MIXES
from breakwall.sim.session import Session, drawn, play
from breakwall.sim.watched import Watched
from breakwall.venues.exchange.faults import Fault, FaultKind


async def looked_at(watched: Watched, until_s: float, step_s: float = 0.4) -> None:
    """Let it live on from callbacks of a real loop, as the screen does, with a look after each step."""
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    now_s = 0.0

    def live_on() -> None:
        nonlocal now_s
        now_s += step_s
        watched.advance(now_s)
        if watched.begun:
            watched.view(watched.settings.symbols[0])
        if now_s >= until_s or watched.broken is not None:
            over.set()
        else:
            loop.call_soon(live_on)

    loop.call_soon(live_on)
    await over.wait()


def test_who_is_watched_lives_the_same_life() -> None:
    session = drawn(3, seconds=20, mix=MIXES["process"])
    watched = Watched(session)
    asyncio.run(looked_at(watched, 45))
    assert watched.broken is None
    assert watched.over
    assert watched._world.referee.entries == play(session).entries
    watched.close()


def test_the_last_view_stays_while_the_program_is_dead_and_says_so() -> None:
    watched = Watched(Session(1, faults=(Fault(FaultKind.KILLED, 10),)))
    asyncio.run(looked_at(watched, 9.6))
    view = watched.view("SOLUSDT")
    assert (view.mode, view.blind) == ("SIM seed 1", False)
    watched.submit(Command(CommandKind.DISARM))
    watched.advance(9.9)
    assert not watched.view().armed
    watched.advance(10.3)
    assert watched.view().why.startswith("the program is dead")
    assert watched.market("SOLUSDT") is None
    watched.advance(14)
    assert not watched.view().blind
    assert watched.market("SOLUSDT") is not None
    watched.close()


def test_a_broken_promise_ends_it_and_is_seen() -> None:
    watched = Watched(Session(1))
    watched.advance(5)
    watched._loop.fail(AssertionError("I1 at 5 ms: no stop. See it again: ..."))
    watched.advance(6)
    assert isinstance(watched.broken, AssertionError)
    assert (watched.view().trading_state, watched.view().why) == ("HALTED", "I1 at 5 ms: no stop")
    watched.close()
