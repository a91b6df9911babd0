"""Realised profit and loss by closing order, made from the executions."""

from collections.abc import Iterable
from decimal import Decimal

from breakwall.model.units import Instrument, Side, fixed
from breakwall.venues.exchange.order import ZERO, Execution
from breakwall.venues.exchange.records import Record


class ClosedTrade:
    """What one closing order has realised. Values and fees are USDT; fees are those of the closed lots."""

    __slots__ = (
        "close_fee",
        "created_ms",
        "entry_usdt",
        "exec_type",
        "exit_usdt",
        "fills",
        "instrument",
        "kind",
        "lots",
        "open_fee",
        "order_id",
        "order_lots",
        "order_price",
        "side",
        "updated_ms",
    )

    def __init__(self, first: Execution) -> None:
        self.instrument: Instrument = first.instrument
        self.order_id = first.order_id
        self.side: Side = first.side
        self.kind = first.order_kind
        self.exec_type = first.exec_type
        self.order_price = first.order_price
        self.order_lots = first.order_lots
        self.created_ms = first.at_ms
        self.updated_ms = first.at_ms
        self.lots = 0
        self.fills = 0
        self.entry_usdt = self.exit_usdt = self.open_fee = self.close_fee = ZERO

    @property
    def symbol(self) -> str:
        return self.instrument.symbol

    @property
    def pnl(self) -> Decimal:
        """Net: (exit - entry) for a closed long, less the fees of both ways."""
        return -self.side.sign * (self.exit_usdt - self.entry_usdt) - self.open_fee - self.close_fee

    def add(self, execution: Execution) -> None:
        qty = self.instrument.qty(execution.closed_lots)
        self.lots += execution.closed_lots
        self.fills += 1
        self.entry_usdt += qty * execution.entry
        self.exit_usdt += qty * execution.price
        self.open_fee += execution.open_fee_usdt
        self.close_fee += execution.fee_usdt * execution.closed_lots / execution.lots
        self.updated_ms = execution.at_ms

    def record(self, leverage: Decimal) -> Record:
        qty = self.instrument.qty(self.lots)
        return {
            "symbol": self.symbol,
            "orderId": self.order_id,
            "side": self.side.value,
            "qty": self.instrument.qty_text(self.order_lots),
            "orderPrice": fixed(self.order_price),
            "orderType": self.kind,
            "execType": self.exec_type,
            "closedSize": self.instrument.qty_text(self.lots),
            "cumEntryValue": _money(self.entry_usdt),
            "avgEntryPrice": _money(self.entry_usdt / qty),
            "cumExitValue": _money(self.exit_usdt),
            "avgExitPrice": _money(self.exit_usdt / qty),
            "closedPnl": _money(self.pnl),
            "fillCount": str(self.fills),
            "leverage": fixed(leverage),
            "openFee": _money(self.open_fee),
            "closeFee": _money(self.close_fee),
            "createdTime": str(self.created_ms),
            "updatedTime": str(self.updated_ms),
        }


def closed_trades(executions: Iterable[Execution]) -> list[ClosedTrade]:
    """Newest first; funding closes nothing and is left out."""
    trades: dict[str, ClosedTrade] = {}
    for execution in executions:
        if execution.closed_lots:
            trades.setdefault(execution.order_id, ClosedTrade(execution)).add(execution)
    return list(reversed(trades.values()))


def _money(value: Decimal) -> str:
    return fixed(round(value, 10))
