"""The API breaker's table, cell by cell, and what the sink hears of it."""

import pytest

from breakwall.model.api import ApiGroup, ApiHealth, ApiState
from breakwall.venues.circuit import FAILURES, FIRST_MS, MOST_MS, PROBE_MS, Circuit, Circuits

CLOSED, OPEN, HALF_OPEN, BANNED = ApiState.CLOSED, ApiState.OPEN, ApiState.HALF_OPEN, ApiState.BANNED
T0 = 1_000_000


def circuit(state: ApiState, at_ms: int = T0) -> Circuit:
    """One that came to this state at `at_ms`, or whose probe left then."""
    made = Circuit(ApiGroup.ORDERS)
    opened_ms = at_ms - FIRST_MS if state is HALF_OPEN else at_ms
    for _ in range(0 if state is CLOSED else FAILURES):
        made.failed("time-out", opened_ms)
    if state is HALF_OPEN:
        assert made.refusal(at_ms, always=False) == ""
    assert made.state is state
    return made


@pytest.mark.parametrize(
    ("state", "after_ms", "entry", "always", "then"),
    [
        (CLOSED, 0, True, True, CLOSED),
        (OPEN, 0, False, True, OPEN),
        (OPEN, FIRST_MS - 1, False, True, OPEN),
        (OPEN, FIRST_MS, True, True, HALF_OPEN),
        (HALF_OPEN, 0, False, True, HALF_OPEN),
        (HALF_OPEN, PROBE_MS - 1, False, True, HALF_OPEN),
        (HALF_OPEN, PROBE_MS, True, True, HALF_OPEN),
    ],
)
def test_who_may_pass(state: ApiState, after_ms: int, entry: bool, always: bool, then: ApiState) -> None:
    for protects, passes in ((False, entry), (True, always)):
        asked = circuit(state)
        refusal = asked.refusal(T0 + after_ms, always=protects)
        assert (refusal == "", asked.state) == (passes, then)
        assert passes or "time-out" in refusal


@pytest.mark.parametrize("state", [CLOSED, OPEN, HALF_OPEN])
def test_an_answer_closes_and_counts_anew(state: ApiState) -> None:
    answered = circuit(state)
    answered.succeeded()
    assert answered.health == ApiHealth(ApiGroup.ORDERS, CLOSED)
    for _ in range(FAILURES - 1):
        answered.failed("time-out", T0)
    assert answered.state is CLOSED
    answered.failed("HTTP 502", T0)
    assert answered.health == ApiHealth(ApiGroup.ORDERS, OPEN, "HTTP 502", T0 + FIRST_MS, FAILURES)


def test_each_failed_probe_doubles_the_wait_up_to_its_most() -> None:
    failing, now, waits = circuit(OPEN), T0, []
    for _ in range(6):
        assert failing.until_ms is not None
        waits.append(failing.until_ms - now)
        now = failing.until_ms
        assert failing.refusal(now, always=False) == ""
        assert failing.refusal(now, always=False) != ""
        failing.failed("time-out", now)
    assert waits == [30_000, 60_000, 120_000, 240_000, MOST_MS, MOST_MS]


def test_failing_protection_does_not_keep_an_open_one_open_for_longer() -> None:
    failing = circuit(OPEN)
    until_ms = failing.until_ms
    for _ in range(50):
        assert failing.refusal(T0 + 1_000, always=True) == ""
        failing.failed("time-out", T0 + 1_000)
    assert (failing.state, failing.until_ms) == (OPEN, until_ms)


class Heard(list[ApiHealth]):
    def put(self, event: ApiHealth, frame: None = None) -> None:
        self.append(event)


def test_groups_fail_apart_and_changes_are_told_once() -> None:
    heard = Heard()
    circuits = Circuits(heard)
    for _ in range(FAILURES + 3):
        circuits.failed(ApiGroup.ORDERS, "time-out", T0)
    circuits.failed(ApiGroup.ACCOUNT, "time-out", T0)
    assert circuits.refusal(ApiGroup.ORDERS, T0, always=False)
    assert not circuits.refusal(ApiGroup.STOPS, T0, always=False)
    assert [(health.group, health.state) for health in heard] == [(ApiGroup.ORDERS, OPEN)]
    assert not circuits.refusal(ApiGroup.ORDERS, T0 + FIRST_MS, always=False)
    circuits.succeeded(ApiGroup.ORDERS, T0 + FIRST_MS)
    circuits.succeeded(ApiGroup.ORDERS, T0 + FIRST_MS)
    assert [health.state for health in heard] == [OPEN, HALF_OPEN, CLOSED]


@pytest.mark.parametrize("group", [ApiGroup.ORDERS, ApiGroup.ALL])
def test_a_person_closes_one_or_all(group: ApiGroup) -> None:
    heard = Heard()
    circuits = Circuits(heard)
    for broken in (ApiGroup.ORDERS, ApiGroup.STOPS):
        for _ in range(FAILURES):
            circuits.failed(broken, "time-out", T0)
    circuits.reset(group)
    assert not circuits.refusal(ApiGroup.ORDERS, T0, always=False)
    assert (circuits.refusal(ApiGroup.STOPS, T0, always=False) == "") == (group is ApiGroup.ALL)


def test_a_ban_ends_with_an_answer_after_its_time_and_not_by_hand() -> None:
    heard = Heard()
    circuits = Circuits(heard)
    circuits.banned("HTTP 403", T0 + 60_000)
    circuits.succeeded(ApiGroup.ACCOUNT, T0 + 1)
    circuits.reset(ApiGroup.ALL)
    assert [health.state for health in heard] == [BANNED]
    assert heard[0].until_ms == T0 + 60_000
    circuits.succeeded(ApiGroup.ACCOUNT, T0 + 60_000)
    assert heard[-1] == ApiHealth(ApiGroup.ALL, CLOSED)
