"""Observing only: what nobody can explain stays as it is, stops stay, nothing is opened; and the ways out of it."""

from collections.abc import Iterable

from breakwall.engine.state import Phase, State
from breakwall.model.actions import Note
from breakwall.model.events import Fill
from breakwall.model.ids import parse
from breakwall.trading.orders import is_ours
from breakwall.trading.reconcile.differences import by_another
from breakwall.trading.reconcile.restore import EXPLAINED, OBSERVING

_CLOSES = frozenset("xfk")
"""The legs of client ids that only ever close: exit, flatten, emergency."""


def observe(state: State, why: str) -> None:
    """From now on only look and protect, until a person has looked as well."""
    if why in state.observing:
        return
    state.observing = f"{state.observing}; {why}" if state.observing else why
    if state.phase is Phase.TRADING:
        state.phase = Phase.OBSERVING
    way_out = "a reconcile by hand that comes out clean, or a reset, ends it"
    text = f"observing only: {why}; {way_out}"
    state.out.append(Note(OBSERVING, text, "error", trace=state.at.trace, durable=True, data={"why": why}))


def explained(state: State, how: str) -> str:
    """A person has looked: trade on. What was lifted, in words; empty where nothing was."""
    lifted, state.observing = state.observing, ""
    if state.phase is Phase.OBSERVING:
        state.phase = Phase.TRADING
    if lifted:
        state.explained_ms = state.now + state.venue_offset_ms
        state.say(EXPLAINED, f"not observing only any more, {how}: {lifted}", durable=True)
    return lifted


def notice_others(state: State, fills: Iterable[Fill]) -> None:
    """Executions of orders with ids of our form that are not in our books.

    Two of us on one account never agree; and a journal that does not know them has lost something. Each reading shows
    them again for a while: those of before a person looked are not told again.
    """
    since_ms = state.now if state.recovered_ms is None else state.recovered_ms
    for fill in fills:
        known = state.orders.get(fill.client_id) is not None or state.positions.booked(fill.exec_id)
        if known or fill.at_ms <= state.explained_ms or not is_ours(fill.client_id):
            continue
        order = f"order {fill.client_id} in {fill.symbol} was filled"
        if by_another(fill.client_id, fill.at_ms, state.run, since_ms):
            observe(state, f"another Breakwall trades on this account: {order}")
        elif left_unwritten(fill):
            text = f"{order}: a close of ours that left before the journal had it"
            state.say("unwritten", text, level="warning", symbol=fill.symbol, durable=True)
        else:
            observe(state, f"the journal has lost what it knew of an order of ours: {order}")


def left_unwritten(fill: Fill) -> bool:
    """Closes need not wait for a slow journal, and a program may die between the two; they can only have closed."""
    made = parse(fill.client_id)
    return made is not None and made.leg in _CLOSES and fill.closed_lots >= fill.lots
