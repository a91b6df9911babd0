"""The account of an embedded exchange on disk, so that it survives the process it lives in.

One file of JSON lines: each says what an order, an execution or a position has become, and the balance then; the last
word on each is true. It is written again in short when it is opened. A line that was cut off is left out. What was on
its way to the matching engine is lost with the process: such an order is cancelled. What rests keeps its price and
loses its place in the queue; nothing was matched, triggered or paid while nobody was there.
"""

import errno
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, get_type_hints

import msgspec
from msgspec import Struct

from breakwall.model.units import Instrument
from breakwall.places import write_whole
from breakwall.venues.exchange.exchange import Exchange
from breakwall.venues.exchange.matching import ACCOUNT
from breakwall.venues.exchange.order import ACCEPTED, Execution, Order
from breakwall.venues.exchange.positions import Position

_ORDERS_KEPT, _EXECUTIONS_KEPT = 200, 500
_LEGS = ("stop", "take_profit", "trailing")
_REFERENCES: Final = {Order: {"instrument", "pair", "resting"}, Position: {"instrument", "partials", *_LEGS}}
Record = dict[str, Any]


class Line(Struct, omit_defaults=True):
    """What has become of a part of the account."""

    balance: Decimal
    realised: Decimal
    rules: tuple[Instrument, ...] = ()
    orders: tuple[Record, ...] = ()
    executions: tuple[Execution, ...] = ()
    positions: tuple[Record, ...] = ()


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Line).decode


class KeptAccount:
    """Keeps an exchange's account in `path`. Raises OSError where it cannot be read or written, ValueError where it
    is something else. Later `trouble` is told, once, that it can no longer be written: trading goes on without.
    """

    def __init__(self, path: Path, exchange: Exchange, trouble: Callable[[str], None]) -> None:
        self._path = path
        self._trouble = trouble
        self._exchange = exchange
        self._orders: dict[str, Order] = {}
        self._executions: list[Execution] = []
        self._known: set[Instrument] = set()
        self._restore(_read(path))
        everything = [*list(exchange.log.closed)[-_ORDERS_KEPT:], *exchange.log.live()]
        write_whole(
            path, self._line(everything, list(exchange.log.executions)[-_EXECUTIONS_KEPT:], exchange.listings)
        )
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        exchange.log.kept = self._note
        exchange.told = self._write

    def close(self) -> None:
        os.close(self._file)

    def _note(self, news: Order | Execution) -> None:
        if isinstance(news, Order):
            self._orders[news.order_id] = news
        else:
            self._executions.append(news)

    def _write(self, symbols: Iterable[str]) -> None:
        orders, self._orders = self._orders, {}
        executions, self._executions = self._executions, []
        try:
            line = self._line(orders.values(), executions, symbols)
            if os.write(self._file, line) < len(line):  # the next line would be read as the rest of this one
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            self._exchange.log.kept, self._exchange.told = None, lambda _symbols: None
            why = error.strerror or str(error)
            self._trouble(f"{self._path}: the paper account is not kept any more ({why}); a restart has it as of now")

    def _line(self, orders: Iterable[Order], executions: Iterable[Execution], symbols: Iterable[str]) -> bytes:
        account, listings = self._exchange.account, self._exchange.listings
        rules = {listings[symbol].instrument for symbol in symbols} - self._known
        self._known |= rules
        positions = [held for symbol in symbols for held in account.of(symbol) if held.created_ms]
        line = Line(
            account.balance,
            account.realised,
            tuple(rules),
            tuple(map(_order_record, orders)),
            tuple(executions),
            tuple(map(_position_record, positions)),
        )
        return _encode(line) + b"\n"

    def _restore(self, lines: Iterable[Line]) -> None:
        exchange, account = self._exchange, self._exchange.account
        orders: dict[str, Record] = {}
        positions: dict[tuple[str, int], Record] = {}
        for line in lines:
            account.balance, account.realised = line.balance, line.realised
            for rules in line.rules:
                if rules.symbol not in exchange.listings:
                    exchange.list_contract(rules.symbol, rules)
            orders |= {record["order_id"]: record for record in line.orders}
            positions |= {(record["symbol"], record["idx"]): record for record in line.positions}
            exchange.log.executions.extend(line.executions)
        made = {order_id: self._order(record) for order_id, record in orders.items()}
        for order_id, record in orders.items():
            made[order_id].pair = made.get(record["pair"])
        for record in positions.values():
            self._position(record, made)

    def _order(self, record: Record) -> Order:
        listing = self._exchange.listings[record["symbol"]]
        order = Order(instrument=listing.instrument, **_plain(Order, record))
        if order.status == ACCEPTED:
            order.end("Cancelled", order.updated_ms, "CancelByAdmin", "EC_Others")
        elif record["stands"] and order.remaining:
            order.resting = listing.book.add(
                ACCOUNT, order.side, order.limit_ticks, order.remaining, now_ms=order.updated_ms, tag=order
            ).order
        self._exchange.log.restore(order)
        return order

    def _position(self, record: Record, orders: Mapping[str, Order]) -> None:
        position = self._exchange.account.position(record["symbol"], record["idx"])
        for name, value in _plain(Position, record).items():
            setattr(position, name, value)
        for leg in _LEGS:
            setattr(position, leg, orders.get(record[leg]))
        position.partials = [orders[order_id] for order_id in record["partials"] if order_id in orders]


def _read(path: Path) -> list[Line]:
    """The lines that are whole. Raises OSError, or ValueError naming the file and the line that is none of ours."""
    try:
        texts = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    lines: list[Line] = []
    for number, text in enumerate(texts[:-1], 1):
        try:
            lines.append(_decode(text))
        except msgspec.MsgspecError as error:
            raise ValueError(
                f"{path}, line {number}: expected what became of a paper account, found {error}. "
                "Put the file away to begin with a new account."
            ) from error
    return lines


def _order_record(order: Order) -> Record:
    pair = order.pair.order_id if order.pair is not None else ""
    return _record(order) | {"symbol": order.symbol, "pair": pair, "stands": order.resting is not None}


def _position_record(position: Position) -> Record:
    legs = {leg: held.order_id if (held := getattr(position, leg)) is not None else "" for leg in _LEGS}
    partials = [leg.order_id for leg in position.partials]
    return _record(position) | legs | {"symbol": position.instrument.symbol, "partials": partials}


def _record(thing: Order | Position) -> Record:
    return {one.name: getattr(thing, one.name) for one in fields(thing) if one.name not in _REFERENCES[type(thing)]}


def _plain(kind: type[Order] | type[Position], record: Record) -> Record:
    """The fields that are no references, in their own types; one that the file does not have keeps its default."""
    hints = get_type_hints(kind)
    names = [one.name for one in fields(kind) if one.name in record and one.name not in _REFERENCES[kind]]
    return {name: msgspec.convert(record[name], hints[name]) for name in names}
