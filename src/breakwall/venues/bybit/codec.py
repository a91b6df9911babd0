"""Public frames of Bybit v5 linear, as events in integer ticks and lots.

One frame becomes exactly one event. Contract: `orderbook.{depth}.{symbol}`, `publicTrade.{symbol}`,
`tickers.{symbol}` and `allLiquidation.{symbol}` of the public v5 socket; the order of keys within a frame is not
relied on.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

import msgspec
from msgspec import Struct

from breakwall.model.events import BadFrame, BookDelta, BookSnapshot, Event, Ignored, Link, Ticker, Trade, Trades
from breakwall.model.liquidations import Liquidation, Liquidations
from breakwall.model.text import sanitise
from breakwall.model.units import Instrument, UnitError

Levels = list[tuple[int, int]]
DIGITS_MOST = 30
"""Whole digits of a number: more would only be slow to reckon with, and too large for our decimals."""
_EXACT = 2.0**53
"""Below it every whole number has a double of its own."""


class _BookData(Struct, gc=False):
    s: str
    b: list[tuple[float, float]]
    a: list[tuple[float, float]]
    u: int
    seq: int = 0


class _BookFrame(Struct, gc=False):
    topic: str
    type: str
    data: _BookData
    ts: int = 0
    cts: int = 0


class _ExactData(Struct):
    b: list[tuple[str, str]]
    a: list[tuple[str, str]]


class _ExactFrame(Struct):
    data: _ExactData


class _TradeData(Struct, gc=False):
    T: int
    s: str
    S: Literal["Buy", "Sell"]
    v: str
    p: str
    i: str = ""
    BT: bool = False
    RPI: bool = False
    seq: int = 0


class _TradeFrame(Struct, gc=False):
    topic: str
    data: list[_TradeData]
    ts: int = 0


class _LiquidationData(Struct, gc=False):
    T: int
    s: str
    S: Literal["Buy", "Sell"]
    v: str
    p: str


class _LiquidationFrame(Struct, gc=False):
    topic: str
    data: list[_LiquidationData]


class _TickerData(Struct, gc=False, rename="camel"):
    symbol: str
    mark_price: str = ""
    index_price: str = ""
    last_price: str = ""
    funding_rate: str = ""
    next_funding_time: str = ""
    turnover_24h: str = msgspec.field(default="", name="turnover24h")
    price_24h_pcnt: str = msgspec.field(default="", name="price24hPcnt")
    open_interest: str = ""
    bid_1_price: str = msgspec.field(default="", name="bid1Price")
    ask_1_price: str = msgspec.field(default="", name="ask1Price")


class _TickerFrame(Struct, gc=False):
    topic: str
    data: _TickerData
    ts: int = 0


class _Envelope(Struct):
    topic: str = ""
    op: str = ""
    success: bool = True
    ret_msg: str = ""


_decode_book = msgspec.json.Decoder(_BookFrame, strict=False).decode
_decode_exact = msgspec.json.Decoder(_ExactFrame).decode
_decode_trades = msgspec.json.Decoder(_TradeFrame).decode
_decode_liquidations = msgspec.json.Decoder(_LiquidationFrame).decode
_decode_ticker = msgspec.json.Decoder(_TickerFrame).decode
_decode_envelope = msgspec.json.Decoder(_Envelope).decode


class _Grid:
    """What it takes to read one symbol's numbers: steps per USDT and per coin, and the exact way."""

    __slots__ = ("instrument", "per_coin", "per_usdt")

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.per_usdt = float(1 / instrument.tick)
        self.per_coin = float(1 / instrument.lot)

    def levels(self, levels: list[tuple[str, str]]) -> Levels:
        """Raises UnitError where a price or size is not on the grid."""
        return [(self.ticks(price), self.lots(size)) for price, size in levels]

    def ticks(self, text: str) -> int:
        ticks = _steps(text, self.per_usdt) or self.instrument.ticks(text)
        if ticks <= 0:
            raise UnitError(f"{self.instrument.symbol} price: expected more than 0, found {text!r}")
        return ticks

    def lots(self, text: str) -> int:
        lots = _steps(text, self.per_coin) or self.instrument.lots(text)
        if lots < 0:
            raise UnitError(f"{self.instrument.symbol} quantity: expected 0 or more, found {text!r}")
        return lots


def _steps(text: str, per_unit: float) -> int:
    """Steps of a number on the grid by the arithmetic of the books; 0 where it must be read digit by digit."""
    try:
        value = float(text)
    except ValueError:
        return 0
    if not 0 < value * per_unit < _EXACT:
        return 0
    steps = int(value * per_unit + 0.5)
    return steps if steps / per_unit == value else 0


class PublicCodec:
    """Reads public frames of the symbols it has instruments for; all others are `Ignored`."""

    def __init__(self, instruments: Mapping[str, Instrument]) -> None:
        self._grids: dict[str, _Grid] = {}
        self._books: dict[str, tuple[_Grid, str, int]] = {}
        self.set_instruments(instruments)

    def set_instruments(self, instruments: Mapping[str, Instrument]) -> None:
        """Follow these symbols with these ticks and lots from the next frame on."""
        self._grids = {symbol: _Grid(instrument) for symbol, instrument in instruments.items()}
        self._books = {}

    def decode(self, frame: bytes) -> Event:
        """The event of a frame. Never raises: what cannot be read is a `BadFrame` with the reason."""
        try:
            if b'"orderbook.' in frame:
                return self._book(frame)
            if b'"publicTrade.' in frame:
                return self._trades(_decode_trades(frame))
            if b'"tickers.' in frame:
                return self._ticker(_decode_ticker(frame))
            return self._other(frame)
        except (msgspec.MsgspecError, UnitError, ValueError, ArithmeticError, RecursionError) as error:
            return self._unreadable(frame, error)

    def _book(self, frame: bytes) -> Event:
        message = _decode_book(frame)
        route = self._books.get(message.topic) or self._route(message.topic)
        if route is None:
            return Ignored(sanitise(message.topic, 80))
        grid, symbol, depth = route
        data = message.data
        # Steps over steps per unit is correctly rounded: it gives back the very double that was read if the
        # number lies on the grid. A level that does not is left out, which the lengths give away: the frame
        # is then read again digit by digit. (Faster than any cache of texts: measured.)
        up = grid.per_usdt
        uc = grid.per_coin
        bids = [
            (ticks, lots)
            for price, size in data.b
            if price
            and (ticks := int(price * up + 0.5)) / up == price
            and (lots := int(size * uc + 0.5)) / uc == size
        ]
        asks = [
            (ticks, lots)
            for price, size in data.a
            if price
            and (ticks := int(price * up + 0.5)) / up == price
            and (lots := int(size * uc + 0.5)) / uc == size
        ]
        if len(bids) != len(data.b) or len(asks) != len(data.a):
            exact = _decode_exact(frame).data
            bids, asks = grid.levels(exact.b), grid.levels(exact.a)
        if data.s != symbol:
            return _bad(f"{message.topic}: expected data of {symbol}, found {data.s!r}")
        if message.type == "delta":
            return BookDelta(symbol, bids, asks, data.u, data.seq, message.cts or message.ts, depth)
        if message.type == "snapshot":
            return BookSnapshot(symbol, bids, asks, data.u, data.seq, message.cts or message.ts, depth)
        return _bad(f"{message.topic}: expected type snapshot or delta, found {message.type!r}")

    def _route(self, topic: str) -> tuple[_Grid, str, int] | None:
        parts = topic.split(".")
        if len(parts) != 3 or parts[0] != "orderbook" or not parts[1].isdecimal() or parts[2] not in self._grids:
            return None
        route = (self._grids[parts[2]], parts[2], int(parts[1]))
        self._books[topic] = route
        return route

    def _other(self, frame: bytes) -> Event:
        envelope = _decode_envelope(frame)
        kind, _, symbol = envelope.topic.partition(".")
        grid = self._grids.get(symbol)
        if kind != "allLiquidation" or grid is None:
            return _answer(envelope)
        return _liquidations(grid, _decode_liquidations(frame))

    def _trades(self, message: _TradeFrame) -> Event:
        grid = self._grids.get(message.topic.removeprefix("publicTrade."))
        return Ignored(sanitise(message.topic, 80)) if grid is None else _trades(grid, message)

    def _ticker(self, message: _TickerFrame) -> Event:
        grid = self._grids.get(message.topic.removeprefix("tickers."))
        return Ignored(sanitise(message.topic, 80)) if grid is None else _ticker(grid, message)

    def _unreadable(self, frame: bytes, error: Exception) -> Event:
        """An acknowledgement may quote a topic; all else is bad."""
        try:
            envelope = _decode_envelope(frame)
        except (msgspec.MsgspecError, RecursionError):
            return _bad(f"public frame of {len(frame)} bytes: expected a v5 message, found {error}")
        if envelope.topic:
            return _bad(f"{envelope.topic}: {error}")
        return _answer(envelope)


def _trades(grid: _Grid, message: _TradeFrame) -> Event:
    symbol = grid.instrument.symbol
    trades: list[Trade] = []
    for row in message.data:
        if row.s != symbol:
            return _bad(f"{message.topic}: expected trades of {symbol}, found {row.s!r}")
        trades.append(
            Trade(grid.ticks(row.p), grid.lots(row.v), row.S == "Buy", row.T, row.seq, row.i, row.BT or row.RPI)
        )
    return Trades(symbol, tuple(trades))


def _liquidations(grid: _Grid, message: _LiquidationFrame) -> Event:
    """Bankruptcy prices lie between the ticks as they come; a Buy is a long that was taken over."""
    rules = grid.instrument
    strange = [row.s for row in message.data if row.s != rules.symbol]
    if strange:
        return _bad(f"{message.topic}: expected liquidations of {rules.symbol}, found {strange[0]!r}")
    return Liquidations(rules.symbol, tuple([_liquidation(grid, row) for row in message.data]))


def _liquidation(grid: _Grid, row: _LiquidationData) -> Liquidation:
    at = _decimal(row.p)
    if at is None or at <= 0:
        raise UnitError(f"{row.s} price: expected more than 0, found {row.p!r}")
    return Liquidation(grid.instrument.ticks_near(at), grid.lots(row.v), row.S == "Buy", row.T)


def _ticker(grid: _Grid, message: _TickerFrame) -> Event:
    data = message.data
    symbol = grid.instrument.symbol
    if data.symbol != symbol:
        return _bad(f"{message.topic}: expected the ticker of {symbol}, found {data.symbol!r}")
    return Ticker(
        symbol=symbol,
        at_ms=message.ts,
        mark=_price(data.mark_price),
        index=_price(data.index_price),
        last=_price(data.last_price),
        funding_rate=_decimal(data.funding_rate),
        next_funding_ms=int(data.next_funding_time) if data.next_funding_time else None,
        turnover_24h_usdt=_decimal(data.turnover_24h),
        change_24h=_decimal(data.price_24h_pcnt),
        open_interest=_decimal(data.open_interest),
        bid_ticks=grid.ticks(data.bid_1_price) if _price(data.bid_1_price) else None,
        ask_ticks=grid.ticks(data.ask_1_price) if _price(data.ask_1_price) else None,
    )


def _decimal(text: str) -> Decimal | None:
    """None for "", which the venue sends where a field does not apply."""
    if not text:
        return None
    value = Decimal(text)
    if not value.is_finite() or value.adjusted() > DIGITS_MOST:
        raise ValueError(f"expected a number of a sane size, found {text[:40]!r}")
    return value


def _price(text: str) -> Decimal | None:
    """None also for zero: it is one of the ways in which the venue says nothing."""
    value = _decimal(text)
    if value is not None and value < 0:
        raise ValueError(f"expected a price above 0, found {text!r}")
    return value or None


def _answer(envelope: _Envelope) -> Event:
    """Acknowledgements and pongs mean nothing to the core; a refused subscription does."""
    if not envelope.success:
        return _bad(f"{envelope.op or 'request'}: expected success, found {envelope.ret_msg!r}")
    return Ignored(sanitise(envelope.topic or envelope.op or envelope.ret_msg, 80))


def _bad(reason: str) -> BadFrame:
    return BadFrame(Link.PUBLIC, sanitise(reason, 300))
