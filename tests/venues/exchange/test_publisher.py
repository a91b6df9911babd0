import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakwall.model.units import Side
from breakwall.venues.exchange.book_topics import PERIOD_MS
from breakwall.venues.exchange.instruments import INSTRUMENTS
from breakwall.venues.exchange.listing import Listing
from breakwall.venues.exchange.publisher import Publisher
from breakwall.venues.exchange.synthetic import SyntheticMarket

BTC = INSTRUMENTS["BTCUSDT"]


class Reader:
    """A session that keeps what it is sent, and the book these frames make."""

    def __init__(self) -> None:
        self.frames: list[dict[str, Any]] = []
        self.bids: dict[str, str] = {}
        self.asks: dict[str, str] = {}

    def __call__(self, text: str) -> None:
        frame = json.loads(text)
        self.frames.append(frame)
        if frame["topic"].startswith("orderbook"):
            for side, rows in ((self.bids, frame["data"]["b"]), (self.asks, frame["data"]["a"])):
                if frame["type"] == "snapshot":
                    side.clear()
                for price, qty in rows:
                    if qty == "0":
                        del side[price]  # KeyError: a delete of a level never sent
                    else:
                        side[price] = qty


def window(listing: Listing, side: Side, depth: int) -> dict[str, str]:
    instrument = listing.instrument
    return {instrument.price_text(t): instrument.qty_text(q) for t, q in listing.book.depth(side, depth)}


def two_sided(levels: int = 3) -> tuple[Listing, Publisher]:
    listing = Listing(BTC, 0)
    for n in range(levels):
        listing.book.add("maker", Side.BUY, 1000 - n, 10, now_ms=0)
        listing.book.add("maker", Side.SELL, 1001 + n, 10, now_ms=0)
    return listing, Publisher({"BTCUSDT": listing})


order = st.tuples(st.sampled_from(Side), st.integers(900, 1100), st.integers(1, 5), st.booleans())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(order, max_size=12), min_size=1, max_size=8), st.sampled_from([50, 1]))
def test_the_readers_book_is_the_true_window_after_each_push(turns: list[list[Any]], depth: int) -> None:
    listing, publisher = two_sided(60)
    early, late = Reader(), Reader()
    topic = f"orderbook.{depth}.BTCUSDT"
    publisher.subscribe(early, topic, 0)
    resting = []
    for turn, orders in enumerate(turns, start=1):
        for side, ticks, lots, cancels in orders:
            if cancels and resting:
                listing.book.cancel(resting.pop(lots % len(resting)))
            placed = listing.book.add("someone", side, ticks, lots, now_ms=turn)
            resting += [placed.order] if placed.order else []
        publisher.publish(turn * 100)
        if turn == 2:
            publisher.subscribe(late, topic, turn * 100)
        for reader in (early, late) if turn > 2 else (early,):
            assert reader.bids == window(listing, Side.BUY, depth)
            assert reader.asks == window(listing, Side.SELL, depth)
    for reader in (early, late):
        ids = [frame["data"]["u"] for frame in reader.frames]
        assert ids == list(range(ids[0], ids[0] + len(ids))) if ids else True


def test_the_markets_topics_hold_together_for_a_while() -> None:
    listings = {symbol: Listing(instrument, 0) for symbol, instrument in INSTRUMENTS.items()}
    synthetic, publisher = SyntheticMarket(listings, 2, "breakout"), Publisher(listings)
    readers = {}
    for symbol in ("BTCUSDT", "SOLUSDT"):
        for depth in PERIOD_MS:
            readers[symbol, depth] = reader = Reader()
            publisher.subscribe(reader, f"orderbook.{depth}.{symbol}", 0)
    for now_ms in range(0, 6_001, 10):
        synthetic.step(now_ms)
        publisher.publish(now_ms)
    for (symbol, depth), reader in readers.items():
        assert reader.bids == window(listings[symbol], Side.BUY, depth)
        assert reader.asks == window(listings[symbol], Side.SELL, depth)
        kinds = {frame["type"] for frame in reader.frames[1:]}
        assert reader.frames[0]["type"] == "snapshot"
        assert kinds == ({"snapshot"} if depth == 1 else {"delta"})
        times = [frame["ts"] for frame in reader.frames[1:]]
        assert all(at_ms % PERIOD_MS[depth] == 0 for at_ms in times)
        assert all(frame["cts"] <= frame["ts"] for frame in reader.frames)
        seqs = [frame["data"]["seq"] for frame in reader.frames]
        assert seqs == sorted(seqs)
        if depth > 1:
            ids = [frame["data"]["u"] for frame in reader.frames]
            assert ids == list(range(ids[0], ids[0] + len(ids)))
    assert publisher.update_id("BTCUSDT") == readers["BTCUSDT", 1000].frames[-1]["data"]["u"]


def test_a_trade_goes_out_before_the_book_change_it_caused() -> None:
    listing, publisher = two_sided()
    reader = Reader()
    for topic in ("orderbook.50.BTCUSDT", "publicTrade.BTCUSDT"):
        assert publisher.subscribe(reader, topic, 0) == ""
    publisher.publish(100)
    listing.book.market("taker", Side.BUY, 15, 1002, 111)
    publisher.publish(112)
    publisher.publish(120)
    trades, delta = reader.frames[1:]
    assert [(row["S"], row["p"], row["v"], row["L"]) for row in trades["data"]] == [
        ("Buy", "100.10", "0.010", "PlusTick"),
        ("Buy", "100.20", "0.005", "PlusTick"),
    ]
    assert {row["seq"] for row in trades["data"]} == {delta["data"]["seq"]}
    assert trades["data"][0]["T"] == 111
    assert sorted(delta["data"]["a"]) == [["100.10", "0"], ["100.20", "0.005"]]


def test_a_level_beyond_the_window_enters_when_another_goes() -> None:
    listing, publisher = two_sided(51)
    reader = Reader()
    publisher.subscribe(reader, "orderbook.50.BTCUSDT", 0)
    publisher.publish(20)
    listing.book.market("taker", Side.SELL, 10, 1000, 30)
    publisher.publish(40)
    assert sorted(reader.frames[-1]["data"]["b"]) == [["100.00", "0"], ["95.00", "0.010"]]
    listing.book.add("maker", Side.BUY, 1000, 1, now_ms=50)
    publisher.publish(60)
    assert reader.frames[-1]["data"]["b"] == [["100.00", "0.001"], ["95.00", "0"]]


def test_the_snapshot_waits_for_slow_clients() -> None:
    _, publisher = two_sided()
    reader = Reader()
    publisher.subscribe(reader, "orderbook.200.BTCUSDT", 100)
    publisher.publish(104)
    assert reader.frames == []
    publisher.publish(105)
    assert [frame["type"] for frame in reader.frames] == ["snapshot"]


def test_the_best_price_is_repeated_when_nothing_happens() -> None:
    _, publisher = two_sided()
    reader = Reader()
    publisher.subscribe(reader, "orderbook.1.BTCUSDT", 0)
    for now_ms in range(0, 7_000, 10):
        publisher.publish(now_ms)
    assert [frame["type"] for frame in reader.frames] == ["snapshot"] * 3
    assert len({frame["data"]["u"] for frame in reader.frames}) == 1


def test_tickers_are_whole_once_and_then_only_what_changed() -> None:
    listing, publisher = two_sided()
    reader = Reader()
    publisher.subscribe(reader, "tickers.BTCUSDT", 0)
    publisher.publish(100)
    listing.book.market("taker", Side.BUY, 4, 1001, 150)
    publisher.publish(200)
    publisher.publish(300)
    whole, change = reader.frames
    assert whole["type"] == "snapshot"
    assert whole["data"]["ask1Size"] == "0.010"
    assert len(whole["data"]) >= 25
    assert change["type"] == "delta"
    assert change["data"]["ask1Size"] == "0.006"
    assert "bid1Price" not in change["data"]


@pytest.mark.parametrize(
    "topic",
    ["orderbook.500.BTCUSDT", "orderbook.BTCUSDT", "publicTrade.XRPUSDT", "nonsense", "tickers.1.BTCUSDT", ""],
)
def test_an_unknown_topic_is_refused_in_the_venues_words(topic: str) -> None:
    _, publisher = two_sided()
    assert publisher.subscribe(Reader(), topic, 0) == f"error:handler not found,topic:{topic}"


def test_one_may_leave_while_being_told_and_others_stay() -> None:
    listing, publisher = two_sided()
    stays = Reader()
    told = []

    def leaves(text: str) -> None:
        told.append(text)
        publisher.drop(leaves)

    publisher.subscribe(leaves, "orderbook.50.BTCUSDT", 0)
    publisher.subscribe(stays, "orderbook.50.BTCUSDT", 0)
    for now_ms in (20, 40, 60):
        listing.book.add("maker", Side.BUY, 990 - now_ms, 1, now_ms=now_ms)
        publisher.publish(now_ms)
    assert len(told) == 1
    assert len(stays.frames) == 3
    publisher.unsubscribe(stays, "orderbook.50.BTCUSDT")
    listing.book.add("maker", Side.BUY, 900, 1, now_ms=70)
    publisher.publish(80)
    assert len(stays.frames) == 3
