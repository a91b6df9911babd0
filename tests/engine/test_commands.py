"""Every command is answered in the log: what it did, or why it did nothing."""

from decimal import Decimal

import pytest

from breakwall.engine.commands import _EFFECTS
from breakwall.model.actions import Approved, CancelOrder, MoveStop
from breakwall.model.events import CommandKind, Ticker

BTC, ETH = "BTCUSDT", "ETHUSDT"


def cancels(floor):
    approved = [action.intent for action in floor.log if isinstance(action, Approved)]
    return [intent.target for intent in approved if isinstance(intent, CancelOrder)]


def stops(floor):
    approved = [action.intent for action in floor.log if isinstance(action, Approved)]
    return [intent for intent in approved if isinstance(intent, MoveStop)]


def hold(floor):
    """A position in BTCUSDT; ETHUSDT is paused, so that nothing else happens."""
    floor.order("pause", ETH)
    floor.deliver(floor.enter())
    floor.tell()
    floor.read_back()


def test_every_kind_of_command_has_its_row() -> None:
    assert set(_EFFECTS) == set(CommandKind)


@pytest.mark.parametrize(
    ("kind", "symbol", "answer"),
    [
        ("arm", "", "ARMED already"),
        ("disarm", "", "SAFE, no entry under way"),
        ("pause", "", "all symbols paused: no entries until resumed"),
        ("pause", BTC, "BTCUSDT paused: no entries until resumed"),
        ("resume", "", "nothing was paused"),
        ("resume", BTC, "nothing was paused"),
        ("flatten", BTC, "no position; no entry under way; the account is read back to prove it"),
        ("panic", "", "SAFE; no position; no entry under way; the account is read back to prove it"),
        ("cancel", "", "nothing to cancel in any symbol"),
        ("cancel", BTC, "nothing to cancel in BTCUSDT"),
        ("breakeven", BTC, "no position in BTCUSDT"),
        ("breakeven", "", "no position"),
        ("halt", "", "halted: exits, stops and cancels only until the breaker is reset"),
        ("reset-breaker", "", "the limits count anew from here; nothing was tripped"),
        ("stop", "", "leaving, no entry under way"),
        ("flatten", "XRPUSDT", "XRPUSDT is not followed"),
        ("panic", "XRPUSDT", "SAFE; no position; no entry under way; the account is read back to prove it"),
    ],
)
def test_a_command_without_anything_to_do_says_so(floor, kind, symbol, answer):
    assert floor.order(kind, symbol) == f"{kind}: {answer}"


@pytest.mark.parametrize(
    ("kinds", "answer"),
    [
        (("disarm", "disarm"), "SAFE already"),
        (("disarm", "arm"), "ARMED"),
        (("pause", "arm"), "ARMED already; no entries yet: paused by person"),
        (("pause", "pause"), "all symbols paused already"),
        (("pause", "resume"), "lifted: paused by person"),
        (("halt", "halt"), "halted already"),
        (("halt", "reset-breaker"), "the limits count anew from here; lifted: halted by person"),
    ],
)
def test_a_command_says_what_it_found(floor, kinds, answer):
    answers = [floor.order(kind) for kind in kinds]
    assert answers[-1].startswith(f"{kinds[-1]}: {answer}")


@pytest.mark.parametrize("kind", ["disarm", "cancel", "panic", "flatten", "stop"])
def test_what_takes_back_withdraws_entries_that_are_not_filled(floor, kind):
    entry = floor.enter()
    answer = floor.order(kind)
    assert entry.client_id in cancels(floor)
    assert f"{entry.client_id} in BTCUSDT" in answer
    assert floor.core.gate(entry, floor.now) == "withdrawn"


def test_a_pause_of_one_symbol_holds_back_that_symbol_alone(floor):
    floor.order("pause", BTC)
    placed = [action.intent.symbol for action in floor.tick() if isinstance(action, Approved)]
    assert placed == [ETH]
    assert [(market.symbol, market.paused) for market in floor.view().symbols] == [(BTC, True), (ETH, False)]
    refused = next(signal for signal in floor.view().signals if signal.symbol == BTC)
    assert (refused.refused_by, refused.reason) == ("paused", "BTCUSDT paused by person")
    assert all(check.passed for check in refused.checks)
    assert floor.order("resume", BTC) == "resume: lifted: BTCUSDT paused by person"
    assert [action.intent.symbol for action in floor.tick() if isinstance(action, Approved)] == [BTC]


def test_an_entry_on_its_way_is_overtaken_by_the_pause_of_its_symbol(floor):
    entry = floor.enter()
    assert floor.core.gate(entry, floor.now) == ""
    floor.order("pause", BTC)
    assert floor.core.gate(entry, floor.now) == "BTCUSDT paused by person"


def test_one_symbol_cannot_be_resumed_out_of_a_pause_of_all(floor):
    floor.order("pause")
    assert floor.order("resume", BTC) == "resume: not lifted for BTCUSDT alone: paused by person"
    assert all(market.paused for market in floor.view().symbols)
    floor.order("pause", BTC)
    assert floor.order("resume") == "resume: lifted: paused by person; BTCUSDT paused by person"
    assert not any(market.paused for market in floor.view().symbols)


def test_breakeven_moves_the_stop_once_and_says_where(floor):
    hold(floor)
    floor.say(Ticker(BTC, 2, mark=Decimal(61_000)))
    assert floor.order("breakeven", BTC) == "breakeven: BTCUSDT stop to 60066.1"
    assert [stop.stop_ticks for stop in stops(floor)] == [600_661]
    assert floor.order("breakeven") == "breakeven: BTCUSDT stop not moved: a stop is being moved already"


@pytest.mark.parametrize(
    ("mark", "stop_ticks", "answer"),
    [
        (60_010, 598_800, "breakeven is 60066.1, at a mark of 60010 it would trigger at once"),
        (61_000, 601_000, "it stands at 60100.0, breakeven at 60066.1 is no better"),
    ],
)
def test_breakeven_by_hand_never_closes_and_never_loosens(floor, mark, stop_ticks, answer):
    hold(floor)
    position = floor.state.positions.get(BTC)
    position.held_stop_ticks = position.stop_ticks = stop_ticks
    floor.say(Ticker(BTC, 2, mark=Decimal(mark)))
    before = len([action for action in floor.log if isinstance(action, Approved)])
    assert floor.order("breakeven", BTC) == f"breakeven: BTCUSDT stop not moved: {answer}"
    assert len([action for action in floor.log if isinstance(action, Approved)]) == before


def test_breakeven_of_what_is_being_closed_is_refused(floor):
    hold(floor)
    floor.order("flatten", BTC)
    assert floor.order("breakeven", BTC) == "breakeven: BTCUSDT stop not moved: the position is being closed"
