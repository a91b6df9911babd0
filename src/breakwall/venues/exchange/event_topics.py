"""Topics of what happens: trades, candles, liquidations, price limits. Source: Bybit v5 public topics."""

from collections.abc import Sequence

from breakwall.venues.exchange.candles import Candle, end_of
from breakwall.venues.exchange.checks import band
from breakwall.venues.exchange.listing import Listing, tick_direction
from breakwall.venues.exchange.matching import PublicTrade
from breakwall.venues.exchange.topics import Paced, Topic

_KLINE_MS = 1000
_LIQUIDATIONS_MS = 500
_PRICE_LIMIT_MS = 300
_MAX_TRADES = 1024


class TradesTopic(Topic):
    """`publicTrade`: every trade as soon as it is known; there is no first snapshot."""

    __slots__ = ("_direction", "_held", "_last_ticks", "_next_ms", "_pace_ms")

    def __init__(self, name: str, listing: Listing, pace_ms: int = 0) -> None:
        super().__init__(name, listing)
        self._pace_ms = pace_ms
        self._next_ms = 0
        self._held: list[PublicTrade] = []
        self._last_ticks = 0
        self._direction = "ZeroPlusTick"

    def publish(self, now_ms: int, trades: Sequence[PublicTrade]) -> None:
        self.admit(now_ms)
        self._held += trades
        if now_ms < self._next_ms:
            return
        if self._pace_ms:
            self._next_ms = (now_ms // self._pace_ms + 1) * self._pace_ms
        trades, self._held = self._held, []
        for start in range(0, len(trades), _MAX_TRADES):
            rows = [self._row(trade) for trade in trades[start : start + _MAX_TRADES]]
            self.tell(self.readers, {"topic": self.name, "type": "snapshot", "ts": now_ms, "data": rows})

    def _row(self, trade: PublicTrade) -> dict[str, object]:
        instrument = self.listing.instrument
        self._direction = tick_direction(self._direction, self._last_ticks, trade.ticks)
        self._last_ticks = trade.ticks
        return {
            "T": trade.at_ms,
            "s": instrument.symbol,
            "S": trade.side.value,
            "v": instrument.qty_text(trade.lots),
            "p": instrument.price_text(trade.ticks),
            "L": self._direction,
            "i": trade.trade_id,
            "BT": trade.block,
            "RPI": trade.rpi,
            "seq": trade.seq,
        }


class KlineTopic(Paced):
    """`kline`: the open candle each second in which it changed, and each candle once more when it closes."""

    __slots__ = ("_interval", "_told")

    def __init__(self, name: str, listing: Listing, interval: str) -> None:
        super().__init__(name, listing, _KLINE_MS)
        self._interval = interval
        self._told: Candle | None = None

    def _update(self, now_ms: int) -> None:
        candles = self.listing.candles.of(self._interval, now_ms)
        before, self._told = self._told, candles[-1] if candles else None
        if self._told is None or self._told == before:
            return
        if before is not None and self._told.start_ms != before.start_ms:
            closed = [one for one in candles[:-1] if one.start_ms >= before.start_ms]
            self.tell(self.readers, self._message(now_ms, closed))
        self.tell(self.readers, self._message(now_ms, [self._told]))

    def _snapshot(self, now_ms: int) -> dict[str, object] | None:
        return None if self._told is None else self._message(now_ms, [self._told])

    def _message(self, now_ms: int, candles: Sequence[Candle]) -> dict[str, object]:
        return {
            "topic": self.name,
            "data": [self._row(one, now_ms) for one in candles],
            "ts": now_ms,
            "type": "snapshot",
        }

    def _row(self, candle: Candle, now_ms: int) -> dict[str, object]:
        opening, high, low, close, volume, turnover = candle.texts(self.listing.instrument)
        end_ms = end_of(self._interval, candle.start_ms)
        return {
            "start": candle.start_ms,
            "end": end_ms,
            "interval": self._interval,
            "open": opening,
            "close": close,
            "high": high,
            "low": low,
            "volume": volume,
            "turnover": turnover,
            "confirm": now_ms > end_ms,
            "timestamp": min(now_ms, end_ms),
        }


class LiquidationsTopic(Paced):
    """`allLiquidation`: positions that were taken over; S is their own side, p their bankruptcy price."""

    __slots__ = ()

    def __init__(self, name: str, listing: Listing) -> None:
        super().__init__(name, listing, _LIQUIDATIONS_MS)
        listing.liquidations.clear()  # nobody has asked for those before

    def _update(self, now_ms: int) -> None:
        instrument = self.listing.instrument
        rows = [
            {
                "T": one.at_ms,
                "s": instrument.symbol,
                "S": one.side.value,
                "v": instrument.qty_text(one.lots),
                "p": instrument.price_text(one.ticks),
            }
            for one in self.listing.liquidations
        ]
        self.listing.liquidations.clear()
        if rows:
            self.tell(self.readers, {"topic": self.name, "type": "snapshot", "ts": now_ms, "data": rows})


class PriceLimitTopic(Paced):
    """`priceLimit`: the highest buy and the lowest sell limit, whenever they have changed."""

    __slots__ = ("_told",)

    def __init__(self, name: str, listing: Listing) -> None:
        super().__init__(name, listing, _PRICE_LIMIT_MS)
        self._told = (0, 0)

    def _update(self, now_ms: int) -> None:
        before, self._told = self._told, band(self.listing)
        if self._told != before:
            self.tell(self.readers, self._snapshot(now_ms))

    def _snapshot(self, now_ms: int) -> dict[str, object]:
        instrument = self.listing.instrument
        lowest_sell, highest_buy = map(instrument.price_text, self._told)
        data = {"symbol": instrument.symbol, "buyLmt": highest_buy, "sellLmt": lowest_sell}
        return {"topic": self.name, "data": data, "ts": now_ms}
