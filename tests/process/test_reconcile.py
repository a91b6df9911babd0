"""`breakwall reconcile` as a real process against a real exchange, without a cockpit."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from pybit.unified_trading import HTTP

from breakwall.cli.child import ChildExchange

pytestmark = pytest.mark.process
QUICK = "[recovery]\npasses = 2\npass_gap_s = 0.5\n"
HAND = {"category": "linear", "symbol": "SOLUSDT", "positionIdx": 0}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("reconcile")
    (path / "quick.toml").write_text(f'symbols = ["SOLUSDT"]\n{QUICK}')
    return path


@pytest.fixture(scope="module")
def exchange(folder: Path) -> Iterator[ChildExchange]:
    words = ("exchange", "--port", "0", "--seed", "5", "--scenario", "calm")
    with subprocess.Popen(
        [sys.executable, "-m", "breakwall", *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        told = {**json.loads(process.stdout.readline()), "pid": process.pid, "seed": 5, "scenario": "calm"}
        (folder / "exchange.json").write_text(json.dumps(told))
        yield msgspec.convert(told, ChildExchange)
        process.kill()


@pytest.fixture(scope="module")
def venue(exchange: ChildExchange) -> HTTP:
    """A person with another program on the same account."""
    client = HTTP(api_key=exchange.api_key, api_secret=exchange.api_secret)
    client.endpoint = exchange.http
    return client


def reconcile(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    words = ("reconcile", "--state", str(folder), "--config", str(folder / "quick.toml"), *words)
    return subprocess.run(
        [sys.executable, "-m", "breakwall", *words],
        env={**os.environ, "XDG_STATE_HOME": str(folder / "home")},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_a_position_opened_by_hand_gets_its_stop_and_is_reported(folder: Path, venue: HTTP) -> None:
    venue.place_order(**HAND, side="Buy", orderType="Market", qty="2", orderLinkId="phone-1")
    done = reconcile(folder, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["clean"]
    assert [report["purpose"] for report in told["passes"]] == ["start", "start", "by hand"]
    assert "SOLUSDT the position has no stop at the exchange: setting its stop" in told["passes"][0]["actions"]
    (position,) = venue.get_positions(category="linear", symbol="SOLUSDT")["result"]["list"]
    assert float(position["size"]) == 2
    assert told["held"] == [f"SOLUSDT +2.0, stop {float(position['stopLoss']):.3f}"]
    again = reconcile(folder)
    assert (again.returncode, again.stdout.splitlines()[-1]) == (0, "clean: journal and exchange agree")


def test_an_order_of_another_breakwall_stays_unexplained(folder: Path, venue: HTTP) -> None:
    bid = float(venue.get_tickers(category="linear", symbol="SOLUSDT")["result"]["list"][0]["bid1Price"])
    venue.place_order(
        **HAND, side="Buy", orderType="Limit", qty="1", price=f"{bid * 0.99:.2f}", orderLinkId="bw-zzzzzzzz-1-e"
    )
    done = reconcile(folder)
    venue.cancel_order(category="linear", symbol="SOLUSDT", orderLinkId="bw-zzzzzzzz-1-e")
    assert done.returncode == 5, done.stderr
    assert done.stdout.splitlines()[-1].startswith(
        "NOT CLEAN: SOLUSDT order bw-zzzzzzzz-1-e was made by another Breakwall"
    )


def test_a_cockpit_that_is_up_is_pointed_to(folder: Path, exchange: ChildExchange) -> None:
    code = (
        "import sys, pathlib; from breakwall.storage.runs import InstanceLock; "
        "lock = InstanceLock('bybit', 'embedded', sys.argv[1]); lock.acquire(); print('held', flush=True); input()"
    )
    home = {**os.environ, "XDG_STATE_HOME": str(folder / "home")}
    with subprocess.Popen(
        [sys.executable, "-c", code, exchange.api_key], stdin=-1, stdout=-1, stderr=-3, text=True, env=home
    ) as cockpit:
        assert cockpit.stdout is not None
        assert cockpit.stdout.readline() == "held\n"
        done = reconcile(folder)
        cockpit.kill()
    assert done.returncode == 6
    assert "the key is R" in done.stderr


def test_without_an_exchange_there_is_nothing_to_compare_with(folder: Path) -> None:
    done = reconcile(folder / "nowhere", "--config", str(folder / "quick.toml"))
    assert done.returncode == 3
    assert "expected an exchange that is alive" in done.stderr
    assert not (folder / "nowhere").exists()
