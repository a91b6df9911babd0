"""The price axis of the heat map: which prices it shows, and how it keeps still while the price moves.

The picture's unit is the half row: `step` ticks of price. The grid is absolute (`low_ticks` is a multiple of `step`),
so that the same price lies in the same half row until the axis moves by whole half rows.
"""

from msgspec import Struct

from breakwall.app.look import Look
from breakwall.app.steps import at_least
from breakwall.model.view import SymbolView

_NEAR = 0.005
"""A fitted axis shows no more than this share of the price to either side, however deep the book is; twice as much
where the price came from farther."""
_MIDDLE = 0.55
"""The axis stays where it is while the price is in this share of it."""
_TIGHT, _LOOSE = 0.3, 1.5
"""A fitted step is kept while the wanted one is between these shares of it."""
_CUT = 0.8
"""A fitted axis may show only this share of what is wanted rather than all of it half as large."""
_PATH = 2.5
"""Where the price came from counts as far as so many times the book's reach: the book is what it is about."""


class PriceAxis(Struct, frozen=True):
    """Half rows of `step` ticks, the lowest one from `low_ticks`. `turn` counts the trader's wishes to recentre."""

    symbol: str
    low_ticks: int
    step: int
    half_rows: int
    fitted: bool = True
    locked: bool = False
    turn: int = 0

    @property
    def high_ticks(self) -> int:
        """The first tick above it."""
        return self.low_ticks + self.step * self.half_rows

    @property
    def centre_ticks(self) -> int:
        return self.low_ticks + self.step * self.half_rows // 2

    def half_row(self, ticks: float) -> int:
        """Half row of a price, counted from the top; below 0 or from `half_rows` on where it is not shown."""
        return self.half_rows - 1 - int((ticks - self.low_ticks) // self.step)

    def row(self, ticks: float) -> int | None:
        """Row of text of a price; None where it is not shown."""
        half = self.half_row(ticks)
        return half // 2 if 0 <= half < self.half_rows else None


def follow(
    before: PriceAxis | None, market: SymbolView, path: tuple[float, float], half_rows: int, look: Look
) -> PriceAxis | None:
    """The axis for this book: where it was while that serves. None while no price is known.

    `path` are the lowest and highest prices (ticks) of the time that is shown.
    """
    if before is not None and (before.symbol != market.symbol or before.half_rows != half_rows):
        before = None
    if not market.bids or not market.asks:
        return before
    mid = (market.bids[0][0] + market.asks[0][0]) / 2
    step = look.ticks_per_half_row or _fitted(before, 2 * _wanted(market, mid, path) / half_rows)
    centre = _centre(before, mid, step * half_rows, look)
    low = round((centre - step * half_rows / 2) / step) * step
    return PriceAxis(
        symbol=market.symbol,
        low_ticks=low,
        step=step,
        half_rows=half_rows,
        fitted=not look.ticks_per_half_row,
        locked=look.centre_ticks is not None,
        turn=look.turn,
    )


def reach(market: SymbolView) -> int:
    """How far the book is known, in ticks from the best price, on its longer side."""
    sides = (market.bids, market.asks)
    return max((abs(side[-1][0] - side[0][0]) for side in sides if side), default=0)


def _fitted(before: PriceAxis | None, ideal: float) -> int:
    """The first round step that shows about as much; the one before while it nearly does."""
    if before is not None and before.fitted and _TIGHT * before.step <= ideal <= _LOOSE * before.step:
        return before.step
    return at_least(ideal * _CUT)


def _wanted(market: SymbolView, mid: float, path: tuple[float, float]) -> float:
    """How many ticks there should be to each side of the price: the book's reach, and where the price was."""
    book, near = reach(market), mid * _NEAR
    came_from = min(_PATH * book, max(mid - path[0], path[1] - mid))
    return max(min(book, near), min(came_from, 2 * near))


def _centre(before: PriceAxis | None, mid: float, span: int, look: Look) -> float:
    if look.centre_ticks is not None:
        return look.centre_ticks
    if before is None or before.turn != look.turn:
        return mid
    return before.centre_ticks if abs(mid - before.centre_ticks) <= span * _MIDDLE / 2 else mid
