"""What the exchange shows: positions and orders, read defensively. Source: Bybit v5 position/list, order/realtime."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from breakwall.model.text import sanitise
from breakwall.panic.line import Line, LostError, RefusedError

POSITIONS = "/v5/position/list"
ORDERS = "/v5/order/realtime"
OUR_IDS = "bw-"
"""How the client ids of the trading program begin."""
PANIC_IDS = "panic-"
_PAGES_MOST = 50
_ODD_TOLD = 5
_ATTACHED = frozenset(
    {"StopLoss", "TakeProfit", "TrailingStop", "PartialStopLoss", "PartialTakeProfit", "BidirectionalTpslOrder"}
)
SETTLED_IN = "USDT"


class Position(NamedTuple):
    """`size` is never zero; `side` is what opened it, Buy or Sell; `mode_index` 0 is one-way mode."""

    symbol: str
    side: str
    size: Decimal
    entry: str
    stop: str
    mode_index: int

    @property
    def name(self) -> tuple[str, int]:
        return self.symbol, self.mode_index

    @property
    def words(self) -> str:
        side = "long" if self.side == "Buy" else "short"
        stop = f"stop {shown(self.stop)}" if self.stop.strip("0.") else "NO STOP"
        return f"{shown(self.symbol)} {side} {self.size:f} @ {shown(self.entry)}, {stop}"


class Order(NamedTuple):
    """`protects`: it can only reduce. `attached`: it belongs to a position and goes with it."""

    order_id: str
    client_id: str
    symbol: str
    side: str
    size: str
    price: str
    protects: bool
    attached: bool

    @property
    def ours(self) -> bool:
        return self.client_id.startswith(OUR_IDS)

    @property
    def words(self) -> str:
        kind = "stop of the position" if self.attached else "reduce-only order" if self.protects else "order"
        size, price, name = shown(self.size), shown(self.price), shown(self.client_id or self.order_id)
        return f"{shown(self.symbol)} {kind} {shown(self.side).lower()} {size} at {price} [{name}]"


class Look(NamedTuple):
    """What one look at the account showed, in the covered symbols.

    `unread` is what could not be read, in words; `blind`: there may be positions that were not seen.
    """

    positions: tuple[Position, ...]
    orders: tuple[Order, ...]
    unread: tuple[str, ...] = ()
    blind: bool = False


def shown(text: str) -> str:
    """A foreign text as a word."""
    return sanitise(text, 40)


def look(line: Line, symbol: str) -> Look:
    """The account now; `symbol` empty: all. What cannot be read hides nothing else.

    Raises LostError or RefusedError where neither positions nor orders can be read.
    """
    where = {"category": "linear"} | ({"symbol": symbol} if symbol else {"settleCoin": SETTLED_IN})
    positions = _part(line, POSITIONS, {**where, "limit": 200}, _position)
    orders = _part(line, ORDERS, {**where, "limit": 50}, _order)
    if positions.failure is not None and orders.failure is not None:
        raise positions.failure
    unread = tuple(
        f"{name} could not be read: {part.trouble}"
        for name, part in (("positions", positions), ("orders", orders))
        if part.trouble
    )
    found = tuple(position for position in positions.rows if position.size)
    return Look(found, tuple(orders.rows), unread, blind=bool(positions.trouble))


class _Part(NamedTuple):
    """One list of the account, and what of it could not be read; `failure`: nothing of it."""

    rows: list[Any]
    trouble: str = ""
    failure: LostError | RefusedError | None = None


def _part(line: Line, path: str, params: dict[str, Any], read: Callable[[dict[str, Any]], Any]) -> _Part:
    try:
        told = _rows(line, path, params)
    except (LostError, RefusedError) as error:
        return _Part([], str(error), error)
    rows, odd = [], []
    for row in told:
        try:
            rows.append(read(row))
        except (KeyError, TypeError, ValueError, AttributeError, InvalidOperation) as error:
            name = shown(str(row.get("symbol", ""))) if isinstance(row, dict) else ""
            odd.append(f"{name or 'a row'} ({type(error).__name__})")
    return _Part(rows, ", ".join(odd[:_ODD_TOLD]))


def _rows(line: Line, path: str, params: dict[str, Any]) -> list[Any]:
    """All pages of a list, as they were told. Raises LostError or RefusedError."""
    rows: list[Any] = []
    seen: set[str] = set()
    for _ in range(_PAGES_MOST):
        result = line.read(path, params)
        page = result.get("list")
        if not isinstance(page, list):
            raise LostError(f"{path}: expected a list, found none")
        rows += page
        cursor = str(result.get("nextPageCursor") or "")
        if not cursor or not page:
            return rows
        if cursor in seen:
            raise LostError(f"{path}: the same page again")
        seen.add(cursor)
        params = {**params, "cursor": cursor}
    raise LostError(f"{path}: more than {_PAGES_MOST} pages")


def _position(row: dict[str, Any]) -> Position:
    size = Decimal(str(row["size"] or "0"))
    if not size.is_finite() or size < 0 or (size and row["side"] not in {"Buy", "Sell"}):
        raise ValueError("size or side")
    return Position(
        symbol=str(row["symbol"]),
        side=str(row["side"]),
        size=size,
        entry=str(row.get("avgPrice", "")),
        stop=str(row.get("stopLoss", "") or ""),
        mode_index=int(row.get("positionIdx") or 0),
    )


def _order(row: dict[str, Any]) -> Order:
    attached = row.get("stopOrderType") in _ATTACHED
    return Order(
        order_id=str(row["orderId"]),
        client_id=str(row.get("orderLinkId") or ""),
        symbol=str(row["symbol"]),
        side=str(row.get("side", "")),
        size=str(row.get("qty", "")),
        price=str(row.get("triggerPrice") or row.get("price") or "market"),
        protects=attached or row.get("reduceOnly") is True or row.get("closeOnTrigger") is True,
        attached=attached,
    )
