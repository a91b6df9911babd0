"""Fault plans: plain data, drawn alike for one seed, striking only where they say."""

import msgspec
import pytest

from breakwall.model.events import Link
from breakwall.sim.faults import Fault, FaultKind, Faults, draw_plan, plan_of, plan_text


def test_a_plan_is_data_that_can_be_kept_and_read_again() -> None:
    plan = draw_plan(7, 60)
    assert plan_of(plan_text(plan)) == plan
    with pytest.raises(msgspec.ValidationError, match="kind"):
        plan_of('[{"kind": "rain"}]')


def test_a_seed_draws_one_plan_inside_its_time() -> None:
    assert draw_plan(7, 60) == draw_plan(7, 60)
    assert draw_plan(7, 60) != draw_plan(8, 60)
    assert all(0 <= fault.from_s <= 60 and fault.from_s < fault.until_s for fault in draw_plan(7, 60))


def test_twenty_seeds_draw_every_kind() -> None:
    assert {fault.kind for seed in range(20) for fault in draw_plan(seed, 60)} == set(FaultKind)


def test_a_fault_strikes_in_its_window_on_its_link_and_its_subject_only() -> None:
    faults = Faults((Fault(FaultKind.FRAME_DROPPED, Link.PUBLIC, 1, 2, 1.0, match="orderbook"),), 0)
    strike = faults.strike
    assert strike(FaultKind.FRAME_DROPPED, Link.PUBLIC, 1.0, "orderbook.50") is not None
    assert strike(FaultKind.FRAME_DROPPED, Link.PUBLIC, 1.0, "publicTrade") is None
    assert strike(FaultKind.FRAME_DROPPED, Link.PRIVATE, 1.0, "orderbook.50") is None
    assert strike(FaultKind.FRAME_LATE, Link.PUBLIC, 1.0, "orderbook.50") is None
    assert strike(FaultKind.FRAME_DROPPED, Link.PUBLIC, 0.9, "orderbook.50") is None
    assert strike(FaultKind.FRAME_DROPPED, Link.PUBLIC, 2.0, "orderbook.50") is None
    assert faults.struck == {FaultKind.FRAME_DROPPED: 1}


def test_probability_is_kept_and_healing_ends_it() -> None:
    faults = Faults((Fault(FaultKind.FRAME_LATE, Link.PUBLIC, 0, 9, 0.25, delay_s=1.0),), 5)
    hits = sum(faults.strike(FaultKind.FRAME_LATE, Link.PUBLIC, 1.0) is not None for _ in range(4000))
    assert 900 < hits < 1100
    faults.heal()
    assert faults.strike(FaultKind.FRAME_LATE, Link.PUBLIC, 1.0) is None
