"""What the trader looks at: symbol, zoom, filter, selection. The engine knows nothing of it."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from decimal import Decimal
from itertools import islice

from breakwall.app.heatmap.history import ZOOMS_MS, History
from breakwall.app.steps import steps

__all__ = ("STEPS", "ZOOMS_MS", "Look")

STEPS = tuple(islice(steps(), 18))
"""How many ticks one half row of the heat map can be."""

FILTERS_USDT = tuple(map(Decimal, (1_000, 10_000, 50_000, 250_000)))
"""Steps of the tape's filter: the smallest trade shown, beside all of them."""


class Look:
    """Mutable, read by all panes.

    `ticks_per_half_row` is the price zoom of the heat map, 0 for a fit to the book; `centre_ticks` the locked middle
    of its axis, None while it follows the price, and `turn` counts the wishes to recentre it. `shown` is what
    the heat map made of these: ticks per half row and the middle. `history` is what the markets were.
    `signal` is the trace of the selected signal, empty for the newest.
    """

    def __init__(self, symbols: tuple[str, ...], tape_min_usdt: Decimal) -> None:
        self.pinned = self.symbols = symbols
        self.symbol = symbols[0]
        self.column_ms = 1_000
        self.ticks_per_half_row = 0
        self.centre_ticks: int | None = None
        self.turn = 0
        self.shown = (1, 0)
        self.history = History()
        self.tape_min_usdt = tape_min_usdt
        self.signal = ""
        self.maximised = ""
        self.drawer = "walls"

    def follow(self, followed: Iterable[str]) -> None:
        """The list: symbols of the settings, who else is followed, and the selected one whatever became of it."""
        self.symbols = tuple(dict.fromkeys((*self.pinned, *followed, self.symbol)))

    def step_symbol(self, step: int) -> None:
        """The next or previous symbol; price zoom and centre belong to the old one."""
        self.select(self.symbols[(self.symbols.index(self.symbol) + step) % len(self.symbols)])

    def select(self, symbol: str) -> None:
        self.symbol = symbol
        self.ticks_per_half_row = 0
        self.centre_ticks = None

    def step_time(self, step: int) -> None:
        """Zoom time in (-1) or out (1)."""
        place = ZOOMS_MS.index(self.column_ms) + step
        self.column_ms = ZOOMS_MS[max(0, min(len(ZOOMS_MS) - 1, place))]

    def step_filter(self) -> None:
        """The next larger smallest trade on the tape; after the largest all of them again."""
        larger = [limit for limit in FILTERS_USDT if limit > self.tape_min_usdt]
        self.tape_min_usdt = larger[0] if larger else Decimal(0)

    def zoom_price(self, step: int) -> None:
        """Fewer (-1) or more (1) ticks to a half row of the heat map: the next of 1, 2, 5, 10, 20, 50 ..."""
        ticks = self.shown[0]
        place = bisect_right(STEPS, ticks) if step > 0 else bisect_left(STEPS, ticks) - 1
        self.ticks_per_half_row = STEPS[max(0, min(len(STEPS) - 1, place))]

    def recentre(self) -> None:
        """The price in the middle again, following it, and the zoom fitted to the book."""
        self.ticks_per_half_row = 0
        self.centre_ticks = None
        self.turn += 1

    def lock(self) -> None:
        """Keep the price axis where it is, or let it follow the price again."""
        self.centre_ticks = self.shown[1] if self.centre_ticks is None else None
