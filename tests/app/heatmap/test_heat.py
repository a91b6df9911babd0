"""The heat map as numbers: where everything lands, and that it stays there while time and price move."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from breakwall.app.heatmap import heat
from breakwall.app.heatmap.axis import PriceAxis
from breakwall.app.heatmap.heat import GAP, NOTHING, PRICE, RANGE, WARM, Scale
from breakwall.app.heatmap.history import Columns, History
from breakwall.model.view import SymbolView, TradeView, WallView

NOW_MS = 1_000_000_000
LEVELS = 11
SCALE = Scale(0.0, 10.0, 0.0, 10.0)


def book(bids: dict[int, int], asks: dict[int, int], **changes) -> SymbolView:
    """A live market with tick 1 of these levels (ticks -> lots)."""
    view = SymbolView(
        symbol="ABC",
        status="LIVE",
        bid=Decimal(max(bids)),
        ask=Decimal(min(asks)),
        mark=None,
        age_ms=0,
        trend="flat",
        bids=tuple(sorted(bids.items(), reverse=True)),
        asks=tuple(sorted(asks.items())),
    )
    return replace(view, **changes)


def even(bid: int = 1_000, reach: int = 60, **changes) -> SymbolView:
    """Eight lots on every tick."""
    below = {bid - place: 8 for place in range(reach)}
    return book(below, {bid + 1 + place: 8 for place in range(reach)}, **changes)


def wall(ticks: int, eroded: float = 0.0, **changes) -> WallView:
    plain = WallView(
        wall_id=ticks,
        bid=ticks <= 1_000,
        near_ticks=ticks,
        far_ticks=ticks,
        price=Decimal(ticks),
        lots=500,
        peak_lots=500,
        notional_usdt=Decimal(500),
        age_ms=0,
        eroded=eroded,
        eaten=eroded,
        pulled=0.0,
        touches=0,
        in_view=True,
    )
    return replace(plain, **changes)


def past(*books: SymbolView) -> Columns:
    """One book per second, as columns."""
    history = History()
    for second, view in enumerate(books):
        history.take(NOW_MS + second * 1_000, view)
    return history.columns("ABC", 1_000, NOW_MS + (len(books) - 1) * 1_000, len(books))


def codes_of(columns: Columns, axis: PriceAxis) -> heat.Grid:
    return heat.raster(heat.cells(columns, axis), columns, axis, SCALE, LEVELS)


AXIS = PriceAxis("ABC", low_ticks=960, step=2, half_rows=40)


# Prices and half rows


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(st.integers(1, 300), st.integers(1, 10**6), min_size=1, max_size=150),
    st.dictionaries(st.integers(301, 600), st.integers(1, 10**6), min_size=1, max_size=150),
    st.sampled_from([1, 2, 5, 10, 20]),
    st.integers(-40, 60),
    st.integers(2, 90),
)
def test_every_level_lands_in_the_half_row_of_its_price(bids, asks, step, low, half_rows) -> None:
    axis = PriceAxis("ABC", low * step, step, half_rows)
    grid = heat.cells(past(book(bids, asks)), axis)[:, 0]
    for row in range(half_rows):
        bottom = axis.low_ticks + (half_rows - 1 - row) * step
        lots = sum(size for ticks, size in (bids | asks).items() if bottom <= ticks < bottom + step)
        known = min(bids) // step <= bottom // step <= max(asks) // step
        if lots:
            assert np.exp2(grid[row]) == pytest.approx(lots, rel=0.02)
        else:
            assert grid[row] == -1 if known else np.isnan(grid[row])


def test_levels_follow_the_logarithm_of_the_size() -> None:
    sizes = {1_000: 1, 998: 4, 996: 32, 994: 1_024, 992: 1_000_000}
    codes = codes_of(past(book(sizes, {1_001: 1})), replace(AXIS, step=2))[:, 0]
    assert [codes[AXIS.half_row(ticks)] for ticks in (998, 996, 994, 992)] == [3, 6, 11, 11]


def test_ordinary_liquidity_is_never_warm_however_big() -> None:
    codes = codes_of(past(book({1_000: 10**9, 990: 5}, {1_010: 10**8})), AXIS)
    assert not np.any((codes > WARM) & (codes <= WARM + 4))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(range(940, 1_060, 3)), unique=True, max_size=10), st.data())
def test_warm_is_where_walls_are_and_nowhere_else(ticks: list[int], data) -> None:
    walls = tuple(wall(at, data.draw(st.floats(0, 1))) for at in ticks)
    codes = codes_of(past(even(walls=walls)), AXIS)[:, 0]
    rows = {AXIS.half_row(at) for at in ticks if 0 <= AXIS.half_row(at) < AXIS.half_rows}
    price = {row for row, code in enumerate(codes) if code == PRICE}
    assert {row for row, code in enumerate(codes) if WARM < code <= WARM + 4} == rows - price


def test_an_eroding_wall_steps_down_and_a_pulled_one_leaves_its_mark() -> None:
    steps = [even(walls=(wall(980, eroded),)) for eroded in (0.0, 0.2, 0.5, 0.8)]
    gone = even(ended=(wall(980, 1.0, end="pulled", ended_ms=NOW_MS + 4_100),))
    columns = past(*steps, gone)
    row = AXIS.half_row(980)
    assert codes_of(columns, AXIS)[row].tolist()[:4] == [WARM + 4, WARM + 3, WARM + 2, WARM + 1]
    assert heat.ends(columns, AXIS) == [heat.Spot(row // 2, 4, "pulled")]


def test_what_lies_beyond_the_book_is_nothing() -> None:
    codes = codes_of(past(even(reach=10)), AXIS)[:, 0]
    assert all(codes[AXIS.half_row(ticks)] == NOTHING for ticks in (962, 980, 1_020, 1_038))
    assert codes[AXIS.half_row(996)] != NOTHING


# Time


def wandering(seed: int, count: int) -> list[SymbolView]:
    random = np.random.default_rng(seed)
    mids = 1_000 + np.cumsum(random.integers(-3, 4, count))
    return [
        book(
            {int(mid) - place: int(lots) for place, lots in enumerate(random.integers(1, 900, 40))},
            {int(mid) + 1 + place: int(lots) for place, lots in enumerate(random.integers(1, 900, 40))},
        )
        for mid in mids
    ]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 30))
def test_scrolling_by_columns_shifts_the_codes_by_columns(seed: int, shift: int) -> None:
    """Up to the first columns, which may have been rounded otherwise by what was before them."""
    books = wandering(seed, 130)
    history = History()
    for second, view in enumerate(books):
        history.take(NOW_MS + second * 1_000, view)
    last_ms = NOW_MS + 129_000
    early = codes_of(history.columns("ABC", 1_000, last_ms - shift * 1_000, 90), AXIS)
    late = codes_of(history.columns("ABC", 1_000, last_ms, 90), AXIS)
    lead = 60 - shift
    assert np.array_equal(early[:, shift + lead :], late[:, lead:-shift])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(-15, 15))
def test_moving_the_axis_by_half_rows_shifts_the_codes_by_half_rows(seed: int, shift: int) -> None:
    columns = past(*wandering(seed, 12))
    here = codes_of(columns, AXIS)
    there = codes_of(columns, replace(AXIS, low_ticks=AXIS.low_ticks + shift * AXIS.step))
    up, down = max(0, shift), max(0, -shift)
    assert np.array_equal(here[down : 40 - up], there[up : 40 - down])


def test_gaps_are_seen_and_the_time_before_the_first_book_is_not_a_gap() -> None:
    history = History()
    for second, view in ((0, even()), (1, even(status="STALE")), (4, even())):
        history.take(NOW_MS + second * 1_000 + 700, view)
    codes = codes_of(history.columns("ABC", 1_000, NOW_MS + 4_700, 8), AXIS)
    assert [bool(np.all(codes[:, column] == GAP)) for column in range(8)] == [
        *(False, False, False, False),  # before, and the first book
        *(True, True, True, False),  # stale, not seen, not seen, live again
    ]
    assert not codes[:, :3].any()


def test_small_changes_of_size_keep_their_level() -> None:
    flickering = [book({1_000: 8, 990: lots}, {1_001: 8}) for lots in (22, 23, 22, 24, 22, 23)]
    codes = codes_of(past(*flickering), AXIS)[AXIS.half_row(990)]
    assert len(set(codes.tolist())) == 1


def test_the_scale_holds_still_until_it_is_clearly_off() -> None:
    sizes = np.linspace(2, 8, 200).reshape(20, 10)
    first = heat.measure(None, sizes)
    assert heat.measure(first, sizes + 0.1)[:2] == first[:2]
    later = first
    for _ in range(20):
        later = heat.measure(later, sizes + 2)
    assert later.high == pytest.approx(first.high + 2, abs=0.4)
    assert heat.measure(None, np.full((4, 4), -1.0)).high > 0
    same = heat.measure(None, np.full((4, 4), 5.0))
    assert same.high - same.low >= 3


# The price


def line_of(bids: list[int]) -> list[int]:
    return heat.line(past(*(even(bid) for bid in bids)), AXIS).tolist()


def test_a_price_on_the_edge_of_two_half_rows_draws_a_straight_line() -> None:
    assert len(set(line_of([999, 1_000, 999, 1_000, 999, 1_000, 999]))) == 1


def test_the_line_follows_a_move() -> None:
    rows = line_of([1_000, 1_000, 1_004, 1_010, 1_010])
    assert rows[0] - rows[-1] in (4, 5)
    assert rows == sorted(rows, reverse=True)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(970, 1_030), min_size=2, max_size=30))
def test_the_line_is_never_broken(bids: list[int]) -> None:
    codes = codes_of(past(*(even(bid) for bid in bids)), AXIS)
    for column in range(1, len(bids)):
        before = set(np.flatnonzero(codes[:, column - 1] == PRICE).tolist())
        now = set(np.flatnonzero(codes[:, column] == PRICE).tolist())
        assert before & now
        assert now == set(range(min(now), max(now) + 1))


def test_the_range_of_a_column_is_dim_beside_its_line() -> None:
    history = History()
    for into_ms, bid in ((0, 1_000), (300, 1_012), (600, 990), (900, 1_000)):
        history.take(NOW_MS + into_ms, even(bid))
    codes = codes_of(history.columns("ABC", 1_000, NOW_MS, 1), AXIS)[:, 0]
    assert codes[AXIS.half_row(1_012)] == codes[AXIS.half_row(990)] == RANGE
    assert codes[AXIS.half_row(1_000)] == PRICE


def test_trades_show_the_larger_side_by_size() -> None:
    sizes = (1, 2, 3, 4, 5, 6, 7, 8, 9, 100)
    trades = tuple(TradeView(NOW_MS, 965 + 6 * place, lots, place % 2 == 0) for place, lots in enumerate(sizes))
    spots = heat.trades(past(even(trades=trades, trades_seen=len(trades))), AXIS)
    assert [(spot.kind, spot.size) for spot in sorted(spots, reverse=True)] == [
        *(("sell", 0), ("buy", 0), ("sell", 0), ("buy", 1)),
        ("sell", 2),
    ]
    assert all(spot.row == AXIS.row(965 + 6 * (9 - place)) for place, spot in enumerate(spots))
