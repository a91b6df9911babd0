"""Columns and words are dropped whole, the least important first, and rows always fit."""

from hypothesis import given, settings
from hypothesis import strategies as st

from breakwall.app.rows.row import left, right, width_of
from breakwall.app.rows.table import Column, Word, filled, fit, table

COLUMNS = (
    Column("NAME", 0),
    Column("QTY", 2, number=True),
    Column("PNL", 1, number=True),
    Column("WHY", 3, free=True),
)
LINES = [
    [("BTCUSDT", ""), ("0.021", ""), ("+0.63", ""), ("wall 41764 is eaten", "")],
    [("ETHUSDT", ""), ("12", ""), ("-102.85", ""), ("flat", "")],
]
TEXTS = st.text(max_size=30)
ROWS = st.lists(st.tuples(TEXTS, st.just("")), max_size=5).map(tuple)


def text_of(rows: list[tuple[tuple[str, str], ...]]) -> list[str]:
    return ["".join(text for text, _ in row) for row in rows]


def test_numbers_stand_under_each_other_and_the_free_column_takes_the_rest() -> None:
    laid = table(COLUMNS, LINES, 42)
    assert laid.heads == ("NAME   ", "  QTY", "    PNL", "WHY                 ")
    assert text_of(laid.rows) == [
        "BTCUSDT 0.021   +0.63 wall 41764 is eaten ",
        "ETHUSDT    12 -102.85 flat                ",
    ]


def test_the_least_important_columns_go_first() -> None:
    assert text_of(table(COLUMNS, LINES, 21).rows) == ["BTCUSDT 0.021   +0.63", "ETHUSDT    12 -102.85"]
    assert text_of(table(COLUMNS, LINES, 20).rows)[1] == "ETHUSDT -102.85     "
    assert text_of(table(COLUMNS, LINES, 8).rows) == ["BTCUSDT ", "ETHUSDT "]


def test_words_stand_or_fall_whole() -> None:
    words = [Word(0, (("LIVE", "a"),)), Word(2, (("loop ", "b"), ("2.1ms", "c"))), Word(1, (("+14.22", "d"),))]
    assert text_of([fit(words, width, "bar") for width in (24, 23, 12, 11, 3)]) == [
        "LIVE  loop 2.1ms  +14.22",
        "LIVE  +14.22           ",
        "LIVE  +14.22",
        "LIVE       ",
        "LI…",
    ]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(TEXTS, min_size=4, max_size=4), max_size=4), st.integers(1, 80))
def test_every_row_of_a_table_is_as_wide_as_asked(lines: list[list[str]], width: int) -> None:
    laid = table(COLUMNS, [[(text, "") for text in line] for line in lines], width)
    assert {width_of(row) for row in laid.rows} <= {width}


@settings(max_examples=100, deadline=None)
@given(ROWS, st.integers(0, 60))
def test_a_filled_row_is_as_wide_as_asked(row: tuple[tuple[str, str], ...], width: int) -> None:
    assert width_of(filled(row, width, "")) == width
    assert width_of(fit([Word(0, row)], width, "")) == width


@settings(max_examples=100, deadline=None)
@given(TEXTS, st.integers(0, 40))
def test_a_cut_text_is_as_wide_as_asked(text: str, width: int) -> None:
    assert width_of(((left(text, width), ""),)) == width
    assert width_of(((right(text, width), ""),)) == width
