"""The broker against a scripted venue: admission, each outcome, queries, read-backs, the private stream."""

import asyncio
import json
from decimal import Decimal

import pytest
from msgspec import structs

from breakwall.model.actions import Approved, CancelOrder, OrderKind, PlaceOrder, TimeInForce
from breakwall.model.events import (
    Fills,
    Instruments,
    Link,
    LinkChanged,
    OrderReports,
    OutcomeKind,
    PositionReports,
    ReadBack,
    ReadBackFailed,
)
from breakwall.model.units import Side
from breakwall.ports import HttpAnswer, TransportError, VenueError
from breakwall.venues.limiter import BAN_MS
from tests.venues.bybit.scripts import (
    ACCOUNT,
    CANCEL,
    CREATE,
    CREATE_BATCH,
    DROP,
    ENTRY,
    EXECUTIONS,
    EXIT,
    FILL,
    FLAT,
    HISTORY,
    KEY,
    LEVERAGE,
    LONG,
    MOVE,
    OPEN,
    ORDER,
    POSITIONS,
    RULES,
    STOP,
)


def with_prepared(broker, virtual, work):
    """Prepare BTCUSDT, then do the work; its result."""

    async def main():
        await broker.prepare(["BTCUSDT"])
        return await work()

    return virtual(main())


def execute(broker, virtual, intent, *, reducing: bool = True):
    return with_prepared(broker, virtual, lambda: broker.execute(Approved(intent, reducing)))


# Admission ------------------------------------------------------------------------------------------


def test_prepare_reads_facts_and_changes_nothing_that_is_right(venue, broker, virtual) -> None:
    account, instruments = virtual(broker.prepare(["BTCUSDT"]))
    assert (account.account_id, account.taker_fee, account.maker_fee) == (
        "4711",
        Decimal("0.0006"),
        Decimal("0.0001"),
    )
    assert [instrument.symbol for instrument in instruments.instruments] == ["BTCUSDT"]
    posts = {request.path for request in venue.requests if request.method == "POST"}
    assert posts == {"/v5/account/set-limit-px-action"}
    assert abs(broker.venue_offset_ms) < 10


def test_prepare_sets_leverage_and_takes_unchanged_for_success(venue, broker, virtual) -> None:
    venue.say(POSITIONS, {"list": [FLAT | {"leverage": "3"}]})
    venue.say(LEVERAGE, (110043, "leverage not modified"))
    virtual(broker.prepare(["BTCUSDT"]))
    assert venue.asked(LEVERAGE) == [
        {"category": "linear", "symbol": "BTCUSDT", "buyLeverage": "10", "sellLeverage": "10"}
    ]


@pytest.mark.parametrize("answer", [{}, (110076, "isolated only")])
def test_prepare_keeps_the_rest_of_the_balance_out_of_a_position(venue, broker, virtual, answer) -> None:
    venue.say(POSITIONS, {"list": [FLAT | {"autoAddMargin": 1}]})
    venue.say("/v5/position/set-auto-add-margin", answer)
    virtual(broker.prepare(["BTCUSDT"]))
    assert venue.asked("/v5/position/set-auto-add-margin") == [
        {"category": "linear", "symbol": "BTCUSDT", "autoAddMargin": 0, "positionIdx": 0}
    ]


def test_prepare_sets_isolated_margin_while_nothing_is_open(venue, broker, virtual) -> None:
    cross = {"unifiedMarginStatus": 6, "marginMode": "REGULAR_MARGIN"}
    venue.say(ACCOUNT, cross, cross | {"marginMode": "ISOLATED_MARGIN"})
    venue.say(POSITIONS, {"list": [FLAT]}, {"list": []})
    virtual(broker.prepare(["BTCUSDT"]))
    assert venue.asked("/v5/account/set-margin-mode") == [{"setMarginMode": "ISOLATED_MARGIN"}]


def test_a_margin_mode_that_cannot_be_set_is_refused_with_the_venue_s_reasons(venue, broker, virtual) -> None:
    venue.say(ACCOUNT, {"unifiedMarginStatus": 6, "marginMode": "PORTFOLIO_MARGIN"})
    venue.say(POSITIONS, {"list": [FLAT]}, {"list": []})
    reasons = b'[{"reasonCode":"3400000","reasonMsg":"Equity needs to be equal to or greater than 1000 USDC"},{},7]'
    body = b'{"retCode":3400045,"retMsg":"Set margin mode failed","result":{"reasons":%s}}' % reasons
    venue.say("/v5/account/set-margin-mode", HttpAnswer(200, body))
    with pytest.raises(VenueError, match=r"found PORTFOLIO_MARGIN after setting it .3400045: .*; Equity needs to be"):
        virtual(broker.prepare(["BTCUSDT"]))


def test_instruments_come_page_by_page(venue, broker, virtual) -> None:
    other = {"list": [RULES | {"symbol": "XRPUSDT"}], "nextPageCursor": "p%3A2"}
    venue.say("/v5/market/instruments-info", other, {"list": [RULES], "nextPageCursor": ""})
    virtual(broker.prepare(["BTCUSDT"]))
    asked = [request.query for request in venue.requests if request.path.endswith("instruments-info")]
    assert asked == ["category=linear&limit=1000", "category=linear&limit=1000&cursor=p%3A2"]


def test_fees_fall_back_to_the_settings(venue, broker, virtual) -> None:
    venue.say("/v5/account/fee-rate", (10001, "not supported in demo"))
    account, _ = virtual(broker.prepare(["BTCUSDT"]))
    assert (account.taker_fee, account.maker_fee) == (Decimal("0.00055"), Decimal("0.0002"))


@pytest.mark.parametrize(
    ("path", "answer", "words", "code"),
    [
        ("/v5/market/time", TransportError("connection refused", sent=False), "clock: .*connection refused", 3),
        ("/v5/market/time", HttpAnswer(502, b"<html>"), "HTTP 502", 3),
        ("/v5/user/query-api", (10003, "API key is invalid."), "key: .*check key, secret and", 6),
        ("/v5/user/query-api", KEY | {"permissions": {"Wallet": ["Withdraw"]}}, "no withdrawal permission", 6),
        ("/v5/user/query-api", KEY | {"readOnly": 1}, "read-only key", 6),
        ("/v5/user/query-api", KEY | {"permissions": {"ContractTrade": ["Position"]}}, "ContractTrade.Order", 6),
        (ACCOUNT, {"unifiedMarginStatus": 4, "marginMode": "ISOLATED_MARGIN"}, "Unified Trading Account 2.0", 6),
        ("/v5/market/instruments-info", {"list": []}, "symbol BTCUSDT: .*no such symbol; remove it", 6),
        ("/v5/market/instruments-info", {"list": [RULES | {"status": "Delivering"}]}, "Delivering", 6),
        (
            "/v5/market/instruments-info",
            {"list": [RULES | {"leverageFilter": {"maxLeverage": "50", "leverageStep": "3"}}]},
            "BTCUSDT leverage: expected a multiple of 3, found 10; change",
            6,
        ),
        (
            "/v5/market/instruments-info",
            {"list": [RULES | {"leverageFilter": {"maxLeverage": "5", "leverageStep": "0.01"}}]},
            "BTCUSDT leverage: expected at most 5, found 10; lower",
            6,
        ),
        ("/v5/market/instruments-info", {"rows": []}, "expected a list of objects", 3),
        (POSITIONS, {"list": [FLAT | {"positionIdx": 1}, FLAT | {"positionIdx": 2}]}, "one-way, found hedge", 6),
        (POSITIONS, {"list": [LONG | {"leverage": "3"}]}, "expected 10, found 3 with an open position", 6),
    ],
)
def test_prepare_refuses_with_the_reason(venue, broker, virtual, path, answer, words, code) -> None:
    venue.say(path, answer)
    with pytest.raises(VenueError, match=words) as caught:
        virtual(broker.prepare(["BTCUSDT"]))
    assert caught.value.code == code
    assert "SECRET" not in str(caught.value)


def test_what_may_still_be_held_is_managed_and_left_out_where_it_is_gone(venue, broker, virtual) -> None:
    ends = RULES | {"symbol": "ENDSUSDT", "deliveryTime": "1800000000000"}
    venue.say("/v5/market/instruments-info", {"list": [RULES, ends]})
    _, instruments = virtual(broker.prepare(["BTCUSDT", "GONEUSDT"], ["ENDSUSDT", "PASTUSDT"]))
    assert [instrument.symbol for instrument in instruments.instruments] == ["BTCUSDT", "ENDSUSDT"]
    assert not instruments.instruments[1].tradable
    with pytest.raises(VenueError, match="GONEUSDT"):  # with nothing held a wrong name is told
        virtual(broker.prepare(["BTCUSDT", "GONEUSDT"]))


def test_prepare_never_changes_the_margin_mode_under_open_positions(venue, broker, virtual) -> None:
    venue.say(ACCOUNT, {"unifiedMarginStatus": 5, "marginMode": "REGULAR_MARGIN"})
    venue.say(POSITIONS, {"list": [LONG]})
    with pytest.raises(VenueError, match="REGULAR_MARGIN with open positions"):
        virtual(broker.prepare(["BTCUSDT"]))
    assert not venue.asked("/v5/account/set-margin-mode")


# Commands -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("intent", "path", "window"), [(ENTRY, CREATE, "1000"), (EXIT, CREATE, "5000"), (MOVE, STOP, "5000")]
)
def test_an_entry_is_void_soon_and_protection_is_not(venue, broker, virtual, intent, path, window) -> None:
    """Stopped with its bytes in hand, a program must not open a second after a panic has proven that it is flat."""
    venue.say(STOP, {})
    execute(broker, virtual, intent, reducing=intent is not ENTRY)
    (request,) = [request for request in venue.requests if request.path == path]
    assert request.headers["X-BAPI-RECV-WINDOW"] == window


def test_an_entry_carries_its_stop(venue, broker, virtual) -> None:
    result = execute(broker, virtual, ENTRY, reducing=False)
    assert (result.operation, result.kind, result.order_id) == ("place", OutcomeKind.CONFIRMED, "o1")
    assert result.round_trip_ms == pytest.approx(10, abs=1)
    assert venue.asked(CREATE) == [
        {
            "category": "linear",
            "symbol": "BTCUSDT",
            "side": "Buy",
            "orderType": "Limit",
            "qty": "0.010",
            "price": "60000.00",
            "timeInForce": "IOC",
            "positionIdx": 0,
            "orderLinkId": "bw-1-2-e",
            "reduceOnly": False,
            "stopLoss": "59000.00",
            "slTriggerBy": "MarkPrice",
            "slOrderType": "Market",
            "tpslMode": "Full",
        }
    ]


def test_an_exit_carries_none(venue, broker, virtual) -> None:
    execute(broker, virtual, EXIT)
    (body,) = venue.asked(CREATE)
    assert (body["orderType"], body["timeInForce"], body["reduceOnly"]) == ("Market", "IOC", True)
    assert not {"stopLoss", "tpslMode", "price"} & set(body)


def test_an_entry_without_a_stop_never_leaves(venue, broker, virtual) -> None:
    naked = PlaceOrder("bw-1-2-e", "", "BTCUSDT", 0, "", Side.BUY, OrderKind.MARKET, 10, TimeInForce.IOC)
    assert execute(broker, virtual, naked, reducing=False).kind is OutcomeKind.REFUSED
    assert not venue.asked(CREATE)


@pytest.mark.parametrize(
    "answer",
    [
        TransportError("no answer within 2 s"),
        HttpAnswer(502, b"<html>Bad Gateway</html>"),
        HttpAnswer(200, b'{"retCode":0,"re'),
        (10016, "server error"),
        (10000, "timeout"),
        (424242, "new code"),
    ],
)
@pytest.mark.parametrize("intent", [ENTRY, EXIT])
def test_what_is_not_known_is_unknown_and_never_sent_twice(venue, broker, virtual, answer, intent) -> None:
    venue.say(CREATE, answer)
    result = execute(broker, virtual, intent, reducing=intent is EXIT)
    assert result.kind is OutcomeKind.UNKNOWN
    assert result.reason
    assert len(venue.asked(CREATE)) == 1


def test_an_entry_that_never_left_is_refused_and_not_tried_again(venue, broker, virtual) -> None:
    venue.say(CREATE, TransportError("connection refused", sent=False))
    assert execute(broker, virtual, ENTRY, reducing=False).kind is OutcomeKind.REFUSED
    assert len(venue.asked(CREATE)) == 1


def test_an_exit_that_never_left_is_tried_again_with_the_same_id(venue, broker, virtual) -> None:
    venue.say(CREATE, TransportError("connection refused", sent=False), {"orderId": "o9"})
    result = execute(broker, virtual, EXIT)
    assert (result.kind, result.order_id) == (OutcomeKind.CONFIRMED, "o9")
    assert [body["orderLinkId"] for body in venue.asked(CREATE)] == ["bw-1-3-x"] * 2


def test_a_wrong_timestamp_is_measured_again_and_sent_again(venue, broker, virtual) -> None:
    venue.say(CREATE, (10002, "timestamp"), {"orderId": "o1"})
    assert execute(broker, virtual, EXIT).kind is OutcomeKind.CONFIRMED
    assert len(venue.asked(CREATE)) == 2


@pytest.mark.parametrize("code", [10002, 10006, 110079])
def test_an_entry_leaves_once_or_not_at_all(venue, broker, virtual, code) -> None:
    """Whatever allowed it may have changed while it waited, and the last gate is not asked again."""
    venue.say(CREATE, (code, "not now"), {"orderId": "o1"})
    assert execute(broker, virtual, ENTRY, reducing=False).kind is OutcomeKind.REJECTED
    assert len(venue.asked(CREATE)) == 1


def test_a_rejection_is_one(venue, broker, virtual) -> None:
    venue.say(CREATE, (110007, "ab not enough for new order"))
    result = execute(broker, virtual, ENTRY, reducing=False)
    assert (result.kind, result.code) == (OutcomeKind.REJECTED, 110007)
    assert "not enough free margin" in result.reason


def test_a_used_client_id_adopts_the_order_that_is_there(venue, broker, notebook, virtual) -> None:
    venue.say(CREATE, (110072, "duplicate"))
    venue.say(OPEN, {"list": [ORDER]})
    result = execute(broker, virtual, ENTRY, reducing=False)
    assert (result.kind, result.order_id) == (OutcomeKind.CONFIRMED, "o1")
    assert notebook.of(OrderReports)[0].reports[0].client_id == "bw-1-2-e"


def test_a_used_client_id_whose_order_is_not_shown_stays_unknown(venue, broker, virtual) -> None:
    venue.say(CREATE, (110072, "duplicate"))
    assert execute(broker, virtual, ENTRY, reducing=False).kind is OutcomeKind.UNKNOWN


def test_a_stop_is_moved_in_place(venue, broker, virtual) -> None:
    venue.say(STOP, {})
    result = execute(broker, virtual, MOVE)
    assert (result.operation, result.kind) == ("stop", OutcomeKind.CONFIRMED)
    assert venue.asked(STOP) == [
        {
            "category": "linear",
            "symbol": "BTCUSDT",
            "positionIdx": 0,
            "stopLoss": "59500.00",
            "slTriggerBy": "MarkPrice",
            "slOrderType": "Market",
            "tpslMode": "Full",
        }
    ]


@pytest.mark.parametrize(
    ("position", "kind"),
    [
        ({"list": [LONG | {"stopLoss": "59500.00"}]}, OutcomeKind.CONFIRMED),
        ({"list": [LONG]}, OutcomeKind.REJECTED),
        ({"list": [FLAT]}, OutcomeKind.REJECTED),
        ((10016, "server error"), OutcomeKind.UNKNOWN),
    ],
)
def test_not_modified_is_believed_only_when_read_back(venue, broker, notebook, virtual, position, kind) -> None:
    venue.say(STOP, (34040, "not modified"))

    async def work():
        venue.say(POSITIONS, position)
        return await broker.execute(Approved(MOVE, True))

    assert with_prepared(broker, virtual, work).kind is kind
    assert bool(notebook.of(PositionReports)) is (kind is not OutcomeKind.UNKNOWN)


def test_cancel_by_client_id_and_by_order_id(venue, broker, virtual) -> None:
    foreign = CancelOrder("bw-1-6-c", "", "BTCUSDT", 0, "", target="", order_id="theirs")
    assert execute(broker, virtual, DROP).kind is OutcomeKind.CONFIRMED
    assert with_prepared(broker, virtual, lambda: broker.execute(Approved(foreign, True))).operation == "cancel"
    assert [body.get("orderLinkId", body.get("orderId")) for body in venue.asked(CANCEL)] == ["bw-1-2-e", "theirs"]


@pytest.mark.parametrize(("status", "kind"), [("Cancelled", OutcomeKind.CONFIRMED), ("Filled", OutcomeKind.REJECTED)])
def test_cancelling_what_is_gone_looks_what_became_of_it(venue, broker, notebook, virtual, status, kind) -> None:
    venue.say(CANCEL, (110001, "order not exists"))
    venue.say(HISTORY, {"list": [ORDER | {"orderStatus": status}]})
    result = execute(broker, virtual, DROP)
    assert (result.kind, result.reason) == (kind, f"it is {status} already")
    assert notebook.of(OrderReports)[0].reports[0].status == status


def test_a_ban_stops_everything_and_says_so(venue, broker, notebook, virtual) -> None:
    venue.say(CREATE, HttpAnswer(403, b"forbidden"))

    async def work():
        first = await broker.execute(Approved(EXIT, True))
        second = await broker.execute(Approved(EXIT, True))
        back = await broker.read_back("periodic", 0)
        count = len(venue.requests)
        await asyncio.sleep(BAN_MS / 1000)
        venue.say(CREATE, {"orderId": "o1"})
        return first, second, back, count, await broker.execute(Approved(EXIT, True))

    first, second, back, count, third = with_prepared(broker, virtual, work)
    assert (first.kind, second.kind, third.kind) == (OutcomeKind.REJECTED, OutcomeKind.REFUSED, OutcomeKind.CONFIRMED)
    assert "banned" in second.reason
    assert isinstance(back, ReadBackFailed)
    assert len(venue.requests) == count + 1
    assert [(link.link, link.up) for link in notebook.of(LinkChanged)] == [(Link.REST, False), (Link.REST, True)]


def test_entries_are_shed_first_when_budget_is_short(venue, broker, virtual) -> None:
    async def work():
        entries = await asyncio.gather(*(broker.execute(Approved(ENTRY, False)) for _ in range(12)))
        return entries, await broker.execute(Approved(EXIT, True))

    entries, close = with_prepared(broker, virtual, work)
    shed = [result for result in entries if result.kind is OutcomeKind.REFUSED]
    assert 0 < len(shed) < 12
    assert "rate budget" in shed[0].reason
    assert all(result.round_trip_ms < 20 for result in entries)
    assert close.kind is OutcomeKind.CONFIRMED
    assert close.round_trip_ms < 20


TOO_OFTEN = HttpAnswer(
    200,
    b'{"retCode":10006,"retMsg":"Too many visits!","result":{},"time":1700000000050}',
    {"x-bapi-limit-reset-timestamp": "1700000000700"},
)


def test_after_10006_a_close_leaves_by_the_second_door_at_once_with_its_id(venue, broker, virtual) -> None:
    venue.say(CREATE, TOO_OFTEN)
    result = execute(broker, virtual, EXIT)
    assert (result.kind, result.order_id) == (OutcomeKind.CONFIRMED, "o1")
    assert result.round_trip_ms < 50
    (sent,), (again,) = venue.asked(CREATE), venue.asked(CREATE_BATCH)
    assert again == {"category": "linear", "request": [{k: v for k, v in sent.items() if k != "category"}]}


def test_after_10006_at_both_doors_a_close_waits_until_the_reset(venue, broker, virtual) -> None:
    venue.say(CREATE, TOO_OFTEN, {"orderId": "o1"})
    venue.say(CREATE_BATCH, TOO_OFTEN)
    result = execute(broker, virtual, EXIT)
    assert result.kind is OutcomeKind.CONFIRMED
    assert 300 < result.round_trip_ms < 1000
    assert [order["orderLinkId"] for order in venue.asked(CREATE)] == ["bw-1-3-x"] * 2


def test_commands_for_unknown_symbols_are_refused(broker, virtual) -> None:
    assert virtual(broker.execute(Approved(EXIT, True))).kind is OutcomeKind.REFUSED


# Queries and read-backs -----------------------------------------------------------------------------


def test_query_looks_at_open_orders_then_history(venue, broker, virtual) -> None:
    venue.say(HISTORY, {"list": [ORDER | {"orderStatus": "Filled"}]})
    answer = with_prepared(broker, virtual, lambda: broker.query("bw-1-2-e", "BTCUSDT"))
    assert answer.report.status == "Filled"
    assert venue.asked(OPEN) == [{"category": "linear", "symbol": "BTCUSDT", "orderLinkId": "bw-1-2-e"}]


def test_query_of_what_is_not_there(venue, broker, virtual) -> None:
    answer = with_prepared(broker, virtual, lambda: broker.query("bw-1-2-e", "BTCUSDT"))
    assert (answer.report, answer.readable) == (None, True)


def test_an_order_with_executions_is_never_not_there(venue, broker, virtual) -> None:
    venue.say(EXECUTIONS, {"list": [FILL]})
    answer = with_prepared(broker, virtual, lambda: broker.query("bw-1-2-e", "BTCUSDT"))
    assert (answer.report, answer.readable) == (None, False)


@pytest.mark.parametrize("path", [OPEN, HISTORY, EXECUTIONS])
def test_a_query_that_fails_is_not_an_absence(venue, broker, virtual, path) -> None:
    venue.say(path, TransportError("gone"))
    answer = with_prepared(broker, virtual, lambda: broker.query("bw-1-2-e", "BTCUSDT"))
    assert (answer.report, answer.readable) == (None, False)
    assert "gone" in answer.reason


def test_read_back_is_the_whole_account(venue, broker, virtual) -> None:
    past = FILL | {"symbol": "ADAUSDT", "execId": "e3"}  # what was traded is no sign of who trades now
    venue.say(EXECUTIONS, {"list": [FILL | {"execId": "e2", "execTime": "9"}, FILL | {"execTime": "5"}, past]})

    async def work():
        venue.say(OPEN, {"list": [ORDER], "nextPageCursor": "n"}, {"list": [ORDER | {"orderId": "o2"}]})
        venue.say(POSITIONS, {"list": [LONG, LONG | {"symbol": "XRPUSDT"}]})
        return await broker.read_back("start", 1_700_000_000_000)

    back = with_prepared(broker, virtual, work)
    assert isinstance(back, ReadBack)
    assert [order.order_id for order in back.orders] == ["o1", "o2"]
    assert [(position.symbol, position.lots, position.stop_ticks) for position in back.positions] == [
        ("BTCUSDT", 10, 590_000)
    ]
    assert [fill.exec_id for fill in back.fills] == ["e1", "e2"]
    assert (back.wallet.available_usdt, back.purpose) == (1000, "start")
    assert venue.asked(EXECUTIONS)[0]["startTime"] == str(1_700_000_000_000 - 60_000)
    assert back.strangers == ("XRPUSDT",)


@pytest.mark.parametrize("path", [OPEN, POSITIONS, EXECUTIONS, "/v5/account/wallet-balance"])
@pytest.mark.parametrize(
    "answer",
    [
        TransportError("gone"),
        HttpAnswer(500, b"oops"),
        {},
        {"list": [{"symbol": "BTCUSDT", "size": "many"}]},
        (10016, "server error"),
        {"list": [], "nextPageCursor": "same"},
    ],
)
def test_one_part_that_cannot_be_read_fails_the_whole_read_back(venue, broker, virtual, path, answer) -> None:
    async def work():
        venue.say(path, answer)
        return await broker.read_back("periodic", 0)

    back = with_prepared(broker, virtual, work)
    assert isinstance(back, ReadBackFailed)
    assert back.reason


def test_reads_are_tried_again(venue, broker, virtual) -> None:
    async def work():
        venue.say(OPEN, HttpAnswer(502, b""), {"list": [ORDER]})
        return await broker.read_back("periodic", 0)

    assert len(with_prepared(broker, virtual, work).orders) == 1


# The private stream ---------------------------------------------------------------------------------


def test_the_private_stream_logs_in_and_reports(venue, broker, notebook, virtual) -> None:
    async def work():
        task = asyncio.ensure_future(broker.run())
        await asyncio.sleep(1)
        socket = venue.sockets[0]
        socket.say({"topic": "execution", "data": [FILL]})
        await asyncio.sleep(0.1)
        socket.drop()
        await asyncio.sleep(2)
        task.cancel()
        return socket

    socket = with_prepared(broker, virtual, work)
    assert [request["op"] for request in socket.sent] == ["auth", "subscribe"]
    assert socket.args("subscribe") == [["order", "execution", "position", "wallet"]]
    assert len(notebook.of(Fills)) == 1
    assert [link.up for link in notebook.of(LinkChanged) if link.link is Link.PRIVATE] == [True, False, True]
    assert "SECRET" not in str(socket.sent)


def test_changed_rules_are_told_with_a_new_version(venue, broker, notebook, virtual) -> None:
    async def work():
        task = asyncio.ensure_future(broker.run())
        await asyncio.sleep(601)
        assert not notebook.of(Instruments)
        venue.say("/v5/market/instruments-info", {"list": [RULES | {"priceFilter": {"tickSize": "0.50"}}]})
        await asyncio.sleep(600)
        venue.say("/v5/market/instruments-info", {"list": []})
        await asyncio.sleep(600)
        task.cancel()

    with_prepared(broker, virtual, work)
    first, second = (event.instruments[0] for event in notebook.of(Instruments))
    assert (first.tick, first.version, first.tradable) == (Decimal("0.50"), 2, True)
    assert (second.status, second.version, second.tradable) == ("Closed", 3, False)


def test_who_is_made_ready_while_the_rules_are_read_is_not_taken_for_closed(venue, broker, notebook, virtual) -> None:
    def answer(_request) -> HttpAnswer:
        broker.instruments["NEWUSDT"] = structs.replace(broker.instruments["BTCUSDT"], symbol="NEWUSDT")
        return HttpAnswer(200, json.dumps({"retCode": 0, "retMsg": "OK", "result": {"list": [RULES]}}).encode())

    async def work():
        task = asyncio.ensure_future(broker.run())
        venue.say("/v5/market/instruments-info", answer)
        await asyncio.sleep(130)
        task.cancel()

    with_prepared(broker, virtual, work)
    assert (notebook.of(Instruments), broker.instruments["NEWUSDT"].status) == ([], "Trading")


def test_rules_are_read_soon_after_an_order_was_refused_as_if_they_had_changed(
    venue, broker, notebook, virtual
) -> None:
    async def work():
        task = asyncio.ensure_future(broker.run())
        await asyncio.sleep(60)
        venue.say("/v5/market/instruments-info", {"list": [RULES | {"priceFilter": {"tickSize": "0.50"}}]})
        venue.say(CREATE, (10001, "price step"))
        await broker.execute(Approved(ENTRY, False))
        await asyncio.sleep(3)
        task.cancel()

    with_prepared(broker, virtual, work)
    (told,) = notebook.of(Instruments)
    assert told.instruments[0].tick == Decimal("0.50")
