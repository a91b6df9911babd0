"""The demo on the market of a recording, as real processes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.process.demo import TOO_LONG_S
from tests.replay.test_recorded import deltas, gap, record

pytestmark = pytest.mark.process


def breakwall(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "breakwall", *words],
        env={**os.environ, "XDG_STATE_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
        timeout=TOO_LONG_S,
    )


def test_a_demo_on_a_recording_with_a_gap_asks_once_and_ends_with_it(tmp_path: Path) -> None:
    lines = record(8)
    path, settings = tmp_path / "recording.jsonl", tmp_path / "settings.toml"
    path.write_text("".join(json.dumps(line) + "\n" for line in gap(lines, deltas(lines))))
    settings.write_text("[venue]\nbook_silence_s = 60.0\n")  # a slow machine is not a silent market
    words = ("--recording", str(path), "--no-ui", "--json", "--config", str(settings))
    done = breakwall(tmp_path, "demo", *words)
    assert done.returncode == 0, done.stderr
    receipt = json.loads(done.stdout)
    assert (receipt["symbols"], receipt["gaps"], receipt["resyncs"]) == (["BTCUSDT"], 1, 1)
    assert receipt["scenario"] == "recording recording.jsonl"
    assert receipt["book_messages"] > 60
    assert "the recording lasts 8 s" in done.stderr


@pytest.mark.parametrize("command", ["demo", "exchange"])
def test_what_is_no_recording_is_one_line_and_exit_code_2(tmp_path: Path, command: str) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear Sir,\n")
    done = breakwall(tmp_path, command, "--recording", str(path))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith("found a file that begins with 'Dear Sir,'.\n")
    assert len(done.stderr.splitlines()) <= 2  # a demo without a terminal says so
