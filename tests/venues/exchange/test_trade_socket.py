"""Order entry over the trade socket: its envelopes, its codes, its limits shared with REST."""

from typing import Any

import pytest

BUY = {"category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "qty": "0.1", "price": "59000"}


def ask(line: Any, operation: str, body: object, **more: object) -> dict[str, Any]:
    header = {"X-BAPI-TIMESTAMP": str(line.hand.now), "X-BAPI-RECV-WINDOW": "5000"}
    answers = line.ask(op=operation, **({"header": header, "args": [body]} | more))
    return next(answer for answer in answers if answer.get("op") == operation)


@pytest.fixture
def line(client: Any) -> Any:
    opened = client("trade")
    assert opened.auth()["retCode"] == 0
    return opened


def test_auth_and_pong_have_the_spelling_of_this_socket(hand: Any, client: Any) -> None:
    line = client("trade")
    assert line.auth("tampered")["retCode"] == 10004
    assert line.auth() == {"retCode": 0, "retMsg": "OK", "op": "auth", "connId": "conn-2"}
    assert line.auth()["retCode"] == 20001
    asked = str(hand.now)
    assert line.ask(op="ping") == [{"retCode": 0, "retMsg": "OK", "op": "pong", "data": [asked], "connId": "conn-2"}]


def test_nothing_is_ordered_without_auth(hand: Any, client: Any) -> None:
    assert ask(client("trade"), "order.create", BUY)["retCode"] == 10003
    assert hand.exchange.open_orders() == []


def test_an_order_is_created_amended_and_cancelled(hand: Any, line: Any) -> None:
    answer = ask(line, "order.create", BUY | {"orderLinkId": "mine"}, reqId="r-1")
    assert {key: answer[key] for key in ("reqId", "retCode", "retMsg", "op", "retExtInfo")} == {
        "reqId": "r-1",
        "retCode": 0,
        "retMsg": "OK",
        "op": "order.create",
        "retExtInfo": {},
    }
    assert set(answer["data"]) == {"orderId", "orderLinkId"}
    header = answer["header"]
    assert (header["X-Bapi-Limit"], header["X-Bapi-Limit-Status"]) == ("10", "9")
    assert int(header["X-Bapi-Limit-Reset-Timestamp"]) > hand.now
    assert set(header) >= {"Traceid", "Timenow"}
    btc = {"category": "linear", "symbol": "BTCUSDT", "orderLinkId": "mine"}
    assert ask(line, "order.amend", btc | {"price": "59100"})["retCode"] == 0
    assert hand.told(answer["data"]["orderId"])["price"] == "59100.00"
    cancelled = ask(line, "order.cancel", btc)
    assert (cancelled["retCode"], "reqId" in cancelled) == (0, False)
    assert hand.exchange.open_orders() == []


def test_pushes_may_be_earlier_than_the_answer(hand: Any, line: Any) -> None:
    line.frames.clear()
    market = BUY | {"orderType": "Market"}
    asked = line.ask(wait_ms=5, op="order.create", header={"X-BAPI-TIMESTAMP": hand.now}, args=[market])
    assert [row["orderStatus"] for row in hand.records("order")] == ["Filled"]
    assert asked == []


@pytest.mark.parametrize(
    ("operation", "change", "code"),
    [
        ("order.explode", {}, 10404),
        ("order.create", {"args": [BUY | {"category": "spot"}]}, 10404),
        ("order.create", {"args": [BUY, BUY]}, 10001),
        ("order.create", {"args": "x"}, 10001),
        ("order.create", {"args": [BUY | {"qty": "0.00001"}]}, 10001),
        ("order.create", {"reqId": "a" * 37}, 10001),
        ("order.create", {"header": {}}, 10001),
        ("order.create", {"header": {"X-BAPI-TIMESTAMP": 1}}, 10002),
        ("order.cancel", {"args": [{"category": "linear", "symbol": "BTCUSDT", "orderId": "x"}]}, 110001),
        ("order.create-batch", {"args": [{"category": "linear", "request": []}]}, 10001),
    ],
)
def test_wrong_requests_are_named(hand: Any, line: Any, operation: str, change: dict[str, Any], code: int) -> None:
    answer = ask(line, operation, BUY, **change)
    assert (answer["retCode"], answer["op"]) == (code, operation)
    assert hand.exchange.open_orders() == []


def test_what_is_no_json_is_answered(hand: Any, line: Any) -> None:
    line.frames.clear()
    line.session.on_text("{not json", hand.now)
    hand.wait(10)
    assert line.frames[0]["retCode"] == 10001


def test_a_request_id_is_used_once(line: Any) -> None:
    assert ask(line, "order.create", BUY, reqId="r")["retCode"] == 0
    assert ask(line, "order.create", BUY, reqId="r")["retCode"] == 20006


def test_rest_and_socket_share_their_limits(hand: Any, line: Any) -> None:
    for _ in range(6):
        hand.post("/v5/order/create", **(BUY | {"qty": "0.001"}))
    codes = [ask(line, "order.create", BUY | {"qty": "0.001"})["retCode"] for _ in range(5)]
    assert codes == [0, 0, 0, 0, 10006]


def test_a_session_that_asks_too_often_is_told_so(line: Any) -> None:
    line.hand.wait(1000 - line.hand.now % 1000)
    cancel = {"op": "order.cancel", "header": {"X-BAPI-TIMESTAMP": line.hand.now}, "args": [BUY | {"orderId": "x"}]}
    for _ in range(100):
        line.ask(wait_ms=0, **cancel)
    last = line.ask(wait_ms=6, **cancel)[-1]
    assert last["retCode"] == 20003


def test_a_batch_tells_each_item_its_own_code(hand: Any, line: Any) -> None:
    items = [{**BUY, "orderLinkId": f"b-{n}", "qty": "0.001"} for n in range(11)]
    items[3]["price"] = "59000.05"
    answer = ask(line, "order.create-batch", {"category": "linear", "request": items})
    codes = [item["code"] for item in answer["retExtInfo"]["list"]]
    assert (answer["retCode"], codes) == (0, [0, 0, 0, 10001, 0, 0, 0, 0, 0, 0, 10006])
    rows = answer["data"]["list"]
    assert [bool(row["orderId"]) for row in rows] == [code == 0 for code in codes]
    assert [row["orderLinkId"] for row in rows] == [item["orderLinkId"] for item in items]
    assert len(hand.exchange.open_orders()) == 9


def test_the_socket_is_cut_when_nothing_goes_over_it(hand: Any, client: Any) -> None:
    silent, talking = client("trade", idle_ms=45_000), client("trade", idle_ms=45_000)
    for _ in range(4):
        hand.wait(20_000)
        talking.ask(op="ping")
    assert (silent.cut, talking.cut) == (True, False)
