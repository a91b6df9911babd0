"""Orders over REST that leave in the same moment: the first alone, the others together, each with its own fate."""

import asyncio
import json

import pytest
from msgspec import structs

from breakwall.model.actions import Approved
from breakwall.model.events import OutcomeKind
from breakwall.ports import HttpAnswer, TransportError
from breakwall.sim.loop import run
from breakwall.venues.bybit.order_entry import BATCH_MOST
from tests.venues.bybit.scripts import CANCEL, CREATE, CREATE_BATCH, DROP, EXIT, batch, rows_of

CONFIRMED, REJECTED, UNKNOWN = OutcomeKind.CONFIRMED, OutcomeKind.REJECTED, OutcomeKind.UNKNOWN
CANCEL_BATCH = "/v5/order/cancel-batch"


def close(number: int):
    return structs.replace(EXIT, client_id=f"bw-1-{number}-x")


def closes(broker, count: int):
    return asyncio.gather(*(broker.execute(Approved(close(n), True)) for n in range(count)))


def ids(bodies) -> list[str]:
    return [item["orderLinkId"] for body in bodies for item in body.get("request", [body])]


def batch_with(*, codes=None, rows=None, told=None):
    """The answer to a batch, with other codes, rows or details than those of one all of which is taken."""

    def answer(request) -> HttpAnswer:
        found, fine = rows_of(json.loads(request.body))
        said = fine if codes is None else [{"code": code, "msg": "said so"} for code in codes]
        body = {
            "retCode": 0,
            "retMsg": "OK",
            "result": {"list": found if rows is None else rows},
            "retExtInfo": {"list": said} if told is None else told,
        }
        return HttpAnswer(200, json.dumps(body).encode())

    return answer


@pytest.fixture
def trader(broker):
    """Do some work with a prepared broker; what is ready in a turn of the loop runs in its order, as it does live."""

    def trade(work):
        async def main():
            await broker.prepare(["BTCUSDT"])
            return await work(broker)

        return run(main(), until_s=3600, shuffle=False)

    return trade


def test_sixteen_closes_leave_at_once_in_nine_requests_and_each_once(venue, trader) -> None:
    """The first alone, as many together as their budget has, the rest by the usual door: 8 and 8."""
    results = trader(lambda broker: closes(broker, 16))
    assert {result.kind for result in results} == {CONFIRMED}
    assert max(result.round_trip_ms for result in results) < 15
    assert [len(body["request"]) for body in venue.asked(CREATE_BATCH)] == [8]
    assert sorted(ids(venue.asked(CREATE) + venue.asked(CREATE_BATCH))) == sorted(f"bw-1-{n}-x" for n in range(16))


def test_no_batch_is_larger_than_the_venue_takes(venue, trader) -> None:
    def generous(request) -> HttpAnswer:
        return structs.replace(batch(request), headers={"x-bapi-limit": "100", "x-bapi-limit-status": "99"})

    venue.say(CREATE_BATCH, generous)

    async def work(broker):
        await closes(broker, 2)
        await asyncio.sleep(5)
        return await closes(broker, 30)

    assert {result.kind for result in trader(work)} == {CONFIRMED}
    assert [len(body["request"]) for body in venue.asked(CREATE_BATCH)][:2] == [1, BATCH_MOST]


def test_a_close_alone_waits_for_nobody_and_the_next_moment_begins_anew(venue, trader) -> None:
    async def work(broker):
        for n in range(3):
            await broker.execute(Approved(close(n), True))

    trader(work)
    assert (len(venue.asked(CREATE)), venue.asked(CREATE_BATCH)) == (3, [])


@pytest.mark.parametrize(
    ("code", "kind", "again"),
    [(10006, CONFIRMED, 1), (10002, CONFIRMED, 1), (110017, REJECTED, 0), (10016, UNKNOWN, 0)],
)
def test_each_of_those_that_left_together_has_its_own_fate(venue, trader, code, kind, again) -> None:
    venue.say(CREATE_BATCH, batch_with(codes=[0, code, 0]))
    results = trader(lambda broker: closes(broker, 4))
    assert [result.kind for result in results] == [CONFIRMED, CONFIRMED, kind, CONFIRMED]
    assert ids(venue.asked(CREATE)) == ["bw-1-0-x", *["bw-1-2-x"] * again]


@pytest.mark.parametrize(
    "answer", [(10001, "no"), (10006, "no"), (110007, "no"), TransportError("refused", sent=False)]
)
def test_where_all_together_were_turned_away_each_goes_alone(venue, trader, answer) -> None:
    venue.say(CREATE_BATCH, answer)
    results = trader(lambda broker: closes(broker, 4))
    assert {result.kind for result in results} == {CONFIRMED}
    assert (ids(venue.asked(CREATE)), len(venue.asked(CREATE_BATCH))) == ([f"bw-1-{n}-x" for n in range(4)], 1)


@pytest.mark.parametrize(
    "answer",
    [
        TransportError("no answer within 2 s"),
        HttpAnswer(502, b"<html>"),
        HttpAnswer(200, b'{"retCode":0,"re'),
        (10016, "server error"),
        batch_with(rows=[]),
        batch_with(codes=[0, 0]),
        batch_with(codes=[0, "zero", 0]),
        batch_with(told={}),
        batch_with(told={"list": [{"msg": "no code"}] * 3}),
        batch_with(rows=[{"orderId": "o", "orderLinkId": f"bw-1-{n}-x"} for n in (2, 1, 3)]),
    ],
)
def test_where_nobody_knows_what_became_of_them_all_are_unknown(venue, trader, answer) -> None:
    """Also where the answers stand in another order than the questions. None is sent again."""
    venue.say(CREATE_BATCH, answer)
    results = trader(lambda broker: closes(broker, 4))
    assert [result.kind for result in results] == [CONFIRMED] + [UNKNOWN] * 3
    assert (ids(venue.asked(CREATE)), len(venue.asked(CREATE_BATCH))) == (["bw-1-0-x"], 1)


def test_cancels_leave_together_too(venue, trader) -> None:
    drops = [structs.replace(DROP, client_id=f"bw-1-{n}-c", target=f"bw-1-{n}-e") for n in range(10)]
    results = trader(lambda broker: asyncio.gather(*(broker.execute(Approved(drop, True)) for drop in drops)))
    assert {result.kind for result in results} == {CONFIRMED}
    assert (len(venue.asked(CANCEL)), [len(body["request"]) for body in venue.asked(CANCEL_BATCH)]) == (2, [8])


def test_whoever_leads_may_be_stopped_without_holding_up_the_others(venue, trader) -> None:
    async def work(broker):
        tasks = [asyncio.ensure_future(broker.execute(Approved(close(n), True))) for n in range(4)]
        await asyncio.sleep(0)
        tasks[1].cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    first, led, *others = trader(work)
    assert isinstance(led, asyncio.CancelledError)
    assert {result.kind for result in (first, *others)} == {CONFIRMED}
