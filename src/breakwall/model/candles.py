"""Bars of the past, as the venue tells them."""

from msgspec import Struct


class Candle(Struct, frozen=True, gc=False):
    """One closed minute of trades, in ticks; `start_ms` is the venue's time."""

    start_ms: int
    open: int
    high: int
    low: int
    close: int


class Candles(Struct, frozen=True, gc=False, tag=True):
    """The last minutes of one symbol, oldest first."""

    symbol: str
    candles: tuple[Candle, ...]
