"""What a person, or the process that leaves, asks for. Flatten, cancel and stops work in every state."""

from breakwall.engine import booking, guarding
from breakwall.engine.state import Phase, State
from breakwall.model.actions import Refused
from breakwall.model.events import Command, CommandKind
from breakwall.trading import risk
from breakwall.trading.protection import SetStop


def on_command(state: State, event: Command) -> None:
    scope = event.symbol or "all symbols"
    why = f": {event.why}" if event.why else ""
    state.say("command", f"{event.kind.value} {scope} by {event.who}{why}", symbol=event.symbol, durable=True)
    booking.on_word(state, event)
    if event.kind in {CommandKind.ARM, CommandKind.DISARM}:
        state.armed = event.kind is CommandKind.ARM
    elif event.kind is CommandKind.STOP:
        state.phase = Phase.LEAVING
        cancel_entries(state, "", "leaving")
    elif event.kind is CommandKind.CANCEL:
        cancel_entries(state, event.symbol, f"asked by {event.who}")
    elif event.kind is CommandKind.PANIC:
        state.armed = False
        flatten(state, "", f"panic by {event.who}{why}")
    elif event.kind is CommandKind.FLATTEN:
        flatten(state, event.symbol, f"flatten by {event.who}{why}")
    elif event.kind is CommandKind.BREAKEVEN:
        to_breakeven(state, event)


def flatten(state: State, symbol: str, why: str) -> None:
    """Close everything of this scope, and whatever an entry in flight may still open there."""
    state.flat_wish[symbol] = why
    cancel_entries(state, symbol, why)
    guarding.look_after(state, [held.symbol for held in state.positions.held() if symbol in {"", held.symbol}])


def cancel_entries(state: State, symbol: str, why: str) -> None:
    """Withdraw our open entries; those that were not sent yet never leave. Stops are not touched."""
    for order in state.orders.open_entries(symbol):
        approved = risk.approve_cancel(order, state.at, why)
        if isinstance(approved, Refused):
            continue
        booking.take(state, state.blotter.decided(approved.intent, state.at))
        state.out.append(approved)


def to_breakeven(state: State, event: Command) -> None:
    for position in state.positions.held():
        if event.symbol in {"", position.symbol}:
            stop = state.protection.breakeven(position)
            guarding.move_stop(state, position, SetStop(stop, f"breakeven by {event.who}"))


def on_tick(state: State) -> None:
    """A wish to be flat is over once its scope is flat and nothing of ours is under way there.

    While leaving, remember since when there is nothing left to do.
    """
    for symbol in list(state.flat_wish):
        if state.phase is not Phase.LEAVING and state.reconciled and quiet(state, symbol):
            del state.flat_wish[symbol]
            state.say("flat", f"flat: {symbol or 'all symbols'}", symbol=symbol, durable=True)
    if state.phase is not Phase.LEAVING or not quiet(state, "", flat="" in state.flat_wish):
        state.quiet_since_ms = None
    elif state.quiet_since_ms is None:
        state.quiet_since_ms = state.now
        state.read_back_due = "leaving"


def tell_proven(state: State) -> None:
    """Leaving flat, and the venue has said so: the next start must not go on with it."""
    for symbol in state.flat_wish if settled(state, flat=True) else ():
        state.say("flat", f"flat: {symbol or 'all symbols'}", symbol=symbol, durable=True)


def quiet(state: State, symbol: str, *, flat: bool = True) -> bool:
    """No entry under way in this scope, nothing unknown, and no position where it should be flat."""
    entering = state.orders.open_entries(symbol)
    held = [position for position in state.positions if symbol in {"", position.symbol}]
    return not entering and not (flat and held)


def settled(state: State, *, flat: bool) -> bool:
    """Whether a read-back asked after everything went quiet has confirmed it."""
    if state.phase is not Phase.LEAVING or state.quiet_since_ms is None:
        return False
    return state.read_asked_ms >= state.quiet_since_ms and quiet(state, "", flat=flat)
