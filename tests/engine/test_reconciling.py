"""Passes at the start and ever after: acted upon, reported once each, and escalated where a difference stays."""

from decimal import Decimal

import msgspec
import pytest
from msgspec.structs import replace

from breakwall.model.actions import (
    Approved,
    AskReadBack,
    CancelOrder,
    MoveStop,
    Note,
    PlaceOrder,
    WriteCheckpoint,
)
from breakwall.model.events import (
    Command,
    CommandKind,
    Fill,
    Fills,
    OrderReport,
    PositionReport,
    PositionReports,
    ReadBack,
    ReadBackFailed,
    Recovered,
    Wallet,
)
from breakwall.model.journal import DAMAGED, EntryKind, JournalEntry
from breakwall.model.records import ClosedTrade, RecoveryReport
from breakwall.model.units import Side
from breakwall.trading.reconcile.checkpoint import Checkpoint

WALLET = Wallet(Decimal(10_000), Decimal(10_000), Decimal(10_000), at_ms=1)
T0 = 1_700_000_000_000


def held(lots=10, stop_ticks=590_000, seq=0):
    return PositionReport(
        "BTCUSDT", lots, Decimal(60_000), stop_ticks, None, Decimal(60_000), Decimal(54_000), Decimal(10), seq=seq,
        updated_ms=5 + seq,
    )  # fmt: skip


def note(kind, at_ms, text="", seq=0, run=6):
    body = msgspec.json.encode(Note(kind, text, durable=True)).decode()
    return JournalEntry(run, seq, at_ms, EntryKind.NOTE, body)


def event(event, seq, run=6):
    return JournalEntry(run, seq, T0 - 60_000 + seq, EntryKind.EVENT, msgspec.json.encode(event).decode())


def reports(actions):
    return [
        action.record for action in actions if isinstance(action, Note) and isinstance(action.record, RecoveryReport)
    ]


def intents(actions, kind):
    return [action.intent for action in actions if isinstance(action, Approved) and isinstance(action.intent, kind)]


def read(table, positions=(), orders=(), fills=(), purpose="periodic"):
    return table.say(ReadBack(tuple(orders), tuple(positions), tuple(fills), WALLET, table.now, purpose))


def next_pass(table):
    """Let the time between two passes go by: the account is asked for again."""
    table.pass_time(1_900)
    assert any(isinstance(action, AskReadBack) for action in table.pass_time(200))


def begin(table, entries=(), **first):
    """A start up to its first reading."""
    table.start_up(entries)
    return read(table, purpose="start", **first)


@pytest.fixture
def table(make_table):
    return make_table()


@pytest.fixture
def lone(make_floor):
    floor = make_floor("BTCUSDT")
    floor.open()
    return floor


def test_a_start_that_agrees_takes_one_pass_and_is_reported_once(table):
    actions = begin(table, positions=(held(),), entries=())
    (report,) = reports(actions)
    assert (report.number, report.purpose, report.clean) == (1, "start", True)
    assert table.view().recovery == (report,)
    assert not table.view().recovering
    assert table.view_state() == "ACTIVE"


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (Command(CommandKind.HALT, who="person", why="lunch"), "trading is HALTED: halted by person: lunch"),
        (Command(CommandKind.DISARM, who="person"), "; SAFE (by person at 22:12)"),
        (Command(CommandKind.ARM, who="person"), "; trading is ACTIVE"),
    ],
)
def test_a_start_says_at_once_what_people_have_held_since_before(table, command, told):
    begin(table, [event(command, 1)])
    (line,) = [action for action in table.log if isinstance(action, Note) and action.kind == "recovered"]
    assert line.text.endswith(told)


def test_what_the_account_has_changed_is_told_once(table):
    """As a change of the book; that it differed is a fact for the books besides."""
    actions = [action for action in begin(table, positions=(held(),)) if isinstance(action, Note)]
    change, difference = [action for action in actions if "we had" in action.text]
    assert (change.kind, change.level, difference.kind, difference.level) == (
        "position", "warning", "difference", "debug",
    )  # fmt: skip
    assert difference.durable
    unknown = ["journal does not know" in action.text for action in actions if action.kind == "difference"]
    assert unknown == [False, True]


def test_a_naked_position_gets_its_stop_first_and_nothing_is_opened_before_a_clean_pass(table):
    actions = begin(table, positions=(held(stop_ticks=None),))
    assert [intent.symbol for intent in intents(actions, MoveStop)] == ["BTCUSDT"]
    assert (table.view_state(), table.view().recovering) == ("REDUCING", True)
    table.say(PositionReports((held(seq=1),)))
    next_pass(table)
    (second,) = reports(read(table, (held(seq=2),), purpose="start"))
    assert (second.number, second.clean) == (2, True)
    assert table.view_state() == "ACTIVE"


def test_what_stays_after_the_last_pass_halts_with_its_name(table):
    order = OrderReport("v1", "bw-6-9-e", "BTCUSDT", Side.BUY, "New", 10, 0)
    for number in (1, 2, 3):
        actions = begin(table, orders=(order,)) if number == 1 else read(table, orders=(order,), purpose="start")
        assert [intent.target for intent in intents(actions, CancelOrder)] == ["bw-6-9-e"]
        assert reports(actions)[0].number == number
        if number < 3:
            next_pass(table)
    assert table.view_state() == "HALTED"
    assert "order bw-6-9-e of ours is not in the journal" in table.view().why
    assert not table.view().recovering
    assert reports(read(table, orders=(order,))) == []
    (over,) = reports(read(table))
    assert over.clean
    assert table.view_state() == "HALTED"
    table.order("reset-breaker")
    assert table.view_state() == "ACTIVE"


def test_a_size_that_no_execution_explains_ends_in_observing_and_a_clean_reconcile_by_hand_ends_that(table):
    begin(table)
    for number in range(4):
        table.pass_time(5_000)
        read(table, (held(10 + number, seq=10 + number),))
    assert table.view_state() == "OBSERVING"
    assert "the exchange holds" in table.view().observing
    assert "observing only" in table.view().why
    answer = table.order("reconcile")
    assert "in at most 3 passes" in answer
    assert AskReadBack("by hand") in table.log
    (report,) = reports(read(table, (held(13, seq=30),), purpose="by hand"))
    assert (report.purpose, report.clean) == ("by hand", True)
    assert (table.view_state(), table.view().observing) == ("ACTIVE", "")


def test_a_reading_that_was_asked_before_the_wish_is_no_answer_to_it(table):
    begin(table)
    table.pass_time(300)
    asked_ms = table.now
    table.pass_time(200)
    table.order("reconcile")
    table.say(ReadBack((), (), (), WALLET, asked_ms, "periodic"))
    assert table.view().recovering
    assert AskReadBack("by hand") in table.pass_time(1_100)
    assert reports(read(table, purpose="by hand"))


def test_a_periodic_reading_that_finds_nothing_new_says_nothing(table):
    begin(table, positions=(held(),))
    foreign = OrderReport("v1", "web", "BTCUSDT", Side.BUY, "New", 10, 0)
    table.pass_time(5_000)
    first = read(table, (held(seq=1),), (foreign,))
    assert "not ours; left alone" in reports(first)[0].actions[0]
    table.pass_time(5_000)
    assert [action for action in read(table, (held(seq=2),), (foreign,)) if isinstance(action, Note)] == []


@pytest.mark.parametrize(("crashes", "state"), [(4, "ACTIVE"), (5, "HALTED")])
def test_starts_that_follow_each_other_without_an_orderly_end_are_halted(table, crashes, state):
    entries = [note("start", T0 - 60_000 + 10_000 * number, run=number) for number in range(1, crashes + 1)]
    begin(table, entries)
    assert table.view_state() == state
    assert ("5 starts within 60 s did not end in order" in table.view().why) is (state == "HALTED")


@pytest.mark.parametrize(
    "between",
    [note("end", T0 - 5_000), event(Command(CommandKind.RESET_BREAKER, who="person"), 55_000)],
    ids=["an orderly end", "a reset"],
)
def test_an_orderly_end_or_a_reset_begins_the_count_anew(table, between):
    entries = [note("start", T0 - 30_000 + number, run=number) for number in range(1, 6)]
    begin(table, [*entries, between])
    assert table.view_state() == "ACTIVE"


@pytest.mark.parametrize(
    "entry",
    [
        JournalEntry(6, 3, T0 - 1_000, EntryKind.NOTE, "{}", sound=False),
        JournalEntry(6, 3, T0 - 1_000, EntryKind.EVENT, '{"type":"Prophecy"}'),
        note(DAMAGED, T0 - 1_000, "the journal was damaged"),
    ],
    ids=["a checksum that does not fit", "an entry nobody understands", "a file that was lost"],
)
def test_a_damaged_journal_is_observed_until_a_person_has_looked(make_table, entry):
    table = make_table()
    begin(table, [entry], positions=(held(),))
    assert table.view_state() == "OBSERVING"
    assert len(table.view().positions) == 1
    table.order("reset-breaker")
    assert table.view_state() == "ACTIVE"
    explained = [action for action in table.log if isinstance(action, Note) and action.kind == "explained"]
    again = make_table()
    begin(again, [entry, note("explained", T0 - 500, explained[0].text)])
    assert again.view_state() == "ACTIVE"


def test_executions_are_asked_for_since_the_account_was_last_read_whatever_began_since(table):
    """A run that dies before its first reading knows nothing of the time in which nobody was there."""
    wallet = replace(WALLET, at_ms=T0 - 3_600_000)
    last = event(ReadBack((), (), (), wallet, T0 - 3_600_000, "periodic"), 1, run=5)
    table.start_up([last, note("start", T0 - 1_000), note("settings", T0 - 900)])
    assert table.core.fills_since_ms == wallet.at_ms
    known = Fill("x1", "v1", "phone", "BTCUSDT", Side.BUY, 600_000, 10, Decimal(1), T0 - 60_000)
    read(table, fills=(known,), purpose="start")
    assert table.core.fills_since_ms == known.at_ms


def test_a_reconcile_by_hand_in_the_middle_of_a_start_ends_the_start(table):
    begin(table, positions=(held(stop_ticks=None),))
    assert table.view().recovering
    table.say(PositionReports((held(seq=1),)))
    table.order("reconcile")
    table.pass_time(200)
    read(table, (held(seq=2),), purpose="start")
    assert not table.view().recovering
    assert table.view_state() == "ACTIVE"


@pytest.mark.parametrize(
    ("client_id", "words"),
    [("bw-9-5-e", "another Breakwall trades on this account"), ("bw-3-5-e", "the journal has lost")],
    ids=["a younger run's", "an older run's"],
)
def test_an_execution_of_ours_that_is_not_in_the_books_is_not_explained(table, client_id, words):
    begin(table)
    fill = Fill("x1", "v1", client_id, "BTCUSDT", Side.BUY, 600_000, 10, Decimal(1), table.now)
    table.say(Fills((fill,)))
    assert table.view_state() == "OBSERVING"
    assert words in table.view().observing
    assert table.view().positions[0].lots == 10


def test_observing_protects_and_leaves(table):
    begin(table, [note(DAMAGED, T0 - 1_000, "lost")], positions=(held(stop_ticks=None),))
    assert intents(table.log, MoveStop)
    table.say(Command(CommandKind.STOP, who="process"))
    assert table.view().observing


def test_a_foreign_position_gets_its_stop_and_then_is_closed_where_that_is_asked(make_table):
    table = make_table(recovery={"foreign": "close"})
    begin(table, positions=(held(stop_ticks=None),))
    assert (len(intents(table.log, MoveStop)), intents(table.log, PlaceOrder)) == (1, [])
    table.say(PositionReports((held(seq=2),)))
    (close,) = intents(table.log, PlaceOrder)
    assert (close.reduce_only, close.lots, close.why) == (True, 10, "not ours: [recovery] foreign = close")


def test_while_nobody_knows_whose_it_is_nothing_is_closed_for_being_foreign(make_table):
    """Without its journal our own position looks like somebody else's."""
    table = make_table(recovery={"foreign": "close"})
    begin(table, [note(DAMAGED, T0 - 1_000, "lost")], positions=(held(),))
    table.pass_time(1_000)
    assert intents(table.log, PlaceOrder) == []
    table.order("reset-breaker")
    table.pass_time(200)
    assert [close.reduce_only for close in intents(table.log, PlaceOrder)] == [True]


def test_a_close_nobody_told_is_booked_from_its_execution_once_the_account_is_read(table):
    begin(table, positions=(held(),))
    table.pass_time(1_200)
    table.say(PositionReports((held(lots=0, stop_ticks=None, seq=9),)))
    assert AskReadBack("proof") in table.pass_time(700)
    sold = Fill("s1", "o9", "phone", "BTCUSDT", Side.SELL, 601_000, 10, Decimal(1), table.now, seq=9, closed_lots=10)
    told = read(table, fills=(sold,), purpose="proof")
    (trade,) = [
        action.record for action in told if isinstance(action, Note) and isinstance(action.record, ClosedTrade)
    ]
    assert (trade.estimated, trade.exit, trade.gross_usdt) == (False, Decimal("60100.0"), Decimal("1.0"))


CHILD = OrderReport("child", "", "BTCUSDT", Side.SELL, "Untriggered", 10, 0, reduce_only=True, stop_kind="StopLoss")
"""The stop of a position, as the exchange lists it among the orders."""


def test_the_stop_of_a_position_that_went_without_an_execution_is_never_taken_for_an_orphan(table):
    """A list that is empty by mistake would have us cancel what protects us, and open the same once more."""
    begin(table, positions=(held(),))
    for _ in range(5):
        table.pass_time(2_000)
        read(table, orders=(CHILD,))
    assert table.state.positions.get("BTCUSDT") is None
    assert intents(table.log, CancelOrder) == []
    assert "no execution tells how" in table.state.breaker.paused("BTCUSDT")
    sold = Fill("s1", "o9", "phone", "BTCUSDT", Side.SELL, 601_000, 10, Decimal(1), table.now, seq=9, closed_lots=10)
    for _ in range(3):
        table.pass_time(2_000)
        read(table, orders=(CHILD,), fills=(sold,))
    assert [intent.order_id for intent in intents(table.log, CancelOrder)][:1] == ["child"]


def test_a_liquidation_pauses_its_symbol_until_a_person_resumes(table):
    begin(table, positions=(held(),))
    bust = Fill(
        "b1", "autoclose", "", "BTCUSDT", Side.SELL, 540_000, 10, Decimal(1), 9, closed_lots=10, exec_kind="BustTrade"
    )
    table.say(Fills((bust,)))
    assert table.state.breaker.paused("BTCUSDT").startswith("BTCUSDT paused by recovery: liquidation")
    assert table.view_state() == "ACTIVE"
    table.order("resume", "BTCUSDT")
    assert table.state.breaker.paused("BTCUSDT") == ""


def test_a_stop_that_somebody_loosened_is_tightened_again(table):
    begin(table, positions=(held(),))
    table.pass_time(1_000)
    actions = read(table, (held(stop_ticks=589_000, seq=2),))
    assert [intent.stop_ticks for intent in intents(actions, MoveStop)] == [590_000]


def test_an_orphan_is_cancelled_unless_a_position_has_come_meanwhile(table):
    begin(table)
    orphan = OrderReport(
        "child", "", "BTCUSDT", Side.SELL, "Untriggered", 10, 0, reduce_only=True, stop_kind="StopLoss"
    )
    table.pass_time(2_000)
    assert intents(read(table, orders=(orphan,)), CancelOrder) == []
    table.pass_time(2_000)
    (cancel,) = intents(read(table, orders=(orphan,)), CancelOrder)
    assert cancel.order_id == "child"
    assert table.core.gate(cancel, table.now) == ""
    table.say(Fills((Fill("x1", "o1", "phone", "BTCUSDT", Side.BUY, 600_000, 10, Decimal(1), 5),)))
    assert "position behind it" in table.core.gate(cancel, table.now)


def test_panic_before_the_account_could_ever_be_read_closes_what_the_journal_knows(make_floor, make_table):
    floor = make_floor("BTCUSDT")
    floor.open()
    order = floor.enter()
    fill = Fill("x1", "v", order.client_id, "BTCUSDT", Side.BUY, 600_000, order.lots, Decimal(0), floor.now)
    body = msgspec.json.encode(order).decode()
    entries = [
        JournalEntry(6, 1, T0 - 9_000, EntryKind.INTENT, body, "BTCUSDT", order.client_id),
        replace(event(Fills((fill,)), 2), at_ms=T0 - 8_000),
    ]
    table = make_table()
    table.start_up(entries)
    table.say(Command(CommandKind.PANIC, who="person"))
    assert intents(table.log, PlaceOrder) == []
    table.say(ReadBackFailed("time-out", "start"))
    closes = intents(table.pass_time(3_000), PlaceOrder)
    assert [close.lots for close in closes[:1]] == [order.lots]
    assert all(close.reduce_only for close in closes)
    assert len(closes) >= 2


def test_what_fills_after_a_proven_panic_is_closed_until_somebody_arms(lone):
    floor = lone
    late = floor.enter()
    floor.order("panic")
    cancelled = OrderReport("v", late.client_id, late.symbol, late.side, "Cancelled", late.lots, 0)
    floor.say(ReadBack((cancelled,), (), (), WALLET, floor.now, "flatten"))
    floor.read_back("flatten")
    assert floor.flatten.proven_ms is not None
    fill = Fill("z1", "v", late.client_id, late.symbol, late.side, 600_000, late.lots, Decimal(0), floor.now, seq=50)
    (close,) = intents(floor.say(Fills((fill,))), PlaceOrder)
    assert (close.reduce_only, close.lots, close.why) == (True, late.lots, "filled after panic by person")


def test_a_panic_outlives_a_restart_and_what_a_person_opens_by_hand_is_left_to_its_stop(make_table):
    table = make_table()
    proven = note("flat", T0 - 1_000)
    begin(table, [event(Command(CommandKind.PANIC, who="person"), 1), proven])
    by_hand = Fill("x1", "o1", "phone", "BTCUSDT", Side.BUY, 600_000, 10, Decimal(1), 5)
    assert intents(table.say(Fills((by_hand,))), PlaceOrder) == []
    assert table.state.panicked == "panic by person"
    table.order("arm")
    assert table.state.panicked == ""


def test_a_breaker_that_flattens_is_followed_to_its_proof_like_a_person(lone):
    floor = lone
    order = floor.enter()
    assert floor.deliver(order)
    floor.tell()
    ruin = Fill(
        "z9", "v", order.client_id, order.symbol, order.side, 600_000, 0, Decimal(900), floor.now, exec_kind="Funding"
    )
    floor.say(Fills((ruin,)))
    floor.tick()
    floor.tick()
    assert floor.flatten.symbol == ""
    close = next(found for found in intents(floor.log, PlaceOrder) if found.reduce_only)
    assert floor.deliver(close)
    floor.tell()
    floor.read_back("flatten")
    assert floor.flatten.proven_ms is not None
    assert floor.view_state() == "HALTED"


def test_passes_decide_the_same_when_told_again(make_table):
    first, second = make_table(), make_table()
    for table in (first, second):
        begin(table, positions=(held(stop_ticks=None),))
        table.pass_time(5_000)
        read(table, (held(14, seq=4),))
        table.order("reconcile")
    assert first.log == second.log


def test_recovered_alone_asks_for_the_account(table):
    assert AskReadBack("start") in table.say(Recovered(()))


def checkpoints(actions):
    return [action for action in actions if isinstance(action, WriteCheckpoint)]


def test_a_checkpoint_is_written_when_flat_and_not_while_anything_is_held_or_wished_or_new(make_table):
    table = make_table()
    begin(table)
    assert checkpoints(table.pass_time(50_000)) == []
    table.order("flatten", "BTCUSDT")
    for _ in range(5):
        table.pass_time(60_000)
    assert checkpoints(table.log) == []
    read(table, purpose="flatten")
    first = checkpoints([action for _ in range(3) for action in [*table.pass_time(60_000), *read(table)]])
    assert first
    told = msgspec.json.decode(first[0].body, type=Checkpoint)
    assert (told.run, told.account_id, told.armed) == (7, "1", True)
    assert told.seq < table.seq
    table.say(Fills((Fill("x1", "o1", "phone", "BTCUSDT", Side.BUY, 600_000, 10, Decimal(1), 5),)))
    table.pass_time(60_000)
    later = [action for _ in range(3) for action in [*table.pass_time(60_000), *read(table, (held(seq=3),))]]
    assert checkpoints(later) == []
