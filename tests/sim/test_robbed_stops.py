"""Stops taken away at the exchange: set again, or the position closed, each within the promised three seconds."""

import asyncio
import random
from collections.abc import Callable

import pytest
from msgspec import structs

from breakwall.sim import session
from breakwall.sim.invariants import Referee
from breakwall.sim.session import Session, play
from breakwall.sim.world import World
from breakwall.venues.exchange.desk import Route
from breakwall.venues.exchange.floor import Ask, Floor
from breakwall.venues.exchange.order import Refusal
from breakwall.venues.exchange.records import Record
from breakwall.venues.exchange.routes import ROUTES
from breakwall.venues.exchange.stops import Stops

CREATES = "/v5/order/create", "/v5/order/create-batch"
TRADING_STOP = "/v5/position/trading-stop"
ROB_MS, REJECTED_CLOSES = (2_000, 6_000), 2
SEEDS = (53, 54)


class Robber(World):
    """Cancels every stop each few seconds; `robbed` counts the stops that were taken."""

    robbed = 0

    async def turn(self) -> None:
        dice, stops = random.Random("robber"), Stops(self.exchange.log)
        due_ms = self.now_ms() + 10_000
        while True:
            await asyncio.sleep(max(0, self.exchange.due_ms - self.now_ms()) / 1000)
            now_ms = self.now_ms()
            self.exchange.advance(now_ms)
            if now_ms >= due_ms:
                due_ms = now_ms + dice.randint(*ROB_MS)
                self._rob(stops)
            self._look(now_ms)

    def _rob(self, stops: Stops) -> None:
        for position in self.exchange.account.positions.values():
            if position.lots and position.stop is not None:
                stops.cancelled(position, position.stop, "CancelByUser", self.exchange.now_ms)
                Robber.robbed += 1


@pytest.fixture
def robbed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "World", Robber)
    monkeypatch.setattr(Robber, "robbed", 0)
    monkeypatch.setattr(
        Referee, "_check_stop", lambda *_: None
    )  # a stop is missing at times: how long is the question


@pytest.mark.usefixtures("robbed")
@pytest.mark.parametrize("seed", SEEDS)
def test_a_stop_that_was_taken_stands_again_within_a_second(seed: int) -> None:
    report = play(Session(seed))
    assert Robber.robbed > 0
    assert 0 < report.unprotected_ms <= 1_000


@pytest.mark.usefixtures("robbed")
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("code", [10001, 10006, 10016])
def test_where_stops_and_closes_are_refused_it_is_flat_within_three_seconds(
    seed: int, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every stop is refused, and of each position's closes the first two are refused or not answered clearly."""
    refused: list[str] = []

    def refuse_stop(floor: Floor, ask: Ask) -> Record:
        raise Refusal(10001, "no")

    def refuse_closes(route: Route) -> Callable[[Floor, Ask], Record]:
        def act(floor: Floor, ask: Ask) -> Record:
            symbol = ask.text("symbol")
            if ask.params["reduceOnly"]:
                refused.append(symbol)
                if refused.count(symbol) <= REJECTED_CLOSES:
                    raise Refusal(code, "no")
            else:
                refused[:] = [name for name in refused if name != symbol]
            return route.act(floor, ask)

        return act

    for path in CREATES:  # whichever way an order comes
        route = ROUTES["POST", path]
        monkeypatch.setitem(ROUTES, ("POST", path), structs.replace(route, act=refuse_closes(route)))
    stop = ROUTES["POST", TRADING_STOP]
    monkeypatch.setitem(ROUTES, ("POST", TRADING_STOP), structs.replace(stop, act=refuse_stop))
    report = play(Session(seed))
    assert Robber.robbed > 0
    assert 0 < report.unprotected_ms <= 3_000
