"""Help: the keys as they are in force, and what the glyphs and colours mean."""

import textwrap

from breakwall.app.dialogs.dialog import CLOSE, STEPS, Choice, Dialog, line, paper, window
from breakwall.app.figures import UNKNOWN
from breakwall.app.keymap import Keymap
from breakwall.app.keys import ACTS, GROUPS, Act, Guard
from breakwall.app.row import Row
from breakwall.model.view import View

LEGEND: tuple[tuple[str, str, str], ...] = (
    ("░▒▓█", "bar", "resting size: blues, the brighter the more (shades without colours)"),
    (" 2.41M ", "tag", "a wall that the detector confirmed: warm, and its size on the price axis"),
    (" 64117.5 ", "price", "the price now; the white line in the heat map is its way"),
    ("● •", "bar", "trades: the side by colour and, without colours, by B and S"),
    ("own", "own", "our orders and our entry"),
    ("stop", "stop", "our stop"),
    ("▲ ▼ ▸", "bar", "up or buy, down or sell, selected"),
    ("PROTECTED ✓", "bar-good", "the stop was read back from the exchange; behind it how long ago"),
    ("STOP UNPROVEN", "bar-warn", "a stop was set and not read back lately"),
    ("NO STOP", "alarm", "no stop is known; the position is closed if none comes"),
    (UNKNOWN, "bar", "not known (never 0)"),
    ("###", "bar", "a number that does not fit (never a wrong one)"),
    ("?", "bar", "from data that is not live"),
    ("ARMED SAFE", "bar", "strategies may open positions, or not; closing works in both"),
)

CHORDS = (
    "A chord is its key, then Enter within two seconds. Characters trade nothing in a paste, in a burst of keys and "
    "for 0.3 s after the screen has changed. F9 then Enter works always and everywhere."
)
INDENT = 20


class Help(Dialog):
    width = 100
    title = "HELP"

    def __init__(self, keymap: Keymap) -> None:
        self.keymap = keymap
        self.first = 0
        self._last = 0

    def lines(self, view: View | None, width: int, height: int) -> list[Row]:
        del view
        rows = help_rows(self.keymap, width)
        room = max(0, height - 1)
        self._last = max(0, len(rows) - room)
        self.first = min(self.first, self._last)
        more = f"{self.first + 1}-{min(len(rows), self.first + room)} of {len(rows)}  ↑↓ PgUp PgDn  Esc closes"
        return [self.head(width, more if self._last else "Esc closes"), *window(rows, self.first, room)]

    def press(self, key: str, character: str | None) -> Choice | None:
        if key in STEPS:
            self.first = max(0, min(self._last, self.first + STEPS[key]))
            return None
        return CLOSE if key in {"escape", "enter", "f1", "question_mark"} or character == "q" else None


def help_rows(keymap: Keymap, width: int) -> list[Row]:
    """All of it, group by group."""
    rows: list[Row] = []
    for group in GROUPS:
        rows += [line(f" {group.upper()}", width, "select")]
        rows += [row for act in ACTS if act.group == group for row in _of_act(keymap, act, width)]
        rows += [line("", width)]
    rows += [line(f" {words}", width) for words in textwrap.wrap(CHORDS, max(10, width - 2))]
    rows += [line("", width), line(" WHAT IT MEANS", width, "select")]
    return rows + [row for sample, ink, words in LEGEND for row in _beside(sample, ink, words, width)]


def _of_act(keymap: Keymap, act: Act, width: int) -> list[Row]:
    keys = " ".join(keymap.keys(act)) or "no key"
    chord = " Enter" if act.guard is Guard.CHORD else ""
    return _beside(f"{keys}{chord}", "key" if act.trades else "bar", act.help, width)


def _beside(head: str, ink: str, words: str, width: int) -> list[Row]:
    """A sample or a key, and beside it its words on as many rows as they need."""
    gap = " " * max(1, INDENT - 2 - len(head))
    first, *more = textwrap.wrap(words, max(10, width - INDENT - 1))
    rows = [paper((("  ", "bar"), (head, ink), (f"{gap}{first}", "bar")), width)]
    return rows + [line(f"{' ' * INDENT}{text}", width) for text in more]
