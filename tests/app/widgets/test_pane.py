"""Panes paint what changed, in exactly their width, and nothing foreign reaches a terminal as more than text."""

import unicodedata
from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from textual.app import App, ComposeResult
from textual.geometry import Region

from breakwall.app.cockpit import Cockpit
from breakwall.app.look import Look
from breakwall.app.rows.row import Row, width_of
from breakwall.app.screens.trade import PANES
from breakwall.app.themes.files import packaged
from breakwall.app.themes.ink import Ink
from breakwall.app.widgets.ladder import Ladder
from breakwall.app.widgets.orders import Orders
from breakwall.app.widgets.pane import Pane
from breakwall.app.widgets.tape import Tape
from breakwall.app.widgets.walls import Walls
from breakwall.clock import SystemClock
from breakwall.model.view import View
from breakwall.settings import Settings
from tests.patience import until

HOSTILE = (
    "\x1b]52;c;cm0gLXJmIC8=\x07",
    "\x1b[2J\x1b[31m",
    "\x9b31m\x90\x9d",
    "\u202eTDSU\u202c\u2066",
    "a\u200b\u200d\ufeffb",
    "[/] [bold red]x[/nothing]",
    "価格の壁" * 12,
    "e\u0301\u0301\u0301",
    "👩\u200d👩\u200d👧🏽",
    "",
)
FORBIDDEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


class Lines(Pane):
    """Shows the lines it was given."""

    words = "LINES"
    lines: tuple[Row, ...] = ()

    def rows(self, view: View, width: int, height: int) -> Sequence[Row]:
        return [self.title(width), *self.lines]


class Stage(App[None]):
    CSS = "Lines { height: 5; }"

    def __init__(self, look: Look, ink: Ink) -> None:
        super().__init__()
        self.lines = Lines(ink, look)

    def compose(self) -> ComposeResult:
        yield self.lines


@pytest.mark.asyncio
async def test_only_changed_rows_are_painted(view, look, ink, frame) -> None:
    app = Stage(look, ink)
    async with app.run_test(size=(30, 6)) as pilot:
        pane = app.lines
        pane.lines = ((("one", ""),), (("two", "bid"),))
        pane.show(view)
        first = pane.rows_painted
        pane.show(view)
        assert pane.rows_painted == first == 5
        pane.lines = ((("one", ""),), (("TWO", "bid"),))
        pane.show(view)
        assert pane.rows_painted == first + 1
        await pilot.pause()
        assert frame(app).splitlines()[:3] == [" LINES", "one", "TWO"]
        pane.lines = ((("one", ""),), (("TWO", "ask"),))  # another ink is another row
        pane.show(view)
        assert pane.rows_painted == first + 2


@pytest.mark.asyncio
async def test_a_new_theme_and_a_new_size_paint_every_row(view, look, ink) -> None:
    app = Stage(look, ink)
    async with app.run_test(size=(30, 6)) as pilot:
        pane = app.lines
        pane.show(view)
        painted = pane.rows_painted
        pane.repaint(Ink(packaged("daylight")))
        pane.show(view)
        assert pane.rows_painted == painted + 5
        await pilot.resize_terminal(10, 6)
        await pilot.pause()
        pane.show(view)
        assert pane.rows_painted > painted + 5
        strips = pane.render_lines(Region(2, 0, 5, 5))
        assert {strip.cell_length for strip in strips} == {5}


@pytest.mark.asyncio
async def test_the_sample_stands_on_the_screen(desk, frame) -> None:
    app = Cockpit(Settings(), SystemClock(), desk)
    async with app.run_test(size=(80, 24)):
        await until(lambda: "LADDER" in frame(app) and desk.asked)
        assert desk.asked[-1] == "BTCUSDT"


@pytest.mark.parametrize(
    ("width", "more", "name", "expected"),
    [
        (30, "3 open", "title-dim", " LINES SIDE QTY        3 open "),
        (20, "3 open", "title-dim", " LINES SIDE QTY     "),
        (20, "STALE 6s", "bar-bad", " LINES     STALE 6s "),
        (8, "STALE 6s", "bar-bad", " LINES  "),
    ],
)
def test_heads_give_way_to_a_word_with_its_own_ink(
    ink, look, width: int, more: str, name: str, expected: str
) -> None:
    row = Lines(ink, look).headed((" LINES", "SIDE", "QTY"), width, more, name)
    assert "".join(text for text, _ in row) == expected


def test_neighbours_of_one_ink_are_one_segment(ink, look) -> None:
    strip = Lines(ink, look).strip((("a", "bid"), ("b", "bid"), ("c", "ask"), ("d", "bid")), 4)
    assert [segment.text for segment in strip] == ["ab", "c", "d"]


def poisoned(view: View, text: str, number: Decimal) -> View:
    """The sample with a foreign text and an odd number wherever an exchange could put one."""
    book = view.symbols[0]
    return replace(
        view,
        why=text,
        symbols=(replace(book, status_reason=text, trend=text, mark=number), *view.symbols[1:]),
        orders=tuple(
            replace(order, symbol=text, why=text, state=text, side=text, qty=number, price=number)
            for order in view.orders
        ),
        positions=tuple(replace(held, strategy=text, reason=text, entry=number) for held in view.positions),
        signals=tuple(replace(signal, strategy=text, reasons=(text,), reason=text) for signal in view.signals),
        log=tuple(replace(line, text=text, symbol=text, trace=text) for line in view.log),
        breaker=tuple(replace(rule, rule=text, unit=text) for rule in view.breaker),
    )


texts = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=60))
numbers = st.decimals(min_value=Decimal("-1e9"), max_value=Decimal("1e9"), allow_nan=False, places=6)
# The fixtures are frozen or hold nothing between examples.
examples = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("kind", [Ladder, Tape, Walls, Orders])
@given(text=texts, number=numbers, width=st.integers(1, 120), height=st.integers(1, 40))
@examples
def test_rows_are_exactly_as_wide_as_asked(kind, make_view, look, ink, text, number, width, height) -> None:
    pane = kind(ink, look)
    for row in pane.rows(poisoned(make_view(), text, number), width, height):
        assert width_of(row) == width


@pytest.mark.parametrize("kind", [kind for kind in PANES if kind.rows is not Pane.rows])
@given(text=texts, number=numbers, width=st.integers(20, 120), height=st.integers(2, 30))
@examples
def test_no_control_character_reaches_a_strip(kind, make_view, look, ink, text, number, width, height) -> None:
    pane = kind(ink, look)
    for row in pane.rows(poisoned(make_view(), text, number), width, height):
        strip = pane.strip(row, width)
        assert strip.cell_length == sum(segment.cell_length for segment in strip) == width
        found = {unicodedata.category(char) for segment in strip for char in segment.text}
        assert not found & FORBIDDEN
