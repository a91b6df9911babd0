"""A finished trade is words for people and a record for the books."""

from itertools import permutations

import msgspec
import pytest

from breakwall.model.actions import Approved, Note, PlaceOrder
from breakwall.model.events import IntentSent, Outcome, OutcomeKind
from breakwall.model.records import ClosedTrade, PositionStep


def closing(actions):
    sent = [
        action.intent for action in actions if isinstance(action, Approved) and isinstance(action.intent, PlaceOrder)
    ]
    return next(intent for intent in sent if intent.reduce_only)


def test_a_closed_trade_is_told_in_words_and_kept_as_a_record(floor):
    floor.deliver(floor.enter())
    floor.tell()
    floor.order("flatten", "BTCUSDT")
    floor.deliver(closing(floor.log))
    floor.tell()
    notes = [action for action in floor.log if isinstance(action, Note)]
    (note,) = [note for note in notes if note.kind == "closed-trade"]
    trade = note.record
    assert isinstance(trade, ClosedTrade)
    assert note.text == f"breakout long {trade.qty} made {trade.net_usdt:+.2f} USDT: {trade.reason}"
    assert trade.planned_entry is not None
    assert msgspec.json.decode(msgspec.json.encode(note), type=Note) == note
    steps = [note.record.what for note in notes if isinstance(note.record, PositionStep) and note.symbol == "BTCUSDT"]
    assert (steps[0], steps[-1]) == ("opened", "closed")


@pytest.mark.parametrize("order", list(permutations(range(4))), ids=str)
def test_the_acknowledgement_may_come_before_between_and_after_what_it_acknowledges(make_floor, order):
    """The trade socket's answer, and the private socket's fill, order and position: nobody promises their order."""
    floor = make_floor("BTCUSDT", "ETHUSDT")
    floor.open()
    for wanted, state in (("enter", "OPEN"), ("close", "")):
        intent = floor.enter() if wanted == "enter" else close(floor)
        assert floor.deliver(intent)
        floor.say(IntentSent(intent.client_id))
        told = [*floor.news, Outcome("place", intent.symbol, intent.client_id, OutcomeKind.CONFIRMED, order_id="v")]
        floor.news = []
        for place in order:
            floor.say(told[place])
        held = [position for position in floor.view().positions if position.symbol == intent.symbol]
        assert [position.state for position in held] == ([state] if state else [])
        assert [abs(position.lots) for position in held] == ([intent.lots] if state else [])
        assert floor.state.orders.get(intent.client_id).filled_lots == intent.lots
        assert not floor.state.orders.open(intent.symbol)
    assert not [action for action in floor.log if isinstance(action, Note) and action.level in {"warning", "error"}]


def close(floor):
    floor.order("flatten", "BTCUSDT")
    return closing(floor.log)
