"""`breakwall doctor` as it is read: a table of 80 columns, one JSON object, and its exit codes."""

import json
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from breakwall.cli import app
from breakwall.cli.doctor import rows
from breakwall.doctor.finding import Finding, Verdict
from breakwall.keys import LIVE, LOOPBACK


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in (*LIVE, *LOOPBACK, "CREDENTIALS_DIRECTORY", "TMUX", "SSH_CONNECTION"):
        monkeypatch.delenv(name, raising=False)
    for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    return tmp_path


def doctor(*words: str) -> Result:
    return CliRunner().invoke(app, ["doctor", *words])


def config(home: Path, **venue: str) -> str:
    path = home / "my.toml"
    path.write_text('mode = "live"\n[venue]\n' + "".join(f'{name} = "{value}"\n' for name, value in venue.items()))
    return str(path)


@pytest.fixture
def nobody() -> dict[str, str]:
    """Addresses on this machine where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    sockets = {f"{name}_url": f"ws://127.0.0.1:{port}/{name}" for name in ("public", "private", "trade")}
    return {"rest_url": f"http://127.0.0.1:{port}"} | sockets


def test_the_demo_needs_no_exchange() -> None:
    done = doctor()
    assert done.exit_code == 0, done.output
    assert "SKIP  exchange          a demo needs none of Bybit's" in done.output
    assert done.output.splitlines()[-1].endswith("nothing found forbids trading")


def test_for_real_money_the_demos_settings_are_a_fault() -> None:
    done = doctor("--live", "--json")
    told = json.loads(done.output)
    assert (done.exit_code, told["passed"]) == (6, False)
    assert [one["point"] for one in told["findings"] if one["verdict"] == "fail"] == ["settings"]


def test_an_exchange_that_is_not_reached(home: Path, nobody: dict[str, str]) -> None:
    done = doctor("--config", config(home, **nobody))
    assert done.exit_code == 3
    assert "FAIL  REST" in done.output
    assert "-> check the network and the firewall" in done.output


def test_a_live_key_is_not_shown_to_an_exchange_on_this_machine(
    home: Path, nobody: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BYBIT_API_KEY", "canary-key-17")
    done = doctor("--config", config(home, **nobody), "--json")
    found = {one["point"]: one["found"] for one in json.loads(done.output)["findings"]}
    assert "a live key is never sent to a process on this machine" in found["key from"]
    assert "canary" not in done.output


def test_addresses_of_two_worlds_are_a_fault_and_nobody_is_asked(home: Path) -> None:
    done = doctor("--config", config(home, rest_url="https://api.bybit.com"))
    assert done.exit_code == 6
    assert "FAIL  settings" in done.output
    assert "REST" not in done.output


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_no_row_is_wider_than_the_terminal(columns: int) -> None:
    finding = Finding("tmux focus-events", Verdict.WARN, "word " * 60, "remedy " * 40 + "x" * 200)
    found = rows(finding, columns)
    assert max(map(len, found)) <= columns
    assert found[0].startswith("WARN  tmux focus-events ")
    assert sum(line.strip().startswith("-> ") for line in found) == 1
    assert rows(Finding("disk", Verdict.PASS, "much"), columns) == ["PASS  disk              much"]
