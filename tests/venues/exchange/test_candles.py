"""Candles of the exchange's own trades: every length, flat spans, REST and socket."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from breakwall.model.units import Side
from breakwall.venues.exchange.candles import INTERVALS, Candle, Candles, end_of, start_of
from breakwall.venues.exchange.instruments import INSTRUMENTS
from breakwall.venues.exchange.matching import PublicTrade

MINUTE = 60_000
PATH = "/v5/market/kline"


def ms(*date: int) -> int:
    return int(datetime(*date, tzinfo=UTC).timestamp()) * 1000  # type: ignore[misc,arg-type] # year, month, day...


def trade(at_ms: int, ticks: int, lots: int = 1) -> PublicTrade:
    return PublicTrade(ticks, lots, Side.BUY, at_ms, 1, "id")


@pytest.mark.parametrize(
    ("interval", "start", "end"),
    [
        ("1", ms(2024, 2, 14, 13, 37), ms(2024, 2, 14, 13, 38)),
        ("15", ms(2024, 2, 14, 13, 30), ms(2024, 2, 14, 13, 45)),
        ("240", ms(2024, 2, 14, 12), ms(2024, 2, 14, 16)),
        ("D", ms(2024, 2, 14), ms(2024, 2, 15)),
        ("W", ms(2024, 2, 12), ms(2024, 2, 19)),
        ("M", ms(2024, 2, 1), ms(2024, 3, 1)),
    ],
)
def test_where_candles_begin_and_end(interval: str, start: int, end: int) -> None:
    assert start_of(interval, ms(2024, 2, 14, 13, 37, 21)) == start
    assert end_of(interval, start) == end - 1


@pytest.mark.parametrize("interval", INTERVALS)
def test_every_length_holds_all_trades(interval: str) -> None:
    candles = Candles(INSTRUMENTS["BTCUSDT"])
    start = ms(2024, 2, 14)
    for n, ticks in enumerate((600_000, 600_700, 599_900, 600_100)):
        candles.add(trade(start + n * 7 * MINUTE, ticks, 10))
    found = candles.of(interval, start + 30 * MINUTE)
    assert sum(one.lots for one in found) == 40
    assert sum(one.turnover for one in found) == Decimal("2400.7000")
    assert (max(one.high for one in found), min(one.low for one in found)) == (600_700, 599_900)
    assert (found[0].open, found[-1].close) == (600_000, 600_100)


def test_minutes_without_trades_are_flat_at_the_last_price() -> None:
    candles = Candles(INSTRUMENTS["BTCUSDT"])
    assert candles.of("1", 0) == []
    candles.add(trade(0, 100))
    candles.add(trade(1, 90))
    candles.add(trade(3 * MINUTE, 120))
    assert [(one.open, one.high, one.low, one.close) for one in candles.of("1", 4 * MINUTE)] == [
        (100, 100, 90, 90),
        (90, 90, 90, 90),
        (90, 90, 90, 90),
        (120, 120, 120, 120),
        (120, 120, 120, 120),
    ]


def test_a_candle_in_the_venues_words() -> None:
    candle = Candle(0, 600_000, 600_700, 599_900, 600_100, 40, Decimal("2400.70"))
    assert candle.texts(INSTRUMENTS["BTCUSDT"]) == (
        *("60000.00", "60070.00", "59990.00", "60010.00"),
        *("0.040", "2400.70"),
    )


def test_rest_tells_the_newest_first(hand: Any) -> None:
    assert hand.get(PATH, category="linear", symbol="BTCUSDT", interval="1")["result"]["list"] == []
    hand.order("Buy", "0.1")
    hand.wait(2 * MINUTE)
    result = hand.get(PATH, symbol="BTCUSDT", interval="1")["result"]
    first = start_of("1", hand.now - 2 * MINUTE)
    assert [int(row[0]) for row in result["list"]] == [first + 2 * MINUTE, first + MINUTE, first]
    assert result["list"][-1][1:] == ["60010.00", "60010.00", "60010.00", "60010.00", "0.100", "6001.00000"]
    one = hand.get(PATH, symbol="BTCUSDT", interval="1", start=first, end=first + 1)["result"]["list"]
    assert [int(row[0]) for row in one] == [first]
    assert len(hand.get(PATH, symbol="BTCUSDT", interval="1", limit=2)["result"]["list"]) == 2
    assert hand.get(PATH, symbol="BTCUSDT", interval="2")["retCode"] == 10001


def test_the_topic_tells_the_open_candle_and_confirms_the_closed_one(hand: Any) -> None:
    frames: list[dict[str, Any]] = []
    session = hand.exchange.session("public", lambda text: frames.append(json.loads(text)))
    session.on_text(json.dumps({"op": "subscribe", "args": ["kline.1.BTCUSDT"]}), hand.now)
    hand.wait(50)
    hand.order("Buy", "0.1")
    hand.wait(MINUTE + 1100)
    told = [row for frame in frames if frame.get("topic") == "kline.1.BTCUSDT" for row in frame["data"]]
    assert [(row["confirm"], row["close"], row["volume"]) for row in told] == [
        (False, "60010.00", "0.100"),
        (True, "60010.00", "0.100"),
        (False, "60010.00", "0.000"),
    ]
    assert told[1]["end"] - told[1]["start"] == MINUTE - 1
