"""Every held position, looked after: its stop, its exits, and the wishes to be flat."""

from collections.abc import Iterable

from breakwall.engine.state import State
from breakwall.model.actions import MoveStop, PlaceOrder, Refused
from breakwall.trading import risk
from breakwall.trading.position import Position, PositionState
from breakwall.trading.protection import CloseNow, Need, SetStop


def on_tick(state: State) -> None:
    for position in state.positions.held():
        look_at(state, position)


def look_after(state: State, symbols: Iterable[str]) -> None:
    """After an event that touched these symbols: a missing stop does not wait for the next tick."""
    for symbol in sorted(symbols):
        position = state.positions.get(symbol)
        if position is not None:
            look_at(state, position)


def look_at(state: State, position: Position) -> None:
    """Protection first, then the wish to be flat, then the exits; nothing before the account was first read.

    It goes on while the private link is down: all it can send is reduce-only or a stop.
    """
    market = state.markets.get(position.symbol)
    if market is None or not position.is_open or state.recovered_ms is None:
        return
    need: Need | None = state.protection.need(
        position, market, state.now, exit_working=state.orders.exit_working(position.symbol)
    )
    if need is None and position.state is PositionState.OPEN:
        why = state.wants_flat(position.symbol)
        if why:
            need = state.protection.close(position, market, why, "f")
        elif market.live:
            price = market.best_bid if position.sign > 0 else market.best_ask
            if price is not None:
                position.observe(price, state.now)
            reason = state.exits.reason(position, market, state.now)
            need = state.protection.close(position, market, reason) if reason else None
    if need is not None:
        satisfy(state, position, need)


def satisfy(state: State, position: Position, need: Need) -> None:
    """Turn a need into an approved intent; a refusal of the last gate is told, never swallowed."""
    if isinstance(need, SetStop):
        move_stop(state, position, need)
    else:
        close(state, position, need)


def move_stop(state: State, position: Position, need: SetStop) -> None:
    approved = risk.approve_stop(position, need.stop_ticks, state.at, need.why)
    if isinstance(approved, Refused):
        state.say("refused", f"stop not moved: {approved.reason}", level="warning", symbol=position.symbol)
        return
    state.blotter.decided(approved.intent, state.at)
    state.out.append(approved)
    text = f"stop to {position.instrument.price_text(need.stop_ticks)}: {need.why}"
    state.say("stop", text, symbol=position.symbol, client_id=approved.intent.client_id)


def close(state: State, position: Position, need: CloseNow) -> None:
    approved = risk.approve_exit(position, state.at, need.why, need.leg, need.limit_ticks)
    if isinstance(approved, Refused):
        state.say("refused", f"not closed: {approved.reason}", level="error", symbol=position.symbol)
        return
    state.blotter.decided(approved.intent, state.at)
    state.out.append(approved)
    state.say("exit", f"closing: {need.why}", symbol=position.symbol, client_id=approved.intent.client_id)


def overtaken(state: State, intent: PlaceOrder | MoveStop) -> str:
    """Why an approved close or stop must not leave (any more); '' when it may."""
    position = state.positions.get(intent.symbol)
    if position is None or not position.is_open or position.opened_ms > intent.decided_ms:
        return "the position it was meant for is gone"
    held = position.held_stop_ticks
    if isinstance(intent, MoveStop) and held is not None and position.sign * (intent.stop_ticks - held) < 0:
        return f"a better stop stands by now: {held} ticks"
    return ""
