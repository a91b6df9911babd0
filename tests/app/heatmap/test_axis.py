"""The price axis: what it fits, when it moves, and what the trader's keys do to it."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from breakwall.app.heatmap.axis import PriceAxis, follow
from breakwall.app.look import STEPS, Look
from breakwall.model.view import SymbolView


def test_the_half_row_of_a_price_is_counted_from_the_top() -> None:
    axis = PriceAxis("ABC", low_ticks=960, step=2, half_rows=40)
    assert [axis.half_row(ticks) for ticks in (960, 961, 962, 1_038, 1_039)] == [39, 39, 38, 0, 0]
    assert [axis.row(ticks) for ticks in (959.5, 960, 1_039.5, 1_040)] == [None, 19, 0, None]
    assert (axis.high_ticks, axis.centre_ticks) == (1_040, 1_000)


@pytest.fixture
def look() -> Look:
    return Look(("ABC", "XYZ"), Decimal(0))


def path(low: float = 1_000, high: float = 1_000) -> tuple[float, float]:
    return low, high


def deep(bid: int, reach: int, symbol: str = "ABC") -> SymbolView:
    """A live market with tick 1 whose book reaches so far on both sides."""
    return SymbolView(
        symbol=symbol,
        status="LIVE",
        bid=Decimal(bid),
        ask=Decimal(bid + 1),
        mark=None,
        age_ms=0,
        trend="flat",
        bids=((bid, 1), (bid - reach, 1)),
        asks=((bid + 1, 1), (bid + 1 + reach, 1)),
    )


def test_the_axis_fits_the_reach_of_the_book(look: Look) -> None:
    axis = follow(None, deep(650_000, 1_500), path(650_000, 650_000), 80, look)
    assert axis is not None
    assert axis.step == 50
    assert axis.low_ticks % axis.step == 0
    assert axis.low_ticks <= 650_000 - 1_500 < 650_000 + 1_500 < axis.high_ticks


def test_the_axis_shows_no_more_than_half_a_per_cent_of_a_deep_book(look: Look) -> None:
    axis = follow(None, deep(90_000, 40_000), path(90_000, 90_000), 80, look)
    assert axis is not None
    assert axis.step == 10
    wall_at = 90_360  # 0.4 % away
    assert axis.row(wall_at) is not None


def test_the_axis_shows_where_the_price_came_from(look: Look) -> None:
    near = follow(None, deep(650_000, 300), path(650_000, 650_000), 80, look)
    moved = follow(None, deep(650_000, 300), path(649_400, 650_000), 80, look)
    assert near is not None
    assert moved is not None
    assert near.row(649_450) is None
    assert moved.row(649_450) is not None


def test_the_axis_stands_still_until_the_price_leaves_its_middle(look: Look) -> None:
    first = follow(None, deep(10_000, 80), path(10_000, 10_000), 80, look)
    assert first is not None
    span = first.high_ticks - first.low_ticks
    inside, outside = 10_000 + int(span * 0.25), 10_000 + int(span * 0.3)
    assert follow(first, deep(inside, 80), path(10_000, inside), 80, look) == first
    moved = follow(first, deep(outside, 80), path(10_000, outside), 80, look)
    assert moved is not None
    assert abs(moved.centre_ticks - outside) <= moved.step


def test_the_trader_may_zoom_lock_and_recentre(look: Look) -> None:
    view = deep(10_000, 80)
    first = follow(None, view, path(10_000, 10_000), 80, look)
    assert first is not None
    look.shown = (first.step, first.centre_ticks)
    look.zoom_price(1)
    wider = follow(first, view, path(10_000, 10_000), 80, look)
    assert wider is not None
    assert (wider.step, wider.fitted) == (5, False)
    look.lock()
    locked = follow(wider, deep(10_500, 80), path(10_000, 10_500), 80, look)
    assert locked is not None
    assert locked.locked
    assert locked.centre_ticks == wider.centre_ticks
    look.recentre()
    free = follow(locked, deep(10_500, 80), path(10_500, 10_500), 80, look)
    assert free is not None
    assert not free.locked
    assert free.fitted
    assert abs(free.centre_ticks - 10_500) <= free.step


def test_recentring_does_not_wait_for_the_price_to_leave_the_middle(look: Look) -> None:
    first = follow(None, deep(10_000, 80), path(10_000, 10_000), 80, look)
    look.recentre()
    again = follow(first, deep(10_020, 80), path(10_000, 10_020), 80, look)
    assert again is not None
    assert abs(again.centre_ticks - 10_020) <= again.step


def test_zooming_walks_the_steps_and_stops_at_their_ends(look: Look) -> None:
    look.shown = (1, 0)
    look.zoom_price(-1)
    assert look.ticks_per_half_row == 1
    walked = []
    for _ in range(len(STEPS) + 2):
        look.shown = (look.ticks_per_half_row, 0)
        look.zoom_price(1)
        walked.append(look.ticks_per_half_row)
    assert walked[:5] == [2, 5, 10, 20, 50]
    assert walked[-1] == STEPS[-1]


def test_without_a_book_the_axis_stays_and_another_symbol_has_another(look: Look) -> None:
    first = follow(None, deep(10_000, 80), path(10_000, 10_000), 80, look)
    assert follow(first, replace(deep(10_000, 80), bids=(), asks=(), status="RESYNC"), path(), 80, look) == first
    assert follow(first, replace(deep(1_000, 60, "XYZ"), bids=(), asks=()), path(), 80, look) is None
    other = follow(first, deep(1_000, 60, "XYZ"), path(), 80, look)
    assert other is not None
    assert other.symbol == "XYZ"
