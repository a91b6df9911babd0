"""The breaker says its state in a word and the distance to each limit."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from breakwall.app.widgets.breaker import Breaker, breaker_word, held_here, reason, resettable, rule_rows
from breakwall.app.widgets.breaker import shut as shut_of
from breakwall.model.view import ApiView, LimitView, RuleView


@pytest.fixture
def pane(ink, look) -> Breaker:
    return Breaker(ink, look)


def test_each_limit_shows_what_is_used_and_left(pane, view, plain) -> None:
    assert plain(pane.rows(view, 80, 9)).splitlines()[2:] == [
        " losses in a row TRIPPED at 4, 12m04s left",
        " drawdown       ▰▰▰▰▰▰▰▰▰▰▰▱ 690.00 of 800.00 USDT, 110.00 left",
        " daily loss     ▰▰▱▱▱▱▱▱▱▱▱▱ 31.20 of 300.00 USDT, 268.80 left",
        " trades per day ▰▰▰▱▱▱▱▱▱▱▱▱ 12 of 60 trades, 48 left",
    ]


def test_a_narrow_pane_keeps_the_distance(pane, view, plain) -> None:
    assert plain(pane.rows(view, 34, 9)).splitlines()[2:] == [
        " losses in a row TRIPPED 12m04s",
        " drawdown       ▰▰▰▰▰▱ 110.00 left",
        " daily loss     ▰▱▱▱▱▱ 268.80 left",
        " trades per day ▰▰▱▱▱▱ 48 left",
    ]


def test_tripped_and_nearly_tripped_stand_out(pane, view) -> None:
    _, _, tripped, near, calm, _ = pane.rows(view, 80, 9)
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
    resting = (*calm, RuleView("cooldown", Decimal(0), Decimal(0), "", tripped=True, scope="BTCUSDT"))
    views = view, *(replace(view, breaker=rules) for rules in (calm, by_hand, resting, ()))
    assert [breaker_word(each) for each in views] == ["OPEN", "CLOSED", "PAUSED", "PARTLY", "\N{EN DASH}"]


NOW = 1_795_176_273_000
READ_BACK = RuleView(
    "unreconciled",
    Decimal(0),
    Decimal(0),
    "",
    True,
    tier="reduce",
    resumes="it is read back",
    text="not read for 31 s",
    standing=True,
)
REPEATED = RuleView(
    "repeated execution",
    Decimal(0),
    Decimal(0),
    "",
    True,
    scope="bounce BTCUSDT",
    tier="halt",
    resumes="a person's reset",
    text="8 entries in 60 s",
    resettable=True,
)
COOLDOWN = RuleView(
    "cooldown", Decimal(0), Decimal(0), "", True, NOW + 12_000, "BTCUSDT", "pause", "after `symbol_cooldown_s`"
)


@pytest.mark.parametrize(
    ("rule", "width", "words"),
    [
        (READ_BACK, 80, " unreconciled TRIPPED, reduce, until it is read back: not read for 31 s"),
        (READ_BACK, 60, " unreconciled TRIPPED, reduce, until it is read back"),
        (READ_BACK, 50, " unreconciled TRIPPED, until it is read back"),
        (READ_BACK, 34, " unreconciled TRIPPED by itself"),
        (
            REPEATED,
            100,
            " bounce BTCUSDT repeated execution TRIPPED, halt, until a person's reset: 8 entries in 60 s",
        ),
        (REPEATED, 60, " bounce BTCUSDT repeated execution TRIPPED by hand"),
        (REPEATED, 46, " bounce BTCUSDT repeated execution TRIPPED"),
        (REPEATED, 20, " bounce BTCUSDT rep…"),
        (COOLDOWN, 60, " BTCUSDT cooldown TRIPPED, pause, 12s left"),
    ],
)
def test_what_is_tripped_says_scope_tier_and_how_it_resumes(view, plain, rule, width, words) -> None:
    assert plain(rule_rows(replace(view, breaker=(rule,)), width)) == words


def test_the_interface_says_what_is_shut_and_until_when(view, plain) -> None:
    shut = ApiView("order", "OPEN", NOW + 23_000, 5, "time-out after 5 s")
    groups = (shut, ApiView("stop", "HALF-OPEN"), ApiView("market", "CLOSED"), ApiView("account", "CLOSED"))
    rows = plain(rule_rows(replace(view, breaker=view.breaker[:1], api=groups), 110)).splitlines()
    assert rows == [
        " API order  OPEN 23s, then one probe; stops, closes, cancels pass: 5 failures; time-out after 5 s",
        " API stop   HALF-OPEN, one probe is out",
        " daily loss ▰▰▱▱▱▱▱▱▱▱▱▱ 31.20 of 300.00 USDT, 268.80 left",
        " API closed: market, account",
    ]
    assert shut_of(replace(view, api=groups)) == ["order", "stop"]


def test_what_a_reset_lifts_and_what_holds_here(view) -> None:
    held = replace(view, breaker=(READ_BACK, REPEATED, COOLDOWN), observing="an order nobody made")
    assert resettable(held) == ["observing only", "bounce BTCUSDT repeated execution"]
    assert held_here(held, "BTCUSDT") == "repeated execution"
    assert held_here(replace(held, breaker=(COOLDOWN,)), "BTCUSDT") == "cooldown 12s"
    assert held_here(held, "ETHUSDT") == ""


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"observing": "an order nobody made"}, "an order nobody made"),
        ({"breaker": (REPEATED, replace(REPEATED, scope="", text="3 of 3"))}, "3 of 3"),
        ({"breaker": (), "why": "halted by operator"}, "halted by operator"),
    ],
)
def test_a_person_is_told_the_reason_first(view, changes, words) -> None:
    assert reason(replace(view, **changes)) == words


ORDERS = LimitView("orders", "/v5/order/create", cap=10, size=8.0, left=3.0, reserve=2.4, wait_ms=120)
CALM = replace(ORDERS, group="stops", left=8.0, wait_ms=0)


def test_a_budget_that_is_half_used_is_told_with_what_is_kept_for_exits(pane, view, plain) -> None:
    told = plain(pane.rows(replace(view, limits=(CALM, ORDERS)), 100, 20)).splitlines()
    assert " API orders     62% used, 3.0 of 8 left, cap 10/s, 2.4 for exits, wait 120 ms" in told
    assert not [row for row in told if "API stops" in row]


def test_a_budget_stands_below_what_is_tripped_at_every_width(pane, view, plain) -> None:
    for width in (34, 52, 80, 120):
        rows = plain(pane.rows(replace(view, limits=(ORDERS,)), width, 9)).splitlines()
        assert "62% used" in rows[3]
        assert all(len(row) <= width for row in rows)


def test_a_ban_of_our_address_says_how_long(pane, view, plain) -> None:
    banned = ApiView("all", "BANNED", view.at_ms + 570_000, reason="HTTP 403")
    told = plain(pane.rows(replace(view, api=(banned,)), 120, 20))
    assert " API all        BANNED 9m30s: no REST request leaves, nor from the next start: HTTP 403" in told
