"""No naked second: what a position's stop needs, at each moment, and how the time without one is counted."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakwall.model.events import Outcome, OutcomeKind
from breakwall.settings import Settings
from breakwall.trading.liquidation import liquidation_ticks
from breakwall.trading.position import Position
from breakwall.trading.positions import Positions
from breakwall.trading.protection import (
    CLOSE_RETRY_MS,
    CLOSE_STUCK_MS,
    LADDER,
    PROOF_GRACE_MS,
    STOP_RETRY_MS,
    CloseNow,
    NakedTime,
    Protection,
    SetStop,
)

T0 = 1_000_000


@pytest.fixture(scope="module")
def protection(make):
    return Protection(Settings().exits, Settings().risk, make.taker)


def need(protection, position, market, after=0, *, exit_working=False):
    return protection.need(position, market, T0 + after, exit_working=exit_working)


def test_an_attached_stop_gets_a_moment_to_prove_itself(make, protection):
    position = make.position(10)
    assert need(protection, position, make.market(), PROOF_GRACE_MS - 1) is None
    assert need(protection, position, make.market(), PROOF_GRACE_MS) == SetStop(598_800, "open without a stop")


def test_when_the_venue_says_there_is_no_stop_it_is_set_at_once(make, protection):
    position = make.position(10)
    position.prove(make.position_report(10, None), T0)
    assert need(protection, position, make.market()) == SetStop(598_800, "open without a stop")
    position.asked_stop(598_800, T0)
    assert need(protection, position, make.market(), STOP_RETRY_MS - 1) is None
    assert isinstance(need(protection, position, make.market(), STOP_RETRY_MS), SetStop)


def test_an_entry_without_a_confirmed_stop_is_closed_within_the_limit(make, protection):
    position = make.position(10)
    answer = need(protection, position, make.market(), 2_000)
    assert isinstance(answer, CloseNow)
    assert (answer.leg, answer.limit_ticks, answer.why) == ("k", None, "no stop confirmed after 2000 ms")


def test_a_confirmed_stop_waits_for_its_proof_until_the_venue_denies_it(make, protection):
    positions = Positions(make.instruments)
    positions.on_fill(make.fill("e1"), make.entry(), make.origin())
    position = positions.get("BTCUSDT")
    position.asked_stop(598_800, T0 + 300)
    positions.on_stop_outcome(Outcome("stop", "BTCUSDT", "bw-1-1-s", OutcomeKind.CONFIRMED))
    assert isinstance(need(protection, position, make.market(), 2_500), SetStop)
    position.prove(make.position_report(10, None), T0 + 2_600)
    assert isinstance(need(protection, position, make.market(), 2_600), CloseNow)


def test_a_refused_stop_closes_the_position(make, protection):
    positions = Positions(make.instruments)
    positions.on_fill(make.fill("e1"), make.entry(), make.origin())
    positions.on_stop_outcome(Outcome("stop", "BTCUSDT", "bw-1-1-s", OutcomeKind.REJECTED))
    answer = need(protection, positions.get("BTCUSDT"), make.market(), 10)
    assert answer == CloseNow("the stop was refused", "k")


def test_a_price_through_the_stop_closes_instead(make, protection):
    position = make.position(10)
    position.prove(make.position_report(10, None), T0)
    answer = need(protection, position, make.market(mark=Decimal("59880.0")))
    assert "through the stop" in answer.why


def test_a_vanished_stop_is_set_again_where_it_was_never_looser(make, protection):
    position = make.position(10, stop_ticks=600_700)
    position.prove(make.position_report(10, None), T0 + 50)
    assert need(protection, position, make.market(mark=Decimal(60_500)), 60).stop_ticks == 600_700


def test_a_position_from_the_journal_waits_for_the_first_read_back(make, protection):
    position = make.position(10, naked_ms=None)
    assert need(protection, position, make.market(), 60_000) is None


@pytest.mark.parametrize("lots", [10, -10])
def test_an_adopted_position_gets_a_default_stop_inside_liquidation(make, protection, lots):
    sign = 1 if lots > 0 else -1
    position = Position(make.btc, 0, T0, "1-1")
    position.correct(make.position_report(lots, None), make.origin())
    position.prove(make.position_report(lots, None), T0)
    market = make.market(mark=Decimal(60_000) - sign * 300)
    stop = need(protection, position, market).stop_ticks
    assert stop == (591_030 if lots > 0 else 609_030)
    position.liquidation = Decimal(60_000) - sign * 600
    assert sign * (protection.first_stop(position, market) - 600_000) == -4_200


def test_closing_is_repeated_and_escalated_until_flat(make, protection):
    position, market = make.position(10), make.market()
    ways = []
    for n in range(6):
        at = n * CLOSE_RETRY_MS
        answer = protection.close(position, market, "time stop") if n == 0 else need(protection, position, market, at)
        ways.append(answer.limit_ticks)
        position.asked_out(answer.why, make.origin(n, T0 + at))
        assert need(protection, position, market, at + CLOSE_RETRY_MS - 1) is None
    assert ways == [None, None, 597_000, 594_600, 594_600, None], "never outside the venue's band of 1 %"
    assert position.reason == "time stop"
    assert len(LADDER) == 5


def test_a_close_that_does_not_get_through_does_not_stop_the_stop(make, protection):
    position = make.position(10)
    position.prove(make.position_report(10, None), T0)
    position.asked_out("target", make.origin(2, T0))
    assert need(protection, position, make.market(), 500) is None
    position.asked_out("target", make.origin(3, T0 + 1_000))
    assert need(protection, position, make.market(), 1_500) == SetStop(598_800, "not closed yet and without a stop")
    position.asked_stop(598_800, T0 + 1_500)
    assert need(protection, position, make.market(), 1_600) is None


def test_a_close_that_seems_to_work_is_given_longer(make, protection):
    position = make.position(10, stop_ticks=598_800)
    position.asked_out("time stop", make.origin(1, T0))
    assert need(protection, position, make.market(), CLOSE_STUCK_MS - 1, exit_working=True) is None
    assert isinstance(need(protection, position, make.market(), CLOSE_STUCK_MS, exit_working=True), CloseNow)


def test_without_a_stop_no_close_is_given_longer(make, protection):
    """An answer that never came must not cost three seconds each time."""
    position = make.position(10)
    position.asked_out("no stop", make.origin(1, T0))
    assert need(protection, position, make.market(), CLOSE_RETRY_MS - 1, exit_working=True) is None
    assert isinstance(need(protection, position, make.market(), CLOSE_RETRY_MS, exit_working=True), CloseNow)


@pytest.mark.parametrize(("lots", "ahead", "stop"), [(10, 603_000, 600_661), (-10, 597_000, 599_340)])
def test_a_breakout_half_a_percent_ahead_moves_to_breakeven_with_fees(make, protection, lots, ahead, stop):
    sign = 1 if lots > 0 else -1
    position = make.position(lots, stop_ticks=600_000 - sign * 1_200)
    near = make.market(bid=ahead - sign, ask=ahead - sign, mark=make.btc.price(ahead))
    assert need(protection, position, near) is None
    there = make.market(bid=ahead, ask=ahead, mark=make.btc.price(ahead))
    answer = need(protection, position, there)
    assert answer == SetStop(stop, "breakeven: 0.50% ahead")
    gross = sign * (answer.stop_ticks - 600_000)
    assert gross >= make.taker * (600_000 + answer.stop_ticks)
    position.prove(make.position_report(lots, stop), T0)
    assert need(protection, position, there) is None


def test_breakeven_pays_back_funding(make, protection):
    position = make.position(10)
    without = protection.breakeven(position)
    position.funding_usdt = Decimal("0.6")
    assert protection.breakeven(position) - without == 600


def test_a_bounce_whose_wall_erodes_goes_to_breakeven_or_out(make, protection):
    position = make.position(10, "bounce", stop_ticks=598_800)
    plan = position.plan
    wall = make.wall(bid=True, near=plan.wall_near_ticks, lots=36)
    high = {"bid": 601_000, "ask": 601_001, "mark": Decimal(60_100)}
    assert need(protection, position, make.market(walls=(wall,), **high)) is None
    wall.lots = 35
    assert need(protection, position, make.market(walls=(wall,), **high)).stop_ticks == 600_661
    out = need(protection, position, make.market(walls=(wall,), bid=600_300, ask=600_301))
    assert "breakeven would trigger at once" in out.why
    wall.in_view = False
    assert need(protection, position, make.market(walls=(wall,), bid=600_300, ask=600_301)) is None


@given(long=st.booleans(), price=st.integers(560_000, 640_000), age=st.integers(0, 10_000), told=st.booleans())
@settings(max_examples=100, deadline=None)
def test_without_a_stop_there_is_always_a_way_out_in_time(make, protection, long, price, age, told):
    """Any price, any age: within the grace nothing, later a stop that cannot fire at once, or a close."""
    lots, sign = (10, 1) if long else (-10, -1)
    position = make.position(lots)
    if told:
        position.prove(make.position_report(lots, None, mark=make.btc.price(price)), T0)
    market = make.market(bid=price, ask=price + 1, mark=make.btc.price(price))
    answer = need(protection, position, market, age)
    if answer is None:
        assert not told
        assert age < PROOF_GRACE_MS
    elif isinstance(answer, SetStop):
        assert age < 2_000
        assert sign * (price - answer.stop_ticks) > 0
        assert sign * (answer.stop_ticks - liquidation_ticks(make.btc, sign, 600_000, Decimal(10))) > 0
    else:
        assert answer.leg == "k"


def test_time_without_a_stop_is_counted_on_the_venues_timeline(make):
    naked = NakedTime()
    naked.on_report(make.position_report(10, 598_800, updated_ms=100))
    naked.on_report(make.position_report(0, None, updated_ms=900))
    assert naked.unprotected_ms_max == 0
    naked.on_report(make.position_report(10, None, updated_ms=1_000))
    naked.on_report(make.position_report(10, None, updated_ms=1_040))
    assert naked.unprotected_ms_max == 40
    assert naked.worst_ms(venue_ms=1_500) == 500  # it is naked still
    naked.on_report(make.position_report(10, 598_800, updated_ms=1_070))
    naked.on_report(make.position_report(10, None, updated_ms=1_050))
    naked.on_report(make.position_report(0, None, updated_ms=9_000))
    assert naked.unprotected_ms_max == naked.worst_ms(venue_ms=20_000) == 70


def test_the_delay_of_the_proof_is_from_first_fill_to_first_proof(make):
    naked, position = NakedTime(), make.position(10)
    naked.on_proof(position)
    position.prove(make.position_report(10), T0 + 30)
    naked.on_proof(position)
    position.prove(make.position_report(10), T0 + 9_000)
    naked.on_proof(position)
    assert naked.proof_delay_ms_max == 30
