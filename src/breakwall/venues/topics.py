"""Subscriptions of a stream socket and the frames that answer them, in the conventions of Bybit v5."""

import msgspec
from msgspec import Struct, field

from breakwall.model.text import sanitise

ARGS_PER_REQUEST = 10
CHARS_PER_REQUEST = 21_000


class Topic(Struct, frozen=True):
    """One subscription. `speaks_first`: data must follow the subscription within the silence limit.

    `silence_s` is how long it may say nothing afterwards; 0: as long as it likes.
    """

    name: str
    speaks_first: bool = False
    silence_s: float = 0.0


class ControlFrame(Struct):
    """What is read of a frame that is not data; every field may be missing."""

    op: str = ""
    topic: str = ""
    req_id: str | int = ""
    success: bool = True
    ret_msg: str = ""
    trade_code: int = field(name="retCode", default=0)  # the trade socket's spelling of both
    trade_msg: str = field(name="retMsg", default="")

    @property
    def ok(self) -> bool:
        return self.success and not self.trade_code

    @property
    def text(self) -> str:
        return sanitise(self.ret_msg or self.trade_msg)


class Watched:
    """One topic on the open socket: when it last spoke, and whether it was already asked again."""

    __slots__ = ("asked_again", "heard_ns", "spoke", "topic")

    def __init__(self, topic: Topic, at_ns: int) -> None:
        self.topic = topic
        self.heard_ns = at_ns
        self.spoke = False
        self.asked_again = False


class Request:
    """A subscribe request without its answer yet."""

    __slots__ = ("names", "sent_ns")

    def __init__(self, names: tuple[str, ...], at_ns: int) -> None:
        self.names = names
        self.sent_ns = at_ns


def control_of(data: bytes) -> ControlFrame:
    """The frame's control fields; an unreadable frame has none (its reader will say so)."""
    try:
        return _decode_control(data)
    except (msgspec.MsgspecError, RecursionError):
        return ControlFrame()


_decode_control = msgspec.json.Decoder(ControlFrame).decode


def in_requests(names: list[str]) -> list[tuple[str, ...]]:
    """Requests of at most `ARGS_PER_REQUEST` topics and `CHARS_PER_REQUEST` characters."""
    chunks: list[tuple[str, ...]] = []
    current: list[str] = []
    length = 0
    for name in names:
        if current and (len(current) == ARGS_PER_REQUEST or length + len(name) + 3 > CHARS_PER_REQUEST):
            chunks.append(tuple(current))
            current, length = [], 0
        current.append(name)
        length += len(name) + 3
    return [*chunks, tuple(current)] if current else chunks
