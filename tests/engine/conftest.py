"""A core at a table: events in, actions out, its own time. Also a venue small enough to be believed."""

from collections.abc import Callable, Iterable
from decimal import Decimal

import pytest

from breakwall.engine.core import Core
from breakwall.engine.state import State
from breakwall.market.state import Market
from breakwall.market.walls import Wall
from breakwall.model.actions import Action, Approved, Note, PlaceOrder
from breakwall.model.events import (
    Account,
    BookDelta,
    BookSnapshot,
    Command,
    CommandKind,
    Event,
    Fill,
    Fills,
    Instruments,
    Link,
    LinkChanged,
    OrderReport,
    OrderReports,
    PositionReport,
    PositionReports,
    ReadBack,
    Recovered,
    SettingsChanged,
    Stamped,
    Tick,
    Ticker,
    Wallet,
)
from breakwall.model.journal import JournalEntry
from breakwall.model.units import Instrument, Side
from breakwall.model.view import FlattenView, View
from breakwall.settings import Settings
from breakwall.strategies.base import Key
from breakwall.trading.signal import Signal

WALLET = Wallet(Decimal(10_000), Decimal(10_000), Decimal(10_000), at_ms=1)
BID, ASK = 600_000, 600_001
STOP = 598_800


def rules_of(symbol: str) -> Instrument:
    return Instrument(symbol, Decimal("0.1"), Decimal("0.001"), 1, 1_000_000, 100_000, price_decimals=1)


class Table:
    """A core with its sequence numbers and its time; `say` feeds one event."""

    def __init__(self, *symbols: str, **sections: object) -> None:
        self.symbols = symbols or ("BTCUSDT",)
        self.settings = Settings.model_validate({"symbols": self.symbols, **sections})
        self.core = Core(7)
        self.seq = 0
        self.now = 1_700_000_000_000
        self.log: list[Action] = []

    @property
    def state(self) -> State:
        return self.core._state

    def say(self, event: Event, after_ms: int = 1) -> list[Action]:
        self.seq += 1
        self.now += after_ms
        actions = self.core.on_event(Stamped(self.seq, self.now, event))
        self.log += actions
        return actions

    def order(self, kind: str, symbol: str = "") -> str:
        """A command of a person; the answer in the log."""
        actions = self.say(Command(CommandKind(kind), symbol, who="person"))
        return next(action.text for action in actions if isinstance(action, Note) and action.kind == "answer")

    def start(self, *, positions: tuple[PositionReport, ...] = (), entries: tuple[JournalEntry, ...] = ()) -> None:
        self.start_up(entries)
        self.say(ReadBack((), positions, (), WALLET, self.now, "start"))
        self.pass_time(100)
        self.say(ReadBack((), positions, (), WALLET, self.now, "reconnect"))

    def start_up(self, entries: Iterable[JournalEntry] = ()) -> None:
        """All that happens before the account is first read."""
        self.say(SettingsChanged(self.settings.model_dump_json(by_alias=True), 7))
        self.say(Account("1", Decimal("0.00055"), Decimal("0.0002")))
        self.say(Instruments(tuple(rules_of(symbol) for symbol in self.symbols)))
        self.say(Recovered(tuple(entries)))
        for link in (Link.PUBLIC, Link.PRIVATE):
            self.say(LinkChanged(link, up=True))

    def pass_time(self, milliseconds: int) -> list[Action]:
        return [action for _ in range(milliseconds // 100) for action in self.say(Tick(), 100)]

    def view(self, symbol: str = "") -> View:
        return self.core.view(self.now, "TEST", symbol, 0, 0)

    def view_state(self) -> str:
        return self.view().trading_state

    @property
    def flatten(self) -> FlattenView:
        """The newest."""
        return self.view().flattens[-1]


class Eager:
    """A strategy that always wants to buy what it may."""

    def __init__(self) -> None:
        self.wall_id = 0

    def look(self, market: Market, at_ms: int, trace: str) -> Signal:
        self.wall_id += 1
        return Signal(
            "breakout", market.instrument.symbol, Side.BUY, self.wall_id, Side.SELL, ASK, ASK + 99, ASK, STOP,
            612_000, 0.5, at_ms, trace, ("it breaks", "trend up"),
        )  # fmt: skip

    def again(self, key: Key, at_ms: int) -> None:
        """Nothing is remembered."""


class Floor(Table):
    """A table with live books, a strategy that enters whatever it may, and the venue across the street.

    The venue fills whatever reaches it, tells it when `tell` is called, and is read back by `read_back`.
    """

    def __init__(self, *symbols: str) -> None:
        super().__init__(
            *symbols, breaker={"symbol_cooldown_s": 0, "consecutive_losses": 10_000, "trades_per_day": 10_000}
        )
        self.held: dict[str, int] = {}
        self.news: list[Event] = []
        self.entries: list[PlaceOrder] = []
        self._update = 10
        self._fills = 0

    def open(self) -> None:
        """Recovered, with a live book in every market."""
        self.start()
        self.state.strategies = (Eager(),)
        for symbol in self.symbols:
            self.say(BookSnapshot(symbol, [(BID, 500)], [(ASK, 500)], 10, 10, self.now, 200))
            self.say(Ticker(symbol, 1, mark=Decimal(60_000)))
            wall = Wall(1, False, ASK // 100, 100, 500, self.now)
            self.state.markets[symbol].wall = lambda wall_id, wall=wall: wall

    def tick(self) -> list[Action]:
        """A tenth of a second with a living book."""
        self._update += 1
        for symbol in self.symbols:
            self.say(BookDelta(symbol, [], [], self._update, self._update, self.now, 200), 0)
        return self.say(Tick(), 100)

    def enter(self) -> PlaceOrder:
        """Let the strategy enter the first market."""
        actions = self.tick()
        return next(order for order in orders(actions) if not order.reduce_only)

    def deliver(self, order: PlaceOrder) -> bool:
        """An order on its way: it leaves if the gate lets it, and then it is filled. Whether it left."""
        if self.core.gate(order, self.now):
            return False
        self._fills += 1
        lots = order.lots if not order.reduce_only else min(order.lots, abs(self.held.get(order.symbol, 0)))
        self.held[order.symbol] = self.held.get(order.symbol, 0) + order.side.sign * lots
        if lots:
            fill = Fill(
                f"x{self._fills}", f"v{order.client_id}", order.client_id, order.symbol, order.side, BID, lots,
                Decimal(0), self.now, seq=self._fills, closed_lots=lots if order.reduce_only else 0,
            )  # fmt: skip
            self.news.append(Fills((fill,)))
        status = "Filled" if lots else "Cancelled"
        self.news.append(OrderReports((report_of(order, status, lots),)))
        self.news.append(PositionReports((held(order.symbol, self.held[order.symbol], (self._fills, self.now)),)))
        return True

    def tell(self) -> None:
        """The venue's private stream catches up."""
        news, self.news = self.news, []
        for event in news:
            self.say(event)

    def read_back(self, purpose: str = "periodic", late_ms: int = 0) -> list[Action]:
        """The account as the venue has it now, asked now."""
        asked_ms = self.now
        positions = tuple(
            held(symbol, lots, at=(self._fills, asked_ms)) for symbol, lots in self.held.items() if lots
        )
        return self.say(ReadBack((), positions, (), WALLET, asked_ms, purpose), 1 + late_ms)


def orders(actions: Iterable[Action]) -> list[PlaceOrder]:
    return [
        action.intent for action in actions if isinstance(action, Approved) and isinstance(action.intent, PlaceOrder)
    ]


def report_of(order: PlaceOrder, status: str, filled: int) -> OrderReport:
    return OrderReport(
        f"v{order.client_id}", order.client_id, order.symbol, order.side, status, order.lots, filled,
        order.limit_ticks, reduce_only=order.reduce_only,
    )  # fmt: skip


def held(symbol: str, lots: int, at: tuple[int, int]) -> PositionReport:
    seq, updated_ms = at
    return PositionReport(
        symbol, lots, Decimal(60_000), STOP, None, Decimal(60_000), Decimal(54_000), Decimal(10), 0, seq, updated_ms
    )


@pytest.fixture
def make_table() -> Callable[..., Table]:
    return Table


@pytest.fixture
def floor() -> Floor:
    floor = Floor("BTCUSDT", "ETHUSDT")
    floor.open()
    return floor


@pytest.fixture(scope="session")
def make_floor() -> Callable[..., Floor]:
    return Floor
