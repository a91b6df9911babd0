"""The last point before the wire: orders out never exceed approved intents, and protection always passes."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from breakwall.engine.turnstile import Turnstile
from breakwall.model.actions import Approved, CancelOrder, MoveStop, OrderKind, PlaceOrder, TimeInForce
from breakwall.model.events import Command, CommandKind, Event
from breakwall.model.units import Side
from breakwall.ports import Frame, JournalError

ENTRY = PlaceOrder("e", "", "A", 0, "", Side.BUY, OrderKind.LIMIT, 1, TimeInForce.IOC, 9, stop_ticks=5)
CLOSE = replace(ENTRY, client_id="x", side=Side.SELL, reduce_only=True, stop_ticks=None)
STOP = MoveStop("s", "", "A", 0, "", 6)
DROP = CancelOrder("c", "", "A", 0, "", "e")


class Heard(list[Event]):
    def put(self, event: Event, frame: Frame | None = None) -> None:
        self.append(event)


def commit(done: bool = True, error: str = "") -> "asyncio.Future[None]":
    future: asyncio.Future[None] = asyncio.Future(loop=asyncio.new_event_loop())
    future.get_loop().close()
    if error:
        future.set_exception(JournalError(error))
        future.exception()
    elif done:
        future.set_result(None)
    return future


@pytest.mark.parametrize("intent", [ENTRY, CLOSE, STOP, DROP])
def test_what_was_approved_leaves_once(intent) -> None:
    heard = Heard()
    turnstile = Turnstile(heard)
    turnstile.expect(intent)
    assert turnstile.refusal(Approved(intent, intent is not ENTRY), commit()) == ""
    assert (turnstile.approved, turnstile.left, heard) == (1, 1, [])
    again = turnstile.refusal(Approved(intent, intent is not ENTRY), commit())
    assert (again != "") == (intent is ENTRY)
    (halt,) = heard
    assert isinstance(halt, Command)
    assert (halt.kind, halt.who) == (CommandKind.HALT, "last gate")
    assert "was not approved, or has left before" in halt.why


@pytest.mark.parametrize(
    ("expected", "sent", "stored", "words"),
    [
        (None, ENTRY, commit(), "was not approved"),
        (ENTRY, replace(ENTRY, lots=2), commit(), "is not what was approved"),
        (ENTRY, ENTRY, commit(done=False), "is not durable"),
        (ENTRY, ENTRY, commit(error="disk full"), "is not durable"),
        (replace(ENTRY, reduce_only=True), ENTRY, commit(), "is not what was approved"),
    ],
)
@pytest.mark.parametrize("reducing", [True, False])
def test_an_entry_that_is_wrong_is_refused_and_halts_whatever_it_is_called(expected, sent, stored, words, reducing):
    heard = Heard()
    turnstile = Turnstile(heard)
    if expected is not None:
        turnstile.expect(expected)
    assert words in turnstile.refusal(Approved(sent, reducing), stored)
    assert [event.kind for event in heard if isinstance(event, Command)] == [CommandKind.HALT]
    assert turnstile.left == 0


@pytest.mark.parametrize("intent", [CLOSE, STOP, DROP])
def test_protection_leaves_before_its_commit_and_also_when_something_is_wrong(intent) -> None:
    turnstile = Turnstile(Heard())
    turnstile.expect(intent)
    assert turnstile.refusal(Approved(intent, True), commit(done=False)) == ""
    assert turnstile.refusal(Approved(intent, True), commit(error="disk full")) == ""


@given(steps=st.lists(st.tuples(st.sampled_from(("expect", "drop", "send")), st.integers(0, 4)), max_size=40))
@settings(max_examples=80, deadline=None)
def test_entries_out_never_exceed_approved_ones(steps) -> None:
    turnstile, out = Turnstile(Heard()), []
    for what, number in steps:
        entry = replace(ENTRY, client_id=f"e{number}")
        if what == "expect":
            turnstile.expect(entry)
        elif what == "drop":
            turnstile.drop(entry.client_id)
        elif not turnstile.refusal(Approved(entry, False), commit()):
            out.append(entry.client_id)
    assert turnstile.left == len(out) <= turnstile.approved
