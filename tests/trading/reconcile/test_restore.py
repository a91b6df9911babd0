"""Starting is recovering: the same book from the journal, and differences that end once acted upon."""

from decimal import Decimal

import msgspec
import pytest
from msgspec.structs import replace

from breakwall.model.actions import Note
from breakwall.model.events import (
    Command,
    CommandKind,
    Fills,
    Instruments,
    OrderAnswer,
)
from breakwall.model.journal import EntryKind, JournalEntry
from breakwall.model.records import Deed, PositionStep
from breakwall.model.units import Side
from breakwall.settings import Settings
from breakwall.trading.breaker import TradingState
from breakwall.trading.order import OrderState
from breakwall.trading.position import PositionState
from breakwall.trading.reconcile.restore import restore, unfinished

T0 = 1_000_000


def test_the_book_comes_back_with_plan_order_and_breaker(make, diary):
    again = diary.restored()
    position, live = again.blotter.positions.get("BTCUSDT"), diary.live.positions.get("BTCUSDT")
    assert (position.lots, position.entry, position.plan) == (live.lots, live.entry, live.plan)
    assert (position.fees_usdt, position.held_stop_ticks) == (live.fees_usdt, 598_800)
    assert (position.stop_ticks, position.proven_ms) == (None, None)
    assert again.blotter.orders.get("bw-1-1-e").state is OrderState.FILLED
    assert again.blotter.breaker.state is TradingState.HALTED
    assert (again.closed, again.unread) == ((), ())


def test_after_a_clock_that_was_ahead_nothing_is_younger_than_what_is_decided_now(make, diary):
    """A position opened "in the future" would have its stops and closes taken for meant for one before it."""
    now_ms = T0 - 60_000
    again = restore(diary.entries, make.instruments, make.settings(), make.origin(1, now_ms, 2))
    assert again.blotter.positions.held()
    assert all(position.opened_ms <= now_ms for position in again.blotter.positions)
    assert all(max(order.created_ms, order.since_ms) <= now_ms for order in again.blotter.orders)


def test_a_run_whose_clock_was_ahead_keeps_the_distances_in_it(make, diary):
    """An order that was asked after too early stays UNKNOWN, whatever a later run's clock says."""
    diary.intent(replace(make.entry("bw-1-9-e"), decided_ms=T0 + 2_000), 2_000)
    for seq, asked_ms in ((3_000, T0 + 2_900), (4_000, T0 + 3_900)):
        diary.event(OrderAnswer("bw-1-9-e", "BTCUSDT", None, asked_ms=asked_ms), seq)
    again = restore(diary.entries, make.instruments, make.settings(), make.origin(1, T0 - 60_000, 2))
    assert again.blotter.orders.get("bw-1-9-e").state is OrderState.UNKNOWN


def test_a_run_whose_clock_was_ahead_ends_where_the_next_one_begins(make, diary):
    """Also for the runs after that: the same journal read later gives the same times."""
    began_ms = T0 - 60_000
    start = JournalEntry(2, 1, began_ms, EntryKind.NOTE, msgspec.json.encode(Note("start", "run 2")).decode())
    again = restore([*diary.entries, start], make.instruments, make.settings(), make.origin(1, T0 + 60_000, 3))
    assert again.blotter.positions.held()
    assert all(position.opened_ms <= began_ms for position in again.blotter.positions)


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
    note = Note("closed-trade", "closed", symbol="BTCUSDT", record=make.trade())
    closing = JournalEntry(1, 9, T0 + 9, EntryKind.NOTE, msgspec.json.encode(note).decode(), "BTCUSDT")
    assert unfinished([*diary.entries, closing]) == []


def test_a_position_taken_over_is_unfinished_until_its_trade_is_closed(make):
    step = PositionStep("adopted", 5, Decimal(1), Decimal(2), None, "", "", T0)
    note = Note("position", "taken over", symbol="DOGEUSDT", durable=True, record=step)
    taken = JournalEntry(1, 8, T0 + 8, EntryKind.NOTE, msgspec.json.encode(note).decode(), "DOGEUSDT")
    assert unfinished([taken]) == ["DOGEUSDT"]
    closed = Note("closed-trade", "closed", symbol="DOGEUSDT", record=make.trade())
    end = JournalEntry(1, 9, T0 + 9, EntryKind.NOTE, msgspec.json.encode(closed).decode(), "DOGEUSDT")
    assert unfinished([taken, end]) == []


@pytest.mark.parametrize("record", ["null", '{"type": "ClosedTrade"}', '{"type": "Nobody"}', "7", ""])
def test_a_closed_trade_that_cannot_be_read_ends_nothing_and_is_told(make, diary, record):
    body = '{"type": "Note", "kind": "closed-trade", "text": "closed", "record": ' + record + "}"
    closing = JournalEntry(1, 9, T0 + 9, EntryKind.NOTE, body, "BTCUSDT")
    assert unfinished([*diary.entries, closing]) == ["BTCUSDT"]
    again = restore([*diary.entries, closing], {"SOLUSDT": make.sol}, Settings(), make.origin(1, T0 + 5_000, 2))
    assert again.closed == ()
    assert len([text for text in again.unread if "journal entry 1/9 (note)" in text]) == 1


def test_what_was_in_flight_is_unknown_and_due_for_a_query(make, diary):
    again = diary.restored(cut=2)
    assert again.blotter.orders.get("bw-1-1-e").state is OrderState.UNKNOWN
    assert again.blotter.positions.get("BTCUSDT").state is PositionState.OPENING
    assert [order.client_id for order in again.blotter.orders.due_queries(T0 + 5_000)] == ["bw-1-1-e"]


def test_a_closed_trade_is_told_again(make, diary):
    diary.intent(make.exit(), 8)
    out = make.fill("e2", 10, 601_000, Side.SELL, client_id="bw-1-2-x", order_id="o2", seq=11)
    diary.event(Fills((out,)), 9)
    again = diary.restored()
    assert [trade.reason for trade in again.closed] == ["take-profit"]
    assert again.blotter.breaker.realised_today == diary.live.breaker.realised_today
    assert again.blotter.positions.get("BTCUSDT") is None


def test_an_entry_nobody_can_read_is_named_and_the_rest_still_counts(make, diary):
    diary.entries.insert(2, JournalEntry(1, 2, T0 + 2, EntryKind.EVENT, '{"type":"Prophecy"}'))
    again = diary.restored()
    assert len(again.unread) == 1
    assert again.unread[0].startswith("journal entry 1/2 (event): ")
    assert again.blotter.positions.get("BTCUSDT").lots == 10


def test_a_symbol_that_is_not_followed_any_more_is_no_obstacle_and_its_losses_still_count(make, diary):
    """The configured symbols may change between two runs."""
    diary.intent(make.exit(), 8)
    out = make.fill("e2", 10, 599_000, Side.SELL, client_id="bw-1-2-x", order_id="o2", seq=11)
    closed = diary.live.apply(Fills((out,)), make.origin(9, T0 + 9))[-1].closed
    note = Note("closed-trade", "closed", symbol="BTCUSDT", durable=True, record=closed)
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
    assert {wish.symbol for wish in diary.restored().wishes} == {"", "BTCUSDT"}
    diary.write(EntryKind.NOTE, Note("flat", "flat: all symbols", durable=True), 10)
    assert {wish.symbol for wish in diary.restored().wishes} == {"BTCUSDT"}


@pytest.mark.parametrize("symbol", ["BTCUSDT", "XRPUSDT"])
def test_a_refused_wish_to_be_flat_ends_there(make, diary, symbol):
    """Also for a symbol that nobody follows, whose notes are passed over."""
    diary.event(Command(CommandKind.FLATTEN, symbol, who="person"), 8)
    diary.entries[-1] = replace(diary.entries[-1], symbol="")  # commands are written for everybody to read
    assert {wish.symbol for wish in diary.restored().wishes} == {symbol}
    refused = Deed("flatten", "symbol", symbol, "", "", "person", success=False, error="not followed")
    diary.write(EntryKind.NOTE, Note("answer", "flatten: no", symbol=symbol, durable=True, record=refused), 8)
    assert diary.restored().wishes == ()


def test_a_pause_of_one_symbol_outlives_a_crash(make, diary):
    diary.event(Command(CommandKind.PAUSE, "BTCUSDT", who="person"), 8)
    assert diary.restored().blotter.breaker.paused("BTCUSDT") == "BTCUSDT paused by person"
    assert diary.restored().blotter.breaker.paused("SOLUSDT") == ""
    diary.event(Command(CommandKind.RESUME, who="person"), 9)
    assert diary.restored().blotter.breaker.paused("BTCUSDT") == ""


def test_panic_is_safe_and_flat_after_a_crash_and_safe_once_it_was_proven(make, diary):
    diary.event(Command(CommandKind.PANIC, "BTCUSDT", who="person"), 8)
    again = diary.restored()
    assert ([wish.kind for wish in again.wishes], again.safe[:16]) == ([CommandKind.PANIC], "panic by person ")
    diary.write(EntryKind.NOTE, Note("flat", "all symbols flat", durable=True), 9)
    again = diary.restored()
    assert (again.wishes, again.safe[:16]) == ((), "panic by person ")
