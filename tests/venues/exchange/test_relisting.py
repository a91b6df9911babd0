"""Contracts that change while they are traded, seen by a client of the exchange."""

import json
from decimal import Decimal

import pytest

from breakwall.ports import HttpRequest
from breakwall.venues.exchange.exchange import Exchange
from breakwall.venues.exchange.relisting import changes_of

START_MS = 1_800_000_000_000
SYMBOL = "SOLUSDT"


class Reader:
    """A public socket that keeps its frames."""

    def __init__(self, exchange: Exchange, *topics: str) -> None:
        self.frames: list[dict] = []
        session = exchange.session("public", lambda text: self.frames.append(json.loads(text)))
        session.on_text(json.dumps({"op": "subscribe", "args": topics}), exchange.now_ms)

    def books(self) -> list[dict]:
        return [frame for frame in self.frames if frame.get("topic", "").startswith("orderbook")]


@pytest.fixture
def exchange() -> Exchange:
    made = Exchange(7, "calm", START_MS, symbols=[SYMBOL, "DOGEUSDT"])
    made.advance(START_MS + 2_000)
    return made


def run(exchange: Exchange, seconds: float) -> None:
    exchange.advance(exchange.now_ms + int(seconds * 1000))


def ask(exchange: Exchange, path: str, query: str) -> list[dict]:
    answer = exchange.handle(HttpRequest("GET", "", path, query), exchange.now_ms)
    return json.loads(answer.body)["result"]["list"]


def order(exchange: Exchange, side: str, qty: str, **fields: object):
    body = {"symbol": SYMBOL, "side": side, "orderType": "Market", "qty": qty, **fields}
    placed = exchange.place_by_hand(body)
    run(exchange, 0.1)
    return placed


def test_another_tick_begins_the_book_anew_at_the_same_price(exchange: Exchange) -> None:
    reader = Reader(exchange, f"orderbook.50.{SYMBOL}", "orderbook.50.DOGEUSDT")
    run(exchange, 1)
    last = float(reader.books()[-1]["data"]["a"][0][0]) if reader.books()[-1]["data"]["a"] else 0
    price = exchange.listings[SYMBOL].last
    count = len(reader.frames)
    exchange.change_instrument(SYMBOL, tick=Decimal("0.05"))
    run(exchange, 1)
    fresh = [frame for frame in reader.frames[count:] if frame.get("topic", "").endswith(SYMBOL)]
    assert (fresh[0]["type"], fresh[0]["data"]["u"]) == ("snapshot", 1)
    assert [frame["type"] for frame in fresh[1:]] == ["delta"] * (len(fresh) - 1)
    assert [frame["data"]["u"] for frame in fresh] == list(range(1, len(fresh) + 1))
    prices = [Decimal(level[0]) for frame in fresh for side in "ba" for level in frame["data"][side]]
    assert all(price % Decimal("0.05") == 0 for price in prices)
    best = Decimal(fresh[0]["data"]["a"][0][0])
    assert abs(best / price - 1) < Decimal("0.01"), last
    assert all(frame["type"] == "delta" for frame in reader.frames[count:] if frame["topic"].endswith("DOGEUSDT"))


def test_what_is_held_is_the_same_money_and_its_stop_stays(exchange: Exchange) -> None:
    mark = exchange.listings[SYMBOL].mark
    order(exchange, "Buy", "3", stopLoss=f"{mark * Decimal('0.97'):.2f}", slTriggerBy="MarkPrice")
    resting = order(exchange, "Buy", "2", orderType="Limit", price=f"{mark * Decimal('0.97'):.2f}")
    before = exchange.position(SYMBOL)
    qty, entry, stop = before.qty, before.entry, before.stop.instrument.price(before.stop.trigger_ticks)
    equity = exchange.account.equity(exchange.listings)
    exchange.change_instrument(SYMBOL, tick=Decimal("0.005"), lot=Decimal("0.05"))
    after = exchange.position(SYMBOL)
    assert (after.lots, after.qty, after.entry) == (60, qty, entry)
    assert after.stop.instrument.price(after.stop.trigger_ticks) == stop
    assert (resting.status, resting.cancel_type) == ("Cancelled", "CancelByAdmin")
    assert exchange.account.equity(exchange.listings) == equity
    run(exchange, 1)
    order(exchange, "Sell", "3", reduceOnly=True)
    assert exchange.position(SYMBOL).lots == 0


def test_a_lot_that_cannot_hold_what_is_held_changes_nothing(exchange: Exchange) -> None:
    order(exchange, "Buy", "0.3")
    with pytest.raises(ValueError, match=r"multiple of the lot 0\.2"):
        exchange.change_instrument(SYMBOL, lot=Decimal("0.2"))
    assert exchange.listings[SYMBOL].instrument.lot == exchange.position(SYMBOL).instrument.lot == Decimal("0.1")


@pytest.mark.parametrize("changes", [{"tick": Decimal(0)}, {"lot": "0.1"}])
def test_a_step_that_is_none_is_refused(exchange: Exchange, changes: dict) -> None:
    with pytest.raises(ValueError, match="expected a step above 0"):
        exchange.change_instrument(SYMBOL, **changes)


def test_an_announced_end_is_told_and_a_closed_contract_is_gone(exchange: Exchange) -> None:
    exchange.change_instrument(SYMBOL, delivery_ms=START_MS + 3_600_000)
    for path in ("/v5/market/instruments-info", "/v5/market/tickers"):
        (row,) = (row for row in ask(exchange, path, "category=linear") if row["symbol"] == SYMBOL)
        assert row["deliveryTime"] == str(START_MS + 3_600_000)
    exchange.change_instrument(SYMBOL, status="Closed")
    for path in ("/v5/market/instruments-info", "/v5/market/tickers"):
        assert [row["symbol"] for row in ask(exchange, path, "category=linear")] == ["DOGEUSDT"]


def test_a_new_contract_is_listed_quoted_and_traded(exchange: Exchange) -> None:
    exchange.list_contract("BTCUSDT")
    reader = Reader(exchange, "orderbook.50.BTCUSDT")
    run(exchange, 1)
    (row,) = ask(exchange, "/v5/market/instruments-info", "category=linear&symbol=BTCUSDT")
    assert row["launchTime"] == str(START_MS + 2_000)
    assert len(reader.books()[0]["data"]["b"]) == 50
    exchange.place_by_hand({"symbol": "BTCUSDT", "side": "Buy", "orderType": "Market", "qty": "0.01"})
    run(exchange, 0.1)
    assert exchange.position("BTCUSDT").lots == 10


@pytest.mark.parametrize(
    ("body", "changes"),
    [
        ({"contract": "X"}, {}),
        ({"contract": "X", "tick": "0.02", "lot": 1}, {"tick": Decimal("0.02"), "lot": Decimal(1)}),
        ({"status": "Closed"}, {"status": "Closed"}),
        ({"ends_min": 90}, {"delivery_ms": START_MS + 5_400_000}),
        ({"ends_min": 0}, {"delivery_ms": 0}),
    ],
)
def test_what_a_request_may_change(body: dict, changes: dict) -> None:
    assert changes_of(body, START_MS) == changes


@pytest.mark.parametrize(
    "body", [{"tick": "much"}, {"tick": None}, {"status": "Happy"}, {"ends_min": -1}, {"tock": 1}]
)
def test_what_a_request_may_not_change_is_named(body: dict) -> None:
    with pytest.raises(ValueError, match=f"expected .*found|{next(iter(body))}"):
        changes_of(body, START_MS)
