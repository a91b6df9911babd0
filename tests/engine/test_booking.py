"""A finished trade is words for people and a record for the books."""

import msgspec

from breakwall.model.actions import Approved, Note, PlaceOrder
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
