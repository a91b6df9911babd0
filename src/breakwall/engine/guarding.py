"""Every held position, looked after: its stop, its exits, and the wishes to be flat."""

from collections.abc import Iterable

from breakwall.engine.state import State
from breakwall.market.state import Market
from breakwall.model.actions import CancelOrder, MoveStop, PlaceOrder, Refused
from breakwall.trading import risk
from breakwall.trading.delivery import due_out
from breakwall.trading.position import Position, PositionState
from breakwall.trading.protection import CloseNow, Need, SetStop

UNREAD_MS = 1_000
"""How long the account may take to be read before a wish to be flat goes by what the journal knows."""


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
    """Whatever it needs now is asked for, protection first.

    It goes on while the private link is down: all it can send is reduce-only or a stop.
    """
    market = state.markets.get(position.symbol)
    if market is None or not position.is_open:
        return
    known = state.recovered_ms is not None
    need = need_of(state, position, market) if known else need_unread(state, position, market)
    if need is not None:
        satisfy(state, position, need)


def need_of(state: State, position: Position, market: Market) -> Need | None:
    """Protection first, then whatever wants it closed, then the exits."""
    need = _protection(state, position, market)
    if isinstance(need, SetStop) and position.stop_ticks is not None and state.banned:
        need = None  # it stands, if not as well as it could; the exits go on by the trade socket
    if need is not None or position.state is not PositionState.OPEN:
        return need
    why = why_closed(state, position)
    if why:
        return state.protection.close(position, market, why, "f")
    if not market.live:
        return None
    price = market.best_bid if position.sign > 0 else market.best_ask
    if price is not None:
        position.observe(price, state.now)
    reason = state.exits.reason(position, market, state.now)
    return state.protection.close(position, market, reason) if reason else None


def need_unread(state: State, position: Position, market: Market) -> Need | None:
    """Of a position that only the journal knows nothing is asked, except where a person wants to be flat and the
    account cannot be read: a reduce-only close does no harm where there is nothing to close.
    """
    wish = state.flat_wishes.get(position.symbol) or state.flat_wishes.get("")
    if wish is None or not (state.read_back_why or state.now - wish.asked_ms >= UNREAD_MS):
        return None
    if position.state is PositionState.OPEN:
        return state.protection.close(position, market, wish.why, "f")
    return _protection(state, position, market)


def why_closed(state: State, position: Position) -> str:
    """Who wants this position closed, in words; empty where nobody does."""
    foreign = position.foreign and state.foreign == "close" and position.stop_ticks is not None
    late = "" if position.foreign or not state.panicked else f"filled after {state.panicked}"
    before_min = state.settings.risk.close_before_delivery_min
    ends = due_out(position.instrument, before_min, state.now + state.venue_offset_ms)
    return (
        state.wants_flat(position.symbol)
        or late
        or ends
        or ("not ours: [recovery] foreign = close" if foreign else "")
    )


def _protection(state: State, position: Position, market: Market) -> Need | None:
    working = state.orders.exit_working(position.symbol)
    return state.protection.need(position, market, state.now, exit_working=working)


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


def overtaken(state: State, intent: PlaceOrder | MoveStop | CancelOrder) -> str:
    """Why an approved close, stop or cancel must not leave (any more); '' when it may."""
    position = state.positions.get(intent.symbol)
    if isinstance(intent, CancelOrder):
        order = state.orders.get(intent.target) or state.orders.by_order_id(intent.order_id)
        orphan = order is not None and order.stop_kind
        return "the stop has a position behind it by now" if orphan and position is not None else ""
    if position is None or not position.is_open or position.opened_ms > intent.decided_ms:
        return "the position it was meant for is gone"
    held = position.held_stop_ticks
    if isinstance(intent, MoveStop) and held is not None and position.sign * (intent.stop_ticks - held) < 0:
        return f"a better stop stands by now: {held} ticks"
    return ""
