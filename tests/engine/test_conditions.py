"""Standing rules on the whole core: they hold entries back and name themselves; protection passes through all."""

from decimal import Decimal

import pytest

from breakwall.model.actions import Approved, AskReadBack, CancelOrder, MoveStop, Note, PlaceOrder, ResetApi
from breakwall.model.api import ApiGroup, ApiHealth, ApiState, Bars
from breakwall.model.events import (
    BookLost,
    Command,
    CommandKind,
    PositionReport,
    PositionReports,
    ReadBackFailed,
    SlowCommit,
    Tick,
    Ticker,
)
from tests.engine.conftest import STOP

BTC, ETH = "BTCUSDT", "ETHUSDT"
OPEN, CLOSED, HALF_OPEN, BANNED = ApiState.OPEN, ApiState.CLOSED, ApiState.HALF_OPEN, ApiState.BANNED


def intents(actions):
    return [action.intent for action in actions if isinstance(action, Approved)]


def entries(floor, seconds=1):
    """Entries decided within this time, with living books."""
    return [
        intent
        for _ in range(seconds * 10)
        for intent in intents(floor.tick())
        if isinstance(intent, PlaceOrder) and not intent.reduce_only
    ]


def refusal(floor):
    entries(floor)
    signal = floor.view().signals[-1]
    return signal.refused_by, signal.reason


def texts(floor, kind):
    return [action.text for action in floor.log if isinstance(action, Note) and action.kind == kind]


def break_api(floor, state=OPEN, group=ApiGroup.ORDERS, for_ms=30_000):
    floor.say(ApiHealth(group, state, "time-out after 5 s", floor.now + for_ms, 5))


@pytest.mark.parametrize("group", [ApiGroup.ORDERS, ApiGroup.STOPS, ApiGroup.ACCOUNT])
def test_an_open_api_breaker_refuses_entries_by_name_until_its_time(floor, group):
    break_api(floor, group=group)
    assert floor.view_state() == "REDUCING"
    check, reason = refusal(floor)
    assert check == "trading state"
    assert f"API breaker of {group.value} is OPEN: time-out after 5 s" in reason
    (shown,) = floor.view().api
    assert (shown.group, shown.state, shown.failures) == (group.value, "OPEN", 5)
    for _ in range(5):
        entries(floor, 5)
        floor.read_back()
    assert not entries(floor, 3)
    assert entries(floor, 2), "the probe"


def test_an_entry_on_its_way_is_overtaken_by_it(floor):
    entry = floor.enter()
    assert floor.core.gate(entry, floor.now) == ""
    break_api(floor)
    assert "API breaker of orders" in floor.core.gate(entry, floor.now)


@pytest.mark.parametrize("group", [ApiGroup.ADMISSION, ApiGroup.MARKET])
def test_groups_that_entries_do_not_need_hold_nothing_back(floor, group):
    break_api(floor, group=group)
    assert floor.view_state() == "ACTIVE"


def test_a_probe_that_is_out_holds_back_others_and_an_answer_frees_all(floor):
    floor.say(ApiHealth(ApiGroup.ORDERS, HALF_OPEN, "time-out"))
    assert not entries(floor)
    floor.say(ApiHealth(ApiGroup.ORDERS, CLOSED))
    assert entries(floor)
    assert texts(floor, "api")[-1] == "API breaker of orders is CLOSED"


def test_a_ban_is_an_alarm_with_its_time(floor):
    break_api(floor, BANNED, ApiGroup.ALL, 600_000)
    (note,) = [action for action in floor.log if isinstance(action, Note) and action.kind == "api"]
    assert (note.level, note.durable) == ("error", True)
    assert note.text == "API breaker of all is BANNED for 600 s: time-out after 5 s"
    assert not entries(floor)


@pytest.mark.parametrize(
    ("name", "group"), [("", ApiGroup.ALL), ("orders", ApiGroup.ORDERS), ("stops", ApiGroup.STOPS)]
)
def test_a_person_resets_the_api_breaker_and_it_is_audited(floor, name, group):
    actions = floor.say(Command(CommandKind.RESET_API, who="person", name=name))
    assert ResetApi(group) in actions
    answer = next(action for action in actions if isinstance(action, Note) and action.kind == "answer")
    assert (answer.durable, answer.record.who, answer.record.action) == (True, "person", "reset-api")


def test_a_group_that_is_not_there_is_named(floor):
    actions = floor.say(Command(CommandKind.RESET_API, name="evil\x1b[2J"))
    assert not [action for action in actions if isinstance(action, ResetApi)]
    answer = next(action for action in actions if isinstance(action, Note) and action.kind == "answer")
    assert (answer.record.success, "there are all, orders, stops" in answer.text) == (False, True)


def test_protection_passes_while_everything_is_open_and_halted(floor):
    """Stops, closes and cancels are decided, and let through the last gate, whatever else holds."""
    entry = floor.enter()
    floor.deliver(entry)
    floor.tell()
    floor.read_back()
    other = next(intent for intent in intents(floor.log) if intent.symbol == ETH)
    floor.order("halt")
    for group in ApiGroup:
        break_api(floor, BANNED if group is ApiGroup.ALL else OPEN, group, 600_000)
    floor.say(SlowCommit(5_000))
    floor.say(Tick(venue_offset_ms=90_000), 5_000)
    for n in range(40):
        floor.state.breaker.on_order(
            PlaceOrder(f"bw-9-{n}-e", "", BTC, 0, "", entry.side, entry.kind, 1, entry.tif, plan=entry.plan),
            floor.now,
        )
    held = {rule.rule for rule in floor.view().breaker if rule.tripped}
    assert held >= {"halted", "exchange interface", "slow disk", "clock", "order rate", "repeated execution"}

    floor.say(Ticker(BTC, 2, mark=Decimal(61_000)))
    floor.order("breakeven", BTC)
    floor.order("cancel")
    floor.order("flatten")
    decided = intents(floor.log)
    stop = next(intent for intent in decided if isinstance(intent, MoveStop))
    close = next(intent for intent in decided if isinstance(intent, PlaceOrder) and intent.reduce_only)
    cancel = next(intent for intent in decided if isinstance(intent, CancelOrder))
    assert [floor.core.gate(intent, floor.now) for intent in (stop, close)] == ["", ""]
    assert cancel.target == other.client_id
    assert floor.core.gate(other, floor.now)


def test_a_clock_that_is_off_is_told_and_then_holds_entries(floor):
    def ticks(offset_ms, count=10):
        return [intent for _ in range(count) for intent in intents(floor.say(Tick(offset_ms), 100))]

    ticks(501, 1)
    ticks(-700, 1)
    assert texts(floor, "clock") == ["our clock differs from the exchange's by -501 ms: set it right"]
    assert floor.view_state() == "ACTIVE"
    ticks(-1_001, 1)
    assert "by +1001 ms, at most 1000 ms allowed" in floor.view().why
    ticks(0, 60)
    assert "clock" not in floor.view().why
    assert texts(floor, "breaker")[-1].startswith("over: our clock differs")


def test_ticks_that_come_late_hold_entries_until_they_come_in_time(floor):
    for _ in range(49):
        floor.say(Tick(), 700)
    assert "ms late" in floor.view().why
    late = next(rule for rule in floor.view().breaker if rule.rule == "loop delay")
    assert (late.tripped, late.used > 500, late.limit) == (True, True, 500)
    floor.read_back()
    for _ in range(12):
        entries(floor, 1)
        floor.read_back()
    assert "late" not in floor.view().why


def test_an_account_that_is_not_read_back_holds_entries(floor):
    assert entries(floor, 14)
    entries(floor, 2)
    assert "not read back for more than 15 s" in floor.view().why
    floor.read_back()
    floor.tick()
    floor.tick()
    assert floor.view().why == ""


def test_a_lost_book_holds_its_symbol_alone_and_is_not_told_twice(floor):
    floor.say(BookLost(BTC, "gap"))
    assert {intent.symbol for intent in entries(floor)} == {ETH}
    (book,) = [rule for rule in floor.view().breaker if rule.rule == "book"]
    assert (book.scope, book.text, book.tier) == (BTC, "BTCUSDT book: RESYNC: gap", "pause")
    assert texts(floor, "breaker") == []
    assert floor.view().counters.breaker_trips == 0


def test_a_slow_disk_holds_entries_for_its_pause(floor):
    floor.say(SlowCommit(251))
    assert "the journal needed 251 ms" in refusal(floor)[1]
    assert not entries(floor, 8)
    assert entries(floor, 2)


def test_repeated_execution_needs_a_person_for_its_strategy_and_symbol(floor):
    entry = floor.enter()
    for n in range(15):
        floor.state.breaker.on_order(
            PlaceOrder(f"bw-9-{n}-e", "", BTC, 0, "", entry.side, entry.kind, 1, entry.tif, plan=entry.plan),
            floor.now,
        )
    assert floor.core.gate(entry, floor.now).startswith("breakout BTCUSDT: 15 entries in 600 s")
    floor.say(Command(CommandKind.RESET_BREAKER, BTC, who="person", name="repeated execution"))
    assert floor.core.gate(entry, floor.now) == ""
    assert texts(floor, "answer")[-1].startswith(
        "reset-breaker: repeated execution BTCUSDT counts anew from here; lifted: breakout BTCUSDT: 15 entries"
    )


def test_a_rule_that_is_not_there_is_named_and_nothing_is_lifted(floor):
    floor.order("halt")
    floor.say(Command(CommandKind.RESET_BREAKER, who="person", name="halt"))
    assert texts(floor, "answer")[-1].startswith("reset-breaker: no such rule: halt; there are daily loss, ")
    assert floor.view_state() == "HALTED"


def test_the_mark_price_reaches_the_last_gate(floor):
    floor.say(Ticker(BTC, 2, mark=Decimal(60_700)))
    entries(floor)
    signal = next(signal for signal in floor.view().signals if signal.symbol == BTC)
    assert (signal.refused_by, "from the mark price 60700" in signal.reason) == ("price collar", True)


def test_a_key_that_expires_halts_until_a_person_has_looked_and_keeps_reading(floor):
    floor.say(ReadBackFailed("/v5/position/list: 33004: the key has expired", "periodic", Bars.PERSON))
    assert floor.view().trading_state == "HALTED"
    assert "33004: the key has expired" in floor.view().why
    assert [action for action in floor.pass_time(1_500) if isinstance(action, AskReadBack)]
    floor.read_back()
    assert floor.view().trading_state == "HALTED"
    floor.order("reset-breaker")
    assert floor.view().trading_state == "ACTIVE"


def test_a_stop_that_stands_waits_for_the_end_of_a_ban_and_a_missing_one_does_not(floor):
    """Stops are moved over REST alone: asking each second for ten minutes would only fill the journal."""

    def moves(seconds):
        found = [intent for _ in range(seconds * 10) for intent in intents(floor.tick())]
        return [intent.stop_ticks for intent in found if isinstance(intent, MoveStop) and intent.symbol == BTC]

    def shown(stop_ticks, seq):
        report = PositionReport(
            BTC, floor.held[BTC], Decimal(60_000), stop_ticks, None, None, None, Decimal(10), 0, seq, floor.now + 1
        )
        return intents(floor.say(PositionReports((report,))))

    floor.deliver(floor.enter())
    floor.tell()
    floor.read_back()
    break_api(floor, BANNED, ApiGroup.ALL, 3_000)
    assert shown(STOP - 100, 90) == []  # somebody loosened it
    assert moves(2) == []
    assert moves(1)[:1] == [STOP]

    break_api(floor, CLOSED, ApiGroup.ALL)
    break_api(floor, BANNED, ApiGroup.ALL, 60_000)
    shown(None, 99)
    assert moves(2)[:1] == [STOP]
