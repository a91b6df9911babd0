"""The largest walls of all markets, the largest first: to look at, to search in, and to go where one stands."""

from collections.abc import Callable

from breakwall.app.dialogs.dialog import Choice
from breakwall.app.dialogs.finder import Entry
from breakwall.app.rows.figures import age, compact
from breakwall.model.view import DensityView, DensityWall, View
from breakwall.ports import Desk

MOST = 60
OPEN = Entry("largest walls of all markets", "", Choice("everywhere"), "density map screener")
"""Its line in the palette."""


def everywhere(desk: Desk) -> Callable[[View | None], list[Entry]]:
    """Asked for once a second: of hundreds of markets it costs some milliseconds."""
    told: dict[int, list[Entry]] = {}

    def entries(view: View | None) -> list[Entry]:
        second = view.at_ms // 1_000 if view is not None else 0
        if second not in told:
            told.clear()
            told[second] = largest(desk.density())
        return told[second]

    return entries


def largest(markets: tuple[DensityView, ...]) -> list[Entry]:
    walls = [(wall, market.symbol) for market in markets for wall in market.walls]
    walls.sort(key=lambda found: found[0].notional_usdt, reverse=True)
    return [Entry(*_words(wall, symbol), Choice("symbol", symbol)) for wall, symbol in walls[:MOST]]


def _words(wall: DensityWall, symbol: str) -> tuple[str, str]:
    size = compact(wall.notional_usdt)
    gone = f"{wall.eroded:.0%} gone" if wall.eroded >= 0.005 else "whole"
    name = f"{symbol} {'bid' if wall.bid else 'ask'}"
    return name, f"{size:>6} {wall.away:+7.2%} {age(wall.age_ms):>5} {gone:>9}"
