"""Every code of the contract's section 8, provoked through the adapter: what is known, asked, and barred."""

import pytest

from breakwall.model.actions import Approved
from breakwall.model.api import Bars
from breakwall.model.events import LinkChanged, OrderReports, OutcomeKind, ReadBackFailed
from breakwall.ports import HttpAnswer
from breakwall.venues.bybit.outcome import REACTIONS, Reaction
from tests.venues.bybit.scripts import (
    CANCEL,
    CREATE,
    CREATE_BATCH,
    DROP,
    ENTRY,
    EXIT,
    FLAT,
    HISTORY,
    LONG,
    MOVE,
    OPEN,
    ORDER,
    POSITIONS,
    STOP,
)

A, B, C, D, E, F = (Reaction(letter) for letter in "ABCDEF")

CONTRACT = {
    A: [-1, 10002, 10006, 110079, 40004],
    B: [429, 10000, 10014, 10016, 10019, 10403, 10429, 20003, 20006, 170007],
    C: [110072, 110043, 110025, 110026, 110027, 34040, 110001, 110008, 110010],
    D: [
        *(
            10001,
            110003,
            110120,
            110121,
            30208,
            30209,
            110092,
            110093,
            110094,
            110017,
            130125,
            110009,
            110020,
            110061,
        ),
        *(110061, 110059, 110064, 110108, 110109, 110118, 110119, 3400045, 110073, 110024, 110028, 110029, 110076),
        *(10404, 20001),
    ],
    E: [
        *(110004, 110006, 110007, 110012, 110014, 110044, 110045, 110051, 110052, 110053, 110013, 110086, 110090),
        *(110021, 110089, 3400139, 110011, 110039, 110040, 110046, 110023, 110042, 30228, 110074, 110095),
        *(110036, 110038),
    ],
    F: [
        *(10003, 10004, 10005, 10007, 10008, 10009, 10010, 10017, 10024, 10027, 10028, 100028, 10029, 33004, 110066),
        *(110123, 110124, 110125, 110132),
    ],
}
"""The classes and codes of section 8.2 and 6.3, written out a second time."""

UNKNOWN = 424_242
EVERY = [(code, reaction) for reaction, codes in CONTRACT.items() for code in codes]
MARGIN = {110004, 110006, 110007, 110012, 110014, 110044, 110045, 110051, 110052, 110053}


def barred(code: int, reaction: Reaction) -> Bars:
    if reaction is F:
        return Bars.PERSON
    if reaction is not E:
        return Bars.NOTHING
    return Bars.ACCOUNT if code in MARGIN else Bars.SYMBOL


def run(broker, virtual, *intents):
    """The outcome of each, one after the other; entries are not urgent, all else is."""

    async def main():
        await broker.prepare(["BTCUSDT"])
        return [await broker.execute(Approved(intent, intent is not ENTRY)) for intent in intents]

    return virtual(main())


def test_the_table_has_the_contract_s_codes_and_no_others() -> None:
    assert {code: reaction for code, (reaction, _) in REACTIONS.items()} == dict(EVERY)


@pytest.mark.parametrize(("code", "reaction"), [*EVERY, (UNKNOWN, B)])
def test_an_entry_leaves_once_and_its_answer_is_never_guessed(venue, broker, virtual, code, reaction) -> None:
    venue.say(CREATE, (code, "said so"))
    (result,) = run(broker, virtual, ENTRY)
    known = OutcomeKind.UNKNOWN if reaction in {B, C} else OutcomeKind.REJECTED
    assert (result.kind, result.bars) == (known, barred(code, reaction))
    assert str(code) in result.reason
    assert len(venue.asked(CREATE)) == 1


@pytest.mark.parametrize(("code", "reaction"), [*EVERY, (UNKNOWN, B)])
def test_a_close_is_sent_again_only_where_the_first_did_nothing(venue, broker, virtual, code, reaction) -> None:
    """And always with its own id, so that a second one is impossible."""
    venue.say(CREATE, (code, "said so"), {"orderId": "o1"})
    (result,) = run(broker, virtual, EXIT)
    again = reaction is A
    assert (result.kind is OutcomeKind.CONFIRMED) == again
    sent = venue.asked(CREATE) + [body["request"][0] for body in venue.asked(CREATE_BATCH)]
    assert {body["orderLinkId"] for body in sent} == {EXIT.client_id}
    assert len(sent) == 1 + again


@pytest.mark.parametrize(("code", "reaction"), [*EVERY, (UNKNOWN, B)])
def test_a_refused_stop_is_believed_and_an_unclear_one_is_read_back(venue, broker, virtual, code, reaction) -> None:
    venue.say(STOP, (code, "said so"))
    venue.say(POSITIONS, {"list": [FLAT]}, {"list": [LONG]})
    (result,) = run(broker, virtual, MOVE)
    not_modified = code == 34040  # LONG has another stop: the request was wrong
    known = OutcomeKind.UNKNOWN if reaction in {B, C} and not not_modified else OutcomeKind.REJECTED
    assert result.kind is known
    assert len(venue.asked(STOP)) == (3 if reaction is A else 1)
    assert len(venue.asked(POSITIONS)) == 1 + not_modified


@pytest.mark.parametrize(("code", "reaction"), [*EVERY, (UNKNOWN, B)])
def test_a_cancel_looks_for_what_is_gone(venue, broker, virtual, code, reaction) -> None:
    venue.say(CANCEL, (code, "said so"))
    venue.say(HISTORY, {"list": [ORDER | {"orderStatus": "Filled", "cumExecQty": "0.010"}]})
    (result,) = run(broker, virtual, DROP)
    gone = code in {110001, 110008, 110010}
    assert (result.kind is OutcomeKind.UNKNOWN) == (reaction in {B, C} and not gone)
    assert result.reason.startswith("it is Filled already") == gone
    assert len(venue.asked(HISTORY)) == gone


@pytest.mark.parametrize(("stop", "kind"), [("59500.00", OutcomeKind.CONFIRMED), ("59000.00", OutcomeKind.REJECTED)])
def test_34040_means_two_things_and_the_position_tells_which(venue, broker, virtual, stop, kind) -> None:
    venue.say(STOP, (34040, "not modified"))
    venue.say(POSITIONS, {"list": [FLAT]}, {"list": [LONG | {"stopLoss": stop}]})
    (result,) = run(broker, virtual, MOVE)
    assert result.kind is kind


def test_34040_on_a_position_that_is_gone_is_a_refusal(venue, broker, virtual) -> None:
    venue.say(STOP, (34040, "not modified"))
    (result,) = run(broker, virtual, MOVE)
    assert (result.kind, result.reason) == (OutcomeKind.REJECTED, "stop: expected 595000 ticks, read back None")


def test_110072_adopts_the_order_that_is_there(venue, broker, notebook, virtual) -> None:
    venue.say(CREATE, (110072, "duplicate"))
    venue.say(OPEN, {"list": [ORDER]})
    (result,) = run(broker, virtual, ENTRY)
    assert (result.kind, result.order_id) == (OutcomeKind.CONFIRMED, "o1")
    assert notebook.of(OrderReports)[0].reports[0].client_id == ENTRY.client_id


@pytest.mark.parametrize("code", [-1, 10002])
def test_a_clock_that_is_wrong_twice_is_tried_no_more_than_three_times(venue, broker, virtual, code) -> None:
    venue.say(CREATE, (code, "timestamp"))
    closed, opened = run(broker, virtual, EXIT, ENTRY)
    assert (closed.kind, opened.kind) == (OutcomeKind.REJECTED, OutcomeKind.REJECTED)
    assert len(venue.asked(CREATE)) == 3 + 1


@pytest.mark.parametrize("code", [10003, 10005, 10010, 10028, 33004])
def test_a_key_that_is_refused_while_running_bars_entries_and_exits_are_tried_on(
    venue, broker, notebook, virtual, code
) -> None:
    venue.say(CREATE, (code, "no"))
    first, second = run(broker, virtual, EXIT, EXIT)
    assert first.bars is second.bars is Bars.PERSON
    assert len(venue.asked(CREATE)) == 2
    down = [link for link in notebook.of(LinkChanged) if not link.up]
    assert str(code) in down[0].reason


@pytest.mark.parametrize(
    ("status", "kind", "bars"),
    [
        (400, OutcomeKind.REJECTED, Bars.NOTHING),
        (401, OutcomeKind.REJECTED, Bars.PERSON),
        (403, OutcomeKind.REJECTED, Bars.NOTHING),  # ends by itself
        (404, OutcomeKind.REJECTED, Bars.NOTHING),
        (429, OutcomeKind.UNKNOWN, Bars.NOTHING),
        (500, OutcomeKind.UNKNOWN, Bars.NOTHING),
        (502, OutcomeKind.UNKNOWN, Bars.NOTHING),
        (504, OutcomeKind.UNKNOWN, Bars.NOTHING),
    ],
)
def test_every_http_status(venue, broker, virtual, status, kind, bars) -> None:
    venue.say(CREATE, HttpAnswer(status, b"<html>"))
    (result,) = run(broker, virtual, ENTRY)
    assert (result.kind, result.bars) == (kind, bars)
    assert len(venue.asked(CREATE)) == 1


@pytest.mark.parametrize("answer", [(10403, "x"), (10429, "x"), (20003, "x"), HttpAnswer(429, b"")])
def test_a_venue_that_protects_itself_gets_no_entries_for_a_second_and_closes_at_once(
    venue, broker, virtual, answer
) -> None:
    venue.say(CREATE, answer, {"orderId": "o1"})
    first, entry, close = run(broker, virtual, ENTRY, ENTRY, EXIT)
    assert [result.kind for result in (first, entry, close)] == [
        OutcomeKind.UNKNOWN,
        OutcomeKind.REFUSED,
        OutcomeKind.CONFIRMED,
    ]
    assert "rate budget" in entry.reason


@pytest.mark.parametrize(
    ("answer", "bars"),
    [
        ((33004, "x"), Bars.PERSON),
        ((10016, "x"), Bars.NOTHING),
        (HttpAnswer(401, b""), Bars.PERSON),
        (HttpAnswer(403, b""), Bars.NOTHING),
    ],
)
def test_a_reading_that_is_refused_to_us_bars_entries_until_a_person_has_looked(
    venue, broker, virtual, answer, bars
) -> None:
    async def main():
        await broker.prepare(["BTCUSDT"])
        venue.say(OPEN, answer)
        return await broker.read_back("periodic", 0)

    failed = virtual(main())
    assert isinstance(failed, ReadBackFailed)
    assert failed.bars is bars
