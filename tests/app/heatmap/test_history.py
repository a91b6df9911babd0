"""What is kept of the markets: columns of time, in rings that never grow."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from breakwall.app.heatmap.history import (
    COLUMNS,
    EATEN,
    EXACT,
    FULL,
    LEVELS,
    LIVE,
    NOT_SEEN,
    PULLED,
    RESYNC,
    RING_BYTES,
    TRADES,
    ZOOMS_MS,
    History,
    Ring,
    strength,
)
from breakwall.model.view import SymbolView, TradeView, WallView

NOW_MS = 1_000_000_000


def market(bid: int = 1_000, levels: int = 20, **changes) -> SymbolView:
    """A book of one lot more per level, tick 0.5; best bid and ask are neighbours."""
    view = SymbolView(
        symbol="ABC",
        status="LIVE",
        bid=Decimal(bid) / 2,
        ask=Decimal(bid + 1) / 2,
        mark=None,
        age_ms=0,
        trend="flat",
        tick=Decimal("0.5"),
        bids=tuple((bid - place, place + 1) for place in range(levels)),
        asks=tuple((bid + 1 + place, place + 1) for place in range(levels)),
    )
    return replace(view, **changes)


def wall(wall_id: int = 7, ticks: int = 990, lots: int = 100, eroded: float = 0.0, **changes) -> WallView:
    return WallView(
        wall_id=wall_id,
        bid=True,
        near_ticks=ticks + 2,
        far_ticks=ticks - 2,
        price=Decimal(ticks) / 2,
        lots=lots,
        peak_lots=lots,
        notional_usdt=Decimal(lots),
        age_ms=0,
        eroded=eroded,
        eaten=eroded,
        pulled=0.0,
        touches=0,
        in_view=True,
        **changes,
    )


def levels_of(columns, column: int) -> dict[int, int]:
    """Ticks -> lots of a column."""
    known = columns.sizes[column] >= 0
    ticks = columns.base[column] + columns.offsets[column][known]
    lots = np.exp2(columns.sizes[column][known].astype(float))
    return dict(zip(ticks.tolist(), lots.tolist(), strict=True))


def test_a_column_ends_as_it_was_last_seen() -> None:
    history = History()
    for at_ms, bid in ((0, 1_000), (300, 1_004), (900, 998)):
        history.take(NOW_MS + at_ms, market(bid))
    columns = history.columns("ABC", 1_000, NOW_MS + 950, 3)
    assert columns.states.tolist() == [NOT_SEEN, NOT_SEEN, LIVE]
    assert columns.mids[-1].tolist() == [2 * 998 + 1, 2 * 1_004 + 1, 2 * 998 + 1]
    levels = levels_of(columns, -1)
    assert set(levels) == set(range(979, 1_019))
    assert levels[998] == pytest.approx(1, rel=0.02)
    assert levels[990] == pytest.approx(9, rel=0.02)


def test_every_zoom_has_its_columns_and_the_fastest_only_while_selected() -> None:
    history = History()
    for second in range(31):
        history.take(NOW_MS + second * 1_000, market(1_000 + second))
    at_ms = NOW_MS + 30_000
    seen = {ms: int(np.sum(history.columns("ABC", ms, at_ms, 40).states == LIVE)) for ms in ZOOMS_MS}
    assert seen == {250: 10, 1_000: 31, 5_000: 7, 15_000: 3}
    history.take(at_ms + 1_000, market(), selected=False)
    assert not history.columns("ABC", 250, at_ms + 1_000, 40).states.any()


def test_gaps_stay_gaps() -> None:
    history = History()
    for second in (0, 1, 5, 6):
        history.take(NOW_MS + second * 1_000 + 600, market())
    history.take(NOW_MS + 7_000, market(status="RESYNC", bids=(), asks=()))
    columns = history.columns("ABC", 1_000, NOW_MS + 7_000, 8)
    assert columns.states.tolist() == [LIVE, LIVE, NOT_SEEN, NOT_SEEN, NOT_SEEN, LIVE, LIVE, RESYNC]
    assert not np.any(columns.sizes[[2, 3, 4, 7]] >= 0)


def test_a_book_that_was_lost_and_found_within_a_column_leaves_it_shaken() -> None:
    history = History()
    for into_ms, status in ((0, "LIVE"), (300, "RESYNC"), (600, "LIVE")):
        book = market(status=status) if status == "LIVE" else market(status=status, bids=(), asks=())
        history.take(NOW_MS + into_ms, book)
    columns = history.columns("ABC", 1_000, NOW_MS, 1)
    assert (columns.states[0], columns.shaken[0]) == (LIVE, True)


def test_a_timer_that_slips_over_a_column_leaves_no_gap() -> None:
    history = History()
    for at_ms in (990, 2_010, 3_020, 5_900):
        history.take(NOW_MS + at_ms, market())
    columns = history.columns("ABC", 1_000, NOW_MS + 5_900, 6)
    assert columns.states.tolist() == [LIVE, LIVE, LIVE, LIVE, NOT_SEEN, LIVE]


def test_the_path_is_where_the_mid_was_in_the_time_shown() -> None:
    history = History()
    for second, bid in enumerate((900, 1_000, 1_050, 990)):
        history.take(NOW_MS + second * 1_000, market(bid))
    assert history.path("ABC", 1_000, NOW_MS + 3_000, 3) == (990.5, 1_050.5)
    low, high = history.path("XYZ", 1_000, NOW_MS + 3_000, 3)
    assert low > high


def test_the_oldest_columns_make_room() -> None:
    history = History()
    for second in range(COLUMNS + 10):
        history.take(NOW_MS + second * 1_000, market(1_000 + second))
    last_ms = NOW_MS + (COLUMNS + 9) * 1_000
    columns = history.columns("ABC", 1_000, last_ms, COLUMNS + 30)
    assert columns.states.tolist() == [NOT_SEEN] * 30 + [LIVE] * COLUMNS
    assert columns.mids[30, 2] == 2 * 1_010 + 1


def trades_of(columns) -> list[tuple[int, int, float]]:
    """Column, ticks and signed lots of all trades."""
    where = zip(*np.nonzero(columns.traded), strict=True)
    return [(int(at), int(columns.trades[at, place]), float(columns.traded[at, place])) for at, place in where]


def test_each_trade_is_taken_once_and_into_its_own_column() -> None:
    first = TradeView(NOW_MS + 100, 1_001, 5, True)
    second = TradeView(NOW_MS + 900, 1_000, 7, False)
    third = TradeView(NOW_MS + 2_100, 1_001, 9, True)
    history = History()
    history.take(NOW_MS + 200, market(trades=(first,), trades_seen=1))
    history.take(NOW_MS + 400, market(trades=(first,), trades_seen=1))
    history.take(NOW_MS + 3_600, market(trades=(first, second, third), trades_seen=3))
    columns = history.columns("ABC", 1_000, NOW_MS + 3_600, 4)
    assert trades_of(columns) == [(0, 1_000, -7.0), (0, 1_001, 5.0), (2, 1_001, 9.0)]
    assert columns.states.tolist() == [LIVE, NOT_SEEN, NOT_SEEN, LIVE]
    assert history.trades_missed("ABC") == 0


def test_trades_that_ran_through_unseen_are_counted() -> None:
    history = History()
    history.take(NOW_MS, market(trades_seen=10))
    latest = tuple(TradeView(NOW_MS + 500, 1_000, 1, True) for _ in range(4))
    history.take(NOW_MS + 600, market(trades=latest, trades_seen=25))
    assert history.trades_missed("ABC") == 11


def test_a_column_keeps_its_biggest_trades() -> None:
    history = History()
    lots = list(range(1, 3 * TRADES + 1))
    for count in range(len(lots) + 1):
        trades = tuple(TradeView(NOW_MS + 10, 1_000, size, size % 2 == 0) for size in lots[:count])
        history.take(NOW_MS + 500, market(trades=trades, trades_seen=count))
    kept = sorted(abs(size) for _, _, size in trades_of(history.columns("ABC", 1_000, NOW_MS, 1)))
    assert kept == lots[-TRADES:]


def marks_of(columns, column: int = -1) -> set[tuple[int, int]]:
    standing = columns.strengths[column] > 0
    pairs = zip(columns.marks[column][standing].tolist(), columns.strengths[column][standing].tolist(), strict=True)
    return set(pairs)


def test_a_wall_stands_at_its_heavy_levels_and_fades_with_erosion() -> None:
    book = market()
    bids = tuple((ticks, {990: 60, 989: 35}.get(ticks, 1)) for ticks, _ in book.bids)
    history = History()
    history.take(NOW_MS, replace(book, bids=bids, walls=(wall(),)))
    assert marks_of(history.columns("ABC", 1_000, NOW_MS, 1)) == {(990, FULL), (989, FULL)}
    history.take(NOW_MS + 500, replace(book, bids=bids, walls=(wall(eroded=0.35),)))
    assert marks_of(history.columns("ABC", 1_000, NOW_MS, 1)) == {(990, 2), (989, 2)}
    assert [strength(eroded) for eroded in (0.0, 0.09, 0.1, 0.3, 0.6, 1.0)] == [4, 4, 3, 2, 1, 1]


@pytest.mark.parametrize(("end", "mark"), [("pulled", PULLED), ("eaten", EATEN)])
def test_a_walls_end_is_marked_once_in_the_column_of_its_end(end: str, mark: int) -> None:
    history = History()
    history.take(NOW_MS, market(walls=(wall(),)))
    gone = wall(end=end, ended_ms=NOW_MS + 900)
    for at_ms in (1_000, 1_300, 2_000):
        history.take(NOW_MS + at_ms, market(ended=(gone,)))
    columns = history.columns("ABC", 1_000, NOW_MS + 2_000, 3)
    assert (990, mark) in marks_of(columns, 0)
    assert marks_of(columns, 1) == marks_of(columns, 2) == set()


def test_a_wall_out_of_view_is_not_drawn() -> None:
    history = History()
    history.take(NOW_MS, market(walls=(replace(wall(), in_view=False),)))
    assert marks_of(history.columns("ABC", 1_000, NOW_MS, 1)) == set()


def test_another_tick_is_another_market() -> None:
    history = History()
    history.take(NOW_MS, market())
    history.take(NOW_MS + 1_000, market(tick=Decimal("0.1")))
    assert history.columns("ABC", 1_000, NOW_MS + 1_000, 2).states.tolist() == [NOT_SEEN, LIVE]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 12), st.integers(1, 10**7)), min_size=1, max_size=1_000))
def test_a_long_side_is_kept_in_grains_without_losing_a_lot(steps: list[tuple[int, int]]) -> None:
    ticks, asks = 50_000, []
    for step, lots in steps:
        ticks += step
        asks.append((ticks, lots))
    history = History()
    history.take(NOW_MS, market(bid=50_000, bids=((50_000, 1),), asks=tuple(asks)))
    kept = levels_of(history.columns("ABC", 1_000, NOW_MS, 1), -1)
    assert len(kept) <= LEVELS + 1
    for first, lots in asks[:EXACT]:
        assert kept[first] == pytest.approx(lots, rel=0.02)
    width = 1 if len(asks) <= LEVELS else 10  # 1,000 levels of at most 12 ticks need no wider grains than 100
    for tens in {at // 100 for at, _ in asks[EXACT:]} if width == 10 else ():
        whole = sum(lots for at, lots in asks if at // 100 == tens)
        assert sum(size for at, size in kept.items() if at // 100 == tens and at > 50_000) == pytest.approx(
            whole, 0.02
        )


def test_the_memory_of_a_symbol_is_bounded() -> None:
    """Three rings a symbol and four for the selected one: 40 symbols take at most 80 MB, however long they run."""
    assert RING_BYTES == Ring(15_000).nbytes < 650_000
    assert (3 * 40 + 1) * RING_BYTES < 80_000_000
    history = History()
    sizes = set()
    for second in range(0, 3 * COLUMNS, 7):
        history.take(NOW_MS + second * 1_000, market(levels=1_000, bid=5_000))
        sizes.add(history.nbytes)
    assert sizes == {4 * RING_BYTES}


class Desk:
    """Every symbol has the same book; who was asked is remembered."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def market(self, symbol: str) -> SymbolView | None:
        self.asked.append(symbol)
        return replace(market(), symbol=symbol)


def test_all_symbols_are_looked_at_once_a_second(view) -> None:
    symbols = tuple(f"S{number}" for number in range(40))
    desk, history = Desk(), History()
    for frame in range(40):
        at_ms = NOW_MS + frame * 250
        now = replace(view, at_ms=at_ms, symbols=(replace(market(), symbol="S0"),))
        history.take_selected(now, "S0")
        for symbol in history.due(at_ms, symbols, "S0", 1_000):
            history.take_due(desk, at_ms, symbol, "S0")
    assert all(desk.asked.count(symbol) == 10 for symbol in symbols[1:])
    for symbol in symbols:
        assert np.all(history.columns(symbol, 1_000, NOW_MS + 9_999, 10).states == LIVE)


@pytest.mark.parametrize(("column_ms", "columns"), [(250, 40), (1_000, 10), (5_000, 2)])
def test_a_picture_that_is_painted_slowly_has_no_holes(column_ms: int, columns: int) -> None:
    desk, history = Desk(), History()
    for beat in range(200):
        at_ms = NOW_MS + beat * 50
        for symbol in history.due(at_ms, ("S0", "S1"), "S0", column_ms):
            history.take_due(desk, at_ms, symbol, "S0")
    assert np.all(history.columns("S0", column_ms, NOW_MS + 9_999, columns).states == LIVE)
    assert desk.asked.count("S0") == max(columns, 10)
    assert desk.asked.count("S1") == 10


def test_who_is_no_longer_followed_is_forgotten() -> None:
    history = History()
    for symbol in ("A", "B"):
        history.take(NOW_MS, replace(market(), symbol=symbol))
    both = history.nbytes
    history.due(NOW_MS, ("A",), "A", 1_000)
    assert (history.nbytes, both) == (both // 2, 2 * (both // 2))
