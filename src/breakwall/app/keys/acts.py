"""The keys: one table, of which help, footer, palette, settings and README are made.

Keys are written as a person would: a character, `f9`, `ctrl+q`, or two after each other, `g t`.
"""

from enum import Enum
from typing import NamedTuple


class Guard(Enum):
    """What stands between a key and its action: nothing, Enter within two seconds, or a dialog."""

    NONE = ""
    CHORD = "then Enter"
    MODAL = "asks"


class Act(NamedTuple):
    """One thing a key does. `label` is its word in the footer, empty: not there; higher ranks are dropped first.

    `trades`: it may send something to the exchange, `per_symbol`: for the selected symbol only. `fixed`: settings
    cannot give it other keys.
    """

    id: str
    keys: tuple[str, ...]
    help: str
    group: str
    label: str = ""
    rank: int = 0
    guard: Guard = Guard.NONE
    trades: bool = False
    per_symbol: bool = False
    fixed: bool = False


SAFETY, TRADING, MARKET, PICTURE, SCREEN = "Safety", "Trading", "Market", "Picture", "Screen"
REPLAY = "Replay"
"""Acts that mean something only while a recording is played."""

SLOTS = tuple(f"g {digit}" for digit in range(1, 10))

ACTS = (
    Act("panic", ("f9", "X"), "PANIC: disarm, cancel every order, close every position, prove it",
        SAFETY, "PANIC", 0, Guard.CHORD, trades=True),
    Act("flatten", ("x",), "flatten the symbol: cancel its orders, close its position, prove it",
        SAFETY, "flatten", 2, Guard.CHORD, trades=True, per_symbol=True),
    Act("cancel", ("c",), "cancel the symbol's entries; stops stay",
        SAFETY, "cancel", 4, trades=True, per_symbol=True),
    Act("cancel-all", ("C",), "cancel all entries; stops stay", SAFETY, "cancel all", 9, Guard.CHORD, trades=True),
    Act("arm", ("a",), "arm (then Enter): strategies may open positions; disarm: at once",
        TRADING, "arm", 3, Guard.CHORD, trades=True),
    Act("pause", ("p",), "pause the symbol's strategies, or go on; what is held stays looked after",
        TRADING, "pause", 5, trades=True, per_symbol=True),
    Act("pause-all", ("P",), "pause all strategies, or go on", TRADING, "pause all", 11, trades=True),
    Act("breakeven", ("b",), "stop of the symbol's position to breakeven",
        TRADING, "breakeven", 7, trades=True, per_symbol=True),
    Act("reconcile", ("R",), "reconcile: read the account, compare it with the journal, protect, report",
        TRADING, "reconcile", 1, Guard.CHORD, trades=True),
    Act("reset-breaker", ("B",), "reset the breaker: its limits count anew; who did it stays in the audit",
        TRADING, "reset", 1, Guard.CHORD, trades=True),
    Act("reset-api", ("A",), "reset the API breakers: use the exchange's interface again at once",
        TRADING, "reset API", 1, Guard.CHORD, trades=True),
    Act("symbol-before", ("[",), "symbol before", MARKET),
    Act("symbol-after", ("]",), "next symbol", MARKET, "symbol", 6),
    Act("slot", SLOTS, "symbol by its place in the list", MARKET, fixed=True),
    Act("search", ("/",), "search a symbol", MARKET, "search", 10),
    Act("price-in", ("+", "="), "price zoom in", PICTURE, "zoom", 12),
    Act("price-out", ("-",), "price zoom out", PICTURE),
    Act("time-in", ("<",), "time zoom in: shorter columns", PICTURE),
    Act("time-out", (">",), "time zoom out: longer columns", PICTURE),
    Act("recentre", ("0",), "follow the price again, zoom to fit", PICTURE),
    Act("lock", ("l",), "lock the price axis where it is, or let it follow", PICTURE, "lock", 13),
    Act("filter", ("t",), "tape: smallest trade shown, next step", PICTURE, "filter", 14),
    Act("replay-pause", ("space",), "replay: stand still, or go on", REPLAY, "pause", 1),
    Act("replay-slower", ("d",), "replay: slower", REPLAY, "speed", 2),
    Act("replay-faster", ("u",), "replay: faster", REPLAY),
    Act("replay-back", ("(",), "replay: 10 s back; it is played again from its beginning to there",
        REPLAY, "10 s", 2),
    Act("replay-forward", (")",), "replay: 10 s forward", REPLAY),
    Act("replay-far-back", ("ctrl+left",), "replay: a minute back", REPLAY),
    Act("replay-far-forward", ("ctrl+right",), "replay: a minute forward", REPLAY),
    Act("replay-step", ("s",), "replay: one step, then stand still", REPLAY, "step", 3),
    Act("focus", ("tab", "shift+tab"), "next pane, pane before", SCREEN, fixed=True),
    Act("move", ("up", "down", "left", "right"), "move in the pane", SCREEN, fixed=True),
    Act("card", ("enter",), "card of the selected signal, and back", SCREEN, fixed=True),
    Act("maximise", ("z",), "pane on the whole screen, and back", SCREEN, "maximise", 8),
    Act("trade-screen", ("f2", "g t"), "trade screen", SCREEN),
    Act("recovery", ("r", "g r"), "recovery: what the last passes found and did, and which orders hang", SCREEN),
    Act("help", ("f1", "?"), "help", SCREEN, "help", 1),
    Act("palette", ("ctrl+p",), "everything by name: actions, symbols, zooms, themes", SCREEN, "palette", 15),
    Act("dismiss", ("escape",), "close what is open; never trades", SCREEN, fixed=True),
    Act("quit", ("ctrl+q", "ctrl+c"), "leave: asks what becomes of what is held", SCREEN, "quit", 1, Guard.MODAL),
)  # fmt: skip

GROUPS = tuple(dict.fromkeys(act.group for act in ACTS))
BY_ID = {act.id: act for act in ACTS}

_SHOWN = {
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "enter": "Enter",
    "escape": "Esc",
    "tab": "Tab",
    "space": "Space",
}


def shown(key: str) -> str:
    """A key as help and footer print it: `F9`, `Ctrl+Q`, `[`, `g t`."""
    if len(key) == 1 or " " in key:
        return key
    *modifiers, last = key.split("+")
    return "+".join([*(modifier.capitalize() for modifier in modifiers), _SHOWN.get(last, last.capitalize())])
