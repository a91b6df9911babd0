"""The card of a signal: the ten checks with their reasons, and what the trade would risk."""

import textwrap
from collections.abc import Sequence

from breakwall.app.rows.figures import UNKNOWN, price, time_of_day
from breakwall.app.rows.row import Cell, Row, clean, left
from breakwall.app.rows.table import Word, filled, fit
from breakwall.app.widgets.pane import Pane
from breakwall.app.widgets.signals import place_of, side_of
from breakwall.model.units import fixed
from breakwall.model.view import CheckView, SignalView, View

_CHECK = 24
"""Columns of a check's name with its mark."""


class Card(Pane, can_focus=True):
    """The selected signal's, else the newest one's."""

    words = "CARD"

    def rows(self, view: View, width: int, height: int) -> Sequence[Row]:
        shown = view.signals[::-1]
        if not shown:
            return [self.title(width), ((left(" no signal yet", width), "dim"),)]
        signal = shown[place_of(shown, self.look.signal)]
        return [
            self.title(width, f"{time_of_day(signal.at_ms)} {signal.trace}"),
            *card_rows(signal, width, height - 1),
        ]


def card_rows(signal: SignalView, width: int, height: int) -> list[Row]:
    """A signal's card as at most `height` rows: verdict, prices, risk, failed checks, passed checks, reasons."""
    failed = [check for check in signal.checks if not check.passed]
    passed = [check for check in signal.checks if check.passed]
    named = {check.check for check in failed}
    rows = [_verdict(signal, width), *_terms(signal, width)]
    if signal.refused_by and signal.refused_by not in named:
        rows += _wrapped(f"✗ {signal.refused_by}: ", signal.reason, width, "warn")
    for check in failed:
        rows += _wrapped(f"✗ {check.check}: ", check.reason, width, "bad")
    rows += _passed(passed, width)
    for reason in signal.reasons:
        rows += _wrapped("· ", reason, width, "dim")
    rows += _wrapped("", f"trace {signal.trace}", width, "dim")
    return rows[:height]


def _verdict(signal: SignalView, width: int) -> Row:
    side = "LONG" if signal.side == "Buy" else "SHORT"
    head = (f" {signal.symbol} {side_of(signal)} {side}", "bold")
    word: Cell = ("REFUSED", "bad") if signal.refused_by else ("ORDERED", "good")
    return filled((head, ("  ", ""), word), width, "")


def _terms(signal: SignalView, width: int) -> list[Row]:
    """Prices and risk, a line each where there is room."""
    prices = (("entry", price(signal.entry)), ("stop", price(signal.stop)), ("target", price(signal.target)))
    sized = signal.qty > 0
    loss = f"{signal.loss_at_stop_usdt:.2f} USDT with fees" if sized else UNKNOWN
    risk = (("qty", fixed(signal.qty) if sized else UNKNOWN), ("loss at stop", loss))
    return [_pairs(prices, width), _pairs(risk, width)]


def _pairs(pairs: Sequence[tuple[str, str]], width: int) -> Row:
    words = [Word(rank, ((f"{name} ", "dim"), (value, ""))) for rank, (name, value) in enumerate(pairs)]
    return ((" ", ""), *fit(words, width - 1, "")) if width > 1 else ()


def _passed(passed: Sequence[CheckView], width: int) -> list[Row]:
    """As many beside each other as fit."""
    beside = max(1, width // _CHECK)
    lines = [passed[first : first + beside] for first in range(0, len(passed), beside)]
    return [filled(tuple((left(f" ✓ {check.check}", _CHECK), "") for check in line), width, "") for line in lines]


def _wrapped(mark: str, text: str, width: int, ink: str) -> list[Row]:
    """A text on as many rows as it needs, the later ones indented."""
    lines = textwrap.wrap(clean(f"{mark}{text}"), max(1, width - 3)) or [""]
    return [((left(f"{'   ' if place else ' '}{line}", width), ink),) for place, line in enumerate(lines)]
