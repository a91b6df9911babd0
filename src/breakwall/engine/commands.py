"""What a person, or the process that leaves, asks for. Flatten, cancel and stops work in every state."""

from collections.abc import Callable

from breakwall.engine import audit, booking, flattening, guarding, observing, reconciling
from breakwall.engine.state import Phase, State
from breakwall.engine.wishes import Wish, position_words
from breakwall.model.actions import Refused, ResetApi
from breakwall.model.api import ApiGroup
from breakwall.model.events import Command, CommandKind
from breakwall.trading import risk
from breakwall.trading.breaker import RULES
from breakwall.trading.order import Order
from breakwall.trading.position import Position
from breakwall.trading.protection import SetStop


def on_command(state: State, event: Command) -> None:
    """Every command gets an answer in the log: what it did, or why it did nothing."""
    kind, symbol = event.kind.value, event.symbol if event.kind in _OF_A_SYMBOL else ""
    why = f": {event.why}" if event.why else ""
    state.say("command", f"{kind} {symbol or 'all symbols'} by {event.who}{why}", symbol=symbol)
    before = audit.condition(state, symbol)
    stranger = symbol and state.markets and symbol not in state.markets
    answer = Refused("symbol", f"{symbol} is not followed") if stranger else _EFFECTS[event.kind](state, event)
    booking.on_word(state, event)
    words = answer.reason if isinstance(answer, Refused) else answer
    deed = audit.command(state, event, symbol, before, answer)
    state.say("answer", f"{kind}: {words}", symbol=symbol, record=deed)


def cancel_entries(state: State, symbol: str, why: str) -> list[Order]:
    """Withdraw our open entries; those that were not sent yet never leave. Stops are not touched."""
    withdrawn = []
    for order in state.orders.open_entries(symbol):
        approved = risk.approve_cancel(order, state.at, why)
        if isinstance(approved, Refused):
            continue
        booking.take(state, state.blotter.decided(approved.intent, state.at))
        state.out.append(approved)
        withdrawn.append(order)
    return withdrawn


# What each command does, and the words for it; `Refused` where nothing of it was done.


def _arm(state: State, event: Command) -> str:
    del event
    before, state.safe, state.panicked = state.armed, "", ""
    but = f"; no entries yet: {state.why}" if state.why else ""
    return ("ARMED already" if before else "ARMED") + but


def _disarm(state: State, event: Command) -> str:
    before, state.safe = state.armed, event.asked(state.now)
    withdrawn = cancel_entries(state, "", f"SAFE by {event.who}")
    return f"{'SAFE' if before else 'SAFE already'}, {_withdrawn(withdrawn)}"


def _pause(state: State, event: Command) -> str:
    already = " already" if state.breaker.paused(event.symbol) else ""
    return f"{event.symbol or 'all symbols'} paused{already}: no entries until resumed"


def _resume(state: State, event: Command) -> str:
    paused = state.breaker.pauses(event.symbol)
    if paused:
        return f"lifted: {'; '.join(paused)}"
    general = state.breaker.paused(event.symbol)
    return f"not lifted for {event.symbol} alone: {general}" if general else "nothing was paused"


def _halt(state: State, event: Command) -> str:
    del event
    already = " already" if state.breaker.halted else ""
    return f"halted{already}: exits, stops and cancels only until the breaker is reset"


def _reset(state: State, event: Command) -> str | Refused:
    """Of all, or of one rule and scope (a symbol or a strategy)."""
    names = [rule.name for rule in RULES]
    if event.name and event.name not in names:
        return Refused("rule", f"no such rule: {event.name}; there are {', '.join(names)}")
    named = " ".join(word for word in (event.name, event.symbol) if word)
    observed = "" if named else observing.explained(state, f"reset by {event.who}")
    texts = [trip.text for trip in state.breaker.liftable(event.name, event.symbol)] + [observed] * bool(observed)
    lifted = f"lifted: {'; '.join(texts)}" if texts else "nothing was tripped"
    return f"{named or 'the limits'} count{'s' if named else ''} anew from here; {lifted}"


def _reset_api(state: State, event: Command) -> str | Refused:
    """The broker's circuits are closed; each says so by itself."""
    groups = [group.value for group in ApiGroup]
    name = event.name or ApiGroup.ALL.value
    if name not in groups:
        return Refused("group", f"no such group: {name}; there are {', '.join(groups)}")
    state.out.append(ResetApi(ApiGroup(name)))
    return f"API breaker of {name} is closed by hand; a ban of our address stays"


def _reconcile(state: State, event: Command) -> str:
    del event
    if state.recovered_ms is None:
        return "the account is being read for the first time"
    reconciling.begin(state, reconciling.BY_HAND)
    return f"the account is read now, in at most {state.settings.recovery.passes} passes; each is told"


def _cancel(state: State, event: Command) -> str:
    withdrawn = cancel_entries(state, event.symbol, f"asked by {event.who}")
    return _withdrawn(withdrawn) if withdrawn else f"nothing to cancel in {event.symbol or 'any symbol'}"


def _flatten(state: State, event: Command) -> str:
    return _to_flat(state, event.symbol, event)


def _panic(state: State, event: Command) -> str:
    state.safe, state.panicked = f"panic {event.asked(state.now)}", f"panic by {event.who}"
    return f"SAFE; {_to_flat(state, '', event)}"


def _to_flat(state: State, symbol: str, event: Command) -> str:
    """Close everything of this scope, and whatever an entry in flight may still open there."""
    why = f"{event.kind.value} by {event.who}" + (f": {event.why}" if event.why else "")
    panic = event.kind is CommandKind.PANIC
    flattening.begin(state, Wish(symbol, why, state.now, panic=panic))
    withdrawn, held = cancel_entries(state, symbol, why), _held(state, symbol)
    words = [f"closing {position_words(position)}" for position in held]
    guarding.look_after(state, [position.symbol for position in held])
    if state.recovered_ms is None:
        return "as soon as the account has been read"
    return "; ".join([*(words or ["no position"]), _withdrawn(withdrawn), "the account is read back to prove it"])


def _breakeven(state: State, event: Command) -> str | Refused:
    held = _held(state, event.symbol)
    wanted = [_to_breakeven(state, position, event.who) for position in held]
    words = [
        f"{position.symbol} stop not moved: {wish.reason}"
        if isinstance(wish, Refused)
        else f"{position.symbol} stop to {position.instrument.price_text(wish.stop_ticks)}"
        for position, wish in zip(held, wanted, strict=True)
    ]
    if all(isinstance(wish, Refused) for wish in wanted):
        nothing = f"no position in {event.symbol}" if event.symbol else "no position"
        return Refused("breakeven", "; ".join(words) or nothing)
    return "; ".join(words)


def _to_breakeven(state: State, position: Position, who: str) -> SetStop | Refused:
    market = state.markets.get(position.symbol)
    if market is None:
        return Refused("breakeven", "its market is only now followed again")
    wanted = state.protection.wish_for_breakeven(position, market, state.now, who)
    if isinstance(wanted, SetStop):
        guarding.move_stop(state, position, wanted)
    return wanted


def _stop(state: State, event: Command) -> str:
    del event
    state.phase = Phase.LEAVING
    state.leaving = Wish("", "leaving", state.now, closes=False)
    return f"leaving, {_withdrawn(cancel_entries(state, '', 'leaving'))}"


def _held(state: State, symbol: str) -> list[Position]:
    return [position for position in state.positions.held() if symbol in {"", position.symbol}]


def _withdrawn(orders: list[Order]) -> str:
    if not orders:
        return "no entry under way"
    names = ", ".join(f"{order.client_id} in {order.symbol}" for order in orders)
    return f"withdrawing {'entry' if len(orders) == 1 else 'entries'} {names}"


_EFFECTS: dict[CommandKind, Callable[[State, Command], str | Refused]] = {
    CommandKind.ARM: _arm,
    CommandKind.DISARM: _disarm,
    CommandKind.PAUSE: _pause,
    CommandKind.RESUME: _resume,
    CommandKind.FLATTEN: _flatten,
    CommandKind.PANIC: _panic,
    CommandKind.CANCEL: _cancel,
    CommandKind.BREAKEVEN: _breakeven,
    CommandKind.HALT: _halt,
    CommandKind.RESET_BREAKER: _reset,
    CommandKind.RESET_API: _reset_api,
    CommandKind.RECONCILE: _reconcile,
    CommandKind.STOP: _stop,
}
"""One row per kind; a test compares it with `CommandKind`."""

_OF_A_SYMBOL = {
    CommandKind.PAUSE,
    CommandKind.RESUME,
    CommandKind.FLATTEN,
    CommandKind.CANCEL,
    CommandKind.BREAKEVEN,
}
"""The others are for everything, whatever symbol they name."""
