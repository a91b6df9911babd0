"""The order's table, pair by pair, and its promise: any sequence of messages ends in the same state."""

import inspect
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakwall.model.events import OrderAnswer, Outcome, OutcomeKind
from breakwall.model.records import OrderStep
from breakwall.settings import EngineSettings
from breakwall.trading.order import CLOSED, LOCAL_ENDINGS, TRANSITIONS, Cause, Order, OrderState
from breakwall.trading.orders import WITHDRAWN, Orders, is_ours

PAIRS = [(state, cause) for state in OrderState for cause in Cause]
ENTRY_ID = "bw-1-1-e"


def row(state: OrderState) -> str:
    """The printed row of a state, with "like PENDING" spelled out."""
    told = inspect.cleandoc(Order.__doc__ or "")
    text = re.search(rf"^{state.value}: (.*?)(?=^[A-Z_]+: |^$)", told, re.MULTILINE | re.DOTALL)
    assert text is not None
    return " ".join(text[1].split())


def printed(state: OrderState) -> dict[str, str]:
    text, moves = row(state), {}
    if "like PENDING" in text:
        moves = printed(OrderState.PENDING)
    if text.startswith("everything"):
        moves = {c.value: state.value for c in Cause if c is not Cause.AMEND and c not in LOCAL_ENDINGS}
        text = text.partition("except ")[2]
    for causes, target in re.findall(r"([a-z/]+) ([A-Z_]{4,})", text):
        moves |= dict.fromkeys(causes.split("/"), target)
    return {cause: target for cause, target in moves.items() if cause != "like"}


def test_a_move_is_told_in_words_and_as_a_fact(make):
    order = Order.ours(make.entry())
    order.order_id, order.reason = "v-1", "not enough balance"
    note = order.apply(Cause.PARTIAL, 3, 1_000_000, "1-2").note
    assert (note.text, note.durable) == ("order PENDING -> PARTIALLY_FILLED (partial)", True)
    assert note.record == OrderStep(
        ENTRY_ID, "v-1", "PENDING", "PARTIALLY_FILLED", "partial", 3, 10, "not enough balance"
    )


@pytest.mark.parametrize(("state", "cause"), PAIRS)
def test_every_pair_moves_as_the_docstring_says_or_is_refused(make, state, cause):
    order = Order.ours(make.entry())
    order.state = state
    expected = printed(state).get(cause.value)
    change = order.apply(cause, order.filled_lots, 5, "1-5")
    assert change.legal == (expected is not None)
    assert order.state.value == (expected or state.value)
    moved = expected is not None and expected != state.value
    assert [(t.at_ms, t.before, t.after, t.cause, t.trace) for t in order.history] == (
        [(5, state.value, expected, cause.value, "1-5")] if moved else []
    )


def test_the_table_has_a_row_for_every_state():
    assert set(TRANSITIONS) == set(OrderState)


def test_the_venues_word_overrules_local_endings_and_never_the_reverse(make):
    orders = Orders(EngineSettings())
    orders.place(make.entry())
    denied = Outcome("place", "BTCUSDT", ENTRY_ID, OutcomeKind.REJECTED)
    assert orders.on_outcome(denied, make.origin()).after is OrderState.REJECTED
    zombie = orders.on_report(make.report("New"), make.origin(2))
    assert zombie.after is OrderState.PLACED
    assert "zombie" in zombie.alarm
    again = orders.on_outcome(denied, make.origin(3))
    assert not again.legal
    assert orders.get(ENTRY_ID).state is OrderState.PLACED


def test_a_fill_on_a_closed_order_is_booked_and_alarmed(make):
    orders = Orders(EngineSettings())
    orders.place(make.entry())
    orders.on_report(make.report("Cancelled"), make.origin())
    change = orders.on_fill(make.fill("e1", 4), make.origin(2))
    assert (change.added_lots, change.after) == (4, OrderState.CANCELLED)
    assert "zombie" in change.alarm
    assert orders.get(ENTRY_ID).filled_lots == 4


def test_a_cancelled_order_keeps_its_cumulative_fill(make):
    orders = Orders(EngineSettings())
    orders.place(make.entry())
    change = orders.on_report(make.report("Cancelled", filled=3, reason="EC_NoEnoughQtyToFill"), make.origin())
    assert (change.after, change.order.filled_lots, change.alarm) == (OrderState.CANCELLED, 3, "")
    late = orders.on_fill(make.fill("e1", 3), make.origin(2))
    assert (late.added_lots, late.alarm) == (0, "")


def test_a_cancel_that_lost_the_race_leaves_the_order_filled(make):
    orders = Orders(EngineSettings())
    orders.place(make.entry())
    orders.on_report(make.report("Filled", 10), make.origin())
    change = orders.on_report(make.report("Filled", 10, cancel_kind="CancelByUser"), make.origin(2))
    assert change.after is OrderState.FILLED


def test_absence_needs_two_answers_and_enough_time(make):
    orders = Orders(EngineSettings())
    orders.place(make.entry())
    orders.on_outcome(Outcome("place", "BTCUSDT", ENTRY_ID, OutcomeKind.UNKNOWN), make.origin())
    early, late = (OrderAnswer(ENTRY_ID, "BTCUSDT", None, asked_ms=asked_ms) for asked_ms in (1_005_900, 1_009_000))
    assert orders.unresolved("BTCUSDT")
    assert orders.on_answer(early, make.origin(2, 1_006_900)) is None
    unread = OrderAnswer(ENTRY_ID, "BTCUSDT", None, readable=False, asked_ms=1_009_000)
    assert orders.on_answer(unread, make.origin(3, 1_009_050)) is None
    orders.due_queries(1_009_000)
    assert orders.on_answer(early, make.origin(4, 1_009_060)) is None, "asked before the order's last chance was over"
    assert orders.on_answer(late, make.origin(5, 1_009_100)).after is OrderState.EXPIRED
    assert not orders.unresolved("BTCUSDT")


def test_queries_are_due_for_unknown_orders_once_per_interval(make):
    orders = Orders(EngineSettings())
    orders.place(make.entry())
    assert orders.due_queries(1_000_100) == []
    orders.on_outcome(Outcome("place", "BTCUSDT", ENTRY_ID, OutcomeKind.UNKNOWN), make.origin())
    assert [order.client_id for order in orders.due_queries(1_000_200)] == [ENTRY_ID]
    assert orders.due_queries(1_000_900) == []
    assert len(orders.due_queries(1_001_200)) == 1


def test_foreign_orders_are_kept_as_foreign(make):
    orders = Orders(EngineSettings())
    orders.on_report(make.report("New", client_id="web-1"), make.origin())
    assert not is_ours("web-1")
    assert orders.get("web-1").intent is None
    assert orders.open() == []
    assert not orders.unresolved("BTCUSDT")


def test_a_client_id_is_never_used_twice(make):
    orders = Orders(EngineSettings())
    orders.place(make.entry())
    with pytest.raises(ValueError, match="expected a new client id"):
        orders.place(make.entry())


def test_closed_orders_are_forgotten_after_a_while(make):
    orders = Orders(EngineSettings())
    orders.place(make.entry())
    orders.on_report(make.report("Filled", 10), make.origin())
    orders.prune(1_100_000)
    assert orders.get(ENTRY_ID) is not None
    orders.prune(2_000_000)
    assert orders.get(ENTRY_ID) is None


STORIES = {
    "filled": (["New", "PartiallyFilled:4", "Filled:10"], [4, 6], OrderState.FILLED, 10),
    "partly filled, then cancelled": (["New", "PartiallyFilled:4", "Cancelled:4"], [3, 1], OrderState.CANCELLED, 4),
    "cancelled": (["New", "Cancelled:0"], [], OrderState.CANCELLED, 0),
    "bounced": (["Rejected:0"], [], OrderState.REJECTED, 0),
    "rejected with fills": (["New", "Rejected:2"], [2], OrderState.CANCELLED, 2),
    "working": (["New", "PartiallyFilled:4"], [4], OrderState.PARTIALLY_FILLED, 4),
    "silent": ([], [], OrderState.PLACED, 0),
}


@given(data=st.data(), name=st.sampled_from(sorted(STORIES)), unknown=st.booleans())
@settings(max_examples=100, deadline=None)
def test_any_order_and_duplicates_end_in_the_same_state(make, data, name, unknown):
    reports, fills, final, filled = STORIES[name]
    kind = OutcomeKind.UNKNOWN if unknown and reports else OutcomeKind.CONFIRMED
    facts = [("outcome", kind), ("sent", None), *(("report", r) for r in reports)]
    facts += [("fill", (f"e{n}", lots)) for n, lots in enumerate(fills)]
    doubled = facts + data.draw(st.lists(st.sampled_from(facts), max_size=5))
    orders, seen = Orders(EngineSettings()), 0
    order = orders.place(make.entry())
    for seq, (what, value) in enumerate(data.draw(st.permutations(doubled))):
        origin = make.origin(seq + 2)
        if what == "outcome":
            orders.on_outcome(Outcome("place", "BTCUSDT", ENTRY_ID, value), origin)
        elif what == "sent":
            orders.on_sent(ENTRY_ID, origin)
        elif what == "fill":
            orders.on_fill(make.fill(value[0], value[1]), origin)
        else:
            status, _, amount = value.partition(":")
            orders.on_report(make.report(status, int(amount or 0)), origin)
        assert order.filled_lots >= seen
        seen = order.filled_lots
    assert (order.state, order.filled_lots) == (final, filled)
    assert (order.state in CLOSED) == (final in CLOSED)


@pytest.mark.parametrize("kind", sorted(WITHDRAWN))
def test_a_cancel_that_nobody_here_asked_for_is_an_alarm(make, kind):
    orders = Orders(EngineSettings())
    orders.place(make.entry())
    orders.on_report(make.report("New", limit_ticks=make.entry().limit_ticks), make.origin(2))
    change = orders.on_report(make.report("Cancelled", cancel_kind=kind), make.origin(3))
    assert (change.alarm, change.note.level) == (f"withdrawn by the exchange ({kind})", "warning")
    assert orders.on_report(make.report("Cancelled", cancel_kind=kind), make.origin(4)).alarm == ""


@pytest.mark.parametrize(
    "kind", ["CancelByUser", "CancelByReduceOnly", "CancelByTpSlTsClear", "UNKNOWN", "SomethingNew"]
)
def test_other_cancels_are_ordinary(make, kind):
    orders = Orders(EngineSettings())
    orders.place(make.entry())
    assert orders.on_report(make.report("Cancelled", cancel_kind=kind), make.origin(2)).alarm == ""


def test_a_limit_that_the_venue_has_moved_is_told_once(make):
    orders = Orders(EngineSettings())
    orders.place(make.entry())
    sent = make.entry().limit_ticks
    assert orders.on_report(make.report("New", limit_ticks=sent), make.origin(2)).alarm == ""
    moved = make.report("New", limit_ticks=sent - 7)
    assert (
        orders.on_report(moved, make.origin(3)).alarm
        == f"the exchange has moved its limit from {sent} to {sent - 7} ticks"
    )
    assert orders.on_report(moved, make.origin(4)).alarm == ""
