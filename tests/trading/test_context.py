"""A signal in the books: what was seen, asked and answered."""

from decimal import Decimal

import msgspec

from breakwall.model.actions import Note, Refused
from breakwall.trading.context import signal_note
from breakwall.trading.validation import examine


def test_an_ordered_signal_is_told_with_the_market_and_its_checks(make):
    signal = make.signal(imbalance=0.4, indicators={"slope": 1.5})
    note = signal_note(examine(signal, make.scene()), make.scene(), None, "bw-1-1-e")
    told = note.record
    assert (note.kind, note.text, note.client_id, note.durable) == (
        "signal",
        "breakout buy: ordered",
        "bw-1-1-e",
        True,
    )
    assert (told.price, told.stop, told.target) == (Decimal("60000.1"), 59_880, 61_200)
    assert (told.qty, told.spread, told.imbalance, told.indicators) == (
        Decimal("0.082"), Decimal("0.1"), 0.4, {"slope": 1.5},
    )  # fmt: skip
    assert len(told.checks) == 10
    assert all(passed for _, passed, _ in told.checks)
    assert (told.refused_by, told.reason) == ("", "")
    assert told.loss_at_stop_usdt > 0


def test_a_refused_one_says_by_what_also_where_the_book_has_one_side(make):
    scene = make.scene(bid_ticks=None)
    card = examine(make.signal(), scene)
    note = signal_note(card, scene, Refused("cooldown", "12 s to go"))
    assert note.text == "breakout buy: refused by cooldown: 12 s to go"
    assert (note.record.spread, note.record.refused_by, note.record.reason) == (None, "cooldown", "12 s to go")
    assert ("stop sound", False, "no best prices") in note.record.checks


def test_it_survives_the_journal(make):
    note = signal_note(examine(make.signal(), make.scene()), make.scene(), None)
    assert msgspec.json.decode(msgspec.json.encode(note), type=Note) == note
