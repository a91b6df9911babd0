"""An exchange that follows a market outside: what it takes over, when it stands still, what the account gets."""

import json
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from msgspec.structs import replace

from breakwall.model.events import BookDelta, BookLost, BookSnapshot, Event, Ticker, Trade, Trades
from breakwall.model.units import Side
from breakwall.venues.exchange.exchange import Exchange
from tests.venues.exchange.conftest import START, Hand

S = "BTCUSDT"
BUY, SELL = Side.BUY, Side.SELL
Levels = list[tuple[int, int]]


class Abroad:
    """A hand on an exchange whose BTCUSDT is told of: bids from 60,000.0 down, asks from 60,000.1 up, 1 BTC each."""

    def __init__(self, *, mends: bool = False) -> None:
        self.hand = Hand.__new__(Hand)
        self.hand.exchange = self.exchange = Exchange(1, None, START, symbols=[S], api_key="KEY", api_secret="SECRET")  # noqa: S106
        self.hand.now, self.hand.symbol = START, S
        self.exchange.outside.mends = mends
        self.frames: list[dict[str, Any]] = []
        self.update_id = 0
        self.hear(Ticker(S, START, mark=Decimal(60000), index=Decimal(60001)))
        self.whole()

    @property
    def book(self) -> Any:
        return self.exchange.listings[S].book

    def hear(self, event: Event) -> None:
        self.hand.wait(10)
        self.exchange.hear(event, self.hand.now)

    def whole(self, shift: int = 0, update_id: int = 100) -> None:
        self.update_id = update_id
        bids = [(600_000 + shift - step, 1000) for step in range(50)]
        asks = [(600_001 + shift + step, 1000) for step in range(50)]
        self.hear(BookSnapshot(S, bids, asks, update_id, update_id, self.hand.now, 50))

    def change(self, bids: Levels = [], asks: Levels = [], *, skip: int = 0) -> None:  # noqa: B006 - never changed
        self.update_id += 1 + skip
        self.hear(BookDelta(S, bids, asks, self.update_id, self.update_id, self.hand.now, 50))

    def trade(self, side: Side, ticks: int, lots: int, *, off_book: bool = False) -> None:
        seq = self.update_id + 1
        self.hear(Trades(S, (Trade(ticks, lots, side is BUY, self.hand.now, seq, "x", off_book),)))

    def mark(self, price: str) -> None:
        self.hear(Ticker(S, self.hand.now, mark=Decimal(price)))
        self.hand.wait(20)

    def listen(self, topic: str = f"orderbook.50.{S}") -> None:
        session = self.exchange.session("public", lambda text: self.frames.append(json.loads(text)))
        session.on_text(json.dumps({"op": "subscribe", "args": [topic]}), self.hand.now)
        self.hand.wait(50)

    def told(self) -> list[tuple[str, int]]:
        """Books since the last look: their kind, and how far `u` went on from the one before."""
        self.hand.wait(50)
        books = [frame for frame in self.frames if frame.get("topic", "").startswith("orderbook")]
        self.frames = books[-1:]
        return [(one["type"], one["data"]["u"] - before["data"]["u"]) for before, one in pairwise(books)]


@pytest.fixture
def abroad() -> Abroad:
    return Abroad()


def test_the_exchange_publishes_that_market(abroad: Abroad) -> None:
    abroad.listen()
    first = abroad.frames[-1]["data"]
    assert (first["b"][0], first["a"][0], len(first["b"])) == (["60000.00", "1.000"], ["60000.10", "1.000"], 50)
    abroad.change([(600_000, 0)], [(600_001, 1500), (600_000, 7)])
    abroad.hand.wait(50)
    assert abroad.frames[-1]["data"]["b"] == [["60000.00", "0"]]
    assert sorted(abroad.frames[-1]["data"]["a"]) == [["60000.00", "0.007"], ["60000.10", "1.500"], ["60005.00", "0"]]
    ticker = abroad.hand.get("/v5/market/tickers", category="linear", symbol=S)["result"]["list"][0]
    assert (ticker["markPrice"], ticker["indexPrice"]) == ("60000.00", "60001.00")


def test_a_taker_gets_the_visible_prices_and_pays_for_them(abroad: Abroad) -> None:
    filled = abroad.hand.placed("Buy", "1.5")
    assert (filled["orderStatus"], filled["cumExecQty"]) == ("Filled", "1.500")
    assert filled["avgPrice"].startswith("60000.133")
    assert float(filled["cumExecFee"]) == pytest.approx(1.5 * 60000.1333 * 0.00055, rel=1e-6)


def test_a_maker_waits_for_the_queue_before_it(abroad: Abroad) -> None:
    order = abroad.hand.placed("Buy", "0.5", "60000")
    abroad.trade(SELL, 600_000, 900)
    assert abroad.hand.told(order["orderId"])["orderStatus"] == "New"
    abroad.trade(SELL, 600_000, 400, off_book=True)
    assert abroad.hand.told(order["orderId"])["orderStatus"] == "New", "block trades pass by the book"
    abroad.trade(SELL, 600_000, 300)
    partial = abroad.hand.told(order["orderId"])
    assert (partial["orderStatus"], partial["cumExecQty"]) == ("PartiallyFilled", "0.200")
    abroad.trade(SELL, 599_990, 2000)
    filled = abroad.hand.told(order["orderId"])
    assert (filled["orderStatus"], Decimal(filled["avgPrice"])) == ("Filled", 60000)


def test_a_stop_is_triggered_by_the_outside_mark_and_closed_in_its_book(abroad: Abroad) -> None:
    abroad.hand.placed("Buy", "0.5", stopLoss="59000", slTriggerBy="MarkPrice")
    abroad.whole(-9990)
    abroad.mark("59000.01")
    assert abroad.hand.position.lots == 500
    abroad.mark("59000")
    assert abroad.hand.position.lots == 0
    closing = abroad.exchange.executions[-1]
    assert (closing.stop_kind, closing.price) == ("StopLoss", Decimal("59001.0"))


def test_the_outside_mark_liquidates(abroad: Abroad) -> None:
    abroad.hand.placed("Buy", "0.5")
    due = abroad.hand.position.liquidation
    abroad.mark(str(round(due, 1) + 1))
    assert abroad.hand.position.lots == 500
    abroad.mark(str(round(due, 1) - 1))
    assert [abroad.hand.position.lots, abroad.exchange.executions[-1].exec_type] == [0, "BustTrade"]


def test_funding_is_paid_when_and_as_the_venue_says(abroad: Abroad) -> None:
    abroad.hand.placed("Buy", "0.5")
    due = abroad.hand.now + 30_000
    abroad.hear(Ticker(S, abroad.hand.now, funding_rate=Decimal("0.001"), next_funding_ms=due))
    abroad.hand.wait(29_000)
    abroad.hear(Ticker(S, abroad.hand.now, next_funding_ms=due + 28_800_000))  # the venue's clock is ahead of ours
    abroad.hand.wait(2_000)
    paid = abroad.exchange.executions[-1]
    assert (paid.exec_type, paid.fee_usdt) == ("Funding", Decimal("30.000"))


@pytest.mark.parametrize("how", ["lost", "gap"])
def test_a_market_that_is_not_known_stands_still_until_the_next_snapshot(abroad: Abroad, how: str) -> None:
    resting = abroad.hand.placed("Buy", "0.5", "59990")
    abroad.hand.placed("Buy", "0.5", stopLoss="59900", slTriggerBy="MarkPrice")
    abroad.listen()
    abroad.told()
    abroad.hear(BookLost(S, "silence")) if how == "lost" else abroad.change([(599_999, 1)], skip=1)
    entry = abroad.hand.placed("Buy", "0.1")
    assert (entry["orderStatus"], entry["rejectReason"]) == ("Cancelled", "EC_NoImmediateQtyToFill")
    abroad.trade(SELL, 599_000, 5000)
    abroad.mark("59800")
    assert (abroad.hand.position.lots, len(abroad.hand.stops())) == (500, 1), "the stop waits for a price"
    abroad.change([(599_998, 5)])
    abroad.listen()
    assert abroad.told() == [], "a book that is not known is sent to nobody"
    abroad.whole(-2000, update_id=900)
    abroad.hand.wait(20)
    assert abroad.hand.told(resting["orderId"])["orderStatus"] == "Filled", "the market went through it"
    assert abroad.hand.position.lots == 0, "and the stop has found its price"
    assert ("delta", 2) in abroad.told(), "readers see a gap"


def test_a_market_that_mends_goes_on_after_a_gap_and_shows_it() -> None:
    abroad = Abroad(mends=True)
    abroad.listen()
    abroad.change([(600_000, 5)])
    assert abroad.told() == [("delta", 1)]
    abroad.change([(600_000, 6)], skip=3)
    assert abroad.told() == [("delta", 2)]
    abroad.change([(600_000, 7)])
    assert abroad.told() == [("delta", 1)]
    abroad.whole(5, update_id=400)
    assert abroad.told() == [("delta", 1)], "the snapshot that mends it was announced by the gap"
    abroad.whole(9, update_id=1)
    assert abroad.told() == [("delta", 2)], "the venue was restarted"


@pytest.mark.parametrize("event", ["repeat", "late", "other depth", "unknown symbol"])
def test_what_is_old_or_of_others_changes_nothing(abroad: Abroad, event: str) -> None:
    abroad.change([(600_000, 5)])
    before = abroad.book.depth(BUY, 60)
    u = abroad.update_id
    what = {
        "repeat": BookDelta(S, [(600_000, 9)], [], u, u, 0, 50),
        "late": BookDelta(S, [(600_000, 9)], [], u - 1, u - 1, 0, 50),
        "other depth": BookDelta(S, [(600_000, 9)], [], u + 1, u + 1, 0, 1),
        "unknown symbol": BookDelta("ETHUSDT", [(600_000, 9)], [], u + 1, u + 1, 0, 50),
    }
    abroad.hear(what[event])
    assert (abroad.book.depth(BUY, 60), abroad.book.still) == (before, False)


def test_other_ticks_begin_with_a_book_in_those(abroad: Abroad) -> None:
    abroad.hand.placed("Buy", "0.5", stopLoss="59000")
    rules = abroad.exchange.listings[S].instrument
    abroad.exchange.follow_rules(replace(rules, tick=Decimal("0.5")))
    abroad.change([(600_000, 9)])
    assert (abroad.book.best_bid, abroad.book.still) == (None, True), "told in the old ones"
    abroad.whole(-480_000)
    assert (abroad.book.best_bid, abroad.book.still) == (120_000, False)
    assert abroad.hand.stops() == {"StopLoss": "59000.00 x 0.500"}
    assert abroad.hand.placed("Sell", "0.5", reduceOnly=True)["avgPrice"].startswith("60000")


def test_without_a_mark_price_the_middle_of_the_book_is_it() -> None:
    exchange = Exchange(1, None, START, symbols=[S])
    exchange.hear(BookSnapshot(S, [(600_000, 1)], [(600_004, 1)], 5, 5, 0, 50), START)
    assert exchange.listings[S].mark == Decimal("60000.20")


def test_the_same_events_at_the_same_times_do_the_same() -> None:
    def life() -> list[Any]:
        abroad = Abroad()
        abroad.hand.placed("Buy", "0.5", "60000", stopLoss="59000")
        for ticks in (600_000, 599_995, 599_990):
            abroad.trade(SELL, ticks, 900)
            abroad.change([(ticks, 400)], [(ticks + 40, 3)])
        return [abroad.exchange.executions, abroad.book.depth(BUY, 60), abroad.book.depth(SELL, 60), abroad.book.seq]

    assert life() == life()
