"""The heat map on the screen: what a trader reads, what is painted when, and that nothing old is shown as new."""

from itertools import accumulate

import numpy as np
import pytest
from msgspec.structs import replace
from textual.app import App
from textual.screen import ModalScreen
from textual.widgets import Label

from breakwall.app.heatmap.axis import PriceAxis
from breakwall.app.themes.depth import Depth
from breakwall.app.themes.files import packaged
from breakwall.app.themes.ink import Ink
from breakwall.app.widgets.heatmap import WAITING_WORDS, HeatMap, heading

SMALL, MIDDLE = (52, 12), (86, 20)


class Host(App[None]):
    CSS = "HeatMap { width: 100%; height: 100%; }"

    def __init__(self, pane: HeatMap) -> None:
        super().__init__()
        self.pane = pane

    def compose(self):
        yield self.pane


class Dialog(ModalScreen[None]):
    def compose(self):
        yield Label("really?")


def minute(view, seconds: int = 60) -> list:
    """The sample market for a minute, one view a second: the price walks and ends where the sample is."""
    steps = np.random.default_rng(3).choice((-14, -5, 0, 0, 6, 12), seconds).tolist()
    walk = list(accumulate(steps))
    return [moved(view, ticks - walk[-1], seconds - 1 - place) for place, ticks in enumerate(walk)]


def moved(view, ticks: int, seconds_ago: int):
    bitcoin, *others = view.symbols
    bitcoin = replace(
        bitcoin,
        bid=bitcoin.bid + ticks * bitcoin.tick,
        ask=bitcoin.ask + ticks * bitcoin.tick,
        bids=tuple((at + ticks, lots) for at, lots in bitcoin.bids),
        asks=tuple((at + ticks, lots) for at, lots in bitcoin.asks),
    )
    return replace(view, at_ms=view.at_ms - seconds_ago * 1_000, symbols=(bitcoin, *others))


def look_at(pane: HeatMap, view) -> None:
    """A frame, as the cockpit makes it."""
    for market in view.symbols:
        pane.look.history.take(view.at_ms, market, selected=market.symbol == pane.look.symbol)
    pane.show(view)


@pytest.fixture
def bare(look) -> HeatMap:
    """Without colours, so that everything is told by its glyph."""
    return HeatMap(Ink(packaged(), Depth.NONE), look)


@pytest.fixture
def pane(look) -> HeatMap:
    return HeatMap(Ink(packaged()), look)


async def text_after(pane: HeatMap, views, size, frame) -> str:
    app = Host(pane)
    async with app.run_test(size=size) as pilot:
        for view in views:
            look_at(pane, view)
        await pilot.pause()
        return frame(app)


SMALL_FRAME = """
 MARKET  BTCUSDT  LIVE  10.0/row            1 s/col
                                      ▲65369.2 TGT

░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░↓64140.2 1.20M
████████████████████┄┄ SELL? 0.021 ┄┄┄ 64140.1 SELL?
░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░█░
▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄───────▄▄▄▄▄▄▄▄▄▄▄▄▄▐64122.5 2.40M
───────────────────▓──┄┄──────────────▐64117.45
▄▄▄▄▄▄▄▄▄█████████▄███▄███▄███▄▄▄▄▄▄▄▄↑64116.0 BUY
█████████░░░░░░░░░█░░░█░░░█░░░████████▐64098.3 2.63M
░░░░░░░░░░░░░░░░░░░░░┄┄ LONG 0.021 ┄┄┄ 64087.5 LONG
                                      ▼63980.0 STOP
"""
MIDDLE_FRAME = """
 MARKET  BTCUSDT  LIVE  4.0/row  reach -0.05+0.06%                            1 s/col
            ░                                                           ▲65369.2 TGT
            ▒░░░░░░░░░                            ░░░   ░░
            ░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░
            ▓▓░░░░▓▓░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░
            ░░▓▓▓▓░░▓▓▓▓▓▓▓░░▓░░░░░░░░░░░░░▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓░░░░░░░░░░░░↓64140.2 1.20M
            ██████████████████████████████████████████┄┄ SELL? 0.021 ┄┄┄ 64140.1 SELL?
            ░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░
            ░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░
            ▓▓▓▄▄▄▓▓▄▄░░░░░░░░░░░░░░░░░░░░░░░░░░░░▄▄▄░░░▄▄░░░░░░░░░░░░░░
            ──────────▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄░░░▄▄▄░░▄▄▄▄▄▄▄▄▄▄▄▄░▄▐64122.5 2.40M
            ░░░░░░░░░───────────░░░░░░░░░░────────────────────────────▄░ 64120.0
            ▓░░░░░░░░░░░░░░░░░░────────────░░░░░░░░░░░░░┄┄┄ BUY 0.03 ───▐64117.45
            ░▓▓▓▓▓▓▓▓▓▓▓▓▓░░░░░░░░░░░░░░░░░░▓░░░░░▓▓▓▓░▓▓▓░░░░░░░░░░░░░░↑64116.0 BUY
            ░░░░░░░░░▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄░▄▄▄░▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▐64107.0 1.44M
            ▄▄▄▄▄▄▄▄▄░░░░░░░░░░░░░░░░░░░░░░░░░░░░░█░▄░░░▄█░░░░░░░░░░░░░░
            ███████████████████░░░████████████████░██████░████████████░█▐64098.3 2.63M
            ▒░░░░░░░░░░░░░░░░░░███░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░█░
            ░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░↓64087.5 LONG
              ░░░░  ░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░┄┄ LONG 0.021 ┄┄┄▼63980.0 STOP
"""


@pytest.mark.asyncio
@pytest.mark.parametrize(("size", "expected"), [(SMALL, SMALL_FRAME), (MIDDLE, MIDDLE_FRAME)])
async def test_the_frame_of_the_sample(bare, view, frame, size, expected) -> None:
    assert await text_after(bare, minute(view), size, frame) == expected.strip("\n")


@pytest.mark.asyncio
async def test_before_the_first_book_it_says_so_and_shows_no_price(bare, view, frame) -> None:
    waiting = replace(view.symbols[0], status="WAITING", bid=None, ask=None, bids=(), asks=(), walls=(), ended=())
    text = await text_after(bare, [replace(view, symbols=(waiting,))], SMALL, frame)
    assert WAITING_WORDS in text
    assert "641" not in text


@pytest.mark.asyncio
async def test_a_lost_book_is_a_gap_with_its_reason_and_the_price_says_it_is_old(bare, view, frame) -> None:
    views = minute(view)
    lost = [
        replace(one, symbols=(replace(one.symbols[0], status="STALE", bids=(), asks=()), *one.symbols[1:]))
        for one in views[45:]
    ]
    text = await text_after(bare, views[:45] + lost, MIDDLE, frame)
    lines = text.splitlines()
    assert all(line[57:72] == "╱" * 15 for line in lines[1:] if not {"┄", "E"} & set(line[45:72]))  # noqa: RUF001 - a hatch
    assert sum("╱ STALE ╱" in line for line in lines) == 1  # noqa: RUF001
    assert any("64117.4 STALE" in line for line in lines)


@pytest.mark.asyncio
async def test_a_book_lost_for_a_moment_leaves_a_mark_at_the_bottom(bare, view, frame) -> None:
    views = minute(view)
    lost = replace(views[25].symbols[0], status="RESYNC", bids=(), asks=())
    moment = replace(views[25], at_ms=views[25].at_ms + 200, symbols=(lost, *views[25].symbols[1:]))
    again = replace(views[25], at_ms=views[25].at_ms + 600)
    text = await text_after(bare, [*views[:26], moment, again, *views[26:]], MIDDLE, frame)
    assert [line.count("╱") for line in text.splitlines()] == [0] * 19 + [1]  # noqa: RUF001 - a hatch


@pytest.mark.asyncio
async def test_another_symbol_shows_its_own_past(pane, view) -> None:
    ether = replace(view.symbols[0], symbol="ETHUSDT")
    views = [replace(one, symbols=(one.symbols[0], replace(ether, bids=one.symbols[0].bids))) for one in minute(view)]
    app = Host(pane)
    async with app.run_test(size=MIDDLE):
        for one in views:
            look_at(pane, one)
        pane.look.select("ETHUSDT")
        look_at(pane, views[-1])
        columns = pane.look.history.columns("ETHUSDT", 1_000, views[-1].at_ms, 60)
        assert bool(np.all(columns.live))


@pytest.mark.asyncio
async def test_within_a_column_only_the_axis_is_painted(pane, view) -> None:
    app = Host(pane)
    async with app.run_test(size=MIDDLE):
        for one in minute(view):
            look_at(pane, one)
        field, axis = pane.field.rows_painted, pane.axis_pane.rows_painted
        look_at(pane, replace(view, at_ms=view.at_ms + 300))
        assert (pane.field.rows_painted, pane.axis_pane.rows_painted) == (field, axis)
        up = moved(view, 30, 0)
        look_at(pane, replace(up, at_ms=view.at_ms + 600))
        assert pane.field.rows_painted == field
        assert 1 <= pane.axis_pane.rows_painted - axis <= 4
        look_at(pane, replace(up, at_ms=view.at_ms + 1_000))
        assert pane.field.rows_painted > field


@pytest.mark.asyncio
async def test_rows_in_which_nothing_moved_are_not_painted_again(pane, view) -> None:
    app = Host(pane)
    async with app.run_test(size=MIDDLE):
        for second in range(120):  # a market that stands still: after a while the picture is the same
            look_at(pane, replace(view, at_ms=view.at_ms + second * 1_000))
        before = pane.field.rows_painted
        look_at(pane, replace(view, at_ms=view.at_ms + 120_000))
        assert pane.field.rows_painted - before <= 3  # trades and the end of a wall still scroll


@pytest.mark.asyncio
async def test_a_dialog_over_it_leaves_no_trace(pane, view, frame) -> None:
    app = Host(pane)
    async with app.run_test(size=MIDDLE) as pilot:
        for one in minute(view):
            look_at(pane, one)
        await pilot.pause()
        before = frame(app)
        await app.push_screen(Dialog())
        await pilot.pause()
        assert "really?" in frame(app)
        app.pop_screen()
        await pilot.pause()
        assert frame(app) == before


@pytest.mark.asyncio
async def test_keys_of_the_trader_change_the_picture_at_once(pane, view) -> None:
    app = Host(pane)
    async with app.run_test(size=MIDDLE):
        for one in minute(view):
            look_at(pane, one)
        for change in (lambda look: look.zoom_price(1), lambda look: look.step_time(1)):
            before = pane.field.rows_painted
            change(pane.look)
            look_at(pane, view)
            assert pane.field.rows_painted > before


@pytest.mark.asyncio
async def test_another_theme_paints_everything_again(pane, view, frame) -> None:
    app = Host(pane)
    async with app.run_test(size=MIDDLE) as pilot:
        look_at(pane, view)
        pane.repaint(Ink(packaged("daylight"), Depth.EIGHT_BIT))
        look_at(pane, view)
        await pilot.pause()
        strips = app.screen._compositor.render_strips()  # Textual's own name; what the terminal was sent
        colours = {style.bgcolor.name for strip in strips for _, style, _ in strip if style and style.bgcolor}
        assert colours
        assert all(name.startswith("color(") for name in colours)


@pytest.mark.asyncio
@pytest.mark.parametrize("size", [(1, 1), (15, 2), (16, 2), (20, 3), (14, 30), (300, 90)])
@pytest.mark.parametrize("depth", list(Depth))
async def test_any_size_and_depth_will_do(look, view, depth, size) -> None:
    pane = HeatMap(Ink(packaged(), depth), look)
    app = Host(pane)
    async with app.run_test(size=size) as pilot:
        look_at(pane, view)
        look_at(pane, replace(view, at_ms=view.at_ms + 1_000))
        await pilot.resize_terminal(40, 10)
        look_at(pane, replace(view, at_ms=view.at_ms + 2_000))
        await pilot.pause()


def test_the_heading_leaves_out_what_matters_least(view, look) -> None:
    axis = PriceAxis("BTCUSDT", 640_800, 10, 72, locked=True)
    texts = [
        "".join(text for text, _ in heading(view.symbols[0], axis, look, width)).split("  ") for width in (80, 36, 22)
    ]
    wide, middle, narrow = ([word.strip() for word in words if word.strip()] for words in texts)
    assert wide[:3] == ["BTCUSDT", "LIVE", "2.0/row"]
    assert wide[3] == "reach -0.05+0.06%"
    assert wide[4:] == ["LOCKED"]
    assert middle == ["BTCUSDT", "LIVE", "2.0/row", "LOCKED"]
    assert narrow == ["BTCUSDT", "LIVE", "LOCKED"]
