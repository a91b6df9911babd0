"""The tape as the trader reads it."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from breakwall.app.cockpit import Cockpit
from breakwall.app.widgets.tape import Tape
from breakwall.clock import SystemClock
from breakwall.model.view import TradeView, View
from breakwall.settings import Settings

WIDE = """
 TAPE         1m 30% buys
 12:04:32●S  64117.4  138K
 12:04:32 B  64117.5 10.6K
 12:04:30 B  64117.5  1.3K
 12:04:29 S  64117.4  4.7K
 12:04:29 B  64117.5  2.3K
 12:04:28 S  64117.4  5.7K
 12:04:28 B  64117.5  3.3K
 12:04:27 S  64117.4   962
"""
MEDIUM = """
 TAPE                 1m 30% buys
 12:04:32●S      64117.4  138K
 12:04:32 B      64117.5 10.6K
 12:04:30 B      64117.5  1.3K
 12:04:29 S      64117.4  4.7K
 12:04:29 B      64117.5  2.3K
 12:04:28 S      64117.4  5.7K
 12:04:28 B      64117.5  3.3K
"""
DRAWER = """
 TAPE                                                               1m 30% buys
 12:04:32●S      64117.4  138K
 12:04:32 B      64117.5 10.6K
 12:04:30 B      64117.5  1.3K
 12:04:29 S      64117.4  4.7K
 12:04:29 B      64117.5  2.3K
"""
FILTERED = """
 TAPE    ≥5.0K, 46 hidden
 12:04:32●S  64117.4  138K
 12:04:32 B  64117.5 10.6K
 12:04:28 S  64117.4  5.7K
 12:04:26 B  64117.5  5.4K
 12:04:23 S  64117.4  5.1K
"""


@pytest.fixture
def tape(ink, look) -> Tape:
    return Tape(ink, look)


@pytest.mark.parametrize(("width", "height", "expected"), [(26, 9, WIDE), (34, 8, MEDIUM), (80, 6, DRAWER)])
def test_frames(tape, view, plain, width: int, height: int, expected: str) -> None:
    assert plain(tape.rows(view, width, height)) == expected.strip("\n")


def test_the_filter_says_what_it_hides(tape, look, view, plain) -> None:
    look.tape_min_usdt = Decimal(5_000)
    assert plain(tape.rows(view, 26, 6)) == FILTERED.strip("\n")


def test_sides_are_letters_and_colours_and_big_prints_are_bold(tape, view) -> None:
    rows = tape.rows(view, 26, 9)[1:]
    assert [row[0][1] for row in rows[:3]] == ["ask-bold", "bid", "bid"]


def test_what_came_between_two_looks_is_counted(tape, view, make_view, make_market, plain) -> None:
    tape.rows(view, 26, 6)
    book = make_market()
    later = make_view(symbols=(replace(book, trades_seen=book.trades_seen + 97),))
    rows = plain(tape.rows(later, 26, 100)).splitlines()
    assert " +37 not seen" in rows  # sixty of the ninety-seven are in the view


def test_a_long_price_costs_the_hour_and_no_digit(tape, make_view, make_market, plain) -> None:
    view = make_view(symbols=(make_market(tick=Decimal("0.0000001")),))
    assert plain(tape.rows(view, 26, 3)).splitlines()[1] == " 04:32●S   0.0641174  138K"


def test_it_does_not_look_alive_without_a_live_market(tape, make_view, make_market, plain) -> None:
    title, *rows = tape.rows(make_view(symbols=(make_market(status="STALE", age_ms=6_000),)), 26, 9)
    assert "STALE 6.0s" in plain([title])
    assert {ink for row in rows for _, ink in row} == {"stale"}


def test_a_symbol_that_is_not_followed(tape, make_view, plain) -> None:
    assert plain(tape.rows(make_view(symbols=()), 26, 9)) == " TAPE             WAITING"


@pytest.mark.asyncio
async def test_a_busy_tape_is_painted_twice_a_second_and_forgets_nothing(view, frame) -> None:
    def later(at_ms: int, trades: int) -> View:
        """So many more trades, each at another price."""
        book = view.symbols[0]
        more = tuple(TradeView(at_ms, 700_000 + n, 7, True) for n in range(trades))
        seen = replace(book, trades=(*book.trades, *more)[-60:], trades_seen=book.trades_seen + trades)
        return replace(view, at_ms=at_ms, symbols=(seen, *view.symbols[1:]))

    app = Cockpit(Settings(), SystemClock())
    async with app.run_test(size=(200, 60)) as pilot:
        tape = app.trade.query_one(Tape)
        tape.show(later(10_000, 1))
        painted = tape.rows_painted
        tape.show(later(10_200, 2))
        tape.show(later(10_400, 3))
        assert tape.rows_painted == painted > 0
        tape.show(later(10_500, 3))
        await pilot.pause()
        assert tape.rows_painted > painted
        assert all(price in frame(app) for price in ("70000.0", "70000.1", "70000.2"))
        assert "not seen" not in frame(app)
