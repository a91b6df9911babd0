"""The session's pulse: it beats, it obeys the mark of a panic, and only a person who arms removes that."""

import asyncio
import errno
import os
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import structs

from breakwall.cli.pulse import Pulse
from breakwall.clock import SystemClock
from breakwall.heartbeat import read, touched_ns
from breakwall.model.events import Command, CommandKind, Event
from breakwall.model.view import Counters, OrderView, PositionView, View
from tests.patience import until

NOTHING = Decimal(0)
VIEW = View(5, "SIM", "ACTIVE", "", True, False, NOTHING, NOTHING, (), (), (), Counters())
HELD = PositionView(
    "BTCUSDT", "OPEN", -20, Decimal("-0.02"), Decimal(65000), None, NOTHING, Decimal(66000), None, "bounce", 7
)


class FakeEngine:
    """Does at once what it is told."""

    def __init__(self) -> None:
        self.clock = SystemClock()
        self.now = VIEW
        self.commands: list[Command] = []
        self.said: list[str] = []

    def account(self) -> View:
        return self.now

    def submit(self, command: Event) -> None:
        assert isinstance(command, Command)
        self.commands.append(command)
        self.now = structs.replace(self.now, armed=command.kind is CommandKind.ARM)

    def say(self, text: str, level: str) -> None:
        self.said.append(text)


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def pulse(engine: FakeEngine, tmp_path: Path) -> Pulse:
    return Pulse(engine, tmp_path, (tmp_path / "one", tmp_path / "two"))  # type: ignore[arg-type]  # does what it needs


def during(pulse: Pulse, condition: Callable[[], object]) -> None:
    """Let it run until this is so."""

    async def run() -> None:
        running = asyncio.create_task(pulse.run())
        await until(condition)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(run())


def test_the_beat_tells_what_is_open_and_that_it_ended(engine: FakeEngine, pulse: Pulse, tmp_path: Path) -> None:
    def beat():
        return read(tmp_path / "heartbeat.json")

    during(pulse, beat)
    assert (beat().state, beat().positions, beat().ended) == ("ACTIVE", (), False)
    entry, exit_ = (OrderView(name, "X", "buy", "PLACED", 1, 0, None, reduce_only=name == "x") for name in "ex")
    engine.now = structs.replace(VIEW, positions=(HELD,), orders=(entry, exit_))
    during(pulse, lambda: beat().positions)
    (held,) = beat().positions
    assert held == ("BTCUSDT", "SHORT", "0.02", "66000", None, 7)
    assert beat().orders == 1
    engine.now = VIEW
    pulse.end()
    assert beat().ended


def test_a_mark_makes_it_safe_and_a_person_who_arms_removes_it(
    engine: FakeEngine, pulse: Pulse, tmp_path: Path
) -> None:
    (tmp_path / "one").write_text('{"why": "breakwall panic\\u001b[2J", "pid": 4711}')
    (tmp_path / "two").write_text("{")
    pulse.listen()
    (command,) = engine.commands
    assert (command.kind, command.who) == (CommandKind.DISARM, "breakwall panic")
    assert command.why == "breakwall panic[2J was run by process 4711; arm to trade again"
    during(pulse, (tmp_path / "heartbeat.json").exists)
    assert len(engine.commands) == 1
    assert (tmp_path / "one").exists()
    engine.submit(Command(CommandKind.ARM))
    during(pulse, lambda: not (tmp_path / "one").exists())
    assert not (tmp_path / "two").exists()
    assert engine.account().armed


def test_a_mark_that_is_left_again_is_obeyed_again(engine: FakeEngine, pulse: Pulse, tmp_path: Path) -> None:
    """Also one that cannot be read: a link, for example, is a mark and is not followed."""
    (tmp_path / "one").symlink_to(tmp_path / "nowhere")
    pulse.listen()
    assert engine.commands[0].why.startswith("breakwall panic was run")
    engine.submit(Command(CommandKind.ARM))
    (tmp_path / "two").write_text("x")
    pulse.listen()
    assert [command.kind for command in engine.commands] == [CommandKind.DISARM, CommandKind.ARM, CommandKind.DISARM]


def test_a_heartbeat_that_cannot_be_written_is_said_once(engine: FakeEngine, pulse: Pulse, tmp_path: Path) -> None:
    (tmp_path / "heartbeat.json").mkdir()
    pulse.end()
    pulse.end()
    assert len(engine.said) == 1
    assert "heartbeat cannot be written" in engine.said[0]


def test_without_room_for_another_file_the_beat_goes_over_the_old_one(
    engine: FakeEngine, pulse: Pulse, tmp_path: Path
) -> None:
    """A full disk is no silence: a watch must not panic for it."""
    file = tmp_path / "heartbeat.json"
    during(pulse, lambda: read(file))
    (tmp_path / f".{file.name}.{os.getpid()}").mkdir()  # no other file can be made
    before = read(file)
    engine.now = structs.replace(VIEW, why="x" * 300)
    during(pulse, lambda: read(file) != before)
    engine.now = VIEW
    during(pulse, lambda: read(file).why == "")
    assert engine.said == []


def test_a_beat_that_cannot_be_written_at_all_touches_the_file(
    engine: FakeEngine, pulse: Pulse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watch tells that from silence."""

    def no_room(*_words: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    file = tmp_path / "heartbeat.json"
    during(pulse, lambda: read(file))
    before, touched = read(file), touched_ns(file)
    for way in ("write_whole", "write_over"):
        monkeypatch.setattr(f"breakwall.cli.pulse.{way}", no_room)
    during(pulse, lambda: touched_ns(file) > touched)
    assert read(file) == before
    assert ["heartbeat cannot be written (No space left" in said for said in engine.said] == [True]


def test_a_disk_that_hangs_keeps_nobody_from_hearing_the_mark(
    engine: FakeEngine, pulse: Pulse, tmp_path: Path
) -> None:
    stuck = tmp_path / f".heartbeat.json.{os.getpid()}"
    os.mkfifo(stuck)  # opening it for writing waits for a reader

    async def run() -> int:
        running = asyncio.create_task(pulse.run())
        await asyncio.sleep(0.1)
        (tmp_path / "one").touch()
        await until(lambda: engine.commands)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return os.open(stuck, os.O_RDONLY | os.O_NONBLOCK)  # lets the writer go, whenever it comes

    os.close(asyncio.run(run()))
    assert [command.kind for command in engine.commands] == [CommandKind.DISARM]


def test_a_beat_that_cannot_be_made_keeps_nobody_from_hearing_the_mark(
    engine: FakeEngine, pulse: Pulse, tmp_path: Path
) -> None:
    engine.now = None  # type: ignore[assignment]  # whatever may ever be wrong with a view
    submit, engine.submit = engine.submit, engine.commands.append  # type: ignore[method-assign]  # needs no view
    del submit

    async def run() -> None:
        running = asyncio.create_task(pulse.run())
        await asyncio.sleep(0.1)
        (tmp_path / "one").touch()
        await until(lambda: engine.commands)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(run())
    assert len(engine.said) == 1


def test_the_last_beat_stays_the_last(engine: FakeEngine, pulse: Pulse, tmp_path: Path) -> None:
    """A watch takes a session that fell silent for dead, and might close what was kept on purpose."""

    async def run() -> None:
        running = asyncio.create_task(pulse.run())
        await asyncio.sleep(0.1)
        pulse.end()
        engine.now = structs.replace(VIEW, positions=(HELD,))
        await asyncio.sleep(0.6)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(run())
    last = read(tmp_path / "heartbeat.json")
    assert last is not None
    assert last.ended
