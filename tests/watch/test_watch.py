"""The watch as a process: it tells, it calls, it panics, and it is small."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from breakwall.heartbeat import Beat, Held, encode
from breakwall.places import write_whole
from breakwall.watch.command import Watch, _environment_in, main

OPEN = Beat(
    1, 1, 0, "SIM", "ACTIVE", "", True, False, 1.0, 5, 0, (Held("BTCUSDT", "LONG", "1", "9", None, 1),), False
)
MOST_MB = 40
TELL = """
import json, os, sys
os.chdir({!r})
json.dump([sys.argv[1:], dict(os.environ)], open("told.new", "w"))
os.rename("told.new", "told.json")
"""


class Watching:
    def __init__(self, folder: Path, *words: str) -> None:
        self.folder = folder
        self.heard = folder / "heard"
        with self.heard.open("wb") as heard:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "breakwall", "watch", "--state", str(folder), "--after", "1s", *words],
                stderr=heard,
                env={**os.environ, "BYBIT_API_KEY": "canary-key", "XDG_STATE_HOME": str(folder)},
            )

    def beat(self, beat: Beat) -> None:
        write_whole(self.folder / "heartbeat.json", encode(beat))

    def until(self, condition: Callable[[], object]) -> str:
        deadline = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < deadline, self.heard.read_text()
            time.sleep(0.02)
        return self.heard.read_text()

    def hears(self, words: str) -> str:
        return self.until(lambda: words in self.heard.read_text())


@pytest.fixture
def watching(tmp_path: Path) -> Iterator[Callable[..., Watching]]:
    started: list[Watching] = []

    def start(*words: str) -> Watching:
        started.append(Watching(tmp_path, *words))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()


def test_a_process_that_is_stopped_is_told_and_the_command_runs_with_the_facts(tmp_path: Path, watching) -> None:
    """The command's words are never a shell's, and it gets no key."""
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        (tmp_path / "tell.py").write_text(TELL.format(str(tmp_path)))
        watch = watching("--command", f"{sys.executable} {tmp_path / 'tell.py'} '$(touch pwned); x'")
        watch.hears("watching")
        watch.beat(OPEN._replace(pid=sleeper.pid))
        sleeper.send_signal(signal.SIGSTOP)
        watch.hears(f"ALARM silent: process {sleeper.pid} is stopped (SIGSTOP)")
        watch.until((tmp_path / "told.json").exists)
        words, environ = json.loads((tmp_path / "told.json").read_text())
        assert words == ["$(touch pwned); x"]
        assert environ["BREAKWALL_ALARM"] == "silent"
        assert environ["BREAKWALL_ALARM_HELD"] == "BTCUSDT LONG 1 (stop 9)"
        assert "BYBIT_API_KEY" not in environ
        status = Path(f"/proc/{watch.process.pid}/status")
        if status.exists():
            (peak_kb,) = [
                int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")
            ]
            assert peak_kb < MOST_MB * 1024
        sleeper.send_signal(signal.SIGCONT)
        watch.beat(OPEN._replace(pid=sleeper.pid, number=2, positions=()))
        watch.hears("over: silent")
        watch.process.send_signal(signal.SIGTERM)
        assert watch.process.wait(10) == 0
    finally:
        sleeper.kill()
        sleeper.wait()


def test_by_policy_it_runs_panic_again_and_again_until_flat_is_proven(tmp_path: Path, watching) -> None:
    """Here nothing can be proven: the exchange of this run folder is not there."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    watch = watching("--policy", "panic", "--", "--url", "http://127.0.0.1:9", "--for", "100ms")
    watch.beat(OPEN._replace(pid=gone.pid))
    said = watch.hears("panic ended with exit code 6")
    assert f"process {gone.pid} is gone" in said
    assert "a live key is never sent" in said
    assert "canary-key" not in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--after", "soon"], "expected a span"),
        (["--command", "'"], "No closing quotation"),
        (["--policy", "hope"], "invalid choice"),
    ],
)
def test_what_cannot_be_asked_is_said(capsys, words: list[str], said: str) -> None:
    assert main(words) == 2
    assert said in capsys.readouterr().err


def account(home: Path, name: str, beat: Beat) -> Path:
    folder = home / "breakwall/accounts" / name
    folder.mkdir(parents=True)
    write_whole(folder / "heartbeat.json", encode(beat))
    return folder


@pytest.mark.parametrize(
    ("settings", "environment"),
    [
        ('mode = "live"\n[venue]\nenvironment = "mainnet"\n', "mainnet"),
        ('mode = "live"\n', "testnet"),
        ('mode = "live"\n[venue]\nrest_url = "http://127.0.0.1:9"\n', "embedded"),
        ('mode = "paper"\nvenue = 7\n', "paper"),
        ('[venue]\nenvironment = "mainnet"\n', ""),
    ],
)
def test_settings_say_whose_account_is_watched(tmp_path: Path, settings: str, environment: str) -> None:
    (tmp_path / "my.toml").write_text(settings)
    assert _environment_in(tmp_path / "my.toml") == environment


def test_the_account_of_that_environment_is_watched(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    account(tmp_path, "bybit-testnet-7", OPEN)
    watched = account(tmp_path, "bybit-mainnet-7", OPEN)
    watch = Watch(None, "mainnet", after_s=60, repeat_s=60, command=[])
    watch.look()
    assert watch._folder == watched


def test_an_account_that_nobody_watches_is_named(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    lives = account(tmp_path, "bybit-mainnet-7", OPEN._replace(pid=os.getpid(), mode="BYBIT LIVE"))
    account(tmp_path, "bybit-testnet-7", OPEN._replace(pid=os.getpid(), ended=True))
    assert main(["--for", "1ms"]) == 0
    (named,) = [line for line in capsys.readouterr().err.splitlines() if "NOT watched" in line]
    assert f"NOT watched: BYBIT LIVE in {lives}; name it with --config FILE or --state DIR" in named


@pytest.mark.parametrize("content", ["mode = ", None])
def test_settings_that_cannot_be_read_are_named(tmp_path: Path, capsys, content: str | None) -> None:
    path = tmp_path / "my.toml"
    if content is not None:
        path.write_text(content)
    assert main(["--config", str(path)]) == 2
    assert "breakwall: watch: " in capsys.readouterr().err
