"""A run folder that is used again: its exchange has ended with the run, hangs, or has died with a position."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process.books import Books
from tests.process.demo import Demo, exchange_of, hasty, held, venue

pytestmark = pytest.mark.process


@pytest.fixture
def pid(tmp_path: Path) -> Iterator[int]:
    """The exchange of a cockpit that was killed with a position, which somebody else has opened."""
    demo = Demo(tmp_path, *hasty(tmp_path), "--safe")
    demo.wait_for("private link is up")
    venue(tmp_path).place_order(category="linear", symbol="SOLUSDT", side="Buy", orderType="Market", qty="1")
    demo.wait_until(lambda: _stop_is_journaled(tmp_path))  # and so is all before it: the heir knows of the position
    demo.kill()
    number = int(exchange_of(tmp_path)["pid"])
    yield number
    kill(number)


def _stop_is_journaled(state: Path) -> bool:
    return any(body.get("type") == "Outcome" and body["operation"] == "stop" for _, _, body in Books(state).bodies)


def kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def test_after_a_run_that_ended_in_order_it_begins_flat_under_the_same_account(tmp_path: Path) -> None:
    for times in range(2):
        demo = Demo(tmp_path, *hasty(tmp_path), "--safe", "--for", "1s")
        code, out = demo.end()
        assert code == 0, demo.tail
        assert json.loads(out.splitlines()[-1])["positions_open"] == 0
        assert ("it begins flat: the one before ended with its run" in demo.tail) is bool(times)


def test_an_exchange_that_hangs_is_left_as_it_is_and_one_that_died_is_told(tmp_path: Path, pid: int) -> None:
    """The second cockpit of a folder whose exchange is silent must not put another in its place."""
    told = (tmp_path / "exchange.json").read_bytes()
    os.kill(pid, signal.SIGSTOP)
    second = Demo(tmp_path, *hasty(tmp_path))
    assert second.end()[0] == 3, second.tail
    assert f"kill -CONT {pid}" in second.tail
    assert (tmp_path / "exchange.json").read_bytes() == told
    os.kill(pid, signal.SIGCONT)
    assert len(held(venue(tmp_path))) == 1
    kill(pid)
    heir = Demo(tmp_path, *hasty(tmp_path))
    heir.wait_for(f"it begins flat: the one before (process {pid}) is gone with all that was held there")
    heir.wait_for("SOLUSDT gone at the exchange; closed externally")
    assert "recovered: flat" in heir.wait_for("recovered: ")
    assert heir.leave()[0] == 0, heir.tail
    assert not [line for line in heir.lines if "Traceback" in line]


def test_a_second_cockpit_changes_nothing_while_the_exchange_hangs(tmp_path: Path) -> None:
    first = Demo(tmp_path, *hasty(tmp_path), "--safe")
    first.wait_for("recovered: ")
    told, pid = (tmp_path / "exchange.json").read_bytes(), int(exchange_of(tmp_path)["pid"])
    os.kill(pid, signal.SIGSTOP)
    second = Demo(tmp_path, *hasty(tmp_path))
    assert second.end()[0] == 6, second.tail
    assert f"another Breakwall (process {first.process.pid})" in second.tail
    assert (tmp_path / "exchange.json").read_bytes() == told
    os.kill(pid, signal.SIGCONT)
    assert first.leave()[0] == 0, first.tail
