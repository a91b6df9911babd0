"""The report as people see it."""

from decimal import Decimal
from pathlib import Path

import plotext
import pytest

from breakwall.cli.report_charts import charts
from breakwall.cli.report_text import body, cash, head, span
from breakwall.replay.report import Failure, Report, Rows, Scope, report_on
from tests.replay.trades import NOW, a_day, trade

GOLDEN = Path(__file__).with_name("report_80.txt")
WIDTHS = (20, 40, 80, 120, 200)


def printed(found: Report, width: int, *, plain: bool = True) -> list[str]:
    return [*head(found, "ledger.db", width), *body(found, width), *charts(found, width, plain=plain)]


def test_a_day_at_80_columns_is_as_it_was() -> None:
    """Read the difference before you take it over: write the text to the file."""
    text = "\n".join(printed(report_on(a_day(), Scope(0, NOW)), 80)) + "\n"
    assert text == GOLDEN.read_text(encoding="ascii")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("count", [0, 1, 2, 12])
def test_it_never_is_wider_than_the_terminal(width: int, count: int) -> None:
    day = a_day()
    rows = Rows(day.trades[:count], day.signals, day.failures, day.hanging, day.recoveries)
    found = report_on(rows, Scope(0, NOW))
    assert max(map(len, [*head(found, "ledger.db", width), *body(found, width)])) <= width
    assert max(map(len, charts(found, width, plain=True)), default=0) <= max(width, 40)


def test_plain_is_ascii_and_a_terminal_gets_colours() -> None:
    found = report_on(a_day(), Scope(0, NOW))
    assert "".join(charts(found, 80, plain=True)).isascii()
    assert "\x1b[" not in "".join(charts(found, 80, plain=True))
    coloured = "".join(charts(found, 80, plain=False))
    assert "\x1b[" in coloured
    assert "█" in coloured


def test_the_figure_that_all_share_is_left_empty() -> None:
    empty = plotext.figure.build().string(colorless=True)
    charts(report_on(a_day(), Scope(0, NOW)), 100, plain=True)
    assert plotext.figure.build().string(colorless=True) == empty


def test_without_trades_it_says_so_and_draws_nothing() -> None:
    found = report_on(Rows(), Scope(0, NOW))
    assert "no trade was closed in this span" in " ".join(head(found, "ledger.db", 80))
    assert charts(found, 80, plain=True) == []


def test_where_nothing_was_ever_lost_no_axis_is_drawn_for_it() -> None:
    lines = charts(report_on(Rows([trade("1.00")]), Scope(0, NOW)), 80, plain=True)
    below = lines.index("DRAWDOWN, USDT BELOW THE PEAK: none")
    assert lines[below + 1 : below + 3] == ["", "RESULTS, TRADES BY NET USDT"]


def test_hostile_words_steer_no_terminal() -> None:
    evil = "\x1b]0;owned\x07\x1b[2J\u202eabc\nnext"
    rows = Rows(
        [trade(reason=evil, symbol=evil, strategy=evil, trace=evil)],
        failures=[Failure(NOW - 1, evil, evil, evil, "", evil, evil)],
    )
    found = report_on(rows, Scope(0, NOW))
    text = "".join([*head(found, evil, 200), *body(found, 200)])
    assert not any(char in text for char in "\x1b\x07\u202e\n")


@pytest.mark.parametrize(
    ("value", "text"), [("0.004", "0.00"), ("-0.004", "0.00"), ("1.005", "+1.00"), ("-2", "-2.00")]
)
def test_cash_has_a_sign_unless_it_is_nothing(value: str, text: str) -> None:
    assert cash(Decimal(value)) == text


@pytest.mark.parametrize(("seconds", "text"), [(1.54, "1.5s"), (60, "1m00s"), (125.4, "2m05s"), (12_000, "3h20m")])
def test_spans_are_short(seconds: float, text: str) -> None:
    assert span(seconds) == text
