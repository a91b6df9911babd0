"""The walls pane: what stands around the price, how much of it is gone and how, and what stood there lately."""

from collections.abc import Sequence

from breakwall.app.rows.figures import UNKNOWN, age, bar, compact, percent, price, reach_words
from breakwall.app.rows.row import Cell, Row, left
from breakwall.app.rows.table import Column, Table, table
from breakwall.app.trust import is_live, status_words
from breakwall.app.widgets.pane import Pane
from breakwall.model.view import SymbolView, View, WallView

COLUMNS = (
    Column(" WALLS", rank=0),
    Column("", rank=2, least=3),
    Column("PRICE", rank=1, number=True),
    Column("SIZE", rank=4, number=True),
    Column("AWAY", rank=7, number=True, least=6),
    Column("AGE", rank=5, number=True, least=4),
    Column("HIT", rank=8, number=True),
    Column("GONE", rank=6, least=5),
    Column("STATE", rank=3, free=True, least=11),
)
ROOMY = 70
"""From this width on both shares of a loss are told."""
ENDS = {"unknown": "LOST"}
"""A wall that was not found again after the book was lost."""


class Walls(Pane, can_focus=True):
    words = "WALLS"

    def rows(self, view: View, width: int, height: int) -> Sequence[Row]:
        market = view.market(self.look.symbol)
        word, ink = status_words(market)
        if market is None or not (market.walls or market.ended):
            words = " no walls" if market is not None and not word else " no walls are known"
            return [self.title(width, word or within(market, width // 2), ink), ((left(words, width), "dim"),)]
        laid = wall_table(market, view.at_ms, width)
        room = height - 1
        cut = len(laid.rows) - room
        if not word:
            word = f"{room} of {len(laid.rows)}" if cut > 0 else f"{len(market.walls)} stand"
            room_left = width - len(" ".join(laid.heads).rstrip()) - 2
            far = within(market, room_left - len(word) - 1)
            word = f"{word} {far}" if far else word
        return [self.headed(laid.heads, width, word, ink), *laid.rows[:room]]


def within(market: SymbolView | None, room: int) -> str:
    """How far from the price walls can be seen at all, where there is room to say it."""
    words = f"within {reach_words(market.reach)}" if market is not None and market.reach is not None else ""
    return words if len(words) <= room else ""


def wall_table(market: SymbolView, now_ms: int, width: int) -> Table:
    """Standing walls, the nearest to the price first, then ended ones, the latest first."""
    middle = market.mid
    standing = sorted(market.walls, key=lambda wall: abs(wall.price - middle) if middle else wall.age_ms)
    ended = sorted(market.ended, key=lambda wall: -wall.ended_ms)
    return table(COLUMNS, [_line(wall, market, now_ms, width >= ROOMY) for wall in (*standing, *ended)], width)


def _line(wall: WallView, market: SymbolView, now_ms: int, roomy: bool) -> tuple[Cell, ...]:
    name = "bid" if wall.bid else "ask"
    middle = market.mid
    ink = "dim" if wall.end else "stale" if not is_live(market) or not wall.in_view else ""
    return (
        (f" {wall.wall_id % 100_000}", ink),
        (name.upper(), ink or f"{name}-bold"),
        (price(wall.price, market.tick), ink),
        (compact(wall.peak_lots * wall.price * market.lot) if wall.end else compact(wall.notional_usdt), ink),
        (percent((wall.price - middle) / middle) if middle else UNKNOWN, ink),
        (age(wall.age_ms), ink),
        (str(wall.touches), ink),
        (bar(wall.eroded, 5), ink),
        (wall_state(wall, now_ms, roomy), ink or ("warn" if wall.eroded >= 0.3 else "")),
    )


def wall_state(wall: WallView, now_ms: int, roomy: bool) -> str:
    """In words: whole, what part was eaten or pulled, out of view, or how and how long ago it ended."""
    if wall.end:
        words = f"{ENDS.get(wall.end, wall.end.upper())} {age(now_ms - wall.ended_ms)}"
        return f"{words} ago" if roomy else words
    if not wall.in_view:
        return "out of view"
    parts = sorted(((wall.eaten, "eaten"), (wall.pulled, "pulled")), reverse=True)
    lost = [f"{share:.0%} {word}" for share, word in parts if share >= 0.005]
    return " ".join(lost if roomy else lost[:1]) or "whole"
