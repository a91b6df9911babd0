"""The ladder's prices: nothing is lost between levels and rungs, and they stay where they are."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from breakwall.app.book.rungs import Window, book_side, follow, rung_of, scaled
from breakwall.model.view import SymbolView

ROWS = 16


def market(bid: int, ask: int, symbol: str = "BTCUSDT") -> SymbolView:
    return SymbolView(
        symbol, "LIVE", Decimal(bid), Decimal(ask), None, 0, "flat", bids=((bid, 5), (bid - 40, 9)), asks=((ask, 7),)
    )


@given(
    bid=st.integers(100, 10**7),
    spread=st.integers(1, 400),
    step=st.integers(1, 500),
    sizes=st.lists(st.tuples(st.integers(0, 90), st.integers(1, 10**6)), min_size=1, max_size=30),
)
@settings(max_examples=80, deadline=None)
def test_no_lot_is_lost_and_no_rung_has_two_sides(
    bid: int, spread: int, step: int, sizes: list[tuple[int, int]]
) -> None:
    gaps = dict(sizes)
    bids = tuple((bid - gap, lots) for gap, lots in sorted(gaps.items()))
    asks = tuple((bid + spread + gap, lots) for gap, lots in sorted(gaps.items()))
    book = replace(market(bid, bid + spread), bids=bids, asks=asks)
    low, high = book_side(book, True, step), book_side(book, False, step)
    for side in (low, high):
        assert sum(rung.lots for rung in side.rungs.values()) == sum(gaps.values())
        assert next(reversed(side.rungs.values())).sum_lots == sum(gaps.values())
        assert side.knows(next(iter(side.rungs)))
    assert max(low.rungs) < min(high.rungs)
    assert all(rung * step <= bid for rung in low.rungs)


def test_a_side_without_levels_knows_nothing() -> None:
    empty = book_side(replace(market(100, 101), bids=()), True, 1)
    assert not empty.rungs
    assert not empty.knows(100)


def test_the_middle_moves_only_when_the_touch_leaves_the_middle_third() -> None:
    before = follow(None, market(641_174, 641_175), ROWS, False)
    assert (before.step, before.middle) == (5, 128_234)
    for away in (-2, -1, 1, 2):
        bid = 641_174 + away * 5
        assert follow(before, market(bid, bid + 1), ROWS, False).middle == before.middle
    bid = 641_174 + 15
    assert follow(before, market(bid, bid + 1), ROWS, False).middle == rung_of(bid, 5, True) != before.middle


def test_a_locked_middle_stays_wherever_the_price_goes() -> None:
    window = follow(None, market(641_174, 641_175), ROWS, True)
    assert window.middle == 128_234
    assert follow(window, market(640_000, 640_001), ROWS, True) == window
    assert follow(window, market(2_000_000, 2_000_001), ROWS, True) == window


def test_another_symbol_starts_over() -> None:
    before = follow(None, market(641_174, 641_175), ROWS, False)
    assert follow(before, market(17_160, 17_161, "SOLUSDT"), ROWS, False) == Window("SOLUSDT", 1, 17_160, 0)


def test_a_thin_market_still_shows_both_sides() -> None:
    window = follow(None, market(10_000, 10_400), ROWS, False)
    shown = window.shown(ROWS)
    assert rung_of(10_000, window.step, True) in shown
    assert rung_of(10_400, window.step, False) in shown


def test_the_step_is_kept_until_it_is_far_off() -> None:
    before = follow(None, market(641_174, 641_175), ROWS, False)
    assert follow(before, market(1_000_000, 1_000_001), ROWS, False).step == 5
    assert follow(before, market(2_000_000, 2_000_001), ROWS, False).step == 20


def test_bars_are_rescaled_only_when_they_no_longer_fit(make_market) -> None:
    book = make_market()
    window = follow(None, book, ROWS, False)
    sides = [book_side(book, bid, window.step) for bid in (True, False)]
    first = scaled(window, sides, ROWS)
    largest = max(side.rungs[rung].lots for side in sides for rung in window.shown(ROWS) if rung in side.rungs)
    assert largest <= first.full_lots <= 3 * largest
    assert scaled(first, sides, ROWS) is first
    assert scaled(replace(first, full_lots=largest // 2), sides, ROWS).full_lots >= largest


def test_a_wall_stands_at_its_heavy_levels_only(make_market) -> None:
    book = make_market()
    asks = book_side(book, False, 5)
    near = book.walls[0]
    assert [rung for rung, wall in asks.walls.items() if wall == near] == [rung_of(641_225, 5, False)]
    assert near.far_ticks - near.near_ticks > 5  # its bucket is many rungs wide
