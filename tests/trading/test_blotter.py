"""The book of record: one stream of private facts moves orders, positions, breaker and wallet together."""

from decimal import Decimal

import pytest

from breakwall.model.actions import MoveStop
from breakwall.model.events import (
    Command,
    CommandKind,
    Fills,
    IntentSent,
    IntentStored,
    OrderReports,
    Outcome,
    OutcomeKind,
    PositionReports,
    ReadBack,
    Tick,
    WalletReport,
)
from breakwall.model.units import Side
from breakwall.settings import Settings
from breakwall.trading.blotter import Blotter
from breakwall.trading.breaker import TradingState
from breakwall.trading.order import OrderState
from breakwall.trading.position import PositionState


@pytest.fixture
def blotter(make):
    return Blotter(Settings(), make.instruments)


def enter(make, blotter, lots=10):
    blotter.apply(WalletReport(make.wallet()), make.origin(1))
    blotter.decided(make.entry(lots=lots), make.origin(2))
    blotter.apply(IntentStored("bw-1-1-e"), make.origin(3))
    blotter.apply(IntentSent("bw-1-1-e"), make.origin(4))
    blotter.apply(OrderReports((make.report("Filled", lots, lots=lots),)), make.origin(5))
    blotter.apply(Fills((make.fill("e1", lots, seq=10),)), make.origin(6))
    return blotter.apply(PositionReports((make.position_report(lots, seq=10),)), make.origin(7, 1_000_040))


def test_an_entry_becomes_a_protected_position(make, blotter):
    enter(make, blotter)
    order, position = blotter.orders.get("bw-1-1-e"), blotter.positions.get("BTCUSDT")
    assert (order.state, order.durable) == (OrderState.FILLED, True)
    assert (position.state, position.lots, position.stop_ticks) == (PositionState.OPEN, 10, 598_800)
    assert (blotter.breaker.trades_today, blotter.naked.proof_delay_ms_max) == (1, 40)
    assert blotter.naked.unprotected_ms_max == 0


def test_an_exit_closes_it_and_feeds_the_breaker(make, blotter):
    enter(make, blotter)
    blotter.decided(make.exit(), make.origin(8))
    assert blotter.positions.get("BTCUSDT").state is PositionState.CLOSING
    out = make.fill("e2", 10, 599_000, Side.SELL, client_id="bw-1-2-x", order_id="o2", closed_lots=10, seq=11)
    changes = blotter.apply(Fills((out,)), make.origin(9))
    closed = [change.closed for change in changes if getattr(change, "closed", None)]
    assert [trade.reason for trade in closed] == ["take-profit"]
    assert blotter.breaker.losses_in_row == 1
    assert blotter.breaker.realised_today == closed[0].net_usdt < 0
    assert not blotter.orders.exit_working("BTCUSDT")


def test_a_close_that_may_be_lost_is_not_waited_for(make, blotter):
    """Reduce-only never closes twice; a position that waits for an order nobody knows of may lose all it has."""
    enter(make, blotter)
    blotter.decided(make.exit(), make.origin(8))
    blotter.apply(IntentSent("bw-1-2-x"), make.origin(9))
    assert blotter.orders.exit_working("BTCUSDT")
    blotter.apply(Outcome("place", "BTCUSDT", "bw-1-2-x", OutcomeKind.UNKNOWN), make.origin(10))
    assert not blotter.orders.exit_working("BTCUSDT")


def test_an_entry_that_dies_without_a_fill_leaves_the_symbol_free(make, blotter):
    blotter.decided(make.entry(), make.origin(2))
    kinds = [type(c).__name__ for c in blotter.apply(OrderReports((make.report("Cancelled"),)), make.origin(3))]
    assert kinds == ["OrderChange", "PositionChange"]
    assert blotter.positions.get("BTCUSDT") is None


def test_an_unknown_entry_blocks_its_symbol_until_it_is_known(make, blotter):
    blotter.decided(make.entry(), make.origin(2))
    blotter.apply(Outcome("place", "BTCUSDT", "bw-1-1-e", OutcomeKind.UNKNOWN), make.origin(3))
    assert blotter.orders.unresolved("BTCUSDT")
    blotter.apply(OrderReports((make.report("Filled", 10),)), make.origin(4))
    assert not blotter.orders.unresolved("BTCUSDT")


def test_an_entry_whose_position_never_showed_is_let_go_by_a_later_read_back(make, blotter):
    blotter.decided(make.entry(), make.origin(2))
    blotter.apply(OrderReports((make.report("Filled", 10),)), make.origin(3))
    early = ReadBack((), (), (), make.wallet(), 1_001_000)
    assert blotter.apply(early, make.origin(4, 1_001_100)) == []
    late = ReadBack((), (), (), make.wallet(), 1_001_001)
    assert [change.kind for change in blotter.apply(late, make.origin(5, 1_001_200))] == ["ended"]
    assert blotter.positions.get("BTCUSDT") is None


def test_equity_follows_our_own_marks(make, blotter):
    enter(make, blotter)
    blotter.on_tick({"BTCUSDT": Decimal(59_000)}, make.origin(8))
    assert blotter.open_pnl_usdt == -10
    assert blotter.breaker.equity == 9_990


def test_a_move_of_the_stop_is_in_flight_once_decided(make, blotter):
    enter(make, blotter)
    move = MoveStop("bw-1-8-s", "1-8", "BTCUSDT", 1_000_100, "breakeven", 600_661)
    blotter.decided(move, make.origin(8, 1_000_100))
    assert blotter.positions.get("BTCUSDT").stop_asked_ticks == 600_661


def test_commands_reach_the_breaker_and_strangers_events_nothing(make, blotter):
    (trip,) = blotter.apply(Command(CommandKind.HALT), make.origin(2))
    assert (blotter.breaker.state, trip.note.kind) == (TradingState.HALTED, "breaker")
    assert blotter.apply(Tick(), make.origin(3)) == []


def test_every_change_has_a_note_for_the_journal(make, blotter):
    notes = [change.note for change in enter(make, blotter)]
    notes += [c.note for c in blotter.apply(OrderReports((make.report("New"),)), make.origin(8))]
    assert all(note.durable and note.text and note.symbol for note in notes)


def test_a_loss_is_not_counted_twice_when_it_is_realised(make, blotter):
    """Open until a moment ago, closed now: 240 of the day's 300 USDT, not 480."""
    enter(make, blotter, lots=100)
    blotter.on_tick({"BTCUSDT": Decimal(57_600)}, make.origin(8))
    assert blotter.breaker.state is TradingState.ACTIVE
    blotter.decided(make.exit(lots=100), make.origin(9))
    out = make.fill("e2", 100, 576_000, Side.SELL, client_id="bw-1-2-x", order_id="o2", closed_lots=100, seq=11)
    blotter.apply(Fills((out,)), make.origin(10))
    assert blotter.breaker.state is TradingState.ACTIVE
    assert blotter.breaker.daily_loss_left_usdt == 300 + blotter.breaker.realised_today > 50


def test_fees_and_parts_closed_at_a_loss_count_while_the_position_is_open(make, blotter):
    enter(make, blotter, lots=100)
    blotter.on_tick({"BTCUSDT": Decimal(60_000)}, make.origin(8))
    assert blotter.breaker.daily_loss_left_usdt == 300 - make.btc.notional(600_000, 100) * make.taker
    half = make.fill("e2", 50, 590_000, Side.SELL, client_id="web", order_id="o2", closed_lots=50, seq=11)
    blotter.apply(Fills((half,)), make.origin(9))
    blotter.on_tick({"BTCUSDT": Decimal(60_000)}, make.origin(10))
    assert blotter.breaker.daily_loss_left_usdt < 300 - 50
