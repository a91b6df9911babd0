"""The tour against the detector and the strategies it is made for, frame by frame in virtual time."""

from decimal import Decimal

import pytest
from msgspec import Struct

from breakwall.market.state import Market
from breakwall.model.events import BookDelta, BookSnapshot, Ticker, Trades
from breakwall.settings import Settings
from breakwall.strategies.density import Density
from breakwall.trading.cost import Costs
from breakwall.trading.signal import Signal
from breakwall.venues.bybit.codec import PublicCodec
from breakwall.venues.exchange.instruments import INSTRUMENTS
from breakwall.venues.exchange.listing import Listing
from breakwall.venues.exchange.publisher import Publisher
from breakwall.venues.exchange.synthetic import SyntheticMarket

START_MS = 1_800_000_000_000
FOLLOWED = ("BTCUSDT", "ETHUSDT", "SOLUSDT")


class Trip(Struct):
    """A signal and the excursions of the mid after it: best and worst so far, now, and worst before the best,
    as fractions in the signal's direction."""

    signal: Signal
    best: float = 0.0
    worst: float = 0.0
    worst_before_best: float = 0.0
    now: float = 0.0

    def follow(self, half_ticks: int) -> None:
        self.now = self.signal.side.sign * (half_ticks / 2 / self.signal.entry_ticks - 1)
        self.worst = min(self.worst, self.now)
        if self.now > self.best:
            self.best, self.worst_before_best = self.now, self.worst


class Spectator:
    """Follows three symbols as the engine does: 200 levels first, 1000 where the detector asks for them."""

    def __init__(self, publisher: Publisher) -> None:
        settings = Settings()
        self.publisher = publisher
        self.codec = PublicCodec({symbol: INSTRUMENTS[symbol] for symbol in FOLLOWED})
        self.markets = {symbol: Market(INSTRUMENTS[symbol], settings, 200) for symbol in FOLLOWED}
        self.density = Density(settings, Costs.of(settings.entry, Decimal("0.00055")))
        self.trips: list[Trip] = []
        self.now_ms = 0

    def __call__(self, text: str) -> None:
        event = self.codec.decode(text.encode())
        if isinstance(event, BookSnapshot | BookDelta):
            assert self.markets[event.symbol].on_book(event, self.now_ms) == ""
        elif isinstance(event, Trades):
            self.markets[event.symbol].on_trades(event, self.now_ms)
        elif isinstance(event, Ticker):
            self.markets[event.symbol].on_ticker(event, self.now_ms)

    def connect(self) -> None:
        for symbol in FOLLOWED:
            for topic in ("orderbook.200", "publicTrade", "tickers"):
                self.publisher.subscribe(self, f"{topic}.{symbol}", self.now_ms)

    def tick(self) -> None:
        for symbol, market in self.markets.items():
            market.on_tick(self.now_ms)
            if market.wants_depth:
                self.publisher.unsubscribe(self, f"orderbook.{market.depth}.{symbol}")
                self.publisher.subscribe(self, f"orderbook.{market.wants_depth}.{symbol}", self.now_ms)
            half_ticks = market.mid_half_ticks
            if half_ticks is None:
                continue
            for trip in self.trips:
                if trip.signal.symbol == symbol:
                    trip.follow(half_ticks)
            signal = self.density.look(market, self.now_ms, "tour")
            if signal is not None:
                self.trips.append(Trip(signal))


def watch(seed: int, scenario: str, seconds: int, connect_ms: int) -> Spectator:
    listings = {symbol: Listing(instrument, START_MS) for symbol, instrument in INSTRUMENTS.items()}
    synthetic = SyntheticMarket(listings, seed, scenario, START_MS)
    spectator = Spectator(Publisher(listings))
    for elapsed_ms in range(0, seconds * 1000, 100):
        spectator.now_ms = START_MS + elapsed_ms
        synthetic.step(spectator.now_ms)
        spectator.publisher.publish(spectator.now_ms)
        if elapsed_ms == connect_ms:
            spectator.connect()
        if elapsed_ms > connect_ms:
            spectator.tick()
    return spectator


@pytest.mark.parametrize(("seed", "connect_ms"), [(4711, 500), (2, 6000)])
def test_the_tour_has_a_breakout_and_a_bounce_that_pay(seed: int, connect_ms: int) -> None:
    spectator = watch(seed, "tour", 78, connect_ms)
    first = {trip.signal.strategy: trip for trip in reversed(spectator.trips)}
    assert set(first) == {"breakout", "bounce"}
    assert first["breakout"].signal.side is first["bounce"].signal.side.opposite
    for trip in first.values():
        signal = trip.signal
        assert signal.at_ms - START_MS < 45_000
        assert 0.006 < trip.best < 0.02
        assert trip.now < 0.7 * trip.best, "gives back enough for the slowdown exit"
        stop = signal.side.sign * (signal.stop_ticks / signal.entry_ticks - 1)
        assert stop < -0.0008
        assert trip.worst_before_best > 0.8 * stop
    markets = spectator.markets.values()
    assert sum(market.walls_eaten for market in markets) >= 1
    assert sum(market.walls_pulled for market in markets) >= 1
    assert [market.gaps for market in markets] == [0, 0, 0]


def test_a_calm_market_has_neither_walls_nor_signals() -> None:
    spectator = watch(1, "calm", 40, 1000)
    assert [market.walls_seen for market in spectator.markets.values()] == [0, 0, 0]
    assert spectator.trips == []
