"""Help: the keys as they are in force, and what the glyphs and colours mean."""

import textwrap

from breakwall.app.dialogs.dialog import line, paper
from breakwall.app.dialogs.scroll import Scroll
from breakwall.app.keys.acts import ACTS, GROUPS, Act, Guard
from breakwall.app.keys.keymap import Keymap
from breakwall.app.rows.figures import UNKNOWN
from breakwall.app.rows.row import Row
from breakwall.model.view import View

LEGEND: tuple[tuple[str, str, str], ...] = (
    ("▀▄█", "own", "blues: resting size, the brighter the more; shades ░▒▓ without colours"),
    (" 2.41M ", "tag", "warm: a wall that the detector confirmed; on the axis its price and size"),
    ("◆ ◇", "bar", "a wall was eaten, a wall was pulled"),
    ("╱╱", "bar", "no data for this time"),  # noqa: RUF001 - the hatch of the heat map
    (" 64117.5 ", "price", "the price now; the white line is its way"),
    ("· • ●", "bar", "trades by size, green buys, red sells (b B, s S without colours)"),
    ("┄┄", "own", "our entry, stop, target and orders"),
    ("▲ ▼", "bar", "at the edge of the axis: a price outside of the picture"),
    ("↑ ↓", "bar", "a tag that had to make room: where it belongs"),
    ("▌ O E S", "own", "ladder: a wall, our order, our entry, our stop"),
    (" PROTECTED ✓ ", "bar-good", "the stop was read back from the exchange, so long ago"),
    (" STOP UNPROVEN ", "bar-warn", "a stop was set, but not read back lately"),
    (" NO STOP ", "alarm", "no stop is known; without one the position is closed; the bell rings once"),
    (UNKNOWN, "bar", "not known (never 0)"),
    ("###", "bar", "a number that does not fit (never a wrong one)"),
    ("?", "bar", "not proven, or from data that is not live"),
    (" ARMED ", "armed", "strategies may open positions; closing always works"),
    (" SAFE ", "safe", "nothing is opened; closing always works"),
    (" REDUCING ", "alarm", "a limit or a cause forbids entries; the breaker pane says which and until when"),
    (" HALTED ", "alarm", "exits, stops and cancels only, until a person resets the breaker"),
    (
        " OBSERVING ",
        "alarm",
        "something cannot be explained: nothing is opened; reconcile, or reset, once you know why",
    ),
    ("CB PARTLY", "bar-warn", "the breaker holds single symbols or strategies; OPEN: the whole account"),
    ("API ... OPEN", "bar-bad", "the exchange failed there again and again: no entries until a probe is answered"),
)
CHORDS = (
    "A chord is its key, then Enter within two seconds. Characters trade nothing in a paste, in a burst of keys and "
    "for 0.3 s after the screen has changed. F9 then Enter works always and everywhere."
)
INDENT = 20


class Help(Scroll):
    title = "HELP"
    closing = Scroll.closing | {"f1", "question_mark"}

    def __init__(self, keymap: Keymap) -> None:
        super().__init__()
        self.keymap = keymap

    def body(self, view: View | None, width: int) -> list[Row]:
        del view
        return help_rows(self.keymap, width)


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
