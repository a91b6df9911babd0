"""The breaker pane: each limit with what is used of it, and what is tripped."""

from collections.abc import Sequence
from decimal import Decimal

from rich.cells import cell_len

from breakwall.app.rows.figures import UNKNOWN, bar, countdown
from breakwall.app.rows.row import Row, clean, left
from breakwall.app.rows.table import filled
from breakwall.app.widgets.pane import Pane
from breakwall.model.units import fixed
from breakwall.model.view import RuleView, View

NEAR = 0.75
"""From this share of its limit on a rule is worth a warning."""
BAR_LEAST, BAR_MOST = 3, 12
SHORT = {"consecutive losses": "losses in a row"}


class Breaker(Pane, can_focus=True):
    words = "BREAKER"

    def rows(self, view: View, width: int, height: int) -> Sequence[Row]:
        return [self.title(width), state_row(view, width), *rule_rows(view, width)][:height]


def breaker_word(view: View) -> str:
    """CLOSED: nothing is tripped; PAUSED: only by a person, who knows; OPEN: a limit is."""
    if not view.breaker:
        return UNKNOWN
    tripped = [rule.rule for rule in view.breaker if rule.tripped]
    return "CLOSED" if not tripped else "PAUSED" if all(rule.startswith("paused") for rule in tripped) else "OPEN"


def state_row(view: View, width: int) -> Row:
    """Whether entries are allowed, and why not."""
    ink = {"ACTIVE": "good", "HALTED": "alarm"}.get(view.trading_state, "warn")
    head = f" {breaker_word(view)} {view.trading_state} "
    words = f" no entries: {view.why}" if view.why else " entries allowed" if view.armed else " SAFE: no entries"
    room = max(0, width - cell_len(clean(head)))
    return filled(((head, ink), (left(words, room), "warn" if view.why else "")), width, "")


def rule_rows(view: View, width: int) -> list[Row]:
    """The rules, tripped ones first; all tell their distance in the same words, the longest that fit."""
    rules = sorted(view.breaker, key=lambda rule: not rule.tripped)
    name = max([cell_len(clean(_name(rule))) for rule in rules], default=0)
    room = max(0, width - name - 2)
    told = [_distances(rule) for rule in rules if not rule.tripped]
    longest = [max(map(cell_len, words)) for words in zip(*told, strict=True)]
    wording = next((place for place, length in enumerate(longest) if length < room - BAR_LEAST), len(longest) - 1)
    cells = max(0, min(BAR_MOST, room - longest[wording] - 1)) if longest else 0
    rows = []
    for rule in rules:
        head = f" {left(_name(rule), name)} "
        row = _tripped(rule, head, room, view.at_ms) if rule.tripped else _standing(rule, head, cells, wording)
        rows.append(filled(row, width, "alarm" if rule.tripped else ""))
    return rows


def _name(rule: RuleView) -> str:
    return SHORT.get(rule.rule, rule.rule)


def _tripped(rule: RuleView, head: str, room: int, at_ms: int) -> Row:
    at = f" at {_amount(rule, rule.limit)}" if rule.limit > 0 else ""  # a person's word has no limit
    if rule.until_ms is None:
        told = [f"TRIPPED{at}, reset by hand", "TRIPPED, reset by hand", "TRIPPED by hand"]
    else:
        still = countdown(rule.until_ms - at_ms)
        told = [f"TRIPPED{at}, {still} left", f"TRIPPED, {still} left", f"TRIPPED {still}"]
    return ((head + next((text for text in told if len(text) <= room), "TRIPPED"), "alarm"),)


def _standing(rule: RuleView, head: str, cells: int, wording: int) -> Row:
    share = float(rule.used / rule.limit) if rule.limit > 0 else 0.0
    ink = "warn" if share >= NEAR else ""
    return (head, ink), (bar(share, cells), ink), (f" {_distances(rule)[wording]}", ink)


def _distances(rule: RuleView) -> tuple[str, ...]:
    """What is used, of what, and what is left: said at length, shorter, and shortest."""
    used, limit = _amount(rule, rule.used), _amount(rule, rule.limit)
    rest = _amount(rule, max(Decimal(0), rule.limit - rule.used))
    unit = clean(rule.unit)
    return (f"{used} of {limit} {unit}, {rest} left", f"{rest} {unit} left", f"{rest} left", rest)


def _amount(rule: RuleView, amount: Decimal) -> str:
    return f"{amount:.2f}" if rule.unit == "USDT" else fixed(amount)
