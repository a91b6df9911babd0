"""Orders over the trade socket before a scripted venue: what every answer and every silence comes to, and the way."""

import asyncio
import json
import random
from decimal import Decimal
from typing import Any

import pytest
from msgspec import structs

from breakwall import points
from breakwall.model.actions import Approved, OrderKind, TimeInForce
from breakwall.model.api import ApiGroup, ApiHealth, ApiState
from breakwall.model.events import Link, LinkChanged, OrderReports, OutcomeKind
from breakwall.points import Point
from breakwall.ports import HttpAnswer
from breakwall.settings import VenueSettings
from breakwall.sim.loop import run as run_virtual
from breakwall.venues.bybit.broker import BybitBroker
from breakwall.venues.bybit.endpoints import Urls
from breakwall.venues.bybit.trade_socket import DOUBT_MS, SHUN_MS
from tests.venues.bybit.scripts import (
    CANCEL,
    CREATE,
    DROP,
    ENTRY,
    EXIT,
    MOVE,
    OPEN,
    ORDER,
    STOP,
    rows_of,
)
from tests.venues.conftest import ScriptedSocket, ScriptedVenue

CONFIRMED, REJECTED, REFUSED, UNKNOWN = (
    OutcomeKind.CONFIRMED,
    OutcomeKind.REJECTED,
    OutcomeKind.REFUSED,
    OutcomeKind.UNKNOWN,
)
SILENCE, DROPPED, FULL = "silence", "dropped", "full"


class TradeSide(ScriptedSocket):
    """The venue's end of the trade socket. `answers`: to each order in turn, the last one for ever."""

    def __init__(self, url: str, answers: list[Any], login: int) -> None:
        super().__init__(url)
        self.answers = answers
        self.login = login

    @property
    def orders(self) -> list[dict[str, Any]]:
        return [request for request in self.sent if request["op"].startswith("order.")]

    async def send(self, text: str) -> None:
        request = json.loads(text)
        self.sent.append(request)
        operation = request["op"]
        if operation in {"auth", "ping"}:
            code = self.login if operation == "auth" else 0
            self.say({"op": operation, "retCode": code, "retMsg": "OK" if not code else "no", "connId": "c"})
            return
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer == FULL:  # its peer reads nothing: what we send goes nowhere
            await asyncio.Event().wait()
        elif answer == DROPPED:
            self.drop()
        elif answer != SILENCE:
            self.say(answer if isinstance(answer, bytes) else envelope(request, answer))


def envelope(request: dict[str, Any], answer: object) -> dict[str, Any]:
    """A code, or fields that differ from an ordinary answer; None leaves a field out."""
    changes = {"retCode": answer} if isinstance(answer, int) else answer
    assert isinstance(changes, dict)
    data, extra = {"orderId": "o1", "orderLinkId": "x"}, {}
    if request["op"].endswith("-batch"):
        rows, codes = rows_of(request["args"][0])
        data, extra = {"list": rows}, {"list": codes}
    told = {
        "reqId": request["reqId"],
        "retCode": 0,
        "retMsg": "said so",
        "op": request["op"],
        "data": data,
        "retExtInfo": extra,
        "header": {"Traceid": "t"},
        "connId": "c",
    }
    return {name: value for name, value in (told | changes).items() if value is not None}


class Venue(ScriptedVenue):
    def __init__(self) -> None:
        super().__init__()
        self.trade: list[TradeSide] = []
        self.trade_answers: list[Any] = [0]
        self.trade_login = 0

    async def connect(self, url: str) -> ScriptedSocket:
        if not url.endswith("/trade"):
            return await super().connect(url)
        self.trade.append(TradeSide(url, self.trade_answers, self.trade_login))
        return self.trade[-1]

    @property
    def frames(self) -> list[dict[str, Any]]:
        """Orders on all trade sockets there were."""
        return [request for side in self.trade for request in side.orders]

    @property
    def posted(self) -> list[dict[str, Any]]:
        return self.asked(CREATE) + self.asked(CANCEL)


@pytest.fixture
def venue() -> Venue:
    return Venue()


@pytest.fixture
def trader(broker, venue, clock, notebook):
    """Do some work with a broker that is prepared and up; the script of `broker` is the venue's over REST.

    What is ready in one turn of the loop runs in its order, as it does live.
    """
    del broker  # its fixture has told the venue what to answer

    def run(work, **settings):
        async def main():
            urls = Urls("http://x", "ws://x/public", "ws://x/private", "ws://x/trade")
            taken = VenueSettings(request_timeout_s=2, **settings)
            made = BybitBroker(venue, clock, notebook, urls, "KEY", "SECRET", taken, Decimal(10), random.Random(1))
            await made.prepare(["BTCUSDT"])
            running = asyncio.ensure_future(made.run())
            await asyncio.sleep(1)
            try:
                return await work(made)
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)

        return run_virtual(main(), until_s=3600, shuffle=False)

    return run


def send(intent):
    return lambda broker: broker.execute(Approved(intent, intent is not ENTRY))


def test_an_order_goes_over_the_socket_with_a_header_instead_of_a_signature(venue, trader) -> None:
    result = trader(send(ENTRY))
    assert (result.kind, result.order_id, venue.posted) == (CONFIRMED, "o1", [])
    (frame,) = venue.frames
    assert (frame["op"], frame["args"][0]["orderLinkId"], frame["args"][0]["stopLoss"]) == (
        "order.create",
        ENTRY.client_id,
        "59000.00",
    )
    assert frame["header"]["X-BAPI-RECV-WINDOW"] == "1000"
    assert abs(int(frame["header"]["X-BAPI-TIMESTAMP"]) - 1_700_000_001_000) < 200
    assert "SECRET" not in str(venue.trade[0].sent)


def test_every_command_has_its_way_its_window_and_an_id_of_its_own(venue, trader) -> None:
    venue.say(STOP, {})

    async def work(broker):
        return [(await send(intent)(broker)).kind for intent in (EXIT, DROP, MOVE)]

    assert trader(work) == [CONFIRMED] * 3
    assert [frame["op"] for frame in venue.frames] == ["order.create", "order.cancel"]
    assert {frame["header"]["X-BAPI-RECV-WINDOW"] for frame in venue.frames} == {"5000"}
    assert len({frame["reqId"] for frame in venue.frames}) == 2
    assert len(venue.asked(STOP)) == 1, "stops are moved over REST only"


def test_no_id_of_a_request_comes_again_after_a_restart(venue, trader) -> None:
    async def later(broker):
        await asyncio.sleep(1)
        return await send(EXIT)(broker)

    trader(send(EXIT))
    trader(later)
    assert len({frame["reqId"] for frame in venue.frames}) == 2
    assert max(len(frame["reqId"]) for frame in venue.frames) <= 36


@pytest.mark.parametrize("intent", [ENTRY, EXIT, DROP], ids=["entry", "exit", "cancel"])
@pytest.mark.parametrize(
    "answer",
    [
        SILENCE,
        DROPPED,
        b"<html>bad gateway",
        b'{"reqId":"bw-1","retCode":0,"op":"ord',
        b"[]",
        {"retCode": None},
        {"op": "order.amend"},
        {"reqId": "another"},
        {"reqId": None, "retCode": 10005},
        *(10000, 10016, 10019, 10403, 10429, 20003, 20006, 424_242),
    ],
    ids=str,
)
def test_what_was_sent_and_not_answered_in_plain_words_is_unknown(venue, trader, answer, intent) -> None:
    """And it is never sent again, by neither way."""
    venue.trade_answers = [answer, 0]

    async def work(broker):
        result = await send(intent)(broker)
        await asyncio.sleep(5)
        return result

    result = trader(work)
    assert result.kind is UNKNOWN
    assert result.reason
    assert (len(venue.frames), venue.posted) == (1, [])


@pytest.mark.parametrize("code", [10003, 10004, 10404])
def test_a_socket_that_takes_no_orders_is_left_alone_and_rest_has_the_last_word(venue, trader, code) -> None:
    venue.trade_answers = [code, 0]

    async def work(broker):
        first = await send(EXIT)(broker)
        await asyncio.sleep(2)
        second = await send(EXIT)(broker)
        over_rest = len(venue.posted)
        await asyncio.sleep(SHUN_MS / 1000)
        return first, second, over_rest, await send(EXIT)(broker)

    first, second, over_rest, third = trader(work)
    assert [result.kind for result in (first, second, third)] == [CONFIRMED] * 3
    assert first.round_trip_ms < 50
    assert (over_rest, len(venue.posted), len(venue.frames)) == (2, 2, 2)


@pytest.mark.parametrize("code", [10002, 10003, 10006, 10404])
def test_an_entry_the_socket_did_nothing_for_is_not_tried_elsewhere(venue, trader, code) -> None:
    venue.trade_answers = [code]
    assert trader(send(ENTRY)).kind is REJECTED
    assert (len(venue.frames), venue.posted) == (1, [])


def test_a_rejection_is_one_and_a_used_client_id_adopts_the_order(venue, notebook, trader) -> None:
    venue.trade_answers = [110007, 110072]
    venue.say(OPEN, {"list": [ORDER]})

    async def work(broker):
        return await send(ENTRY)(broker), await send(ENTRY)(broker)

    rejected, adopted = trader(work)
    assert (rejected.kind, rejected.code) == (REJECTED, 110007)
    assert (adopted.kind, adopted.order_id) == (CONFIRMED, "o1")
    assert notebook.of(OrderReports)[0].reports[0].client_id == ENTRY.client_id


@pytest.mark.parametrize(
    ("code", "operations"), [(10002, ["order.create"] * 2), (10006, ["order.create", "order.create-batch"])]
)
def test_what_surely_did_nothing_is_sent_again_with_its_id(venue, trader, code, operations) -> None:
    venue.trade_answers = [code, 0]
    assert trader(send(EXIT)).kind is CONFIRMED
    assert [frame["op"] for frame in venue.frames] == operations
    assert str(venue.frames).count(EXIT.client_id) == 2


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ({"list": [{"code": 110007, "msg": "no money"}]}, REJECTED),
        ({"list": [{"code": 10016, "msg": "oops"}]}, UNKNOWN),
        ({"list": []}, UNKNOWN),
        ({"list": [{"code": 0}, {"code": 0}]}, UNKNOWN),
        ({"list": [{"msg": "no code"}]}, UNKNOWN),
        ({"list": [{"code": "zero"}]}, UNKNOWN),
        ({}, UNKNOWN),
        (None, UNKNOWN),
    ],
)
def test_the_item_of_a_batch_decides_not_its_envelope(venue, trader, told, kind) -> None:
    venue.trade_answers = [10006, {"retExtInfo": told}]
    assert trader(send(EXIT)).kind is kind
    assert len(venue.frames) == 2


# The way --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [{"order_entry": "rest"}, {}])
def test_without_a_socket_orders_go_over_rest(venue, notebook, trader, settings) -> None:
    venue.trade_login = 10003
    assert [trader(send(intent), **settings).kind for intent in (ENTRY, EXIT, DROP)] == [CONFIRMED] * 3
    assert (len(venue.posted), venue.frames) == (3, [])
    told = [link for link in notebook.of(LinkChanged) if link.link is Link.TRADE]
    assert bool(venue.trade) == bool(told) == (not settings)


def test_a_refused_login_is_told_once_and_tried_again_and_again(venue, notebook, trader) -> None:
    venue.trade_login = 10003

    async def work(broker):
        await asyncio.sleep(60)
        venue.trade_login = 0
        await asyncio.sleep(20)
        return await send(EXIT)(broker)

    assert trader(work).kind is CONFIRMED
    assert [(link.up, link.link) for link in notebook.of(LinkChanged) if link.link is Link.TRADE] == [
        (False, Link.TRADE),
        (True, Link.TRADE),
    ]
    assert 4 < len(venue.trade) < 30
    assert len(venue.frames) == 1


@pytest.mark.parametrize("trouble", [DROPPED, b"garbage", SILENCE])
def test_after_trouble_it_is_connected_again(venue, notebook, trader, trouble) -> None:
    venue.trade_answers = [trouble, 0]

    async def work(broker):
        await send(EXIT)(broker)
        await asyncio.sleep(3)
        return await send(EXIT)(broker)

    assert trader(work).kind is CONFIRMED
    assert len(venue.trade) == 2
    assert [link.up for link in notebook.of(LinkChanged) if link.link is Link.TRADE] == [True, False, True]
    assert venue.posted == []


def test_a_socket_that_owes_an_answer_carries_nothing_new(venue, trader) -> None:
    venue.trade_answers = [SILENCE]

    async def work(broker):
        owed = asyncio.ensure_future(send(ENTRY)(broker))
        await asyncio.sleep(DOUBT_MS / 1000 + 0.1)
        other = structs.replace(EXIT, client_id="bw-1-9-x")
        return await send(other)(broker), await owed

    second, first = trader(work)
    assert (first.kind, second.kind) == (UNKNOWN, CONFIRMED)
    assert [body["orderLinkId"] for body in venue.asked(CREATE)] == ["bw-1-9-x"]
    assert len(venue.frames) == 1


@pytest.mark.parametrize("nothing", [SILENCE, FULL])
@pytest.mark.parametrize(("intent", "patience_ms"), [(ENTRY, 2000), (EXIT, DOUBT_MS), (DROP, DOUBT_MS)])
def test_what_protects_waits_no_longer_for_an_answer_than_the_socket_is_trusted(
    venue, trader, intent, patience_ms, nothing
) -> None:
    """The close that follows goes over REST, and must not be held up by a socket whose peer is gone."""
    venue.trade_answers = [nothing]
    result = trader(send(intent))
    assert (result.kind, round(result.round_trip_ms)) == (UNKNOWN, patience_ms)


def test_a_loss_leaves_everything_that_is_under_way_unknown_at_once(venue, trader) -> None:
    venue.trade_answers = [SILENCE, DROPPED]

    async def work(broker):
        return await asyncio.gather(*(broker.execute(Approved(close(n), True)) for n in range(3)))

    results = trader(work)
    assert {result.kind for result in results} == {UNKNOWN}
    assert max(result.round_trip_ms for result in results) < 100
    assert venue.posted == []


def test_five_losses_open_the_api_breaker_of_orders(venue, notebook, trader) -> None:
    venue.trade_answers = [10016]

    async def work(broker):
        return [(await send(ENTRY)(broker)).kind for _ in range(6)]

    assert trader(work) == [UNKNOWN] * 5 + [REFUSED]
    assert [(health.group, health.state) for health in notebook.of(ApiHealth)] == [(ApiGroup.ORDERS, ApiState.OPEN)]


# Budgets --------------------------------------------------------------------------------------------


def close(number: int):
    return structs.replace(EXIT, client_id=f"bw-1-{number}-x")


def closes(broker, count: int):
    """So many closes that leave in the same moment."""
    return asyncio.gather(*(broker.execute(Approved(close(n), True)) for n in range(count)))


def test_sixteen_closes_leave_at_once_by_two_doors_and_each_once(venue, trader) -> None:
    """8 by each, a frame for each."""
    results = trader(lambda broker: closes(broker, 16))
    assert {result.kind for result in results} == {CONFIRMED}
    assert max(result.round_trip_ms for result in results) < 5
    assert [frame["op"] for frame in venue.frames] == ["order.create"] * 8 + ["order.create-batch"] * 8
    bodies = [frame["args"][0] for frame in venue.frames]
    ids = [item["orderLinkId"] for body in bodies for item in body.get("request", [body])]
    assert ids == [f"bw-1-{n}-x" for n in range(16)]
    assert venue.posted == []


def test_entries_never_use_the_second_door_nor_the_reserve(venue, trader) -> None:
    async def work(broker):
        return [(await send(ENTRY)(broker)).kind for _ in range(8)], await send(EXIT)(broker)

    entries, exit_ = trader(work)
    assert entries == [CONFIRMED] * 5 + [REFUSED] * 3
    assert exit_.kind is CONFIRMED
    assert {frame["op"] for frame in venue.frames} == {"order.create"}


def test_both_ways_spend_the_same_budget(venue, trader) -> None:
    async def work(broker):
        over_socket = [(await send(ENTRY)(broker)).kind for _ in range(5)]
        venue.trade[0].drop()
        await asyncio.sleep(0.01)
        return over_socket, (await send(ENTRY)(broker)).kind

    assert trader(work) == ([CONFIRMED] * 5, REFUSED)
    assert venue.posted == []


def test_the_budget_is_learned_from_the_header_of_an_answer(venue, trader) -> None:
    """Somebody else spends from it too."""
    left = {"X-Bapi-Limit": "10", "X-Bapi-Limit-Status": 1, "X-Bapi-Limit-Reset-Timestamp": "1700000002000"}
    venue.trade_answers = [{"header": left}]

    async def work(broker):
        return await send(ENTRY)(broker), await send(ENTRY)(broker)

    first, second = trader(work)
    assert (first.kind, second.kind) == (CONFIRMED, REFUSED)
    assert "rate budget" in second.reason


def test_a_ban_of_our_address_stops_rest_and_not_the_socket(venue, trader) -> None:
    venue.say(STOP, HttpAnswer(403, b"forbidden"))

    async def work(broker):
        return [(await send(intent)(broker)).kind for intent in (MOVE, MOVE, EXIT, DROP)]

    assert trader(work) == [REJECTED, REFUSED, CONFIRMED, CONFIRMED]
    assert len(venue.frames) == 2


def test_the_crash_point_is_where_the_bytes_are_out_and_no_answer_can_have_come(venue, trader) -> None:
    reached: list[tuple[Point, int]] = []
    points.watch(lambda point: reached.append((point, len(venue.frames))))
    try:
        trader(send(ENTRY))
    finally:
        points.watch(None)
    assert reached == [(Point.ORDER_SENT, 1)]


@pytest.mark.parametrize("tif", TimeInForce)
def test_every_time_in_force_is_said(venue, trader, tif) -> None:
    limit = structs.replace(ENTRY, kind=OrderKind.LIMIT, tif=tif)
    assert trader(lambda broker: broker.execute(Approved(limit, False))).kind is CONFIRMED
    assert venue.frames[0]["args"][0]["timeInForce"] == tif.value
