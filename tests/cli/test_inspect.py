"""What `inspect` prints is text, whatever a recording holds."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from breakwall.cli import app

ESCAPE = "\x1b]52;c;aGVsbG8=\x07"


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_topic_that_would_steer_the_terminal_is_only_text(tmp_path: Path, form: list[str]) -> None:
    topic = f"orderbook.50.BTCUSDT{ESCAPE}"
    frame = {
        "topic": topic,
        "type": "snapshot",
        "ts": 1,
        "data": {"s": "BTCUSDT", "b": [["1", "1"]], "a": [["2", "1"]], "u": 1, "seq": 1},
    }
    path = tmp_path / "hostile.jsonl"
    lines = [{"t": "header", "exchange": "BYBIT"}, {"t": "recv", "conn": "x", "ts": 1, "data": json.dumps(frame)}]
    path.write_text("\n".join(json.dumps(line) for line in lines))
    shown = CliRunner().invoke(app, ["inspect", str(path), "--symbol", "BTCUSDT", "--topic", topic, *form])
    text = shown.output + str(shown.exception or "")
    assert text
    assert not {char for char in shown.output if ord(char) < 32 and char != "\n"}
