"""The card keeps all ten answers, the prices and the loss."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from breakwall.app.widgets.card import Card, card_rows


@pytest.fixture
def refused(view):
    return view.signals[1]


def test_failed_checks_come_first_with_their_reasons(refused, plain) -> None:
    assert plain(card_rows(refused, 48, 20)).splitlines() == [
        " SOLUSDT ▼ bounce SHORT  REFUSED",
        " entry 171.60  stop 172.02  target 169.88",
        " qty 11.9  loss at stop 5.11 USDT with fees",
        " ✗ symbol active: SOLUSDT is not live",
        " ✗ signal fresh: 61400 ms old, at most 60000",
        "   ms allowed",
        " ✓ symbol enabled        ✓ not processed before",
        " ✓ position limit        ✓ no duplicate position",
        " ✓ stop sound            ✓ entry near the market",
        " ✓ wall still stands     ✓ balance enough",
        " · wall 90044 of asks holds after 3 touches",
        " trace 1j-8cz",
    ]


@pytest.mark.parametrize("width", [20, 30, 48, 76, 120])
def test_all_ten_checks_are_there_in_every_width(refused, plain, width) -> None:
    text = plain(card_rows(refused, width, 40))
    assert text.count("✓") + text.count("✗") == 10


def test_a_gate_behind_the_checks_says_its_reason(view, plain) -> None:
    signal = replace(view.signals[0], refused_by="total margin", reason="510.00 of 500.00 USDT")
    assert " ✗ total margin: 510.00 of 500.00 USDT" in plain(card_rows(signal, 60, 20)).splitlines()


def test_a_trade_that_was_not_sized_has_no_loss(refused, plain) -> None:
    text = plain(card_rows(replace(refused, qty=Decimal(0), loss_at_stop_usdt=Decimal(0)), 60, 20))
    assert "qty \N{EN DASH}  loss at stop \N{EN DASH}" in text


def test_the_pane_shows_the_selected_signal(ink, look, view, plain) -> None:
    pane = Card(ink, look)
    assert "SOLUSDT" in plain(pane.rows(view, 48, 12))
    look.signal = "1j-8c2"
    assert "BTCUSDT ▲ breakout LONG  ORDERED" in plain(pane.rows(view, 48, 12))
    assert "no signal yet" in plain(pane.rows(replace(view, signals=()), 48, 12))
