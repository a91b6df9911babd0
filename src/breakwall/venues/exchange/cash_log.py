"""The transaction log: every change of the account's cash. Source: Bybit v5 transaction-log page.

`change = cashFlow + funding - fee`; funding has the opposite sign of an execution's fee.
"""

from collections.abc import Iterable
from decimal import Decimal

from breakwall.model.units import fixed
from breakwall.venues.exchange.account import Transfer
from breakwall.venues.exchange.order import ZERO, Execution
from breakwall.venues.exchange.records import Record

_OF_TRADES = ("symbol", "category", "transSubType", "tradePrice", "funding", "feeRate", "bonusChange")
_TYPES = {"Funding": "SETTLEMENT", "BustTrade": "LIQUIDATION", "AdlTrade": "ADL"}


def cash_rows(executions: Iterable[Execution], transfers: Iterable[Transfer]) -> list[Record]:
    """Newest first."""
    rows = [(execution.at_ms, _execution_row(execution)) for execution in executions]
    rows += [(transfer.at_ms, _transfer_row(transfer)) for transfer in transfers]
    rows.sort(key=lambda row: row[0])
    return [row for _, row in reversed(rows)]


def _execution_row(execution: Execution) -> Record:
    is_funding = execution.exec_type == "Funding"
    funding = -execution.fee_usdt if is_funding else ZERO
    fee = ZERO if is_funding else execution.fee_usdt
    qty = execution.instrument.qty_text
    return {
        "id": execution.exec_id,
        "symbol": execution.symbol,
        "category": "linear",
        "side": execution.side.value,
        "transactionTime": str(execution.at_ms),
        "type": _TYPES.get(execution.exec_type, "TRADE"),
        "transSubType": "",
        "qty": qty(execution.lots),
        "size": qty(execution.lots),
        "currency": "USDT",
        "tradePrice": _text(execution.price),
        "funding": _text(funding) if is_funding else "",
        "fee": _text(fee),
        "cashFlow": _text(execution.pnl_usdt),
        "change": _text(execution.pnl_usdt + funding - fee),
        "cashBalance": _text(execution.cash_after),
        "feeRate": _text(execution.fee_rate),
        "bonusChange": "",
        "tradeId": execution.exec_id,
        "orderId": execution.order_id,
        "orderLinkId": execution.link_id,
        "extraFees": "",
    }


def _transfer_row(transfer: Transfer) -> Record:
    nothing = dict.fromkeys(
        ("symbol", "category", "transSubType", "tradePrice", "funding", "feeRate", "bonusChange"), ""
    )
    return {
        **nothing,
        "id": f"transfer-{transfer.at_ms}",
        "side": "None",
        "transactionTime": str(transfer.at_ms),
        "type": "TRANSFER_IN" if transfer.amount > 0 else "TRANSFER_OUT",
        "qty": _text(abs(transfer.amount)),
        "size": "0",
        "currency": "USDT",
        "fee": "0",
        "cashFlow": _text(transfer.amount),
        "change": _text(transfer.amount),
        "cashBalance": _text(transfer.balance),
        "tradeId": "",
        "orderId": "",
        "orderLinkId": "",
        "extraFees": "",
    }


def _text(value: Decimal) -> str:
    return fixed(round(value, 10))
