"""Candles of one listing, made of its own trades: minutes are kept, longer ones are put together when asked for.

A span without trades is a flat candle at the last price, as on the venue. Source: Bybit v5 kline pages.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import groupby

from breakwall.model.units import Instrument
from breakwall.venues.exchange.matching import PublicTrade

_MINUTE_MS = 60_000
_DAY_MS = 1440 * _MINUTE_MS
_KEPT = 7 * 1440
_MONDAY_MS = 4 * _DAY_MS  # 1970 began on a Thursday
_ZERO = Decimal(0)
_SPAN_MS = {str(n): n * _MINUTE_MS for n in (1, 3, 5, 15, 30, 60, 120, 240, 360, 720)} | {"D": _DAY_MS}

INTERVALS = (*_SPAN_MS, "W", "M")
"""The venue's names of candle lengths: minutes, day, week (from Monday), month."""


@dataclass(slots=True)
class Candle:
    """Prices in ticks, volume in lots, turnover in USDT."""

    start_ms: int
    open: int
    high: int
    low: int
    close: int
    lots: int = 0
    turnover: Decimal = _ZERO

    def texts(self, instrument: Instrument) -> tuple[str, str, str, str, str, str]:
        """Open, high, low, close, volume and turnover as the venue words them."""
        opening, high, low, close = map(instrument.price_text, (self.open, self.high, self.low, self.close))
        return opening, high, low, close, instrument.qty_text(self.lots), f"{self.turnover:f}"


class Candles:
    """The last seven days of one listing, minute by minute, from its first trade on."""

    __slots__ = ("_instrument", "_minutes")

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument
        self._minutes: deque[Candle] = deque(maxlen=_KEPT)

    def add(self, trade: PublicTrade) -> None:
        """Trades come in order."""
        self._reach(trade.at_ms, trade.ticks)
        candle = self._minutes[-1]
        candle.high = max(candle.high, trade.ticks)
        candle.low = min(candle.low, trade.ticks)
        candle.close = trade.ticks
        candle.lots += trade.lots
        candle.turnover += self._instrument.notional(trade.ticks, trade.lots)

    def of(self, interval: str, now_ms: int) -> list[Candle]:
        """All candles of this length up to now, oldest first; the last one is still open."""
        if self._minutes:
            self._reach(now_ms, self._minutes[-1].close)
        by_start = groupby(self._minutes, key=lambda minute: start_of(interval, minute.start_ms))
        return [_joined(start_ms, minutes) for start_ms, minutes in by_start]

    def _reach(self, at_ms: int, ticks: int) -> None:
        """Have a candle of this minute: flat ones fill the minutes without trades."""
        start_ms = start_of("1", at_ms)
        if not self._minutes:
            self._minutes.append(Candle(start_ms, ticks, ticks, ticks, ticks))
        while self._minutes[-1].start_ms < start_ms:
            last = self._minutes[-1]
            opening = ticks if last.start_ms + _MINUTE_MS == start_ms else last.close
            self._minutes.append(Candle(last.start_ms + _MINUTE_MS, opening, opening, opening, opening))


def start_of(interval: str, at_ms: int) -> int:
    """When the candle that holds this moment began."""
    if interval == "W":
        return at_ms - (at_ms - _MONDAY_MS) % (7 * _DAY_MS)
    if interval == "M":
        first = datetime.fromtimestamp(at_ms // 1000, UTC).replace(day=1, hour=0, minute=0, second=0)
        return int(first.timestamp()) * 1000
    return at_ms - at_ms % _SPAN_MS[interval]


def end_of(interval: str, start_ms: int) -> int:
    """The last millisecond of the candle that began then."""
    if interval == "M":
        return start_of("M", start_ms + 32 * _DAY_MS) - 1
    return start_ms + (7 * _DAY_MS if interval == "W" else _SPAN_MS[interval]) - 1


def _joined(start_ms: int, minutes: Iterable[Candle]) -> Candle:
    parts = list(minutes)
    return Candle(
        start_ms,
        parts[0].open,
        max(part.high for part in parts),
        min(part.low for part in parts),
        parts[-1].close,
        sum(part.lots for part in parts),
        sum((part.turnover for part in parts), _ZERO),
    )
