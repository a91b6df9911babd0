"""Follows wishes until the venue proves them: quiet in our books first, then a read-back asked after that."""

from breakwall.engine.state import Phase, State
from breakwall.engine.wishes import Wish
from breakwall.model.events import Event, ReadBack


def begin(state: State, wish: Wish) -> None:
    """Let it stand until it is proven. Said again, it is proven anew, with all that was done since the first time."""
    standing = state.flat_wishes.pop(wish.symbol, None)
    if standing is not None and standing.proven_ms is None:
        wish.panic |= standing.panic
        wish.cancelled, wish.closed = standing.cancelled, standing.closed
    state.flat_wishes[wish.symbol] = wish


def follow(state: State, event: Event) -> None:
    """After every event while a wish stands. A position or an entry that turns up again undoes everything."""
    ask = False
    for wish in state.wishes:
        if state.recovered_ms is None or not quiet(state, wish):
            wish.quiet_ms = wish.proven_ms = None
        elif wish.quiet_ms is None:
            wish.quiet_ms, ask = state.now, True
        elif isinstance(event, ReadBack) and wish.proven_ms is None:
            check(state, wish, event)
    if ask:
        state.ask_read_back("flatten")


def quiet(state: State, wish: Wish) -> bool:
    """No entry under way in its scope, nothing unknown, and no position where it should be flat."""
    held = wish.closes and any(wish.covers(position.symbol) for position in state.positions)
    return not held and not state.orders.open_entries(wish.symbol)


def check(state: State, wish: Wish, read_back: ReadBack) -> None:
    """Does this read-back prove it? One that was asked too early, or still shows something, is asked again."""
    shown = wish.shown(read_back, state.orders, state.instruments)
    wish.doubt = "; ".join(shown)
    if shown or wish.quiet_ms is None or read_back.asked_ms < wish.quiet_ms:
        state.read_back_due = "flatten"
        return
    wish.proven_ms = state.now
    what = "flat" if wish.closes else "nothing under way"
    whose = "" if wish.symbol else f"{wish.scope} "  # a line of one symbol begins with it
    text = f"{whose}{what}, proven by the exchange {state.now - wish.asked_ms} ms after it was asked"
    wish.alone = wish.left_alone(read_back, state.orders)
    text += f"; left alone, not ours: {', '.join(wish.alone)}" if wish.alone else ""
    state.say("flat" if wish.closes else "withdrawn", text, symbol=wish.symbol, durable=True)
    if wish.closes and state.phase is not Phase.LEAVING:  # who leaves stays flat, whatever turns up late
        state.flattened.append(state.flat_wishes.pop(wish.symbol))


def remains(state: State, wish: Wish) -> tuple[str, ...]:
    """What is left, or why nobody can say that nothing is; empty once it is proven."""
    if wish.proven_ms is not None:
        return ()
    if wish.quiet_ms is None:
        return tuple(wish.left(state.orders, state.positions, state.instruments)) or ("the account was not read yet",)
    unread = f"account not read: {state.read_back_why}" if state.read_back_why else "being read back"
    return (f"not proven yet: {wish.doubt or unread}",)


def settled(state: State, *, flat: bool) -> bool:
    """While leaving: whether the venue has proven all that was asked, also a panic on the way out, that nothing is
    left behind without a stop, and no order whose end nobody knows: the books would go on without it.
    """
    heard = state.leaving is not None and (not flat or "" in state.flat_wishes)
    naked = any(position.stop_ticks is None for position in state.positions.held())
    unknown = any(not order.rests for order in state.orders.open())
    return heard and not (naked or unknown) and all(wish.proven_ms is not None for wish in state.wishes)
