"""Budgets: what an entry may spend, what only protection may, and what the venue's headers change."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakwall.venues.limiter import BAN_MOST_MS, BAN_MS, BUSY_MS, WAIT_LEAST_MS, WAIT_MOST_MS, Limiter

PATH = "/v5/order/create"


def spend(limiter: Limiter, at_ms: int, *, urgent: bool) -> int:
    count = 0
    while limiter.acquire(PATH, at_ms, urgent=urgent) == 0:
        count += 1
        assert count < 1000
    return count


def test_entries_leave_the_reserve_to_protection() -> None:
    limiter = Limiter({PATH: 10})
    assert spend(limiter, 1000, urgent=False) == 5
    assert spend(limiter, 1000, urgent=True) == 3


def test_protection_may_spend_everything() -> None:
    assert spend(Limiter({PATH: 10}), 1000, urgent=True) == 8


def test_wait_is_until_a_token_is_there() -> None:
    limiter = Limiter({PATH: 10})
    spend(limiter, 1000, urgent=True)
    wait = limiter.acquire(PATH, 1000, urgent=True)
    assert 0 < wait <= 130
    assert limiter.acquire(PATH, 1000 + wait, urgent=True) == 0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 400), st.booleans()), max_size=60))
def test_never_more_than_the_share_in_any_second(steps: list[tuple[int, bool]]) -> None:
    limiter = Limiter({PATH: 10})
    now, granted = 0, []
    for gap, urgent in steps:
        now += gap
        if limiter.acquire(PATH, now, urgent=urgent) == 0:
            granted.append(now)
    for begin in granted:
        assert sum(begin <= at < begin + 1000 for at in granted) <= 16  # a full bucket and a second's refill


def test_headers_lower_what_we_think_is_left() -> None:
    limiter = Limiter({PATH: 10})
    limiter.learn(PATH, {"x-bapi-limit": "10", "x-bapi-limit-status": "3"}, 1000)
    assert spend(limiter, 1000, urgent=True) == 1


def test_headers_change_the_cap() -> None:
    limiter = Limiter({PATH: 10})
    limiter.learn(PATH, {"x-bapi-limit": "20", "x-bapi-limit-status": "20"}, 1000)
    assert spend(limiter, 1000, urgent=True) == 16


@pytest.mark.parametrize("headers", [{}, {"x-bapi-limit": "many"}, {"x-bapi-limit": "0", "x-bapi-limit-status": "0"}])
def test_unreadable_headers_change_nothing(headers: dict[str, str]) -> None:
    limiter = Limiter({PATH: 10})
    limiter.learn(PATH, headers, 1000)
    assert spend(limiter, 1000, urgent=True) == 8


@pytest.mark.parametrize(
    ("reset", "wait"),
    [("5200", 200), ("4000", WAIT_LEAST_MS), ("99999", WAIT_MOST_MS), ("", WAIT_LEAST_MS), ("soon", WAIT_LEAST_MS)],
)
def test_after_10006_the_reset_time_is_obeyed_within_limits(reset: str, wait: int) -> None:
    limiter = Limiter({PATH: 10})
    assert limiter.exceeded(PATH, {"x-bapi-limit-reset-timestamp": reset}, 1000, venue_ms=5000) == wait
    assert limiter.acquire(PATH, 1000, urgent=True) == wait
    assert limiter.acquire(PATH, 1000 + wait, urgent=True) == 0


def test_a_ban_stops_every_endpoint() -> None:
    limiter = Limiter({PATH: 10})
    limiter.banned(1000, {}, 1000)
    assert limiter.acquire("/v5/market/time", 2000, urgent=True) == BAN_MS - 1000
    assert limiter.banned_ms(1000 + BAN_MS) == 0
    assert limiter.acquire(PATH, 1000 + BAN_MS, urgent=True) == 0


@pytest.mark.parametrize(
    ("headers", "wait_ms"),
    [
        ({}, BAN_MS),
        ({"retry-after": "90"}, 90_000),
        ({"x-bapi-limit-reset-timestamp": "7500"}, 2_500),
        ({"x-bapi-limit-reset-timestamp": "4000"}, BAN_MS),
        ({"retry-after": "soon"}, BAN_MS),
        ({"retry-after": "-5"}, BAN_MS),
        ({"retry-after": "99999999"}, BAN_MOST_MS),
    ],
)
def test_a_ban_lasts_as_long_as_the_venue_states(headers: dict[str, str], wait_ms: int) -> None:
    limiter = Limiter({PATH: 10})
    assert limiter.banned(1000, headers, venue_ms=5000) == 1000 + wait_ms
    assert limiter.acquire(PATH, 1000 + wait_ms - 1, urgent=True) > 0
    assert limiter.acquire(PATH, 1000 + wait_ms, urgent=True) == 0


def test_a_ban_and_the_address_s_budget_are_about_rest_alone() -> None:
    limiter = Limiter({PATH: 10})
    limiter.banned(1000, {}, venue_ms=1000)
    assert limiter.acquire(PATH, 1000, urgent=True) == BAN_MS
    assert limiter.acquire(PATH, 1000, urgent=True, rest=False) == 0
    assert limiter.address(1000).wait_ms == BAN_MS
    assert limiter.address(1000).left == limiter.address(1000).size


def test_rest_and_the_trade_socket_spend_the_same_tokens() -> None:
    limiter = Limiter({PATH: 10})
    assert [limiter.acquire(PATH, 1000, urgent=True, rest=bool(count % 2)) for count in range(8)] == [0] * 8
    assert limiter.acquire(PATH, 1000, urgent=True, rest=False) > 0


@pytest.mark.parametrize("rest", [True, False])
def test_both_ways_leave_the_reserve_to_protection(rest: bool) -> None:
    limiter = Limiter({PATH: 10})
    taken = [limiter.acquire(PATH, 1000, urgent=False, rest=rest) for _ in range(9)]
    assert taken.count(0) == 5
    assert [limiter.acquire(PATH, 1000, urgent=True, rest=rest) for _ in range(3)] == [0] * 3


def test_what_is_left_is_told_with_the_reserve_in_it() -> None:
    limiter = Limiter({PATH: 10})
    spend(limiter, 1000, urgent=False)
    (budget,) = limiter.budgets(1000)
    assert (budget.path, budget.cap, budget.size) == (PATH, 10, 8.0)
    assert budget.left == pytest.approx(3.0)
    assert budget.reserve == pytest.approx(2.4)
    assert budget.wait_ms == limiter.acquire(PATH, 1000, urgent=False) > 0
    limiter.learn(PATH, {"x-bapi-limit": "20", "x-bapi-limit-status": "12"}, 1000)
    assert [(budget.cap, budget.left) for budget in limiter.budgets(1000)] == [(20, pytest.approx(8.0))]


def test_a_busy_venue_is_left_alone_by_all_but_protection() -> None:
    limiter = Limiter({PATH: 10})
    limiter.busy(1000)
    assert limiter.acquire(PATH, 1000, urgent=False) == BUSY_MS
    assert limiter.acquire(PATH, 1000, urgent=True) == 0
    assert limiter.acquire(PATH, 1000 + BUSY_MS, urgent=False) == 0


def test_a_ban_of_before_holds_and_never_becomes_shorter() -> None:
    limiter = Limiter({PATH: 10})
    limiter.ban(9000)
    limiter.ban(5000)
    assert limiter.acquire(PATH, 1000, urgent=True) == 8000
    assert limiter.acquire(PATH, 9000, urgent=True) == 0
