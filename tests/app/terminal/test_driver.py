"""The terminal under the cockpit: a pty whose reader we are, slow, stalled and gone."""

import asyncio
import contextlib
import os
import pty
import signal
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from textual.app import App, ComposeResult
from textual.drivers.linux_driver import LinuxDriver
from textual.events import Key, MouseMove
from textual.message import Message
from textual.widgets import Static

from breakwall.app.terminal import driver
from breakwall.app.terminal.driver import OnTerminal, Terminal, meant
from breakwall.app.terminal.outlet import FULL_BYTES, Outlet
from breakwall.app.terminal.reader import Reader

TOO_LONG_S = 60.0


class Pipe:
    """A reader's end of an outlet."""

    def __init__(self) -> None:
        self.end, into = os.pipe()
        self.lost: list[str] = []
        self.drained = threading.Event()
        self.outlet = Outlet(into, self.lost.append, self.drained.set)
        os.close(into)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made = Pipe()
    yield made
    with contextlib.suppress(OSError):
        os.close(made.end)
    made.outlet.close()
    made.outlet.left(TOO_LONG_S)


def until(done: Callable[[], object]) -> None:
    deadline = time.monotonic() + TOO_LONG_S
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_an_outlet_writes_everything_in_order(pipe: Pipe) -> None:
    pipe.outlet.write("one ")
    pipe.outlet.write("zwölf")
    pipe.outlet.close()
    assert pipe.outlet.left(TOO_LONG_S)
    assert os.read(pipe.end, 100).decode() == "one zwölf"
    assert (pipe.outlet.bytes_written, pipe.outlet.pending) == (10, 0)


def test_a_reader_that_stops_stops_nobody(pipe: Pipe) -> None:
    for _ in range(3):
        pipe.outlet.write("x" * FULL_BYTES)
    until(lambda: pipe.outlet.bytes_written)
    assert pipe.outlet.pending > FULL_BYTES
    pipe.outlet.ask_when_drained()
    pipe.outlet.forget()
    assert 0 < pipe.outlet.pending < FULL_BYTES
    pipe.outlet.write("end")
    pipe.outlet.close()
    assert not pipe.outlet.left(0.01)
    got = b""
    while not got.endswith(b"end"):
        got += os.read(pipe.end, 65_536)
    assert pipe.drained.wait(TOO_LONG_S)
    assert pipe.outlet.left(TOO_LONG_S)


def test_a_reader_that_goes_is_told_once(pipe: Pipe) -> None:
    os.close(pipe.end)
    for _ in range(3):
        pipe.outlet.write("x")
        until(lambda: pipe.lost)
    assert pipe.lost == ["Broken pipe"]
    assert (pipe.outlet.lost, pipe.outlet.pending) == (True, 0)
    pipe.outlet.close()
    assert not pipe.outlet.left(TOO_LONG_S)


async def eventually(done: Callable[[], object]) -> None:
    async with asyncio.timeout(TOO_LONG_S):
        while not done():  # noqa: ASYNC110 - what is waited for happens in a process and threads without events
            await asyncio.sleep(0.01)


class Loud(OnTerminal[str]):
    """An app with a text, and a list of what it heard."""

    def __init__(self) -> None:
        super().__init__()
        self.text = Static("first", markup=False)
        self.lost: list[str] = []
        self.heard: list[Message] = []

    def compose(self) -> ComposeResult:
        yield self.text

    def on_terminal_lost(self, why: str) -> None:
        self.lost.append(why)
        self.exit("lost")

    def on_key(self, event: Key) -> None:
        self.heard.append(event)
        if event.key == "x":
            raise ZeroDivisionError("a widget fails")

    def on_mouse_move(self, event: MouseMove) -> None:
        self.heard.append(event)


class Pty:
    """A terminal whose other end is ours: `master` is read only when asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.master, slave = pty.openpty()
        termios.tcsetwinsize(slave, (24, 80))
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        self.seen = b""
        os.set_blocking(self.master, False)
        for name, mode in (("__stdin__", "r"), ("__stdout__", "w"), ("__stderr__", "w")):
            monkeypatch.setattr(sys, name, open(slave, mode, closefd=False))  # noqa: SIM115 - closed with the pty

    def read(self) -> bytes:
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self.master, 65_536):
                self.seen += data
        return self.seen

    async def until_seen(self, words: bytes) -> None:
        await eventually(lambda: words in self.read())

    def type(self, data: bytes) -> None:
        os.write(self.master, data)


@pytest.fixture
def term(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pty]:
    numbers = (signal.SIGTSTP, signal.SIGTTOU, signal.SIGTTIN, signal.SIGCONT, signal.SIGWINCH)
    handlers = {number: signal.getsignal(number) for number in numbers}
    made = Pty(monkeypatch)
    yield made
    for name in ("__stdin__", "__stdout__", "__stderr__"):
        getattr(sys, name).close()
    for number in (made.master, made.slave):
        with contextlib.suppress(OSError):
            os.close(number)
    for number, handler in handlers.items():
        signal.signal(number, handler)


def begun(app: Loud) -> "asyncio.Task[str | None]":
    return asyncio.create_task(app.run_async())


@pytest.mark.asyncio
async def test_it_paints_hears_and_gives_the_terminal_back(term: Pty) -> None:
    app = Loud()
    run = begun(app)
    await term.until_seen(b"first")
    assert termios.tcgetattr(term.slave) != term.before
    term.type(b"a\xff\x1b[20~")
    await eventually(lambda: len(app.heard) == 3)
    assert [event.key for event in app.heard if isinstance(event, Key)] == ["a", "replacement_character", "f9"]
    for number in (signal.SIGTSTP, signal.SIGTTOU, signal.SIGTTIN):
        os.kill(os.getpid(), number)  # a stopped engine protects nothing
    app.exit("done")
    assert await run == "done"
    assert await app.given_back()
    assert termios.tcgetattr(term.slave) == term.before
    assert term.read().endswith(b"\x1b[?1004l")
    assert b"\x1b[?1049l" in term.seen
    assert not [thread for thread in threading.enumerate() if thread.name in {"outlet", "textual-input"}]


@pytest.mark.asyncio
async def test_while_the_terminal_is_stalled_frames_are_dropped_and_then_the_last_one_is_painted(
    term: Pty, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "FULL_BYTES", 20_000)
    app = Loud()
    run = begun(app)
    await term.until_seen(b"first")
    number = 0
    async with asyncio.timeout(TOO_LONG_S):
        while app.frames_dropped < 3:
            number += 1
            app.text.update("\n".join(f"{number * 31 + row:0>79}" for row in range(23)))
            await asyncio.sleep(0.003)
    assert app.terminal is not None
    assert app.terminal.pending > 20_000
    app.text.update("the newest")
    await asyncio.sleep(0.05)
    await term.until_seen(b"the newest")
    app.exit()
    await run
    assert not app.lost


@pytest.mark.asyncio
async def test_it_ends_on_a_terminal_that_is_stalled_for_ever(term: Pty) -> None:
    app = Loud()
    run = begun(app)
    await term.until_seen(b"first")
    assert app.terminal is not None
    outlet = app.terminal._outlet
    app.terminal.write("x" * 2 * FULL_BYTES)
    await eventually(lambda: outlet._under_way > FULL_BYTES)  # what has begun to leave cannot be forgotten
    app.exit("done")
    async with asyncio.timeout(TOO_LONG_S):
        assert await run == "done"
    assert not await app.given_back()
    assert termios.tcgetattr(term.slave) == term.before


@pytest.mark.asyncio
async def test_a_terminal_that_goes_is_told_once(term: Pty) -> None:
    app = Loud()
    run = begun(app)
    await term.until_seen(b"first")
    os.close(term.master)
    app.text.update("second")
    async with asyncio.timeout(TOO_LONG_S):
        assert await run == "lost"
    assert len(app.lost) == 1
    assert not await app.given_back()


@pytest.mark.asyncio
async def test_a_flood_of_keys_is_no_input(term: Pty) -> None:
    app = Loud()
    run = begun(app)
    await term.until_seen(b"first")
    assert app.terminal is not None
    for _ in range(4):  # nobody reads keys while the queue of the terminal fills
        app.terminal._room.acquire()
    with contextlib.suppress(BlockingIOError):
        for _ in range(64):
            term.type(b"q" * 1000)
            await asyncio.sleep(0)
    for _ in range(4):
        app.terminal._room.release()
    async with asyncio.timeout(TOO_LONG_S):
        while not any(isinstance(event, Key) and event.key == "f9" for event in app.heard):
            with contextlib.suppress(BlockingIOError):  # the queue is not read yet
                term.type(b"\x1b[20~")
            await asyncio.sleep(0.05)
    assert len(app.heard) < 2000
    app.exit()
    await run


@pytest.mark.parametrize(
    ("read", "heard"),
    [
        (b"\x1b[<35;7;7M" * 300 + b"\x1b[20~\r", ["f9", "enter"]),
        (b"q" * 300 + b"\x1b[20~\r" + b"q" * 300, ["f9"]),
        (b"ab\r", ["a", "b", "enter"]),
    ],
)
def test_panic_does_not_drown_in_what_came_with_it(read: bytes, heard: list[str]) -> None:
    assert [event.key for event in meant(list(Reader().read(read))) if isinstance(event, Key)] == heard


@pytest.mark.asyncio
async def test_a_failure_in_a_widget_ends_the_app_without_a_word(term: Pty) -> None:
    app = Loud()
    run = begun(app)
    await term.until_seen(b"first")
    term.type(b"x")
    async with asyncio.timeout(TOO_LONG_S):
        assert await run is None
    assert isinstance(app.failure, ZeroDivisionError)
    assert app.return_code == 1
    assert await app.given_back()
    assert b"Traceback" not in term.read()


@pytest.mark.asyncio
async def test_it_follows_the_size_and_disbelieves_a_mad_one(term: Pty) -> None:
    app = Loud()
    run = begun(app)
    await term.until_seen(b"first")
    termios.tcsetwinsize(term.slave, (30, 90))
    os.kill(os.getpid(), signal.SIGWINCH)
    await eventually(lambda: tuple(app.size) == (90, 30))
    term.type(b"\x1b[48;60000;60000;1;1t")
    term.type(b"a")
    await eventually(lambda: app.heard)
    assert tuple(app.size) == (90, 30)
    app.exit()
    await run


def test_the_private_names_of_textual_are_still_there() -> None:
    app = App[None]()
    for name in ("_display", "_fatal_error", "_print_error_renderables", "_close_messages_no_wait"):
        assert callable(getattr(app, name)), name
    for name in ("_driver", "_exception", "_exit_renderables"):
        assert hasattr(app, name), name
    for name in ("_run_input_thread", "_get_terminal_size", "_enable_bracketed_paste", "_disable_line_wrap"):
        assert name in vars(LinuxDriver), name
        assert callable(getattr(Terminal, name)), name
