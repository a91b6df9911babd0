"""The network inside the loop: straight into an exchange handler, with seeded latency and faults.

What was sent belongs to the world, not to the program: it arrives, and is answered, although the
task that sent it was cancelled or its process was killed. Frames of one socket never overtake each
other; requests may.
"""

import asyncio
import random
from collections.abc import Callable
from contextvars import copy_context
from typing import Protocol, TypeVar

from breakwall import points
from breakwall.model.events import Link
from breakwall.ports import HttpAnswer, HttpRequest, TransportError
from breakwall.sim.loop import current_process
from breakwall.venues.exchange.faults import BAD_GATEWAY, Fault, FaultKind, Faults, error_answer

T = TypeVar("T")


class Session(Protocol):
    """The exchange's end of one socket."""

    def on_text(self, text: str, now_ms: int) -> None: ...
    def close(self) -> None: ...


class Handler(Protocol):
    """An exchange without sockets."""

    def handle(self, request: HttpRequest, now_ms: int) -> HttpAnswer: ...
    def session(self, kind: str, send: Callable[[str], None]) -> Session: ...


class Witness(Protocol):
    """Who watches the wire for the invariants; called in the world, in the order things happen there."""

    def sent(self, request: HttpRequest, now_ms: int) -> None:
        """The program let go of a request."""
        ...

    def arriving(self, request: HttpRequest, now_ms: int) -> None:
        """A request reaches the exchange, which has not acted on it yet."""
        ...

    def acted(self, request: HttpRequest, now_ms: int) -> None:
        """The exchange has acted on a request, whether or not its answer will arrive."""
        ...


class Network:
    """Everything between the programs and one exchange; outlives the programs.

    Latencies are one way, in seconds, drawn anew for each request and frame.
    """

    def __init__(
        self,
        exchange: Handler,
        now_ms: Callable[[], int],
        seed: int,
        *,
        faults: Faults | None = None,
        witness: Witness | None = None,
        latency_s: tuple[float, float] = (0.005, 0.080),
    ) -> None:
        self.faults = faults or Faults((), seed)
        self._exchange = exchange
        self.now_ms = now_ms
        self._random = random.Random(f"network {seed}")
        self._witness = witness
        self._latency_s = latency_s
        self._context = copy_context()

    def later(self, delay_s: float, callback: Callable[[], object]) -> float:
        """Let something happen in the world, whoever lives then; returns the loop time at which it does."""
        return asyncio.get_running_loop().call_later(delay_s, callback, context=self._context).when()

    def latency(self) -> float:
        return self._random.uniform(*self._latency_s)

    def strike(self, kind: FaultKind, link: Link, subject: str = "") -> Fault | None:
        """The fault that strikes now, if any."""
        return self.faults.strike(kind, asyncio.get_running_loop().time(), link, subject)

    def strikes(self, kind: FaultKind, link: Link, subject: str = "") -> bool:
        return self.strike(kind, link, subject) is not None

    def delay(self, kind: FaultKind, link: Link, subject: str = "") -> float:
        """By how much this kind, or a clogged link, holds something up now; 0 where neither does."""
        late = self.strike(kind, link, subject)
        return max(self.clogged_s(link), 0.0 if late is None else late.delay_s)

    def clogged_s(self, link: Link) -> float:
        clog = self.strike(FaultKind.LINK_CLOGGED, link)
        return 0.0 if clog is None else clog.until_s - asyncio.get_running_loop().time()

    def launch(self, request: HttpRequest) -> "asyncio.Future[HttpAnswer]":
        """Send a request on its way; the future stays open where no answer will ever come."""
        answer: asyncio.Future[HttpAnswer] = asyncio.get_running_loop().create_future()
        if self.let_go(request):
            self._send(request, answer)
            if request.sent is not None:
                points.reach(request.sent)
        return answer

    def let_go(self, request: HttpRequest) -> bool:
        """The program sends this, unless it is dead."""
        process = current_process()
        if process is not None and not process.alive:
            return False
        if self._witness is not None:
            self._witness.sent(request, self.now_ms())
        return True

    def seen(self, request: HttpRequest, act: Callable[[], T]) -> T:
        """The exchange acts on a request, under the witness's eyes."""
        if self._witness is not None:
            self._witness.arriving(request, self.now_ms())
        done = act()
        if self._witness is not None:
            self._witness.acted(request, self.now_ms())
        return done

    def open(self, kind: str, send: Callable[[str], None]) -> Session:
        return self._exchange.session(kind, send)

    def _send(self, request: HttpRequest, answer: "asyncio.Future[HttpAnswer]") -> None:
        path = request.path
        if self.strikes(FaultKind.REQUEST_LOST, Link.REST, path):
            return
        if self.strikes(FaultKind.REQUEST_TWICE, Link.REST, path):
            nobody: asyncio.Future[HttpAnswer] = asyncio.get_running_loop().create_future()
            self.later(self.latency(), lambda: self._arrive(request, nobody))
        delay_s = self.latency() + self.delay(FaultKind.REQUEST_LATE, Link.REST, path)
        self.later(delay_s, lambda: self._arrive(request, answer))

    def _arrive(self, request: HttpRequest, answer: "asyncio.Future[HttpAnswer]") -> None:
        refused = self.strike(FaultKind.REFUSED, Link.REST, request.path)
        if refused is not None:
            reply = self._error(refused.code, refused.until_s)
            self.later(self.latency(), lambda: _deliver(answer, reply))
            return
        done = self.seen(request, lambda: self._exchange.handle(request, self.now_ms()))
        self._answer(request.path, done, answer)

    def _answer(self, path: str, reply: HttpAnswer, answer: "asyncio.Future[HttpAnswer]") -> None:
        if self.strikes(FaultKind.ANSWER_LOST, Link.REST, path):
            return
        delay_s = self.latency() + self.delay(FaultKind.ANSWER_LATE, Link.REST, path)
        if self.strikes(FaultKind.ANSWER_RESET, Link.REST, path):
            self.later(delay_s, lambda: _fail(answer, "connection reset by peer"))
            return
        unclear = self.strike(FaultKind.ANSWER_UNCLEAR, Link.REST, path)
        if unclear is not None:
            reply = self._error(unclear.code, unclear.until_s)
        elif self.strikes(FaultKind.ANSWER_BAD, Link.REST, path):
            reply = HttpAnswer(502, BAD_GATEWAY)
        elif self.strikes(FaultKind.ANSWER_GARBLED, Link.REST, path):
            reply = HttpAnswer(200, reply.body[: len(reply.body) // 2])
        self.later(delay_s, lambda: _deliver(answer, reply))

    def _error(self, code: int, until_s: float) -> HttpAnswer:
        return error_answer(code, until_s - asyncio.get_running_loop().time(), self.now_ms())


def _deliver(answer: "asyncio.Future[HttpAnswer]", reply: HttpAnswer) -> None:
    if not answer.done():
        answer.set_result(reply)


def _fail(answer: "asyncio.Future[HttpAnswer]", reason: str) -> None:
    if not answer.done():
        answer.set_exception(TransportError(reason))
        answer.exception()  # whoever asked may be dead; that is no news
