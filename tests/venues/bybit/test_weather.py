"""The adapter through bad weather in virtual time: no lost order, no false "flat", everything back afterwards."""

import asyncio
import random
from decimal import Decimal

import pytest

from breakwall.model.actions import Approved, OrderKind, PlaceOrder, TimeInForce
from breakwall.model.events import BookDelta, LinkChanged, OutcomeKind, ReadBack
from breakwall.model.units import Side
from breakwall.settings import VenueSettings
from breakwall.sim.mixes import MIXES, draw_plan
from breakwall.sim.network import Network
from breakwall.sim.transport import LoopTransport
from breakwall.venues.bybit.broker import BybitBroker
from breakwall.venues.bybit.endpoints import Urls
from breakwall.venues.bybit.feed import BybitFeed
from breakwall.venues.exchange.exchange import Exchange
from breakwall.venues.exchange.faults import FaultKind, Faults, Plan

SYMBOL = "ETHUSDT"
STORM_S = 20


def weather(seed: int) -> Plan:
    """Without requests that something between us sends twice: the second answer may say no to what was done."""
    plan = draw_plan(MIXES["network"], seed, STORM_S)
    return tuple(fault for fault in plan if fault.kind is not FaultKind.REQUEST_TWICE)


class Weather:
    """An exchange, the network before it, and the adapter behind that."""

    def __init__(self, seed: int, clock, notebook) -> None:
        self.exchange = Exchange(seed, "calm", clock.now_ms(), symbols=[SYMBOL])
        self.network = Network(self.exchange, clock.now_ms, seed, faults=Faults((), seed))
        self._clock = clock
        settings, rng = VenueSettings(request_timeout_s=2), random.Random(seed)
        urls = Urls("http://x", "ws://x/v5/public/linear", "ws://x/v5/private", "ws://x/v5/trade")
        transport = LoopTransport(self.network)
        self.broker = BybitBroker(
            transport, clock, notebook, urls, "demo-key", "demo-secret", settings, Decimal(10), rng
        )
        self.feed = BybitFeed(transport, clock, notebook, urls.public, settings, self.broker.instruments, rng)

    async def pump(self) -> None:
        while True:
            self.exchange.advance(self._clock.now_ms())
            await asyncio.sleep(0.02)

    def entry(self, number: int) -> PlaceOrder:
        listing = self.exchange.listings[SYMBOL]
        mark = listing.instrument.ticks_near(listing.mark)
        side = Side.BUY if number % 2 else Side.SELL
        limit, stop = mark + 50 * side.sign, mark - 1000 * side.sign
        name = f"bw-1-{number}-e"
        return PlaceOrder(name, "", SYMBOL, 0, "", side, OrderKind.LIMIT, 10, TimeInForce.IOC, limit, stop_ticks=stop)


@pytest.mark.parametrize("seed", [0, 3, 5])
def test_through_bad_weather(seed: int, clock, notebook, virtual) -> None:
    async def main() -> None:
        w = Weather(seed, clock, notebook)
        pump = asyncio.ensure_future(w.pump())
        await w.broker.prepare([SYMBOL])
        w.feed.subscribe({SYMBOL: 50})
        running = [asyncio.ensure_future(w.feed.run()), asyncio.ensure_future(w.broker.run())]
        await asyncio.sleep(2)
        w.network.faults = Faults(weather(seed), seed)
        said_no = await trade(w)
        w.network.faults.heal()
        await asyncio.sleep(45)
        notebook.events.clear()
        await asyncio.sleep(2)
        await check(w, said_no)
        assert not any(task.done() for task in running)
        for task in [*running, pump]:
            task.cancel()

    async def trade(w: Weather) -> set[str]:
        """One entry a second; returns the ids of those the broker called definitely not executed."""
        said_no = set()
        for number in range(STORM_S):
            intent = w.entry(number)
            result = await w.broker.execute(Approved(intent, False))
            if result.kind in {OutcomeKind.REJECTED, OutcomeKind.REFUSED}:
                said_no.add(intent.client_id)
            await asyncio.sleep(1)
        return said_no

    async def check(w: Weather, said_no: set[str]) -> None:
        executed = {execution.link_id for execution in w.exchange.executions}
        assert not said_no & executed
        assert len(executed) > STORM_S // 3
        back = await w.broker.read_back("periodic", w.exchange.now_ms)
        assert isinstance(back, ReadBack)
        assert sum(position.lots for position in back.positions) == w.exchange.position(SYMBOL).lots
        assert len(notebook.of(BookDelta)) > 10
        assert all(link.up for link in notebook.of(LinkChanged))

    virtual(main())
