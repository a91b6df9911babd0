"""Figures are short, signed and never made up."""

from decimal import Decimal

import pytest

from breakwall.app.rows.figures import (
    age,
    bar,
    coarse,
    compact,
    countdown,
    percent,
    price,
    reach_words,
    signed,
    time_of_day,
)

UNKNOWN = "\N{EN DASH}"


@pytest.mark.parametrize(
    ("value", "tick", "text"),
    [
        ("64117.45", "0.1", "64117.4"),
        ("64117", "0.10", "64117.0"),
        ("171.6", "0.01", "171.60"),
        ("0.00001234", "0.00000001", "0.00001234"),
        ("64117", "1", "64117"),
        ("64117", "10", "64117"),
        ("171.60", None, "171.60"),
    ],
)
def test_a_price_has_the_decimals_of_its_tick(value: str, tick: str | None, text: str) -> None:
    assert price(Decimal(value), None if tick is None else Decimal(tick)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [("0.63", "+0.63"), ("-1.8", "-1.80"), ("0", "0.00"), ("-0.004", "0.00"), ("0.004", "0.00"), ("-0.005", "0.00")],
)
def test_money_has_its_sign_and_nothing_has_none(value: str, text: str) -> None:
    assert signed(Decimal(value)) == text


def test_what_is_not_known_is_a_dash() -> None:
    assert [price(None), signed(None), percent(None), age(None)] == [UNKNOWN] * 4


def test_a_fraction_is_shown_in_per_cent() -> None:
    assert [percent(Decimal("0.0042")), percent(Decimal("-0.0131"))] == ["+0.42%", "-1.31%"]


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (-5, "0.0s"),
        (149, "0.1s"),
        (9_999, "9.9s"),
        (10_000, "10s"),
        (99_999, "99s"),
        (100_000, "1m"),
        (5_999_999, "99m"),
        (6_000_000, "1h"),
        (3 * 86_400_000, "3d"),
    ],
)
def test_an_age_is_short_and_never_rounded_up(ms: int, text: str) -> None:
    assert age(ms) == text


@pytest.mark.parametrize(
    ("ms", "text"), [(-1, "0s"), (1, "1s"), (59_000, "59s"), (899_000, "14m59s"), (11_100_000, "3h05m")]
)
def test_a_countdown_ends_when_it_is_over_and_not_before(ms: int, text: str) -> None:
    assert countdown(ms) == text


def test_the_time_of_day_is_utc() -> None:
    assert time_of_day(1_700_000_000_000) == "22:13:20"


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "▱▱▱▱▱"),
        (0.001, "▰▱▱▱▱"),
        (0.8, "▰▰▰▰▱"),
        (0.999, "▰▰▰▰▱"),
        (1.0, "▰▰▰▰▰"),
        (7.0, "▰▰▰▰▰"),
        (-1.0, "▱▱▱▱▱"),
        (float("nan"), "▱▱▱▱▱"),
        (float("inf"), "▰▰▰▰▰"),
    ],
)
def test_a_bar_is_full_at_the_limit_only(share: float, text: str) -> None:
    assert bar(share, 5) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "0"),
        (999.4, "999"),
        (999.5, "1.0K"),
        (1_740, "1.7K"),
        (33_500, "33.5K"),
        (99_940, "99.9K"),
        (99_960, "100K"),
        (999_499, "999K"),
        (999_500, "1.00M"),
        (2_410_000, "2.41M"),
        (24_100_000, "24.1M"),
        (3_100_000_000, "3.10G"),
        (Decimal("12345.67"), "12.3K"),
    ],
)
def test_an_amount_has_three_digits_at_most(amount: float, text: str) -> None:
    assert compact(amount) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0, "0"), (869, "869"), (1_004, "1.0K"), (1_749, "1.7K"), (33_512, "34K"), (614_000, "610K"), (996_000, "1.0M"),
     (2_413_000, "2.4M"), (24_130_000, "24M"), (3_000_000_000, "3.0G")],
)  # fmt: skip
def test_a_sum_that_never_rests_has_two_figures(amount: int, text: str) -> None:
    assert coarse(amount) == coarse(Decimal(amount)) == text


@pytest.mark.parametrize(
    ("reach", "words"),
    [(None, ""), ((0.0005, 0.00051), "±0.05%"), ((0.0005, 0.0006), "-0.05+0.06%"), ((0.02, 0.031), "-2.00+3.10%")],
)
def test_the_reach_of_a_book(reach, words) -> None:
    assert reach_words(reach) == words
