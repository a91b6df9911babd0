"""A scripted venue below the adapters: what was asked is recorded, answers are set by the test."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import parse_qsl

import pytest

from breakwall.model.events import Event
from breakwall.ports import Frame, HttpAnswer, HttpRequest, TransportError
from breakwall.sim.loop import run as run_virtual

EPOCH_MS = 1_700_000_000_000


class LoopClock:
    """The running event loop's own time, counted from `epoch_ms`: virtual under a virtual-time loop."""

    def __init__(self, epoch_ms: int) -> None:
        self._epoch_ns = epoch_ms * 1_000_000

    def now_ms(self) -> int:
        return self.now_ns() // 1_000_000

    def now_ns(self) -> int:
        return self._epoch_ns + int(asyncio.get_running_loop().time() * 1e9)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class ScriptedSocket:
    """Answers logins, subscriptions and pings by itself unless told to keep quiet."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.sent: list[dict[str, Any]] = []
        self.quiet = False
        self.login_ok = True
        self.refused: set[str] = set()
        self.closed = False
        self._frames: asyncio.Queue[bytes | TransportError] = asyncio.Queue()

    async def send(self, text: str) -> None:
        request = json.loads(text)
        self.sent.append(request)
        if self.quiet:
            return
        operation, bad = request["op"], self.refused & set(map(str, request.get("args", ())))
        if operation == "auth":
            self.say({"op": "auth", "success": self.login_ok, "ret_msg": "" if self.login_ok else "bad key"})
        elif operation == "ping":
            self.say({"op": "pong", "success": True})
        else:
            text = f"handler not found:{min(bad)}" if bad else ""
            self.say({"op": operation, "success": not bad, "ret_msg": text, "req_id": request["req_id"]})

    async def receive(self) -> bytes:
        frame = await self._frames.get()
        if isinstance(frame, TransportError):
            raise frame
        return frame

    async def close(self) -> None:
        self.closed = True

    def say(self, frame: object) -> None:
        self._frames.put_nowait(
            frame if isinstance(frame, bytes) else json.dumps(frame, separators=(",", ":")).encode()
        )

    def drop(self, reason: str = "socket closed by the other side (code 1006)") -> None:
        self._frames.put_nowait(TransportError(reason))

    def args(self, operation: str) -> list[list[str]]:
        return [request["args"] for request in self.sent if request["op"] == operation]


class ScriptedVenue:
    """The transport: `answers[path]` in order, the last one for ever; `sockets` as they were opened."""

    def __init__(self) -> None:
        self.requests: list[HttpRequest] = []
        self.answers: defaultdict[str, list[Any]] = defaultdict(list)
        self.sockets: list[ScriptedSocket] = []
        self.connected_at: list[float] = []
        self.before_connect: Callable[[ScriptedSocket], None] = lambda socket: None

    def say(self, path: str, *results: object) -> None:
        """Set the answers of a path: results (success), (code, text) pairs, HttpAnswers, TransportErrors, or what
        makes one of these from the request.
        """
        self.answers[path] = list(results)

    def asked(self, path: str) -> list[dict[str, Any]]:
        """Bodies or queries of the requests to a path."""
        return [
            json.loads(request.body) if request.body else dict(parse_qsl(request.query))
            for request in self.requests
            if request.path == path
        ]

    async def request(self, request: HttpRequest) -> HttpAnswer:
        self.requests.append(request)
        await asyncio.sleep(0.01)
        script = self.answers[request.path]
        answer = script.pop(0) if len(script) > 1 else script[0] if script else {"list": []}
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, TransportError):
            raise answer
        if isinstance(answer, HttpAnswer):
            return answer
        code, message, result = (*answer, {}) if isinstance(answer, tuple) else (0, "OK", answer)
        now = EPOCH_MS + int(asyncio.get_running_loop().time() * 1000)
        body = {"retCode": code, "retMsg": message, "result": result, "time": now}
        return HttpAnswer(200, json.dumps(body).encode())

    async def connect(self, url: str) -> ScriptedSocket:
        self.connected_at.append(asyncio.get_running_loop().time())
        socket = ScriptedSocket(url)
        self.before_connect(socket)
        self.sockets.append(socket)
        return socket

    async def close(self) -> None:
        pass


class Notebook:
    """A sink that keeps everything."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.frames: list[Frame] = []

    def put(self, event: Event, frame: Frame | None = None) -> None:
        self.events.append(event)
        if frame is not None:
            self.frames.append(frame)

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture
def venue() -> ScriptedVenue:
    return ScriptedVenue()


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()


@pytest.fixture
def clock() -> LoopClock:
    return LoopClock(EPOCH_MS)


@pytest.fixture
def virtual() -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Run a coroutine in virtual time: an hour of silence takes milliseconds."""
    return lambda main: run_virtual(main, seed=7, until_s=3600)
