from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from breakwall.model.actions import CancelOrder
from breakwall.model.events import Fill, Fills, Outcome, OutcomeKind, ReadBack, Wallet
from breakwall.model.ids import ClientId
from breakwall.model.journal import EntryKind, JournalEntry
from breakwall.model.records import Deed, HangingOrder, RecoveryReport
from breakwall.model.units import Side
from breakwall.storage.ledger import columns
from breakwall.storage.ledger.bookkeeper import Bookkeeper
from breakwall.storage.ledger.books import Books
from breakwall.storage.ledger.inline import InlineLedger
from breakwall.trading.order import CLOSED, OrderState
from breakwall.trading.position import PositionState
from tests.storage.ledger.diary import RUN, START_MS, SYMBOL, Diary, closed, dump, encoded, fills, report


def booked(diary: Diary) -> InlineLedger:
    ledger = InlineLedger()
    ledger.take(diary.entries)
    ledger.settle()
    assert not ledger.trouble
    return ledger


def test_the_words_for_states_are_the_engines() -> None:
    assert set(columns.ORDER_STATES) == {state.value for state in OrderState}
    assert set(columns.OPEN_ORDER_STATES) == {state.value for state in OrderState if state not in CLOSED}
    assert set(columns.POSITION_STATES) == {state.value for state in PositionState}


def test_a_trade_is_in_the_books_from_its_signal_to_its_result(diary: Diary) -> None:
    entry_id = diary.trades()
    with booked(diary).read() as books:
        order = books.order(entry_id)
        assert order is not None
        assert (order.state, order.filled_lots, order.qty, order.strategy) == (
            "FILLED",
            332,
            Decimal("33.2"),
            "breakout",
        )
        assert (order.limit_price, order.stop_price) == (Decimal("149.44"), Decimal("149.73"))
        assert [(step.before, step.after) for step in books.order_steps(entry_id)] == [
            (None, "PENDING"),
            ("PENDING", "SENT"),
            ("SENT", "FILLED"),
        ]
        position = books.position(entry_id)
        assert position is not None
        assert (position.state, position.lots, position.stop) == ("CLOSED", 0, Decimal("149.34"))
        assert [step.state for step in books.position_steps(entry_id)] == [
            *("OPENING", "OPEN", "OPEN", "OPEN"),
            "CLOSED",
        ]
        assert books.held() == []
        assert books.open_orders() == []
        stop = books.order("x-2")
        assert stop is not None
        assert (stop.state, stop.ours, stop.position_key, stop.stop_price) == (
            "FILLED",
            False,
            entry_id,
            Decimal("149.73"),
        )
        assert [(fill.exec_id, fill.order_key, fill.position_key) for fill in books.fills()] == [
            ("t-1", entry_id, entry_id),
            ("t-2", "#x-2", entry_id),
        ]


def test_slippage_is_what_other_prices_than_planned_have_cost(diary: Diary) -> None:
    diary.trades()
    with booked(diary).read() as books:
        (trade,) = books.trades()
    assert trade.entry_slippage_usdt == Decimal("0.332")  # sold 0.01 below the plan, 33.2 coins
    assert trade.exit_slippage_usdt == Decimal("0.664")  # bought 0.02 above the stop as it stood last
    assert trade.net_usdt == Decimal("-0.47")


@pytest.mark.parametrize(("reason", "slippage"), [("take-profit", "94.0"), ("time stop", None)])
def test_slippage_at_the_exit_is_against_what_it_was_left_at(diary: Diary, reason: str, slippage: str | None) -> None:
    diary.happens()
    diary.notes("closed-trade", "made", closed("e", "t", reason))
    with booked(diary).read() as books:
        (trade,) = books.trades()
    expected = None if slippage is None else (Decimal("149.36") - Decimal("146.53")) * Decimal("33.2")
    assert trade.exit_slippage_usdt == expected


def test_a_journal_from_before_records_is_understood(diary: Diary) -> None:
    diary.happens()
    diary.notes("closed-trade", encoded(closed("e", "t")))
    with booked(diary).read() as books:
        assert [trade.net_usdt for trade in books.trades()] == [Decimal("-0.47")]


def test_the_audit_has_who_why_what_before_and_after(diary: Diary) -> None:
    diary.trades()
    with booked(diary).read() as books:
        lines = books.audit()
    assert [(line.action, line.who, line.success) for line in lines] == [
        ("signal ordered", "breakout", True),
        ("place", "engine", None),
        ("place answered", "exchange", True),
        ("move stop", "engine", None),
        ("stop answered", "exchange", True),
    ]
    signal, place, _, move, _ = lines
    assert signal.context == place.context
    assert '"imbalance":-0.92' in place.context
    assert place.after == "sell 33.2 limit at 149.44 stop 149.73"
    assert (move.before, move.after, move.why) == ("149.73", "149.34", "breakeven")
    assert move.entity_id == place.entity_id


@pytest.mark.parametrize(
    ("kind", "success", "error"),
    [
        (OutcomeKind.CONFIRMED, True, ""),
        (OutcomeKind.REJECTED, False, "no money (code 7)"),
        (OutcomeKind.REFUSED, False, "no money (code 7)"),
        (OutcomeKind.UNKNOWN, None, "no money (code 7)"),
    ],
)
def test_an_outcome_is_audited_as_far_as_it_is_known(
    diary: Diary, kind: OutcomeKind, success: bool | None, error: str
) -> None:
    asked = ClientId(RUN, 5, "e").text
    diary.happens(Outcome("place", SYMBOL, asked, kind, 7, "no money"))
    with booked(diary).read() as books:
        (line,) = books.audit()
        failed = books.audit(failed=True)
    assert (line.success, line.trace) == (success, "tot63y-5")
    assert line.error == ("" if success else error)
    assert bool(failed) == (success is False)


def test_refused_signals_deeds_and_cancels_are_audited(diary: Diary) -> None:
    diary.happens()
    diary.signals("", refused_by="balance")
    diary.notes("command", "said", Deed("disarm", "trading", "all", "ARMED", "SAFE", "operator", "lunch"))
    diary.intends(CancelOrder("bw-1-1-c", diary.trace, SYMBOL, 1, "withdrawn", "bw-1-1-e"))
    with booked(diary).read() as books:
        refused, deed, cancel = books.audit()
        (signal,) = books.signals()
    assert (refused.action, refused.success, refused.error) == ("signal refused", False, "balance: too little")
    assert signal.context.refused_by == "balance"
    assert (deed.before, deed.after, deed.who, deed.why) == ("ARMED", "SAFE", "operator", "lunch")
    assert (cancel.action, cancel.entity_id) == ("cancel", "bw-1-1-e")


def test_recoveries_and_what_hung_in_them_are_kept(diary: Diary) -> None:
    hung = HangingOrder("bw-1-1-e", "x", SYMBOL, "SENT", "not-found", "nobody knows it", raw="{}")
    diary.happens()
    diary.notes("recovery", "pass", RecoveryReport(1, "start", START_MS, ("asked",), (), (hung,), False, "hangs"))
    with booked(diary).read() as books:
        (recovery,) = books.recoveries()
        (hanging,) = books.hanging()
    assert (recovery.verdict, recovery.actions, recovery.clean) == ("hangs", '["asked"]', False)
    assert (hanging.recovery, hanging.kind) == (recovery.source, "not-found")


def test_funding_is_cash_of_the_position_and_no_trade(diary: Diary) -> None:
    diary.trades()
    opened = diary.entries[:10]
    paid = Fill("f-1", "", "", SYMBOL, Side.SELL, 0, 332, Decimal("0.11"), START_MS, exec_kind="Funding")
    diary.entries[:] = opened
    diary.happens(Fills((paid,)))
    with booked(diary).read() as books:
        funding = books.fills()[0]
    assert (funding.exec_kind, funding.order_key, funding.fee_usdt) == ("Funding", None, Decimal("0.11"))
    assert funding.position_key is not None


def test_what_others_do_is_kept_as_told_the_newest_word_wins(diary: Diary) -> None:
    diary.happens(report("x-9", "web_1", "New", updated_ms=5))
    diary.happens(report("x-9", "web_1", "Cancelled", updated_ms=7))
    diary.happens(report("x-9", "web_1", "New", updated_ms=6))
    diary.happens(report("x-8", "", "Untriggered", stop_kind="Stop", updated_ms=5))
    diary.happens(ReadBack((), (), (), Wallet(Decimal(1), Decimal(1), Decimal(1)), 6))
    with booked(diary).read() as books:
        assert [(order.key, order.state, order.ours) for order in books.orders()] == [
            ("web_1", "CANCELLED", False),
            ("#x-8", "CANCELLED", False),
        ]
        assert books.open_orders() == []


def test_a_fill_of_an_unknown_order_in_an_unknown_scale_is_kept() -> None:
    diary = Diary()
    diary.happens(fills("t-9", "web_2", Side.BUY, 100, 3, "0.1", START_MS))
    with booked(diary).read() as books:
        (fill,) = books.fills()
        assert (fill.lots, fill.qty, fill.price, fill.order_key) == (3, None, None, "web_2")


def test_a_position_that_was_taken_over_has_a_key_of_its_own(diary: Diary) -> None:
    diary.happens()
    diary.stands("adopted", 5, "")
    diary.stands("closed", 0, "")
    diary.happens()
    diary.stands("adopted", -5, "")
    with booked(diary).read() as books:
        first, *_ = books.positions()
        assert first.key.startswith(f"{SYMBOL}-")
        assert [position.lots for position in books.held()] == [-5]


def test_a_position_whose_end_nobody_saw_ends_when_the_next_one_opens(diary: Diary) -> None:
    first = diary.trades()
    diary.entries = [entry for entry in diary.entries if '"closed"' not in entry.body]
    second = diary.trades()
    with booked(diary).read() as books:
        assert {position.key: position.state for position in books.positions()} == {
            first: "CLOSED",
            second: "CLOSED",
        }
        assert [order.position_key for order in books.orders() if order.ours] == [first, second]
        assert books.held() == []


@pytest.mark.parametrize(
    "entry",
    [
        JournalEntry(RUN, 9, START_MS, EntryKind.EVENT, "{not json"),
        JournalEntry(RUN, 9, START_MS, EntryKind.INTENT, '{"type":"Nonsense"}'),
        JournalEntry(RUN, 9, START_MS, EntryKind.NOTE, "garbage", sound=False),
        JournalEntry(RUN, 9, START_MS, EntryKind.EVENT, encoded(report("x", "", "New", lots=1 << 80))),
    ],
    ids=["not json", "unknown", "damaged", "does not fit"],
)
def test_a_line_that_cannot_be_booked_is_told_and_holds_up_nothing(diary: Diary, entry: JournalEntry) -> None:
    diary.entries.append(entry)
    entry_id = diary.trades()
    with booked(diary).read() as books:
        assert [event.kind for event in books.system_events()] == ["unread"]
        assert books.position(entry_id) is not None
        assert len(books.trades()) == 1


def test_a_checkpoint_says_nothing_new(diary: Diary) -> None:
    diary.entries.append(JournalEntry(RUN, 3, START_MS, EntryKind.CHECKPOINT, "{}"))
    ledger = booked(diary)
    with ledger.read() as books:
        assert books.system_events() == []
        assert books.progress() == (RUN, 3)


def two_trades() -> list[JournalEntry]:
    diary = Diary()
    diary.starts()
    diary.trades()
    diary.happens(report("x-9", "web_1", "New", updated_ms=5))
    diary.happens(ReadBack((), (), (), Wallet(Decimal(1), Decimal(1), Decimal(1)), 6))
    diary.trades()
    return diary.entries


ENTRIES = two_trades()
WHOLE = InlineLedger()
WHOLE.take(ENTRIES)
EXPECTED = dump(WHOLE)


@settings(max_examples=15, deadline=None)
@example(cuts=list(range(len(ENTRIES))), again=[])
@given(
    cuts=st.lists(st.integers(0, len(ENTRIES)), max_size=5),
    again=st.lists(st.tuples(st.integers(0, len(ENTRIES)), st.integers(0, len(ENTRIES))), max_size=4),
)
def test_however_it_is_cut_and_repeated_the_books_are_the_same(cuts: list[int], again: list[tuple[int, int]]) -> None:
    """A crash after any batch and a repetition of any stretch change nothing."""
    lines = list(enumerate(ENTRIES, start=1))
    ledger = InlineLedger()
    for start, end in pairwise(sorted({0, *cuts, len(lines)})):
        keeper = fresh(ledger)
        keeper.book(lines[start:end])
    for start, end in again:
        keeper = fresh(ledger)
        keeper.book(lines[start:end])
    assert dump(ledger) == EXPECTED


def fresh(ledger: InlineLedger) -> Bookkeeper:
    """The bookkeeper as after a restart: what it remembers is what the books say."""
    keeper = ledger._keeper
    keeper._memory = None
    return keeper


def test_a_simulated_crash_forgets_what_was_not_written_and_finds_it_in_the_journal(diary: Diary) -> None:
    diary.trades()
    ledger = InlineLedger()
    ledger.take(diary.entries[:4])
    ledger.settle()
    ledger.take(diary.entries[4:9])
    ledger.recover(diary.entries)
    again = InlineLedger()
    again.take(diary.entries)
    assert dump(ledger) == dump(again)
    with ledger.read() as books:
        assert isinstance(books, Books)
        assert books.progress()[1] == len(diary.entries)
