"""One pass of reconciliation in words: what was found, what was done, what is left and what follows from that."""

from msgspec import Struct

from breakwall.model.records import RecoveryReport
from breakwall.trading.blotter import Blotter
from breakwall.trading.order import Order
from breakwall.trading.position import Position
from breakwall.trading.reconcile.differences import Act, Difference, Findings

_DONE = {
    Act.KNOW: "",
    Act.WAIT: "asked again",
    Act.CANCEL: "cancelling it",
    Act.PROTECT: "setting its stop",
    Act.CLOSE: "closing it",
    Act.HALT: "a person must look",
    Act.EXPLAIN: "not explained",
}
_GRAVE = frozenset({Act.PROTECT, Act.HALT})
_GRAVE_AT_REST = _GRAVE | {Act.CANCEL, Act.CLOSE}


class Escalation(Struct, frozen=True):
    """What follows when passes were not enough; both empty: nothing, what is left only locks its symbol.

    `halt` is why trading halts until a person resets it, `observe` what nobody can explain.
    """

    halt: str = ""
    observe: str = ""


def report_of(
    number: int, purpose: str, at_ms: int, findings: Findings, restored: tuple[str, ...] = ()
) -> RecoveryReport:
    """The report of one pass; `restored` are the machines that were taken over before it."""
    return RecoveryReport(
        number=number,
        purpose=purpose,
        at_ms=at_ms,
        actions=tuple(_action(difference) for difference in findings.differences),
        restored=restored,
        hanging=findings.hanging,
        clean=not findings.left,
        verdict=_verdict(findings),
    )


def escalation(findings: Findings, *, trading: bool) -> Escalation:
    """What the last pass leads to. Whatever is only being asked for needs no person: its symbol waits for it; and so
    does what is being cancelled or closed while we are `trading`, which a slow exchange may delay.
    """
    grave_acts = _GRAVE if trading else _GRAVE_AT_REST
    grave = [_named(difference) for difference in findings.left if difference.act in grave_acts]
    strange = [_named(difference) for difference in findings.left if difference.act is Act.EXPLAIN]
    return Escalation("; ".join(grave), "; ".join(strange))


def machines(blotter: Blotter) -> tuple[str, ...]:
    """The state machines taken over, each with how often it had moved."""
    return (*map(_position_words, blotter.positions), *map(_order_words, blotter.orders.open()))


def _verdict(findings: Findings) -> str:
    if findings.left:
        return f"{len(findings.left)} left: {'; '.join(_named(difference) for difference in findings.left)}"
    taken = len(findings.differences)
    return f"clean, {taken} told or taken over" if taken else "clean: book and exchange agree"


def _action(difference: Difference) -> str:
    done = _DONE[difference.act]
    return _named(difference) + (f": {done}" if done else "")


def _named(difference: Difference) -> str:
    return f"{difference.symbol} {difference.text}"


def _position_words(position: Position) -> str:
    held = f"{position.instrument.qty_text(position.lots)} at {position.entry:f}" if position.lots else "nothing yet"
    return (
        f"position {position.symbol} {position.state.value}: {held}, {position.strategy}, "
        f"{_moves(len(position.history))}"
    )


def _order_words(order: Order) -> str:
    return f"order {order.client_id} in {order.symbol} {order.state.value}, {_moves(len(order.history))}"


def _moves(number: int) -> str:
    return f"{number} move" + ("" if number == 1 else "s")
