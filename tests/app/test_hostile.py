"""Whatever an exchange says, every row is exactly as wide as its pane and no control byte leaves it."""

import unicodedata
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from breakwall.app.dialogs.help import Help
from breakwall.app.dialogs.recovery import Recovery
from breakwall.app.keys.acts import BY_ID
from breakwall.app.keys.guard import Asking
from breakwall.app.keys.keymap import Keymap
from breakwall.app.rows.row import width_of
from breakwall.app.widgets.banner import Banner, cut
from breakwall.app.widgets.breaker import Breaker
from breakwall.app.widgets.card import Card
from breakwall.app.widgets.log import Log
from breakwall.app.widgets.positions import Positions
from breakwall.app.widgets.signals import Signals
from breakwall.app.widgets.standing import standing_rows
from breakwall.app.widgets.status import Status
from breakwall.model.records import HangingOrder, RecoveryReport
from breakwall.model.view import ApiView

BAD = (
    "\x1b]52;c;ZWNobw==\x07",
    "\x9b31m",
    "a\u202eb",
    "[red]x[/",
    "\u200b\u200d",
    "漢字漢字",
    "e\u0301" * 9,
    "a\nb\tc",
)
TEXTS = st.text(max_size=30) | st.sampled_from(BAD)
CASH = st.decimals(-(10**15), 10**15, allow_nan=False, allow_infinity=False)
COUNTS = st.integers(-(10**15), 10**15)
MAYBE = st.none() | COUNTS
TICKS = st.sampled_from([Decimal("0.1"), Decimal("1E-8"), Decimal(10)])
PANES = (Positions, Signals, Card, Breaker, Log, Status)


@st.composite
def views(draw, view):
    """The sample with a foreign text and any numbers wherever a pane may read one."""
    by_type = {
        str: draw(TEXTS),
        Decimal: draw(CASH),
        int: draw(COUNTS),
        float: draw(st.floats()),
        bool: draw(st.booleans()),
    }

    def foreign(struct, **given):
        old = {name: getattr(struct, name) for name in struct.__struct_fields__}
        return replace(struct, **{name: by_type.get(type(value), value) for name, value in old.items()} | given)

    held = foreign(
        view.positions[0],
        state=draw(st.sampled_from(["CLOSING", "OPEN"])),
        proof_age_ms=draw(MAYBE),
        naked_ms=draw(MAYBE),
        stop=draw(st.none() | CASH),
        mark=draw(st.none() | CASH),
    )
    checks = (foreign(view.signals[0].checks[0]),) * 3
    line = foreign(view.log[0])
    return foreign(
        view,
        symbols=(foreign(view.symbols[0], tick=draw(TICKS)),),
        positions=(held, view.positions[0]),
        signals=(foreign(view.signals[0], reasons=(by_type[str],), checks=checks), view.signals[0]),
        breaker=(foreign(view.breaker[0], limit=draw(CASH), until_ms=draw(MAYBE)), view.breaker[0]),
        api=(
            ApiView(
                by_type[str], draw(st.sampled_from(["OPEN", "HALF-OPEN", by_type[str]])), draw(MAYBE), 3, by_type[str]
            ),
        ),
        recovery=(_report(by_type[str], by_type[int]),),
        log=(line, line, view.log[1]),
    )


def _report(text: str, number: int) -> RecoveryReport:
    order = HangingOrder(*[text] * len(HangingOrder.__struct_fields__))
    return RecoveryReport(number, text, number, (text,), (text,), (order,), False, text)


def is_harmless(text: str) -> bool:
    return not {unicodedata.category(char) for char in text} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


def test_what_stands_and_dialogs_fit_and_carry_no_control_bytes(view, look, ink) -> None:
    banner, keymap = Banner(ink, look), Keymap()

    @settings(max_examples=60, deadline=None)
    @given(views(view), st.integers(1, 130), st.integers(1, 14))
    def check(foreign, width: int, height: int) -> None:
        banner.asking = Asking(BY_ID["reset-api"], "", foreign.at_ms, typed=False)
        rows = cut(
            [*standing_rows(foreign, width, frozenset()), *banner.say(foreign, foreign.at_ms, width)], width, height
        )
        for dialog in (Recovery(), Help(keymap)):
            rows += dialog.lines(foreign, max(20, width), height)[1:]
        for row in rows:
            assert width_of(row) in {width, max(20, width)}
            assert is_harmless(banner.strip(row, width_of(row)).text)

    check()


@pytest.mark.parametrize("kind", PANES)
def test_rows_fit_and_carry_no_control_bytes(kind, view, look, ink) -> None:
    pane = kind(ink, look)

    @settings(max_examples=60, deadline=None)
    @given(views(view), st.integers(1, 130), st.integers(1, 14))
    def check(foreign, width: int, height: int) -> None:
        look.symbol = foreign.symbols[0].symbol
        rows = pane.rows(foreign, width, height)
        assert {width_of(row) for row in rows if row} <= {width}
        for row in rows[:height]:
            strip = pane.strip(row, width)
            assert strip.cell_length == width
            assert is_harmless(strip.text)

    check()
