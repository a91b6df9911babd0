"""Flat is what the exchange proves: quiet first, then a read-back that was asked after it."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakwall.model.actions import Approved, AskReadBack, Note, PlaceOrder
from breakwall.model.events import (
    Command,
    CommandKind,
    Outcome,
    OutcomeKind,
    PositionReport,
    PositionReports,
    ReadBack,
    ReadBackFailed,
    Wallet,
)
from breakwall.model.journal import EntryKind, JournalEntry
from tests.engine.conftest import held

BTC, ETH = "BTCUSDT", "ETHUSDT"


def orders(actions, *, reduce_only):
    placed = [action.intent for action in actions if isinstance(action, Approved)]
    return [order for order in placed if isinstance(order, PlaceOrder) and order.reduce_only is reduce_only]


def told(actions, kind):
    return [action for action in actions if isinstance(action, Note) and action.kind == kind]


def hold(floor):
    """A position in BTCUSDT that both sides know of."""
    floor.deliver(floor.enter())
    floor.tell()
    floor.read_back()
    assert [position.lots > 0 for position in floor.view().positions] == [True]


def test_panic_is_safe_closed_and_proven(floor):
    hold(floor)
    asked_ms = floor.now + 1
    answer = floor.order("panic")
    (closing,) = orders(floor.log, reduce_only=True)
    qty = floor.state.instruments[BTC].qty_text(closing.lots)
    assert answer.startswith(
        f"panic: SAFE; closing BTCUSDT long {qty}; withdrawing entry "
    )  # ETHUSDT is being entered
    assert not floor.view().armed
    assert floor.flatten.panic
    assert floor.flatten.remains[-1] == f"BTCUSDT long {qty}"
    floor.deliver(closing)
    cancelled = orders(floor.log, reduce_only=False)[-1]
    assert floor.core.gate(cancelled, floor.now) == "withdrawn"
    floor.say(refused(cancelled))
    before = len(floor.log)
    floor.tell()
    assert floor.log[before:].count(AskReadBack("flatten")) == 1
    assert floor.flatten.remains == ("not proven yet: being read back",)
    (note,) = told(floor.read_back("flatten", late_ms=30), "flat")
    seen = floor.flatten
    assert (seen.asked_ms, seen.proven_ms, seen.remains) == (asked_ms, floor.now, ())
    assert note.text == f"all symbols flat, proven by the exchange {floor.now - asked_ms} ms after it was asked"
    assert note.durable
    assert seen.closed[0].startswith(f"BTCUSDT long {qty} closed at 60000.0, ")
    assert seen.cancelled[0].startswith(f"{cancelled.client_id} entry ETHUSDT buy ")
    assert seen.cancelled[0].endswith(" expired")


def refused(order):
    return Outcome("place", order.symbol, order.client_id, OutcomeKind.REFUSED, reason="withdrawn")


def flatten_quietly(floor):
    """A wish whose scope is quiet by our own books, and not proven yet."""
    hold(floor)
    floor.order("flatten", BTC)
    floor.deliver(orders(floor.log, reduce_only=True)[0])
    asked_ms = floor.now
    floor.tell()
    assert floor.flatten.flat_ms == asked_ms + 1  # with the fill, which is told first


def test_a_read_back_asked_before_it_was_quiet_proves_nothing(floor):
    flatten_quietly(floor)
    asked_ms = floor.flatten.flat_ms - 1
    floor.say(ReadBack((), (), (), floor.state.wallet, asked_ms, "periodic"))
    assert floor.flatten.proven_ms is None
    assert AskReadBack("flatten") in floor.pass_time(200)
    floor.read_back("flatten")
    assert floor.flatten.proven_ms == floor.now


def test_a_read_back_that_still_shows_it_is_asked_again_and_says_so(floor):
    flatten_quietly(floor)
    floor.held[BTC] = 5
    floor.read_back("flatten")
    assert floor.flatten.remains == ("not proven yet: the exchange shows BTCUSDT 0.005",)
    assert AskReadBack("flatten") in floor.pass_time(200)
    floor.held[BTC] = 0
    floor.read_back("flatten")
    assert floor.flatten.remains == ()


def test_a_read_back_that_fails_is_tried_again_and_nothing_is_claimed(floor):
    flatten_quietly(floor)
    floor.say(ReadBackFailed("time-out", "flatten"))
    assert floor.flatten.remains == ("not proven yet: account not read: time-out",)
    later = floor.pass_time(1_200)
    assert AskReadBack("flatten") in later
    assert {order.symbol for order in orders(later, reduce_only=False)} <= {ETH}


def test_what_turns_up_late_starts_it_all_over(floor):
    flatten_quietly(floor)
    floor.held[BTC] = 7
    floor.now += 2_000  # too late for the venue's answer to be an old one
    floor.read_back("flatten")
    assert (floor.flatten.flat_ms, floor.flatten.proven_ms) == (None, None)
    assert orders(floor.log, reduce_only=True)[-1].lots == 7


def test_a_wish_said_again_is_proven_anew_and_a_panic_stays_one(floor):
    hold(floor)
    floor.order("panic")
    floor.deliver(orders(floor.log, reduce_only=True)[0])
    floor.say(refused(orders(floor.log, reduce_only=False)[-1]))
    floor.tell()
    asked_ms, first = floor.now, floor.flatten
    floor.pass_time(300)
    floor.order("flatten")
    floor.say(ReadBack((), (), (), floor.state.wallet, asked_ms, "flatten"))
    (again,) = floor.view().flattens
    assert (again.panic, again.closed, again.cancelled) == (True, first.closed, first.cancelled)
    assert again.asked_ms > first.asked_ms
    assert again.proven_ms is None
    floor.read_back("flatten")
    assert floor.flatten.proven_ms == floor.now


def test_the_last_five_are_kept(floor):
    for _ in range(7):
        floor.order("flatten", ETH)
        floor.pass_time(200)
        floor.read_back("flatten")
    proven = [seen.proven_ms for seen in floor.view().flattens]
    assert len(proven) == 5
    assert proven == sorted(proven)


@pytest.mark.parametrize(("symbol", "kind"), [("", "panic"), ("", "flatten"), (BTC, "flatten")])
def test_after_a_crash_it_goes_on_until_it_is_proven(make_floor, symbol, kind):
    wish = Command(CommandKind(kind), symbol, who="person")
    entry = JournalEntry(6, 1, 1_700_000_000_000, EntryKind.EVENT, msgspec.json.encode(wish).decode())
    floor = make_floor(BTC)
    floor.start(entries=(entry,))
    seen = floor.flatten
    assert (seen.symbol, seen.panic, floor.view().armed) == (symbol, kind == "panic", kind != "panic")
    assert seen.proven_ms > seen.flat_ms
    (note,) = told(floor.log, "flat")
    done = JournalEntry(6, 2, 1_700_000_000_001, EntryKind.NOTE, msgspec.json.encode(note).decode())
    again = make_floor(BTC)
    again.start(entries=(entry, done))
    assert again.view().flattens == ()
    assert again.view().armed is (kind != "panic")


WORDS = st.tuples(
    st.sampled_from(["flatten", "panic", "arm", "disarm", "resume", "cancel"]), st.sampled_from(["", BTC, ETH])
)
STEPS = st.sampled_from(["tick", "tick", "tick", "deliver", "deliver", "tell", "tell", "read back", "late read back"])


class Story:
    """A floor, what is on its way to the exchange, and which wishes to be flat stand, kept apart from the core's."""

    def __init__(self, floor):
        self.floor, self.way, self.wished, self.read = floor, [], set(), 0

    def stands(self, symbol):
        return bool(self.wished & {"", symbol})

    def live(self, step):
        if isinstance(step, tuple):
            self.wished |= {"panic": {""}, "flatten": {step[1]}}.get(step[0], set())
            self.floor.order(*step)
        elif step == "tick":
            self.floor.tick()
        elif step == "tell":
            self.floor.tell()
        elif step == "deliver":
            self.deliver()
        else:
            self.floor.read_back("flatten", late_ms=300 if step == "late read back" else 0)
        self.take_in()

    def deliver(self):
        order = self.way.pop(0) if self.way else None
        if order is None:
            return
        if self.floor.deliver(order):
            assert order.reduce_only or not self.stands(order.symbol)
        else:
            self.floor.say(refused(order))

    def take_in(self):
        """What was decided: no entry where a wish stands; flat is what the exchange is, when it is said."""
        fresh, self.read = self.floor.log[self.read :], len(self.floor.log)
        for note in told(fresh, "flat"):
            self.wished.discard(note.symbol)
            assert not any(lots for symbol, lots in self.floor.held.items() if note.symbol in {"", symbol})
        entries = orders(fresh, reduce_only=False)
        assert not [order for order in entries if self.stands(order.symbol)]
        self.way += entries + orders(fresh, reduce_only=True)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(STEPS, STEPS, WORDS), min_size=10, max_size=60))
def test_no_entry_leaves_while_a_wish_to_be_flat_stands(make_floor, steps):
    floor = make_floor(BTC, ETH)
    floor.open()
    story = Story(floor)
    for step in steps:
        story.live(step)
    for step in ["tick", "deliver", "deliver", "tell", "read back"] * 20:
        story.live(step)
    assert not story.wished


def test_who_leaves_has_nothing_under_way_when_the_exchange_says_so(floor):
    floor.order("pause", ETH)
    entry = floor.enter()
    floor.order("stop")
    floor.read_back()
    assert not floor.core.settled(flat=False)
    floor.say(refused(entry))
    assert AskReadBack("flatten") in floor.log
    assert not floor.core.settled(flat=False)
    floor.read_back("flatten")
    assert floor.core.settled(flat=False)
    assert not floor.core.settled(flat=True)  # nobody has asked for it


def test_who_leaves_flat_stays_flat_whatever_turns_up_late(floor):
    floor.order("pause", ETH)
    floor.order("stop")
    floor.order("flatten")
    floor.pass_time(200)
    floor.read_back("flatten")
    assert floor.core.settled(flat=True)
    floor.held[BTC] = 7
    floor.now += 2_000
    floor.read_back()
    assert not floor.core.settled(flat=True)
    assert [order.lots for order in orders(floor.log, reduce_only=True)] == [7]


def test_who_is_asked_to_leave_flat_before_anything_is_known_closes_what_turns_out_to_be_held(make_table):
    table = make_table(BTC)
    table.order("stop")
    table.order("flatten")
    table.start(positions=(held(BTC, 7, (1, table.now)),))
    assert [order.lots for order in orders(table.log, reduce_only=True)] == [7]


def test_who_leaves_waits_for_a_panic_that_is_not_proven_yet(floor):
    floor.order("pause", ETH)
    hold(floor)
    floor.order("stop")
    floor.read_back("flatten")
    assert floor.core.settled(flat=False)
    floor.order("panic")
    assert not floor.core.settled(flat=False)
    floor.deliver(orders(floor.log, reduce_only=True)[-1])
    floor.tell()
    assert not floor.core.settled(flat=False)
    floor.read_back("flatten")
    assert floor.core.settled(flat=False)


def test_who_leaves_leaves_no_position_without_a_stop(floor):
    floor.order("pause", ETH)
    hold(floor)
    floor.order("stop")
    floor.read_back("flatten")
    robbed = PositionReport(
        BTC, floor.held[BTC], Decimal(60_000), None, None, Decimal(60_000), None, Decimal(10), 0, 1, floor.now
    )
    floor.say(PositionReports((robbed,)))
    assert not floor.core.settled(flat=False)
    floor.now += 2_000
    floor.read_back()
    assert floor.core.settled(flat=False)


def test_who_leaves_flat_waits_for_the_end_of_a_close_that_was_lost(floor):
    """Somebody else has closed it meanwhile: flat is proven, but our own order may still come."""
    floor.order("pause", ETH)
    hold(floor)
    floor.order("stop")
    floor.order("flatten")
    (close,) = orders(floor.log, reduce_only=True)
    floor.say(Outcome("place", close.symbol, close.client_id, OutcomeKind.UNKNOWN, reason="no answer"))
    floor.held[BTC] = 0
    floor.now += 2_000
    floor.read_back()
    floor.read_back("flatten")
    assert floor.flatten.proven_ms is not None
    assert not floor.core.settled(flat=True)
    floor.say(refused(close))
    assert floor.core.settled(flat=True)


def test_the_receipt_names_what_is_not_ours(floor):
    floor.order("pause")
    floor.order("panic")
    floor.say(
        ReadBack((), (), (), Wallet(Decimal(1), Decimal(1), Decimal(1)), floor.now, "flatten", strangers=("XRPUSDT",))
    )
    assert floor.flatten.proven_ms == floor.now
    assert floor.flatten.left_alone == ("XRPUSDT, not followed",)


def test_a_line_about_one_symbol_names_it_once(floor):
    """The log puts it in front."""
    floor.order("flatten", "BTCUSDT")
    (note,) = told(floor.read_back("flatten", late_ms=30), "flat")
    assert note.symbol == "BTCUSDT"
    assert note.text.startswith("flat, proven by the exchange ")
