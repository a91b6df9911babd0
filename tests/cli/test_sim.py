"""`breakwall sim`: the verdict, its exit code, and that what it prints shows a broken promise again."""

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

BREAKWALL = [sys.executable, "-m", "breakwall"]
MUTANT = """
import sys
import breakwall.venues.bybit.broker as broker
body = broker.order_body
broker.order_body = lambda *a: {k: v for k, v in body(*a).items() if k != "stopLoss"}
from breakwall.cli import main
sys.argv = ["breakwall", *sys.argv[1:]]
main()
"""


def run(*words: str, program: list[str] = BREAKWALL) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*program, "sim", *words], capture_output=True, text=True, check=False)


def test_a_verdict_as_one_json_line() -> None:
    done = run("--runs", "2", "--seconds", "20", "--mix", "calm", "--jobs", "2", "--json")
    assert done.returncode == 0, done.stderr
    verdict = json.loads(done.stdout)
    assert verdict["sessions"] == 2
    assert verdict["violations"] == []
    assert verdict["virtual_s"] >= 40
    assert verdict["faults"] == {}
    assert "2/2 sessions, 0 violations" in done.stderr


def test_a_mix_from_a_file_and_a_verdict_in_words(tmp_path: Path) -> None:
    mix = tmp_path / "mine.toml"
    mix.write_text('[[faults]]\nkind = "answer-late"\nlasts_s = [60, 60]\ndelay_s = [0.1, 0.1]\n')
    done = run("--seed", "3", "--seconds", "15", "--mix", str(mix))
    assert done.returncode == 0, done.stderr
    assert "1, 0 violations" in done.stdout
    assert "answer-late" in done.stdout


def test_a_broken_promise_ends_with_1_and_a_line_that_shows_it_again() -> None:
    """Entries lose their stop on the way; what is printed, run by a shell, ends the same way at the same time."""
    mutant = [sys.executable, "-c", MUTANT]
    done = run("--seed", "2", "--seconds", "40", "--mix", "network", "--jobs", "1", "--shrink", program=mutant)
    assert done.returncode == 1
    promise = next(line for line in done.stdout.splitlines() if line.startswith("seed 2: I1 at "))
    for mark in ("see it again: ", "smaller: "):
        line = next(line.partition(mark)[2] for line in done.stdout.splitlines() if mark in line)
        program, command, *words = shlex.split(line)
        assert (program, command) == ("breakwall", "sim")
        again = run(*words, program=mutant)
        assert again.returncode == 1
        assert (promise if mark.startswith("see") else "seed 2: I1 at ") in again.stdout


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_interrupted_it_judges_what_it_has_seen(jobs: str) -> None:
    words = [*BREAKWALL, "sim", "--runs", "40", "--seconds", "5", "--mix", "calm", "--jobs", jobs]
    going = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True, bufsize=1
    )
    assert going.stderr is not None
    assert "4/40" in going.stderr.readline()
    os.killpg(going.pid, signal.SIGINT)
    told, _ = going.communicate()
    assert going.returncode == 130
    assert 4 <= int(told.split()[1].rstrip(",")) < 40
    assert "Traceback" not in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--mix", "netwrok"], "did you mean 'network'?"),
        (["--session", "{"], "expected a session as it was printed"),
        (["--session", '{"seed": 1, "faults": [{"kind": "rain"}]}'], "Invalid enum value 'rain'"),
        (["--runs", "0"], "--runs"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_mistakes_are_told(words: list[str], told: str) -> None:
    done = run(*words)
    assert done.returncode == 2
    assert told in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
