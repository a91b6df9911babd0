"""The command line as a user meets it: in its own process, with its exit codes and messages."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from breakwall import __version__


def run(*words: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "breakwall", *words],
        cwd=cwd,
        env={**os.environ, "XDG_STATE_HOME": str(cwd / "state"), "HOME": str(cwd), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_version(tmp_path: Path) -> None:
    done = run("--version", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"breakwall {__version__}\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["dmeo"], "No such command 'dmeo'"),
        (["inspect", "x"], "Missing option '--symbol'"),
        (["inspect", "nowhere", "--symbol", "X"], "nowhere: cannot be read (No such file or directory)"),
        (["replay", "nowhere", "--check"], "nowhere: cannot be read (No such file or directory)"),
        (["replay", "nowhere", "--no-ui"], "nowhere: cannot be read (No such file or directory)"),
        (["replay", "a", "b", "--check"], "expected one recording with it, found 2"),
        (["import", "nowhere", "--out", "x"], "nowhere: cannot be read (No such file or directory)"),
        (["config", "check", "--config", "nowhere"], "nowhere: cannot be read"),
        (["demo", "--config", "nowhere"], "nowhere: cannot be read"),
        (["demo", "--for", "never"], "expected a span such as 90s"),
        (["demo", "--scenario", "quiet"], "expected one of tour, calm"),
        (["exchange", "--scenario", "quiet"], "expected one of tour, calm"),
        (["exchange", "--port", "70000"], "--port"),
    ],
)
def test_bad_usage_is_one_message_and_code_2(tmp_path: Path, words: list[str], message: str) -> None:
    done = run(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.startswith("breakwall: ")
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "state").exists()


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("exchange", "--port", str(port), cwd=tmp_path)
    assert done.returncode == 2
    assert str(port) in done.stderr
    assert "--port 0" in done.stderr
    assert "Traceback" not in done.stderr


def test_unknown_markets_are_named(tmp_path: Path) -> None:
    done = run("exchange", "--symbols", "BTCUSDT,NOPE", cwd=tmp_path)
    assert done.returncode == 2
    assert "NOPE" in done.stderr


def test_config_init_check_and_show(tmp_path: Path) -> None:
    assert run("config", "init", "--config", "my.toml", cwd=tmp_path).returncode == 0
    checked = run("config", "check", "--config", "my.toml", cwd=tmp_path)
    assert (checked.returncode, checked.stdout[:14]) == (0, "my.toml: fine ")
    again = run("config", "init", "my.toml", cwd=tmp_path)
    assert again.returncode == 2
    assert "my.toml: already there; give another name, or --force" in again.stderr
    (tmp_path / "my.toml").write_text("[risk]\nleverage = 3\nmax_positons = 1\n")
    wrong = run("config", "check", "my.toml", cwd=tmp_path)
    assert wrong.returncode == 2
    assert "[risk] max_positons: unknown key; did you mean 'max_positions'?" in wrong.stderr
    assert run("config", "init", "my.toml", "--force", cwd=tmp_path).returncode == 0
    shown = run("config", "show", "my.toml", cwd=tmp_path).stdout
    assert "\n[risk]\nleverage = 10\n" in shown
    assert "# sha256 " in shown
    as_json = json.loads(run("config", "show", "--json", cwd=tmp_path).stdout)
    assert as_json["symbols"] == ["BTCUSDT", "ETHUSDT", "SOLUSDT"]


def test_config_check_names_keys_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text('[keys]\nflatten = "f9"\npaws = "k"\n')
    wrong = run("config", "check", "my.toml", cwd=tmp_path)
    assert wrong.returncode == 2
    assert "my.toml: 2 mistakes" in wrong.stderr
    assert "[keys] flatten: F9 is panic's and nothing may take it; choose another key" in wrong.stderr
    assert "[keys] paws: unknown action; did you mean 'pause'?" in wrong.stderr


def test_config_check_knows_themes_and_reads_those_of_the_user(tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text('[ui]\ntheme = "midnite"\n[keys]\npaws = "k"\n')
    (tmp_path / "breakwall/themes").mkdir(parents=True)
    (tmp_path / "breakwall/themes/own.toml").write_text('name = "own"\nansy = true\n')
    wrong = run("config", "check", "my.toml", cwd=tmp_path, XDG_CONFIG_HOME=str(tmp_path))
    assert wrong.returncode == 2
    assert "[keys] paws: unknown action; did you mean 'pause'?" in wrong.stderr
    assert "my.toml: 1 mistake\n  [ui] theme: no theme 'midnite'; did you mean 'midnight'?" in wrong.stderr
    assert "own.toml: " in wrong.stderr
    assert "ansy: unknown key; did you mean 'ansi'?" in wrong.stderr
    (tmp_path / "my.toml").write_text('[ui]\ntheme = "nord"\n')
    assert run("config", "check", "my.toml", cwd=tmp_path).returncode == 0


def test_config_keys_prints_those_in_force(tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text('[keys]\nflatten = ["k", "f5"]\n')
    printed = run("config", "keys", "my.toml", cwd=tmp_path).stdout
    assert "| `k` `F5` then `Enter` | flatten the symbol" in printed
    assert "| `F9` `X` then `Enter` | PANIC" in printed


def test_what_show_prints_can_be_read_again(tmp_path: Path) -> None:
    shown = run("config", "show", cwd=tmp_path).stdout
    (tmp_path / "again.toml").write_text(shown)
    assert run("config", "show", "again.toml", cwd=tmp_path).stdout == shown


def test_an_internal_error_is_one_line_and_a_log_file(tmp_path: Path) -> None:
    program = (
        "import sys; sys.argv = ['breakwall', 'config', 'show']; import breakwall.cli.config as c\n"
        "def broken(path): raise RuntimeError('the \\x1b[31mroof is on fire')\n"
        "c.load = broken; from breakwall.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "XDG_STATE_HOME": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "internal error: RuntimeError: the [31mroof is on fire" in done.stderr
    assert "Traceback" not in done.stderr
    (log,) = tmp_path.rglob("crash-*.log")
    assert str(log) in done.stderr
    assert "RuntimeError" in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600


def frames(count: int) -> str:
    kinds = ["snapshot"] + ["delta"] * (count - 1)
    return "".join(
        json.dumps(
            {
                "topic": "orderbook.50.BTCUSDT",
                "type": kind,
                "ts": u,
                "data": {"s": "BTCUSDT", "b": [["1", str(u)]], "a": [["2", "1"]], "u": u, "seq": u},
            }
        )
        + "\n"
        for u, kind in enumerate(kinds, start=1)
    )


def test_inspect_prints_the_asked_messages_and_the_sums(tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_text(frames(10))
    done = run("inspect", "r.jsonl", "--symbol", "BTCUSDT", "--at", "3", "--every", "5", "--json", cwd=tmp_path)
    *points, end = (json.loads(line) for line in done.stdout.splitlines())
    assert done.returncode == 0
    assert [(point["n"], point["bid"]) for point in points] == [(3, ["1", "3"]), (5, ["1", "5"]), (10, ["1", "10"])]
    assert set(points[0]) == {
        "n",
        "ts",
        "u",
        "seq",
        "bid",
        "ask",
        "nb",
        "na",
        "sum_bid50",
        "sum_ask50",
        "sha256_top50",
    }
    assert (end["summary"]["applied"], end["summary"]["gaps"]) == (10, 0)
    plain = run("inspect", "r.jsonl", "--symbol", "BTCUSDT", cwd=tmp_path).stdout
    assert plain.startswith("n 10  ts 10 ")
    beyond = run("inspect", "r.jsonl", "--symbol", "BTCUSDT", "--at", "11", cwd=tmp_path)
    assert beyond.returncode == 2
    assert "--at 11: expected at most 10" in beyond.stderr


def test_a_reader_that_leaves_early_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_text(frames(3000))
    command = f"{sys.executable} -m breakwall inspect r.jsonl --symbol BTCUSDT --every 1 | head -1"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("n 1 ")
    assert done.stderr == ""


@pytest.mark.parametrize("closed", ["2>&-", ">&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_error(tmp_path: Path, closed: str) -> None:
    assert in_shell(f"config show {closed}", tmp_path).returncode == 0
    assert list(tmp_path.glob("state/breakwall/crashes/*")) == []


def test_a_reader_that_leaves_is_no_error(tmp_path: Path) -> None:
    done = in_shell("config show | true; exit ${PIPESTATUS[0]}", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_output_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    done = in_shell("config show >/dev/full", tmp_path)
    assert done.returncode == 2
    assert "the output: cannot be written (No space left on device)" in done.stderr


def in_shell(words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", f"{sys.executable} -m breakwall {words}"],
        cwd=cwd,
        env={**os.environ, "XDG_STATE_HOME": str(cwd / "state"), "HOME": str(cwd)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_an_exchange_without_markets_is_refused(tmp_path: Path) -> None:
    done = run("exchange", "--symbols", " , ", cwd=tmp_path)
    assert done.returncode == 2
    assert "expected markets such as BTCUSDT" in done.stderr


def test_a_recording_of_another_program_is_called_so(tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_text('{"t":"header","format":2,"exchange":"BYBIT"}\n')
    done = run("replay", "r.jsonl", "--check", cwd=tmp_path)
    assert done.returncode == 2
    assert "another program wrote it; `breakwall inspect` reads" in done.stderr


def test_settings_with_a_byte_order_mark_or_none_at_all(tmp_path: Path) -> None:
    (tmp_path / "bom.toml").write_bytes(b"\xef\xbb\xbfschema = 1\n")
    (tmp_path / "picture.toml").write_bytes(b"\x89PNG\r\n")
    assert run("config", "check", "bom.toml", cwd=tmp_path).returncode == 0
    done = run("config", "check", "picture.toml", cwd=tmp_path)
    assert done.returncode == 2
    assert "picture.toml: cannot be read (not a text file in UTF-8)" in done.stderr


def test_a_start_that_fails_leaves_no_exchange_behind(tmp_path: Path) -> None:
    (tmp_path / "run" / "journal.db").mkdir(parents=True)
    done = run("demo", "--for", "2s", "--state", "run", cwd=tmp_path)
    assert done.returncode == 6
    assert "run/journal.db: the journal cannot be written (Is a directory)" in done.stderr
    told = re.search(r"http://127\.0\.0\.1:(\d+)", done.stderr)
    assert told is not None
    port = int(told[1])
    assert not (tmp_path / "run" / "exchange.json").exists()
    deadline = time.monotonic() + 60
    while listens(port):
        assert time.monotonic() < deadline, "the exchange is still there"
        time.sleep(0.05)


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
