"""`breakwall panic` and `breakwall watch` beside a cockpit that is stopped or dead, as real processes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from breakwall.heartbeat import Beat, read
from breakwall.storage.lines import Lines
from tests.process.books import Bourse
from tests.process.demo import Demo, exchange_of, hasty, held, order_ids, venue

pytestmark = pytest.mark.process
TOO_LONG_S = 60.0
STILL_S = 1.5
"""A hasty demo would trade again within this."""


@pytest.fixture
def state(tmp_path: Path, bourse: Bourse) -> Iterator[Path]:
    """A run folder whose exchange has something to trade at once."""
    key = bourse.open(tmp_path, 5)
    yield tmp_path
    bourse.ask(shut=key)


@pytest.fixture
def demo(state: Path) -> Iterator[Demo]:
    one = Demo(state, *hasty(state))
    yield one
    one.process.send_signal(signal.SIGCONT)
    Demo.end_all()


def beside(state: Path, *words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "breakwall", *words, "--state", str(state)],
        env={**os.environ, "XDG_STATE_HOME": str(state)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def panic(state: Path) -> tuple[int, dict[str, Any]]:
    """Exit code and receipt."""
    process = beside(state, "panic", "--yes", "--json")
    out, said = process.communicate(timeout=TOO_LONG_S)
    assert out, said
    return process.returncode, json.loads(out)


def beat(state: Path) -> Beat:
    found = read(state / "heartbeat.json")
    assert found is not None
    return found


def leaks(state: Path) -> list[str]:
    """Files and command lines in which the key or the secret can be read."""
    told = exchange_of(state)
    secrets = [told["api_key"].encode(), told["api_secret"].encode()]
    found = []
    for path in state.rglob("*"):
        if path.is_file() and path.name not in {"exchange.json", "account"}:  # what a restart needs
            content = b"\n".join(Lines(path)) if path.suffix == ".zst" else path.read_bytes()
            found += [str(path)] if any(secret in content for secret in secrets) else []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found += [str(path)] if any(secret in path.read_bytes() for secret in secrets) else []
        except OSError:
            continue
    return found


def test_panic_beside_a_stopped_cockpit_which_then_stays_safe(demo: Demo, state: Path) -> None:
    """Also over a kill -9: only a person who arms takes back what a person did."""
    demo.wait_for(" opened ")
    demo.process.send_signal(signal.SIGSTOP)
    client = venue(state)
    assert held(client)
    code, receipt = panic(state)
    assert (code, receipt["panic"], receipt["remains"]) == (0, "flat", [])
    assert [row["symbol"] for row in receipt["closed"]] == ["SOLUSDT"]
    assert held(client) == []
    demo.process.send_signal(signal.SIGCONT)
    demo.wait_for("closed externally")
    demo.wait_for("disarm all symbols by breakwall panic: breakwall panic was run by process")
    ordered = order_ids(client)
    time.sleep(STILL_S)
    assert (held(client), order_ids(client)) == ([], ordered)
    assert (beat(state).armed, beat(state).positions) == (False, ())
    demo.kill()
    again = Demo(state, *hasty(state))
    again.wait_for("recovered: ")
    again.wait_for("disarm all symbols by breakwall panic: ")
    time.sleep(STILL_S)
    assert (held(client), order_ids(client)) == ([], ordered)
    assert leaks(state) == []
    assert again.leave()[0] == 0
    assert beat(state).ended


def test_the_watch_panics_when_the_cockpit_dies_with_a_position(demo: Demo, state: Path) -> None:
    demo.wait_for(" opened ")
    deadline = time.monotonic() + TOO_LONG_S
    while not beat(state).positions:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    watch = beside(state, "watch", "--policy", "panic", "--after", "1s")
    try:
        assert watch.stderr is not None
        assert "watching" in watch.stderr.readline()
        demo.kill()
        said = ""
        while "panic has proven the account flat" not in said:
            line = watch.stderr.readline()
            assert line, said
            said += line
        assert f"ALARM silent: process {demo.process.pid} is gone" in said
        assert held(venue(state)) == []
    finally:
        watch.kill()
        watch.communicate()
