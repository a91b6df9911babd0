"""One account, one cockpit: whoever comes second is sent away, however it comes."""

import shutil
import time
from pathlib import Path

import pytest

from breakwall.model.ids import ClientId
from breakwall.storage.runs import next_run
from tests.process.books import Bourse, judge
from tests.process.demo import Demo, hasty, venue

pytestmark = pytest.mark.process


def refused(state: Path, first: Demo, *, home: Path | None = None) -> None:
    second = Demo(state, *hasty(state), home=home)
    code, _ = second.end()
    assert code == 6, second.tail
    assert f"another Breakwall (process {first.process.pid})" in second.tail
    assert "Traceback" not in second.tail


def test_a_second_cockpit_is_sent_away_however_it_comes(bourse: Bourse, tmp_path: Path) -> None:
    """Through the same folder, another one, another home, and with the lock file deleted under the first."""
    one, other = tmp_path / "one", tmp_path / "other"
    key = bourse.open(one, 1)
    first = Demo(one, *hasty(one), home=tmp_path)
    first.wait_for("recovered: ")
    refused(one, first, home=tmp_path)
    other.mkdir()
    shutil.copy(one / "exchange.json", other / "exchange.json")
    refused(other, first, home=tmp_path)
    refused(other, first, home=other)
    (lock,) = (tmp_path / "breakwall" / "locks").glob("*.lock")
    lock.unlink()
    refused(other, first, home=tmp_path)
    first.wait_for(" opened ")
    assert first.leave()[0] == 0, first.tail
    judge(bourse.ask(shut=key))


def test_another_breakwall_on_another_machine_is_noticed_and_nothing_is_opened_any_more(
    bourse: Bourse, tmp_path: Path
) -> None:
    """No lock reaches there; its orders on the account have the form of ours and another run's number."""
    key = bourse.open(tmp_path, 2)
    demo = Demo(tmp_path, *hasty(tmp_path))
    demo.wait_for(" opened ")
    rival = ClientId(next_run(0, time.time_ns() // 1_000_000 + 3_600_000), 7, "e").text
    order = {"side": "Buy", "orderType": "Market", "qty": "0.1", "stopLoss": "100", "orderLinkId": rival}
    venue(tmp_path).place_order(category="linear", symbol="SOLUSDT", positionIdx=0, **order)
    assert rival in demo.wait_for("another Breakwall trades on this account")
    assert demo.leave()[0] == 5, demo.tail
    truth = bourse.ask(shut=key)
    assert set(truth["positions"]) == set(truth["stops"])
    assert len(truth["entries"]) == 2
