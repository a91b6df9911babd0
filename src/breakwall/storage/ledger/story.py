"""One trade from its signal to its result, or what became of an order, told in the order it happened."""

from decimal import Decimal

import msgspec
from msgspec import Struct

from breakwall.model.records import SignalContext
from breakwall.model.units import fixed
from breakwall.storage.ledger.booked import (
    AuditLine,
    BookedChange,
    BookedFill,
    BookedOrder,
    BookedStep,
    BookedTrade,
)
from breakwall.storage.ledger.books import Books
from breakwall.storage.ledger.line import trace_of


class Sentence(Struct, frozen=True):
    """One thing that happened; `source` orders them as the journal has them."""

    at_ms: int
    what: str
    text: str
    trace: str
    source: int


class Story(Struct, frozen=True):
    """All that belongs to one name; no sentences: nothing is known of it."""

    name: str
    symbol: str
    sentences: tuple[Sentence, ...]


def tell(books: Books, name: str) -> Story:
    """By a trace id, any client id of ours, the exchange's id of an order, or a position's key.

    The whole trades that it belongs to, else the order or the signal alone.
    """
    trace = trace_of(name) or name
    order = books.order(name)
    orders = {one.key: one for one in ([order] if order else books.orders_of(trace=trace))}
    about = [line.entity_id for line in books.audit_of([trace]) if line.entity == "position"]
    keys = [name, *(one.position_key for one in orders.values() if one.position_key), *about]
    positions = {position.key: position for key in keys if (position := books.position(key))}
    orders |= {one.key: one for key in positions for one in books.orders_of(position=key)}
    traces = {trace, *(one.trace for one in orders.values()), *(position.trace for position in positions.values())}
    traces |= {line.trace for key in positions for line in books.audit_about("position", key)}
    audit = books.audit_of(sorted(traces - {""}))
    told = [_of_audit(line) for line in audit]
    told += [sentence for one in orders.values() for sentence in _of_order(books, one)]
    told += [sentence for key in positions for sentence in _of_position(books, key)]
    symbols = [*(one.symbol for one in positions.values()), *(one.symbol for one in orders.values())]
    symbols += [line.symbol for line in audit]
    return Story(name, symbols[0] if symbols else "", tuple(sorted(told, key=lambda sentence: sentence.source)))


def life_of_order(books: Books, name: str) -> Story:
    """All moves of one order."""
    order = books.order(name)
    if order is None:
        return Story(name, "", ())
    return Story(name, order.symbol, tuple(_of_step(order, step) for step in books.order_steps(order.key)))


def life_of_position(books: Books, name: str) -> Story:
    """All changes of one position."""
    position = books.position(name)
    if position is None:
        return Story(name, "", ())
    return Story(name, position.symbol, tuple(_of_change(change) for change in books.position_steps(position.key)))


def _of_order(books: Books, order: BookedOrder) -> list[Sentence]:
    steps = [_of_step(order, step) for step in books.order_steps(order.key)]
    return [*steps, *(_of_fill(fill) for fill in books.fills_of(order=order.key))]


def _of_position(books: Books, key: str) -> list[Sentence]:
    funding = [fill for fill in books.fills_of(position=key) if fill.order_key is None]
    told = [_of_change(change) for change in books.position_steps(key)]
    return [*told, *map(_of_fill, funding), *map(_of_trade, books.trades_of(key))]


def _of_audit(line: AuditLine) -> Sentence:
    text = _of_signal(line) if line.entity == "signal" else _of_deed(line)
    return Sentence(line.at_ms, line.entity, text, line.trace, line.source or 0)


def _of_deed(line: AuditLine) -> str:
    words = [f"{line.action} {line.entity_id}".strip()]
    words += [f"{line.before} -> {line.after}" if line.before else line.after] if line.before or line.after else []
    words += [f"by {line.who}"]
    words += [f"because {line.why}"] if line.why else []
    words += [f"FAILED: {line.error}"] if line.success is False else [line.error] if line.error else []
    return "; ".join(words)


def _of_signal(line: AuditLine) -> str:
    """The signal, the market as it was, and what the ten checks answered."""
    signal = msgspec.json.decode(line.context, type=SignalContext)
    passed = sum(answer[1] for answer in signal.checks)
    words = [f"{signal.strategy} {signal.side.lower()} {fixed(signal.qty)} at {fixed(signal.price)}"]
    words += [f"stop {fixed(signal.stop)}, target {fixed(signal.target)}, strength {signal.strength:.2f}"]
    words += signal.reasons
    words += [f"spread {fixed(signal.spread)}"] if signal.spread is not None else []
    words += [f"imbalance {signal.imbalance:+.2f}"] if signal.imbalance is not None else []
    words += [", ".join(f"{name} {value:g}" for name, value in signal.indicators.items())]
    words += [f"{passed} of {len(signal.checks)} checks passed"]
    words += [f"{name}: {why}" for name, good, why in signal.checks if not good]
    words += [f"refused by {signal.refused_by}: {signal.reason}" if signal.refused_by else f"ordered as {line.after}"]
    return "; ".join(word for word in words if word)


def _of_step(order: BookedOrder, step: BookedStep) -> Sentence:
    moved = f"{step.before} -> {step.after} ({step.cause})" if step.before else f"{step.after} ({step.cause})"
    words = [f"{order.key} {moved}", f"{step.filled_lots} of {order.lots} lots filled"]
    words += [step.reason] if step.reason else []
    words += [f"ALARM: {step.alarm}"] if step.alarm else []
    words += [] if step.legal else ["not allowed from there: it did not move"]
    return Sentence(step.at_ms, "order", "; ".join(words), step.trace, step.source)


def _of_fill(fill: BookedFill) -> Sentence:
    fee = f"{fixed(fill.fee_usdt)} USDT"
    if fill.exec_kind == "Funding":
        return Sentence(fill.at_ms, "funding", f"{fee} paid", fill.trace, fill.source)
    size = f"{fill.lots} lots" if fill.qty is None else fixed(fill.qty)
    price = "an unknown price" if fill.price is None else fixed(fill.price)
    role = "maker" if fill.maker else "taker"
    text = f"{fill.order_key}: {fill.side.lower()} {size} at {price}, {role} fee {fee}"
    return Sentence(fill.at_ms, "fill", text, fill.trace, fill.source)


def _of_change(change: BookedChange) -> Sentence:
    held = f"holds {change.qty:+f}" + (f" from {fixed(change.entry)}" if change.entry is not None else "")
    stop = "no stop yet" if change.stop is None else f"stop {fixed(change.stop)}"
    state = f"{change.state}, {held}, {stop}" if change.lots else change.state
    return Sentence(change.at_ms, "position", f"{change.text}; {state}", change.trace, change.source)


def _of_trade(trade: BookedTrade) -> Sentence:
    paid = f"fees {trade.fees_usdt:.4f} - funding {trade.funding_usdt:.4f}"
    words = [
        f"{trade.strategy} {trade.side.lower()} {fixed(trade.qty)}, {_price(trade.entry)} to {_price(trade.exit)}",
        f"net {trade.net_usdt:+.4f} USDT = gross {trade.gross_usdt:+.4f} - {paid}",
        trade.reason,
        f"best {_price(trade.best)}, worst {_price(trade.worst)} per coin",
    ]
    slipped = [
        f"{where} slippage {cost:+.4f} USDT"
        for where, cost in (("entry", trade.entry_slippage_usdt), ("exit", trade.exit_slippage_usdt))
        if cost is not None
    ]
    words += [", ".join(slipped)] if slipped else []
    words += ["estimated: the closing executions were never seen"] if trade.estimated else []
    return Sentence(trade.closed_ms, "result", "; ".join(words), trade.trace, trade.source)


def _price(average: Decimal) -> str:
    """An average has no end; six significant digits behind the whole coin are enough to read."""
    return fixed(round(average, 6))
