"""The last minutes of each symbol, read once: a market that is new to us knows its usual range from the first second.

Source: Bybit v5, market/kline: newest first, the first one still open.
"""

import logging
from collections.abc import Mapping

from breakwall.model.candles import Candle, Candles
from breakwall.model.units import Instrument
from breakwall.ports import Clock, Sink
from breakwall.venues.bybit.endpoints import KLINE
from breakwall.venues.bybit.reports import RecordError, price, whole
from breakwall.venues.bybit.rest import ReadError, Rest

READ = 30
LOOK_S = 2.0
FAILURES = 3
"""In a row; what they would tell is known after a minute anyway."""
_MINUTE_MS = 60_000
_NAMES = ("start", "open", "high", "low", "close")
_log = logging.getLogger(__name__)


async def keep_reading(rest: Rest, instruments: Mapping[str, Instrument], clock: Clock, sink: Sink) -> None:
    """Read them for every symbol that turns up in `instruments`, one after the other: nobody waits for them. A venue
    that does not tell them is not asked for ever.
    """
    read: set[str] = set()
    failures = 0
    while failures < FAILURES:
        for symbol in [symbol for symbol in instruments if symbol not in read]:
            if failures >= FAILURES:
                break
            read.add(symbol)
            try:
                sink.put(await recent(rest, instruments[symbol]))
                failures = 0
            except (ReadError, RecordError) as error:
                failures += 1
                _log.warning("%s: its last minutes are not known: %s", symbol, error)
        await clock.sleep(LOOK_S)


async def recent(rest: Rest, instrument: Instrument) -> Candles:
    """Its closed minutes; raises ReadError or RecordError."""
    asked = {"category": "linear", "symbol": instrument.symbol, "interval": "1", "limit": READ}
    rows = (await rest.read(KLINE, asked)).get("list")
    if not isinstance(rows, list):
        raise RecordError(f"list: expected bars, found {type(rows).__name__}")
    candles = sorted((_candle(row, instrument) for row in rows), key=lambda one: one.start_ms)
    now_ms = rest.terms.venue_ms()
    return Candles(instrument.symbol, tuple(one for one in candles if one.start_ms + _MINUTE_MS <= now_ms))


def _candle(row: object, instrument: Instrument) -> Candle:
    if not isinstance(row, list) or len(row) < len(_NAMES):
        raise RecordError(f"bar: expected {', '.join(_NAMES)}, found {type(row).__name__}")
    told = dict(zip(_NAMES, row, strict=False))
    first, high, low, last = (_ticks(told, name, instrument) for name in _NAMES[1:])
    if not low <= min(first, last) <= max(first, last) <= high:
        raise RecordError(f"bar: expected low and high around the others, found {first}, {high}, {low}, {last} ticks")
    return Candle(whole(told, "start"), first, high, low, last)


def _ticks(told: Mapping[str, object], name: str, instrument: Instrument) -> int:
    at = price(told, name)
    if at is None:
        raise RecordError(f"{name}: expected a price above 0, found none")
    return instrument.ticks_near(at)
