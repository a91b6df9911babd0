"""The two sockets without sockets: pings, auth, subscriptions and the shape of private messages."""

from typing import Any

import pytest

from breakwall.model.units import Side
from breakwall.venues.exchange.bulletin import Notice


@pytest.fixture
def public(client: Any) -> Any:
    return client("public")


@pytest.fixture
def private(client: Any) -> Any:
    return client("private")


def without_conn(frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in frame.items() if key != "conn_id"} for frame in frames]


def test_the_pongs_of_the_two_sockets_differ(hand: Any, public: Any, private: Any) -> None:
    asked = str(hand.now)
    assert without_conn(private.ask(op="ping", req_id="x")) == [{"req_id": "x", "op": "pong", "args": [asked]}]
    assert without_conn(public.ask(op="ping")) == [{"success": True, "ret_msg": "pong", "req_id": "", "op": "ping"}]


def test_answers_come_at_least_five_ms_later(public: Any) -> None:
    assert public.ask(wait_ms=5, op="subscribe", req_id=7, args=["tickers.BTCUSDT"]) == []
    public.hand.wait(1)
    assert without_conn(public.frames) == [{"success": True, "ret_msg": "", "op": "subscribe", "req_id": 7}]


def test_a_book_comes_after_its_ack_and_stops_on_unsubscribe(hand: Any, public: Any) -> None:
    frames = public.ask(wait_ms=250, op="subscribe", args=["orderbook.50.BTCUSDT"])
    assert frames[0]["op"] == "subscribe"
    assert (frames[1]["type"], frames[1]["data"]["b"]) == ("snapshot", [["59990.00", "10.000"]])
    hand.lay(Side.BUY, "59980", "1")
    hand.wait(250)
    assert public.frames[-1]["data"]["b"] == [["59980.00", "1.000"]]
    public.ask(op="unsubscribe", args=["orderbook.50.BTCUSDT"])
    hand.lay(Side.BUY, "59970", "1")
    public.frames.clear()
    hand.wait(500)
    assert public.frames == []


@pytest.mark.parametrize(
    "args", [[], ["orderbook.500.BTCUSDT"], ["tickers.BTCUSDT", "tickers.NONE"], ["order"], "tickers.BTCUSDT"]
)
def test_one_bad_topic_fails_the_whole_request(hand: Any, public: Any, args: object) -> None:
    frames = public.ask(wait_ms=500, op="subscribe", args=args)
    assert [frame["success"] for frame in frames] == [False]


@pytest.mark.parametrize("text", ["{", "[]", '"ping"', '{"op":"dance"}', "{}"])
def test_nonsense_is_answered_not_fatal(hand: Any, public: Any, text: str) -> None:
    public.session.on_text(text, hand.now)
    hand.wait(10)
    assert [frame["success"] for frame in public.frames] == [False]


def test_private_topics_need_auth(private: Any) -> None:
    assert private.ask(op="subscribe", args=["order"])[0]["success"] is False
    assert private.auth(tampering="x")["success"] is False
    assert private.ask(op="subscribe", args=["order"])[0]["success"] is False
    answer = private.auth()
    assert (answer["success"], answer["op"], answer["ret_msg"]) == (True, "auth", "")
    assert private.ask(op="subscribe", args=["order"])[0]["success"] is True


@pytest.mark.parametrize("args", [["order", "order.linear"], ["wallet.linear"], ["greeks"], ["order.spot"]])
def test_private_topics_that_fail(private: Any, args: list[str]) -> None:
    private.auth()
    assert private.ask(op="subscribe", args=args)[0]["success"] is False


def test_an_absurd_expiry_is_refused(hand: Any, private: Any) -> None:
    expires = "9" * 5000
    answer = private.ask(op="auth", args=["KEY", expires, hand.exchange.keys.sign(f"GET/realtime{expires}")])[0]
    assert (answer["success"], answer["ret_msg"]) == (False, "Params Error")


def test_a_fill_is_told_on_all_four_topics(hand: Any, private: Any) -> None:
    private.auth()
    private.ask(op="subscribe", args=["order.linear", "execution.linear", "position.linear", "wallet"])
    private.frames.clear()
    hand.order("Buy", "0.1", stopLoss="59000", slTriggerBy="MarkPrice", tpslMode="Full", orderLinkId="e")
    assert [frame["topic"] for frame in private.frames] == [
        "execution.linear",
        "order.linear",
        "position.linear",
        "wallet",
    ]
    execution, orders, position, wallet = (frame["data"] for frame in private.frames)
    assert (execution[0]["orderLinkId"], execution[0]["execPrice"], execution[0]["category"]) == (
        "e",
        "60010",
        "linear",
    )
    assert [(row["orderStatus"], row["stopOrderType"]) for row in orders] == [
        ("Filled", ""),
        ("Untriggered", "StopLoss"),
    ]
    assert (position[0]["entryPrice"], position[0]["stopLoss"], position[0]["size"]) == ("60010", "59000.00", "0.100")
    assert "avgPrice" not in position[0]
    assert wallet[0]["coin"][0]["walletBalance"] == "9996.69945"
    assert all(frame["creationTime"] <= hand.now and frame["id"] for frame in private.frames)


def test_the_fast_topic_tells_trades_in_few_words(hand: Any, private: Any) -> None:
    private.auth()
    private.ask(op="subscribe", args=["execution.fast"])
    private.frames.clear()
    hand.order("Buy", "0.1", orderLinkId="e")
    (frame,) = private.frames
    (row,) = frame["data"]
    assert (frame["topic"], row["orderLinkId"], row["execPrice"], "execFee" in row) == (
        *("execution.fast", "e"),
        *("60010", False),
    )


def test_a_closed_session_hears_nothing(hand: Any, private: Any, public: Any) -> None:
    private.auth()
    private.ask(op="subscribe", args=["order"])
    public.ask(wait_ms=200, op="subscribe", args=["publicTrade.BTCUSDT"])
    private.session.close()
    private.session.close()
    public.session.close()
    private.frames.clear()
    public.frames.clear()
    hand.order("Buy", "0.1")
    hand.wait(100)
    assert (private.frames, public.frames) == ([], [])


def heard(hand: Any, client: Any, topic: str, act: Any = None, ms: int = 1500) -> list[Any]:
    """What a topic tells after something has happened."""
    reader = client("public")
    assert reader.ask(wait_ms=ms, op="subscribe", args=[topic])[0]["success"]
    if act is not None:
        reader.frames.clear()
        act()
        hand.wait(ms)
    return reader.data(topic)


def test_a_liquidated_long_is_told_as_buy_at_its_bankruptcy_price(hand: Any, client: Any) -> None:
    hand.lay(Side.SELL, "60000", "0.1")
    hand.order("Buy", "0.1", "60000")
    (rows,) = heard(hand, client, "allLiquidation.BTCUSDT", lambda: hand.mark("54000"))
    (row,) = rows
    assert (row["s"], row["S"], row["v"], row["p"]) == ("BTCUSDT", "Buy", "0.100", "54000.00")
    assert row["T"] <= hand.now


def test_price_limits_are_told_when_they_change(hand: Any, client: Any) -> None:
    assert heard(hand, client, "priceLimit.BTCUSDT")[-1] == {
        "symbol": "BTCUSDT",
        "buyLmt": "60600.00",
        "sellLmt": "59400.00",
    }
    moved = heard(hand, client, "priceLimit.BTCUSDT", lambda: hand.mark("61000"))
    assert [limit["buyLmt"] for limit in moved] == ["61610.00"]


def test_the_adl_alert_has_a_row_for_each_contract(hand: Any, client: Any) -> None:
    told = heard(hand, client, "adlAlert.USDT")[-1]
    assert [row["s"] for row in told] == ["BTCUSDT", "ETHUSDT", "SOLUSDT", "DOGEUSDT"]


def test_the_rpi_book_has_triples(hand: Any, client: Any) -> None:
    (book,) = heard(hand, client, "orderbook.rpi.BTCUSDT")
    assert book["b"] == [["59990.00", "10.000", "0"]]


@pytest.mark.parametrize(("block", "flags"), [(True, (True, False)), (False, (False, True))])
def test_trades_beside_the_book_are_marked(hand: Any, client: Any, block: bool, flags: tuple[bool, bool]) -> None:
    before = hand.listing.book.depth(Side.SELL, 5)
    rows = heard(
        hand,
        client,
        "publicTrade.BTCUSDT",
        lambda: hand.listing.book.report(Side.BUY, 600_100, 500, hand.now, block=block),
    )[0]
    assert (rows[0]["BT"], rows[0]["RPI"], rows[0]["v"]) == (*flags, "0.500")
    assert hand.listing.book.depth(Side.SELL, 5) == before
    trade = hand.get("/v5/market/recent-trade", category="linear", symbol="BTCUSDT")["result"]["list"][0]
    assert (trade["isBlockTrade"], trade["isRPITrade"]) == flags


def test_maintenance_is_announced_on_its_own_socket(hand: Any, client: Any) -> None:
    status = client("status")
    assert status.ask(op="subscribe", args=["tickers.BTCUSDT"])[0]["success"] is False
    assert status.ask(op="subscribe", args=["system.status"])[0]["success"]
    notice = Notice("m-1", "Futures maintenance", "scheduled", hand.now + 60_000, hand.now + 120_000)
    hand.exchange.announce(notice)
    ((row,),) = status.data("system.status")
    assert (row["state"], row["product"], row["serviceTypes"]) == ("scheduled", [1], [1, 2, 3, 4, 5])
    assert hand.get("/v5/system/status", state="scheduled")["result"]["list"] == [row]
    assert hand.get("/v5/system/status", state="completed")["result"]["list"] == []


def test_the_topics_of_a_connection_have_a_length(public: Any) -> None:
    topics = [f"kline.{interval}.{symbol}" for symbol in ("BTCUSDT", "ETHUSDT") for interval in ("1", "3", "5")]
    assert public.ask(op="subscribe", args=topics)[0]["success"]
    assert public.ask(op="subscribe", args=["x" * 21_000])[0]["success"] is False


def test_a_private_socket_without_any_traffic_is_cut(hand: Any, client: Any) -> None:
    silent, listening = client("private"), client("public")
    listening.ask(op="subscribe", args=["tickers.BTCUSDT"])
    hand.wait(640_000)
    assert (silent.cut, listening.cut) == (True, False)
