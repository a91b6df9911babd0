"""The orders as the trader reads them."""

import pytest
from msgspec.structs import replace

from breakwall.app.widgets.orders import STATES, Orders
from breakwall.trading.order import CLOSED, OrderState

MEDIUM = """
 ORDERS  SIDE   QTY   PRICE STATE      FILLED  AGE WHY              1 UNKNOWN, 2 of 4
 ETHUSDT BUY   0.50  market UNKNOWN      0.12 1.6s closes only: no stop after 2 s
▸BTCUSDT BUY  0.030 64116.0 resting     0.000 3.2s breakout: wall 41764 of asks is 31…
"""
WIDE = """
 ORDERS  SIDE   QTY   PRICE STATE      FILLED  AGE WHY                        1 UNKNOWN, 4 open
 ETHUSDT BUY   0.50  market UNKNOWN      0.12 1.6s closes only: no stop after 2 s
▸BTCUSDT BUY  0.030 64116.0 resting     0.000 3.2s breakout: wall 41764 of asks is 31% eaten
▸BTCUSDT SELL 0.021 64140.1 in flight   0.000 0.0s closes only: target in front of wall 41771
 SOLUSDT BUY   12.0  171.55 cancelling    3.0  61s bounce: wall 90012 of bids holds
"""
DRAWER = """
 ORDERS  SIDE   QTY   PRICE STATE      FILLED  AGE WHY        1 UNKNOWN, 4 open
 ETHUSDT BUY   0.50  market UNKNOWN      0.12 1.6s closes only: no stop after 2…
▸BTCUSDT BUY  0.030 64116.0 resting     0.000 3.2s breakout: wall 41764 of asks…
▸BTCUSDT SELL 0.021 64140.1 in flight   0.000 0.0s closes only: target in front…
 SOLUSDT BUY   12.0  171.55 cancelling    3.0  61s bounce: wall 90012 of bids h…
"""


@pytest.fixture
def orders(ink, look) -> Orders:
    return Orders(ink, look)


@pytest.mark.parametrize(("width", "height", "expected"), [(86, 3, MEDIUM), (96, 5, WIDE), (80, 6, DRAWER)])
def test_frames(orders, view, plain, width: int, height: int, expected: str) -> None:
    assert plain(orders.rows(view, width, height)[:height]) == expected.strip("\n")


def test_none_is_said(orders, make_view, plain) -> None:
    assert plain(orders.rows(make_view(orders=()), 80, 6)) == " ORDERS\n no open orders"


def test_an_unknown_order_is_an_alarm_in_the_row_and_in_the_title(orders, view, make_view, plain) -> None:
    title, first, *rest = orders.rows(view, 80, 6)
    assert {ink for _, ink in first} == {"alarm"}
    assert title[-1][1] == "bar-bad"
    assert "alarm" not in {ink for row in rest for _, ink in row}
    narrow = orders.rows(view, 40, 6)[0]
    assert "1 UNKNOWN" in plain([narrow])
    known = orders.rows(make_view(orders=view.orders[:2]), 80, 6)[0]
    assert "bar-bad" not in {ink for _, ink in known}


def test_the_selected_symbol_comes_first_among_what_is_known(orders, look, view, plain) -> None:
    look.select("SOLUSDT")
    rows = plain(orders.rows(view, 80, 6)).splitlines()[1:]
    assert [row.split()[0] for row in rows] == ["ETHUSDT", "▸SOLUSDT", "BTCUSDT", "BTCUSDT"]


@pytest.mark.parametrize("state", sorted(set(OrderState) - CLOSED, key=lambda state: state.value))
def test_every_open_state_has_words(state: OrderState) -> None:
    assert STATES[state.value]


def test_a_foreign_symbol_shows_its_numbers_as_they_came(orders, view, make_view, plain) -> None:
    foreign = replace(view.orders[0], symbol="XRPUSDT")
    assert "64116.0" in plain(orders.rows(make_view(orders=(foreign,)), 80, 6))
