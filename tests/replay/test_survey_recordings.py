"""The recordings beside the project, message by message, against their published checkpoints."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from breakwall.replay.forms import Recording
from breakwall.replay.survey import Survey

DATA = Path(__file__).parents[2] / "../shared/data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the recordings are not beside the project")


def runs() -> list[dict[str, Any]]:
    path = DATA / "checkpoints.json"
    return json.loads(path.read_text()) if path.is_file() else []


BOOKS = [
    pytest.param(run["files"], topic, checkpoints, run["trades"], id=f"{run['files'][0]}-{topic}")
    for run in runs()
    for topic, checkpoints in run["books"].items()
]


def find(name: str) -> Path:
    return next(DATA.rglob(name))


def symbol_of(topic: str) -> str:
    return topic.partition("@")[0].upper() if "@" in topic else topic.rsplit(".", 1)[1]


@pytest.mark.parametrize(("files", "topic", "checkpoints", "trades"), BOOKS)
def test_every_published_checkpoint(
    files: list[str], topic: str, checkpoints: list[dict[str, Any]], trades: dict[str, dict[str, Any]]
) -> None:
    numbers = {point["n"] for point in checkpoints}
    recording = Recording(find(name) for name in files)
    survey = Survey(symbol_of(topic), numbers.__contains__)
    survey.follow(recording)
    assert survey.topic() == topic
    found = json.loads(msgspec.json.encode(survey.checkpoints(topic)))
    assert found == [{name: value for name, value in point.items() if name != "final"} for point in checkpoints]
    summary = survey.summary(topic, recording)
    assert (summary.gaps, summary.crossed, summary.unreadable, summary.notes) == (0, 0, 0, ())
    assert summary.applied == checkpoints[-1]["n"]
    sums = {name: getattr(summary, name) for name in ("trades", "buy_qty", "sell_qty", "notional")}
    assert sums == trades[summary.trades_topic]


def test_rest_snapshots_seed_the_cryptofeed_recording() -> None:
    recording = Recording([find("cryptofeed_BINANCE_FUTURES_20210722.jsonl.zst")])
    for symbol, messages in (("SUSHIUSDT", 255), ("AKROUSDT", 189), ("KEEPUSDT", 135), ("CTKUSDT", 185)):
        survey = Survey(symbol, lambda _n: False)
        survey.follow(recording)
        summary = survey.summary(survey.topic(), recording)
        assert summary.book_messages == messages
        assert (summary.gaps, summary.crossed, summary.unreadable) == (0, 0, 0)
        assert summary.applied + summary.before_snapshot == messages
        last = survey.last(survey.topic())
        assert last is not None
        assert last.nb > 300
        assert last.na > 300
        assert summary.trades > 0


def test_a_trade_table_gives_sums() -> None:
    recording = Recording([find("tardis_binance-futures_trades_BTCUSDT_20200222.csv")])
    survey = Survey("BTCUSDT", lambda _n: False)
    survey.follow(recording)
    assert survey.topic() == ""
    assert survey.summary("", recording).trades == 9999
