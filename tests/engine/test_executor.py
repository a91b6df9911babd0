"""The order path: no commit, no send; protection never waits behind anything."""

import asyncio
from collections.abc import Iterable

import pytest

from breakwall.clock import SystemClock
from breakwall.engine.executor import Executor
from breakwall.engine.turnstile import Turnstile
from breakwall.model.actions import (
    Approved,
    AskReadBack,
    CancelOrder,
    MoveStop,
    OrderKind,
    PlaceOrder,
    QueryOrder,
    TimeInForce,
)
from breakwall.model.events import (
    Account,
    Event,
    Instruments,
    IntentSent,
    IntentStored,
    OrderAnswer,
    Outcome,
    OutcomeKind,
    ReadBackFailed,
)
from breakwall.model.units import Side
from breakwall.ports import ApprovedIntent, Frame, JournalError


class Heard:
    def __init__(self) -> None:
        self.events: list[Event] = []

    def put(self, event: Event, frame: Frame | None = None) -> None:
        self.events.append(event)


class SlowBroker:
    """Confirms everything, an order of `hang` only when it is released."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.hang: str = ""
        self.broken: set[str] = set()
        self.release = asyncio.Event()
        self.read_backs = 0

    async def prepare(self, symbols: Iterable[str], held: Iterable[str] = ()) -> tuple[Account, Instruments]:
        raise AssertionError("not part of these tests")

    async def execute(self, approved: ApprovedIntent) -> Outcome:
        intent = approved.intent
        self.sent.append(intent.client_id)
        if intent.client_id in self.broken:
            raise ZeroDivisionError
        if intent.client_id == self.hang:
            await self.release.wait()
        return Outcome("place", intent.symbol, intent.client_id, OutcomeKind.CONFIRMED)

    async def query(self, client_id: str, symbol: str) -> OrderAnswer:
        await self.release.wait()
        self.sent.append(f"query {client_id}")
        if client_id in self.broken:
            raise ZeroDivisionError
        return OrderAnswer(client_id, symbol, None)

    async def read_back(self, purpose: str, since_ms: int) -> ReadBackFailed:
        self.read_backs += 1
        await self.release.wait()
        if purpose in self.broken:
            raise ZeroDivisionError
        return ReadBackFailed("scripted", purpose)

    async def run(self) -> None: ...


class Table:
    """An executor with its surroundings."""

    def __init__(self, commit_wait_ms: int = 50) -> None:
        self.broker = SlowBroker()
        self.heard = Heard()
        self.gate_says = ""
        self.turnstile = Turnstile(self.heard)
        self.executor = Executor(
            self.broker,
            SystemClock(),
            self.heard,
            lambda intent, now_ms: self.gate_says,
            self.turnstile,
            commit_wait_ms,
        )

    def send(self, command: ApprovedIntent, stored: asyncio.Future[None]) -> None:
        self.turnstile.expect(command.intent)
        self.executor.send(command, stored)

    async def settle(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0.001)


def entry(client_id: str, symbol: str = "A") -> Approved[PlaceOrder]:
    intent = PlaceOrder(
        client_id, "t", symbol, 0, "test", Side.BUY, OrderKind.LIMIT, 1, TimeInForce.IOC, 10, stop_ticks=5
    )
    return Approved(intent, reducing=False)


def close(client_id: str, symbol: str = "A") -> Approved[PlaceOrder]:
    intent = PlaceOrder(
        client_id, "t", symbol, 0, "test", Side.SELL, OrderKind.MARKET, 1, TimeInForce.IOC, reduce_only=True
    )
    return Approved(intent, reducing=True)


def future(*, done: bool = False) -> asyncio.Future[None]:
    made: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    if done:
        made.set_result(None)
    return made


@pytest.mark.asyncio
async def test_an_entry_waits_for_its_commit_and_a_failed_commit_never_sends() -> None:
    table = Table()
    stored = future()
    table.send(entry("e1"), stored)
    await table.settle()
    assert table.broker.sent == []
    stored.set_result(None)
    await table.settle()
    assert table.broker.sent == ["e1"]
    failed = future()
    failed.set_exception(JournalError("disk full"))
    table.send(entry("e2"), failed)
    await table.settle()
    assert table.broker.sent == ["e1"]
    last = table.heard.events[-1]
    assert isinstance(last, Outcome)
    assert (last.kind, last.client_id) == (OutcomeKind.REFUSED, "e2")
    assert "disk full" in last.reason
    await table.executor.stop()


@pytest.mark.asyncio
async def test_a_close_is_sent_without_its_commit_after_the_wait() -> None:
    table = Table(commit_wait_ms=5)
    table.send(close("x1"), future())
    await table.settle()
    assert table.broker.sent == ["x1"]
    await table.executor.stop()


@pytest.mark.asyncio
async def test_the_gate_is_asked_after_the_commit_and_can_still_refuse() -> None:
    table = Table()
    stored = future()
    table.send(entry("e1"), stored)
    await table.settle()
    table.gate_says = "the breaker tripped meanwhile"
    stored.set_result(None)
    await table.settle()
    assert table.broker.sent == []
    assert table.heard.events == [
        IntentStored("e1"),
        Outcome("place", "A", "e1", OutcomeKind.REFUSED, reason="the breaker tripped meanwhile"),
    ]
    await table.executor.stop()


@pytest.mark.asyncio
async def test_a_hanging_entry_or_stop_never_holds_up_a_close() -> None:
    table = Table()
    table.broker.hang = "e1"
    table.send(entry("e1"), future(done=True))
    table.send(entry("e2"), future(done=True))
    await table.settle()
    table.send(close("x1"), future(done=True))
    table.send(Approved(CancelOrder("c1", "t", "A", 0, "test", "e1"), reducing=True), future(done=True))
    table.send(Approved(MoveStop("s1", "t", "A", 0, "test", 5), reducing=True), future(done=True))
    await table.settle()
    assert table.broker.sent == ["e1", "x1", "c1", "s1"]
    table.broker.release.set()
    await table.settle()
    assert table.broker.sent[-1] == "e2"
    assert IntentSent("e1") in table.heard.events
    await table.executor.stop()


@pytest.mark.asyncio
async def test_symbols_do_not_wait_for_each_other() -> None:
    table = Table()
    table.broker.hang = "e1"
    table.send(entry("e1", "A"), future(done=True))
    table.send(entry("e2", "B"), future(done=True))
    await table.settle()
    assert table.broker.sent == ["e1", "e2"]
    await table.executor.stop()


@pytest.mark.asyncio
async def test_one_question_at_a_time_for_the_same_thing() -> None:
    table = Table()
    for _ in range(3):
        table.executor.query(QueryOrder("e1", "A"))
        table.executor.read_back(AskReadBack("periodic"), 0)
    await table.settle()
    table.broker.release.set()
    await table.settle()
    assert table.broker.sent == ["query e1"]
    assert table.broker.read_backs == 1
    assert [type(event) for event in table.heard.events].count(OrderAnswer) == 1
    await table.executor.stop()


@pytest.mark.asyncio
async def test_a_close_never_waits_for_the_close_before_it() -> None:
    table = Table()
    table.broker.hang = "x1"
    table.send(close("x1"), future(done=True))
    table.send(close("x2"), future(done=True))
    await table.settle()
    assert table.broker.sent == ["x1", "x2"]
    await table.executor.stop()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "command", [entry, close, lambda name: Approved(MoveStop(name, "t", "A", 0, "test", 5), True)]
)
async def test_a_broker_that_raises_leaves_an_unknown_outcome_and_a_living_lane(command) -> None:
    table = Table()
    table.broker.broken = {"b1"}
    table.send(command("b1"), future(done=True))
    table.send(command("b2"), future(done=True))
    await table.settle()
    outcomes = {event.client_id: event.kind for event in table.heard.events if isinstance(event, Outcome)}
    assert outcomes == {"b1": OutcomeKind.UNKNOWN, "b2": OutcomeKind.CONFIRMED}
    await table.executor.stop()


@pytest.mark.asyncio
async def test_a_broker_that_raises_answers_every_question() -> None:
    table = Table()
    table.broker.broken = {"e1", "periodic"}
    table.broker.release.set()
    table.executor.query(QueryOrder("e1", "A"))
    table.executor.read_back(AskReadBack("periodic"), 0)
    await table.settle()
    answers = [event for event in table.heard.events if isinstance(event, OrderAnswer | ReadBackFailed)]
    assert len(answers) == 2
    assert not any(isinstance(answer, OrderAnswer) and answer.readable for answer in answers)
    await table.executor.stop()


@pytest.mark.asyncio
async def test_a_close_or_stop_that_came_too_late_does_not_leave() -> None:
    table = Table()
    table.gate_says = "the position it was meant for is gone"
    table.send(close("x1"), future(done=True))
    table.send(Approved(MoveStop("s1", "t", "A", 0, "test", 5), reducing=True), future(done=True))
    await table.settle()
    assert table.broker.sent == []
    kinds = [event.kind for event in table.heard.events if isinstance(event, Outcome)]
    assert kinds == [OutcomeKind.REFUSED, OutcomeKind.REFUSED]
    await table.executor.stop()
