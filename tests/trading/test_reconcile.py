"""Starting is recovering: the same book from the journal, and differences that end once acted upon."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from breakwall.config import Settings
from breakwall.model.actions import Note
from breakwall.model.events import (
    Command,
    CommandKind,
    Fills,
    Instruments,
    OrderReports,
    Outcome,
    OutcomeKind,
    PositionReports,
    ReadBack,
    WalletReport,
)
from breakwall.model.journal import EntryKind, JournalEntry
from breakwall.model.units import Side
from breakwall.trading.blotter import Blotter
from breakwall.trading.breaker import TradingState
from breakwall.trading.order import OrderState
from breakwall.trading.position import PositionState
from breakwall.trading.reconcile import Act, differences, restore, unfinished

T0 = 1_000_000


class Diary:
    """Feeds a live book and writes the journal that the core would write."""

    def __init__(self, make):
        self.make, self.live, self.entries = make, Blotter(Settings(), make.instruments), []

    def write(self, kind, struct, seq):
        symbol = getattr(struct, "symbol", "")
        self.entries.append(JournalEntry(1, seq, T0 + seq, kind, msgspec.json.encode(struct).decode(), symbol))

    def intent(self, intent, seq):
        self.live.decided(intent, self.make.origin(seq, T0 + seq))
        self.write(EntryKind.INTENT, intent, seq)

    def event(self, event, seq):
        for change in self.live.apply(event, self.make.origin(seq, T0 + seq)):
            self.write(EntryKind.NOTE, change.note, seq)
        self.write(EntryKind.EVENT, event, seq)


def restored(make, diary, cut=None):
    return restore(diary.entries[:cut], make.instruments, Settings(), make.origin(1, T0 + 5_000, 2))


@pytest.fixture
def diary(make):
    """An entry, filled and protected; then a breaker halt by a person."""
    diary = Diary(make)
    diary.event(WalletReport(make.wallet()), 1)
    diary.intent(make.entry(), 2)
    diary.event(Outcome("place", "BTCUSDT", "bw-1-1-e", OutcomeKind.CONFIRMED, order_id="v-bw-1-1-e"), 3)
    diary.event(OrderReports((make.report("Filled", 10),)), 4)
    diary.event(Fills((make.fill("e1", seq=10),)), 5)
    diary.event(PositionReports((make.position_report(10, seq=10),)), 6)
    diary.event(Command(CommandKind.HALT), 7)
    return diary


def read_back(make, orders=(), positions=(), fills=(), purpose="start"):
    return ReadBack(tuple(orders), tuple(positions), tuple(fills), make.wallet(), T0 + 5_100, purpose)


def test_the_book_comes_back_with_plan_order_and_breaker(make, diary):
    again = restored(make, diary)
    position, live = again.blotter.positions.get("BTCUSDT"), diary.live.positions.get("BTCUSDT")
    assert (position.lots, position.entry, position.plan) == (live.lots, live.entry, live.plan)
    assert (position.fees_usdt, position.held_stop_ticks) == (live.fees_usdt, 598_800)
    assert (position.stop_ticks, position.proven_ms) == (None, None)
    assert again.blotter.orders.get("bw-1-1-e").state is OrderState.FILLED
    assert again.blotter.breaker.state is TradingState.HALTED
    assert (again.closed, again.unread) == ((), ())


def test_prices_written_in_an_older_tick_are_read_in_it_and_then_converted(make, diary):
    """The entry at 60,000 and its stop stay where they are in money when the tick shrinks between two runs."""
    diary.entries.insert(
        0,
        JournalEntry(
            1, 0, T0, EntryKind.EVENT, msgspec.json.encode(Instruments(tuple(make.instruments.values()))).decode()
        ),
    )
    btc = make.instruments["BTCUSDT"]
    finer = replace(btc, tick=btc.tick / 10)
    again = restore(diary.entries, {**make.instruments, "BTCUSDT": finer}, Settings(), make.origin(1, T0 + 5_000, 2))
    position = again.blotter.positions.get("BTCUSDT")
    live = diary.live.positions.get("BTCUSDT")
    assert (position.entry, position.instrument.tick) == (live.entry, finer.tick)
    assert finer.price(position.held_stop_ticks) == btc.price(live.held_stop_ticks)
    assert finer.price(position.plan.stop_ticks) == btc.price(live.plan.stop_ticks)


def test_a_symbol_is_unfinished_until_its_trade_is_closed(make, diary):
    assert unfinished(diary.entries) == ["BTCUSDT"]
    note = Note("closed-trade", "{}", symbol="BTCUSDT")
    closing = JournalEntry(1, 9, T0 + 9, EntryKind.NOTE, msgspec.json.encode(note).decode(), "BTCUSDT")
    assert unfinished([*diary.entries, closing]) == []


def test_what_was_in_flight_is_unknown_and_due_for_a_query(make, diary):
    again = restored(make, diary, cut=2)
    assert again.blotter.orders.get("bw-1-1-e").state is OrderState.UNKNOWN
    assert again.blotter.positions.get("BTCUSDT").state is PositionState.OPENING
    assert [order.client_id for order in again.blotter.orders.due_queries(T0 + 5_000)] == ["bw-1-1-e"]


def test_a_closed_trade_is_told_again(make, diary):
    diary.intent(make.exit(), 8)
    out = make.fill("e2", 10, 601_000, Side.SELL, client_id="bw-1-2-x", order_id="o2", seq=11)
    diary.event(Fills((out,)), 9)
    again = restored(make, diary)
    assert [trade.reason for trade in again.closed] == ["take-profit"]
    assert again.blotter.breaker.realised_today == diary.live.breaker.realised_today
    assert again.blotter.positions.get("BTCUSDT") is None


def test_an_entry_nobody_can_read_is_named_and_the_rest_still_counts(make, diary):
    diary.entries.insert(2, JournalEntry(1, 2, T0 + 2, EntryKind.EVENT, '{"type":"Prophecy"}'))
    again = restored(make, diary)
    assert len(again.unread) == 1
    assert again.unread[0].startswith("journal entry 1/2 (event): ")
    assert again.blotter.positions.get("BTCUSDT").lots == 10


def test_a_stop_that_is_missing_is_named_until_it_stands(make, diary):
    blotter = restored(make, diary).blotter
    naked = read_back(make, positions=[make.position_report(10, None, seq=10)])
    blotter.apply(naked, make.origin(2, T0 + 5_200, 2))
    assert [(d.kind, d.act) for d in differences(blotter, naked)] == [("no-stop", Act.PROTECT)]
    proven = read_back(make, positions=[make.position_report(10, seq=10)])
    proven = ReadBack((), proven.positions, (), proven.wallet, T0 + 6_000, "proof")
    blotter.apply(proven, make.origin(3, T0 + 6_100, 2))
    assert differences(blotter, proven) == []
    assert blotter.positions.get("BTCUSDT").stop_ticks == 598_800


def test_a_position_closed_while_we_were_away_is_booked_from_its_fills(make, diary):
    blotter = restored(make, diary).blotter
    stopped = make.fill(
        "e2", 10, 598_800, Side.SELL, client_id="", order_id="c", stop_kind="StopLoss", seq=11, at_ms=T0 + 3_000
    )
    changes = blotter.apply(read_back(make, fills=[stopped]), make.origin(2, T0 + 5_200, 2))
    closed = [change.closed for change in changes if getattr(change, "closed", None)]
    assert [(trade.reason, trade.strategy, trade.estimated) for trade in closed] == [("stop", "breakout", False)]


def test_resting_orders_of_ours_are_cancelled_and_foreign_ones_left_alone(make, diary):
    blotter = restored(make, diary).blotter
    orders = [
        make.report("New", client_id="bw-1-9-e"),
        make.report("New", client_id="web"),
        make.report("Untriggered", client_id="", order_id="child", stop_kind="StopLoss"),
    ]
    answer = read_back(make, orders, [make.position_report(10, seq=10)])
    blotter.apply(answer, make.origin(2, T0 + 5_200, 2))
    found = {d.kind: d for d in differences(blotter, answer)}
    assert {kind: d.act for kind, d in found.items()} == {"unknown-order": Act.CANCEL, "foreign-order": Act.KNOW}
    assert found["unknown-order"].order.client_id == "bw-1-9-e"


def test_a_strangers_position_is_adopted_and_asks_for_a_stop(make):
    blotter = Blotter(Settings(), make.instruments)
    answer = read_back(make, positions=[make.position_report(-5, None)])
    blotter.apply(answer, make.origin(2, T0 + 5_200, 2))
    assert [d.kind for d in differences(blotter, answer)] == ["no-stop", "no-plan"]
    assert blotter.positions.get("BTCUSDT").lots == -5


@given(
    lots=st.integers(-20, 20),
    protected=st.booleans(),
    statuses=st.lists(st.sampled_from(["New", "PartiallyFilled", "Filled", "Cancelled"]), max_size=3),
    cut=st.integers(0, 12),
)
@settings(max_examples=100, deadline=None)
def test_one_pass_takes_over_the_exchanges_truth_and_a_second_changes_nothing(make, lots, protected, statuses, cut):
    diary = Diary(make)
    diary.intent(make.entry(), 2)
    diary.event(Fills((make.fill("e1", seq=10),)), 5)
    diary.event(PositionReports((make.position_report(10, seq=10),)), 6)
    blotter = restored(make, diary, cut).blotter
    stop = (600_000 - (1 if lots > 0 else -1) * 1_200) if protected else None
    positions = [make.position_report(lots, stop, seq=20)] if lots else []
    orders = [make.report(status, 0, client_id=f"bw-1-{n}-e") for n, status in enumerate(statuses, 40)]
    answer = read_back(make, orders, positions)
    blotter.apply(answer, make.origin(2, T0 + 5_200, 2))
    held = blotter.positions.get("BTCUSDT")
    assert (held.lots if held else 0) == lots
    assert blotter.apply(answer, make.origin(3, T0 + 5_300, 2)) == []
    first = differences(blotter, answer)
    assert differences(blotter, answer) == first
    assert ("no-stop" in {d.kind for d in first}) == (lots != 0 and not protected)
    gone = [make.report("Cancelled", client_id=d.order.client_id) for d in first if d.act is Act.CANCEL]
    stopped = [make.position_report(lots, 600_000 - (1 if lots > 0 else -1) * 1_200, seq=21)] if lots else []
    blotter.apply(OrderReports(tuple(gone)), make.origin(4, T0 + 5_400, 2))
    after = ReadBack((), tuple(stopped), (), make.wallet(), T0 + 8_000, "proof")
    blotter.apply(after, make.origin(5, T0 + 8_100, 2))
    assert differences(blotter, after) == []


def test_a_symbol_that_is_not_followed_any_more_is_no_obstacle_and_its_losses_still_count(make, diary):
    """The configured symbols may change between two runs."""
    diary.intent(make.exit(), 8)
    out = make.fill("e2", 10, 599_000, Side.SELL, client_id="bw-1-2-x", order_id="o2", seq=11)
    closed = diary.live.apply(Fills((out,)), make.origin(9, T0 + 9))[-1].closed
    note = Note("closed-trade", msgspec.json.encode(closed).decode(), symbol="BTCUSDT", durable=True)
    diary.write(EntryKind.EVENT, Fills((out,)), 9)
    diary.write(EntryKind.NOTE, note, 9)
    named = [replace(entry, symbol="" if entry.kind is EntryKind.EVENT else "BTCUSDT") for entry in diary.entries]
    again = restore(named, {"SOLUSDT": make.sol}, Settings(), make.origin(1, T0 + 5_000, 2))
    assert again.unread == ()
    assert list(again.blotter.positions) == []
    assert again.blotter.orders.open() == []
    assert again.blotter.breaker.realised_today == closed.net_usdt < 0
    assert (again.blotter.breaker.losses_in_row, again.blotter.breaker.trades_today) == (1, 1)


def test_a_wish_to_be_flat_outlives_a_crash_until_it_was_told_done(make, diary):
    diary.event(Command(CommandKind.FLATTEN, who="person"), 8)
    diary.event(Command(CommandKind.FLATTEN, "BTCUSDT", who="person"), 9)
    assert {wish.symbol for wish in restored(make, diary).wishes} == {"", "BTCUSDT"}
    diary.write(EntryKind.NOTE, Note("flat", "flat: all symbols", durable=True), 10)
    assert {wish.symbol for wish in restored(make, diary).wishes} == {"BTCUSDT"}


def test_a_pause_of_one_symbol_outlives_a_crash(make, diary):
    diary.event(Command(CommandKind.PAUSE, "BTCUSDT", who="person"), 8)
    assert restored(make, diary).blotter.breaker.paused("BTCUSDT") == "BTCUSDT paused by person"
    assert restored(make, diary).blotter.breaker.paused("SOLUSDT") == ""
    diary.event(Command(CommandKind.RESUME, who="person"), 9)
    assert restored(make, diary).blotter.breaker.paused("BTCUSDT") == ""


def test_panic_is_safe_and_flat_after_a_crash_and_safe_once_it_was_proven(make, diary):
    diary.event(Command(CommandKind.PANIC, "BTCUSDT", who="person"), 8)
    again = restored(make, diary)
    assert ([wish.kind for wish in again.wishes], again.armed) == ([CommandKind.PANIC], False)
    diary.write(EntryKind.NOTE, Note("flat", "all symbols flat", durable=True), 9)
    again = restored(make, diary)
    assert (again.wishes, again.armed) == ((), False)
