"""What the trader looks at: symbol, zoom, filter, selection. The engine knows nothing of it."""

from decimal import Decimal

ZOOMS_MS = (250, 1_000, 5_000, 15_000)
"""How much time one column of the heat map is."""


class Look:
    """Mutable, read by all panes.

    `rows_per_price` is the price zoom: how many ticks a half row of the heat map covers, 0 for a fit to the book;
    `centre_ticks` the locked middle of the price axis, None while it follows the price.
    `signal` is the trace of the selected signal, empty for the newest.
    """

    def __init__(self, symbols: tuple[str, ...], tape_min_usdt: Decimal) -> None:
        self.symbols = symbols
        self.symbol = symbols[0]
        self.column_ms = 1_000
        self.ticks_per_half_row = 0
        self.centre_ticks: int | None = None
        self.tape_min_usdt = tape_min_usdt
        self.signal = ""
        self.maximised = ""
        self.drawer = "walls"

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
