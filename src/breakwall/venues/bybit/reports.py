"""Bybit's account records, from REST and from the private socket, as our reports.

Records are plain dicts: fields may be missing, extra, null, or numbers where text is expected, and
"nothing" is written in four ways. What cannot be read raises RecordError; it is never guessed.
Source: Bybit v5, order/open-order, order/execution, position/position, enum and websocket/private.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import TypeVar

import msgspec

from breakwall.model.events import (
    BadFrame,
    Event,
    Fill,
    Fills,
    Ignored,
    Link,
    OrderReport,
    OrderReports,
    PositionReport,
    PositionReports,
    Wallet,
    WalletReport,
)
from breakwall.model.executions import has_size
from breakwall.model.text import sanitise
from breakwall.model.units import Instrument, Side, UnitError

Record = Mapping[str, object]
Report = TypeVar("Report")

_NOTHING = frozenset({"", "UNKNOWN", "None", "null"})
_ZERO = Decimal(0)
_DIGITS_MOST = 30  # whole digits of a number: any more would only be slow to reckon with


class RecordError(ValueError):
    """A record that cannot be read: names the field, what was expected and what was found."""


class AccountRecords:
    """Reads records of the symbols in `instruments` (kept up to date by the owner).

    Records of other symbols or categories are skipped.
    """

    def __init__(self, instruments: Mapping[str, Instrument]) -> None:
        self.instruments = instruments

    def strangers(self, records: Iterable[Record]) -> set[str]:
        """Symbols of these that nobody asked us to follow; a flat position says nothing."""
        held = [record for record in records if text(record, "size") == "" or number(record, "size")]
        return {sanitise(text(record, "symbol"), 30) for record in held} - self.instruments.keys()

    def orders(self, records: list[Record]) -> tuple[OrderReport, ...]:
        return self._each(records, _order)

    def fills(self, records: list[Record]) -> tuple[Fill, ...]:
        return self._each(records, _fill)

    def positions(self, records: list[Record]) -> tuple[PositionReport, ...]:
        return self._each(records, _position)

    def wallet(self, records: list[Record], at_ms: int = 0) -> Wallet:
        """The USDT part of the unified account; raises RecordError where there is no account record."""
        coin = _usdt(records)
        return Wallet(_ZERO, _ZERO, _ZERO, at_ms) if coin is None else _wallet(coin, at_ms)

    def _each(self, records: list[Record], make: Callable[[Record, Instrument], Report]) -> tuple[Report, ...]:
        """Raises RecordError, with the symbol, where one record of a followed symbol is unreadable."""
        made: list[Report] = []
        for record in records:
            symbol = text(record, "symbol")
            instrument = self.instruments.get(symbol)
            if instrument is None or text(record, "category") not in {"", "linear"}:
                continue
            try:
                made.append(make(record, instrument))
            except UnitError as error:
                raise RecordError(str(error)) from error
            except RecordError as error:
                raise RecordError(f"{symbol}: {error}") from error
        return tuple(made)


class PrivateCodec:
    """One frame of the private socket -> one event."""

    def __init__(self, records: AccountRecords) -> None:
        self._records = records

    def decode(self, data: bytes) -> Event:
        """Never raises: an unreadable frame is a BadFrame with its reason."""
        try:
            frame = msgspec.json.decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            return BadFrame(Link.PRIVATE, f"not JSON: {error}")
        if not isinstance(frame, dict):
            return BadFrame(Link.PRIVATE, f"expected an object, found {type(frame).__name__}")
        topic = text(frame, "topic")
        if not topic:
            return Ignored(sanitise(text(frame, "op"), 30))
        try:
            return self._read(topic, frame)
        except RecordError as error:
            return BadFrame(Link.PRIVATE, f"{sanitise(topic, 30)}: {error}")

    def _read(self, topic: str, frame: Record) -> Event:
        """Topics are matched by their first word: `order` and `order.linear` say the same. `execution.fast` is left
        out: it knows no fees, and once it is booked the whole execution would be taken for a repetition.
        """
        records = self._records
        kind = topic if topic.startswith("execution.fast") else topic.partition(".")[0]
        if kind not in {"order", "execution", "position", "wallet"}:
            return Ignored(sanitise(topic, 30))
        rows = dicts_in(frame.get("data"), "data")
        if kind == "order":
            return OrderReports(records.orders(rows))
        if kind == "execution":
            return Fills(records.fills(rows))
        if kind == "position":
            return PositionReports(records.positions(rows))
        if _usdt(rows) is None:
            return Ignored("wallet without USDT")  # another coin moved; ours is not zero
        return WalletReport(records.wallet(rows, whole(frame, "creationTime")))


def _order(record: Record, instrument: Instrument) -> OrderReport:
    """The price of a market order is the venue's protective price, not a limit of ours: it is left out."""
    limit = text(record, "orderType") != "Market"
    return OrderReport(
        order_id=needed(record, "orderId"),
        client_id=text(record, "orderLinkId"),
        symbol=instrument.symbol,
        side=_side(record),
        status=needed(record, "orderStatus"),
        lots=instrument.lots(given(record, "qty")),
        filled_lots=instrument.lots(number(record, "cumExecQty")),
        limit_ticks=_ticks(record, "price", instrument) if limit else None,
        average=price(record, "avgPrice"),
        reduce_only=flag(record, "reduceOnly"),
        stop_kind=text(record, "stopOrderType"),
        trigger_ticks=_ticks(record, "triggerPrice", instrument),
        stop_loss_ticks=_ticks(record, "stopLoss", instrument),
        position_idx=whole(record, "positionIdx"),
        reason="" if text(record, "rejectReason") == "EC_NoError" else text(record, "rejectReason"),
        cancel_kind=text(record, "cancelType"),
        created_ms=whole(record, "createdTime"),
        updated_ms=whole(record, "updatedTime"),
    )


def _fill(record: Record, instrument: Instrument) -> Fill:
    """Cash (funding and the like) may come without side, price or size: it must not hide the executions beside it."""
    kind = text(record, "execType") or "Trade"
    try:
        side, ticks, lots, closed_lots = _size(record, instrument)
    except (RecordError, UnitError):
        if has_size(kind):
            raise
        side, ticks, lots, closed_lots = Side.BUY, 0, 0, 0
    return Fill(
        exec_id=needed(record, "execId"),
        order_id=text(record, "orderId"),
        client_id=text(record, "orderLinkId"),
        symbol=instrument.symbol,
        side=side,
        ticks=ticks,
        lots=lots,
        fee_usdt=_fee_usdt(record, given if has_size(kind) else number),
        at_ms=whole(record, "execTime"),
        seq=whole(record, "seq"),
        maker=flag(record, "isMaker"),
        exec_kind=kind,
        closed_lots=closed_lots,
        stop_kind=text(record, "stopOrderType"),
    )


def _size(record: Record, instrument: Instrument) -> tuple[Side, int, int, int]:
    """Side, ticks, lots and closed lots. Prices of forced closes may lie off the grid: the nearest tick is taken."""
    at = price(record, "execPrice")
    if at is None:
        raise RecordError("execPrice: expected a price above 0, found none")
    lots, closed = instrument.lots(given(record, "execQty")), instrument.lots(number(record, "closedSize"))
    return _side(record), instrument.ticks_near(at), lots, closed


def _fee_usdt(record: Record, read: Callable[[Record, str], Decimal]) -> Decimal:
    """The fee in USDT; where it was paid in another coin (a fee discount), its value by the rate."""
    if text(record, "feeCurrency") in {"", "USDT"}:
        return read(record, "execFee")
    return number(record, "execValue") * number(record, "feeRate")


def _position(record: Record, instrument: Instrument) -> PositionReport:
    """REST says `avgPrice`, the socket `entryPrice`; a flat position has no side."""
    lots = instrument.lots(given(record, "size"))
    return PositionReport(
        symbol=instrument.symbol,
        lots=_side(record).sign * lots if lots else 0,
        entry=price(record, "avgPrice") or price(record, "entryPrice") or _ZERO,
        stop_ticks=_ticks(record, "stopLoss", instrument),
        take_profit_ticks=_ticks(record, "takeProfit", instrument),
        mark=price(record, "markPrice"),
        liquidation=price(record, "liqPrice"),
        leverage=number(record, "leverage"),
        position_idx=whole(record, "positionIdx"),
        seq=whole(record, "seq"),
        updated_ms=whole(record, "updatedTime"),
        adl_rank=whole(record, "adlRankIndicator"),
    )


def _usdt(records: list[Record]) -> Record | None:
    """The USDT part of the account, where it has one."""
    if not records:
        raise RecordError("wallet: expected one account, found none")
    return next((coin for coin in dicts_in(records[0].get("coin"), "coin") if text(coin, "coin") == "USDT"), None)


def _wallet(coin: Record, at_ms: int) -> Wallet:
    """Free margin of an isolated account; its account-wide totals mean nothing (Bybit v5, account/wallet-balance)."""
    balance = given(coin, "walletBalance")
    held = sum((number(coin, name) for name in ("totalPositionIM", "totalOrderIM", "locked", "bonus")), _ZERO)
    return Wallet(number(coin, "equity"), balance, balance - held, at_ms)


def instrument_of(record: Record) -> Instrument:
    """Trading rules from an instruments-info record; raises RecordError naming the missing part.

    The maintenance rate of the lowest risk tier is half the initial margin rate at its highest
    leverage (0.5 % at 100x), as the venue's tables have it.
    """
    prices, sizes = _part(record, "priceFilter"), _part(record, "lotSizeFilter")
    leverage = _part(record, "leverageFilter")
    risk = record.get("riskParameters")
    limits: Record = risk if isinstance(risk, dict) else {}
    lot = _above_zero(sizes, "qtyStep")
    most = number(sizes, "maxOrderQty")
    highest = number(leverage, "maxLeverage") or Decimal(100)
    return Instrument(
        symbol=needed(record, "symbol"),
        tick=_above_zero(prices, "tickSize"),
        lot=lot,
        min_lots=max(1, -int(-number(sizes, "minOrderQty") // lot)),
        max_lots=int(most // lot),
        max_market_lots=int((number(sizes, "maxMktOrderQty") or most) // lot),
        min_notional_usdt=number(sizes, "minNotionalValue") or Decimal(5),
        max_leverage=highest,
        leverage_step=number(leverage, "leverageStep") or Decimal("0.01"),
        maintenance_rate=1 / (2 * highest),
        price_limit_ratio=number(limits, "priceLimitRatioX") or Decimal("0.01"),
        funding_interval_min=whole(record, "fundingInterval"),
        price_decimals=whole(record, "priceScale"),
        status=text(record, "status"),
        contract=text(record, "contractType"),
        quote=text(record, "quoteCoin"),
        settle=text(record, "settleCoin"),
        kind=text(record, "symbolType"),
        delivery_ms=whole(record, "deliveryTime"),
        launched_ms=whole(record, "launchTime"),
    )


# Fields ---------------------------------------------------------------------------------------------


def text(record: Record, name: str) -> str:
    """A field as text; every way of saying nothing is ''."""
    value = record.get(name)
    if value is None:
        return ""
    said = str(value)
    return "" if said in _NOTHING else said


def needed(record: Record, name: str) -> str:
    """A field that must say something."""
    said = text(record, name)
    if not said:
        raise RecordError(f"{name}: expected text, found {sanitise(repr(record.get(name)), 40)}")
    return said


def number(record: Record, name: str) -> Decimal:
    """A number; nothing is 0, anything unreadable raises RecordError."""
    said = text(record, name)
    if not said:
        return _ZERO
    try:
        value = Decimal(said)
    except InvalidOperation as error:
        raise RecordError(f"{name}: expected a number, found {sanitise(said, 40)!r}") from error
    if not value.is_finite() or value.adjusted() > _DIGITS_MOST:
        raise RecordError(f"{name}: expected a number of a sane size, found {sanitise(said, 40)!r}")
    return value


def given(record: Record, name: str) -> Decimal:
    """A number that must be there: taken for 0, its absence would say that there is nothing."""
    needed(record, name)
    return number(record, name)


def price(record: Record, name: str) -> Decimal | None:
    """A price; nothing and every form of zero are None, below zero raises RecordError."""
    value = number(record, name)
    if value < 0:
        raise RecordError(f"{name}: expected a price above 0, found {value}")
    return value or None


def whole(record: Record, name: str) -> int:
    return int(number(record, name))


def flag(record: Record, name: str) -> bool:
    return text(record, name).lower() in {"true", "1"}


def dict_in(value: object) -> dict[str, object]:
    """A result object; null (setters answer nothing) is empty, and so is what is no object."""
    return value if isinstance(value, dict) else {}


def dicts_in(value: object, name: str) -> list[Record]:
    """A list of records; raises RecordError where it is none."""
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise RecordError(f"{name}: expected a list of objects, found {type(value).__name__}")
    return list(value)


def records_in(result: Record) -> list[Record]:
    """The `list` of a result page; a page without one is unreadable, not empty."""
    return dicts_in(result.get("list"), "list")


def _part(record: Record, name: str) -> Record:
    part = record.get(name)
    if not isinstance(part, dict):
        raise RecordError(f"{text(record, 'symbol')} {name}: expected an object, found {type(part).__name__}")
    return part


def _above_zero(record: Record, name: str) -> Decimal:
    value = number(record, name)
    if value <= 0:
        raise RecordError(f"{name}: expected a number above 0, found {value}")
    return value


def _side(record: Record) -> Side:
    said = text(record, "side")
    if said not in {"Buy", "Sell"}:
        raise RecordError(f"side: expected Buy or Sell, found {sanitise(said, 20)!r}")
    return Side(said)


def _ticks(record: Record, name: str, instrument: Instrument) -> int | None:
    value = price(record, name)
    return None if value is None else instrument.ticks_near(value)
