"""All orders and executions of the account, and the news about them that the private stream owes."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from random import Random
from uuid import UUID

from breakwall.venues.exchange.fields import text
from breakwall.venues.exchange.order import Execution, Order
from breakwall.venues.exchange.records import Record, execution_push, order_push

_CLOSED_KEPT = 5_000
_EXECUTIONS_KEPT = 20_000


class OrderLog:
    """Orders by id, by the client's id (unique for ever) and, while open, by symbol.

    `news` are (topic, record) pairs since they were last taken; `touched` the symbols whose
    position and wallet have to be told again; `kept`, if given, is told of every new execution and changed order.
    """

    __slots__ = ("_links", "_live", "_orders", "_random", "closed", "executions", "kept", "news", "touched")

    def __init__(self, symbols: Iterable[str], seed: int) -> None:
        self._orders: dict[str, Order] = {}
        self._links: dict[str, Order] = {}
        self._live: dict[str, dict[str, Order]] = {symbol: {} for symbol in symbols}
        self._random = Random(seed)
        self.closed: deque[Order] = deque(maxlen=_CLOSED_KEPT)
        self.executions: deque[Execution] = deque(maxlen=_EXECUTIONS_KEPT)
        self.news: list[tuple[str, Record]] = []
        self.touched: set[str] = set()
        self.kept: Callable[[Order | Execution], object] | None = None

    def open_symbol(self, symbol: str) -> None:
        """A contract that was not listed before."""
        self._live.setdefault(symbol, {})

    def new_id(self) -> str:
        """The next order or execution id: a UUID drawn from the seed."""
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def accept(self, order: Order) -> None:
        self._orders[order.order_id] = order
        if order.link_id:
            self._links[order.link_id] = order
        self._live[order.symbol][order.order_id] = order

    def restore(self, order: Order) -> None:
        """An order of a former life of this account; nobody is told."""
        self.accept(order)
        if not order.open:
            del self._live[order.symbol][order.order_id]
            self.closed.append(order)

    def changed(self, order: Order, now_ms: int) -> None:
        """The order is in a new state: tell it, and file it once it has ended."""
        order.updated_ms = now_ms
        self.news.append(("order", order_push(order)))
        self.touched.add(order.symbol)
        if self.kept is not None:
            self.kept(order)
        if not order.open and order.order_id in self._live[order.symbol]:
            del self._live[order.symbol][order.order_id]
            self.closed.append(order)

    def executed(self, execution: Execution) -> None:
        self.executions.append(execution)
        self.news.append(("execution", execution_push(execution)))
        self.touched.add(execution.symbol)
        if self.kept is not None:
            self.kept(execution)

    def used(self, link_id: str) -> bool:
        return link_id in self._links

    def find(self, body: Mapping[str, object]) -> Order | None:
        """The order a request names; the order id wins over the client's id."""
        order_id = text(body, "orderId")
        return self._orders.get(order_id) if order_id else self._links.get(text(body, "orderLinkId"))

    def live(self, symbol: str = "") -> Iterator[Order]:
        """Open orders, oldest first, of one symbol or of all; safe to change while iterating."""
        for name in [symbol] if symbol else list(self._live):
            yield from list(self._live[name].values())

    def take_news(self) -> tuple[list[tuple[str, Record]], list[str]]:
        news, touched = self.news, sorted(self.touched)
        self.news, self.touched = [], set()
        return news, touched
