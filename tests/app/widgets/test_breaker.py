"""The breaker says its state in a word and the distance to each limit."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from breakwall.app.widgets.breaker import Breaker, breaker_word
from breakwall.model.view import RuleView


@pytest.fixture
def pane(ink, look) -> Breaker:
    return Breaker(ink, look)


def test_each_limit_shows_what_is_used_and_left(pane, view, plain) -> None:
    assert plain(pane.rows(view, 80, 9)).splitlines()[2:] == [
        " losses in a row TRIPPED at 4, 12m04s left",
        " daily loss      ▰▰▱▱▱▱▱▱▱▱▱▱ 31.20 of 300.00 USDT, 268.80 left",
        " drawdown        ▰▰▰▰▰▰▰▰▰▰▰▱ 690.00 of 800.00 USDT, 110.00 left",
        " trades per day  ▰▰▰▱▱▱▱▱▱▱▱▱ 12 of 60 trades, 48 left",
    ]


def test_a_narrow_pane_keeps_the_distance(pane, view, plain) -> None:
    assert plain(pane.rows(view, 34, 9)).splitlines()[2:] == [
        " losses in a row TRIPPED 12m04s",
        " daily loss      ▰▱▱▱▱ 268.80 left",
        " drawdown        ▰▰▰▰▱ 110.00 left",
        " trades per day  ▰▱▱▱▱ 48 left",
    ]


def test_tripped_and_nearly_tripped_stand_out(pane, view) -> None:
    _, _, tripped, calm, near, _ = pane.rows(view, 80, 9)
    assert {ink for _, ink in tripped} == {"alarm"}
    assert "warn" not in {ink for _, ink in calm}
    assert {ink for _, ink in near if ink} == {"warn"}


def test_a_persons_word_is_lifted_by_hand(pane, view, plain) -> None:
    halted = RuleView("halted", Decimal(1), Decimal(0), "", tripped=True)
    assert " halted TRIPPED, reset by hand" in plain(pane.rows(replace(view, breaker=(halted,)), 60, 9)).splitlines()


def test_nothing_left_is_not_less_than_nothing(pane, view, plain) -> None:
    rule = RuleView("daily loss", Decimal(31), Decimal(30), "USDT")
    assert "31.00 of 30.00 USDT, 0.00 left" in plain(pane.rows(replace(view, breaker=(rule,)), 80, 9))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"trading_state": "ACTIVE", "why": "", "armed": True}, " CLOSED ACTIVE  entries allowed"),
        ({"trading_state": "ACTIVE", "why": "SAFE", "armed": False}, " CLOSED ACTIVE  no entries: SAFE"),
        ({"trading_state": "HALTED", "why": "halted by a person"}, " CLOSED HALTED  no entries: halted by a person"),
    ],
)
def test_the_state_is_a_word_with_its_reason(pane, view, plain, changes, words) -> None:
    calm = tuple(replace(rule, tripped=False) for rule in view.breaker)
    assert plain(pane.rows(replace(view, breaker=calm, **changes), 60, 9)).splitlines()[1] == words


def test_open_is_when_anything_is_tripped_and_nobody_knows_without_rules(view) -> None:
    calm = tuple(replace(rule, tripped=False) for rule in view.breaker)
    by_hand = (*calm, RuleView("paused", Decimal(0), Decimal(0), "", tripped=True))
    views = view, replace(view, breaker=calm), replace(view, breaker=by_hand), replace(view, breaker=())
    assert [breaker_word(each) for each in views] == ["OPEN", "CLOSED", "PAUSED", "\N{EN DASH}"]
