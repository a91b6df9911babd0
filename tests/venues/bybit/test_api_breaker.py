"""The API breaker on the adapter before the embedded exchange: entries stop, everything that protects goes on."""

import asyncio
import random
from decimal import Decimal

import pytest

from breakwall.model.actions import Approved, CancelOrder, MoveStop, OrderKind, PlaceOrder, TimeInForce
from breakwall.model.api import ApiGroup, ApiHealth, ApiState
from breakwall.model.events import OutcomeKind, ReadBack, ReadBackFailed
from breakwall.model.units import Side
from breakwall.ports import HttpAnswer, TransportError
from breakwall.settings import VenueSettings
from breakwall.sim.network import Network
from breakwall.sim.transport import LoopTransport
from breakwall.venues.bybit.broker import BybitBroker
from breakwall.venues.bybit.endpoints import CANCEL, CREATE, POSITIONS, TRADING_STOP, Urls
from breakwall.venues.exchange.exchange import Exchange

SYMBOL = "ETHUSDT"
BROKEN = {
    "lost": TransportError("time-out after 2 s"),
    "never left": TransportError("connection refused", sent=False),
    "gateway": HttpAnswer(502, b"<html>bad gateway"),
    "unreadable": HttpAnswer(200, b'{"retCode": 0, "resu'),
    "venue failed": HttpAnswer(200, b'{"retCode": 10016, "retMsg": "internal error"}'),
}


class Wire(LoopTransport):
    """The way to the exchange, with pieces broken off: `broken` maps a path to what comes back instead."""

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        self.broken: dict[str, HttpAnswer | TransportError] = {}
        self.asked: list[str] = []

    async def request(self, request):
        self.asked.append(request.path)
        answer = self.broken.get(request.path)
        if isinstance(answer, TransportError):
            raise answer
        return answer if answer is not None else await super().request(request)


class Place:
    def __init__(self, clock, notebook) -> None:
        self.clock, self.notebook = clock, notebook
        self.exchange = Exchange(1, "calm", clock.now_ms(), symbols=[SYMBOL])
        self.wire = Wire(Network(self.exchange, clock.now_ms, 1))
        urls = Urls("http://x", "ws://x/v5/public/linear", "ws://x/v5/private")
        self.broker = BybitBroker(
            self.wire,
            clock,
            notebook,
            urls,
            "demo-key",
            "demo-secret",
            VenueSettings(),
            Decimal(10),
            random.Random(1),
        )
        self.number = 0

    def _next(self, leg: str) -> str:
        self.number += 1
        return f"bw-1-{self.number}-{leg}"

    @property
    def mark(self) -> int:
        listing = self.exchange.listings[SYMBOL]
        return listing.instrument.ticks_near(listing.mark)

    async def turn(self) -> None:
        """The exchange's own time, until it is cancelled."""
        while True:
            self.exchange.advance(self.clock.now_ms())
            await asyncio.sleep(0.02)

    async def enter(self):
        await asyncio.sleep(0.2)
        entry = PlaceOrder(
            self._next("e"), "", SYMBOL, 0, "", Side.BUY, OrderKind.LIMIT, 10, TimeInForce.IOC, self.mark + 50,
            stop_ticks=self.mark - 1_000,
        )  # fmt: skip
        return await self.broker.execute(Approved(entry, False))

    async def move_stop(self, nearer: int):
        return await self.broker.execute(
            Approved(MoveStop(self._next("s"), "", SYMBOL, 0, "", self.mark - 1_000 + nearer), True)
        )

    async def close(self):
        lots = self.exchange.position(SYMBOL).lots
        exit_ = PlaceOrder(
            self._next("x"), "", SYMBOL, 0, "", Side.SELL, OrderKind.MARKET, lots, TimeInForce.IOC, reduce_only=True
        )
        return await self.broker.execute(Approved(exit_, True))

    async def cancel(self):
        return await self.broker.execute(Approved(CancelOrder(self._next("c"), "", SYMBOL, 0, "", "bw-1-1-e"), True))

    @property
    def told(self) -> list[tuple[ApiGroup, ApiState]]:
        return [(health.group, health.state) for health in self.notebook.of(ApiHealth)]


@pytest.fixture
def play(clock, notebook, virtual):
    """Run a story at the place, prepared and with the exchange turning."""

    def run(story):
        async def main():
            place = Place(clock, notebook)
            turning = asyncio.ensure_future(place.turn())
            await place.broker.prepare([SYMBOL])
            try:
                await story(place)
            finally:
                turning.cancel()

        virtual(main())

    return run


@pytest.mark.parametrize("fault", BROKEN)
def test_five_failures_stop_entries_and_nothing_that_protects(play, fault) -> None:
    async def story(place: Place) -> None:
        assert (await place.enter()).kind is OutcomeKind.CONFIRMED
        place.wire.broken[CREATE.path] = BROKEN[fault]
        failed = [await place.enter() for _ in range(5)]
        assert not any(outcome.kind is OutcomeKind.CONFIRMED for outcome in failed)
        before = len(place.wire.asked)
        refused = await place.enter()
        assert (refused.kind, len(place.wire.asked)) == (OutcomeKind.REFUSED, before)
        assert "API breaker of orders: the next try is in" in refused.reason
        assert place.told == [(ApiGroup.ORDERS, ApiState.OPEN)]

        before = place.wire.asked.count(CREATE.path)
        await place.close()  # broken as well, and tried all the same
        assert place.wire.asked.count(CREATE.path) > before
        assert (await place.move_stop(100)).kind is OutcomeKind.CONFIRMED
        await place.cancel()
        assert place.wire.asked[-1] != CREATE.path
        assert isinstance(await place.broker.read_back("proof", 0), ReadBack)

    play(story)


def test_one_probe_after_its_time_and_its_success_closes(play) -> None:
    async def story(place: Place) -> None:
        place.wire.broken[CREATE.path] = BROKEN["lost"]
        for _ in range(5):
            await place.enter()
        await asyncio.sleep(30)
        await place.enter()  # the probe fails
        await asyncio.sleep(59)
        assert (await place.enter()).kind is OutcomeKind.REFUSED
        del place.wire.broken[CREATE.path]
        await asyncio.sleep(1)
        assert (await place.enter()).kind is OutcomeKind.CONFIRMED
        states = [ApiState.OPEN, ApiState.HALF_OPEN, ApiState.OPEN, ApiState.HALF_OPEN, ApiState.CLOSED]
        assert place.told == [(ApiGroup.ORDERS, state) for state in states]

    play(story)


def test_a_close_that_gets_through_closes_the_breaker_too(play) -> None:
    async def story(place: Place) -> None:
        await place.enter()
        place.wire.broken[CREATE.path] = BROKEN["gateway"]
        for _ in range(5):
            await place.enter()
        place.wire.broken.clear()
        assert (await place.close()).kind is OutcomeKind.CONFIRMED
        assert place.told[-1] == (ApiGroup.ORDERS, ApiState.CLOSED)

    play(story)


def test_a_person_closes_it_by_hand(play) -> None:
    async def story(place: Place) -> None:
        place.wire.broken[CREATE.path] = BROKEN["gateway"]
        for _ in range(5):
            await place.enter()
        place.wire.broken.clear()
        place.broker.reset_api(ApiGroup.ORDERS)
        assert (await place.enter()).kind is OutcomeKind.CONFIRMED

    play(story)


def test_refusals_of_our_business_never_count(play) -> None:
    async def story(place: Place) -> None:
        place.wire.broken[CREATE.path] = HttpAnswer(200, b'{"retCode": 110007, "retMsg": "no balance"}')
        for _ in range(20):
            assert (await place.enter()).kind is OutcomeKind.REJECTED
        assert place.told == []

    play(story)


def test_reading_and_stops_have_their_own_breakers_and_always_pass(play) -> None:
    async def story(place: Place) -> None:
        await place.enter()
        place.wire.broken = {POSITIONS.path: BROKEN["gateway"], TRADING_STOP.path: BROKEN["gateway"]}
        for n in range(5):
            assert isinstance(await place.broker.read_back("proof", 0), ReadBackFailed)
            await place.move_stop(n)
        assert set(place.told) >= {(ApiGroup.STOPS, ApiState.OPEN)}
        before = place.wire.asked.count(POSITIONS.path), place.wire.asked.count(TRADING_STOP.path)
        await place.broker.read_back("proof", 0)
        await place.move_stop(7)
        after = place.wire.asked.count(POSITIONS.path), place.wire.asked.count(TRADING_STOP.path)
        assert after[0] > before[0]
        assert after[1] > before[1]
        place.wire.broken.clear()
        assert (await place.move_stop(9)).kind is OutcomeKind.CONFIRMED
        assert place.told[-1] == (ApiGroup.STOPS, ApiState.CLOSED)

    play(story)


def test_a_ban_stops_all_until_the_stated_time(play) -> None:
    seconds = 20

    async def story(place: Place) -> None:
        await place.enter()
        place.wire.broken[CANCEL.path] = HttpAnswer(403, b"forbidden", {"retry-after": str(seconds)})
        await place.cancel()
        place.wire.broken.clear()
        (health,) = place.notebook.of(ApiHealth)
        assert (health.group, health.state) == (ApiGroup.ALL, ApiState.BANNED)
        assert abs(health.until_ms - place.clock.now_ms() - seconds * 1000) < 500
        before = len(place.wire.asked)
        assert (await place.close()).kind is OutcomeKind.REFUSED
        place.broker.reset_api(ApiGroup.ALL)
        assert (await place.enter()).kind is OutcomeKind.REFUSED
        assert len(place.wire.asked) == before
        await asyncio.sleep(seconds + 1)
        assert (await place.close()).kind is OutcomeKind.CONFIRMED
        assert place.told[-1] == (ApiGroup.ALL, ApiState.CLOSED)

    play(story)
