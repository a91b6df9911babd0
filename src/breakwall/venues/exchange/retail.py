"""Trades beside the visible book: retail orders with price improvement, and now and then a block.

They have dice of their own, so that the visible market is the same with and without them.
"""

from random import Random

from breakwall.model.units import Side
from breakwall.venues.exchange.agents import STEP_MS, Pit

_RETAIL_A_SECOND = 0.2
_BLOCK_A_SECOND = 0.005
_BLOCK_TRADES = 40
"""A block is worth so many ordinary trades."""


class RetailDesk:
    """One symbol's trades that a reader of walls must not count."""

    __slots__ = ("_dice", "_pit")

    def __init__(self, pit: Pit, dice: Random) -> None:
        self._pit = pit
        self._dice = dice

    def trade(self) -> None:
        roll = self._dice.random() * 1000 / STEP_MS
        if roll >= _RETAIL_A_SECOND:
            return
        pit, side = self._pit, self._dice.choice((Side.BUY, Side.SELL))
        best = pit.book.best(side.opposite)
        block = roll < _BLOCK_A_SECOND
        if best is not None:
            lots = pit.lots(pit.character.trade_usdt * (_BLOCK_TRADES if block else 1))
            pit.book.report(side, best, lots, pit.now_ms, block=block)
