"""Positions in the books: what moved them, the executions behind it, and what they made once closed."""

from decimal import Decimal
from typing import Any

from breakwall.model.actions import PlaceOrder
from breakwall.model.events import Fill
from breakwall.model.ids import base36
from breakwall.model.records import ClosedTrade, PositionStep
from breakwall.storage.ledger import orders
from breakwall.storage.ledger.batch import Row
from breakwall.storage.ledger.line import Line, trace_of
from breakwall.storage.ledger.tables import FILLS, POSITION_STEPS, POSITIONS, TRADES

_ENDS = frozenset({"closed", "ended"})


def decided(line: Line, intent: PlaceOrder) -> str | None:
    """The position an order of ours is about: a new one for an entry (there is never one into another position), the
    one that is to be closed for an exit.
    """
    row = line.memory.position_of(intent.symbol)
    if intent.reduce_only:
        if row is not None and row["state"] == "OPEN":
            row["state"] = "CLOSING"
            _moved(line, row, "closing", intent.why)
    else:
        row = _open(line, intent.symbol, intent.client_id, intent.decided_ms, intent.trace)
        row["strategy"] = intent.plan.strategy if intent.plan else ""
        _moved(line, row, "opening", intent.why)
    return None if row is None else str(row["key"])


def moved(line: Line, symbol: str, step: PositionStep, text: str) -> None:
    """A change of a position. One that nobody opened here is one that was taken over."""
    row = line.memory.position_of(symbol)
    if row is None or (step.entry_id and row["entry_id"] and row["entry_id"] != step.entry_id):
        row = _open(line, symbol, step.entry_id, step.opened_ms, trace_of(step.entry_id) or line.trace)
    if step.what in _ENDS:
        row |= {"state": "CLOSED", "closed_ms": line.at_ms}
    else:
        row |= {"state": "CLOSING" if row["state"] == "CLOSING" else "OPEN", "stop": step.stop}
        row |= {"entry": step.entry, "liquidation": step.liquidation}
    row |= {"lots": step.lots, "qty": step.qty, "strategy": step.strategy, "entry_id": step.entry_id}
    _moved(line, row, step.what, text)


def filled(line: Line, fill: Fill) -> None:
    """One execution, or a payment of funding, with the order and the position it belongs to."""
    row = line.memory.position_of(fill.symbol)
    key = orders.exist(line, fill.client_id, fill.order_id, fill.symbol) if fill.client_id or fill.order_id else None
    values = {
        "exec_id": fill.exec_id,
        "source": line.source,
        "order_key": None if fill.exec_kind == "Funding" else key,
        "position_key": row["key"] if row else None,
        "symbol": fill.symbol,
        "client_id": fill.client_id,
        "exec_kind": fill.exec_kind,
        "side": fill.side.value,
        "lots": fill.lots,
        "qty": line.memory.qty(fill.symbol, fill.lots),
        "price": line.memory.price(fill.symbol, fill.ticks),
        "fee_usdt": fill.fee_usdt,
        "maker": fill.maker,
        "at_ms": fill.at_ms,
        "trace": trace_of(fill.client_id) or (row["trace"] if row else ""),
    }
    line.batch.add(FILLS, values)


def finished(line: Line, trade: ClosedTrade) -> None:
    """A finished round trip, with what it cost to get other prices than planned."""
    row = line.memory.positions.get(trade.symbol)
    sign, qty = trade.side.sign, trade.qty
    entered = None if trade.planned_entry is None else sign * (trade.entry - trade.planned_entry) * qty
    left_at = _left_at(trade, row)
    line.history(
        TRADES,
        position_key=row["key"] if row else None,
        symbol=trade.symbol,
        strategy=trade.strategy,
        side=trade.side.value,
        lots=trade.lots,
        qty=qty,
        entry=trade.entry,
        exit=trade.exit,
        gross_usdt=trade.gross_usdt,
        fees_usdt=trade.fees_usdt,
        funding_usdt=trade.funding_usdt,
        net_usdt=trade.net_usdt,
        planned_entry=trade.planned_entry,
        planned_stop=trade.planned_stop,
        planned_target=trade.planned_target,
        entry_slippage_usdt=entered,
        exit_slippage_usdt=None if left_at is None else sign * (left_at - trade.exit) * qty,
        best=trade.best,
        worst=trade.worst,
        reason=trade.reason,
        external=trade.external,
        estimated=trade.estimated,
        opened_ms=trade.opened_ms,
        closed_ms=trade.closed_ms,
        entry_id=trade.entry_id,
        trace=trade.trace,
    )


def _left_at(trade: ClosedTrade, row: Row | None) -> Decimal | None:
    """The price an exit by the exchange was planned at: the stop as it stood last, or the target."""
    if trade.reason == "stop":
        stop: Decimal | None = row["stop"] if row else None
        return trade.planned_stop if stop is None else stop
    return trade.planned_target if trade.reason == "take-profit" else None


def _open(line: Line, symbol: str, entry_id: str, opened_ms: int, trace: str) -> Row:
    """The row of a new position, remembered as its symbol's; what was open before was not seen to end."""
    before = line.memory.position_of(symbol)
    if before is not None:
        before |= {"state": "CLOSED", "closed_ms": line.at_ms, "lots": 0, "qty": Decimal(0)}
        _changed(line, before)
    row: Row = {
        "key": entry_id or f"{symbol}-{base36(opened_ms)}",
        "source": line.source,
        "symbol": symbol,
        "state": "OPENING",
        "strategy": "",
        "entry_id": entry_id,
        "trace": trace,
        "opened_ms": opened_ms,
        "changed_ms": line.at_ms,
        "closed_ms": None,
        "lots": 0,
        "qty": Decimal(0),
        "entry": None,
        "stop": None,
        "liquidation": None,
    }
    line.memory.positions[symbol] = row
    line.batch.add(POSITIONS, dict(row))
    return row


def _moved(line: Line, row: Row, what: str, text: str) -> None:
    row["changed_ms"] = line.at_ms
    _changed(line, row)
    told: dict[str, Any] = {name: row[name] for name in ("state", "lots", "qty", "entry", "stop")}
    line.history(
        POSITION_STEPS, position_key=row["key"], at_ms=line.at_ms, what=what, text=text, trace=line.trace, **told
    )


def _changed(line: Line, row: Row) -> None:
    values = {name: value for name, value in row.items() if name not in {"key", "source"}}
    line.batch.change(POSITIONS, row["key"], line.source, values)
