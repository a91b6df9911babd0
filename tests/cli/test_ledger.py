"""`breakwall ledger` on the ledger of a run, hostile strings in it included."""

import csv
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from breakwall.cli import app
from breakwall.model.journal import JournalEntry
from breakwall.ports import LedgerError
from breakwall.settings import LedgerSettings
from breakwall.storage.journal import InlineJournal
from breakwall.storage.ledger.coins import StaleVersionError
from breakwall.storage.ledger.following import Following
from tests.storage.ledger.diary import IDENTITY, START_MS, Diary

HOSTILE = "=1+1\x1b]52;c;aGk=\x07\x9b2J\u202e[/bold]\r\n"


@pytest.fixture
def diary() -> Diary:
    diary = Diary()
    diary.starts()
    return diary


@pytest.fixture
def state(diary: Diary, tmp_path: Path) -> Path:
    """A run folder whose books tell of one trade, and of what somebody hostile said."""
    diary.trades()
    diary.notes("process", HOSTILE, client_id=HOSTILE)
    journal(tmp_path, diary.entries)
    following = Following(tmp_path / "ledger.db", tmp_path / "journal.db", LedgerSettings())
    while following.follow(100, START_MS):
        pass
    following.close()
    return tmp_path


def journal(folder: Path, entries: list[JournalEntry]) -> None:
    book = InlineJournal(folder / "journal.db", IDENTITY)
    for step in (book.open(), book.commit(entries), book.close()):
        with pytest.raises(StopIteration):  # an inline journal never waits
            step.send(None)


@pytest.fixture
def ledger(state: Path) -> Callable[..., Result]:
    return lambda *words: CliRunner().invoke(app, ["ledger", *words, "--state", str(state)])


def test_trace_tells_the_whole_trade_in_order(ledger: Callable[..., Result]) -> None:
    told = ledger("trace", "tot63y-3").stdout.splitlines()
    assert told[0] == "tot63y-3: SOLUSDT, 2026-11-20 16:07:13.000"
    whole = "\n".join(told)
    in_order = [
        "signal    breakout sell 33.2 at 149.52; stop 149.73, target 146.53, strength 0.25; a wall is eaten",
        "spread 0.01; imbalance -0.92; slope -1.68; 2 of 2 checks passed; ordered as bw-tot63y-3-e",
        "order     place bw-tot63y-3-e; sell 33.2 limit at 149.44 stop 149.73; by engine; because breakout",
        "order     bw-tot63y-3-e PENDING -> SENT (sent); 0 of 332 lots filled",
        "fill      bw-tot63y-3-e: sell 33.2 at 149.51, taker fee 2.73 USDT",
        "position  opened; OPEN, holds -33.2 from 149.51, no stop yet",
        "order     place answered bw-tot63y-3-e; confirmed; by exchange",
        "position  move stop bw-tot63y-3-e; 149.73 -> 149.34; by engine; because breakeven",
        "position  stop; OPEN, holds -33.2 from 149.51, stop 149.34",
        "fill      #x-2: buy 33.2 at 149.36, taker fee 2.72 USDT",
        "position  closed; CLOSED",
        "result    breakout sell 33.2, 149.51 to 149.36; net -0.4700 USDT = gross +4.9800 - fees 5.4500",
    ]
    places = [whole.find(words) for words in in_order]
    assert -1 not in places, in_order[places.index(-1)]
    assert places == sorted(places)


@pytest.mark.parametrize("name", ["bw-tot63y-3-e", "x-1", "x-2", "bw-tot63y-9-s"])
def test_every_name_in_a_trade_leads_to_its_story(ledger: Callable[..., Result], name: str) -> None:
    told = ledger("trace", name)
    assert told.exit_code == 0
    assert "result" in told.stdout


def test_history_lists_all_states(ledger: Callable[..., Result]) -> None:
    order = json.loads(ledger("history", "order", "bw-tot63y-3-e", "--json").stdout)
    assert [sentence["text"].split(";")[0] for sentence in order["sentences"]] == [
        "bw-tot63y-3-e PENDING (decided)",
        "bw-tot63y-3-e PENDING -> SENT (sent)",
        "bw-tot63y-3-e SENT -> FILLED (full)",
    ]
    position = ledger("history", "position", "bw-tot63y-3-e").stdout
    assert [word in position for word in ("OPENING", "OPEN,", "CLOSED")] == [True] * 3


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["trace", "nobody"], 2),
        (["history", "order", "nobody"], 2),
        (["history", "position", "nobody"], 2),
        (["history", "wall", "1"], 2),
        (["export", "--out", "x", "--table", "recipes"], 2),
        (["export", "--out", "x", "--format", "xml"], 2),
        (["params", "BTC/USDT", "enabled=true"], 2),
        (["params", "BTCUSDT", "enabled=maybe"], 2),
        (["params", "BTCUSDT", "floor_usdt=-1"], 2),
        (["params", "BTCUSDT", "floor_usdt=nan"], 2),
        (["params", "BTCUSDT", "colour=red"], 2),
        (["check"], 0),
        (["migrate"], 0),
    ],
)
def test_exit_codes(ledger: Callable[..., Result], words: list[str], code: int) -> None:
    assert ledger(*words).exit_code == code


def test_check_names_what_was_edited_and_rebuild_heals_it(ledger: Callable[..., Result], state: Path) -> None:
    with closing(sqlite3.connect(state / "ledger.db")) as db:
        db.execute("UPDATE orders SET state = 'CANCELLED' WHERE key = 'bw-tot63y-3-e'")
        db.commit()
    found = ledger("check")
    assert found.exit_code == 5
    assert "orders bw-tot63y-3-e: state is CANCELLED, the journal makes FILLED" in found.stdout
    assert ledger("rebuild").exit_code == 0
    assert ledger("check").exit_code == 0


def test_params_are_set_shown_and_refused_when_stale(ledger: Callable[..., Result]) -> None:
    assert "as the settings say" in ledger("params").stdout
    set_ = ledger("params", "btcusdt", "enabled=false", "floor_usdt=2500000", "--why", "thin")
    assert "BTCUSDT: traded no, walls from 2500000 USDT; version 1" in set_.stdout
    refused = ledger("params", "BTCUSDT", "enabled=true", "--version", "0")
    assert isinstance(refused.exception, StaleVersionError)
    shown = json.loads(ledger("params", "BTCUSDT", "--json").stdout)
    assert (shown["BTCUSDT"]["enabled"], shown["BTCUSDT"]["version"]) == (False, 1)


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_an_export_is_whole_and_does_no_harm(ledger: Callable[..., Result], state: Path, kind: str) -> None:
    out = state / "out"
    assert ledger("export", "--format", kind, "--out", str(out)).exit_code == 0
    files = sorted(out.iterdir())
    assert len(files) == 16
    for file in files:
        content = file.read_text()
        assert not any(char in content for char in "\x1b\x07\x9b\u202e")
        assert file.stat().st_mode & 0o077 == 0
    if kind == "csv":
        with (out / "system_events.csv").open() as table:
            (row,) = csv.DictReader(table)
        assert row["text"].startswith("'=1+1")
        with (out / "trades.csv").open() as table:
            (row,) = csv.DictReader(table)
        assert row["net_usdt"] == "-0.47"
    else:
        row = json.loads((out / "system_events.jsonl").read_text())
        assert row["text"] == HOSTILE


def test_what_is_told_holds_no_control_bytes(ledger: Callable[..., Result], state: Path) -> None:
    with closing(sqlite3.connect(state / "ledger.db")) as db:
        db.execute("UPDATE orders SET reason = ?, symbol = ?", (HOSTILE, HOSTILE))
        db.execute("UPDATE order_steps SET reason = ?", (HOSTILE,))
        db.execute("UPDATE positions SET symbol = ?", (HOSTILE,))
        db.execute("INSERT INTO coin_parameters VALUES ('BTCUSDT', 1, '1', 1, 1, ?, ?)", (HOSTILE, HOSTILE))
        db.commit()
    for words in (["trace", "tot63y-3"], ["trace", "tot63y-3", "--json"], ["check"], ["params"], ["trace", HOSTILE]):
        said = ledger(*words).stdout
        assert said
        assert not any(char in said for char in "\x1b\x07\x9b\u202e")


def test_without_a_ledger_the_remedy_is_named(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["ledger", "trace", "x", "--state", str(tmp_path)])
    assert isinstance(result.exception, LedgerError)
    assert "ledger rebuild" in str(result.exception)
