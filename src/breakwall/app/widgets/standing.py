"""What stands over the panes while it is so: positions without a proven stop, and files that are not written."""

from breakwall.app.rows.figures import age
from breakwall.app.rows.row import Row, left
from breakwall.app.trust import Stop, endangered, stop_of
from breakwall.model.units import fixed
from breakwall.model.view import PositionView, View

TROUBLES = {
    "JOURNAL": "no entries; stops, closes and cancels go on",
    "LEDGER": "trading goes on; `breakwall ledger rebuild` later",
    "LOG FILES": "trading goes on; journal and ledger are whole",
}
"""What is safe although this is not written."""


def troubles(view: View) -> dict[str, str]:
    """What is not being written, the gravest first, and why."""
    found = zip(TROUBLES, (view.journal_trouble, view.ledger_trouble, view.log_trouble), strict=True)
    return {name: why for name, why in found if why}


def standing_rows(view: View, width: int, put_away: frozenset[str]) -> list[Row]:
    """One row for all positions that nothing may protect, one for each trouble that the trader has not put away."""
    held = endangered(view)
    rows: list[Row] = [((left(f" ! {'; '.join(map(_words, held))}", width), "alarm"),)] if held else []
    for name, why in troubles(view).items():
        if name not in put_away:
            words = f" {name} NOT WRITTEN: {TROUBLES[name]} ({why})"
            rows.append(((left(words, width), "bar-bad" if name == "JOURNAL" else "bar-warn"),))
    return rows


def _words(held: PositionView) -> str:
    name = f"{held.symbol} {held.side} {fixed(abs(held.qty))}"
    if stop_of(held) is Stop.NONE:
        return f"NO STOP {age(held.naked_ms)}: {name}, it is closed unless a stop stands"
    since = "never read back" if held.proof_age_ms is None else f"read back {age(held.proof_age_ms)} ago"
    return f"STOP UNPROVEN: {name}, {since}"
