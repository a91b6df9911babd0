"""The signals pane: what the strategies saw, newest first, and what became of it."""

from collections.abc import Sequence

from textual.events import Key

from breakwall.app.rows.figures import bar, time_of_day
from breakwall.app.rows.row import Cell, Row, left
from breakwall.app.rows.table import Column, table
from breakwall.app.widgets.pane import Pane
from breakwall.model.view import SignalView, View

COLUMNS = (
    Column(" SIGNALS", rank=0),
    Column("TIME", rank=4),
    Column("STRATEGY", rank=2),
    Column("POWER", rank=3),
    Column("VERDICT", rank=1, free=True, least=18),
)
ARROWS = {"Buy": "▲", "Sell": "▼"}
STEPS = {"up": -1, "down": 1, "pageup": -5, "pagedown": 5}


class Signals(Pane, can_focus=True):
    """Arrows select a signal, whose card is shown; at the newest one the selection follows what comes."""

    words = "SIGNALS"
    shown: tuple[SignalView, ...] = ()

    def rows(self, view: View, width: int, height: int) -> Sequence[Row]:
        self.shown = view.signals[::-1]
        counts = f"{view.counters.signals} seen, {view.counters.refused} refused"
        if not self.shown:
            return [self.title(width, counts), ((left(" none yet", width), "dim"),)]
        chosen = place_of(self.shown, self.look.signal)
        laid = table(COLUMNS, [_line(signal, chosen == place) for place, signal in enumerate(self.shown)], width)
        first = max(0, chosen - height + 2)
        return [self.headed(laid.heads, width, counts), *laid.rows[first : first + height - 1]]

    def on_key(self, event: Key) -> None:
        if event.key in STEPS:
            event.stop()
            self.step(STEPS[event.key])

    def step(self, step: int) -> None:
        """Select a signal so many places further down."""
        if not self.shown:
            return
        place = max(0, min(len(self.shown) - 1, place_of(self.shown, self.look.signal) + step))
        self.look.signal = self.shown[place].trace if place else ""


def place_of(shown: Sequence[SignalView], trace: str) -> int:
    """Where the selected signal stands; the newest where none is selected or it is gone."""
    return next((place for place, signal in enumerate(shown) if signal.trace == trace), 0)


def verdict(signal: SignalView) -> Cell:
    """What became of it."""
    return (f"✗ {signal.refused_by}", "warn") if signal.refused_by else ("✓ ORDERED", "good")


def side_of(signal: SignalView) -> str:
    return f"{ARROWS.get(signal.side, '?')} {signal.strategy}"


def _line(signal: SignalView, chosen: bool) -> tuple[Cell, ...]:
    ink = "select" if chosen else ""
    return (
        (f"{'▸' if chosen else ' '}{signal.symbol}", ink),
        (time_of_day(signal.at_ms), ink or "dim"),
        (side_of(signal), ink or ("bid" if signal.side == "Buy" else "ask")),
        (bar(signal.strength, 5), ink),
        verdict(signal),
    )
