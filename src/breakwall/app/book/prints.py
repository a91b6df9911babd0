"""The tape's memory: public trades gathered into prints, those that came between two looks included."""

from collections import deque
from collections.abc import Iterator

from breakwall.model.view import SymbolView, TradeView

SWEEP_MS = 100
"""Trades of one side at one price within this time are one print: an order that met several others."""
KEPT = 600
BALANCE_MS = 60_000
_BIG = 8.0
"""A print this many times the average of the kept ones is big."""


class Print:
    """One row of the tape. `missed` trades came between two looks and were not seen, right before it."""

    __slots__ = ("at_ms", "big", "buy", "missed", "ticks", "usdt")

    def __init__(self, trade: TradeView, usdt: float, missed: int) -> None:
        self.at_ms = trade.at_ms
        self.ticks = trade.ticks
        self.buy = trade.buy
        self.usdt = usdt
        self.missed = missed
        self.big = False


class Prints:
    """The last prints of one symbol, newest last. Amounts are USDT as floats: they are only looked at."""

    def __init__(self) -> None:
        self.symbol = ""
        self._seen = 0
        self._prints: deque[Print] = deque()
        self._usdt = 0.0

    def take(self, market: SymbolView) -> None:
        """The trades of this view that are new; another symbol, or a run that began again, starts over."""
        if market.symbol != self.symbol or market.trades_seen < self._seen:
            self.symbol = market.symbol
            self._prints.clear()
            self._usdt = 0.0
            self._seen = max(0, market.trades_seen - len(market.trades))
        fresh = market.trades_seen - self._seen
        self._seen = market.trades_seen
        missed = max(0, fresh - len(market.trades))
        worth = float(market.usdt_per_tick_lot)
        for trade in market.trades[len(market.trades) - (fresh - missed) :]:
            self._add(trade, trade.ticks * trade.lots * worth, missed)
            missed = 0

    def newest_first(self) -> Iterator[Print]:
        return reversed(self._prints)

    def buy_share(self, now_ms: int) -> float | None:
        """What of the last minute's turnover, as far as it was seen, was bought by takers; None without trades."""
        bought = total = 0.0
        for print_ in self.newest_first():
            if now_ms - print_.at_ms > BALANCE_MS:
                break
            total += print_.usdt
            bought += print_.usdt if print_.buy else 0.0
        return bought / total if total else None

    def _add(self, trade: TradeView, usdt: float, missed: int) -> None:
        last = self._prints[-1] if self._prints else None
        same = last is not None and not missed and last.ticks == trade.ticks and last.buy is trade.buy
        if last is not None and same and trade.at_ms - last.at_ms <= SWEEP_MS:
            last.usdt += usdt
        else:
            last = Print(trade, usdt, missed)
            self._prints.append(last)
        self._usdt += usdt
        last.big = last.usdt > _BIG * self._usdt / len(self._prints)
        if len(self._prints) > KEPT:
            self._usdt -= self._prints.popleft().usdt
