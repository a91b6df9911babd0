"""What has to be known of earlier entries of the journal to read the next one."""

from decimal import Decimal

from msgspec import Struct
from sqlalchemy import Connection, select

from breakwall.storage.ledger.batch import Row
from breakwall.storage.ledger.columns import OPEN_ORDER_STATES
from breakwall.storage.ledger.tables import AUDIT, INSTRUMENTS, ORDERS, POSITIONS

ORDERS_KNOWN = 5_000
"""How many orders are remembered: far more than work at a time."""


class Scale(Struct, frozen=True):
    """What a tick (USDT) and a lot (coins) of a symbol are."""

    tick: Decimal
    lot: Decimal


class Known(Struct):
    """An order: `decided` by us, so its steps tell its state; else the exchange's newest word, of `told_ms`, does."""

    symbol: str
    decided: bool
    told_ms: int
    open: bool


class Memory:
    """The scale and the last position (its row) of each symbol, the orders of late, and the last signal.

    `signal` is its trace id and its context as JSON: the order that came of it is audited with it.
    """

    def __init__(self) -> None:
        self.scales: dict[str, Scale] = {}
        self.positions: dict[str, Row] = {}
        self.orders: dict[str, Known] = {}
        self.signal = ("", "{}")

    def price(self, symbol: str, ticks: int | None) -> Decimal | None:
        """None where there is no price, or the symbol's scale was never told."""
        scale = self.scales.get(symbol)
        return None if scale is None or ticks is None else scale.tick * ticks

    def qty(self, symbol: str, lots: int) -> Decimal | None:
        scale = self.scales.get(symbol)
        return None if scale is None else scale.lot * lots

    def know(self, key: str, known: Known) -> None:
        self.orders[key] = known
        if len(self.orders) > ORDERS_KNOWN:
            del self.orders[next(iter(self.orders))]

    def position_of(self, symbol: str) -> Row | None:
        """The row of the symbol's position that is not closed."""
        row = self.positions.get(symbol)
        return None if row is None or row["state"] == "CLOSED" else row

    @classmethod
    def of(cls, connection: Connection) -> "Memory":
        """As the books have it: where they were left off."""
        memory = cls()
        for row in connection.execute(select(INSTRUMENTS).order_by(INSTRUMENTS.c.source)):
            memory.scales[row.symbol] = Scale(row.tick, row.lot)
        for position in connection.execute(select(POSITIONS).order_by(POSITIONS.c.source)).mappings():
            memory.positions[position["symbol"]] = dict(position)
        signals = select(AUDIT.c.trace, AUDIT.c.context).where(AUDIT.c.entity == "signal").order_by(AUDIT.c.id.desc())
        signal = connection.execute(signals.limit(1)).one_or_none()
        if signal is not None:
            memory.signal = (signal.trace, signal.context)
        recent = select(ORDERS).order_by(ORDERS.c.source.desc()).limit(ORDERS_KNOWN)
        for order in reversed(connection.execute(recent).all()):
            is_open = order.state in OPEN_ORDER_STATES
            memory.orders[order.key] = Known(order.symbol, bool(order.trace), order.told_ms, is_open)
        return memory
