"""The tape pane: public trades as they come, newest first, small ones left out on request."""

from collections.abc import Sequence
from decimal import Decimal

from breakwall.app.book.prints import Print, Prints
from breakwall.app.look import Look
from breakwall.app.rows.figures import compact, price, time_of_day
from breakwall.app.rows.row import Row, left, right
from breakwall.app.rows.table import filled
from breakwall.app.themes.ink import Ink
from breakwall.app.trust import is_live, status_words
from breakwall.app.widgets.pane import Pane
from breakwall.model.view import SymbolView, View

PAINT_EVERY_MS = 500
SIZE, PRICE, BESIDE_PRICE = 5, 12, 18
"""Columns of a size, at most those of a price, and of all that stands beside it."""


class Tape(Pane, can_focus=True):
    """Remembers what it has been shown; what came between two looks is counted, never passed over."""

    words = "TAPE"

    def __init__(self, ink: Ink, look: Look) -> None:
        super().__init__(ink, look)
        self._prints = Prints()
        self._asked: tuple[object, ...] = ()

    def show(self, view: View) -> None:
        """Every print moves every row, and nobody reads faster: a busy tape is painted twice a second."""
        market = view.market(self.look.symbol)
        if market is not None:
            self._prints.take(market)
        status = market.status if market else ""
        asked = (view.at_ms // PAINT_EVERY_MS, self.look.symbol, status, self.look.tape_min_usdt, self.has_focus)
        if asked != self._asked or not self.painted:
            self._asked = asked
            super().show(view)

    def rows(self, view: View, width: int, height: int) -> Sequence[Row]:
        market = view.market(self.look.symbol)
        if market is None:
            return [self.title(width, "WAITING", "bar-warn")]
        self._prints.take(market)
        least = self.look.tape_min_usdt
        lines, hidden = tape_rows(self._prints, market, least, width, height - 1)
        word, ink = status_words(market)
        words = word or (filter_words(least, hidden) if least else balance_words(self._prints, view.at_ms))
        return [self.title(width, words, ink), *lines]


def tape_rows(prints: Prints, market: SymbolView, least: Decimal, width: int, rows: int) -> tuple[list[Row], int]:
    """The newest prints of at least this many USDT in so many rows, and how many of all kept ones are smaller."""
    lines: list[Row] = []
    hidden = 0
    for print_ in prints.newest_first():
        if print_.usdt < least:
            hidden += 1
        elif len(lines) < rows:
            lines.append(print_row(print_, market, width))
        if print_.missed and len(lines) < rows:
            lines.append(((left(f" +{print_.missed} not seen", width), "dim"),))
    return lines, hidden


def print_row(print_: Print, market: SymbolView, width: int) -> Row:
    """A dot where it is big, time, taker's side, price, size in USDT: one ink, so that scrolling stays cheap."""
    at = price(print_.ticks * market.tick, market.tick)
    room = min(width - BESIDE_PRICE, PRICE)
    time = time_of_day(print_.at_ms)
    if len(at) > room:
        time, room = time[3:], room + 3
    side, ink = ("B", "bid") if print_.buy else ("S", "ask")
    ink = "stale" if not is_live(market) else f"{ink}-bold" if print_.big else ink
    dot = "●" if print_.big else " "
    text = f" {time}{dot}{side} {right(at, max(1, room))} {right(compact(print_.usdt), SIZE)}"
    return filled(((text, ink),), width, ink)


def filter_words(least: Decimal, hidden: int) -> str:
    """What the tape leaves out: `≥50.0K, 213 hidden`."""
    return f"≥{compact(least)}, {hidden} hidden"


def balance_words(prints: Prints, now_ms: int) -> str:
    """Who was in a hurry during the last minute: `1m 62% buys`."""
    share = prints.buy_share(now_ms)
    return "" if share is None else f"1m {share:.0%} buys"
