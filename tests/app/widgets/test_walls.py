"""The walls as the trader reads them."""

import pytest
from msgspec.structs import replace

from breakwall.app.rows.figures import UNKNOWN
from breakwall.app.widgets.walls import Walls, wall_state

MEDIUM = """
 WALLS       PRICE  SIZE  AGE STATE 5 of 7
 41764 ASK 64122.5 2.40M   2m 31% eaten
 41758 BID 64107.0 1.44M   5m 40% pulled
 41790 BID 64098.3 2.63M 6.4s whole
 41771 ASK 64140.2 1.20M  64s whole
 41702 BID 63950.0 3.89M  62m out of view
"""
WIDE = """
 WALLS       PRICE  SIZE   AWAY  AGE GONE  STATE
 41764 ASK 64122.5 2.40M +0.01%   2m ▰▰▱▱▱ 31% eaten
 41758 BID 64107.0 1.44M -0.02%   5m ▰▰▰▱▱ 40% pulled
 41790 BID 64098.3 2.63M -0.03% 6.4s ▱▱▱▱▱ whole
 41771 ASK 64140.2 1.20M +0.04%  64s ▱▱▱▱▱ whole
 41702 BID 63950.0 3.89M -0.26%  62m ▰▱▱▱▱ out of view
 41733 BID 64112.4 1.83M -0.01%  45s ▰▰▰▰▰ PULLED 8.0s
 41688 ASK 64119.0 1.99M  0.00%  45s ▰▰▰▰▱ EATEN 95s
"""
DRAWER = """
 WALLS       PRICE  SIZE   AWAY  AGE HIT GONE  STATE 5 stand within -0.05+0.06%
 41764 ASK 64122.5 2.40M +0.01%   2m   3 ▰▰▱▱▱ 31% eaten
 41758 BID 64107.0 1.44M -0.02%   5m   1 ▰▰▰▱▱ 40% pulled 5% eaten
 41790 BID 64098.3 2.63M -0.03% 6.4s   0 ▱▱▱▱▱ whole
 41771 ASK 64140.2 1.20M +0.04%  64s   0 ▱▱▱▱▱ whole
 41702 BID 63950.0 3.89M -0.26%  62m   0 ▰▱▱▱▱ out of view
 41733 BID 64112.4 1.83M -0.01%  45s   0 ▰▰▰▰▰ PULLED 8.0s ago
 41688 ASK 64119.0 1.99M  0.00%  45s   6 ▰▰▰▰▱ EATEN 95s ago
"""


@pytest.fixture
def walls(ink, look) -> Walls:
    return Walls(ink, look)


@pytest.mark.parametrize(("width", "height", "expected"), [(43, 6, MEDIUM), (56, 11, WIDE), (80, 9, DRAWER)])
def test_frames(walls, view, plain, width: int, height: int, expected: str) -> None:
    assert plain(walls.rows(view, width, height)) == expected.strip("\n")


def test_inks_tell_what_stands_what_erodes_and_what_is_over(walls, view) -> None:
    rows = walls.rows(view, 80, 9)[1:]
    assert rows[0][1][1] == "ask-bold"
    assert rows[0][-1][1] == "warn"
    assert rows[2][1][1] == "bid-bold"
    assert {ink for _, ink in rows[4]} == {"stale"}
    assert {ink for _, ink in rows[5]} == {"dim"}


@pytest.mark.parametrize(
    ("changes", "roomy", "short"),
    [
        ({}, "31% eaten", "31% eaten"),
        ({"eaten": 0.2, "pulled": 0.3}, "30% pulled 20% eaten", "30% pulled"),
        ({"eaten": 0.004, "pulled": 0.0}, "whole", "whole"),
        ({"in_view": False}, "out of view", "out of view"),
        ({"end": "eaten", "ended_ms": 1_000}, "EATEN 2.0s ago", "EATEN 2.0s"),
        ({"end": "unknown", "ended_ms": 1_000}, "LOST 2.0s ago", "LOST 2.0s"),
    ],
)
def test_states_in_words(view, changes, roomy: str, short: str) -> None:
    wall = replace(view.symbols[0].walls[0], **changes)
    assert (wall_state(wall, 3_000, True), wall_state(wall, 3_000, False)) == (roomy, short)


def test_a_book_that_is_not_live_is_said_and_its_walls_are_faded(walls, make_view, make_market, plain) -> None:
    title, *rows = walls.rows(make_view(symbols=(make_market(status="RESYNC", age_ms=2_400),)), 43, 6)
    assert plain([title]).split() == ["WALLS", "RESYNC", "2.4s"]
    assert {ink for row in rows for _, ink in row} == {"stale"}


def test_without_a_price_the_distance_is_unknown(walls, make_view, make_market, plain) -> None:
    rows = plain(walls.rows(make_view(symbols=(make_market(bid=None, ask=None),)), 56, 9)).splitlines()
    assert all(row.split()[4] == UNKNOWN for row in rows[1:])


@pytest.mark.parametrize(
    ("status", "words"), [("LIVE", " no walls"), ("WAITING", " no walls are known"), ("STALE", " no walls are known")]
)
def test_none(walls, make_view, make_market, plain, status: str, words: str) -> None:
    view = make_view(symbols=(make_market(status=status, walls=(), ended=()),))
    assert plain(walls.rows(view, 43, 6)).splitlines()[1] == words


def test_no_figure_is_cut(walls, make_view, make_market, plain) -> None:
    """A long price costs other columns, never its own digits."""
    book = make_market()
    long = tuple(replace(wall, price=wall.price + 1_000_000) for wall in book.walls)
    rows = plain(walls.rows(make_view(symbols=(replace(book, walls=long),)), 30, 9)).splitlines()
    assert {row.split()[2] for row in rows[1:6]} == {str(wall.price) for wall in long}
