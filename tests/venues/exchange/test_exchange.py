"""The exchange as a whole: driven by the caller's clock only, the same from the same seed, its own truth."""

import json
from decimal import Decimal
from typing import Any

import pytest

from breakwall.model.units import Side
from breakwall.venues.exchange.exchange import Exchange

START = 1_700_000_000_000
TOPICS = ["orderbook.50.BTCUSDT", "publicTrade.BTCUSDT", "tickers.SOLUSDT"]


def heard(seed: int, paces_ms: list[int]) -> list[str]:
    """All public frames of five seconds, time moved on in steps of these sizes."""
    exchange = Exchange(seed, "tour", START, symbols=("BTCUSDT", "SOLUSDT"))
    frames: list[str] = []
    exchange.session("public", frames.append).on_text(json.dumps({"op": "subscribe", "args": TOPICS}), START)
    now = START
    while now < START + 5000:
        for pace in paces_ms:
            now += pace
            exchange.advance(min(now, START + 5000))
    return frames


def test_the_pace_of_the_clock_changes_nothing_and_the_seed_everything() -> None:
    frames = heard(7, [10])
    assert len(frames) > 100
    assert heard(7, [3, 40, 500]) == frames
    assert heard(8, [10]) != frames


def test_one_that_takes_the_place_of_another_repeats_no_id_and_no_sequence() -> None:
    """A demo begins anew under its account: a journal that knows the ids of before would not book the new ones."""
    first, second = (Exchange(7, "bounce", START + later_ms) for later_ms in (0, 60_000))
    first.advance(START + 60_000)
    assert first.log.new_id() != second.log.new_id()
    assert all(second.listings[name].book.seq > listing.book.seq for name, listing in first.listings.items())


def test_nothing_happens_twice_or_backwards(hand: Any) -> None:
    hand.order("Buy", "0.1")
    before = hand.exchange.now_ms
    hand.exchange.advance(before - 1000)
    assert hand.exchange.now_ms == before
    assert hand.exchange.due_ms > before


def test_unknown_symbols_and_sockets_are_named() -> None:
    with pytest.raises(ValueError, match=r"expected symbols among BTCUSDT.*found PEPEUSDT"):
        Exchange(1, None, START, symbols=("PEPEUSDT",))
    with pytest.raises(ValueError, match="expected one of public, private, trade, status, found 'orders'"):
        Exchange(1, None, START).session("orders", lambda _text: None)


def test_time_without_a_stop_is_counted_to_its_longest(hand: Any) -> None:
    hand.order("Buy", "0.1")
    hand.wait(400)
    running = hand.exchange.unprotected_ms("BTCUSDT")
    assert 400 <= running <= 405
    hand.post("/v5/position/trading-stop", tpslMode="Full", positionIdx=0, stopLoss="59000")
    hand.wait(1000)
    assert running <= hand.exchange.unprotected_ms("BTCUSDT") <= running + 5
    assert hand.exchange.unprotected_ms("ETHUSDT") == 0


def test_a_stop_that_finds_no_buyers_leaves_the_truth_visible(hand: Any) -> None:
    hand.order("Buy", "0.1", stopLoss="59500", slTriggerBy="MarkPrice", tpslMode="Full")
    hand.sweep(Side.SELL, "59990", "10")
    hand.mark("59400")
    hand.wait(300)
    assert hand.position.lots == 100
    assert hand.exchange.unprotected_ms("BTCUSDT") > 250


def test_truth_accessors(hand: Any) -> None:
    hand.order("Buy", "0.1", stopLoss="59500", slTriggerBy="MarkPrice", tpslMode="Full")
    hand.order("Buy", "0.1", "59000")
    assert [order.stop_kind for order in hand.exchange.open_orders("BTCUSDT")] == ["StopLoss", ""]
    assert [execution.price for execution in hand.exchange.executions] == [Decimal(60_010)]
    assert hand.exchange.position("BTCUSDT").lots == 100
