"""Cells of an exact width, whatever the text."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from breakwall.app.rows.row import clean, left, right, width_of


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("BTC", 5, "BTC  "),
        ("BTCUSDT", 5, "BTCU…"),
        ("BTC   X", 5, "BTC …"),
        ("価格価格", 5, "価格…"),
        ("価格価格", 4, "価 …"),
        ("long", 1, "l"),
        ("any", 0, ""),
        ("a\x1b[31mb", 6, "a[31mb"),
    ],
)
def test_left(text: str, width: int, expected: str) -> None:
    assert left(text, width) == expected


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("64117.5", 9, "  64117.5"),
        ("64117.5", 7, "64117.5"),
        ("64117.5", 6, "######"),
        ("価", 4, "  価"),
        ("x", 0, ""),
    ],
)
def test_right_never_shows_part_of_a_number(text: str, width: int, expected: str) -> None:
    assert right(text, width) == expected


@given(st.text(max_size=40), st.integers(0, 30))
@settings(max_examples=100, deadline=None)
def test_widths_are_exact(text: str, width: int) -> None:
    assert cell_len(left(text, width)) == width
    assert cell_len(right(text, width)) == width


@given(st.text(max_size=40))
@settings(max_examples=100, deadline=None)
def test_nothing_a_terminal_obeys_is_left(text: str) -> None:
    assert not {unicodedata.category(char) for char in clean(text)} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


def test_the_width_of_a_row_counts_columns() -> None:
    assert width_of((("価格", "bid"), (" 5", ""))) == 6
