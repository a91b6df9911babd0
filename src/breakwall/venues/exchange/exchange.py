"""The embedded exchange: Bybit v5 linear as a handler without sockets, driven by the caller's clock.

Everything happens inside `advance(now_ms)`: nothing reads a clock, so the same calls at the same
times give the same exchange, under a server, a test or virtual time.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal
from heapq import heappop, heappush
from itertools import count
from typing import Protocol

from breakwall.model.units import Instrument
from breakwall.ports import HttpAnswer, HttpRequest
from breakwall.venues.exchange.account import START_BALANCE, Account, Position
from breakwall.venues.exchange.api import Api
from breakwall.venues.exchange.exposure import Exposure
from breakwall.venues.exchange.floor import Floor
from breakwall.venues.exchange.instruments import INSTRUMENTS
from breakwall.venues.exchange.listing import Listing
from breakwall.venues.exchange.order import Execution, Order
from breakwall.venues.exchange.order_entry import OrderEntry
from breakwall.venues.exchange.order_log import OrderLog
from breakwall.venues.exchange.orders import Orders
from breakwall.venues.exchange.publisher import Publisher
from breakwall.venues.exchange.records import Record, execution_fast, position_push, wallet_record
from breakwall.venues.exchange.settlement import liquidate_if_due, settle_funding
from breakwall.venues.exchange.signing import Keys
from breakwall.venues.exchange.streams import (
    FAST_TOPIC,
    PRIVATE_TOPICS,
    REPLY_DELAY_MS,
    Send,
    Session,
    Switchboard,
    frame,
)
from breakwall.venues.exchange.synthetic import SyntheticMarket

STEP_MS = 10
DEFAULT_SYMBOLS = tuple(INSTRUMENTS)


class Market(Protocol):
    """Whoever gives the books life."""

    def step(self, now_ms: int) -> None: ...


class Exchange:
    """One exchange with one account.

    `scenario` names a script of the synthetic market; None leaves the books to the caller.
    `start_ms` is the exchange's time at birth; raises ValueError for a symbol it does not list.
    """

    def __init__(
        self,
        seed: int,
        scenario: str | None,
        start_ms: int,
        *,
        symbols: Iterable[str] = DEFAULT_SYMBOLS,
        api_key: str = "demo-key",
        api_secret: str = "demo-secret",  # noqa: S107 - opens nothing but this exchange
        balance: Decimal = START_BALANCE,
        match_delay_ms: int = 3,
    ) -> None:
        self.now_ms = start_ms
        self.keys = Keys(api_key, api_secret)
        self.listings = {symbol: Listing(_listed(symbol), start_ms, 1_000_000) for symbol in symbols}
        self.account = Account(self.listings, balance)
        self.log = OrderLog(self.listings, seed)
        self.orders = Orders(self.listings, self.account, self.log)
        self.publisher = Publisher(self.listings)
        self.market: Market | None = None
        if scenario is not None:
            self.market = SyntheticMarket(self.listings, seed, scenario, start_ms)
        entry = OrderEntry(self.listings, self.account, self.orders, self._schedule, match_delay_ms)
        self._floor = Floor(self.listings, self.account, self.log, entry, self.publisher, self.keys)
        self._api = Api(self._floor)
        self._exposure = {symbol: Exposure() for symbol in self.listings}
        self._agenda: list[tuple[int, int, Callable[[int], None]]] = []
        self._counter = count(1)
        self._next_step_ms = start_ms + STEP_MS
        self._private: list[Session] = []

    def handle(self, request: HttpRequest, now_ms: int) -> HttpAnswer:
        """Answer one REST request; time first moves on to `now_ms`."""
        self.advance(now_ms)
        answer = self._api.answer(request, self.now_ms)
        self._tell()
        return answer

    def session(self, kind: str, send: Send) -> Session:
        """A new client on the "public" or "private" socket; `send` gets its text frames and must not raise."""
        if kind not in {"public", "private"}:
            raise ValueError(f"session: expected public or private, found {kind!r}")
        board = Switchboard(self._floor, self._reply_later, self._forget)
        session = Session(kind, send, f"conn-{next(self._counter)}", board)
        if kind == "private":
            self._private.append(session)
        return session

    def advance(self, now_ms: int) -> None:
        """Let everything happen that is due up to `now_ms`, each at its own time."""
        while self.due_ms <= now_ms:
            if self._agenda and self._agenda[0][0] <= self._next_step_ms:
                due_ms, _, act = heappop(self._agenda)
                self.now_ms = due_ms
                act(due_ms)
            else:
                self.now_ms = self._next_step_ms
                self._next_step_ms += STEP_MS
                self._step(self.now_ms)
            self._settle(self.now_ms)
        self.now_ms = max(self.now_ms, now_ms)

    @property
    def due_ms(self) -> int:
        """When the next thing will happen."""
        return min(self._agenda[0][0], self._next_step_ms) if self._agenda else self._next_step_ms

    def position(self, symbol: str) -> Position:
        return self.account.positions[symbol]

    def open_orders(self, symbol: str = "") -> list[Order]:
        """Open orders as the exchange knows them, children of stops included."""
        return list(self.log.live(symbol))

    @property
    def executions(self) -> list[Execution]:
        return list(self.log.executions)

    def unprotected_ms(self, symbol: str) -> int:
        """The longest time a position of this symbol has existed without an active stop."""
        return self._exposure[symbol].longest_ms(self.now_ms)

    def _schedule(self, due_ms: int, act: Callable[[int], None]) -> None:
        heappush(self._agenda, (max(due_ms, self.now_ms), next(self._counter), act))

    def _reply_later(self, now_ms: int, act: Callable[[int], None]) -> None:
        self._schedule(now_ms + REPLY_DELAY_MS, act)

    def _forget(self, session: Session) -> None:
        if session in self._private:
            self._private.remove(session)

    def _step(self, now_ms: int) -> None:
        if self.market is not None:
            self.market.step(now_ms)
        self.orders.settle_fills(now_ms)
        self.orders.run_triggers(now_ms)
        for listing in self.listings.values():
            liquidate_if_due(listing, self.account, self.orders, now_ms)
            settle_funding(listing, self.account, self.orders, now_ms)
        self.publisher.publish(now_ms)

    def _settle(self, now_ms: int) -> None:
        """After every happening: what it did to resting orders, to the exposure and to the news."""
        self.orders.settle_fills(now_ms)
        for symbol, position in self.account.positions.items():
            self._exposure[symbol].see(position.lots != 0 and position.stop is None, now_ms)
        self._tell()

    def _tell(self) -> None:
        """Push what has changed to the private sessions: executions, orders, positions, wallet."""
        news, touched = self.log.take_news()
        if not touched:
            return
        records: dict[str, list[Record]] = {topic: [] for topic in ("execution", *PRIVATE_TOPICS)}
        for topic, record in news:
            records[topic].append(record)
        for symbol in touched:
            position, listing = self.account.positions[symbol], self.listings[symbol]
            records["position"].append(position_push(position, listing, self.account.taker_fee))
        records["wallet"].append(wallet_record(self.account, self.listings, self.log.live()))
        records[FAST_TOPIC] = [execution_fast(row) for row in records["execution"] if row["execType"] == "Trade"]
        for topic, data in records.items():
            if data:
                self._push(topic, data)

    def _push(self, topic: str, data: list[Record]) -> None:
        message = {"id": f"push-{next(self._counter)}", "topic": topic, "creationTime": self.now_ms, "data": data}
        text = frame(message)
        categorised = frame(message | {"topic": f"{topic}.linear"})
        for session in list(self._private):
            session.push(topic, text)
            session.push(f"{topic}.linear", categorised)


def _listed(symbol: str) -> Instrument:
    if symbol not in INSTRUMENTS:
        raise ValueError(f"embedded exchange: expected symbols among {', '.join(INSTRUMENTS)}, found {symbol}")
    return INSTRUMENTS[symbol]
