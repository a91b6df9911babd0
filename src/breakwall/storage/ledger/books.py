"""What the books say, for reports, the command line and comparisons. Reads beside a writer."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Table, or_, select
from sqlalchemy.exc import SQLAlchemyError

from breakwall.model.records import SignalContext
from breakwall.model.text import sanitise
from breakwall.storage.ledger.booked import (
    AuditLine,
    BookedChange,
    BookedFill,
    BookedHanging,
    BookedOrder,
    BookedPosition,
    BookedRecovery,
    BookedSignal,
    BookedStep,
    BookedTrade,
    CoinParameters,
    SystemEvent,
)
from breakwall.storage.ledger.columns import OPEN_ORDER_STATES
from breakwall.storage.ledger.database import LedgerDamagedError, Target, connect, explained, name_of
from breakwall.storage.ledger.schema import expect_current
from breakwall.storage.ledger.tables import (
    AUDIT,
    COINS,
    FILLS,
    HANGING,
    ORDER_STEPS,
    ORDERS,
    POSITION_STEPS,
    POSITIONS,
    PROGRESS,
    RECOVERIES,
    SYSTEM_EVENTS,
    TRADES,
)

NEWER_THAN_ALL = 1 << 62

T = TypeVar("T", bound=Struct)


@contextmanager
def opened(target: Target) -> Iterator["Books"]:
    """The books of a ledger, from one moment. Raises LedgerError, also where a row turns out to be nonsense."""
    engine = connect(target, read_only=True)
    try:
        with engine.connect() as connection, connection.begin():
            expect_current(connection, target)
            yield Books(connection)
    except (msgspec.DecodeError, ArithmeticError) as error:
        what = error if isinstance(error, msgspec.DecodeError) else "a figure that is none"
        raise LedgerDamagedError(
            f"{name_of(target)}: holds what cannot be understood ({sanitise(what)}). "
            "`breakwall ledger rebuild` makes it again from the journal."
        ) from error
    except SQLAlchemyError as error:
        raise explained(target, error) from error
    finally:
        engine.dispose()


class Books:
    """Queries over an open connection. Newest last; times are from `since_ms` on, until before `until_ms`."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def progress(self) -> tuple[int, int]:
        """Run and row of the journal up to which the books are written."""
        row = self.connection.execute(select(PROGRESS.c.run, PROGRESS.c.row)).one_or_none()
        return (0, 0) if row is None else (row.run, row.row)

    def trades(self, since_ms: int = 0, until_ms: int = NEWER_THAN_ALL, symbol: str = "") -> list[BookedTrade]:
        span = _span(TRADES.c.closed_ms, since_ms, until_ms)
        return self._read(BookedTrade, TRADES, *span, *_of(TRADES, symbol), by=TRADES.c.closed_ms)

    def orders(self, since_ms: int = 0, until_ms: int = NEWER_THAN_ALL, symbol: str = "") -> list[BookedOrder]:
        span = _span(ORDERS.c.decided_ms, since_ms, until_ms)
        return self._read(BookedOrder, ORDERS, *span, *_of(ORDERS, symbol), by=ORDERS.c.decided_ms)

    def open_orders(self) -> list[BookedOrder]:
        """Those of ours that may still work."""
        working = (ORDERS.c.ours.is_(True), ORDERS.c.state.in_(OPEN_ORDER_STATES))
        return self._read(BookedOrder, ORDERS, *working, by=ORDERS.c.decided_ms)

    def order(self, name: str) -> BookedOrder | None:
        """By client id, exchange id, or key."""
        named = or_(ORDERS.c.key == name, ORDERS.c.client_id == name, ORDERS.c.order_id == name)
        return _first(self._read(BookedOrder, ORDERS, named, by=ORDERS.c.decided_ms))

    def orders_of(self, *, position: str = "", trace: str = "") -> list[BookedOrder]:
        """The orders that opened, guarded or closed a position, or those of one event."""
        by = ORDERS.c.position_key == position if position else ORDERS.c.trace == trace
        return self._read(BookedOrder, ORDERS, by, by=ORDERS.c.decided_ms)

    def order_steps(self, key: str) -> list[BookedStep]:
        return self._read(BookedStep, ORDER_STEPS, ORDER_STEPS.c.order_key == key, by=ORDER_STEPS.c.source)

    def positions(self, since_ms: int = 0, until_ms: int = NEWER_THAN_ALL, symbol: str = "") -> list[BookedPosition]:
        span = _span(POSITIONS.c.opened_ms, since_ms, until_ms)
        return self._read(BookedPosition, POSITIONS, *span, *_of(POSITIONS, symbol), by=POSITIONS.c.opened_ms)

    def held(self) -> list[BookedPosition]:
        """Positions with something in them."""
        return self._read(BookedPosition, POSITIONS, POSITIONS.c.lots != 0, by=POSITIONS.c.opened_ms)

    def position(self, name: str) -> BookedPosition | None:
        """By key, by the client id of its entry, or by the trace id of its signal."""
        named = or_(POSITIONS.c.key == name, POSITIONS.c.entry_id == name, POSITIONS.c.trace == name)
        return _first(self._read(BookedPosition, POSITIONS, named, by=POSITIONS.c.opened_ms))

    def position_steps(self, key: str) -> list[BookedChange]:
        return self._read(
            BookedChange, POSITION_STEPS, POSITION_STEPS.c.position_key == key, by=POSITION_STEPS.c.source
        )

    def fills(self, since_ms: int = 0, until_ms: int = NEWER_THAN_ALL, symbol: str = "") -> list[BookedFill]:
        span = _span(FILLS.c.at_ms, since_ms, until_ms)
        return self._read(BookedFill, FILLS, *span, *_of(FILLS, symbol), by=FILLS.c.at_ms)

    def fills_of(self, *, order: str = "", position: str = "") -> list[BookedFill]:
        by = FILLS.c.order_key == order if order else FILLS.c.position_key == position
        return self._read(BookedFill, FILLS, by, by=FILLS.c.at_ms)

    def trades_of(self, position: str) -> list[BookedTrade]:
        return self._read(BookedTrade, TRADES, TRADES.c.position_key == position, by=TRADES.c.closed_ms)

    def audit(self, since_ms: int = 0, until_ms: int = NEWER_THAN_ALL, *, failed: bool = False) -> list[AuditLine]:
        """All lines of the audit, or only those of what failed."""
        only = (AUDIT.c.success.is_(False),) if failed else ()
        return self._read(AuditLine, AUDIT, *_span(AUDIT.c.at_ms, since_ms, until_ms), *only, by=AUDIT.c.id)

    def audit_of(self, traces: Sequence[str]) -> list[AuditLine]:
        """The lines behind these trace ids."""
        return self._read(AuditLine, AUDIT, AUDIT.c.trace.in_(traces), by=AUDIT.c.id)

    def audit_about(self, entity: str, entity_id: str) -> list[AuditLine]:
        named = (AUDIT.c.entity == entity, AUDIT.c.entity_id == entity_id)
        return self._read(AuditLine, AUDIT, *named, by=AUDIT.c.id)

    def signals(self, since_ms: int = 0, until_ms: int = NEWER_THAN_ALL) -> list[BookedSignal]:
        lines = self._read(
            AuditLine, AUDIT, *_span(AUDIT.c.at_ms, since_ms, until_ms), AUDIT.c.entity == "signal", by=AUDIT.c.id
        )
        return [
            BookedSignal(
                line.at_ms, line.symbol, line.trace, line.after, msgspec.json.decode(line.context, type=SignalContext)
            )
            for line in lines
        ]

    def recoveries(self, since_ms: int = 0) -> list[BookedRecovery]:
        return self._read(BookedRecovery, RECOVERIES, RECOVERIES.c.at_ms >= since_ms, by=RECOVERIES.c.source)

    def hanging(self, since_ms: int = 0) -> list[BookedHanging]:
        return self._read(BookedHanging, HANGING, HANGING.c.at_ms >= since_ms, by=HANGING.c.recovery)

    def system_events(self, since_ms: int = 0) -> list[SystemEvent]:
        return self._read(SystemEvent, SYSTEM_EVENTS, SYSTEM_EVENTS.c.at_ms >= since_ms, by=SYSTEM_EVENTS.c.id)

    def coins(self) -> list[CoinParameters]:
        return self._read(CoinParameters, COINS, by=COINS.c.symbol)

    def _read(self, kind: type[T], table: Table, *where: ColumnElement[bool], by: Any) -> list[T]:
        """The columns that the struct names, as structs."""
        names = kind.__struct_fields__
        rows = self.connection.execute(select(*[table.c[name] for name in names]).where(*where).order_by(by))
        return [kind(*row) for row in rows]


def _span(column: Any, since_ms: int, until_ms: int) -> tuple[ColumnElement[bool], ...]:
    return column >= since_ms, column < until_ms


def _of(table: Table, symbol: str) -> tuple[ColumnElement[bool], ...]:
    return (table.c.symbol == symbol,) if symbol else ()


def _first(found: list[T]) -> T | None:
    return found[0] if found else None
