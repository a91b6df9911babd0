"""The last minutes of each symbol: closed ones only, oldest first, once, and nothing depends on them."""

import asyncio

import pytest

from breakwall.model.candles import Candle, Candles
from breakwall.ports import HttpAnswer
from tests.venues.bybit.scripts import RULES
from tests.venues.conftest import EPOCH_MS

KLINE = "/v5/market/kline"
MINUTE = 60_000
NOW = EPOCH_MS - EPOCH_MS % MINUTE


def bar(minutes_ago, *prices):
    return [str(NOW - minutes_ago * MINUTE), *prices, "12.5", "750000"]


def heard(venue, broker, notebook, virtual, answer, seconds=5):
    async def work():
        venue.say(KLINE, answer)
        await broker.prepare(["BTCUSDT"])
        running = asyncio.create_task(broker.run())
        await asyncio.sleep(seconds)
        assert not running.done()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    virtual(work())
    return notebook.of(Candles)


def test_closed_minutes_come_oldest_first_and_once(venue, broker, notebook, virtual) -> None:
    rows = [
        bar(0, "60000.00", "60001.00", "59999.90", "60000.50"),  # still open
        bar(1, "59990.00", "60005.00", "59980.00", "60000.00"),
        bar(2, "60000", "60000", "59990.1", "59990"[:5] + ".1"),
    ]
    assert heard(venue, broker, notebook, virtual, {"list": rows}) == [
        Candles(
            "BTCUSDT",
            (
                Candle(NOW - 2 * MINUTE, 600_000, 600_000, 599_901, 599_901),
                Candle(NOW - MINUTE, 599_900, 600_050, 599_800, 600_000),
            ),
        )
    ]
    assert venue.asked(KLINE) == [{"category": "linear", "symbol": "BTCUSDT", "interval": "1", "limit": "30"}]


@pytest.mark.parametrize(
    "answer",
    [
        (10001, "params error"),
        {"rows": []},
        {"list": [["1", "2"]]},
        {"list": ["x"]},
        {"list": [bar(1, "60000", "59000", "60001", "60000")]},
        {"list": [bar(1, "60000", "", "59000", "60000")]},
        {"list": [bar(1, "60000", "NaN", "59000", "60000")]},
    ],
)
def test_what_cannot_be_read_is_done_without(venue, broker, notebook, virtual, answer) -> None:
    assert heard(venue, broker, notebook, virtual, answer) == []
    assert len(venue.asked(KLINE)) == 1


def test_a_venue_that_does_not_tell_them_is_not_asked_for_ever(venue, broker, notebook, virtual) -> None:
    rows = [RULES | {"symbol": f"C{n}USDT"} for n in range(9)]
    venue.say("/v5/market/instruments-info", {"list": rows})
    venue.say(KLINE, HttpAnswer(404, b""))

    async def work():
        await broker.prepare([row["symbol"] for row in rows])
        running = asyncio.create_task(broker.run())
        await asyncio.sleep(30)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    virtual(work())
    assert len(venue.asked(KLINE)) == 3
