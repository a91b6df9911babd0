"""A wall is drawn where its weight is, in every pane alike."""

from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from breakwall.app.book.heavy import heavy_levels, price_ticks
from breakwall.model.view import SymbolView


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 3), st.integers(0, 400), st.integers(0, 60), st.integers(0, 60_000))
def test_its_levels_are_the_heavy_ones_of_its_bucket(
    make_market: Callable[..., SymbolView], place: int, near: int, wide: int, lots: int
) -> None:
    market = make_market()
    wall = market.walls[place]
    sign, side = (-1, market.bids) if wall.bid else (1, market.asks)
    start = side[0][0] + sign * near
    wall = replace(wall, near_ticks=start, far_ticks=start + sign * wide, lots=lots)
    bucket = {start + sign * ticks for ticks in range(wide + 1)}
    heavy = [ticks for ticks, size in side if ticks in bucket and size >= lots / 5]
    assert heavy_levels(wall, market) == (heavy or [price_ticks(wall, market)])
