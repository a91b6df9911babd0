"""The core as one piece: every event has its handler, equal events give equal actions, gates hold."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, get_args

import msgspec
import pytest

from breakwall.engine import core as core_module
from breakwall.model.actions import (
    Action,
    Approved,
    AskReadBack,
    MoveStop,
    Note,
    OrderKind,
    PlaceOrder,
    Resubscribe,
    TimeInForce,
)
from breakwall.model.events import (
    Account,
    BadFrame,
    BookDelta,
    BookLost,
    BookSnapshot,
    Command,
    CommandKind,
    Event,
    Fill,
    Fills,
    Instruments,
    JournalHealth,
    Link,
    LinkChanged,
    Outcome,
    OutcomeKind,
    PositionReport,
    ReadBack,
    ReadBackFailed,
    Recovered,
    SettingsChanged,
    Tick,
    Ticker,
    Wallet,
)
from breakwall.model.journal import EntryKind, JournalEntry
from breakwall.model.liquidations import Liquidation, Liquidations
from breakwall.model.units import Instrument, Side
from breakwall.settings import Settings

BTC = Instrument("BTCUSDT", Decimal("0.1"), Decimal("0.001"), 1, 1_000_000, 100_000, price_decimals=1)
SETTINGS = Settings(symbols=("BTCUSDT",))
WALLET = Wallet(Decimal(10_000), Decimal(10_000), Decimal(10_000), at_ms=1)


MakeTable = Callable[[], Any]


def orders(actions: list[Action]) -> list[PlaceOrder]:
    return [
        action.intent for action in actions if isinstance(action, Approved) and isinstance(action.intent, PlaceOrder)
    ]


def notes(actions: list[Action], kind: str) -> list[str]:
    return [action.text for action in actions if isinstance(action, Note) and action.kind == kind]


def held(lots: int = 10, stop_ticks: int | None = 590_000) -> PositionReport:
    return PositionReport(
        "BTCUSDT",
        lots,
        Decimal(60_000),
        stop_ticks,
        None,
        Decimal(60_000),
        Decimal(54_000),
        Decimal(10),
        updated_ms=5,
    )


def test_every_kind_of_event_has_its_row() -> None:
    assert set(core_module._HANDLERS) == set(get_args(Event))


def test_nothing_is_traded_before_the_account_was_read(make_table: MakeTable) -> None:
    table = make_table()
    table.say(SettingsChanged(SETTINGS.model_dump_json(by_alias=True), 7))
    table.say(Account("1", Decimal("0.00055"), Decimal("0.0002")))
    table.say(Instruments((BTC,)))
    actions = table.say(Recovered(()))
    assert AskReadBack("start") in actions
    assert table.view_state() == "REDUCING"
    table.say(ReadBackFailed("time-out", "start"))
    assert table.view_state() == "REDUCING"
    assert AskReadBack("start") in table.pass_time(1_200)
    table.say(ReadBack((), (), (), WALLET, table.now, "start"))
    assert table.view_state() == "ACTIVE"


def test_a_position_found_naked_at_the_start_gets_its_stop_first(make_table: MakeTable) -> None:
    table = make_table()
    table.start(positions=(held(stop_ticks=None),))
    stops = [action.intent for action in table.log if isinstance(action, Approved) and not orders([action])]
    assert [intent.symbol for intent in stops] == ["BTCUSDT"]
    assert all(action.reducing for action in table.log if isinstance(action, Approved))


def test_a_naked_position_is_closed_when_no_stop_is_confirmed_in_time(make_table: MakeTable) -> None:
    table = make_table()
    table.start()
    table.say(Fills((Fill("x1", "o1", "foreign", "BTCUSDT", Side.BUY, 600_000, 10, Decimal(1), 5),)))
    filled_ms = table.now
    closes = orders(table.pass_time(3_000))
    assert closes
    assert all(order.reduce_only and order.side is Side.SELL for order in closes)
    assert closes[0].decided_ms - filled_ms <= 3_000


def test_flatten_closes_what_is_held_and_what_arrives_later_while_leaving(make_table: MakeTable) -> None:
    table = make_table()
    table.start(positions=(held(),))
    table.say(Command(CommandKind.STOP))
    closing = orders(table.say(Command(CommandKind.FLATTEN)))
    assert [(order.side, order.lots, order.reduce_only) for order in closing] == [(Side.SELL, 10, True)]
    assert not table.core.settled(flat=True)
    table.say(
        Fills(
            (
                Fill(
                    "x1", "o1", closing[0].client_id, "BTCUSDT", Side.SELL, 600_000, 10, Decimal(1), 9, closed_lots=10
                ),
            )
        )
    )
    assert AskReadBack("flatten") in table.log
    assert not table.core.settled(flat=True)
    table.say(ReadBack((), (), (), WALLET, table.now, "flatten"))
    assert table.core.settled(flat=True)


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (Command(CommandKind.HALT, who="test"), "halted by test"),
        (Command(CommandKind.PAUSE, who="test"), "paused by test"),
        (Command(CommandKind.DISARM), "SAFE"),
        (LinkChanged(Link.PRIVATE, up=False, reason="gone"), "private link down: gone"),
        (LinkChanged(Link.PUBLIC, up=False, reason="gone"), "public link down: gone"),
        (JournalHealth(ok=False, reason="disk full"), "journal: disk full"),
    ],
)
def test_each_reason_not_to_trade_is_told(make_table: MakeTable, event: Event, why: str) -> None:
    table = make_table()
    table.start()
    assert table.core.view(table.now, "TEST", "", 0, 0).why == ""
    table.say(event)
    assert why in table.core.view(table.now, "TEST", "", 0, 0).why


def test_a_private_link_that_comes_back_is_not_trusted_before_a_read_back(make_table: MakeTable) -> None:
    table = make_table()
    table.start()
    table.say(LinkChanged(Link.PRIVATE, up=False, reason="gone"))
    table.say(LinkChanged(Link.PRIVATE, up=True))
    assert table.core.view(table.now, "TEST", "", 0, 0).blind
    assert AskReadBack("reconnect") in table.pass_time(300)
    table.say(ReadBack((), (), (), WALLET, table.now, "reconnect"))
    assert not table.core.view(table.now, "TEST", "", 0, 0).blind


def test_without_the_trade_link_trading_goes_on_and_it_is_told(make_table: MakeTable) -> None:
    table = make_table()
    table.start()
    told = table.say(LinkChanged(Link.TRADE, up=False, reason="gone"))
    assert [action.text for action in told if isinstance(action, Note)] == [
        "trade link is down, orders go over REST: gone"
    ]
    view = table.core.view(table.now, "TEST", "", 0, 0)
    assert (view.blind, view.why, view.trading_state) == (False, "", "ACTIVE")


def test_time_that_stood_still_is_a_restart_without_a_restart(make_table: MakeTable) -> None:
    table = make_table()
    table.start()
    actions = table.say(Tick(), 30_000)
    assert "stood still for 30.0 s" in notes(actions, "gap")[0]
    assert AskReadBack("reconnect") in actions
    assert table.core.view(table.now, "TEST", "", 0, 0).blind
    table.say(ReadBack((), (), (), WALLET, table.now, "reconnect"))
    assert not table.core.view(table.now, "TEST", "", 0, 0).blind


def test_symbols_that_others_trade_are_told_once(make_table: MakeTable) -> None:
    table = make_table()
    table.start()
    told = [
        notes(table.say(ReadBack((), (), (), WALLET, table.now, strangers=("XRPUSDT",))), "stranger") for _ in "ab"
    ]
    assert [len(texts) for texts in told] == [1, 0]


def test_the_account_is_read_back_at_least_every_five_seconds(make_table: MakeTable) -> None:
    table = make_table()
    table.start()
    asked = [action for action in table.pass_time(20_000) if isinstance(action, AskReadBack)]
    assert len(asked) >= 3


def test_a_gap_drops_the_book_and_asks_for_a_new_one(make_table: MakeTable) -> None:
    table = make_table()
    table.start()
    table.say(BookSnapshot("BTCUSDT", [(599_999, 5)], [(600_001, 5)], 10, 10, 1, 200))
    actions = table.say(BookDelta("BTCUSDT", [(599_998, 5)], [], 12, 12, 2, 200))
    assert [action.symbol for action in actions if isinstance(action, Resubscribe)] == ["BTCUSDT"]
    assert table.core.view(table.now, "TEST", "", 0, 0).symbols[0].status == "RESYNC"
    assert not [action for action in table.say(BookLost("BTCUSDT", "closed")) if isinstance(action, Resubscribe)]
    overflow = table.say(BookLost("BTCUSDT", "inbox full", ours=True))
    assert [action.symbol for action in overflow if isinstance(action, Resubscribe)] == ["BTCUSDT"]


def test_a_book_that_comes_back_is_told_as_its_loss_is(make_table: MakeTable) -> None:
    table = make_table()
    table.start()
    book = BookSnapshot("BTCUSDT", [(599_999, 5)], [(600_001, 5)], 10, 10, 1, 200)
    first = table.say(book)
    table.say(BookLost("BTCUSDT", "closed"))
    again = table.say(book)
    silent = table.pass_time(6_000)
    spoken = table.say(BookDelta("BTCUSDT", [(599_998, 5)], [], 11, 11, 2, 200))
    told = [[action.text for action in actions if isinstance(action, Note)] for actions in (first, again, spoken)]
    assert not any("back" in text for text in told[0])
    assert "book is back after RESYNC" in told[1]
    assert "book is back after STALE" in told[2]
    assert any(isinstance(action, Note) and action.text.startswith("book STALE: ") for action in silent)


def test_changed_units_convert_the_position_and_drop_the_book(make_table: MakeTable) -> None:
    table = make_table()
    table.start(positions=(held(),))
    table.say(BookSnapshot("BTCUSDT", [(599_999, 5)], [(600_001, 5)], 10, 10, 1, 200))
    finer = Instrument("BTCUSDT", Decimal("0.01"), Decimal("0.0001"), 1, 10_000_000, 1_000_000, price_decimals=2)
    actions = table.say(Instruments((finer,)))
    view = table.core.view(table.now, "TEST", "", 0, 0)
    assert (view.positions[0].lots, view.positions[0].stop) == (100, Decimal("59000.00"))
    assert view.symbols[0].status != "LIVE"
    assert [action.symbol for action in actions if isinstance(action, Resubscribe)] == ["BTCUSDT"]


def test_the_gate_stops_an_entry_that_was_overtaken(make_table: MakeTable) -> None:
    table = make_table()
    table.start()
    forgotten = PlaceOrder(
        "bw-7-1-e", "t", "BTCUSDT", table.now, "test", Side.BUY, OrderKind.LIMIT, 1, TimeInForce.IOC, 5
    )
    assert table.core.gate(forgotten, table.now) == "withdrawn"


def test_equal_events_give_equal_actions(make_table: MakeTable) -> None:
    first, second = make_table(), make_table()
    for table in (first, second):
        table.start(positions=(held(),))
        table.say(Ticker("BTCUSDT", 1, mark=Decimal(60_300)))
        table.pass_time(3_000)
        table.say(Command(CommandKind.FLATTEN))
    assert first.log == second.log
    assert orders(first.log)


def test_a_read_back_asked_before_the_private_link_came_up_proves_nothing(make_table: MakeTable) -> None:
    """What happened between the question and the link was told to nobody."""
    table = make_table()
    table.start()
    table.say(LinkChanged(Link.PRIVATE, up=False, reason="gone"))
    asked_ms = table.now
    table.say(LinkChanged(Link.PRIVATE, up=True), 700)
    table.pass_time(200)
    table.say(ReadBack((), (), (), WALLET, asked_ms, "periodic"))
    assert table.core.view(table.now, "TEST", "", 0, 0).blind
    assert AskReadBack("reconnect") in table.pass_time(1_000)
    table.say(ReadBack((), (), (), WALLET, table.now, "reconnect"))
    assert not table.core.view(table.now, "TEST", "", 0, 0).blind


def test_an_unreadable_private_frame_may_have_been_a_fill(make_table: MakeTable) -> None:
    table = make_table()
    table.start()
    table.pass_time(1_000)
    table.say(ReadBack((), (), (), WALLET, table.now, "periodic"))
    table.say(BadFrame(Link.PRIVATE, "not JSON"))
    assert AskReadBack("proof") in table.pass_time(200)


def test_a_flatten_that_a_crash_interrupted_is_finished_first(make_table: MakeTable) -> None:
    wish = Command(CommandKind.FLATTEN, who="person")
    entry = JournalEntry(6, 1, 1_700_000_000_000, EntryKind.EVENT, msgspec.json.encode(wish).decode())
    table = make_table()
    table.start(positions=(held(),), entries=(entry,))
    assert [(order.lots, order.reduce_only) for order in orders(table.log)[:1]] == [(10, True)]
    other = make_table()
    other.start(entries=(entry,))
    other.say(ReadBack((), (), (), WALLET, other.now, "flatten"))
    assert notes(other.log, "flat")[0].startswith("all symbols flat, proven by the exchange")


@pytest.mark.parametrize("kind", [CommandKind.HALT, CommandKind.STOP])
def test_what_was_said_before_the_journal_was_read_is_not_forgotten(make_table: MakeTable, kind: CommandKind) -> None:
    table = make_table()
    table.say(Command(kind, who="person"))
    table.start()
    assert table.view_state() == ("HALTED" if kind is CommandKind.HALT else "REDUCING")


def test_leaving_flat_is_remembered_so_that_the_next_start_does_not_go_on_with_it(make_table: MakeTable) -> None:
    table = make_table()
    table.start()
    table.say(Command(CommandKind.STOP))
    table.say(Command(CommandKind.FLATTEN))
    table.pass_time(200)
    actions = table.say(ReadBack((), (), (), WALLET, table.now, "leaving"))
    assert table.core.settled(flat=True)
    assert [note.text for note in actions if isinstance(note, Note) and note.durable and note.kind == "flat"]


def test_a_close_or_stop_meant_for_an_earlier_position_never_leaves(make_table: MakeTable) -> None:
    table = make_table()
    table.start(positions=(held(),))
    closing = orders(table.say(Command(CommandKind.FLATTEN)))[0]
    assert table.core.gate(closing, table.now) == ""
    stop = MoveStop("bw-7-1-s", "t", "BTCUSDT", table.now, "test", 589_000)
    assert "a better stop" in table.core.gate(stop, table.now)
    table.say(Fills((fill("x1", Side.SELL, closing.client_id, closed_lots=10),)))
    assert table.core.gate(closing, table.now) == "the position it was meant for is gone"
    table.say(Fills((fill("x2", Side.BUY, "by-hand"),)))
    assert table.core.gate(closing, table.now) == "the position it was meant for is gone"
    assert table.core.gate(stop, table.now) == "the position it was meant for is gone"


def fill(exec_id: str, side: Side, client_id: str, closed_lots: int = 0) -> Fill:
    return Fill(exec_id, "o", client_id, "BTCUSDT", side, 600_000, 10, Decimal(1), 9, closed_lots=closed_lots)


def test_a_close_that_is_refused_asks_how_things_really_are(make_table: MakeTable) -> None:
    table = make_table()
    table.start(positions=(held(),))
    closing = orders(table.say(Command(CommandKind.FLATTEN)))[0]
    table.say(ReadBack((), (held(),), (), WALLET, table.now, "periodic"), 200)
    table.say(Outcome("place", "BTCUSDT", closing.client_id, OutcomeKind.REJECTED, 110017, "nothing to reduce"))
    assert AskReadBack("proof") in table.pass_time(200)


@pytest.mark.parametrize(("said", "armed"), [(("disarm",), False), (("disarm", "arm"), True), ((), True)])
def test_safe_outlives_a_crash(make_table: MakeTable, said: tuple[str, ...], armed: bool) -> None:
    commands = [msgspec.json.encode(Command(CommandKind(kind))).decode() for kind in said]
    entries = tuple(JournalEntry(6, n, 1, EntryKind.EVENT, body) for n, body in enumerate(commands))
    table = make_table()
    table.start(entries=entries)
    assert table.core.view(table.now, "TEST", "", 0, 0).armed is armed


def test_a_naked_position_is_closed_in_time_with_every_link_down_and_no_book_and_no_journal(
    make_table: MakeTable,
) -> None:
    table = make_table()
    table.start()
    for link in (Link.PUBLIC, Link.PRIVATE):
        table.say(LinkChanged(link, up=False, reason="gone"))
    table.say(JournalHealth(ok=False, reason="disk full"))
    table.say(Fills((fill("x1", Side.BUY, "by-hand"),)))
    filled_ms = table.now
    closes = orders(table.pass_time(3_000))
    assert closes
    assert closes[0].reduce_only
    assert closes[0].decided_ms - filled_ms <= 3_000


def test_liquidations_of_others_are_told_by_side_and_worth(make_table: MakeTable) -> None:
    table = make_table()
    table.start()
    rows = (
        Liquidation(600_000, 500, True, 1),
        Liquidation(600_000, 20, False, 1),
        Liquidation(600_000, 500, True, 2),
    )
    notes = [action for action in table.say(Liquidations("BTCUSDT", rows)) if isinstance(action, Note)]
    assert [(note.kind, note.level, note.text) for note in notes] == [
        ("liquidation", "info", "longs of 60,000 USDT liquidated"),
        ("liquidation", "debug", "shorts of 1,200 USDT liquidated"),
    ]
    assert table.say(Liquidations("NOSUCHUSDT", rows)) == []
