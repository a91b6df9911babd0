"""Disconnect-cancel-all: used where the account has it, and nowhere relied upon."""

import asyncio
import random
from decimal import Decimal

import pytest

from breakwall.ports import HttpAnswer
from breakwall.settings import VenueSettings
from breakwall.venues.bybit.broker import BybitBroker
from breakwall.venues.bybit.endpoints import Urls

INFO, SET = "/v5/account/query-dcp-info", "/v5/order/disconnected-cancel-all"
OURS = {"product": "DERIVATIVES", "dcpStatus": "ON", "timeWindow": "10"}
OTHER = {"product": "SPOT", "dcpStatus": "ON", "timeWindow": "7"}
WISH = {"product": "DERIVATIVES", "timeWindow": 10}


def made(venue, clock, notebook, **settings) -> BybitBroker:
    """The broker of the fixture, which has told the venue what to answer, with other settings."""
    urls = Urls("http://x", "ws://x/public", "ws://x/private")
    taken = VenueSettings.model_validate(settings)
    return BybitBroker(venue, clock, notebook, urls, "KEY", "SECRET", taken, Decimal(10), random.Random(1))


@pytest.mark.parametrize(
    ("wished_s", "told", "after", "dcp_s", "set_to"),
    [
        (10, {"dcpInfos": [OTHER, OURS]}, {}, 10, []),
        (10, {"dcpInfos": [OURS | {"timeWindow": "40"}]}, {}, 10, [WISH]),
        (10, {"dcpInfos": [OURS | {"timeWindow": "40"}]}, (10001, "no"), 40, [WISH]),
        (0, {"dcpInfos": [OURS | {"timeWindow": "40"}]}, {}, 40, []),
        (10, {"dcpInfos": [OURS | {"dcpStatus": "OFF"}]}, {}, 0, []),
        (10, {"dcpInfos": [OTHER]}, {}, 0, []),
        (10, {"dcpInfos": []}, {}, 0, []),
        (10, {}, {}, 0, []),
        (10, {"dcpInfos": [OURS | {"timeWindow": "long"}]}, {}, 0, []),
        (10, (10005, "Permission denied"), {}, 0, []),
        (10, HttpAnswer(404, b"<html>"), {}, 0, []),
    ],
)
@pytest.mark.usefixtures("broker")
def test_what_the_account_has_is_used(venue, clock, notebook, virtual, wished_s, told, after, dcp_s, set_to) -> None:
    """And left as it is, where nobody wishes another time: it is that of all programs on the account."""
    broker = made(venue, clock, notebook, dcp_window_s=wished_s)
    venue.say(INFO, told)
    venue.say(SET, after)

    async def work():
        account, _ = await broker.prepare(["BTCUSDT"])
        running = asyncio.create_task(broker.run())
        await asyncio.sleep(1)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return account

    assert virtual(work()).dcp_s == dcp_s
    assert venue.asked(SET) == set_to
    topics = {topic for args in venue.sockets[0].args("subscribe") for topic in args}
    assert ("dcp.future" in topics) == bool(dcp_s)


@pytest.mark.usefixtures("broker")
def test_off_asks_nothing(venue, clock, notebook, virtual) -> None:
    account, _ = virtual(made(venue, clock, notebook, dcp="off").prepare(["BTCUSDT"]))
    assert account.dcp_s == 0
    assert venue.asked(INFO) == []
