"""Panic in simulated worlds: flat and proven within a second, by the exchange's own truth; never claimed unproven."""

import asyncio

import pytest
from msgspec import Struct

from breakwall.model.events import Command, CommandKind
from breakwall.model.view import FlattenView
from breakwall.sim.invariants import Truth
from breakwall.sim.loop import VirtualLoop, run
from breakwall.sim.session import Session, world_of
from breakwall.venues.exchange.faults import Fault, FaultKind, Faults

PATIENCE_S = 90
PROMPT_MS = 1_000
UNREADABLE = Fault(FaultKind.ANSWER_BAD, 0, match="/v5/position/list")


class Told(Struct, frozen=True):
    """How it ended, what was said to remain just before, and the exchange's truth at both moments."""

    done: FlattenView
    remained: tuple[str, ...]
    meanwhile: Truth
    truth: Truth
    armed: bool


async def panic(seed: int, unreadable_s: float) -> Told:
    """Wait for a position, panic, wait for the proof; the account cannot be read for the first while."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    world = world_of(Session(seed), loop, f"seed {seed}")
    turning = asyncio.create_task(world.turn())
    try:
        world.begin(())
        for _ in range(PATIENCE_S * 10):
            if world.host.engine is not None and world.host.engine.view().positions:
                break
            await asyncio.sleep(0.1)
        assert world.host.engine is not None
        if unreadable_s:
            world.faults._spells = Faults((UNREADABLE,), seed)._spells
        world.host.engine.submit(Command(CommandKind.PANIC, who="person"))
        await asyncio.sleep(unreadable_s or 0.001)
        (before,), meanwhile = world.host.engine.view().flattens, world.truth()
        world.faults.heal()
        while True:
            await asyncio.sleep(0.02)
            view = world.host.engine.view()
            (done,) = view.flattens
            if done.proven_ms is not None:
                return Told(done, before.remains, meanwhile, world.truth(), view.armed)
    finally:
        turning.cancel()
        world.host.journal.drop()


@pytest.mark.parametrize("seed", [2, 5])
def test_panic_is_flat_and_proven_within_a_second(seed: int) -> None:
    told = run(panic(seed, 0), seed=seed, until_s=PATIENCE_S)
    assert told.done.proven_ms is not None
    assert told.done.proven_ms - told.done.asked_ms <= PROMPT_MS
    assert told.done.closed
    assert told.truth.positions == ()
    assert not told.truth.entries
    assert not told.armed


def test_where_the_account_cannot_be_read_it_is_flat_and_not_called_proven() -> None:
    told = run(panic(1, 4.0), seed=1, until_s=PATIENCE_S)
    assert told.meanwhile.positions == ()
    assert told.remained[0].startswith("not proven yet: account not read: ")
    assert told.done.proven_ms is not None
    assert told.done.proven_ms - told.done.asked_ms > 4_000
