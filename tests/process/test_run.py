"""`breakwall run` as a real process: what it refuses before it asks anybody, and an account traded from end to end.

An exchange on this machine stands in for Bybit's testnet.
"""

import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.process.books import Bourse, judge
from tests.process.demo import HASTY, TOO_LONG_S, Demo

pytestmark = pytest.mark.process


def environment(home: Path, **keys: str) -> dict[str, str]:
    """Ours without any key but these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("BYBIT", "BREAKWALL"))}
    return {**kept, "XDG_STATE_HOME": str(home), "XDG_CONFIG_HOME": str(home), **keys}


def breakwall(home: Path, *words: str, **keys: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "breakwall", *words],
        env=environment(home, **keys),
        capture_output=True,
        text=True,
        check=False,
        timeout=TOO_LONG_S,
    )


class Run(Demo):
    """One `breakwall run`, and the lines it says."""

    def __init__(self, home: Path, path: str, keys: dict[str, str]) -> None:
        self.state = home
        self.process = subprocess.Popen(
            [sys.executable, "-m", "breakwall", "run", "--no-ui", "--json", "--config", path],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(home, **keys),
        )
        self.everybody.append(self)
        self.lines: list[str] = []
        self.reader = threading.Thread(target=self._listen, daemon=True)
        self.reader.start()


def opened(bourse: Bourse, folder: Path, seed: int) -> tuple[dict[str, str], dict[str, str]]:
    """An exchange that always has something to trade: where it is, and the names of its keys."""
    bourse.open(folder, seed)
    told = json.loads((folder / "exchange.json").read_text())
    return told, {"BREAKWALL_SIM_KEY": told["api_key"], "BREAKWALL_SIM_SECRET": told["api_secret"]}


def config(home: Path, where: dict[str, str], name: str = "testnet", **top: str) -> str:
    """A settings file for this exchange, in the place of Bybit's environment of this name."""
    urls = {"rest_url": where["http"], "public_url": where["public"], "private_url": where["private"]}
    venue = "".join(f'{key} = "{value}"\n' for key, value in ({"environment": name} | urls).items())
    settings = HASTY | {"mode": '"live"'} | top
    path = home / f"{name}.toml"
    path.write_text("".join(f"{key} = {value}\n" for key, value in settings.items()) + f"[venue]\n{venue}")
    return str(path)


def test_a_live_key_is_refused_before_anybody_on_this_machine_hears_of_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        where = {"http": f"http://{address}", "public": f"ws://{address}/x", "private": f"ws://{address}/y"}
        keys = {"BYBIT_API_KEY": "k" * 18, "BYBIT_API_SECRET": "s" * 36}
        done = breakwall(tmp_path, "run", "--no-ui", "--config", config(tmp_path, where), **keys)
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert done.returncode == 6
    assert "a live key is never sent to a process on this machine" in done.stderr
    assert "k" * 18 not in done.stderr


def test_mainnet_asks_for_the_word_and_a_doctor_that_passes(bourse: Bourse, tmp_path: Path) -> None:
    """An exchange on this machine in the place of mainnet: the words of the settings decide, not the address."""
    where, keys = opened(bourse, tmp_path, 1)
    path = config(tmp_path, where, "mainnet", risk="{max_order_usdt = 6}")
    done = breakwall(tmp_path, "run", "--no-ui", "--config", path, **keys)
    assert (done.returncode, "expected --live with it, found none" in done.stderr) == (6, True)
    done = breakwall(tmp_path, "run", "--no-ui", "--live", "--config", path, **keys)
    assert done.returncode == 6
    assert "doctor: nothing is traded:" in done.stderr
    assert "smallest order: SOLUSDT" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_account_is_armed_traded_killed_and_recovered_safe(bourse: Bourse, tmp_path: Path) -> None:
    where, keys = opened(bourse, tmp_path, 2)
    path = config(tmp_path, where)
    first = Run(tmp_path, path, keys)
    assert "SAFE (by the start" in first.wait_for("recovered: flat; ")
    (folder,) = (tmp_path / "breakwall/accounts").iterdir()
    first.wait_until((folder / "heartbeat.json").exists)
    armed = breakwall(tmp_path, "tell", "arm", "--config", path)
    assert (armed.returncode, armed.stdout) == (0, "SIM: arm: ARMED\n"), armed.stderr
    first.wait_for("SOLUSDT opened ")
    second = breakwall(tmp_path, "run", "--no-ui", "--config", path, **keys)
    assert (second.returncode, f"process {first.process.pid}" in second.stderr) == (6, True)
    first.kill()
    again = Run(tmp_path, path, keys)
    assert "; SAFE (by the start" in again.wait_for("recovered: ")
    code, out = again.leave()
    assert code == 0, again.tail
    receipt = json.loads(out)
    assert (receipt["mode"], receipt["positions_opened"], receipt["positions_open"]) == ("SIM", 0, 0)
    judge(bourse.ask(shut=where["api_key"]))
    checked = breakwall(tmp_path, "ledger", "check", "--config", path)
    assert str(folder / "ledger.db") in checked.stdout


def test_a_key_of_another_account_does_not_get_this_ones_folder(bourse: Bourse, tmp_path: Path) -> None:
    for seed in (3, 4):
        where, keys = opened(bourse, tmp_path, seed)
        words = ("--no-ui", "--for", "1s", "--config", config(tmp_path, where), "--state", str(tmp_path / "one"))
        done = breakwall(tmp_path, "run", *words, **keys)
    assert done.returncode == 6, done.stderr
    assert "journal: belongs to account " in done.stderr
