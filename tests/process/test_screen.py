"""The cockpit as a real process on a pty: stalled, resized, fed with garbage, robbed of its terminal, broken."""

import contextlib
import fcntl
import json
import os
import pty
import random
import re
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pybit.unified_trading import HTTP

pytestmark = pytest.mark.process
TOO_LONG_S = 100.0
STALL_S = 3.0

HASTY = """
schema = 1
walls.min_age_s = 1
trend = {window_s = 10, min_samples = 5, slope_errors = 0.5, imbalance = 0.02}
bounce.near_percent = 2.0
exits = {bounce_breakeven_erosion = 1.0, wall_gone_erosion = 1.0}
"""
"""Settings with which a position is open after some ten seconds, and stays so."""

FAILING = """
from breakwall.app.widgets.positions import Positions
rows = Positions.rows
def fail(self, view, width, height):
    assert not view.positions, "a pane fails"
    return rows(self, view, width, height)
Positions.rows = fail
from breakwall.cli import main
main()
"""
"""Breakwall with a pane that fails as soon as a position is open."""


def own_terminal() -> None:
    """Make stdin the terminal that controls the process, so that a hang-up and Ctrl-C reach it."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Cockpit:
    """`breakwall demo` on a terminal whose other end we hold; its stdout is a pipe, for the receipt."""

    def __init__(self, state: Path, *words: str, program: tuple[str, ...] = ("-m", "breakwall")) -> None:
        self.state = state
        self.master, slave = pty.openpty()
        termios.tcsetwinsize(slave, (40, 120))
        self.before = termios.tcgetattr(slave)
        self.process = subprocess.Popen(
            [sys.executable, *program, "demo", "--json", "--state", str(state), *words],
            stdin=slave,
            stdout=subprocess.PIPE,
            stderr=slave,
            start_new_session=True,
            preexec_fn=own_terminal,  # noqa: PLW1509 - one call of the kernel, no lock is taken
            env={**os.environ, "XDG_STATE_HOME": str(state), "TERM": "xterm-256color"},
        )
        os.set_blocking(self.master, False)
        self.slave = slave  # open until the end: the settings of the terminal are looked at
        self.seen = b""
        self.stalled = False
        self.gone = False
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        while not self.gone:
            with contextlib.suppress(BlockingIOError):
                self.seen += b"" if self.stalled else os.read(self.master, 65_536)
            time.sleep(0.005)

    @property
    def log(self) -> str:
        return "".join(path.read_text() for path in sorted((self.state / "logs").glob("2*.jsonl")))

    def wait_for(self, done: Callable[[], object]) -> None:
        deadline = time.monotonic() + TOO_LONG_S
        while not done():
            assert self.process.poll() is None, self.log[-3000:] + self.seen[-500:].decode(errors="replace")
            assert time.monotonic() < deadline, self.log[-3000:]
            time.sleep(0.02)

    def type(self, data: bytes) -> None:
        os.write(self.master, data)

    def resize(self, rows: int, columns: int) -> None:
        termios.tcsetwinsize(self.master, (rows, columns))

    def hang_up(self) -> None:
        self.gone = True
        self.reader.join()
        os.close(self.slave)
        os.close(self.master)

    def end(self) -> tuple[int, dict[str, Any]]:
        """Exit code and receipt, once it has ended."""
        assert self.process.stdout is not None
        out = self.process.stdout.read().decode()
        code = self.process.wait(TOO_LONG_S)
        self.process.stdout.close()
        return code, json.loads(out.splitlines()[-1]) if out else {}


def text(seen: bytes) -> str:
    return seen.decode(errors="replace")


def stops(state: Path) -> list[str]:
    """The stop of each position, as an independent client (unmodified pybit) sees it."""
    told = json.loads((state / "exchange.json").read_text())
    client = HTTP(api_key=told["api_key"], api_secret=told["api_secret"])
    client.endpoint = told["http"]
    rows = client.get_positions(category="linear", settleCoin="USDT")["result"]["list"]
    return [row["stopLoss"] for row in rows]


def started(state: Path, *words: str, program: tuple[str, ...] = ("-m", "breakwall")) -> Cockpit:
    state.mkdir()
    settings = state / "settings.toml"
    settings.write_text(HASTY)
    return Cockpit(state, "--seed", "5", "--scenario", "bounce", "--config", str(settings), *words, program=program)


class Pair:
    """Two cockpits that wait for their first position at the same time: one to be robbed, one that breaks."""

    def __init__(self, folder: Path) -> None:
        self.robbed = started(folder / "robbed")
        self.broken = started(folder / "broken", program=("-c", FAILING))
        self.both = (self.robbed, self.broken)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    made = Pair(tmp_path_factory.mktemp("screen"))
    yield made
    for cockpit in made.both:
        bury(cockpit)


def bury(cockpit: Cockpit) -> None:
    """Leave no process behind, however the test ended."""
    cockpit.gone = True
    told = cockpit.state / "exchange.json"
    pids = [cockpit.process.pid] if cockpit.process.poll() is None else []
    pids += [json.loads(told.read_text())["pid"]] if told.exists() else []
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def test_stalled_resized_and_fed_with_garbage_it_trades_on_and_without_its_terminal_it_manages(pair: Pair) -> None:
    cockpit = pair.robbed
    cockpit.wait_for(lambda: "BTCUSDT" in text(cockpit.seen))
    cockpit.wait_for(lambda: "recovered: " in cockpit.log)
    cockpit.stalled = True
    time.sleep(STALL_S)
    cockpit.stalled = False
    for number in range(40):
        cockpit.resize(10 + number, 30 + 4 * number)
        time.sleep(0.01)
    draw = random.Random(3)
    for _ in range(30):  # nothing that is a key of ours
        with contextlib.suppress(BlockingIOError):
            cockpit.type(bytes(draw.choice((0x1B, *range(0x80, 0x100))) for _ in range(1000)))
        time.sleep(0.01)
    cockpit.wait_for(lambda: '"opened ' in cockpit.log)
    cockpit.hang_up()
    cockpit.wait_for(lambda: "no new entries" in cockpit.log)
    assert "the terminal has gone" in cockpit.log
    assert re.search(r"manages \d positions? until nothing is held, then it ends", cockpit.log)
    assert f"To end it now: Ctrl-C, or kill -TERM {cockpit.process.pid}" in cockpit.log
    assert {stop in {"", "0"} for stop in stops(cockpit.state)} == {False}
    cockpit.process.send_signal(signal.SIGHUP)  # a second word about the same loss
    time.sleep(0.5)
    cockpit.process.send_signal(signal.SIGTERM)
    code, receipt = cockpit.end()
    assert (code, receipt["exit_reason"], receipt["positions_open"]) == (0, "SIGTERM", 0)
    assert receipt["unprotected_ms_max"] == 0
    # Textual's own driver stops the engine for as long as the terminal stalls.
    assert receipt["loop_delay_max_ms"] < STALL_S * 1000 / 3


def test_an_exception_in_a_pane_while_a_position_is_open_leaves_the_engine_managing_it(pair: Pair) -> None:
    cockpit = pair.broken
    cockpit.wait_for(lambda: "To end it now" in text(cockpit.seen))
    said = text(cockpit.seen).rpartition("\x1b[?1049l")[2]
    assert "the screen failed" in said
    assert "internal error: AssertionError: a pane fails" in said
    assert "Traceback" not in text(cockpit.seen)
    assert re.search(r"The engine manages \d positions? until nothing is held", said)
    assert [
        path.read_text().count("a pane fails") > 0 for path in (cockpit.state / "breakwall/crashes").iterdir()
    ] == [True]
    assert termios.tcgetattr(cockpit.slave) == cockpit.before
    assert {stop in {"", "0"} for stop in stops(cockpit.state)} == {False}
    cockpit.type(b"\x03")
    code, receipt = cockpit.end()
    assert (code, receipt["exit_reason"], receipt["positions_open"]) == (130, "SIGINT", 0)
    assert receipt["unprotected_ms_max"] == 0


def test_a_signal_ends_it_in_order_and_gives_the_terminal_back_and_a_second_one_is_refused(tmp_path: Path) -> None:
    first = started(tmp_path / "one")
    try:
        first.wait_for(lambda: "recovered: " in first.log)
        second = Cockpit(first.state)
        code, _ = second.end()
        assert code == 6
        said = text(second.seen).rpartition("\x1b[?1049l")[2]
        assert f"another Breakwall (process {first.process.pid})" in said
        assert f"kill -TERM {first.process.pid}" in said
        first.process.send_signal(signal.SIGTERM)
        code, receipt = first.end()
        assert (code, receipt["exit_reason"]) == (0, "SIGTERM")
        assert receipt["terminal_bytes"] > 10_000
        assert "leaving" in first.log
        assert termios.tcgetattr(first.slave) == first.before
    finally:
        bury(first)


def test_without_a_terminal_it_says_why_there_is_no_screen(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "breakwall", "demo", "--for", "500ms", "--state", str(tmp_path)],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={**os.environ, "XDG_STATE_HOME": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("breakwall: no screen, the standard input is not a terminal; plain lines instead")
    assert "time is over" in done.stderr
