"""The stream sockets of the exchange as sessions without sockets: public topics and the account's own.

Answers leave `REPLY_DELAY_MS` after the question: clients such as pybit register their handlers
only after they have sent a subscription. Source: Bybit v5 websocket connect page.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Protocol

import msgspec

from breakwall.venues.exchange.floor import Floor
from breakwall.venues.exchange.records import Record

Send = Callable[[str], None]
Later = Callable[[int, Callable[[int], None]], None]
"""later(now_ms, act): act(at_ms) after the reply delay."""

REPLY_DELAY_MS = 6
PRIVATE_TOPICS = ("order", "execution", "position", "wallet")
FAST_TOPIC = "execution.fast"
DCP_TOPIC = "dcp.future"
MOST_CHARACTERS = 21_000
"""Length of all topics of one public connection together."""

_CATEGORISED = frozenset(PRIVATE_TOPICS[:3])
_PRIVATE_NAMES = frozenset(
    {
        *PRIVATE_TOPICS,
        *(f"{name}.linear" for name in _CATEGORISED),
        FAST_TOPIC,
        f"{FAST_TOPIC}.linear",
        DCP_TOPIC,
    }
)

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(dict[str, object])


def frame(message: Record) -> str:
    return _encoder.encode(message).decode()


class Board(Protocol):
    """Whoever has public topics."""

    def refusal(self, topic: str) -> str:
        """Why this topic cannot be subscribed; "" where it can."""
        ...

    def subscribe(self, send: Send, topic: str, now_ms: int) -> str: ...
    def unsubscribe(self, send: Send, topic: str) -> None: ...
    def drop(self, send: Send) -> None: ...


class Session(ABC):
    """One client's socket, seen from the exchange.

    `send` takes one text frame, `cut` ends the connection; neither may raise. `live_ms` is when something last went
    either way.
    """

    __slots__ = ("_later", "closed", "conn_id", "cut", "floor", "live_ms", "send")

    def __init__(self, conn_id: str, floor: Floor, send: Send, cut: Callable[[], None], later: Later) -> None:
        self.conn_id = conn_id
        self.floor = floor
        self.send = send
        self.cut = cut
        self.live_ms = 0
        self.closed = False
        self._later = later

    def on_text(self, text: str, now_ms: int) -> None:
        """One text frame from the client."""
        self.live_ms = now_ms
        try:
            message = _decoder.decode(text)
        except msgspec.DecodeError:
            self._misread(now_ms)
        else:
            self._act(message, now_ms)

    @abstractmethod
    def _act(self, message: Record, now_ms: int) -> None:
        """Do what a well-formed message asks for."""

    @abstractmethod
    def _misread(self, now_ms: int) -> None:
        """Answer what is no JSON object."""

    @property
    def fed(self) -> bool:
        """Whether data flows to the client all the time."""
        return False

    def close(self) -> None:
        """The client is gone; nothing is sent any more."""
        self.closed = True

    def _say(self, answer: Record, now_ms: int) -> None:
        text = frame(answer)
        self._later(now_ms, lambda _at_ms: None if self.closed else self.send(text))


class _Stream(Session):
    """What public and private sockets have in common: pings, subscriptions and their spelling."""

    __slots__ = ("topics",)

    def __init__(self, conn_id: str, floor: Floor, send: Send, cut: Callable[[], None], later: Later) -> None:
        super().__init__(conn_id, floor, send, cut, later)
        self.topics: set[str] = set()

    def _act(self, message: Record, now_ms: int) -> None:
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

    def _misread(self, now_ms: int) -> None:
        self._refuse({"op": ""}, "Request is not valid JSON", now_ms)

    @abstractmethod
    def _ping(self, message: Record, now_ms: int) -> None: ...

    @abstractmethod
    def _auth(self, message: Record, now_ms: int) -> None: ...

    @abstractmethod
    def _refusal(self, topics: list[str]) -> str:
        """Why a subscription fails as a whole: one bad topic is enough. "" where it is right."""

    @abstractmethod
    def _join(self, topics: list[str], now_ms: int) -> None:
        """The subscription begins."""

    def _leave(self, topic: str) -> None:
        self.topics.discard(topic)

    def _subscribe(self, message: Record, now_ms: int) -> None:
        topics = [str(topic) for topic in args_of(message)]
        reason = self._refusal(topics) if topics else "error:args is empty"
        if reason:
            self._refuse(message, reason, now_ms)
            return
        self._reply({"success": True, "ret_msg": "", "op": "subscribe"}, message, now_ms)
        self._later(now_ms, lambda at_ms: None if self.closed else self._join(topics, at_ms))

    def _unsubscribe(self, message: Record, now_ms: int) -> None:
        for topic in map(str, args_of(message)):
            self._leave(topic)
        self._reply({"success": True, "ret_msg": "", "op": "unsubscribe"}, message, now_ms)

    def _refuse(self, message: Record, reason: str, now_ms: int) -> None:
        self._reply({"success": False, "ret_msg": reason, "op": str(message.get("op", ""))}, message, now_ms)

    def _reply(self, answer: Record, message: Record, now_ms: int) -> None:
        answer["conn_id"] = self.conn_id
        if message.get("req_id") is not None:
            answer["req_id"] = message["req_id"]
        self._say(answer, now_ms)


class PublicSession(_Stream):
    """Topics of one board: the markets, or the venue's announcements."""

    __slots__ = ("_board",)

    def __init__(
        self, conn_id: str, floor: Floor, send: Send, cut: Callable[[], None], later: Later, board: Board
    ) -> None:
        super().__init__(conn_id, floor, send, cut, later)
        self._board = board

    @property
    def fed(self) -> bool:
        return bool(self.topics)

    def close(self) -> None:
        super().close()
        self._board.drop(self.send)

    def _ping(self, message: Record, now_ms: int) -> None:
        self._reply({"success": True, "ret_msg": "pong", "req_id": "", "op": "ping"}, message, now_ms)

    def _auth(self, message: Record, now_ms: int) -> None:
        self._refuse(message, "auth is for the private socket", now_ms)

    def _refusal(self, topics: list[str]) -> str:
        if sum(map(len, self.topics.union(topics))) > MOST_CHARACTERS:
            return f"error:args of this connection are longer than {MOST_CHARACTERS}"
        return next(filter(None, map(self._board.refusal, topics)), "")

    def _join(self, topics: list[str], now_ms: int) -> None:
        for topic in topics:
            self.topics.add(topic)
            self._board.subscribe(self.send, topic, now_ms)

    def _leave(self, topic: str) -> None:
        super()._leave(topic)
        self._board.unsubscribe(self.send, topic)


class PrivateSession(_Stream):
    """The account's own topics, for whoever has its key."""

    __slots__ = ("authenticated",)

    def __init__(self, conn_id: str, floor: Floor, send: Send, cut: Callable[[], None], later: Later) -> None:
        super().__init__(conn_id, floor, send, cut, later)
        self.authenticated = False

    def push(self, topic: str, message: str, now_ms: int) -> None:
        """A message, for those who asked for it."""
        if topic in self.topics and not self.closed:
            self.live_ms = now_ms
            self.send(message)

    def _ping(self, message: Record, now_ms: int) -> None:
        self._reply({"req_id": "", "op": "pong", "args": [str(now_ms)]}, message, now_ms)

    def _auth(self, message: Record, now_ms: int) -> None:
        refusal = self.floor.keys.refuses_socket(args_of(message), now_ms)
        self.authenticated = refusal is None
        reason = "" if refusal is None else refusal.message
        self._reply({"success": self.authenticated, "ret_msg": reason, "op": "auth"}, message, now_ms)

    def _refusal(self, topics: list[str]) -> str:
        if not self.authenticated:
            return "Request not authorized"
        for topic in topics:
            if topic not in _PRIVATE_NAMES:
                return f"error:handler not found,topic:{topic[:60]}"
            name = topic.removesuffix(".linear")
            if name != topic and name in topics:
                return f"error:{name} and {topic} cannot be mixed"
        return ""

    def _join(self, topics: list[str], now_ms: int) -> None:
        self.live_ms = now_ms
        self.topics.update(topics)


def args_of(message: Record) -> list[object]:
    args = message.get("args")
    return args if isinstance(args, list) else []
