"""One log: what a line is for people, for programs, and what is in none of them."""

import json
import unicodedata
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakwall.logs.files import Gap
from breakwall.logs.log import Log
from breakwall.model.actions import Note
from breakwall.redaction import hide
from breakwall.settings import LogSettings

NOON = int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp() * 1000)
CANARY = "kAnArY5ecretN0oneMayRead"


class Sinks:
    """A log with its console kept and its files in a folder."""

    def __init__(self, folder: Path, console: str = "info", **options: Any) -> None:
        self.folder = folder
        self.said: list[str] = []
        self.log = Log(LogSettings(**options), console, self.said.append)
        self.log.open(folder)

    @property
    def console(self) -> str:
        return "".join(self.said)

    def lines(self, prefix: str = "") -> list[dict[str, Any]]:
        """What is in the files of that day, once all is written."""
        assert self.log.close(5)
        path = self.folder / f"{prefix}2026-11-20.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_a_note_for_people_and_for_programs(tmp_path: Path) -> None:
    sinks = Sinks(tmp_path)
    sinks.log.bind(run=7, mode="SIM")
    data: dict[str, str | int | None] = {"lots": 21}
    sinks.log.note(Note("entry", "buy 0.021", "info", "BTCUSDT", "7-az", "bw-7-az-e", data), NOON + 1)
    sinks.log.say(NOON + 2, "warning", "already leaving")
    assert sinks.console == "12:00:00.001 INFO    BTCUSDT buy 0.021 [7-az]\n12:00:00.002 WARNING already leaving\n"
    entry, process = sinks.lines()
    assert entry == {
        "at": "2026-11-20T12:00:00.001+00:00",
        "level": "info",
        "kind": "entry",
        "text": "buy 0.021",
        "symbol": "BTCUSDT",
        "client_id": "bw-7-az-e",
        "trace": "7-az",
        "run": 7,
        "seq": 395,
        "mode": "SIM",
        "data": {"lots": 21},
    }
    assert process == {
        "at": "2026-11-20T12:00:00.002+00:00",
        "level": "warning",
        "kind": "process",
        "text": "already leaving",
        "run": 7,
        "mode": "SIM",
    }


def test_rows_below_a_line_have_no_time(tmp_path: Path) -> None:
    sinks = Sinks(tmp_path)
    sinks.log.say(NOON, "info", "ACTIVE", kind="status", rest=["  BTCUSDT LIVE", "  ETHUSDT\x1b[2J STALE"])
    assert sinks.console == "12:00:00.000 INFO    ACTIVE\n  BTCUSDT LIVE\n  ETHUSDT[2J STALE\n"
    assert sinks.lines()[0]["rest"] == ["  BTCUSDT LIVE", "  ETHUSDT[2J STALE"]


@pytest.mark.parametrize(
    ("console", "file", "said", "filed", "errors"),
    [
        ("info", "debug", 3, 4, 1),
        ("error", "debug", 1, 4, 1),
        ("debug", "warning", 4, 2, 1),
        ("error", "error", 1, 1, 1),
    ],
)
def test_each_sink_has_its_level(tmp_path: Path, console: str, file: str, said: int, filed: int, errors: int) -> None:
    sinks = Sinks(tmp_path, console, level=file)
    for level in ("debug", "info", "warning", "error"):
        sinks.log.say(NOON, level, f"a {level}")
    assert len(sinks.said) == said
    assert len(sinks.lines()) == filed
    assert [line["text"] for line in sinks.lines("errors-")] == ["a error"] * errors


def raised() -> BaseException:
    """An error with a secret in its text, in its cause and in a variable."""
    password = CANARY  # noqa: F841 - the values of variables must not be looked at
    try:
        try:
            raise KeyError(f"api_key={CANARY}")
        except KeyError as cause:
            raise ValueError(f"signed with {CANARY}\x1b]0;owned\x07") from cause
    except ValueError as error:
        return error


def test_no_secret_is_in_any_sink(tmp_path: Path) -> None:
    hide(CANARY)
    sinks = Sinks(tmp_path, "debug")
    sinks.log.bind(run=1, mode=f"SIM{CANARY}")
    sinks.log.say(NOON, "error", f"refused: {CANARY}", symbol=CANARY, client_id=CANARY, trace=CANARY, error=raised())
    sinks.log.say(NOON, "info", "x", kind=CANARY, data={"deep": [{"deeper": (CANARY, {CANARY: 1})}]}, rest=[CANARY])
    sinks.log.say(NOON, "info", f"{'x' * 3_990}{CANARY} where a long text is cut")
    sinks.log.say(NOON, "info", "a request: X-BAPI-SIGN: 9f8e7d6c5b4a39281706, done")
    sinks.log.file(NOON, "receipt", CANARY, {"reason": CANARY})
    for _ in range(3):
        sinks.log.say(NOON, "warning", f"again {CANARY}")
    lines = sinks.lines()
    everything = sinks.console + json.dumps([lines, sinks.lines("errors-")])
    for part in (CANARY, CANARY[:12], "9f8e7d6c", "\x1b", "\x07"):
        assert part not in everything
    errors = lines[0]["exception"]
    assert [error["exc_type"] for error in errors] == ["ValueError", "KeyError"]
    assert errors[0]["frames"][-1]["name"] == "raised"
    assert "locals" not in errors[0]["frames"][-1]


def test_repeats_are_told_once_in_all_sinks(tmp_path: Path) -> None:
    sinks = Sinks(tmp_path, repeats_s=60)
    for step in range(38):
        sinks.log.say(NOON + step * 1_000, "warning", f"link is down for {step} s", kind="link")
    sinks.log.say(NOON + 60_000, "info", "something else")
    texts = ["link is down for 0 s", "link is down for 37 s ... repeated 37 times in 37 s", "something else"]
    assert [line["text"] for line in sinks.lines()] == texts
    assert sinks.lines()[1]["data"] == {"repeated": 37}
    assert [line[13:21] for line in sinks.said] == ["WARNING ", "WARNING ", "INFO    "]


def test_what_the_journal_keeps_is_never_a_repeat(tmp_path: Path) -> None:
    sinks = Sinks(tmp_path)
    for _ in range(3):
        sinks.log.note(Note("order", "PLACED", "warning", "BTCUSDT", durable=True), NOON)
    assert len(sinks.lines()) == 3


def test_what_is_still_counted_is_said_at_the_end(tmp_path: Path) -> None:
    sinks = Sinks(tmp_path)
    for _ in range(3):
        sinks.log.say(NOON, "warning", "again")
    assert [line["text"] for line in sinks.lines()] == ["again", "again ... repeated 2 times in 1 s"]


def test_repeats_are_told_before_the_receipt_and_then_are_news(tmp_path: Path) -> None:
    sinks = Sinks(tmp_path)
    for _ in range(2):
        sinks.log.say(NOON, "warning", "again")
        sinks.log.say(NOON, "warning", "again")
        sinks.log.tell_repeats()
    sinks.log.file(NOON, "receipt", "done", {})
    assert len(sinks.said) == 4
    assert [line["text"] for line in sinks.lines()][-2:] == ["again ... repeated 1 time in 1 s", "done"]


def test_losses_are_told_once_the_disk_is_back(tmp_path: Path) -> None:
    sinks = Sinks(tmp_path)
    sinks.log._files._lost = Gap(37, NOON, NOON + 5_000, "")
    sinks.log.say(NOON, "info", "go on")
    lost, more = sinks.lines()
    assert (lost["kind"], lost["text"]) == (
        "log-lost",
        "37 lines of the log were lost over 5 s: the disk takes nothing",
    )
    assert more["text"] == "go on"


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200), st.text(max_size=50), st.dictionaries(st.text(max_size=9), st.text() | st.integers()))
def test_whatever_is_said_is_one_harmless_line(text: str, symbol: str, data: dict[str, Any]) -> None:
    said: list[str] = []
    log = Log(LogSettings(), "debug", said.append)
    log.say(NOON, "info", text, symbol=symbol, data=data, trace=text, client_id=symbol)
    (line,) = log._files._queue
    json.loads(line.data)
    assert b"\n" not in line.data
    (row,) = said
    assert row.endswith("\n")
    assert {unicodedata.category(char) for char in row[:-1]} & {"Cc", "Cf", "Cs", "Zl", "Zp"} == set()
