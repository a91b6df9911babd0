"""The embedded exchange: Bybit v5 linear as a handler without sockets, driven by the caller's clock.

Everything happens inside `advance(now_ms)`: nothing reads a clock, so the same calls at the same
times give the same exchange, under a server, a test or virtual time.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from heapq import heappop, heappush
from itertools import count
from typing import Protocol

from msgspec.structs import replace

from breakwall.model.events import Event
from breakwall.model.units import Instrument
from breakwall.ports import HttpAnswer, HttpRequest
from breakwall.venues.exchange.account import START_BALANCE, Account
from breakwall.venues.exchange.api import Api
from breakwall.venues.exchange.bulletin import Bulletin, Notice
from breakwall.venues.exchange.dead_man import DeadMan
from breakwall.venues.exchange.exposure import Exposure
from breakwall.venues.exchange.floor import Floor
from breakwall.venues.exchange.instruments import INSTRUMENTS
from breakwall.venues.exchange.limits import ADDRESS_REQUESTS, Limits
from breakwall.venues.exchange.listing import Listing
from breakwall.venues.exchange.lobby import IDLE_MS, Lobby
from breakwall.venues.exchange.order import Execution, Order
from breakwall.venues.exchange.order_entry import OrderEntry
from breakwall.venues.exchange.order_log import OrderLog
from breakwall.venues.exchange.orders import Orders
from breakwall.venues.exchange.outside import OutsideMarket
from breakwall.venues.exchange.positions import Position
from breakwall.venues.exchange.publisher import Publisher
from breakwall.venues.exchange.records import Record, execution_fast, position_push, wallet_record
from breakwall.venues.exchange.relisting import changed, convert
from breakwall.venues.exchange.settlement import liquidate_account_if_due, liquidate_if_due, settle_funding
from breakwall.venues.exchange.signing import Keys
from breakwall.venues.exchange.stop_entry import StopEntry
from breakwall.venues.exchange.streams import FAST_TOPIC, PRIVATE_TOPICS, REPLY_DELAY_MS, Send, Session
from breakwall.venues.exchange.synthetic import SyntheticMarket
from breakwall.venues.exchange.universe import instrument_of

STEP_MS = 10
DEFAULT_SYMBOLS = tuple(INSTRUMENTS)
_SEQ_PER_MS = 10
"""A book changes less often than that: a sequence that begins with the time is above all that were before it."""


class Market(Protocol):
    """Whoever gives the books life."""

    def step(self, now_ms: int) -> None: ...


class Exchange:
    """One exchange with one account. Where another with its key was before it, no id and no sequence comes again.

    `scenario` names a script of the synthetic market; None leaves the books to the caller, or to a market outside
    that it `hear`s of. It lists `instruments`; where none are given, `symbols` that it knows, else raises ValueError.
    `start_ms` is the exchange's time at birth. It moves in steps of `step_ms` and pushes each public topic at most
    every `pace_ms` (0: as often as the venue). `key_facts` is what the key tells of itself, other than the truth.
    `address_limit` requests in five seconds bring a ban (0: never); with `dcp` the account has disconnect-cancel-all.
    """

    def __init__(
        self,
        seed: int,
        scenario: str | None,
        start_ms: int,
        *,
        symbols: Iterable[str] = DEFAULT_SYMBOLS,
        instruments: Iterable[Instrument] = (),
        api_key: str = "demo-key",
        api_secret: str = "demo-secret",  # noqa: S107 - opens nothing but this exchange
        balance: Decimal = START_BALANCE,
        match_delay_ms: int = 3,
        step_ms: int = STEP_MS,
        pace_ms: int = 0,
        key_facts: Mapping[str, object] | None = None,
        address_limit: int = ADDRESS_REQUESTS,
        dcp: bool = False,
    ) -> None:
        self.now_ms = start_ms
        self.keys = Keys(api_key, api_secret, key_facts or {})
        self.listings = {
            rules.symbol: Listing(rules, start_ms, start_ms * _SEQ_PER_MS)
            for rules in tuple(instruments) or map(instrument_of, symbols)
        }
        self.account = Account(self.listings, balance)
        self.log = OrderLog(self.listings, seed ^ start_ms)
        self.orders = Orders(self.listings, self.account, self.log)
        self.publisher = Publisher(self.listings, pace_ms)
        self.outside = OutsideMarket(self.listings)
        self.market: Market | None = None
        if scenario is not None:
            self.market = SyntheticMarket(self.listings, seed, scenario, start_ms)
        entry = OrderEntry(self.listings, self.account, self.orders, self._schedule, match_delay_ms)
        dead_man = DeadMan(lambda at_ms: self.orders.cancel_active("CancelByDCP", at_ms), granted=dcp)
        bulletin = Bulletin()
        self._floor = Floor(
            self.listings,
            self.account,
            self.log,
            entry,
            StopEntry(self.listings, self.account, self.orders, entry),
            self.publisher,
            self.keys,
            Limits(),
            dead_man,
            bulletin,
        )
        self._api = Api(self._floor, address_limit)
        self._lobby = Lobby(self._floor, bulletin, dead_man, self._reply_later)
        self._exposure = {symbol: Exposure() for symbol in self.listings}
        self.told: Callable[[list[str]], None] = lambda _symbols: None  # after the account's clients
        self._agenda: list[tuple[int, int, Callable[[int], None]]] = []
        self._counter = count(1)
        self._step_ms = step_ms
        self._next_step_ms = start_ms + step_ms

    def handle(self, request: HttpRequest, now_ms: int) -> HttpAnswer:
        """Answer one REST request; time first moves on to `now_ms`."""
        self.advance(now_ms)
        answer = self._api.answer(request, self.now_ms)
        self._tell()
        return answer

    def session(
        self, kind: str, send: Send, cut: Callable[[], None] = lambda: None, idle_ms: int = IDLE_MS
    ) -> Session:
        """A new client on the "public", "private", "trade" or "status" socket.

        `send` gets its text frames, `cut` ends the connection after `idle_ms` without any; neither may raise.
        Raises ValueError for another kind.
        """
        return self._lobby.open(kind, send, cut, idle_ms, self.now_ms)

    def too_many_sockets(self, now_ms: int) -> bool:
        """Count one new connection; whether the address has opened too many in five minutes."""
        return self._lobby.full(now_ms)

    def announce(self, notice: Notice) -> None:
        """Tell of maintenance, on the status socket and over REST."""
        self._floor.bulletin.announce(notice, self.now_ms)

    def change_instrument(self, symbol: str, **changes: object) -> None:
        """Give a contract other rules (fields of `Instrument`); see `relisting.convert`. Raises ValueError."""
        self.follow_rules(changed(self.listings[symbol].instrument, changes))

    def follow_rules(self, rules: Instrument) -> None:
        """Take a contract's new rules; see `relisting.convert`. Raises ValueError."""
        listing = self.listings[rules.symbol]
        before = listing.book
        positions = {*self.account.of(rules.symbol), self.account.positions[rules.symbol]}
        convert(listing, rules, positions, self.orders, self.now_ms)
        if listing.book is not before:
            if isinstance(self.market, SyntheticMarket):
                self.market.stage(listing)
            self.publisher.begin_again(rules.symbol, self.now_ms)
        self._tell()

    def list_contract(self, symbol: str, rules: Instrument | None = None) -> None:
        """List one more contract. Raises ValueError for a symbol that has no rules here and is given none."""
        rules = rules or replace(instrument_of(symbol), launched_ms=self.now_ms)
        listing = self.listings[symbol] = Listing(rules, self.now_ms, self.now_ms * _SEQ_PER_MS)
        self.account.positions[symbol] = Position(listing.instrument)
        self.log.open_symbol(symbol)
        self._exposure[symbol] = Exposure()
        if isinstance(self.market, SyntheticMarket):
            self.market.stage(listing)

    def advance(self, now_ms: int) -> None:
        """Let everything happen that is due up to `now_ms`, each at its own time."""
        while self.due_ms <= now_ms:
            if self._agenda and self._agenda[0][0] <= self._next_step_ms:
                due_ms, _, act = heappop(self._agenda)
                self.now_ms = due_ms
                act(due_ms)
            else:
                self.now_ms = self._next_step_ms
                self._next_step_ms += self._step_ms
                self._step(self.now_ms)
            self._settle(self.now_ms)
        self.now_ms = max(self.now_ms, now_ms)

    def hear(self, event: Event, now_ms: int) -> None:
        """Something happened on the market outside that this exchange follows; time first moves on to `now_ms`."""
        self.advance(now_ms)
        listing = self.outside.take(event, self.now_ms)
        if listing is not None and listing.book.filled:
            self._settle(self.now_ms)

    @property
    def due_ms(self) -> int:
        """When the next thing will happen."""
        return min(self._agenda[0][0], self._next_step_ms) if self._agenda else self._next_step_ms

    def place_by_hand(self, body: Mapping[str, object]) -> Order:
        """Somebody else with this account places an order (the fields of a create request). Raises Refusal."""
        return self._floor.entry.place({"category": "linear", "positionIdx": 0, **body}, self.now_ms)

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

    def _step(self, now_ms: int) -> None:
        if self.market is not None:
            self.market.step(now_ms)
        self.orders.settle_fills(now_ms)
        self.orders.run_triggers(now_ms)
        for listing in self.listings.values():
            liquidate_if_due(listing, self.account, self.orders, now_ms)
            settle_funding(listing, self.account, self.orders, now_ms)
        liquidate_account_if_due(self.listings, self.account, self.orders, now_ms)
        self.publisher.publish(now_ms)
        self._lobby.tick(now_ms)

    def _settle(self, now_ms: int) -> None:
        """After every happening: what it did to resting orders, and the news of it."""
        self.orders.settle_fills(now_ms)
        self._tell()

    def _tell(self) -> None:
        """Tell the private sessions of executions, orders, positions, wallet; note what stands without a stop."""
        news, touched = self.log.take_news()
        if not touched:
            return
        records: dict[str, list[Record]] = {topic: [] for topic in ("execution", *PRIVATE_TOPICS)}
        for topic, record in news:
            records[topic].append(record)
        for symbol in touched:
            unprotected = any(position.unprotected for position in self.account.of(symbol))
            self._exposure[symbol].see(unprotected, self.now_ms)
            for position in self.account.of(symbol):
                records["position"].append(position_push(position, self.account, self.listings[symbol]))
        records["wallet"].append(wallet_record(self.account, self.listings, self.log.live()))
        records[FAST_TOPIC] = [execution_fast(row) for row in records["execution"] if row["execType"] == "Trade"]
        for topic, data in records.items():
            if data:
                self._lobby.push(topic, data, self.now_ms)
        self.told(touched)
