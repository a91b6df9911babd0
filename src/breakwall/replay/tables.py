"""Tables of trades, quotes and bars that archives offer, row by row as messages.

- tardis.dev trades: a header with `timestamp` (microseconds), `symbol`, `side`, `price`, `amount`.
- Bybit's trade archives (`BTCUSDT2025-06-01.csv.gz`): a header with `timestamp` (seconds), `symbol`, `side`, `size`,
  `price`; rows of old files come newest first.
- Lean's minute bars (`20221213_btcusdt_minute_trade_perp.csv`): no header, the day and symbol in the file's name;
  `quote` has the best prices at the end of each minute.
"""

import csv
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from msgspec import Struct

from breakwall.replay.books import BookMessage

_LEAN = re.compile(r"(?:^|/)(\d{8})_([a-z0-9]+)_minute_(trade|quote)(?:_[a-z]+)?\.csv$")
_MINUTE_MS = 60_000


class TradeMessage(Struct, frozen=True, gc=False):
    """Trades of one frame as (price, quantity, taker bought); `ts` is the venue's time of the first (ms)."""

    topic: str
    symbol: str
    trades: list[tuple[Decimal, Decimal, bool]]
    ts: int = 0
    trade_id: str = ""


class Bar(Struct, frozen=True, gc=False):
    """What was traded in one minute; `ts` is its beginning (ms), `volume` in coins."""

    topic: str
    symbol: str
    ts: int
    prices: tuple[Decimal, Decimal, Decimal, Decimal]  # open, high, low, close
    volume: Decimal


Row = TradeMessage | BookMessage | Bar


class Table:
    """One kind of table; `row` raises ValueError, KeyError or InvalidOperation where the cells make no sense."""

    def __init__(self, read: Callable[[Mapping[str, str]], Row], columns: Sequence[str]) -> None:
        self._read = read
        self._columns = columns

    def row(self, line: bytes) -> Row | None:
        """None for a header, which files that were joined have in their middle."""
        cells = next(csv.reader([line.decode()]), [])
        if cells == self._columns:
            return None
        return self._read(dict(zip(self._columns, cells, strict=True)))


def table_of(member: str, first: bytes) -> Table | None:
    """The table that a file with this first line is; `member` is its name within an archive. None: it is none."""
    lean = _LEAN.search(member)
    if lean is not None:
        return _lean(*lean.groups())
    columns = first.decode("utf-8", "replace").strip().split(",")
    if {"symbol", "side", "price", "amount"} <= set(columns):
        return Table(_tardis, columns)
    if {"timestamp", "symbol", "side", "size", "price"} <= set(columns):
        return Table(_bybit, columns)
    return None


def _tardis(row: Mapping[str, str]) -> TradeMessage:
    at_ms = int(row.get("timestamp") or 0) // 1000
    return _trade(row["symbol"], row["price"], row["amount"], row["side"], at_ms, row.get("id", ""))


def _bybit(row: Mapping[str, str]) -> TradeMessage:
    at_ms = int(Decimal(row["timestamp"]) * 1000)
    return _trade(row["symbol"], row["price"], row["size"], row["side"], at_ms, row.get("trdMatchID", ""))


def _trade(symbol: str, price: str, size: str, side: str, at_ms: int, trade_id: str) -> TradeMessage:
    taker = side.lower()
    if taker not in {"buy", "sell"}:
        raise ValueError(f"expected buy or sell, found {side!r}")
    trade = (_above_zero(price), _above_zero(size), taker == "buy")
    return TradeMessage("trades", symbol, [trade], at_ms, trade_id)


def _lean(day: str, symbol: str, kind: str) -> Table:
    day_ms = int(datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC).timestamp() * 1000)
    name = symbol.upper()
    if kind == "trade":
        columns = ("ms", "open", "high", "low", "close", "volume")
        return Table(lambda row: _bar(row, name, day_ms), columns)
    sides = tuple(f"{side} {part}" for side in ("bid", "ask") for part in ("open", "high", "low", "close", "size"))
    return Table(lambda row: _quote(row, name, day_ms), ("ms", *sides))


def _bar(row: Mapping[str, str], symbol: str, day_ms: int) -> Bar:
    opened, high, low, closed = (_above_zero(row[name]) for name in ("open", "high", "low", "close"))
    at_ms = day_ms + int(row["ms"])
    return Bar(f"kline.1.{symbol}", symbol, at_ms, (opened, high, low, closed), Decimal(row["volume"]))


def _quote(row: Mapping[str, str], symbol: str, day_ms: int) -> BookMessage:
    at_ms = day_ms + int(row["ms"]) + _MINUTE_MS
    bids, asks = ([(_above_zero(row[f"{side} close"]), _above_zero(row[f"{side} size"]))] for side in ("bid", "ask"))
    number = at_ms // _MINUTE_MS
    return BookMessage(f"orderbook.1.{symbol}", symbol, at_ms, number, bids, asks, snapshot=True, seq=at_ms)


def _above_zero(text: str) -> Decimal:
    value = Decimal(text)
    if not value.is_finite() or value <= 0:
        raise ValueError(f"expected a number above 0, found {text!r}")
    return value
