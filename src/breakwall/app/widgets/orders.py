"""The orders pane: what is asked of the exchange and not finished, each with its state in words."""

from collections.abc import Sequence

from breakwall.app.rows.figures import age, price
from breakwall.app.rows.row import Cell, Row, left
from breakwall.app.rows.table import Column, Table, table
from breakwall.app.widgets.pane import Pane
from breakwall.model.view import OrderView, View

COLUMNS = (
    Column(" ORDERS", rank=0),
    Column("SIDE", rank=1),
    Column("QTY", rank=3, number=True),
    Column("PRICE", rank=4, number=True),
    Column("STATE", rank=2),
    Column("FILLED", rank=5, number=True),
    Column("AGE", rank=6, number=True, least=4),
    Column("WHY", rank=7, free=True, least=12),
)
STATES = {
    "PENDING": "being written",
    "SENT": "in flight",
    "UNKNOWN": "UNKNOWN",
    "PLACED": "resting",
    "PARTIALLY_FILLED": "part filled",
    "AMENDING": "changing",
    "CANCELLING": "cancelling",
}
"""What the states of an open order mean to a person."""


class Orders(Pane, can_focus=True):
    words = "ORDERS"

    def rows(self, view: View, width: int, height: int) -> Sequence[Row]:
        if not view.orders:
            return [self.title(width), ((left(" no open orders", width), "dim"),)]
        laid = order_table(view, self.look.symbol, width)
        title = self.headed(laid.heads, width, *count_words(view, height - 1))
        return [title, *laid.rows]


def count_words(view: View, room: int) -> Cell:
    """How many there are, how many of them are seen, and how many nothing is known of."""
    total = len(view.orders)
    unknown = sum(order.state == "UNKNOWN" for order in view.orders)
    seen = f"{room} of {total}" if total > room else f"{total} open"
    return (f"{unknown} UNKNOWN, {seen}", "bar-bad") if unknown else (seen, "title-dim")


def order_table(view: View, selected: str, width: int) -> Table:
    """All open orders: those nothing is known of first, then the selected symbol's, the oldest first."""
    orders = sorted(
        view.orders, key=lambda order: (order.state != "UNKNOWN", order.symbol != selected, -order.age_ms)
    )
    return table(COLUMNS, [_line(order, view, selected) for order in orders], width)


def _line(order: OrderView, view: View, selected: str) -> tuple[Cell, ...]:
    market = view.market(order.symbol)
    tick, lot = (market.tick, market.lot) if market else (None, None)
    line: tuple[Cell, ...] = (
        (f"{'▸' if order.symbol == selected else ' '}{order.symbol}", "bold"),
        (order.side.upper(), "bid" if order.side == "Buy" else "ask"),
        (price(order.qty, lot), ""),
        ("market" if order.price is None else price(order.price, tick), "own"),
        (STATES.get(order.state, order.state), ""),
        (price(order.filled_qty, lot), "" if order.filled_lots else "dim"),
        (age(order.age_ms), "dim"),
        (f"{'closes only: ' if order.reduce_only else ''}{order.why}", "dim"),
    )
    return tuple((text, "alarm") for text, _ in line) if order.state == "UNKNOWN" else line
