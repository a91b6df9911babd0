"""Signals: what was seen, what became of it, and a selection that stays with its signal."""

import pytest
from msgspec.structs import replace

from breakwall.app.cockpit import Cockpit
from breakwall.app.widgets.signals import Signals, verdict
from breakwall.clock import SystemClock
from breakwall.settings import Settings


@pytest.fixture
def pane(ink, look) -> Signals:
    return Signals(ink, look)


def test_the_newest_comes_first_with_its_verdict(pane, view, plain) -> None:
    rows = plain(pane.rows(view, 80, 4)).splitlines()
    assert rows[1].split() == ["▸SOLUSDT", "12:04:31", "▼", "bounce", "▰▰▰▱▱", "✗", "symbol", "active"]
    assert rows[2].split() == ["BTCUSDT", "12:04:29", "▲", "breakout", "▰▰▰▰▱", "✓", "ORDERED"]


def test_a_narrow_pane_keeps_the_verdict(pane, view, plain) -> None:
    assert plain(pane.rows(view, 43, 4)).splitlines()[1:] == [
        "▸SOLUSDT ▼ bounce   ✗ symbol active",
        " BTCUSDT ▲ breakout ✓ ORDERED",
    ]


def test_refused_and_ordered_differ_in_words(view) -> None:
    assert [verdict(signal)[0] for signal in view.signals] == ["✓ ORDERED", "✗ symbol active"]


def test_the_selection_follows_the_newest_until_it_is_moved(pane, view, look) -> None:
    pane.rows(view, 80, 4)
    pane.step(1)
    assert look.signal == "1j-8c2"
    later = replace(view, signals=(*view.signals, replace(view.signals[0], trace="1j-9aa")))
    chosen = [row for row in pane.rows(later, 80, 9) if row[0][0].startswith("▸")]
    assert [row[0][1] for row in chosen] == ["select"]
    pane.step(1)
    assert look.signal == "1j-8c2"
    pane.step(-9)
    assert look.signal == ""


def test_a_selected_signal_far_down_stays_in_sight(pane, view, look, plain) -> None:
    many = tuple(replace(view.signals[0], trace=f"t{place}", symbol=f"C{place}USDT") for place in range(30))
    look.signal = "t3"
    assert "▸C3USDT" in plain(pane.rows(replace(view, signals=many), 80, 6))


def test_a_selected_signal_that_is_gone_leaves_the_newest(pane, view, look, plain) -> None:
    look.signal = "gone"
    assert "▸SOLUSDT" in plain(pane.rows(view, 80, 6))


def test_no_signal_is_said(pane, view, plain) -> None:
    assert "none yet" in plain(pane.rows(replace(view, signals=()), 40, 6))


@pytest.mark.asyncio
async def test_arrows_select(desk) -> None:
    app = Cockpit(Settings(), SystemClock(), desk)
    async with app.run_test(size=(120, 40)) as pilot:
        app.look_again()
        app.trade.query_one(Signals).focus()
        await pilot.press("down")
        assert app.look.signal == "1j-8c2"
        await pilot.press("up")
        assert app.look.signal == ""
