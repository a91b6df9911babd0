"""What may be believed: one answer for all panes, so that no two of them disagree.

A market is believed while it is live, a stop while its proof is young, an order once the exchange has said it has it.
"""

from decimal import Decimal
from enum import IntEnum

from breakwall.app.rows.figures import age
from breakwall.app.rows.row import Cell
from breakwall.model.view import PROVEN_MS, OrderView, PositionView, SymbolView, View

_HELD_BY_THE_EXCHANGE = {"PLACED", "PARTIALLY_FILLED", "AMENDING", "CANCELLING"}


class Stop(IntEnum):
    """What is known of a position's stop, the worst first."""

    NONE = 0
    UNPROVEN = 1
    PROVEN = 2


def stop_of(held: PositionView) -> Stop:
    """NONE: no stop is known; UNPROVEN: it was not read back lately."""
    if held.stop is None or held.naked_ms is not None:
        return Stop.NONE
    return Stop.PROVEN if held.is_protected else Stop.UNPROVEN


FRESH_MS = 2_000
"""A position so young may still wait for the first proof of its stop."""


def endangered(view: View) -> list[PositionView]:
    """Positions without a proven stop, the worst first: what a trader must see and hear."""
    found = [held for held in view.positions if stop_of(held) is not Stop.PROVEN and not _awaits_proof(held, view)]
    return sorted(found, key=lambda held: (stop_of(held), held.symbol))


def _awaits_proof(held: PositionView, view: View) -> bool:
    young = view.at_ms - held.opened_ms <= FRESH_MS
    return stop_of(held) is Stop.UNPROVEN and held.proof_age_ms is None and young


def is_proven(age_ms: int | None) -> bool:
    """Whether something that was read back so long ago (None: never) still counts."""
    return age_ms is not None and age_ms <= PROVEN_MS


def flat_words(view: View) -> str:
    """What may be said where no position is known: flat only once the account was read, and as of then."""
    ms = view.read_back_age_ms
    if ms is None:
        return "not known yet: the account was not read"
    return "flat: no position is held" if is_proven(ms) else f"flat {age(ms)} ago: the account was not read since"


def open_pnl(view: View) -> tuple[Decimal, str]:
    """The sum over all positions, and a question mark where a mark is missing or not from a live market."""
    doubted = any(held.mark is None or not is_live(view.market(held.symbol)) for held in view.positions)
    return sum((held.pnl_usdt for held in view.positions), Decimal(0)), "?" if doubted else ""


def rests(order: OrderView) -> bool:
    """Whether the exchange has said that it holds the order."""
    return order.state in _HELD_BY_THE_EXCHANGE


def is_live(market: SymbolView | None) -> bool:
    return market is not None and market.status == "LIVE"


def doubt(market: SymbolView | None) -> str:
    """What stands behind a figure that follows from this market: a question mark unless it is live."""
    return "" if is_live(market) else "?"


def status_words(market: SymbolView | None) -> Cell:
    """Why a market is not to be trusted, with the age of what is shown; empty while it is live."""
    if market is None or market.status == "WAITING":
        return "WAITING", "bar-warn"
    return ("", "title-dim") if is_live(market) else (f"{market.status} {age(market.age_ms)}", "bar-bad")
