"""Writes a checkpoint now and then, so that a restart has little to read."""

import msgspec

from breakwall.engine.state import Phase, State
from breakwall.model.actions import WriteCheckpoint
from breakwall.points import Point, reach
from breakwall.trading.reconcile.checkpoint import Checkpoint, is_empty, ready_ms

LOOK_EVERY_MS = 60_000
_encode = msgspec.json.Encoder().encode


def on_tick(state: State) -> None:
    """Once a minute: write the checkpoint that has become ready, and look whether this moment is fit for the next.

    Called before this event's own decisions: what is written with its number comes after the checkpoint.
    """
    if state.now - state.looked_ms < LOOK_EVERY_MS:
        return
    state.looked_ms = state.now
    waiting = state.checkpoint
    if waiting is not None and state.now >= waiting.ready_ms:
        reach(Point.CHECKPOINT)
        state.out.append(WriteCheckpoint(_encode(waiting).decode()))
        state.checkpoint = None
    if state.checkpoint is None and is_calm(state):
        state.checkpoint = taken(state)


def is_calm(state: State) -> bool:
    """Nothing held, nothing in doubt, nothing wished for, and the start long enough ago to be no crash."""
    if state.recovered_ms is None or state.account is None or state.phase is not Phase.TRADING:
        return False
    settled = state.now - state.recovered_ms >= state.settings.recovery.crash_window_s * 1000
    doubt = state.wishes or state.review.passes or state.review.escalated or state.blind or state.journal_why
    return settled and not doubt and is_empty(state.blotter)


def taken(state: State) -> Checkpoint:
    """This moment, before the event that is being decided."""
    assert state.account is not None
    return Checkpoint(
        run=state.run,
        seq=state.at.seq - 1,
        at_ms=state.now,
        ready_ms=ready_ms(state.blotter),
        account_id=state.account.account_id,
        armed=state.armed,
        safe=state.safe,
        panicked=state.panicked,
        breaker=state.breaker.memory(),
        wallet=state.blotter.wallet,
        instruments=tuple(state.instruments.values()),
    )
