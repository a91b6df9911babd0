"""The account against the contract's vectors: Q = 0.1, E = 60000, L = 10, m = 0.5 %, t = 0.00055."""

from decimal import Decimal

import pytest

from breakwall.model.units import Side
from breakwall.venues.exchange.account import Account
from breakwall.venues.exchange.instruments import INSTRUMENTS
from breakwall.venues.exchange.listing import Listing
from breakwall.venues.exchange.order import Order

D = Decimal


def account() -> Account:
    return Account({"BTCUSDT": Listing(INSTRUMENTS["BTCUSDT"], 0)})


@pytest.mark.parametrize(
    ("side", "margin", "bankruptcy", "liquidation", "cost", "maintenance"),
    [
        (Side.BUY, "602.97", 54000, "54271.3568", "606.27", "32.97"),
        (Side.SELL, "603.63", 66000, "65671.6418", "606.93", "33.63"),
    ],
)
def test_vectors(side: Side, margin: str, bankruptcy: int, liquidation: str, cost: str, maintenance: str) -> None:
    held = account()
    position = held.positions["BTCUSDT"]
    order = Order(INSTRUMENTS["BTCUSDT"], "o", "", side, "Limit", "GTC", 100, 0, limit_ticks=600_000)
    assert held.order_margin([order]) == D(cost)
    held.book_fill(position, side, D(60_000), 100, maker=False, now_ms=1, seq=1)
    assert held.position_margin() == D(margin)
    assert position.bankruptcy == bankruptcy
    assert position.liquidation is not None
    assert round(position.liquidation, 4) == D(liquidation)
    assert position.maintenance_margin(D(60_000), held.taker_fee) == D(maintenance)
    assert position.unrealised(D(60_100)) == side.sign * 10
    assert held.balance == D(10_000) - D("3.30")


def test_average_entry_grows_and_stays_on_reduction() -> None:
    held = account()
    position = held.positions["BTCUSDT"]
    for side, price, lots in ((Side.BUY, 60_000, 100), (Side.BUY, 61_000, 300), (Side.SELL, 62_000, 200)):
        held.book_fill(position, side, D(price), lots, maker=False, now_ms=1, seq=1)
    assert (position.lots, position.entry) == (200, D(60_750))


def test_orders_that_close_hold_nothing_beyond_the_position() -> None:
    held = account()
    position = held.positions["BTCUSDT"]
    held.book_fill(position, Side.BUY, D(60_000), 100, maker=False, now_ms=1, seq=1)
    closing = Order(INSTRUMENTS["BTCUSDT"], "c", "", Side.SELL, "Limit", "GTC", 100, 0, limit_ticks=600_000)
    assert held.order_margin([closing]) == 0
    assert held.order_margin([closing, closing]) == D("606.93")
