"""The demo as a real process: started, signalled, killed with -9, robbed of its exchange."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from breakwall.headless import Receipt
from tests.process.books import Bourse
from tests.process.demo import Demo, exchange_of, hasty, held, order_ids, venue

pytestmark = pytest.mark.process


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    if (tmp_path / "exchange.json").exists():
        try:
            os.kill(exchange_of(tmp_path)["pid"], signal.SIGKILL)
        except ProcessLookupError:
            return


def test_a_short_run_ends_flat_with_a_whole_receipt_and_can_be_decided_again(state: Path) -> None:
    demo = Demo(state, "--for", "6s", "--json")
    code, out = demo.end()
    assert code == 0, demo.lines
    receipt = json.loads(out.splitlines()[-1])
    assert set(receipt) == set(Receipt.__struct_fields__)
    assert receipt["book_messages"] > 30
    assert (receipt["positions_open"], receipt["unprotected_ms_max"], receipt["gaps"]) == (0, 0, 0)
    assert not [line for line in demo.lines if "Traceback" in line]
    check = subprocess.run(
        [sys.executable, "-m", "breakwall", "replay", receipt["recording"], "--check"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert check.returncode == 0, check.stdout + check.stderr
    assert receipt["actions_digest"][:12] in check.stdout


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130), (signal.SIGHUP, 0)])
def test_a_signal_ends_it_in_order(state: Path, number: signal.Signals, code: int) -> None:
    demo = Demo(state)
    demo.wait_for("recovered: ")
    demo.process.send_signal(number)
    assert demo.end()[0] == code
    assert "leaving" in " ".join(demo.lines)


def test_started_safe_it_opens_nothing_until_somebody_arms(bourse: Bourse, tmp_path: Path) -> None:
    """Before the account is read; and so does the next start, which was not asked to."""
    key = bourse.open(tmp_path, 7)
    for words in (("--safe",), ()):
        demo = Demo(tmp_path, *hasty(tmp_path), *words)
        demo.wait_for(" refused by ")
        demo.kill()
    assert bourse.ask(shut=key)["asked"] == []


def test_killed_with_nine_it_takes_up_the_same_position_with_its_stop_and_never_orders_twice(state: Path) -> None:
    """Then the exchange vanishes with the position open: exit code 4, and what remains is named."""
    words = (*hasty(state, symbols='["BTCUSDT"]'), "--scenario", "bounce")
    demo = Demo(state, *words)
    demo.wait_for(" opened ")
    demo.kill()
    client = venue(state)
    before = held(client)
    assert len(before) == 1
    assert before[0][3] not in {"", "0"}
    for pause in (0.0, 0.4, 1.1):
        demo = Demo(state, *words)
        demo.wait_for("recovered: ")
        now = held(client)
        assert [row[:3] for row in now] == [row[:3] for row in before]
        assert all(row[3] not in {"", "0"} for row in now)
        assert before[0][0] in demo.wait_for("recovered: ")
        time.sleep(pause)
        demo.kill()
    ids = order_ids(client)
    assert len(ids) == len(set(ids)) == 1
    demo = Demo(state, *words)
    demo.wait_for("recovered: ")
    os.kill(exchange_of(state)["pid"], signal.SIGKILL)
    demo.process.send_signal(signal.SIGTERM)
    code, out = demo.end()
    assert code == 4, demo.lines
    receipt = json.loads(out.splitlines()[-1])
    assert receipt["positions_open"] == 1
    assert before[0][0] in receipt["exit_reason"]


def test_two_cockpits_never_trade_one_account(state: Path) -> None:
    first = Demo(state)
    first.wait_for("recovered: ")
    second = Demo(state)
    code, _ = second.end()
    assert code == 6
    assert "another Breakwall" in "".join(second.lines)
    first.process.send_signal(signal.SIGTERM)
    assert first.end()[0] == 0
