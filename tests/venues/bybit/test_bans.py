"""A ban of our address: nothing leaves over REST before its end, in this start and in the next."""

import asyncio
import random
from decimal import Decimal

import pytest

from breakwall.model.actions import Approved
from breakwall.model.api import ApiGroup, ApiHealth, ApiState
from breakwall.model.events import OutcomeKind
from breakwall.ports import HttpAnswer, VenueError
from breakwall.settings import VenueSettings
from breakwall.venues.bybit.broker import BybitBroker
from breakwall.venues.bybit.endpoints import Urls
from breakwall.venues.limiter import BAN_MS
from tests.venues.bybit.scripts import CREATE, EXIT
from tests.venues.conftest import EPOCH_MS

FORBIDDEN = HttpAnswer(403, b"forbidden")


def another(venue, clock, notebook) -> BybitBroker:
    urls = Urls("http://x", "ws://x/public", "ws://x/private")
    return BybitBroker(venue, clock, notebook, urls, "KEY", "SECRET", VenueSettings(), Decimal(10), random.Random(1))


@pytest.mark.parametrize(
    ("headers", "least_ms"), [({}, BAN_MS), ({"retry-after": "30"}, 30_000), ({"retry-after": "soon"}, BAN_MS)]
)
def test_each_ban_is_told_with_its_end_and_its_end_too(venue, broker, virtual, clock, headers, least_ms) -> None:
    told: list[int] = []

    async def work():
        broker.honour_ban(0, told.append)
        await broker.prepare(["BTCUSDT"])
        assert told == []
        venue.say(CREATE, HttpAnswer(403, b"forbidden", headers), {"orderId": "o1"})
        await broker.execute(Approved(EXIT, True))
        until_ms = told[0]
        assert least_ms <= until_ms - clock.now_ms() + 100 <= least_ms + 200
        await asyncio.sleep((until_ms - clock.now_ms()) / 1000)
        assert len(told) == 1
        return await broker.execute(Approved(EXIT, True))

    assert virtual(work()).kind is OutcomeKind.CONFIRMED
    assert told[1:] == [0]


def test_the_next_start_asks_nothing_before_the_end_and_says_when_that_is(venue, clock, notebook, virtual) -> None:
    async def work():
        broker = another(venue, clock, notebook)
        broker.honour_ban(clock.now_ms() + 90_000, lambda until_ms: None)
        with pytest.raises(VenueError) as refusal:
            await broker.prepare(["BTCUSDT"])
        return refusal.value

    error = virtual(work())
    assert error.code == 3
    assert "x: expected to be answered, found our address banned until 2023-11-14 22:14:50 UTC" in str(error)
    assert venue.requests == []
    assert venue.sockets == []
    assert notebook.of(ApiHealth) == [
        ApiHealth(
            ApiGroup.ALL,
            ApiState.BANNED,
            "our address was banned before this start (HTTP 403)",
            EPOCH_MS + 90_000,
        )
    ]


def test_a_start_after_the_end_goes_on_and_forgets(venue, broker, virtual, clock) -> None:
    told: list[int] = []

    async def work():
        broker.honour_ban(clock.now_ms() + 5_000, told.append)
        await asyncio.sleep(5)
        await broker.prepare(["BTCUSDT"])

    virtual(work())
    assert told == [0]
    assert venue.requests
