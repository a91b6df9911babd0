"""Faults: plain data, striking only where they say."""

import msgspec
import pytest

from breakwall.model.events import Link
from breakwall.sim.mixes import MIXES, draw_plan
from breakwall.sim.session import drawn, session_of
from breakwall.venues.exchange.faults import ACTS, SERVED_ONLY, Fault, FaultKind, Faults


def test_a_session_is_data_that_can_be_kept_and_read_again() -> None:
    session = drawn(7, mix=MIXES["storm"], crashes=2)
    assert session.faults
    assert session_of(session.text) == session
    with pytest.raises(msgspec.ValidationError, match="kind"):
        session_of('{"seed": 1, "faults": [{"kind": "rain"}]}')


def test_a_seed_draws_one_plan_inside_its_time() -> None:
    storm = MIXES["storm"]
    assert draw_plan(storm, 7, 60) == draw_plan(storm, 7, 60)
    assert draw_plan(storm, 7, 60) != draw_plan(storm, 8, 60)
    assert all(0 <= fault.from_s <= 80 and fault.from_s < fault.until_s for fault in draw_plan(storm, 7, 60))


def test_twenty_storms_have_every_kind() -> None:
    assert {fault.kind for seed in range(20) for fault in draw_plan(MIXES["storm"], seed, 60)} == set(
        FaultKind
    ) - SERVED_ONLY


def test_a_fault_strikes_in_its_window_on_its_link_and_its_subject_only() -> None:
    fault = Fault(FaultKind.FRAME_DROPPED, 1, 2, link=Link.PUBLIC, match="orderbook")
    strike = Faults((fault,), 0).strike
    assert strike(FaultKind.FRAME_DROPPED, 1.0, Link.PUBLIC, "orderbook.50") == fault
    assert strike(FaultKind.FRAME_DROPPED, 1.0, Link.PUBLIC, "publicTrade") is None
    assert strike(FaultKind.FRAME_DROPPED, 1.0, Link.PRIVATE, "orderbook.50") is None
    assert strike(FaultKind.FRAME_LATE, 1.0, Link.PUBLIC, "orderbook.50") is None
    assert strike(FaultKind.FRAME_DROPPED, 0.9, Link.PUBLIC, "orderbook.50") is None
    assert strike(FaultKind.FRAME_DROPPED, 2.0, Link.PUBLIC, "orderbook.50") is None


def test_probability_is_kept_and_healing_ends_it() -> None:
    faults = Faults((Fault(FaultKind.COMMIT_SLOW, 0, 9, 0.25, delay_s=1.0),), 5)
    hits = sum(faults.strike(FaultKind.COMMIT_SLOW, 1.0) is not None for _ in range(4000))
    assert 900 < hits < 1100
    assert faults.struck == {FaultKind.COMMIT_SLOW: hits}
    faults.heal()
    assert faults.strike(FaultKind.COMMIT_SLOW, 1.0) is None


def test_leaving_out_a_fault_does_not_change_when_the_others_strike() -> None:
    rain, wind = Fault(FaultKind.ANSWER_LOST, 0, 9, 0.5), Fault(FaultKind.REQUEST_LOST, 0, 9, 0.5)

    def struck(*plan: Fault) -> list[bool]:
        faults = Faults(plan, 5)
        both = [[faults.strike(kind, 1.0) is not None for kind in (rain.kind, wind.kind)] for _ in range(100)]
        return [second for _, second in both]

    assert struck(rain, wind) == struck(wind)


@pytest.mark.parametrize("kind", sorted(ACTS, key=lambda kind: kind.value))
def test_acts_strike_nothing_by_themselves(kind: FaultKind) -> None:
    assert Faults((Fault(kind, 0),), 1).strike(kind, 1.0) is None
