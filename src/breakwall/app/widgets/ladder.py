"""The ladder pane: what rests at each price around the spread, with our own orders, entry and stop drawn in."""

from collections.abc import Sequence
from decimal import Decimal
from typing import ClassVar

from msgspec import Struct
from msgspec.structs import replace
from rich.cells import cell_len
from textual.binding import Binding, BindingType

from breakwall.app.book.rungs import BookSide, Window, book_side, follow, rung_of, scaled
from breakwall.app.look import Look
from breakwall.app.rows.figures import UNKNOWN, coarse, compact, price
from breakwall.app.rows.row import Cell, Row, left, right, width_of
from breakwall.app.rows.table import filled
from breakwall.app.themes.ink import Ink
from breakwall.app.trust import Stop, is_live, rests, status_words, stop_of
from breakwall.app.widgets.pane import Pane
from breakwall.model.units import fixed
from breakwall.model.view import SymbolView, View, WallView

MARKS = 4
"""Columns at the left of a rung: a wall's mark and up to three letters of ours."""
TAILS = (12, 6, 0)
"""Columns at the right: the sum and what became of a wall and a blank before the tape, the sum only, nothing."""
SIZE = 6
"""The least columns for a size."""


class Own(Struct, frozen=True):
    """Something of ours at a price: E entry, S stop, O order; `S?` is not proven, `O?` not known to rest."""

    letter: str
    price: Decimal
    rung: int

    @property
    def ink(self) -> str:
        return "stop" if self.letter.startswith("S") else "own"


class Ladder(Pane, can_focus=True):
    """Keeps its place between views, so that rows change only where the book does."""

    words = "LADDER"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll_price(1)", "Higher prices", show=False, id="ladder_up"),
        Binding("down", "scroll_price(-1)", "Lower prices", show=False, id="ladder_down"),
    ]

    def __init__(self, ink: Ink, look: Look) -> None:
        super().__init__(ink, look)
        self._window: Window | None = None
        self._turn = 0

    def rows(self, view: View, width: int, height: int) -> Sequence[Row]:
        market = view.market(self.look.symbol)
        if market is None or not market.bids or not market.asks:
            words = market.status_reason if market else f"{self.look.symbol} is not followed"
            return [self.title(width, *status_words(market)), ((left(f" {words or 'no book yet'}", width), "stale"),)]
        rungs = max(0, height - 3)  # without the title and the edges
        if self._turn != self.look.turn:  # the trader wants the price in the middle
            self._turn, self._window = self.look.turn, None
        window = follow(self._window, market, rungs - 1, self.look.centre_ticks is not None)
        bids, asks = book_side(market, True, window.step), book_side(market, False, window.step)
        self._window = window = scaled(window, (bids, asks), rungs - 1)
        drawing = Drawing(market, window, bids, asks, own_of(view, market, window.step), width)
        step = f"{'locked ' if self.look.centre_ticks is not None else ''}{fixed(window.step * market.tick)} a row"
        word, ink = status_words(market)
        return [self.title(width, word or step, ink), *drawing.rows(rungs)]

    def action_scroll_price(self, rungs: int) -> None:
        """Lock the price axis and move the ladder by some rungs; recentre lets both follow the price again."""
        if self._window is not None:
            self._window = replace(self._window, middle=self._window.middle + rungs)
            if self.look.centre_ticks is None:
                self.look.lock()


def own_of(view: View, market: SymbolView, step: int) -> list[Own]:
    """Our stop, entry and orders in this market, the stop first: it is the last that may be left out."""
    marks: list[tuple[str, Decimal | None]] = []
    for held in view.positions:
        if held.symbol == market.symbol:
            marks = [("S" if stop_of(held) is Stop.PROVEN else "S?", held.stop), ("E", held.entry)]
    orders = [order for order in view.orders if order.symbol == market.symbol]
    marks += [("O" if rests(order) else "O?", order.price) for order in orders]
    best = market.bids[0][0]
    own: list[Own] = []
    for letter, at in marks:
        if at is not None:
            ticks = int(at / market.tick)
            own.append(Own(letter, at, rung_of(ticks, step, ticks <= best)))
    return own


class Drawing:
    """One picture of a ladder: rungs from the highest to the lowest with the spread between the sides."""

    def __init__(
        self, market: SymbolView, window: Window, bids: BookSide, asks: BookSide, own: Sequence[Own], width: int
    ) -> None:
        self.market, self.window, self.bids, self.asks, self.own = market, window, bids, asks, own
        self.width = width
        self.live = is_live(market)
        self.best_bid = rung_of(market.bids[0][0], window.step, True)
        self.price = len(self._price(window.middle))
        rest = width - MARKS - self.price - 2
        self.tail = next((tail for tail in TAILS if rest - tail >= SIZE), 0)
        self.size = max(0, rest - self.tail)
        self.sum = self.tail - 1 if self.tail == TAILS[0] else self.tail
        self._usdt = float(market.usdt_per_tick_lot)

    def rows(self, rungs: int) -> list[Row]:
        """The edge above, `rungs` rows with the spread among them where it is in sight, the edge below."""
        shown = self.window.shown(max(0, rungs - 1))
        if self.best_bid not in shown:
            shown = self.window.shown(rungs)
        lines: list[Row] = []
        for rung in shown:
            lines += [self._spread()] if rung == self.best_bid else []
            lines.append(self._rung(rung))
        return [self._edge(True, shown), *lines, self._edge(False, shown)]

    def _rung(self, rung: int) -> Row:
        side = self.bids if rung <= self.best_bid else self.asks
        name = "bid" if side.bid else "ask"
        wall, here = side.walls.get(rung), side.rungs.get(rung)
        ink = "stale" if not self.live else f"{name}-wall" if wall else name
        worth = self._usdt * rung * self.window.step
        size = compact(here.lots * worth) if here else "" if side.knows(rung) else UNKNOWN
        total = coarse(here.sum_lots * worth) if here else ""
        tail = (eroded_words(wall, self.sum) if wall else "") or total
        filled_share = here.lots / self.window.full_lots if here and self.live and not wall else 0.0
        mark, number = "▌" if wall else " ", right(size, self.size)
        letters = self._letters(rung)
        marks: Row = ((left("".join(letters), MARKS - 1), letters_ink(letters)),) if letters else ()
        text = number if letters else " " * (MARKS - 1) + number
        cells = barred(text, round(min(1.0, filled_share) * len(text)), f"{name}-bar", ink)
        rest = f" {right(self._price(rung), self.price)} {left(right(tail, self.sum), self.tail)}"
        return filled(((mark, ink), *marks, *cells[:-1], (cells[-1][0] + rest, ink)), self.width, ink)

    def _letters(self, rung: int) -> list[str]:
        return [mine.letter for mine in self.own if mine.rung == rung]

    def _price(self, rung: int) -> str:
        return price(rung * self.window.step * self.market.tick, self.market.tick)

    def _middle(self) -> str:
        """The price between the sides, with the half tick it may lie on."""
        market = self.market
        return price((market.bids[0][0] + market.asks[0][0]) * market.tick / 2, market.tick / 10)

    def _spread(self) -> Row:
        """The middle of the market, inverted like the price's tag on the heat map, and the spread beside it."""
        market = self.market
        indent = MARKS + self.size
        spread = price((market.asks[0][0] - market.bids[0][0]) * market.tick, market.tick)
        words = f" spread {spread}" if len(spread) + 8 <= indent else spread
        inks = ("dim", "price") if self.live else ("stale", "stale")
        middle = self._middle()
        tag = next((tag for tag in (f" {middle} ", f" {middle}") if len(tag) <= self.width - indent), middle)
        return filled(((right(words, indent), inks[0]), (tag, inks[1])), self.width, "")

    def _edge(self, above: bool, shown: range) -> Row:
        """What lies beyond the last rung: the price itself, our stop, the nearest wall, the rest of ours."""
        if not shown:
            return ((" " * self.width, ""),)
        end = shown[0] if above else shown[-1]
        sign = 1 if above else -1
        notes: list[tuple[int, Cell]] = []
        if (self.best_bid - end) * sign > 0:
            notes.append((0, (f" {self._middle()} ", "price")))
        for mine in self.own:
            if (mine.rung - end) * sign > 0:
                words = f"{mine.letter} {price(mine.price, self.market.tick)}"
                notes.append((1 if mine.ink == "stop" else 3, (words, mine.ink)))
        wall = self._nearest_wall(sign, end, shown)
        if wall is not None:
            words = f"▌{price(wall.price, self.market.tick)} {compact(wall.notional_usdt)}"
            notes.append((2, (words, "stale" if not self.live else "bid" if wall.bid else "ask")))
        none = f" no wall {'above' if above else 'below'}", "dim"
        cells = [cell for _, cell in sorted(notes, key=lambda note: note[0])]
        return edge_row("▲" if above else "▼", cells or [none], self.width)

    def _nearest_wall(self, sign: int, end: int, shown: range) -> WallView | None:
        seen = {side.walls[rung].wall_id for side in (self.bids, self.asks) for rung in shown if rung in side.walls}
        limit = end * self.window.step * self.market.tick
        beyond = [wall for wall in self.market.walls if wall.in_view and (wall.price - limit) * sign > 0]
        return min(
            (wall for wall in beyond if wall.wall_id not in seen), key=lambda wall: wall.price * sign, default=None
        )


def edge_row(arrow: str, notes: Sequence[Cell], width: int) -> Row:
    """As many notes as fit, the first ones first, and how many did not."""
    cells: list[Cell] = [(arrow, "dim")]
    for place, (text, ink) in enumerate(notes):
        last = place == len(notes) - 1
        gap = " " * (place > 0)
        if width_of(tuple(cells)) + len(gap) + cell_len(text) + (0 if last else 3) > width:
            cells.append((f"{gap}+{len(notes) - place}", "own"))
            break
        cells += [(gap, ""), (text, ink)]
    return filled(tuple(cells), width, "")


def eroded_words(wall: WallView, width: int) -> str:
    """How much of a wall is gone and mostly how, as far as it fits; empty while it is whole."""
    how, share = max((("eaten", wall.eaten), ("pulled", wall.pulled)), key=lambda part: part[1])
    if share < 0.005:
        return ""
    words = f"▼{share:.0%} {how}"
    return words if len(words) <= width else words.partition(" ")[0]


def letters_ink(letters: Sequence[str]) -> str:
    return "stop" if any(letter.startswith("S") for letter in letters) else "own"


def barred(text: str, columns: int, bar: str, ink: str) -> Row:
    """A text of narrow letters whose first columns stand on a size bar."""
    return ((text[:columns], bar), (text[columns:], ink)) if columns else ((text, ink),)
