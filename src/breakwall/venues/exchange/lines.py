"""One client's socket as the weather treats it: frames on their way out, orders on their way in.

Frames never overtake each other, but where a fault swaps two of them.
"""

import asyncio
from collections.abc import Callable, Mapping

import msgspec
from msgspec import Struct

from breakwall.model.crisis import Deed
from breakwall.model.events import Link
from breakwall.ports import Clock
from breakwall.venues.exchange.book_faults import BookFaults
from breakwall.venues.exchange.faults import FaultKind
from breakwall.venues.exchange.routes import OPERATIONS
from breakwall.venues.exchange.scene import asked
from breakwall.venues.exchange.streams import REPLY_DELAY_MS, Session, frame
from breakwall.venues.exchange.weather import Weather, emptied
from breakwall.venues.exchange.wrong_clock import moved, order_header, socket_login

LINKS = {"public": Link.PUBLIC, "status": Link.PUBLIC, "private": Link.PRIVATE, "trade": Link.TRADE}
_HEAD = 120
_CODES = {403: 10403, 429: 10429}
_SERVER_ERROR = 10016
_FIRST_RET_CODE = 1000
_BREAKS = (FaultKind.SOCKET_SILENT, FaultKind.SOCKET_RESET, FaultKind.SOCKET_CLOSED)
_decoder = msgspec.json.Decoder(dict[str, object])


class Departure(Struct, frozen=True):
    """A frame that may leave at `due_s` (0: at once); None ends the connection in order."""

    due_s: float
    text: str | None


class Line:
    """Between one session and its client. `put` takes what may leave, `cut` ends the connection without a word.

    `silent`: nothing passes any more, in either direction, and nothing closes.
    """

    def __init__(
        self, kind: str, weather: Weather, clock: Clock, put: Callable[[Departure], None], cut: Callable[[], None]
    ) -> None:
        self.silent = False
        self.session: Session | None = None
        self.cut = cut
        self.link = LINKS[kind]
        self._weather = weather
        self._clock = clock
        self._put = put
        self._deaf = False
        self._last_s = 0.0
        self._swapped: dict[str, str] = {}
        self._books = BookFaults(weather.exchange, weather.strike)
        self._asked: dict[str, tuple[str, Deed | None]] = {}

    def push(self, text: str) -> None:
        """The exchange sends a frame."""
        if self.silent:
            return
        if self._weather.clear_sky and not self._swapped:
            self._put(Departure(0.0, text))
        else:
            self._push(text)

    def hear(self, text: str) -> None:
        """The client has sent a frame."""
        if self._weather.clear_sky:
            if not (self._deaf or self.silent):
                self._say(text)
            return
        self._deaf = self._deaf or self._strikes(FaultKind.SOCKET_HALF_OPEN, text)
        if self._deaf or self.silent:
            return
        message = _message(text)
        path = OPERATIONS.get(str(message.get("op"))) if self.link is Link.TRADE else None
        if path is not None:
            self._order(path, text, message)
        else:
            self._say(self._true(text, message))

    def suffer(self, kind: FaultKind) -> None:
        """The socket falls silent, is cut or closed."""
        if kind is FaultKind.SOCKET_SILENT:
            self.silent = True
        elif kind is FaultKind.SOCKET_RESET:
            self.cut()
        else:
            self._leave(None, 0.0)

    # Out

    def _push(self, text: str) -> None:
        head = text[:_HEAD]
        if self.link is Link.TRADE:
            answer = self._answered(text)
            if answer is None:
                return
            text = answer
        broken = next((kind for kind in _BREAKS if self._strikes(kind, head, text)), None)
        if broken is not None:
            self.suffer(broken)
        elif not self._strikes(FaultKind.FRAME_DROPPED, head, text):
            for each in self._books.frames(text) if self.link is Link.PUBLIC else (text,):
                self._send(head, each)

    def _send(self, head: str, text: str) -> None:
        if self._strikes(FaultKind.FRAME_GARBLED, head, text):
            text = text[: len(text) // 2]
        late_s = self._weather.delay(FaultKind.FRAME_LATE, self.link, head, text)
        times = 2 if self._strikes(FaultKind.FRAME_TWICE, head, text) else 1
        topic = _topic(head)
        before = self._swapped.pop(topic, None)
        if before is None and self._strikes(FaultKind.FRAME_SWAPPED, head, text):
            self._swapped[topic] = text
            return
        for each in [*[text] * times, *([] if before is None else [before])]:
            self._leave(moved(each, self._weather.ahead_ms), late_s)

    def _leave(self, text: str | None, late_s: float) -> None:
        self._last_s = max(self._last_s, self._weather.now_s + late_s)
        self._put(Departure(self._last_s, text))

    def _strikes(self, kind: FaultKind, head: str, whole: str = "") -> bool:
        return self._weather.strike(kind, self.link, head, whole) is not None

    # In

    def _say(self, text: str) -> None:
        if self.session is not None:
            self.session.on_text(text, self._clock.now_ms())

    def _true(self, text: str, message: Mapping[str, object]) -> str:
        """What the client says to a wrong clock, in true time."""
        ahead_ms, args = self._weather.ahead_ms, message.get("args")
        if not ahead_ms or message.get("op") != "auth" or not isinstance(args, list):
            return text
        return frame({**message, "args": socket_login(args, self._weather.exchange.keys, ahead_ms)})

    def _order(self, path: str, text: str, message: Mapping[str, object]) -> None:
        """An order request over the trade socket, with the fate that one over REST would have."""
        weather, subject = self._weather, f"trade {path}"

        def hits(kind: FaultKind) -> bool:
            return weather.strike(kind, Link.REST, subject, text) is not None

        deed = weather.deed(asked(path, "trade", _first(message)))
        self._asked[str(message.get("reqId", ""))] = text, deed
        if hits(FaultKind.REQUEST_LOST):
            return
        if hits(FaultKind.REQUEST_RESET):
            self.cut()
            return
        late_s = weather.delay(FaultKind.REQUEST_LATE, Link.REST, subject, text)
        refused = weather.refusal(subject, text, writes=True)
        if refused is not None:
            answer = _refused(message, _code(refused.code), self._clock.now_ms())
            _note(deed, answer)
            self._after(REPLY_DELAY_MS / 1000, lambda: self._leave(answer, 0.0))
            return
        header = message.get("header")
        if weather.ahead_ms and isinstance(header, dict):
            text = frame({**message, "header": order_header(header, weather.ahead_ms)})
        for _ in range(2 if hits(FaultKind.REQUEST_TWICE) else 1):
            self._after(late_s, lambda: self._arrive(path, text, message))

    def _arrive(self, path: str, text: str, message: Mapping[str, object]) -> None:
        self._say(text)
        if path.startswith("/v5/order/create"):
            self._weather.accepted(_first(message))

    def _after(self, delay_s: float, act: Callable[[], None]) -> None:
        if delay_s <= 0:
            act()
        else:
            asyncio.get_running_loop().call_later(delay_s, act)

    def _answered(self, text: str) -> str | None:
        """What becomes of the answer to an order; None: it does not leave, or later."""
        message = _message(text)
        path = OPERATIONS.get(str(message.get("op")))
        if path is None:
            return text
        subject = f"trade {path}"
        whole, deed = self._asked.pop(str(message.get("reqId", "")), ("", None))

        def hits(kind: FaultKind) -> bool:
            return self._weather.strike(kind, Link.REST, subject, whole) is not None

        if hits(FaultKind.ANSWER_LOST):
            return None
        if hits(FaultKind.ANSWER_RESET):
            self.cut()
            return None
        unclear = self._weather.strike(FaultKind.ANSWER_UNCLEAR, Link.REST, subject, whole)
        if unclear is not None:
            text = _refused(message, _code(unclear.code), self._clock.now_ms())
        elif hits(FaultKind.ANSWER_BAD):
            text = _refused(message, _SERVER_ERROR, self._clock.now_ms())
        elif hits(FaultKind.ANSWER_GARBLED):
            text = text[: len(text) // 2]
        elif hits(FaultKind.ANSWER_EMPTY):
            text = emptied(text.encode()).decode()
        _note(deed, text)
        late_s = self._weather.delay(FaultKind.ANSWER_LATE, Link.REST, subject, whole) + self._weather.slow_s
        if late_s <= 0:
            return text
        self._after(late_s, lambda: self._leave(text, 0.0))
        return None


def _refused(message: Mapping[str, object], code: int, now_ms: int) -> str:
    """An error in the trade socket's envelope."""
    known = {name: message[name] for name in ("reqId", "op") if message.get(name) is not None}
    body = {
        "retCode": code,
        "retMsg": f"error {code}",
        "data": {},
        "retExtInfo": {},
        "header": {"Timenow": str(now_ms)},
    }
    return frame({**known, **body})


def _code(code: int) -> int:
    """There are no HTTP statuses on a socket."""
    return code if code >= _FIRST_RET_CODE else _CODES.get(code, _SERVER_ERROR)


def _topic(head: str) -> str:
    """What a frame is about, so that two of the same can change places."""
    return head.partition('"topic":"')[2].partition('"')[0]


def _first(message: Mapping[str, object]) -> dict[str, object]:
    """The order that a request on the trade socket is about."""
    args = message.get("args")
    return args[0] if isinstance(args, list) and args and isinstance(args[0], dict) else {}


def _note(deed: Deed | None, answer: str) -> None:
    if deed is not None:
        told = _message(answer)
        deed.answer = f"{told.get('retCode')} {told.get('retMsg', '')}" if told else "half a frame"


def _message(text: str) -> dict[str, object]:
    try:
        return _decoder.decode(text)
    except msgspec.DecodeError:
        return {}
