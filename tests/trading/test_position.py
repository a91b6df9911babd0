"""Positions: the table, fills booked once, cash apart, and the exchange's quantity over ours."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from breakwall.model.events import ReadBack
from breakwall.model.units import Side
from breakwall.trading.position import TRANSITIONS, Position, PositionCause, PositionState, TransitionError
from breakwall.trading.positions import REST_LAG_MS, SETTLE_MS, UNSEEN_MS, Positions

ENTRY_ID = "bw-1-1-e"
STOP_FILL = {"client_id": "", "order_id": "child", "stop_kind": "StopLoss"}


@pytest.fixture
def positions(make):
    return Positions(make.instruments)


def opened(make, positions, lots=10):
    positions.opening(make.entry(lots=lots), make.origin())
    positions.on_fill(make.fill("e1", lots, seq=10), make.entry(lots=lots), make.origin(2))
    return positions.get("BTCUSDT")


@pytest.mark.parametrize(("state", "cause"), [(s, c) for s in PositionState for c in PositionCause])
def test_every_pair_moves_by_the_table_or_is_refused(make, state, cause):
    position = Position(make.btc, 0, 0, "1-1")
    position.state = state
    expected = TRANSITIONS[state].get(cause)
    if expected is None:
        with pytest.raises(TransitionError, match=f"{cause.value} is not possible in {state.value}"):
            position.move(cause, 5, "1-5")
    else:
        position.move(cause, 5, "1-5")
    assert position.state is (expected or state)
    line = next(
        line
        for line in Position.__doc__.splitlines()
        if line.strip().startswith(f"{state.value} ") or line.strip().startswith(f"{state.value}:")
    )
    assert (cause.value in line) == (expected is not None)


def test_a_round_trip_is_booked_with_average_entry_fees_and_funding(make, positions):
    """The vector of the contract: 60,000 to 61,000, 0.1 coins, taker both ways: gross 100, net 93.345."""
    positions.opening(make.entry(lots=100), make.origin())
    positions.on_fill(make.fill("e1", 100), make.entry(lots=100), make.origin(2))
    funding = make.fill("f1", 100, 605_000, exec_kind="Funding", fee_usdt=Decimal("0.605"))
    positions.on_fill(funding, None, make.origin(3))
    position = positions.get("BTCUSDT")
    assert (position.lots, position.funding_usdt) == (100, Decimal("0.605"))
    position.asked_out("take-profit", make.origin(4))
    out = make.fill("e2", 100, 610_000, Side.SELL, client_id="bw-1-2-x", closed_lots=100)
    change = positions.on_fill(out, make.exit(lots=100), make.origin(5, 1_060_000))[0]
    trade = change.closed
    assert (trade.gross_usdt, trade.fees_usdt, trade.net_usdt) == (100, Decimal("6.655"), Decimal("92.740"))
    assert (trade.reason, trade.strategy, trade.side, trade.external) == ("take-profit", "breakout", Side.BUY, False)
    assert (trade.entry, trade.exit, trade.lots) == (60_000, 61_000, 100)
    assert (trade.opened_ms, trade.closed_ms) == (1_000_000, 1_060_000)
    assert positions.get("BTCUSDT") is None


def test_average_entry_of_two_fills(make, positions):
    opened(make, positions, 10)
    positions.on_fill(make.fill("e2", 30, 600_400), None, make.origin(3))
    assert positions.get("BTCUSDT").entry == Decimal(60030)


def test_an_execution_is_booked_once(make, positions):
    opened(make, positions)
    assert positions.on_fill(make.fill("e1"), make.entry(), make.origin(3)) == []
    assert positions.get("BTCUSDT").lots == 10


def test_the_venues_stop_closes_ours_and_a_strangers_order_closes_externally(make, positions):
    opened(make, positions)
    change = positions.on_fill(make.fill("e2", 10, 598_800, Side.SELL, seq=11, **STOP_FILL), None, make.origin(3))[0]
    assert (change.closed.reason, change.closed.external, change.alarm) == ("stop", False, False)
    opened_again = make.fill("e3", 10, seq=12)
    positions.on_fill(opened_again, make.entry(), make.origin(4))
    by_hand = make.fill("e4", 10, 600_100, Side.SELL, client_id="", order_id="web", seq=13)
    change = positions.on_fill(by_hand, None, make.origin(5))[0]
    assert (change.closed.reason, change.closed.external, change.alarm) == ("closed externally", True, True)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("BustTrade", "liquidation"),
        ("AdlTrade", "auto-deleveraging"),
        ("Delivery", "delivery"),
        ("Settle", "delivery"),
        ("BlockTrade", "closed externally"),
        ("MovePosition", "closed externally"),
        ("FutureSpread", "closed externally"),
    ],
)
def test_forced_closes_move_the_position_and_name_themselves(make, positions, kind, reason):
    opened(make, positions)
    forced = make.fill("e2", 10, 540_000, Side.SELL, client_id="", order_id="liq", exec_kind=kind)
    assert positions.on_fill(forced, None, make.origin(3))[0].closed.reason == reason


@pytest.mark.parametrize("kind", ["Delivery", "Settle"])
def test_the_end_of_a_contract_opens_and_grows_nothing(make, positions, kind):
    ending = make.fill("d1", 10, client_id="", exec_kind=kind, seq=11)
    assert [change.kind for change in positions.on_fill(ending, None, make.origin(3))] == ["cash"]
    assert positions.get("BTCUSDT") is None
    position = opened(make, positions)
    again = make.fill("d2", 10, client_id="", exec_kind=kind, seq=12)
    assert [change.kind for change in positions.on_fill(again, None, make.origin(3))] == ["cash"]
    assert position.lots == 10


def test_a_flip_closes_and_opens_the_rest(make, positions):
    opened(make, positions)
    kinds = [c.kind for c in positions.on_fill(make.fill("e2", 15, 600_000, Side.SELL), None, make.origin(3))]
    assert kinds == ["closed", "opened"]
    assert positions.get("BTCUSDT").lots == -5


def test_an_entry_without_a_fill_leaves_nothing(make, positions):
    positions.opening(make.entry(), make.origin())
    assert positions.entry_ended("other", "BTCUSDT", 0, make.origin(2)) is None
    assert positions.entry_ended("bw-1-1-e", "BTCUSDT", 0, make.origin(2)).kind == "ended"
    assert positions.get("BTCUSDT") is None


def test_the_report_and_the_fill_may_race_either_way(make, positions):
    positions.opening(make.entry(), make.origin())
    assert positions.on_report(make.position_report(10, seq=10), make.origin(2)) == []
    positions.on_fill(make.fill("e1", 10, seq=10), make.entry(), make.origin(3, 1_000_050))
    assert positions.on_time(make.origin(4, 1_009_000)) == []
    assert positions.get("BTCUSDT").lots == 10


def test_the_exchange_is_the_truth_once_it_has_stood(make, positions):
    opened(make, positions)
    assert [change.kind for change in positions.on_report(make.position_report(6, seq=11), make.origin(3))] == [
        "stop"
    ]
    assert positions.on_time(make.origin(4, 1_000_000 + UNSEEN_MS - 1)) == []
    change = positions.on_time(make.origin(5, 1_000_000 + UNSEEN_MS))[0]
    assert (change.kind, change.alarm, positions.get("BTCUSDT").lots) == ("corrected", True, 6)
    late = make.fill("e2", 4, 600_500, Side.SELL, seq=11, client_id="", order_id="web", closed_lots=4)
    assert [c.kind for c in positions.on_fill(late, None, make.origin(6, 1_005_000))] == ["cash"]
    held = positions.get("BTCUSDT")
    assert (held.lots, held.gross_usdt) == (6, Decimal("0.2"))  # 4 lots of 0.001 at 50 more


def test_more_than_we_know_of_does_not_wait_for_its_executions(make, positions):
    opened(make, positions)
    positions.on_report(make.position_report(16, seq=11), make.origin(3))
    assert positions.on_time(make.origin(4, 1_000_000 + SETTLE_MS - 1)) == []
    assert [change.kind for change in positions.on_time(make.origin(5, 1_000_000 + SETTLE_MS))] == ["corrected"]


def test_missing_executions_are_asked_for_once(make, positions):
    opened(make, positions)
    positions.on_report(make.position_report(0, None, seq=11), make.origin(3))
    due = 1_000_000 + SETTLE_MS
    assert [positions.misses(0, at_ms) for at_ms in (due - 1, due, due + 2_000)] == [False, True, True]
    assert not positions.misses(due, due + 2_000)


def test_a_report_older_than_the_last_fill_says_nothing(make, positions):
    opened(make, positions)
    positions.on_report(make.position_report(0, None, seq=9), make.origin(3))
    assert positions.on_time(make.origin(4, 1_009_000)) == []
    assert positions.get("BTCUSDT").lots == 10


def test_gone_at_the_exchange_is_closed_externally_at_the_mark(make, positions):
    opened(make, positions)
    report = make.position_report(0, None, seq=11, mark=Decimal(60_100))
    positions.on_report(report, make.origin(3))
    trade = positions.on_time(make.origin(4, 1_000_000 + UNSEEN_MS))[0].closed
    assert (trade.external, trade.estimated, trade.exit) == (True, True, 60_100)
    late = make.fill("e9", 10, 600_500, Side.SELL, client_id="", closed_lots=10, seq=12)
    assert [c.kind for c in positions.on_fill(late, None, make.origin(5, 1_002_000))] == ["cash"]
    assert positions.get("BTCUSDT") is None


def test_a_position_nobody_opened_here_is_adopted(make, positions):
    positions.on_report(make.position_report(-3, None), make.origin())
    change = positions.on_time(make.origin(2, 1_001_000))[0]
    position = positions.get("BTCUSDT")
    assert (change.kind, position.lots, position.strategy, position.told_naked) == ("adopted", -3, "adopted", True)


def test_proof_comes_from_the_venues_word_only(make, positions):
    position = opened(make, positions)
    assert (position.proven_ms, position.naked_ms) == (None, 1_000_000)
    positions.on_report(make.position_report(10, 598_800, seq=11), make.origin(3, 1_000_080))
    assert (position.stop_ticks, position.proven_ms, position.naked_ms) == (598_800, 1_000_080, None)
    positions.on_report(make.position_report(10, None, seq=12), make.origin(4, 1_000_200))
    assert (position.stop_ticks, position.naked_ms, position.told_naked) == (None, 1_000_200, True)


def read_back(make, asked_ms, positions=(), fills=(), purpose="periodic"):
    return ReadBack((), tuple(positions), tuple(fills), make.wallet(), asked_ms, purpose)


def test_a_read_back_closes_what_is_gone_and_books_missed_fills_first(make, positions):
    opened(make, positions)
    stopped = make.fill("e2", 10, 598_800, Side.SELL, seq=12, at_ms=1_005_000, **STOP_FILL)
    answer = read_back(make, 1_010_000, fills=[stopped])
    changes = positions.on_read_back(answer, {}, make.origin(3, 1_010_100))
    assert [(c.kind, c.closed.reason, c.closed.estimated) for c in changes] == [("closed", "stop", False)]
    assert positions.on_read_back(answer, {}, make.origin(4, 1_010_200)) == []


def test_a_read_back_asked_before_or_right_after_a_fill_does_not_undo_it(make, positions):
    opened(make, positions)
    for asked in (999_000, 1_000_000, 1_000_000 + REST_LAG_MS):
        assert positions.on_read_back(read_back(make, asked), {}, make.origin(3, 1_001_100)) == []
    changes = positions.on_read_back(read_back(make, 1_000_001 + REST_LAG_MS), {}, make.origin(4, 1_002_000))
    assert changes[0].closed.external


@pytest.mark.parametrize("told", [False, True], ids=["not shown", "shown as it was"])
def test_a_quantity_read_before_a_fill_beside_it_does_not_undo_it(make, positions, told):
    """The parts of a read-back are read at different moments: here the fill came between the two."""
    intent = make.entry()
    positions.opening(intent, make.origin())
    reports = (make.position_report(0, None, seq=9, updated_ms=999_000),) if told else ()
    back = ReadBack((), reports, (make.fill("e1", seq=10),), make.wallet(), 1_000_500, "periodic")
    changes = positions.on_read_back(back, {intent.client_id: intent}, make.origin(2, 1_005_500))
    assert [change.kind for change in changes] == ["opened"]
    assert positions.get("BTCUSDT").plan == intent.plan
    later = ReadBack((), (), back.fills, make.wallet(), 1_007_000, "periodic")
    assert [change.kind for change in positions.on_read_back(later, {}, make.origin(3, 1_007_100))] == ["closed"]


def test_fills_of_an_earlier_life_are_not_booked(make, positions):
    old = [make.fill("o1", 5, client_id="web"), make.fill("o2", 5, side=Side.SELL, client_id="web")]
    assert positions.on_read_back(read_back(make, 2_000_000, fills=old), {}, make.origin(2, 2_000_100)) == []


def test_after_a_restart_nothing_is_proven(make, positions):
    position = opened(make, positions)
    positions.on_report(make.position_report(10, 598_800, seq=11), make.origin(3))
    positions.restarted()
    assert (position.stop_ticks, position.proven_ms, position.held_stop_ticks) == (None, None, 598_800)
    positions.on_read_back(
        read_back(make, 1_000_100, [make.position_report(10, 598_800, seq=11)]), {}, make.origin(1, 1_000_200, 2)
    )
    assert (position.stop_ticks, position.proven_ms) == (598_800, 1_000_200)


def test_new_trading_rules_convert_a_position_exactly(make, positions):
    position = opened(make, positions)
    positions.on_report(make.position_report(10, 598_805, seq=11), make.origin(3))
    position.observe(600_010, 1_000_100)
    positions.convert(replace(make.btc, tick=Decimal("0.5"), lot=Decimal("0.0005")))
    assert (position.lots, position.entry, position.max_lots) == (20, 60_000, 20)
    assert (position.stop_ticks, position.held_stop_ticks, position.plan.stop_ticks) == (119_761, 119_761, 119_760)
    assert (position.best_ticks, position.plan.entry_ticks) == (120_002, 120_000)


@pytest.mark.parametrize("kind", ["Funding", "SessionSettlePnL", "CorporateAction", "Fee", "", "UNKNOWN"])
@pytest.mark.parametrize("side", Side)
def test_only_executions_of_trades_move_a_position(make, positions, kind, side):
    """Whatever size the venue writes on them, all others are cash: nothing opens, grows, shrinks or closes."""
    fill = make.fill("f0", 10, side=side, exec_kind=kind)
    assert [change.kind for change in positions.on_fill(fill, make.entry(), make.origin())] == ["cash"]
    assert positions.get("BTCUSDT") is None
    position = opened(make, positions)
    fill = make.fill("f1", 10, side=side, exec_kind=kind, seq=11)
    (change,) = positions.on_fill(fill, make.entry(), make.origin(3))
    assert (change.kind, change.step.lots, change.step.entry) == ("cash", 10, 60_000)
    assert (position.lots, position.max_lots, position.gross_usdt, position.state) == (10, 10, 0, PositionState.OPEN)


def test_each_change_carries_what_the_position_is_after_it(make, positions):
    positions.opening(make.entry(), make.origin(1, 999_000))
    steps = [
        *positions.on_fill(make.fill("e1", 6, seq=10), make.entry(), make.origin(2)),
        *positions.on_fill(make.fill("e2", 4, seq=11), make.entry(), make.origin(3)),
        *positions.on_report(make.position_report(10, 598_800, seq=11, liquidation=Decimal(54_000)), make.origin(4)),
        *positions.on_report(make.position_report(10, 600_400, seq=12), make.origin(5)),
        *positions.on_report(make.position_report(10, 600_400, seq=13), make.origin(6)),
        *positions.on_fill(make.fill("e3", 10, 600_300, Side.SELL, seq=14, **STOP_FILL), None, make.origin(7)),
    ]
    told = [(change.note.record.what, change.note.record.qty, change.note.record.stop) for change in steps]
    assert told == [
        ("opened", Decimal("0.006"), None),
        ("grew", Decimal("0.010"), None),
        ("stop", Decimal("0.010"), 59_880),
        ("stop", Decimal("0.010"), 60_040),
        ("closed", 0, 60_040),
    ]
    first = steps[0].step
    assert (first.entry, first.strategy, first.entry_id, first.opened_ms) == (60_000, "breakout", ENTRY_ID, 1_000_000)
    assert steps[2].step.liquidation == 54_000
    assert [change.note.level for change in steps] == ["info", "info", "debug", "debug", "info"]


def test_a_stop_that_vanished_is_an_alarm(make, positions):
    opened(make, positions)
    positions.on_report(make.position_report(10, 598_800, seq=11), make.origin(3))
    (change,) = positions.on_report(make.position_report(10, None, seq=12), make.origin(4))
    assert (change.kind, change.step.stop, change.note.level) == ("stop", None, "warning")


@pytest.mark.parametrize("side", Side)
def test_a_closed_trade_tells_its_plan_and_its_best_and_worst_moment(make, positions, side):
    """Bought at 60,000, up to 60,050, down to 59,990, closed at 59,980; and the mirror image of it, sold."""
    sign, exit_side = side.sign, side.opposite
    positions.opening(make.entry(side=side), make.origin())
    positions.on_fill(make.fill("e1", side=side, seq=10), make.entry(side=side), make.origin(2))
    position = positions.get("BTCUSDT")
    for n, away in enumerate((100, 500, -100)):
        position.observe(600_000 + sign * away, 1_000_000 + n)
    out = make.fill("e2", 10, 600_000 - sign * 200, exit_side, seq=11)
    trade = positions.on_fill(out, make.exit(side=exit_side), make.origin(3))[0].closed
    assert (trade.side, trade.best, trade.worst) == (side, 50, -20)
    planned = (trade.qty, trade.planned_entry, trade.planned_stop, trade.planned_target)
    assert planned == (Decimal("0.010"), 60_000, 60_000 - sign * 120, 60_000 + sign * 1_200)


def test_best_and_worst_of_an_adopted_short_count_from_its_real_entry(make, positions):
    positions.on_report(make.position_report(-3, 601_200), make.origin())
    positions.on_time(make.origin(2, 1_001_000))
    position = positions.get("BTCUSDT")
    for n, ticks in enumerate((600_300, 599_000)):
        position.observe(ticks, 1_001_000 + n)
    out = make.fill("e2", 3, 599_500, side=Side.BUY, client_id="", seq=11, at_ms=1_002_000)
    trade = positions.on_fill(out, None, make.origin(3, 1_002_000))[0].closed
    assert (trade.strategy, trade.side, trade.best, trade.worst) == ("adopted", Side.SELL, 100, -30)
    assert (trade.planned_entry, trade.planned_stop, trade.planned_target) == (None, None, None)


@given(fills=st.lists(st.tuples(st.integers(-20, 20).filter(bool), st.integers(590_000, 610_000)), max_size=12))
@settings(max_examples=60, deadline=None)
def test_money_adds_up_whatever_is_filled(make, fills):
    """Sum of net results plus the open position's cost equals the cash that flowed, to the last digit of a cent."""
    positions, trades, cash, lots = Positions(make.instruments), [], Decimal(0), 0
    for n, (signed, ticks) in enumerate(fills):
        side = Side.BUY if signed > 0 else Side.SELL
        fill = make.fill(f"e{n}", abs(signed), ticks, side)
        cash -= make.btc.usdt_per_tick_lot * signed * ticks + fill.fee_usdt
        lots += signed
        trades += [c.closed for c in positions.on_fill(fill, None, make.origin(n)) if c.closed]
    held = positions.get("BTCUSDT")
    assert (held.lots if held else 0) == lots
    open_cost = make.btc.qty(held.lots) * held.entry - held.gross_usdt + held.fees_usdt if held else Decimal(0)
    assert abs(sum((t.net_usdt for t in trades), Decimal(0)) - open_cost - cash) < Decimal("1e-8")


def test_an_execution_of_nothing_opens_nothing(make, positions):
    assert [change.kind for change in positions.on_fill(make.fill("e0", 0), None, make.origin())] == ["cash"]
    assert positions.get("BTCUSDT") is None


def test_a_position_near_auto_deleveraging_is_told_each_time_it_comes_near(make, positions):
    opened(make, positions)
    kinds = []
    for n, rank in enumerate([0, 3, 4, 5, 4, 2, 5]):
        report = make.position_report(10, seq=20 + n, adl_rank=rank)
        kinds.append(
            [change.text for change in positions.on_report(report, make.origin(3 + n)) if change.kind == "adl"]
        )
    assert kinds == [
        [], [], ["near auto-deleveraging: rank 4 of 5 at the exchange"], [], [], [],
        ["near auto-deleveraging: rank 5 of 5 at the exchange"],
    ]  # fmt: skip
