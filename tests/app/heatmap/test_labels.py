"""The price axis as text: round prices, tags, and what lies outside of the picture."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.cells import cell_len

from breakwall.app.heatmap.axis import PriceAxis
from breakwall.app.heatmap.labels import AXIS_WIDTH, axis_rows, own_prices
from breakwall.app.trust import PROVEN_MS

AXIS = PriceAxis("BTCUSDT", low_ticks=640_800, step=10, half_rows=72)
"""64,080.0 to 64,151.9: the sample's price, its near walls and its entry are in it, its stop is not."""


def texts(rows) -> list[str]:
    return ["".join(text for text, _ in row) for row in rows]


def inks(rows, text: str) -> str:
    """The ink of the cell with this text."""
    return next(ink for row in rows for cell, ink in row if text in cell)


def test_the_axis_of_the_sample(view) -> None:
    rows = axis_rows(AXIS, view, view.market("BTCUSDT"))
    assert [line.rstrip() for line in texts(rows)] == FRAME.strip("\n").split("\n")
    assert inks(rows, "64140.2") == "tag"
    assert inks(rows, "64117.45") == "price"
    assert inks(rows, "63980.0") == "stop"
    assert inks(rows, "64087.5") == "own"


FRAME = """
▲65369.2 TGT



↓64140.2 1.20M
 64140.1 SELL?




 64130.0



▐64122.5 2.40M
 64120.0

▐64117.45
↑64116.0 BUY

 64110.0

▐64107.0 1.44M


 64100.0
▐64098.3 2.63M



 64090.0

 64087.5 LONG


▼63980.0 STOP
"""


def test_a_row_says_one_thing_and_price_and_size_are_apart(view) -> None:
    for text in texts(axis_rows(AXIS, view, view.market("BTCUSDT"))):
        assert cell_len(text) == AXIS_WIDTH
        assert len(text[1:].split()) <= 2


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])  # frozen
@given(
    st.integers(640_000, 642_000),
    st.sampled_from([1, 2, 5, 10, 20, 50, 100]),
    st.integers(1, 60),
    st.lists(st.tuples(st.integers(639_000, 643_000), st.integers(1, 10**8)), max_size=12),
)
def test_no_wall_is_shown_at_a_price_that_is_not_its_own(view, low, step, height, walls) -> None:
    from_sample = view.market("BTCUSDT")
    shown = tuple(
        replace(
            from_sample.walls[0],
            wall_id=number,
            price=ticks * from_sample.tick,
            notional_usdt=Decimal(size),
            bid=False,
        )
        for number, (ticks, size) in enumerate(walls)
    )
    market = replace(from_sample, walls=shown)
    axis = PriceAxis("BTCUSDT", low // step * step, step, 2 * height)
    rows = axis_rows(axis, replace(view, positions=(), orders=()), market)
    assert len(rows) == height
    for place, row in enumerate(rows):
        text = "".join(part for part, _ in row)
        assert cell_len(text) == AXIS_WIDTH
        if row[-1][1] != "tag":
            continue
        ticks = int(Decimal(row[-1][0].split()[0]) / market.tick)
        assert ticks in {at for at, _ in walls}
        real = axis.half_row(ticks) // 2
        if text[0] == "▐":
            assert place == real
        elif text[0] in "↓↑":
            assert abs(place - real) == 1
            assert (place < real) == (text[0] == "↓")
        else:
            assert real < 0 if text[0] == "▲" else real >= height


@pytest.mark.parametrize(
    ("proof_age_ms", "naked_ms", "word"),
    [(100, None, "STOP"), (PROVEN_MS + 1, None, "STOP?"), (None, None, "STOP?"), (100, 1_700, "STOP?")],
)
def test_a_stop_that_is_not_proven_says_so(view, proof_age_ms, naked_ms, word) -> None:
    held = replace(view.positions[0], proof_age_ms=proof_age_ms, naked_ms=naked_ms)
    own = own_prices(replace(view, positions=(held,), orders=()), view.market("BTCUSDT"))
    assert [price.words for price in own] == [word, "LONG 0.021", "TARGET"]


def test_orders_whose_state_is_not_sure_say_so(view) -> None:
    words = [own.words for own in own_prices(replace(view, positions=()), view.market("BTCUSDT"))]
    assert words == ["BUY 0.03", "SELL? 0.021"]


def test_a_price_that_is_not_live_says_why(view) -> None:
    market = replace(view.market("BTCUSDT"), status="STALE")
    rows = axis_rows(AXIS, view, market)
    assert inks(rows, "64117.4 STALE") == "stale"
    assert "price" not in {ink for row in rows for _, ink in row}


def test_long_prices_leave_out_the_size_rather_than_touch_it(view) -> None:
    market = view.market("BTCUSDT")
    tick = Decimal("0.0000001")
    walls = (replace(market.walls[1], price=Decimal("0.0641402"), notional_usdt=Decimal(12_300_000)),)
    fine = replace(market, tick=tick, bid=Decimal("0.0641174"), ask=Decimal("0.0641175"), walls=walls)
    found = texts(axis_rows(AXIS, replace(view, positions=(), orders=()), fine))
    assert "▐0.0641402 12M" in found


@pytest.mark.parametrize("width", range(12, 22))
@pytest.mark.parametrize("usdt", ["995", "12300", "611000", "2410000", "12300000"])
def test_a_size_is_never_without_its_unit(view, width: int, usdt: str) -> None:
    market = view.market("BTCUSDT")
    walls = (replace(market.walls[1], notional_usdt=Decimal(usdt)),)
    rows = axis_rows(AXIS, replace(view, positions=(), orders=()), replace(market, walls=walls), width)
    (tag,) = [text for row in rows for text, ink in row if ink == "tag" and text.strip("▐")]
    _, *sizes = tag.split()
    unit = {"995": "", "12300": "K", "611000": "K"}.get(usdt, "M")
    assert all(size.endswith(unit) and not size.endswith(".") for size in sizes)
