"""The two sockets of the exchange as sessions without sockets: public topics and the account's own.

Answers leave `REPLY_DELAY_MS` after the question: clients such as pybit register their handlers
only after they have sent a subscription. Source: Bybit v5 websocket connect page.
"""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from breakwall.venues.exchange.floor import Floor
from breakwall.venues.exchange.records import Record

Send = Callable[[str], None]
REPLY_DELAY_MS = 6
PRIVATE_TOPICS = ("order", "execution", "position", "wallet")
FAST_TOPIC = "execution.fast"
_CATEGORISED = frozenset(PRIVATE_TOPICS[:3])
_PRIVATE_NAMES = frozenset(
    {*PRIVATE_TOPICS, *(f"{name}.linear" for name in _CATEGORISED), FAST_TOPIC, f"{FAST_TOPIC}.linear"}
)

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(dict[str, object])


def frame(message: Record) -> str:
    return _encoder.encode(message).decode()


@dataclass(slots=True, frozen=True)
class Switchboard:
    """What a session needs of its exchange; `later(now_ms, act)` acts after the reply delay."""

    floor: Floor
    later: Callable[[int, Callable[[int], None]], None]
    forget: Callable[["Session"], None]


class Session:
    """One client's socket, seen from the exchange. `send` takes one text frame and must not raise."""

    __slots__ = ("_board", "authenticated", "closed", "conn_id", "kind", "send", "topics")

    def __init__(self, kind: str, send: Send, conn_id: str, board: Switchboard) -> None:
        self.kind = kind
        self.send = send
        self.conn_id = conn_id
        self.topics: set[str] = set()
        self.authenticated = False
        self.closed = False
        self._board = board

    def on_text(self, text: str, now_ms: int) -> None:
        """One text frame from the client."""
        try:
            message = _decoder.decode(text)
        except msgspec.DecodeError:
            self._reply({"success": False, "ret_msg": "Request is not valid JSON", "op": ""}, {}, now_ms)
            return
        operations = {
            "ping": self._ping,
            "auth": self._auth,
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
        }
        act = operations.get(str(message.get("op")))
        if act is None:
            self._refuse(message, f"error:unknown op {message.get('op')!r:.60}", now_ms)
        else:
            act(message, now_ms)

    def push(self, topic: str, message: str) -> None:
        """A private message, for those who asked for it."""
        if topic in self.topics and not self.closed:
            self.send(message)

    def close(self) -> None:
        """The client is gone; nothing is sent any more."""
        if self.closed:
            return
        self.closed = True
        if self.kind == "public":
            self._board.floor.publisher.drop(self.send)
        self._board.forget(self)

    def _ping(self, message: Record, now_ms: int) -> None:
        if self.kind == "public":
            self._reply({"success": True, "ret_msg": "pong", "req_id": "", "op": "ping"}, message, now_ms)
        else:
            self._reply({"req_id": "", "op": "pong", "args": [str(now_ms)]}, message, now_ms)

    def _auth(self, message: Record, now_ms: int) -> None:
        if self.kind == "public":
            self._refuse(message, "auth is for the private socket", now_ms)
            return
        reason = self._board.floor.keys.opens_socket(_args(message), now_ms)
        self.authenticated = not reason
        self._reply({"success": not reason, "ret_msg": reason, "op": "auth"}, message, now_ms)

    def _subscribe(self, message: Record, now_ms: int) -> None:
        topics = [str(topic) for topic in _args(message)]
        reason = self._refusal(topics)
        if reason:
            self._refuse(message, reason, now_ms)
            return
        self._reply({"success": True, "ret_msg": "", "op": "subscribe"}, message, now_ms)
        self._board.later(now_ms, lambda at_ms: self._join(topics, at_ms))

    def _join(self, topics: list[str], now_ms: int) -> None:
        if self.closed:
            return
        for topic in topics:
            if self.kind == "public":
                self._board.floor.publisher.subscribe(self.send, topic, now_ms)
            else:
                self.topics.add(topic)

    def _unsubscribe(self, message: Record, now_ms: int) -> None:
        for topic in map(str, _args(message)):
            if self.kind == "public":
                self._board.floor.publisher.unsubscribe(self.send, topic)
            self.topics.discard(topic)
        self._reply({"success": True, "ret_msg": "", "op": "unsubscribe"}, message, now_ms)

    def _refusal(self, topics: list[str]) -> str:
        """Why a subscription fails as a whole: one bad topic is enough. "" where it is right."""
        if not topics:
            return "error:args is empty"
        if self.kind == "public":
            return next(filter(None, map(self._board.floor.publisher.refusal, topics)), "")
        if not self.authenticated:
            return "Request not authorized"
        for topic in topics:
            if topic not in _PRIVATE_NAMES:
                return f"error:handler not found,topic:{topic[:60]}"
            name = topic.removesuffix(".linear")
            if name != topic and name in topics:
                return f"error:{name} and {topic} cannot be mixed"
        return ""

    def _refuse(self, message: Record, reason: str, now_ms: int) -> None:
        self._reply({"success": False, "ret_msg": reason, "op": str(message.get("op", ""))}, message, now_ms)

    def _reply(self, answer: Record, message: Record, now_ms: int) -> None:
        answer["conn_id"] = self.conn_id
        if message.get("req_id") is not None:
            answer["req_id"] = message["req_id"]
        text = frame(answer)
        self._board.later(now_ms, lambda _at_ms: None if self.closed else self.send(text))


def _args(message: Record) -> list[object]:
    args = message.get("args")
    return args if isinstance(args, list) else []
