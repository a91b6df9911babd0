"""`run` on paper as a real process: an exchange on this machine is the real venue, and never hears of an order."""

import json
from pathlib import Path

import pytest

from breakwall.venues.exchange.exchange import Exchange
from breakwall.venues.exchange.keeping import KeptAccount
from tests.process.books import Bourse
from tests.process.test_run import Run, config, opened

pytestmark = pytest.mark.process


def held(folder: Path) -> int:
    """Lots of the account that the folder keeps."""
    kept = Exchange(0, None, 1_800_000_000_000, symbols=())
    KeptAccount(folder / "paper.jsonl", kept, print).close()
    return kept.position("SOLUSDT").lots


def test_a_paper_account_is_traded_killed_and_goes_on(bourse: Bourse, tmp_path: Path) -> None:
    where, _ = opened(bourse, tmp_path, 3)
    path = config(tmp_path, where, mode='"paper"')
    with Path(path).open("a") as settings:  # the last section is [venue]: orders go by the trade socket
        settings.write(f'trade_url = "{where["private"].replace("private", "trade")}"\n')
    first = Run(tmp_path, path, {})
    first.wait_for("recovered: flat; ")
    first.wait_for("trade link is up")
    first.wait_for("SOLUSDT opened ")
    first.kill()
    (folder,) = (tmp_path / "breakwall/accounts").iterdir()
    assert folder.name == "bybit-paper-testnet"
    lots = held(folder)
    again = Run(tmp_path, path, {})
    again.wait_for("goes on")
    assert ("recovered: flat" in again.wait_for("recovered: ")) == (lots == 0)
    code, out = again.leave()
    assert code == 0, again.tail
    receipt = json.loads(out)
    assert (receipt["mode"], receipt["positions_open"]) == ("PAPER", 0)
    assert held(folder) == 0
    truth = bourse.ask(shut=where["api_key"])
    assert [truth[what] for what in ("asked", "orders", "positions", "fills")] == [[], [], {}, {}]
