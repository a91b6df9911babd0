"""One listed contract as the public sees it: its book, its reference prices, its tape and its day."""

from collections import deque
from decimal import Decimal

from msgspec import Struct

from breakwall.model.units import Instrument, Side, fixed
from breakwall.venues.exchange.candles import Candles
from breakwall.venues.exchange.matching import MatchingBook, PublicTrade

DEEPEST = 1000
_TAPE = 1000
_FUNDINGS = 200
_ZERO = Decimal(0)


class Liquidation(Struct, frozen=True):
    """One position taken over: `side` is the position's own, `ticks` its bankruptcy price."""

    at_ms: int
    side: Side
    lots: int
    ticks: int


class Listing:
    """A symbol's public state. Prices are USDT `Decimal`; rates are fractions; volumes are coins.

    `mark` and `index` are set by whoever runs the market (the synthetic market, a test); without a
    mark nothing triggers and market orders find no protective price. `open_price` is the price of
    24 hours ago; `funding_history` holds (ms, rate) of the settled ones, oldest first. `liquidations` are
    those since somebody last told of them, `breaks` counts how often the book jumped without a change of each price;
    while it is not to be `told` nobody is sent it. It is told `deepest` levels deep: nobody knows what lies beyond.
    """

    __slots__ = (
        "_told_ticks",
        "book",
        "breaks",
        "candles",
        "deepest",
        "funding_history",
        "funding_rate",
        "high",
        "index",
        "instrument",
        "liquidations",
        "low",
        "mark",
        "next_funding_ms",
        "open_interest",
        "open_price",
        "tape",
        "tick_direction",
        "told",
        "turnover_usdt",
        "volume",
    )

    def __init__(self, instrument: Instrument, now_ms: int, first_seq: int = 1) -> None:
        self.instrument = instrument
        self.candles = Candles(instrument)
        self.book = MatchingBook(instrument.symbol, first_seq)
        self.breaks = 0
        self.told = True
        self.deepest = DEEPEST
        self.mark = _ZERO
        self.index = _ZERO
        self.funding_rate = Decimal("0.0001")
        interval = instrument.funding_interval_min * 60_000
        self.next_funding_ms = (now_ms // interval + 1) * interval
        self.open_price = _ZERO
        self.high = _ZERO
        self.low = _ZERO
        self.volume = _ZERO
        self.turnover_usdt = _ZERO
        self.open_interest = _ZERO
        self.liquidations: deque[Liquidation] = deque(maxlen=_TAPE)
        self.tick_direction = "ZeroPlusTick"
        self._told_ticks = 0
        self.funding_history: deque[tuple[int, Decimal]] = deque(maxlen=_FUNDINGS)
        self.tape: deque[PublicTrade] = deque(maxlen=_TAPE)

    def set_prices(self, mark: Decimal, index: Decimal | None = None) -> None:
        """New reference prices, rounded to the contract's price decimals; `index` defaults to the mark."""
        step = Decimal(1).scaleb(-self.instrument.price_decimals)
        self.mark = mark.quantize(step)
        self.index = self.mark if index is None else index.quantize(step)

    def begin_again(self, new: Instrument) -> None:
        """Other steps of price or size: an empty book at the same price; the tape in the old ones is forgotten."""
        last = self.last
        self.instrument = new
        self.book = MatchingBook(new.symbol, self.book.seq + 1)
        self.book.last_ticks = new.ticks_near(last) if last else None
        self.candles = Candles(new)
        self.tape.clear()
        self._told_ticks = 0

    @property
    def last_ticks(self) -> int | None:
        """Price of the last trade in ticks; before the first one the nearest to the mark, None without one."""
        if self.book.last_ticks is not None:
            return self.book.last_ticks
        return self.instrument.ticks_near(self.mark) if self.mark else None

    @property
    def last(self) -> Decimal:
        """Price of the last trade; before the first one the mark, on the tick grid."""
        ticks = self.last_ticks
        return _ZERO if ticks is None else self.instrument.price(ticks)

    def take_trades(self) -> list[PublicTrade]:
        """Trades since the last call, counted into tape, day and (but for blocks) prices; for one publisher."""
        trades = self.book.take_trades()
        for trade in trades:
            price = self.instrument.price(trade.ticks)
            self.volume += self.instrument.qty(trade.lots)
            self.turnover_usdt += self.instrument.notional(trade.ticks, trade.lots)
            if trade.block:
                continue
            self.candles.add(trade)
            self.tick_direction = tick_direction(self.tick_direction, self._told_ticks, trade.ticks)
            self._told_ticks = trade.ticks
            self.high = max(self.high, price)
            self.low = min(self.low, price) if self.low else price
        self.tape.extend(trades)
        return trades

    def ticker(self) -> dict[str, str]:
        """All ticker fields as the venue words them; the socket sends the changed ones, REST all."""
        price, qty = self._price, self._qty
        book = self.book
        bid, ask = book.best_bid, book.best_ask
        open_price = self.open_price or self.last
        change = (self.last - open_price) / open_price if open_price else _ZERO
        return {
            "symbol": self.instrument.symbol,
            "tickDirection": self.tick_direction,
            "price24hPcnt": f"{change:.6f}",
            "lastPrice": price(self.last),
            "prevPrice24h": price(open_price),
            "highPrice24h": price(self.high or self.last),
            "lowPrice24h": price(self.low or self.last),
            "prevPrice1h": price(open_price),
            "markPrice": price(self.mark),
            "indexPrice": price(self.index),
            "openInterest": qty(self.open_interest),
            "openInterestValue": f"{self.open_interest * self.mark:.2f}",
            "singleOpenInterest": qty(self.open_interest),
            "singleOpenInterestValue": f"{self.open_interest * self.mark:.2f}",
            "turnover24h": f"{self.turnover_usdt:.4f}",
            "volume24h": qty(self.volume),
            "fundingIntervalHour": str(self.instrument.funding_interval_min // 60),
            "fundingCap": "0.005",
            "nextFundingTime": str(self.next_funding_ms),
            "fundingRate": fixed(self.funding_rate),
            "bid1Price": "" if bid is None else self.instrument.price_text(bid),
            "bid1Size": "" if bid is None else self.instrument.qty_text(book.level_lots(Side.BUY, bid)),
            "ask1Price": "" if ask is None else self.instrument.price_text(ask),
            "ask1Size": "" if ask is None else self.instrument.qty_text(book.level_lots(Side.SELL, ask)),
            "preOpenPrice": "",
            "preQty": "",
            "curPreListingPhase": "",
        }

    def _price(self, value: Decimal) -> str:
        return f"{value:.{self.instrument.price_decimals}f}"

    def _qty(self, value: Decimal) -> str:
        return f"{value:.{self.instrument.qty_decimals}f}"


def tick_direction(before: str, last_ticks: int, ticks: int) -> str:
    """The venue's word for how a trade's price compares with the last one; an equal price keeps its direction."""
    if ticks != last_ticks:
        return "PlusTick" if ticks > last_ticks else "MinusTick"
    return "ZeroPlusTick" if before.endswith("PlusTick") else "ZeroMinusTick"
