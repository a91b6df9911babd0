"""The breaker pane: each limit with what is used of it, and what is tripped."""

from collections.abc import Sequence
from decimal import Decimal

from rich.cells import cell_len

from breakwall.app.rows.figures import UNKNOWN, bar, countdown
from breakwall.app.rows.row import Row, clean, left
from breakwall.app.rows.table import filled
from breakwall.app.widgets.pane import Pane
from breakwall.model.units import fixed
from breakwall.model.view import ApiView, RuleView, View

NEAR = 0.75
"""From this share of its limit on a rule is worth a warning."""
BAR_LEAST, BAR_MOST = 3, 12
SHORT = {"consecutive losses": "losses in a row"}
_HALTING = {"halt", "flatten", ""}


class Breaker(Pane, can_focus=True):
    """Tripped rules first, then those near their limit, then what the API breaker holds back and which request
    budgets are pressed, then the rest.
    """

    words = "BREAKER"

    def rows(self, view: View, width: int, height: int) -> Sequence[Row]:
        return [self.title(width), state_row(view, width), *rule_rows(view, width)][:height]


def breaker_word(view: View) -> str:
    """CLOSED: nothing is tripped; PAUSED: only by a person, who knows; PARTLY: single symbols or strategies are
    held; OPEN: the account is.
    """
    if not view.breaker:
        return UNKNOWN
    tripped = [rule for rule in view.breaker if rule.tripped]
    if not tripped:
        return "CLOSED"
    if all(rule.rule.startswith("paused") for rule in tripped):
        return "PAUSED"
    return "PARTLY" if all(rule.scope for rule in tripped) else "OPEN"


def reason(view: View) -> str:
    """Why a person has to look: what cannot be explained, or the rules that have halted the account."""
    if view.observing:
        return view.observing
    halts = [rule for rule in view.breaker if rule.tripped and not rule.scope and rule.tier in _HALTING]
    return "; ".join(rule.text or rule.rule for rule in halts) or view.why


def resettable(view: View) -> list[str]:
    """What a reset lifts, by name and scope."""
    lifted = [_name(rule) for rule in view.breaker if rule.resettable]
    return [*(["observing only"] if view.observing else []), *lifted]


def shut(view: View) -> list[str]:
    """The groups of the exchange's interface that are held back."""
    return [group.group for group in view.api if group.state != "CLOSED"]


def held_here(view: View, symbol: str) -> str:
    """The first rule that holds this symbol alone, and for how long; empty where none does."""
    rule = next((rule for rule in view.breaker if rule.tripped and symbol in rule.scope.split()), None)
    if rule is None:
        return ""
    return rule.rule if rule.until_ms is None else f"{rule.rule} {countdown(rule.until_ms - view.at_ms)}"


def state_row(view: View, width: int) -> Row:
    """Whether entries are allowed, and why not."""
    ink = {"ACTIVE": "good", "HALTED": "alarm", "OBSERVING": "alarm"}.get(view.trading_state, "warn")
    head = f" {breaker_word(view)} {view.trading_state} "
    words = f" no entries: {view.why}" if view.why else " entries allowed" if view.armed else " SAFE: no entries"
    room = max(0, width - cell_len(clean(head)))
    return filled(((head, ink), (left(words, room), "warn" if view.why else "")), width, "")


def rule_rows(view: View, width: int) -> list[Row]:
    """The rules; all that are not tripped tell their distance in the same words, the longest that fit."""
    tripped = [rule for rule in view.breaker if rule.tripped]
    standing = sorted((rule for rule in view.breaker if not rule.tripped), key=lambda rule: _share(rule) < NEAR)
    column = max([cell_len(clean(_name(rule))) for rule in standing], default=0)
    room = max(0, width - column - 2)
    longest = [max(map(cell_len, words)) for words in zip(*map(_distances, standing), strict=True)]
    wording = next((place for place, length in enumerate(longest) if length < room - BAR_LEAST), len(longest) - 1)
    cells = max(0, min(BAR_MOST, room - longest[wording] - 1)) if longest else 0
    rows = [_tripped(rule, column, width, view.at_ms) for rule in tripped]
    rows += [_interface(group, column, width, view.at_ms) for group in view.api if group.state != "CLOSED"]
    rows += [
        _row(f" {_padded(f'API {limit.group}', column)} ", limit.words, width, "warn")
        for limit in view.limits
        if limit.is_pressed
    ]
    rows += [
        filled(_standing(rule, f" {left(_name(rule), column)} ", cells, wording), width, "") for rule in standing
    ]
    closed = [group.group for group in view.api if group.state == "CLOSED"]
    return rows + ([_row(" API closed: ", ", ".join(closed), width, "dim")] if closed else [])


def api_words(group: ApiView, at_ms: int) -> str:
    """The state of an API breaker, and when it tries again."""
    if group.state in {"OPEN", "BANNED"} and group.until_ms is not None:
        return f"{group.state} {countdown(group.until_ms - at_ms)}"
    return group.state


def _interface(group: ApiView, column: int, width: int, at_ms: int) -> Row:
    """A group of endpoints that is held back; stops, closes and cancels pass it all the same."""
    told = {
        "OPEN": f"{api_words(group, at_ms)}, then one probe; stops, closes, cancels pass",
        "HALF-OPEN": "HALF-OPEN, one probe is out",
        "BANNED": f"{api_words(group, at_ms)}: no REST request leaves, nor from the next start",
    }.get(group.state, group.state)
    why = "; ".join(filter(None, (f"{group.failures} failures" if group.failures else "", group.reason)))
    return _row(f" {_padded(f'API {group.group}', column)} ", f"{told}: {why}" if why else told, width, "alarm")


def _row(head: str, text: str, width: int, ink: str) -> Row:
    return ((left(f"{head}{text}", width), ink),)


def _padded(text: str, column: int) -> str:
    return text if cell_len(clean(text)) > column else left(text, column)


def _name(rule: RuleView) -> str:
    return " ".join(filter(None, (rule.scope, SHORT.get(rule.rule, rule.rule))))


def _tripped(rule: RuleView, column: int, width: int, at_ms: int) -> Row:
    """What it does, for how long, and why, as far as there is room."""
    head = f" {_padded(_name(rule), column)} "
    room = width - cell_len(clean(head))
    limit = f" at {_amount(rule, rule.limit)}" if rule.limit > 0 else ""  # a person's word has no limit
    tier = f", {rule.tier}" if rule.tier else ""
    if rule.until_ms is not None:
        still = countdown(rule.until_ms - at_ms)
        lifted, short = f"{still} left", still
    else:
        lifted = f"until {rule.resumes}" if rule.resumes else "reset by hand"
        short = "by itself" if rule.standing else "by hand"
    told = (
        *([f"TRIPPED{tier}, {lifted}: {clean(rule.text)}"] if rule.text else []),
        f"TRIPPED{limit}{tier}, {lifted}",
        f"TRIPPED{limit}, {lifted}",
        f"TRIPPED{tier}, {lifted}",
        f"TRIPPED, {lifted}",
        f"TRIPPED {short}",
        "TRIPPED",
    )
    return _row(head, next((text for text in told if cell_len(clean(text)) <= room), told[-1]), width, "alarm")


def _standing(rule: RuleView, head: str, cells: int, wording: int) -> Row:
    share = _share(rule)
    ink = "warn" if share >= NEAR else ""
    return (head, ink), (bar(share, cells), ink), (f" {_distances(rule)[wording]}", ink)


def _share(rule: RuleView) -> float:
    return float(rule.used / rule.limit) if rule.limit > 0 else 0.0


def _distances(rule: RuleView) -> tuple[str, ...]:
    """What is used, of what, and what is left: said at length, shorter, and shortest."""
    used, limit = _amount(rule, rule.used), _amount(rule, rule.limit)
    rest = _amount(rule, max(Decimal(0), rule.limit - rule.used))
    unit = clean(rule.unit)
    return (f"{used} of {limit} {unit}, {rest} left", f"{rest} {unit} left", f"{rest} left", rest)


def _amount(rule: RuleView, amount: Decimal) -> str:
    return f"{amount:.2f}" if rule.unit == "USDT" else fixed(amount)
