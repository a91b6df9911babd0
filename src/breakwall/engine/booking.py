"""What the venue and the executor say about our orders and positions: into the blotter, and into words."""

from collections.abc import Iterable

from msgspec.structs import replace

from breakwall.engine import audit, flattening, guarding, observing
from breakwall.engine.state import State
from breakwall.engine.wishes import Wish
from breakwall.model.actions import Note
from breakwall.model.events import (
    CommandKind,
    Event,
    Fill,
    Fills,
    Outcome,
    OutcomeKind,
    PositionReports,
)
from breakwall.model.records import ClosedTrade
from breakwall.model.units import Side, fixed
from breakwall.trading.blotter import Change
from breakwall.trading.breaker import Tier, Trip
from breakwall.trading.order import Cause, OrderChange
from breakwall.trading.position_change import PositionChange
from breakwall.trading.positions import FORCED

PRUNE_EVERY_MS = 60_000


def on_word(state: State, event: Event) -> None:
    """A private event that needs no more than being booked."""
    take(state, state.blotter.apply(event, state.at))


def on_outcome(state: State, event: Outcome) -> None:
    """An unknown outcome is asked after at the next tick. A stop that did not stand is seen to at once; it, and a
    close that found nothing to close, ask how things really are.
    """
    take(state, state.blotter.apply(event, state.at))
    if event.kind is not OutcomeKind.CONFIRMED:
        code = f" (code {event.code})" if event.code else ""
        text = f"{event.operation} {event.kind.value}: {event.reason}{code}"
        state.say("outcome", text, level="warning", symbol=event.symbol, client_id=event.client_id, durable=True)
        order = state.orders.get(event.client_id)
        if event.operation == "stop" or (order is not None and order.reduce_only):
            state.read_back_due = state.read_back_due or "proof"
    guarding.look_after(state, {event.symbol})


def on_fills(state: State, event: Fills) -> None:
    observing.notice_others(state, event.fills)
    count(state, event.fills)
    take(state, state.blotter.apply(event, state.at))
    guarding.look_after(state, {fill.symbol for fill in event.fills})


def on_position_reports(state: State, event: PositionReports) -> None:
    take(state, state.blotter.apply(event, state.at))
    guarding.look_after(state, {report.symbol for report in event.reports})


def on_tick(state: State) -> None:
    """Differences with the venue that have lasted, the equity at the marks, and lifted breaker rules."""
    tripped = state.breaker.told
    marks = {symbol: market.mark for symbol, market in state.markets.items()}
    take(state, state.blotter.on_tick(marks, state.at))
    held = {trip.key for trip in state.breaker.told}
    for trip in tripped:
        if trip.key not in held:
            state.say("breaker", f"over: {trip.text}", record=audit.lifted(trip, "its time has passed"))
    if state.now - state.pruned_ms >= PRUNE_EVERY_MS:
        state.pruned_ms = state.now
        state.orders.prune(state.now)


def take(state: State, changes: Iterable[Change]) -> None:
    """Tell and count what changed."""
    for change in changes:
        if isinstance(change, OrderChange):
            take_order(state, change)
        elif isinstance(change, PositionChange):
            take_position(state, change)
        elif isinstance(change, Trip):
            state.sums.breaker_trips += 1
            state.out.append(replace(change.note, record=audit.tripped(change)))
            if change.tier is Tier.FLATTEN and not change.scope:
                flattening.begin(state, Wish("", change.text, state.now))


def take_order(state: State, change: OrderChange) -> None:
    """Moves of our orders are told; of the venue's own (stops' children) only alarms."""
    moved = change.order.intent is not None and (change.before is not change.after or not change.legal)
    if moved or change.alarm:
        state.out.append(change.note)
    if change.ended and change.order.is_entry:
        for wish in state.wishes:
            wish.on_entry_ended(change.order, state.instruments[change.order.symbol])
    state.sums.orders_sent += change.cause is Cause.SENT and change.before is not change.after


def take_position(state: State, change: PositionChange) -> None:
    state.out.append(change.note)
    if change.kind in {"opened", "adopted"}:
        position = state.positions.get(change.symbol)
        state.sums.opened_by[position.strategy if position is not None else "adopted"] += 1
    if change.closed is not None:
        state.sums.closed_by[change.closed.strategy] += 1
        state.sums.realised_pnl_usdt += change.closed.net_usdt
        state.out.append(closed_note(change.closed))
        why = _why_paused(change.closed)
        if why:
            take(state, state.breaker.on_command(CommandKind.PAUSE, "recovery", why, state.now, change.symbol))
        for wish in state.wishes:
            wish.on_closed(change.closed, state.instruments[change.symbol])


def _why_paused(trade: ClosedTrade) -> str:
    """Why a person must look before anything new is opened in its symbol; '' where nothing is strange."""
    if trade.reason in FORCED:
        return f"{trade.reason} of its position by the exchange"
    return "its position is gone, and no execution tells how" if trade.estimated else ""


def count(state: State, fills: Iterable[Fill]) -> None:
    """Sums of executions that are not booked yet; ask before they are."""
    for fill in fills:
        if state.positions.booked(fill.exec_id):
            continue
        state.fills_since_ms = max(state.fills_since_ms, fill.at_ms)
        if fill.exec_kind == "Funding":
            state.sums.funding_usdt += fill.fee_usdt
        else:
            state.sums.fills += 1
            state.sums.fees_usdt += fill.fee_usdt


def closed_note(trade: ClosedTrade) -> Note:
    """The finished trade, whole, for the journal."""
    side = "long" if trade.side is Side.BUY else "short"
    estimate = " (estimated)" if trade.estimated else ""
    return Note(
        kind="closed-trade",
        text=f"{trade.strategy} {side} {fixed(trade.qty)} made {trade.net_usdt:+.2f} USDT{estimate}: {trade.reason}",
        level="debug",
        symbol=trade.symbol,
        trace=trade.trace,
        client_id=trade.entry_id,
        durable=True,
        record=trade,
    )
