"""The two sockets without sockets: pings, auth, subscriptions and the shape of private messages."""

import json
from typing import Any

import pytest

from breakwall.model.units import Side


class Client:
    def __init__(self, hand: Any, kind: str) -> None:
        self.hand = hand
        self.frames: list[dict[str, Any]] = []
        self.session = hand.exchange.session(kind, lambda text: self.frames.append(json.loads(text)))

    def ask(self, wait_ms: int = 10, **message: object) -> list[dict[str, Any]]:
        """Frames that come within `wait_ms` of a message."""
        self.frames.clear()
        self.session.on_text(json.dumps(message), self.hand.now)
        self.hand.wait(wait_ms)
        return list(self.frames)

    def auth(self, tampering: str = "") -> dict[str, Any]:
        expires = self.hand.now + 1000
        sign = self.hand.exchange.keys.sign(f"GET/realtime{expires}{tampering}")
        return self.ask(op="auth", args=["KEY", expires, sign])[0]


@pytest.fixture
def public(hand: Any) -> Client:
    return Client(hand, "public")


@pytest.fixture
def private(hand: Any) -> Client:
    return Client(hand, "private")


def without_conn(frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in frame.items() if key != "conn_id"} for frame in frames]


def test_the_pongs_of_the_two_sockets_differ(hand: Any, public: Client, private: Client) -> None:
    asked = str(hand.now)
    assert without_conn(private.ask(op="ping", req_id="x")) == [{"req_id": "x", "op": "pong", "args": [asked]}]
    assert without_conn(public.ask(op="ping")) == [{"success": True, "ret_msg": "pong", "req_id": "", "op": "ping"}]


def test_answers_come_at_least_five_ms_later(public: Client) -> None:
    assert public.ask(wait_ms=5, op="subscribe", req_id=7, args=["tickers.BTCUSDT"]) == []
    public.hand.wait(1)
    assert without_conn(public.frames) == [{"success": True, "ret_msg": "", "op": "subscribe", "req_id": 7}]


def test_a_book_comes_after_its_ack_and_stops_on_unsubscribe(hand: Any, public: Client) -> None:
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
def test_one_bad_topic_fails_the_whole_request(hand: Any, public: Client, args: object) -> None:
    frames = public.ask(wait_ms=500, op="subscribe", args=args)
    assert [frame["success"] for frame in frames] == [False]


@pytest.mark.parametrize("text", ["{", "[]", '"ping"', '{"op":"dance"}', "{}"])
def test_nonsense_is_answered_not_fatal(hand: Any, public: Client, text: str) -> None:
    public.session.on_text(text, hand.now)
    hand.wait(10)
    assert [frame["success"] for frame in public.frames] == [False]


def test_private_topics_need_auth(private: Client) -> None:
    assert private.ask(op="subscribe", args=["order"])[0]["success"] is False
    assert private.auth(tampering="x")["success"] is False
    assert private.ask(op="subscribe", args=["order"])[0]["success"] is False
    answer = private.auth()
    assert (answer["success"], answer["op"], answer["ret_msg"]) == (True, "auth", "")
    assert private.ask(op="subscribe", args=["order"])[0]["success"] is True


@pytest.mark.parametrize("args", [["order", "order.linear"], ["wallet.linear"], ["greeks"], ["order.spot"]])
def test_private_topics_that_fail(private: Client, args: list[str]) -> None:
    private.auth()
    assert private.ask(op="subscribe", args=args)[0]["success"] is False


def test_an_absurd_expiry_is_refused(hand: Any, private: Client) -> None:
    expires = "9" * 5000
    answer = private.ask(op="auth", args=["KEY", expires, hand.exchange.keys.sign(f"GET/realtime{expires}")])[0]
    assert (answer["success"], answer["ret_msg"]) == (False, "Params Error")


def test_a_fill_is_told_on_all_four_topics(hand: Any, private: Client) -> None:
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


def test_the_fast_topic_tells_trades_in_few_words(hand: Any, private: Client) -> None:
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


def test_a_closed_session_hears_nothing(hand: Any, private: Client, public: Client) -> None:
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
