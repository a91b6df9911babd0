"""The orders that panic sends: cancels, and closes that can only reduce. Source: Bybit v5 order/create.

A market order with quantity 0, reduceOnly and closeOnTrigger closes all there is when it arrives. Bybit turns market
orders into limits with a slippage cap, which a thin book cancels: then limits step through the price.
"""

import time
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation
from typing import Any

from breakwall.panic.account import PANIC_IDS, Order, Position
from breakwall.panic.line import Line, LostError

CREATE = "/v5/order/create"
CANCEL = "/v5/order/cancel"
TICKERS = "/v5/market/tickers"
INSTRUMENTS = "/v5/market/instruments-info"
STEPS = (Decimal("0.005"), Decimal("0.01"), Decimal("0.02"), Decimal("0.04"))
"""How far through the price the limits go, one after the other; then the market order is tried again."""
RETRY_S = 0.4
"""How long an order may take to show in the position before another one is sent."""


class Closing:
    """The attempts to close one position. `order_ids` are the client ids of all that were sent."""

    def __init__(self, position: Position) -> None:
        self.position = position
        self.order_ids: list[str] = []
        self._stage = -1
        self._left = position.size
        self._due = 0.0

    def is_due(self) -> bool:
        return time.monotonic() >= self._due

    def send(self, line: Line, position: Position) -> str:
        """The next order: a market order while the position shrinks, else a limit a step further through the price.

        Returns what it is in words. Raises RefusedError or LostError; the next one is due all the same.
        """
        progress = position.size < self._left
        self._stage = 0 if progress else (self._stage + 1) % (1 + len(STEPS))
        self.position, self._left, self._due = position, position.size, time.monotonic() + RETRY_S
        number = len(self.order_ids)
        symbol = "".join(letter for letter in position.symbol[:10] if letter.isascii() and letter.isalnum())
        client_id = f"{PANIC_IDS}{time.time_ns() // 1000:x}-{symbol}-{number}"
        body = {
            "category": "linear",
            "symbol": position.symbol,
            "side": "Sell" if position.side == "Buy" else "Buy",
            "positionIdx": position.mode_index,
            "reduceOnly": True,
            "orderLinkId": client_id,
        }
        if self._stage:
            order, words = _limit(line, position, STEPS[self._stage - 1])
        else:
            order = {"orderType": "Market", "qty": "0", "closeOnTrigger": True}
            words = "at market"
        self.order_ids.append(client_id)
        line.write(CREATE, body | order)
        return words


def cancel(line: Line, order: Order) -> None:
    """Raises RefusedError or LostError."""
    line.write(CANCEL, {"category": "linear", "symbol": order.symbol, "orderId": order.order_id})


def _limit(line: Line, position: Position, step: Decimal) -> tuple[dict[str, Any], str]:
    """An immediate-or-cancel limit `step` beyond the worse of mark and best price."""
    where = {"category": "linear", "symbol": position.symbol}
    try:
        ticker = line.read(TICKERS, where)["list"][0]
        rules = line.read(INSTRUMENTS, where)["list"][0]
        tick = Decimal(rules["priceFilter"]["tickSize"])
        most = Decimal(rules["lotSizeFilter"]["maxOrderQty"])
        sells = position.side == "Buy"
        best = Decimal(ticker["bid1Price" if sells else "ask1Price"] or ticker["markPrice"])
        mark = Decimal(ticker["markPrice"])
        edge = min(best, mark) * (1 - step) if sells else max(best, mark) * (1 + step)
        price = (edge / tick).to_integral_value(ROUND_FLOOR if sells else ROUND_CEILING) * tick
    except (KeyError, IndexError, TypeError, ValueError, InvalidOperation, ZeroDivisionError) as error:
        raise LostError(f"no price to close at ({type(error).__name__})") from error
    qty = min(position.size, most) if most > 0 else position.size
    body = {"orderType": "Limit", "timeInForce": "IOC", "qty": f"{qty:f}", "price": f"{price:f}"}
    return body, f"with a limit of {price:f}, {step:.1%} through the price"
