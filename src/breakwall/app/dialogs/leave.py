"""The way out: what becomes of what is held, said before it is chosen."""

from breakwall.app.dialogs.dialog import CLOSE, STEPS, Choice, Dialog, line, paper
from breakwall.app.leaving import Leaving
from breakwall.app.rows.figures import price
from breakwall.app.rows.row import Cell, Row
from breakwall.app.rows.table import Column, table
from breakwall.app.trust import Stop, flat_words, is_proven, stop_of
from breakwall.app.widgets.banner import entries_in
from breakwall.app.widgets.positions import proof
from breakwall.model.units import fixed
from breakwall.model.view import PositionView, View

WAYS = (
    (Leaving.FLATTEN, "flatten and quit: cancel, close everything, prove it, then end"),
    (Leaving.KEEP, "quit: positions stay, with their stops on the exchange"),
    (Leaving.HEADLESS, "send the screen away: the engine manages what is held until it is flat"),
)
COLUMNS = (
    Column("", rank=0),
    Column("", rank=1),
    Column("", rank=2, number=True),
    Column("", rank=3, number=True),
    Column("", rank=0, free=True, least=22),
)


class Leave(Dialog):
    """Nothing is chosen to begin with: Enter alone does nothing."""

    width = 84
    title = "LEAVE"

    def __init__(self) -> None:
        self.chosen: int | None = None

    def lines(self, view: View | None, width: int, height: int) -> list[Row]:
        choices = [self._way(place, view, width) for place in range(len(WAYS))]
        warnings = _warnings(view, width)
        tail = [line("", width), *choices, *warnings, line(" Esc  stay", width)]
        held = _held(view, width)
        room = max(1, height - 1 - len(tail))
        if len(held) > room:
            held = [*held[: room - 1], line(f" and {len(held) - room + 1} more: F2 and the positions pane", width)]
        return [self.head(width, "Esc stays"), *held, *tail][:height]

    def press(self, key: str, character: str | None) -> Choice | None:
        if key == "escape":
            return CLOSE
        if character is not None and character in "123":
            return Choice("leave", WAYS[int(character) - 1][0].value)
        if key in {"up", "down"}:
            first = 0 if key == "down" else len(WAYS) - 1
            self.chosen = first if self.chosen is None else (self.chosen + STEPS[key]) % len(WAYS)
        if key == "enter" and self.chosen is not None:
            return Choice("leave", WAYS[self.chosen][0].value)
        return None

    def _way(self, place: int, view: View | None, width: int) -> Row:
        leaving, words = WAYS[place]
        ink = "title-focus" if place == self.chosen else "bar"
        mark = "▸" if place == self.chosen else " "
        risky = view is not None and any(stop_of(held) is not Stop.PROVEN for held in view.positions)
        unsafe = risky and leaving is not Leaving.FLATTEN
        key: Cell = (f"{mark}{place + 1}", "key" if place != self.chosen else ink)
        warning: Cell = (" ! " if unsafe else "   ", "bar-warn" if unsafe else ink)
        return paper((key, warning, (words, ink)), width)


def _held(view: View | None, width: int) -> list[Row]:
    """Each position with its stop and how old its proof is, the endangered first."""
    if view is None:
        return [line(" the engine is still starting; what is held is not known yet", width)]
    if not view.positions:
        return [line(f" {flat_words(view)}", width, "bar" if is_proven(view.read_back_age_ms) else "bar-warn")]
    order = sorted(view.positions, key=lambda held: (stop_of(held), held.symbol))
    return [paper(row, width) for row in table(COLUMNS, [_line(held) for held in order], width).rows]


def _line(held: PositionView) -> tuple[tuple[str, str], ...]:
    words, ink = proof(held)
    inks = {"good": "bar-good", "warn": "bar-warn"}
    return (
        (f" {held.symbol}", "select"),
        (held.side, "bar"),
        (fixed(abs(held.qty)), "bar"),
        (f"stop {price(held.stop)}", "bar"),
        (words, inks.get(ink, ink)),
    )


def _warnings(view: View | None, width: int) -> list[Row]:
    """In words what the proofs above mean for those who leave, and what becomes of resting entries."""
    if view is None:
        return []
    naked = [held.symbol for held in view.positions if stop_of(held) is Stop.NONE]
    old = [held.symbol for held in view.positions if stop_of(held) is Stop.UNPROVEN]
    resting = len(entries_in(view, ""))
    rows = []
    if naked:
        rows.append(
            line(f" ! NO STOP on the exchange, nothing protects it without us: {', '.join(naked)}", width, "bar-bad")
        )
    if old:
        rows.append(line(f" ! stop not read back lately, wait or choose 1: {', '.join(old)}", width, "bar-warn"))
    if resting:
        are = "entry is" if resting == 1 else "entries are"
        rows.append(line(f" {resting} resting {are} cancelled in any case", width))
    return [line("", width), *rows] if rows else []
