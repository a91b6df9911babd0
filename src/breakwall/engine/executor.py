"""Carries approved intents to the venue: one queue per symbol, and emergency lanes that never wait behind it.

Risk-increasing: no commit, no send. Risk-reducing: wait at most `commit_wait_ms` for the commit,
then send and journal late. Nothing is awaited between the gate's word and handing over to the broker.
"""

import asyncio
from collections.abc import Callable, Coroutine

from msgspec import structs

from breakwall import points
from breakwall.engine.turnstile import Turnstile
from breakwall.model.actions import AskReadBack, CancelOrder, MoveStop, PlaceOrder, QueryOrder
from breakwall.model.events import IntentSent, IntentStored, OrderAnswer, Outcome, OutcomeKind, ReadBackFailed
from breakwall.points import Point
from breakwall.ports import ApprovedIntent, Broker, Clock, JournalError, Sink

Gate = Callable[[PlaceOrder | CancelOrder | MoveStop, int], str]
"""Asked right before a command leaves: why it may not (any more), or ''."""


class Executor:
    """Owns the tasks that talk to the broker. Everything it learns goes back through the sink."""

    def __init__(
        self, broker: Broker, clock: Clock, sink: Sink, gate: Gate, turnstile: Turnstile, commit_wait_ms: int
    ) -> None:
        self._broker = broker
        self._clock = clock
        self._sink = sink
        self._gate = gate
        self._turnstile = turnstile
        self._commit_wait_s = commit_wait_ms / 1000
        self._lanes: dict[tuple[str, str], asyncio.Queue[tuple[ApprovedIntent, asyncio.Future[None]]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._reading_back = False
        self._querying: set[str] = set()

    def send(self, command: ApprovedIntent, stored: asyncio.Future[None]) -> None:
        """Queue a command behind its symbol's others of the same lane; `stored` is its journal commit.

        Entries have a lane of their own, and so have stops and cancels: a hanging answer to one kind never
        holds up another. A close waits for nothing, not even for the close before it: reduce-only never
        closes twice.
        """
        operation = operation_of(command.intent)
        if command.reducing and operation == "place":
            self._spawn(self._carry(command, stored))
            return
        key = (command.intent.symbol, operation if command.reducing else "entry")
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = asyncio.Queue()
            self._spawn(self._serve(lane))
        lane.put_nowait((command, stored))

    def query(self, ask: QueryOrder) -> None:
        if ask.client_id not in self._querying:
            self._querying.add(ask.client_id)
            self._spawn(self._query(ask))

    def read_back(self, ask: AskReadBack, since_ms: int) -> None:
        """Ask the venue for the whole account; a second wish while one runs is the same wish."""
        if not self._reading_back:
            self._reading_back = True
            self._spawn(self._read_back(ask, since_ms))

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, lane: asyncio.Queue[tuple[ApprovedIntent, asyncio.Future[None]]]) -> None:
        while True:
            await self._carry(*await lane.get())
            await points.linger("lane: before the next command", self._clock.sleep)

    async def _carry(self, command: ApprovedIntent, stored: asyncio.Future[None]) -> None:
        """Never raises: a lane that died would strand all that is queued in it."""
        try:
            points.stumble("executor: carrying a command")
            await points.linger("executor: before the commit", self._clock.sleep)
            refusal = await self._refusal(command, stored)
            if refusal:
                self._turnstile.drop(command.intent.client_id)
                self._sink.put(_outcome(command, OutcomeKind.REFUSED, refusal))
            else:
                await self._execute(command)
        except Exception as error:
            self._sink.put(_outcome(command, OutcomeKind.UNKNOWN, f"failed on the way: {error!r}"))

    async def _refusal(self, command: ApprovedIntent, stored: asyncio.Future[None]) -> str:
        intent = command.intent
        if command.reducing:
            await asyncio.wait([stored], timeout=self._commit_wait_s)
        else:
            try:
                await stored
                await points.linger("executor: intent stored", self._clock.sleep)
            except JournalError as error:
                return f"not journaled: {error}"
            points.reach(Point.INTENT_STORED)
            self._sink.put(IntentStored(intent.client_id))
        return self._gate(intent, self._clock.now_ms()) or self._turnstile.refusal(command, stored)

    async def _execute(self, command: ApprovedIntent) -> None:
        intent = command.intent
        self._sink.put(IntentSent(intent.client_id))
        outcome = await self._broker.execute(command)
        points.reach(Point.STOP_ANSWERED if isinstance(intent, MoveStop) else Point.ORDER_ANSWERED)
        await points.linger("executor: outcome known", self._clock.sleep)
        self._sink.put(outcome)

    async def _query(self, ask: QueryOrder) -> None:
        asked_ms = self._clock.now_ms()
        try:
            points.stumble("executor: query")
            await points.linger("executor: query", self._clock.sleep)
            answer = await self._broker.query(ask.client_id, ask.symbol)
            self._sink.put(structs.replace(answer, asked_ms=asked_ms))
        except Exception as error:
            self._sink.put(OrderAnswer(ask.client_id, ask.symbol, None, readable=False, reason=repr(error)))
        finally:
            self._querying.discard(ask.client_id)

    async def _read_back(self, ask: AskReadBack, since_ms: int) -> None:
        try:
            points.stumble("executor: read-back")
            await points.linger("executor: read-back", self._clock.sleep)
            self._sink.put(await self._broker.read_back(ask.purpose, since_ms))
        except Exception as error:
            self._sink.put(ReadBackFailed(repr(error), ask.purpose))
        finally:
            self._reading_back = False


def operation_of(intent: PlaceOrder | CancelOrder | MoveStop) -> str:
    """The word an `Outcome` uses for this kind of intent."""
    if isinstance(intent, PlaceOrder):
        return "place"
    return "cancel" if isinstance(intent, CancelOrder) else "stop"


def _outcome(command: ApprovedIntent, kind: OutcomeKind, reason: str) -> Outcome:
    intent = command.intent
    return Outcome(operation_of(intent), intent.symbol, intent.client_id, kind, reason=reason)
