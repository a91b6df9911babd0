"""The demo as a real process: started, signalled, killed with -9, robbed of its exchange."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pybit.unified_trading import HTTP

from breakwall.headless import Receipt

pytestmark = pytest.mark.process
TOO_LONG_S = 100.0


class Demo:
    """One `breakwall demo --no-ui` process and the lines it says."""

    def __init__(self, state: Path, *words: str, seed: int = 5) -> None:
        self.state = state
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "breakwall",
                "demo",
                "--no-ui",
                "--seed",
                str(seed),
                "--state",
                str(state),
                *words,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "XDG_STATE_HOME": str(state)},
        )
        self.lines: list[str] = []
        self.reader = threading.Thread(target=self._listen, daemon=True)
        self.reader.start()

    def _listen(self) -> None:
        assert self.process.stderr is not None
        self.lines.extend(self.process.stderr)

    def wait_for(self, words: str) -> str:
        deadline = time.monotonic() + TOO_LONG_S
        while time.monotonic() < deadline:
            for line in tuple(self.lines):
                if words in line:
                    return line
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise AssertionError(f"never said {words!r}: {self.lines[-20:]}")

    def kill(self) -> None:
        self.process.kill()
        self.end()

    def end(self) -> tuple[int, str]:
        """Exit code and stdout, once it has ended."""
        assert self.process.stdout is not None
        out = self.process.stdout.read()
        code = self.process.wait(TOO_LONG_S)
        self.reader.join()
        self.process.stdout.close()
        assert self.process.stderr is not None
        self.process.stderr.close()
        return code, out


def exchange_of(state: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((state / "exchange.json").read_text())
    return told


def venue(state: Path) -> HTTP:
    """An independent client of the demo's exchange: unmodified pybit."""
    told = exchange_of(state)
    client = HTTP(api_key=told["api_key"], api_secret=told["api_secret"])
    client.endpoint = told["http"]
    return client


def held(client: HTTP) -> list[tuple[str, str, str, str]]:
    rows = client.get_positions(category="linear", settleCoin="USDT")["result"]["list"]
    return sorted((row["symbol"], row["side"], row["size"], row["stopLoss"]) for row in rows)


def order_ids(client: HTTP) -> list[str]:
    rows = client.get_order_history(category="linear", limit=50)["result"]["list"]
    return [row["orderLinkId"] for row in rows if row["orderLinkId"]]


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


def test_killed_with_nine_it_takes_up_the_same_position_with_its_stop_and_never_orders_twice(state: Path) -> None:
    """Then the exchange vanishes with the position open: exit code 4, and what remains is named."""
    demo = Demo(state)
    demo.wait_for(" opened ")
    demo.kill()
    client = venue(state)
    before = held(client)
    assert len(before) == 1
    assert before[0][3] not in {"", "0"}
    for pause in (0.0, 0.4, 1.1):
        demo = Demo(state)
        demo.wait_for("recovered: ")
        now = held(client)
        assert [row[:3] for row in now] == [row[:3] for row in before]
        assert all(row[3] not in {"", "0"} for row in now)
        assert before[0][0] in demo.wait_for("recovered: ")
        time.sleep(pause)
        demo.kill()
    ids = order_ids(client)
    assert len(ids) == len(set(ids)) == 1
    demo = Demo(state, "--json")
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
