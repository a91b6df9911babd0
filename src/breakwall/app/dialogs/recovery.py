"""The account and how it is reached: the last passes of reconciliation (what was found, what was done, which orders
hang, with all that is known), and how many requests the exchange still takes.
"""

import textwrap

from breakwall.app.dialogs.dialog import line
from breakwall.app.dialogs.scroll import Scroll
from breakwall.app.rows.figures import age, time_of_day
from breakwall.app.rows.row import Row
from breakwall.app.trust import is_proven
from breakwall.model.records import HangingOrder, RecoveryReport
from breakwall.model.text import sanitise
from breakwall.model.view import View

INDENT = 13
LONGEST = 4_000


class Recovery(Scroll):
    """Newest pass first."""

    title = "RECOVERY"
    closing = Scroll.closing | {"r"}

    def body(self, view: View | None, width: int) -> list[Row]:
        if view is None:
            return [line(" the engine is still starting: the account is not read yet", width)]
        rows = [_account(view, width), *_lost(view, width), line("", width), *_limits(view, width)]
        if view.observing:
            rows += [*_words("OBSERVING", view.observing, width, "bar-bad"), line("", width)]
        if not view.recovery:
            rows.append(line(" no pass of this run is known", width, "bar-dim"))
        for report in reversed(view.recovery):
            rows += [*_pass(report, width), line("", width)]
        return rows[: -1 if not rows[-1][0][0].strip() else None]


def _account(view: View, width: int) -> Row:
    proven = is_proven(view.read_back_age_ms)
    words = (
        f" the account was read back {age(view.read_back_age_ms)} ago" if view.read_back_age_ms is not None else ""
    )
    return line(words or " the account was not read back yet", width, "bar-good" if proven else "bar-warn")


def _lost(view: View, width: int) -> list[Row]:
    """What the exchange does without us."""
    if view.dcp_s is None:
        return []
    orders = f"withdraws working orders after {view.dcp_s} s (DCP)" if view.dcp_s else "keeps working orders (no DCP)"
    return [line(f" without us the exchange keeps the stops, and {orders}", width)]


def _limits(view: View, width: int) -> list[Row]:
    """How many requests each group of endpoints may still get in this second."""
    rows = [
        line(f"  {limit.group:{INDENT - 2}}{limit.words}", width, "bar-warn" if limit.is_pressed else "bar")
        for limit in view.limits
    ]
    return (
        [line(" requests that may still leave in this second", width, "bar-dim"), *rows, line("", width)]
        if rows
        else []
    )


def _pass(report: RecoveryReport, width: int) -> list[Row]:
    state = "clean" if report.clean else "NOT CLEAN"
    head = f" {time_of_day(report.at_ms)}  {report.purpose}, pass {report.number}: {state}"
    rows = [line(head, width, "select" if report.clean else "bar-bad"), *_words("verdict", report.verdict, width)]
    rows += [row for text in report.actions for row in _words("done", text, width)]
    rows += [row for text in report.restored for row in _words("restored", text, width)]
    return rows + [row for order in report.hanging for row in _hanging(order, width)]


def _hanging(order: HangingOrder, width: int) -> list[Row]:
    """Every column of a hanging order, so that it can be found at the exchange by hand."""
    there = order.exchange_state or "unknown there"
    known = (
        ("HANGS", f"{order.symbol} {order.kind}: {order.our_state} here, {there}"),
        ("our id", order.client_id),
        ("its id", order.order_id),
        ("reason", order.reason),
        ("raw answer", order.raw),
    )
    return [row for name, text in known if text for row in _words(name, text, width, _INKS.get(name, "bar"))]


_INKS = {"HANGS": "bar-warn", "raw answer": "bar-dim"}


def _words(name: str, text: str, width: int, ink: str = "bar") -> list[Row]:
    """A name and what is to be said of it, on as many rows as it needs."""
    parts = textwrap.wrap(sanitise(text, LONGEST), max(10, width - INDENT - 1)) or [""]
    heads = [name, *[""] * (len(parts) - 1)]
    return [line(f"  {head:{INDENT - 2}}{part}", width, ink) for head, part in zip(heads, parts, strict=True)]
