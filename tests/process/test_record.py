"""`record`, `import` and `replay` as real processes: an exchange on this machine is the venue."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from breakwall.storage.lines import Lines
from tests.process.books import Bourse
from tests.process.demo import TOO_LONG_S
from tests.process.test_run import config, opened
from tests.replay import market

pytestmark = pytest.mark.process


class Recorder:
    """A `breakwall record` that runs."""

    def __init__(self, out: Path, settings: Path) -> None:
        words = (
            "record",
            "--out",
            str(out),
            "--symbols",
            "SOLUSDT",
            "--json",
            "--config",
            str(settings),
            "--for",
            "60s",
        )
        self.process = subprocess.Popen(
            [sys.executable, "-m", "breakwall", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def hears(self) -> None:
        """Return once the link is up."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if "link up" in line:
                return
        pytest.fail("it ended before the link was up")

    def end(self, number: signal.Signals) -> tuple[int, str]:
        self.process.send_signal(number)
        out, _ = self.process.communicate(timeout=TOO_LONG_S)
        return self.process.returncode, out


def breakwall(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "breakwall", *words], capture_output=True, text=True, check=False, timeout=TOO_LONG_S
    )


def test_a_recording_goes_on_in_a_new_file_after_a_kill(bourse: Bourse, tmp_path: Path) -> None:
    where, _ = opened(bourse, tmp_path, 3)
    settings, out = config(tmp_path, where, mode='"paper"'), tmp_path / "out"
    first = Recorder(out, settings)
    first.hears()
    first.process.kill()
    first.process.communicate()
    (cut,) = out.iterdir()
    second = Recorder(out, settings)
    second.hears()
    code, printed = second.end(signal.SIGTERM)
    assert code == 0
    receipt = json.loads(printed)
    bourse.ask(shut=where["api_key"])
    assert receipt["exit_reason"] == "SIGTERM"
    assert (receipt["gaps"], receipt["symbols"]) == (0, ["SOLUSDT"])
    (whole,) = map(Path, receipt["parts"])
    assert {path.name for path in out.iterdir()} == {cut.name, whole.name}
    lines = Lines(whole)
    kinds = [json.loads(line)["t"] for line in lines]
    assert lines.cut == ""
    assert kinds[:3] == ["header", "http", "http"]
    assert kinds.count("recv") == receipt["frames"]


def test_a_replay_is_the_same_at_any_speed(tmp_path: Path) -> None:
    path = market.written(market.recorded(), tmp_path / "r.jsonl")
    receipts = [
        json.loads(done.stdout)
        for speed in ("max", "100")
        if (done := breakwall("replay", str(path), "--no-ui", "--speed", speed, "--json")).returncode == 0
    ]
    assert len(receipts) == 2
    assert receipts[0]["actions_digest"] == receipts[1]["actions_digest"]
    assert (receipts[0]["mode"], receipts[0]["gaps"], receipts[0]["exit_reason"]) == (
        "REPLAY",
        0,
        "the recording is over",
    )


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("replay", "FILE", "--no-ui"), "expected a recording"),
        (("import", "FILE", "--out", "OUT"), "expected a recording"),
        (("replay", "FILE", "--speed", "1000"), "expected 0.1 to 100, or max, found '1000'"),
        (("record", "--out", "OUT", "--depth", "7"), "expected 1, 50, 200 or 1000, found 7"),
    ],
)
def test_mistakes_are_one_message(tmp_path: Path, words: tuple[str, ...], text: str) -> None:
    path = tmp_path / "letter"
    path.write_text("Dear Sir,\n")
    places = {"FILE": str(path), "OUT": str(tmp_path / "out")}
    done = breakwall(*(places.get(word, word) for word in words))
    assert (done.returncode, done.stdout) == (2, "")
    assert text in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert [left.name for left in tmp_path.iterdir()] == ["letter"]
