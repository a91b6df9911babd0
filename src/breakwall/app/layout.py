"""Where each pane lies, as a pure function of the screen's size; Textual only carries it out."""

from typing import NamedTuple

COMPACT, MEDIUM, WIDE = "compact", "medium", "wide"
DRAWER = ("walls", "orders", "signals", "tape", "breaker", "log")
"""On a small screen these share one place; the focused one lies in front."""


HELD = 6
"""Rows of the positions pane: its title, and as many positions as may be open by default."""


class Place(NamedTuple):
    x: int
    y: int
    width: int
    height: int


def kind_of(width: int, height: int) -> str:
    """Which of the three arrangements fits."""
    if width >= 160 and height >= 48:
        return WIDE
    return MEDIUM if width >= 110 and height >= 36 else COMPACT


def arrange(
    width: int, height: int, maximised: str = "", drawer: str = "walls", standing: int = 0
) -> dict[str, Place]:
    """Places by pane name; a pane without one is not shown. They fill the screen and never overlap.

    `standing` rows under the status are left free for what stands there.
    """
    status = min(2, height)
    top = min(status + standing, height)
    bottom = max(top, height - 1)
    places = {"status": Place(0, 0, width, status)}
    if height > 2:
        places["footer"] = Place(0, height - 1, width, 1)
    main = bottom - top
    if main < 1:
        return places
    if maximised:
        return places | {maximised: Place(0, top, width, main)}
    kind = kind_of(width, height)
    parts = {WIDE: _wide, MEDIUM: _medium, COMPACT: _compact}[kind](width, main, drawer)
    return places | {name: place._replace(y=place.y + top) for name, place in parts.items() if place.height > 0}


def _compact(width: int, main: int, drawer: str) -> dict[str, Place]:
    low = min(5, main // 3)
    held = min(HELD - 1, main - low)
    upper = main - low - held
    ladder = min(28, width * 7 // 20)
    return {
        "heatmap": Place(0, 0, width - ladder, upper),
        "ladder": Place(width - ladder, 0, ladder, upper),
        "positions": Place(0, upper, width, held),
        drawer: Place(0, upper + held, width, low),
    }


def _medium(width: int, main: int, drawer: str) -> dict[str, Place]:
    del drawer
    side = 34
    left = width - side
    lower = 19
    upper = main - lower
    half = left // 2
    return {
        "heatmap": Place(0, 0, left, upper),
        "ladder": Place(left, 0, side, upper),
        "positions": Place(0, upper, left, HELD),
        "orders": Place(0, upper + 6, left, 3),
        "walls": Place(0, upper + 9, half, 6),
        "signals": Place(half, upper + 9, left - half, 6),
        "log": Place(0, upper + 15, left, 4),
        "tape": Place(left, upper, side, 9),
        "breaker": Place(left, upper + 9, side, 10),
    }


def _wide(width: int, main: int, drawer: str) -> dict[str, Place]:
    del drawer
    ladder, tape, lower = 38, 26, 20
    upper = main - lower
    heat = width - ladder - tape
    right = 48
    left = width - right
    middle = left // 2
    return {
        "heatmap": Place(0, 0, heat, upper),
        "ladder": Place(heat, 0, ladder, upper),
        "tape": Place(heat + ladder, 0, tape, upper),
        "positions": Place(0, upper, left, HELD),
        "orders": Place(0, upper + 6, left - middle, 4),
        "log": Place(0, upper + 10, left - middle, 10),
        "walls": Place(left - middle, upper + 6, middle, 7),
        "breaker": Place(left - middle, upper + 13, middle, 7),
        "signals": Place(left, upper, right, 8),
        "card": Place(left, upper + 8, right, 12),
    }
