"""Sockets of the simulation: two pipes in which nothing overtakes, and the exchange's session at the far end."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct, field

from breakwall.model.events import Link
from breakwall.ports import HttpRequest, TransportError
from breakwall.sim.network import Network
from breakwall.venues.exchange.faults import Fault, FaultKind
from breakwall.venues.exchange.routes import OPERATIONS

_HEAD = 120
_FIRST_RET_CODE = 1000
_CODES = {403: 10403, 429: 10429}
_SERVER_ERROR = 10016


class LoopSocket:
    """One socket. Silent: nothing passes any more; deaf: the exchange does not hear us."""

    def __init__(self, network: Network, link: Link) -> None:
        self._network = network
        self._link = link
        self._up = Pipe(network)
        self._down = Pipe(network)
        self._frames: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._silent = self._deaf = False
        self._reason = ""
        self.closed = False
        self._session = network.open(link.value, self._pushed)

    async def send(self, text: str) -> None:
        if self.closed:
            raise TransportError(f"{self._link.value} socket: {self._reason}", sent=False)
        self._deaf = self._deaf or self._network.strikes(FaultKind.SOCKET_HALF_OPEN, self._link)
        if not self._silent and not self._deaf:
            self._carry(text)

    def _carry(self, text: str) -> None:
        """Up to the exchange."""
        self._up.put(lambda: self._session.on_text(text, self._network.now_ms()), self._network.clogged_s(self._link))

    async def receive(self) -> bytes:
        frame = await self._frames.get()
        if frame is None:
            self._frames.put_nowait(None)  # whoever asks again is told again
            raise TransportError(f"{self._link.value} socket: {self._reason}")
        return frame

    async def close(self) -> None:
        self.hang_up("closed by us")

    def hang_up(self, reason: str) -> None:
        """End our side now; the exchange hears of it one latency later."""
        if not self.closed:
            self._end(reason)
            self._up.put(self._session.close)

    def _pushed(self, text: str, late_s: float = 0.0) -> None:
        """The exchange pushes a frame."""
        if self.closed or self._silent:
            return
        strikes, link, head = self._network.strikes, self._link, text[:_HEAD]
        if strikes(FaultKind.SOCKET_SILENT, link, head):
            self._silent = True
        elif strikes(FaultKind.SOCKET_CLOSED, link, head):
            self._cut("closed by the exchange")
        elif not strikes(FaultKind.FRAME_DROPPED, link, head):
            if strikes(FaultKind.FRAME_GARBLED, link, head):
                text = text[: len(text) // 2]
            late_s = max(late_s, self._network.delay(FaultKind.FRAME_LATE, link, head))
            for _ in range(2 if strikes(FaultKind.FRAME_TWICE, link, head) else 1):
                self._down.put(lambda: self._receive(text), late_s)

    def _cut(self, reason: str, late_s: float = 0.0) -> None:
        """The exchange, or something between us, ends the connection."""
        self._session.close()
        self._down.put(lambda: self._end(reason), late_s)

    def _receive(self, text: str) -> None:
        if not self.closed and not self._silent:
            self._frames.put_nowait(text.encode())

    def _end(self, reason: str) -> None:
        if not self.closed:
            self.closed = True
            self._reason = reason
            self._frames.put_nowait(None)


class OrderSocket(LoopSocket):
    """The trade socket: an order or a cancel on it meets the faults that it would meet over REST."""

    def _carry(self, text: str) -> None:
        message = msgspec.json.decode(text, type=_Message)
        path = OPERATIONS.get(message.op)
        if path is None:
            super()._carry(text)
            return
        request = HttpRequest("POST", "", path, body=msgspec.json.encode(message.args[0]))
        if not self._network.let_go(request) or self._strikes(FaultKind.REQUEST_LOST, path):
            return
        late_s = max(self._delay(FaultKind.REQUEST_LATE, path), self._network.clogged_s(self._link))
        for _ in range(2 if self._strikes(FaultKind.REQUEST_TWICE, path) else 1):
            self._up.put(lambda: self._arrive(request, text, message), late_s)

    def _arrive(self, request: HttpRequest, text: str, message: "_Message") -> None:
        refused = self._strike(FaultKind.REFUSED, request.path)
        if refused is not None:
            super()._pushed(_refusal(message, refused.code))
            return
        now_ms = self._network.now_ms()
        self._network.seen(request, lambda: self._session.on_text(text, now_ms))

    def _pushed(self, text: str, late_s: float = 0.0) -> None:
        message = msgspec.json.decode(text, type=_Message)
        path = OPERATIONS.get(message.op)
        if path is None:
            super()._pushed(text)
            return
        if self._strikes(FaultKind.ANSWER_LOST, path):
            return
        late_s = self._delay(FaultKind.ANSWER_LATE, path)
        if self._strikes(FaultKind.ANSWER_RESET, path):
            self._cut("connection reset by peer", late_s)
            return
        unclear = self._strike(FaultKind.ANSWER_UNCLEAR, path)
        if unclear is not None:
            text = _refusal(message, unclear.code)
        elif self._strikes(FaultKind.ANSWER_BAD, path):
            text = _refusal(message, _SERVER_ERROR)
        elif self._strikes(FaultKind.ANSWER_GARBLED, path):
            text = text[: len(text) // 2]
        super()._pushed(text, late_s)

    def _strike(self, kind: FaultKind, path: str) -> Fault | None:
        return self._network.strike(kind, Link.REST, f"{self._link.value} {path}")

    def _strikes(self, kind: FaultKind, path: str) -> bool:
        return self._strike(kind, path) is not None

    def _delay(self, kind: FaultKind, path: str) -> float:
        late = self._strike(kind, path)
        return 0.0 if late is None else late.delay_s


class _Message(Struct):
    """What is read of a frame of the trade socket, either way."""

    op: str = ""
    request_id: str = field(name="reqId", default="")
    args: list[Any] = []


def _refusal(message: _Message, code: int) -> str:
    """An error as the trade socket tells it, which knows no HTTP status."""
    told = code if code >= _FIRST_RET_CODE else _CODES.get(code, _SERVER_ERROR)
    answer = {"reqId": message.request_id, "retCode": told, "retMsg": f"error {told}", "op": message.op, "data": {}}
    return msgspec.json.encode(answer).decode()


class Pipe:
    """First in, first out, each after its latency; what comes at the same instant keeps its order too."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._waiting: deque[Callable[[], object]] = deque()
        self._last = 0.0

    def put(self, arrive: Callable[[], object], extra_s: float = 0.0) -> None:
        now = asyncio.get_running_loop().time()
        self._last = max(self._last, now + self._network.latency() + extra_s)
        self._waiting.append(arrive)
        self._network.later(self._last - now, self._arrive)

    def _arrive(self) -> None:
        self._waiting.popleft()()
