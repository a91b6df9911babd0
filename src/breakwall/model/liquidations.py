"""Positions of others that the venue took over, as it tells all the world."""

from msgspec import Struct


class Liquidation(Struct, frozen=True, gc=False):
    """`long`: a long was taken over. `ticks` is its bankruptcy price on the nearest tick: nothing traded there."""

    ticks: int
    lots: int
    long: bool
    at_ms: int


class Liquidations(Struct, frozen=True, gc=False, tag=True):
    """Those of one symbol within half a second."""

    symbol: str
    liquidations: tuple[Liquidation, ...]
