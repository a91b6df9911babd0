"""Whatever changes how we trade leaves a line: action, entity, before, after, who, why, success, error."""

import msgspec
import pytest

from breakwall.engine import audit
from breakwall.model.actions import Note
from breakwall.model.events import Command, CommandKind, Wallet, WalletReport
from breakwall.model.records import Deed
from breakwall.settings import Settings
from breakwall.trading.breaker import TradingState


def deeds(actions):
    found = [action for action in actions if isinstance(action, Note) and isinstance(action.record, Deed)]
    assert all(note.durable for note in found)
    return [note.record for note in found]


def ask(table, kind, symbol=""):
    (deed,) = [
        d
        for d in deeds(table.say(Command(CommandKind(kind), symbol, who="person", why="lunch")))
        if d.who != "breaker"
    ]
    return deed


@pytest.mark.parametrize("kind", CommandKind)
def test_every_command_leaves_one_line(make_floor, kind):
    floor = make_floor("BTCUSDT", "ETHUSDT")
    floor.open()
    deed = ask(floor, kind.value, "BTCUSDT")
    assert (deed.action, deed.who, deed.why) == (kind.value, "person", "lunch")
    assert deed.before.startswith("ARMED; ACTIVE")


@pytest.mark.parametrize(
    ("kind", "symbol", "before", "after"),
    [
        ("disarm", "", "ARMED; ACTIVE", "SAFE; ACTIVE"),
        ("arm", "", "ARMED; ACTIVE", "ARMED; ACTIVE"),
        ("halt", "", "ARMED; ACTIVE", "ARMED; HALTED"),
        ("stop", "", "ARMED; ACTIVE", "ARMED; REDUCING"),
    ],
)
def test_it_says_what_was_before_and_after(floor, kind, symbol, before, after):
    deed = ask(floor, kind, symbol)
    assert (deed.entity, deed.entity_id, deed.before, deed.after) == ("trading", "all", before, after)
    assert (deed.success, deed.error) == (True, "")


def test_a_pause_of_one_symbol_and_its_end_are_lines_of_that_symbol(floor):
    paused = ask(floor, "pause", "ETHUSDT")
    resumed = ask(floor, "resume", "ETHUSDT")
    assert (paused.entity, paused.entity_id, paused.before) == ("symbol", "ETHUSDT", "ARMED; ACTIVE")
    assert paused.after == resumed.before != paused.before
    assert resumed.after == "ARMED; ACTIVE"


def test_what_was_not_done_says_why(floor):
    stranger = ask(floor, "flatten", "DOGEUSDT")
    assert (stranger.success, stranger.error) == (False, "DOGEUSDT is not followed")
    nothing = ask(floor, "breakeven")
    assert (nothing.success, nothing.error) == (False, "no position")


def test_a_breaker_trip_and_its_end_are_lines_of_that_rule(floor):
    floor.say(WalletReport(Wallet(*[floor.state.wallet.equity_usdt / 2] * 3)))
    (trip,) = [deed for deed in deeds(floor.log) if deed.action == "trip"]
    assert (trip.entity, trip.entity_id, trip.before, trip.after) == ("breaker", "missing money", "clear", "reduce")
    assert trip.who == "breaker"
    assert "a withdrawal" in trip.why
    assert floor.state.breaker.state is TradingState.REDUCING


def test_the_settings_of_a_run_are_told_by_what_they_change(make_table):
    table = make_table("BTCUSDT", risk={"leverage": 5})
    table.start()
    (deed,) = [deed for deed in deeds(table.log) if deed.action == "settings"]
    before, after = msgspec.json.decode(deed.before), msgspec.json.decode(deed.after)
    assert (before["risk.leverage"], after["risk.leverage"]) == ("10", "5")
    assert set(after) == {"risk.leverage", "symbols"}
    assert (deed.who, deed.entity_id) == ("configuration", "run 7")


def test_settings_that_change_nothing_say_so():
    deed = audit.configured(Settings(), Settings(), 1)
    assert (deed.before, deed.after) == ("{}", "{}")
