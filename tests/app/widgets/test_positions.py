"""Positions say what is held and never call a stop proven that is not."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from breakwall.app.widgets.positions import Positions, proof

HELD = {"stop": Decimal("63980.0"), "naked_ms": None, "proof_age_ms": 1_200, "state": "OPEN", "reason": ""}


@pytest.fixture
def pane(ink, look) -> Positions:
    return Positions(ink, look)


@pytest.mark.parametrize(
    ("changes", "words", "colour"),
    [
        ({}, "PROTECTED ✓ 1.2s", "good"),
        ({"proof_age_ms": 10_000}, "PROTECTED ✓ 10s", "good"),
        ({"proof_age_ms": 10_001}, "STOP UNPROVEN 10s", "warn"),
        ({"proof_age_ms": None}, "STOP UNPROVEN", "warn"),
        ({"stop": None, "naked_ms": 400}, "NO STOP 0.4s", "alarm"),
        ({"stop": None}, "NO STOP \N{EN DASH}", "alarm"),
        ({"naked_ms": 400}, "NO STOP 0.4s", "alarm"),
        ({"state": "CLOSING", "reason": "time stop"}, "CLOSING: time stop", "warn"),
        ({"state": "CLOSING"}, "CLOSING", "warn"),
        ({"state": "CLOSING", "reason": "panic", "proof_age_ms": None}, "STOP UNPROVEN CLOSING: panic", "warn"),
        (
            {"state": "CLOSING", "reason": "panic", "stop": None, "naked_ms": 9},
            "NO STOP 0.0s CLOSING: panic",
            "alarm",
        ),
    ],
)
def test_a_stop_is_proven_only_while_known_and_read_back_lately(view, changes, words, colour) -> None:
    assert proof(replace(view.positions[0], **HELD | changes)) == (words, colour)


def test_all_about_a_position_stands_on_one_row(pane, view, plain) -> None:
    words = " ".join(plain(pane.rows(view, 140, 6)).splitlines()[2].split())
    assert words == (
        "▸BTCUSDT LONG 0.021 64087.5 64117.4 +0.63 +0.3R 63980.0 65369.2 57902.1 breakout PROTECTED ✓ 1.8s"
    )


def test_a_small_terminal_keeps_side_result_stop_and_proof(pane, view, plain) -> None:
    row = plain(pane.rows(view, 80, 3)).splitlines()[2]
    assert row == "▸BTCUSDT   LONG  0.021 64087.5    +0.63 +0.3R 63980.0 PROTECTED ✓ 1.8s"


def test_room_that_is_left_tells_the_rest_of_the_selected_one(pane, view, plain) -> None:
    assert plain(pane.rows(view, 80, 4)).splitlines()[3] == (
        " BTCUSDT: held 3m12s  mark 64117.4  target 65369.2  liquidation 57902.1"
    )


def test_without_a_position_in_the_selected_symbol_it_is_the_first_ones_rest(pane, view, look, plain) -> None:
    look.symbol = "SOLUSDT"
    assert plain(pane.rows(view, 80, 4)).splitlines()[3].startswith(" ETHUSDT: held 41s  mark 3412.10?")


def test_a_naked_position_comes_first_and_is_red_all_over(pane, view) -> None:
    naked = pane.rows(view, 100, 5)[1]
    assert "ETHUSDT" in naked[0][0]
    assert {colour for _, colour in naked} == {"alarm"}


def test_then_the_unproven_then_the_selected_one(pane, view, look, plain) -> None:
    first = replace(view.positions[0], **HELD)
    held = [replace(first, symbol="AAAUSDT"), first, replace(first, symbol="ZZZUSDT", proof_age_ms=60_000)]
    rows = plain(pane.rows(replace(view, positions=tuple(held)), 80, 4)).splitlines()
    assert [row.split()[0] for row in rows[1:]] == ["ZZZUSDT", "▸BTCUSDT", "AAAUSDT"]


def test_a_mark_from_a_market_that_is_not_live_is_doubted(pane, view, plain) -> None:
    market = replace(view.symbols[0], status="STALE")
    _, _, row, more = plain(pane.rows(replace(view, symbols=(market,)), 140, 4)).splitlines()
    assert "64117.4?" in row
    assert "+0.63?" in row
    assert "mark 64117.4?" in more


def test_a_result_without_a_mark_is_not_known(pane, view, plain) -> None:
    held = replace(view.positions[0], mark=None, pnl_usdt=Decimal(0))
    row = plain(pane.rows(replace(view, positions=(held,)), 80, 4)).splitlines()[1]
    assert row.split()[4:6] == ["\N{EN DASH}", "\N{EN DASH}"]


def test_flat_is_said_plainly(pane, view, plain) -> None:
    text = plain(pane.rows(replace(view, positions=()), 80, 3))
    assert text.splitlines()[0].endswith("flat")
    assert "no position is held" in text


def test_positions_that_do_not_fit_are_counted(pane, view, plain) -> None:
    held = tuple(replace(view.positions[0], symbol=f"C{place}USDT") for place in range(9))
    rows = plain(pane.rows(replace(view, positions=held), 80, 4)).splitlines()
    assert len(rows) == 4
    assert rows[3].startswith(" +7 more")
