"""The ready crises on an exchange driven by hand: each waits for what it needs, strikes once, tells the truth."""

import asyncio
from decimal import Decimal

import pytest

from breakwall.cli.demo import CRISES as NAMED
from breakwall.cli.demo import SCENARIOS as SCRIPTS
from breakwall.clock import SystemClock
from breakwall.model.crisis import Story
from breakwall.model.events import Link
from breakwall.venues.exchange.crises import CRISES, Needs
from breakwall.venues.exchange.director import SCENARIOS
from breakwall.venues.exchange.exchange import Exchange
from breakwall.venues.exchange.faults import FaultKind
from breakwall.venues.exchange.forecast import Forecast, ForecastError, forecast_of
from breakwall.venues.exchange.synthetic import SyntheticMarket
from breakwall.venues.exchange.weather import Weather

SYMBOL = "SOLUSDT"
BUY = {"symbol": SYMBOL, "side": "Buy", "orderType": "Market", "qty": "10", "stopLoss": "149"}


class HandClock(SystemClock):
    """Moves when it is told to."""

    def __init__(self) -> None:
        self.at_ms = 1_795_000_000_000

    def now_ms(self) -> int:
        return self.at_ms


class Theatre:
    """An exchange and its weather, driven by hand."""

    def __init__(self, scenario: str | None = "calm") -> None:
        self.clock = HandClock()
        self.exchange = Exchange(1, scenario, self.clock.at_ms, symbols=[SYMBOL])
        self.weather = Weather(self.exchange, self.clock, asyncio.Event(), Forecast())
        self.run(1)

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds * 100)):
            self.clock.at_ms += 10
            self.exchange.advance(self.clock.at_ms)
            self.weather.tick()

    def enter(self) -> None:
        order = self.exchange.place_by_hand({**BUY, "orderLinkId": "ours-1"})
        deed = self.weather.deed("order/create")
        self.weather.accepted({"orderLinkId": order.link_id})
        assert deed is None or deed.answer == "no answer"
        self.run(0.1)

    def end(self) -> Story:
        for _ in range(60):
            if self.weather.stories:
                return self.weather.stories[-1]
            self.run(1)
        raise AssertionError("it never ends")


def test_the_command_line_names_them_all() -> None:
    assert set(NAMED) == set(CRISES)
    assert set(SCRIPTS) < set(SCENARIOS)
    assert {crisis.market for crisis in CRISES.values()} <= set(SCENARIOS)
    assert not set(CRISES) & set(SCENARIOS)


@pytest.mark.parametrize("name", [name for name, crisis in CRISES.items() if crisis.needs is Needs.POSITION])
def test_a_crisis_waits_for_a_position_that_stands_with_its_stop(name: str) -> None:
    theatre = Theatre()
    theatre.weather.play(name)
    theatre.run(3)
    story = theatre.weather.story
    assert story is not None
    assert (story.phase, story.struck_ms) == ("waiting", 0)
    theatre.enter()
    theatre.run(0.5)
    assert theatre.weather.story is not None
    assert theatre.weather.story.phase == "waiting", "it has not stood for a second yet"
    theatre.run(1)
    story = theatre.weather.story
    assert story is not None
    assert (story.phase, story.symbol) == ("struck", SYMBOL)
    assert [(held.qty, held.stop) for held in story.before] == [(Decimal(10), Decimal(149))]


def test_a_flash_crash_goes_through_the_stop_and_half_of_the_way_back() -> None:
    theatre = Theatre()
    theatre.enter()
    before = theatre.exchange.listings[SYMBOL].mark
    theatre.weather.play("flash-crash", SYMBOL)
    theatre.run(5)
    low = theatre.exchange.listings[SYMBOL].mark
    assert low < before * Decimal("0.98")
    story = theatre.end()
    assert story.after == ()
    assert [(fill.side, fill.qty) for fill in story.fills if fill.ours is False]
    assert sum(fill.qty for fill in story.fills) == 10
    assert low < theatre.exchange.listings[SYMBOL].mark < before
    assert story.equity_after < story.equity_before
    assert theatre.weather.clear_sky


def test_a_stop_that_is_not_set_again_counts_as_long_as_it_is_gone() -> None:
    theatre = Theatre()
    theatre.enter()
    theatre.weather.play("stop-rejected")
    theatre.run(5)
    assert theatre.exchange.position(SYMBOL).stop is None
    theatre.exchange.place_by_hand({**BUY, "side": "Sell", "reduceOnly": True, "stopLoss": ""})
    story = theatre.end()
    assert 3_000 < story.unprotected_ms < 5_000
    assert story.after == ()


def test_every_wall_of_the_market_is_pulled() -> None:
    theatre = Theatre("bounce")
    theatre.weather.play("wall-pulled")
    theatre.enter()
    for _ in range(60):
        if theatre.weather.story and theatre.weather.story.phase == "struck":
            break
        theatre.run(0.5)
    assert theatre.exchange.listings[SYMBOL].book.best_ask is not None
    market = theatre.exchange.market
    assert isinstance(market, SyntheticMarket)
    assert market.walls(SYMBOL)
    assert not market.standing(SYMBOL)


def test_a_partial_fill_strikes_the_next_entry_and_no_exit() -> None:
    theatre = Theatre()
    theatre.weather.play("partial-fill")
    theatre.run(2)
    assert theatre.weather.story is not None
    assert theatre.weather.story.phase == "waiting"
    order = theatre.exchange.place_by_hand(
        {**BUY, "orderType": "Limit", "price": "151", "timeInForce": "IOC", "orderLinkId": "ours-1"}
    )
    theatre.weather.accepted({"orderLinkId": order.link_id})
    theatre.run(1)
    story = theatre.end()
    assert story.before == ()
    assert 0 < theatre.exchange.position(SYMBOL).lots < 100
    assert (story.symbol, story.unprotected_ms) == (SYMBOL, 0)


def test_the_same_seed_strikes_the_same_way_whenever_it_is_ordered() -> None:
    def struck(seed: int, wait_s: float) -> list[bool]:
        theatre = Theatre(None)
        theatre.run(wait_s)
        row = {"kind": "frame-dropped", "probability": 0.5}
        theatre.weather = Weather(theatre.exchange, theatre.clock, asyncio.Event(), Forecast(seed))
        theatre.run(wait_s)
        theatre.weather.add(forecast_of({"faults": [row]}, "the test").faults)
        strike = theatre.weather.strike
        return [strike(FaultKind.FRAME_DROPPED, Link.PUBLIC, "orderbook") is not None for _ in range(64)]

    assert struck(1, 0) == struck(1, 0.37)
    assert struck(1, 0) != struck(2, 0)


def test_one_at_a_time_and_only_those_there_are() -> None:
    theatre = Theatre()
    with pytest.raises(ForecastError, match="did you mean 'lost-ack'"):
        theatre.weather.play("lost-acks")
    theatre.weather.play("lost-ack")
    with pytest.raises(ForecastError, match="lost-ack is still on"):
        theatre.weather.play("disconnect")
    theatre.weather.clear()
    assert theatre.weather.clear_sky
    with pytest.raises(ForecastError, match="recording"):
        Theatre(None).weather.play("flash-crash")
