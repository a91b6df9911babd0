"""The command on real ledger files: what it prints, what it refuses, and that it disturbs nobody."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
import typer
from sqlalchemy import insert

from breakwall.cli.report import report
from breakwall.model.records import SignalContext
from breakwall.ports import LedgerError
from breakwall.storage.ledger import schema
from breakwall.storage.ledger.database import connect, make_room
from breakwall.storage.ledger.tables import AUDIT, HANGING, RECOVERIES, TRADES
from tests.replay.trades import NOW, a_day

UNTIL = "2025-11-21T16:00"


@contextmanager
def writing(path: Path) -> Iterator[object]:
    engine = connect(path)
    try:
        with engine.connect() as connection, connection.begin():
            yield connection
    finally:
        engine.dispose()


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    """A run folder whose ledger holds a day's trades, signals and troubles."""
    day, path = a_day(), tmp_path / "ledger.db"
    make_room(path)
    trades = [
        {
            **msgspec.structs.asdict(each),
            "source": n,
            "lots": 10,
            "gross_usdt": each.net_usdt,
            "external": False,
            "estimated": False,
        }
        for n, each in enumerate(day.trades)
    ]
    line = {"before": "", "why": "", "error": "", "who": "", "success": True, "context": "{}", "trace": ""}
    signals = [
        {
            **line,
            "at_ms": each.at_ms,
            "action": "signal ordered",
            "entity": "signal",
            "entity_id": "1-1",
            "symbol": each.symbol,
            "after": each.client_id,
            "context": context(each.strategy, each.strength, each.refused_by),
        }
        for each in day.signals
    ]
    failures = [{**line, **msgspec.structs.asdict(each), "after": "", "success": False} for each in day.failures]
    recoveries = [
        {**msgspec.structs.asdict(each), "source": 7, "actions": "[]", "restored": "[]"} for each in day.recoveries
    ]
    hanging = [{**msgspec.structs.asdict(each), "recovery": 7, "number": 1, "raw": ""} for each in day.hanging]
    with writing(path) as connection:
        schema.make(connection)
        for table, rows in (
            (TRADES, trades),
            (AUDIT, signals),
            (AUDIT, failures),
            (RECOVERIES, recoveries),
            (HANGING, hanging),
        ):
            connection.execute(insert(table), rows)
    return tmp_path


def context(strategy: str, strength: float, refused_by: str) -> str:
    zero = Decimal(0)
    seen = SignalContext(strategy, "Buy", strength, zero, zero, zero, zero, None, None, {}, (), (), refused_by, "")
    return msgspec.json.encode(seen).decode()


def test_the_text_is_the_golden_one_but_for_the_name_of_the_ledger(run_folder, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    report(until=UNTIL, state=run_folder)
    golden = Path(__file__).with_name("report_80.txt").read_text()
    assert capsys.readouterr().out.splitlines()[1:] == golden.splitlines()[1:]


def test_json_is_one_object_with_numbers(run_folder, capsys):
    report(until=UNTIL, since="2025-11-21", symbol="btcusdt", state=run_folder, as_json=True)
    (line,) = capsys.readouterr().out.splitlines()
    found = json.loads(line)
    assert found["totals"]["trades"] == 4
    assert found["totals"]["parts"]["net_usdt"] == -6.55
    parts = found["totals"]["parts"]
    assert sum(parts[name] for name in ("price_usdt", "slippage_usdt", "fees_usdt", "funding_usdt")) == pytest.approx(
        -6.55
    )
    assert [row["entity_id"] for row in found["failures"]] == ["bw-1-77-s"]
    assert found["signals"][0]["refused_by"] == {"cooldown": 2, "armed": 1}
    assert (len(found["hanging"]), len(found["recoveries"])) == (1, 1)


def test_it_reads_beside_a_writer_in_the_middle_of_its_work(run_folder, capsys):
    with writing(run_folder / "ledger.db") as connection:
        connection.execute(TRADES.delete())
        report(until=UNTIL, state=run_folder)
    assert "12 trades" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("UPDATE alembic_version SET version_num = '9999'", "newer Breakwall"),
        ("UPDATE alembic_version SET version_num = '0000'", "breakwall ledger migrate"),
        ("DROP TABLE alembic_version", "breakwall ledger rebuild"),
        ("UPDATE trades SET net_usdt = '6x'", "breakwall ledger rebuild"),
        ("UPDATE trades SET net_usdt = 'NaN'", "net_usdt: expected a figure, found NaN"),
        ("UPDATE trades SET fees_usdt = '1e99'", "fees_usdt: expected a figure"),
        ("UPDATE trades SET opened_ms = -9223372036854775", "opened_ms: expected a time"),
        ("UPDATE trades SET opened_ms = 'soon'", "breakwall ledger rebuild"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_remedy(run_folder, change, words):
    with closing(sqlite3.connect(run_folder / "ledger.db")) as db, db:
        db.execute(change)
    with pytest.raises(LedgerError, match=r"breakwall ledger|Upgrade Breakwall") as told:
        report(until="9999-01-01", state=run_folder)
    assert words in str(told.value)


def test_a_folder_without_a_ledger_and_a_damaged_one_end_with_words_and_code_2(run_folder):
    def run(state: Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "breakwall", "report", "--state", str(state)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

    missing = run(run_folder / "nowhere")
    content = (run_folder / "ledger.db").read_bytes()
    (run_folder / "ledger.db").write_bytes(content[: len(content) // 3])
    damaged = run(run_folder)
    for done in (missing, damaged):
        assert (done.returncode, done.stdout) == (2, "")
        assert "Traceback" not in done.stderr
        assert "breakwall ledger rebuild" in done.stderr


@pytest.mark.parametrize("text", ["yesterday", " ", "-5m", "2025-13-40", "\x1b[2J"])
def test_a_time_that_is_none_is_refused(run_folder, text):
    with pytest.raises(typer.BadParameter, match="expected a date"):
        report(since=text, until=UNTIL, state=run_folder)


def test_the_end_must_lie_behind_the_beginning(run_folder):
    with pytest.raises(typer.BadParameter, match="before --until"):
        report(since=UNTIL, until="2025-11-20", state=run_folder)


def test_a_span_before_now_and_a_zone_are_understood(run_folder, capsys):
    report(since="2025-11-21T11:30:00+02:00", until=UNTIL, state=run_folder, as_json=True)
    assert json.loads(capsys.readouterr().out)["scope"]["since_ms"] == NOW - int(6.5 * 3_600_000)
    report(since="1h", state=run_folder, as_json=True)
    scope = json.loads(capsys.readouterr().out)["scope"]
    assert scope["until_ms"] - scope["since_ms"] == 3_600_000
