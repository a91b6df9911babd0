"""Help: the keys as they are in force, and what the glyphs and colours mean."""

from breakwall.app.dialogs.dialog import CLOSE, STEPS, Choice, Dialog, line, paper, window
from breakwall.app.figures import UNKNOWN
from breakwall.app.keymap import Keymap
from breakwall.app.keys import ACTS, GROUPS, Guard
from breakwall.app.row import Row, left
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
        rows += [_key_row(keymap, place, width) for place, act in enumerate(ACTS) if act.group == group]
        rows += [line("", width)]
    rows += [
        line(
            " A chord is its key, then Enter within two seconds. Characters trade nothing in a paste, in a burst",
            width,
        ),
        line(
            " of keys and for 0.3 s after the screen has changed. F9 then Enter works always and everywhere.", width
        ),
        line("", width),
        line(" WHAT IT MEANS", width, "select"),
    ]
    return rows + [_legend_row(sample, ink, words, width) for sample, ink, words in LEGEND]


def _key_row(keymap: Keymap, place: int, width: int) -> Row:
    act = ACTS[place]
    keys = " ".join(keymap.keys(act)) or "no key"
    chord = " Enter" if act.guard is Guard.CHORD else ""
    return paper(((left(f"  {keys}{chord}", 20), "key" if act.trades else "bar"), (f" {act.help}", "bar")), width)


def _legend_row(sample: str, ink: str, words: str, width: int) -> Row:
    gap = " " * max(1, 18 - len(sample))
    return paper((("  ", "bar"), (sample, ink), (f"{gap} {words}", "bar")), width)
