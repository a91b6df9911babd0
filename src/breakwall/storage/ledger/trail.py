"""The audit: each thing that was decided, asked for or answered, with who, why, and what came of it."""

from typing import Any

import msgspec

from breakwall.model.actions import CancelOrder, MoveStop, Note, PlaceOrder
from breakwall.model.events import Outcome, OutcomeKind
from breakwall.model.records import Deed, SignalContext
from breakwall.model.units import fixed
from breakwall.storage.ledger.line import Line, trace_of
from breakwall.storage.ledger.tables import AUDIT

ENGINE = "engine"
_SUCCESS = {OutcomeKind.CONFIRMED: True, OutcomeKind.UNKNOWN: None}


def intended(line: Line, intent: PlaceOrder | CancelOrder | MoveStop) -> None:
    """What we are about to ask of the exchange; its outcome is a line of its own."""
    memory, symbol = line.memory, intent.symbol
    what: dict[str, Any]
    match intent:
        case PlaceOrder():
            what = {"action": "place", "entity": "order", "entity_id": intent.client_id}
            what["after"] = _order_text(line, intent)
        case CancelOrder():
            what = {"action": "cancel", "entity": "order", "entity_id": intent.target or f"#{intent.order_id}"}
        case MoveStop():
            row = memory.position_of(symbol)
            stop = memory.price(symbol, intent.stop_ticks)
            what = {"action": "move stop", "entity": "position", "entity_id": row["key"] if row else symbol}
            what["before"] = fixed(row["stop"]) if row and row["stop"] is not None else ""
            what["after"] = f"{intent.stop_ticks} ticks" if stop is None else fixed(stop)
    context = memory.signal[1] if memory.signal[0] == intent.trace else "{}"
    _write(line, symbol=symbol, who=ENGINE, why=intent.why, success=None, trace=intent.trace, context=context, **what)


def answered(line: Line, outcome: Outcome) -> None:
    """What became of it, as far as is known."""
    success = _SUCCESS.get(outcome.kind, False)
    code = f" (code {outcome.code})" if outcome.code else ""
    _write(
        line,
        action=f"{outcome.operation} answered",
        entity="position" if outcome.operation == "stop" else "order",
        entity_id=outcome.client_id,
        symbol=outcome.symbol,
        after=outcome.kind.value,
        who="exchange" if outcome.kind is not OutcomeKind.REFUSED else ENGINE,
        why="",
        success=success,
        error="" if success else f"{outcome.reason}{code}",
        trace=trace_of(outcome.client_id),
    )


def signalled(line: Line, note: Note, signal: SignalContext) -> None:
    """A signal that was decided on, with the market as it was: ordered, or refused by a check."""
    context = msgspec.json.encode(signal).decode()
    line.memory.signal = (note.trace, context)
    _write(
        line,
        action="signal refused" if signal.refused_by else "signal ordered",
        entity="signal",
        entity_id=note.trace,
        symbol=note.symbol,
        after=note.client_id,
        who=signal.strategy,
        why="; ".join(signal.reasons),
        success=not signal.refused_by,
        error=f"{signal.refused_by}: {signal.reason}" if signal.refused_by else "",
        trace=note.trace,
        context=context,
    )


def done(line: Line, note: Note, deed: Deed) -> None:
    """Something done to how we trade."""
    _write(
        line,
        action=deed.action,
        entity=deed.entity,
        entity_id=deed.entity_id,
        symbol=note.symbol,
        before=deed.before,
        after=deed.after,
        who=deed.who,
        why=deed.why or note.text,
        success=deed.success,
        error=deed.error,
        trace=note.trace,
    )


def _write(line: Line, **values: Any) -> None:
    row = {"before": "", "after": "", "error": "", "context": "{}"}
    line.history(AUDIT, at_ms=line.at_ms, **(row | values))


def _order_text(line: Line, intent: PlaceOrder) -> str:
    memory, symbol = line.memory, intent.symbol
    qty = memory.qty(symbol, intent.lots)
    limit, stop = memory.price(symbol, intent.limit_ticks), memory.price(symbol, intent.stop_ticks)
    words = [
        intent.side.value.lower(),
        f"{intent.lots} lots" if qty is None else fixed(qty),
        intent.kind.value.lower(),
    ]
    words += [f"at {fixed(limit)}"] if limit is not None else []
    words += [f"stop {fixed(stop)}"] if stop is not None else []
    return " ".join([*words, "reduce-only"] if intent.reduce_only else words)
