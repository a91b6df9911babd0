"""How a run ends: what each end of the screen, signal and failure makes the engine do."""

import asyncio
import signal
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from breakwall.app.leaving import Leaving
from breakwall.cli.calls import Calls, LeftEarly, unless_called_off
from breakwall.cli.session import Ended, Session
from breakwall.cli.voice import Voice
from breakwall.clock import SystemClock
from breakwall.engine.supervise import GaveUp
from breakwall.model.events import Command, CommandKind, Event
from breakwall.model.view import ADOPTED, Counters, PositionView, View
from breakwall.settings import Settings


class FakeEngine:
    """Remembers what it was asked; flat as soon as its entries were cancelled."""

    def __init__(self, **settings: Any) -> None:
        self.settings = Settings(**settings)
        self.clock = SystemClock()
        self.core = SimpleNamespace(recovered_ms=1, was_armed=True)
        self.asked: list[CommandKind] = []
        self.left: list[bool] = []
        self.closed = False
        self.held: tuple[PositionView, ...] = ()
        self.failure: Exception | None = None

    async def start(self) -> None:
        if self.failure is not None:
            raise self.failure

    async def run(self) -> None:
        await asyncio.Event().wait()

    def submit(self, command: Event) -> None:
        assert isinstance(command, Command)
        self.asked.append(command.kind)

    def account(self) -> View:
        nothing = Decimal(0)
        return View(0, "SIM", "ACTIVE", "", True, False, nothing, nothing, (), self.held, (), Counters())

    async def leave(self, *, flatten: bool, patience_s: float, why: str) -> bool:
        assert patience_s > 0
        assert why
        self.left.append(flatten)
        return True

    async def close(self) -> None:
        self.closed = True


class FakeScreen:
    """A screen that ends as it is told to."""

    def __init__(self, leaving: Leaving | None, failure: Exception | None = None) -> None:
        self.ended = asyncio.get_running_loop().create_future()
        if leaving is not None:
            self.ended.set_result(leaving)
        self.failure = failure
        self.why = "the terminal has gone"
        self.lost: list[str] = []

    def lose(self, why: str) -> None:
        self.lost.append(why)

    async def close(self) -> None:
        pass


async def conduct(engine: FakeEngine, screen: FakeScreen | None, seconds: float | None = None) -> Ended:
    voice = Voice(Settings(log_level="error"))
    calls = Calls(voice, engine.clock, screen)  # type: ignore[arg-type]  # as much of a screen as is asked
    try:
        return await Session(engine, voice, calls, screen).conduct(seconds)  # type: ignore[arg-type]  # the same
    finally:
        voice.close()


SAFE = [CommandKind.DISARM, CommandKind.CANCEL]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("leaving", "settings", "asked", "flatten", "reason"),
    [
        (Leaving.FLATTEN, {"on_exit": "keep"}, [], True, "quit"),
        (Leaving.KEEP, {"on_exit": "flatten"}, [], False, "quit"),
        (Leaving.HEADLESS, {"on_screen_lost": "trade"}, SAFE, True, "nothing is held"),
        (Leaving.LOST, {"on_screen_lost": "manage"}, SAFE, True, "nothing is held"),
        (Leaving.LOST, {"on_screen_lost": "flatten"}, [], True, "the terminal has gone"),
        (Leaving.LOST, {"on_screen_lost": "trade", "on_exit": "keep"}, [], False, "time is over"),
    ],
)
async def test_what_the_end_of_the_screen_means(
    leaving: Leaving, settings: dict[str, str], asked: list[CommandKind], flatten: bool, reason: str
) -> None:
    engine = FakeEngine(**settings)
    ended = await conduct(engine, FakeScreen(leaving), seconds=0.5 if reason == "time is over" else 60)
    assert (engine.asked, engine.left, ended.code) == (asked, [flatten], 0)
    assert reason in ended.reason
    assert engine.closed


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("strategy", "was_armed", "flatten"),
    [
        ("bounce", False, True),
        (ADOPTED, True, True),
        (ADOPTED, False, False),
    ],
)
async def test_who_only_looked_on_closes_nothing_beside_what_others_have_opened(
    strategy: str, was_armed: bool, flatten: bool
) -> None:
    zero = Decimal(0)
    engine = FakeEngine(on_exit="flatten")
    engine.core.was_armed = was_armed
    engine.held = (PositionView("SOLUSDT", "OPEN", 1, zero, zero, zero, zero, zero, None, strategy, 0),)
    await conduct(engine, None, seconds=0.1)
    assert engine.left == [flatten]


@pytest.mark.asyncio
async def test_a_screen_lost_while_recovering_disarms_before_anything_may_be_opened() -> None:
    engine = FakeEngine()
    engine.core.recovered_ms = None
    await conduct(engine, FakeScreen(Leaving.LOST), seconds=0.2)
    assert engine.asked == [CommandKind.DISARM]


@pytest.mark.asyncio
async def test_a_failure_while_managing_is_not_taken_for_nothing_held() -> None:
    class Deaf(FakeEngine):
        def submit(self, command: Event) -> None:
            raise ValueError("not heard")

    engine = Deaf(on_exit="keep")
    ended = await conduct(engine, FakeScreen(Leaving.HEADLESS))
    assert (ended.code, engine.left) == (1, [False])
    assert "not heard" in ended.reason


@pytest.mark.asyncio
async def test_a_hang_up_ends_the_screen_where_there_is_one_and_else_the_run() -> None:
    asyncio.get_running_loop().call_later(0.05, signal.raise_signal, signal.SIGHUP)
    screen = FakeScreen(None)
    ended = await conduct(FakeEngine(), screen, seconds=0.2)
    assert (screen.lost, ended.reason) == (["hang-up"], "time is over")
    asyncio.get_running_loop().call_later(0.05, signal.raise_signal, signal.SIGHUP)
    ended = await conduct(FakeEngine(), None)
    assert (ended.code, ended.reason) == (0, "SIGHUP")


@pytest.mark.asyncio
async def test_an_engine_that_gives_up_is_left_in_order() -> None:
    engine = FakeEngine()
    engine.failure = GaveUp("the core")
    ended = await conduct(engine, None)
    assert (ended.code, ended.reason, engine.closed) == (1, "gave up: the core", True)


@pytest.mark.asyncio
async def test_an_error_at_the_start_reaches_the_border_and_everything_is_closed() -> None:
    engine = FakeEngine()
    engine.failure = RuntimeError("no account")
    with pytest.raises(RuntimeError, match="no account"):
        await conduct(engine, None)
    assert engine.closed


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("leaving", "called_off"),
    [(Leaving.FLATTEN, False), (Leaving.KEEP, True), (Leaving.LOST, False), (Leaving.HEADLESS, False)],
)
async def test_before_there_is_an_engine_only_a_wish_to_quit_as_things_are_calls_the_start_off(
    leaving: Leaving, called_off: bool
) -> None:
    async def start() -> str:
        await asyncio.sleep(0.05)
        return "started"

    voice = Voice(Settings(log_level="error"))
    screen = FakeScreen(leaving)
    calls = Calls(voice, SystemClock(), screen)  # type: ignore[arg-type]  # as much of a screen as is asked
    beginning = unless_called_off(asyncio.create_task(start()), calls, screen)  # type: ignore[arg-type]  # the same
    if called_off:
        with pytest.raises(LeftEarly, match="quit"):
            await beginning
    else:
        assert await beginning == "started"
    voice.close()
