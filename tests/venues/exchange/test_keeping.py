"""A paper account on disk: what an exchange knows of it after another one kept it."""

import resource
from pathlib import Path
from typing import Any

import pytest

from breakwall.model.events import BookSnapshot
from breakwall.venues.exchange.exchange import Exchange
from breakwall.venues.exchange.keeping import KeptAccount
from tests.venues.exchange.conftest import Hand

KEY, SECRET = "KEY", "SECRET"


class Life:
    """One process with the account in a file."""

    def __init__(self, path: Path, now: int, begins: bool) -> None:
        self.troubles: list[str] = []
        exchange = Exchange(1, None, now, symbols=["BTCUSDT"] if begins else [], api_key=KEY, api_secret=SECRET)
        self.account = KeptAccount(path, exchange, self.troubles.append)
        hand = self.hand = Hand.__new__(Hand)
        hand.exchange, hand.now, hand.symbol = exchange, now, "BTCUSDT"

    def open_market(self, low: int = 600_000) -> None:
        self.hand.mark(str(low / 10))
        bids = [(low - step, 1000) for step in range(20)]
        asks = [(low + 1 + step, 1000) for step in range(20)]
        self.hand.exchange.hear(BookSnapshot("BTCUSDT", bids, asks, 5, 5, 0, 50), self.hand.now)

    def truth(self) -> list[Any]:
        """The account as a client reads it back."""
        paths = ("position/list", "order/realtime", "order/history", "execution/list")
        read = [self.hand.get(f"/v5/{path}", category="linear", symbol="BTCUSDT")["result"]["list"] for path in paths]
        wallet = self.hand.get("/v5/account/wallet-balance", accountType="UNIFIED")["result"]["list"][0]
        return [*read, wallet["totalWalletBalance"]]


@pytest.fixture
def life(tmp_path: Path) -> Life:
    life = Life(tmp_path / "paper.jsonl", 1_700_000_000_000, begins=True)
    life.open_market()
    return life


def again(life: Life, tmp_path: Path) -> Life:
    """The process died; a minute later there is another."""
    return Life(tmp_path / "paper.jsonl", life.hand.now + 60_000, begins=False)


def test_nothing_is_forgotten(life: Life, tmp_path: Path) -> None:
    hand = life.hand
    hand.placed("Buy", "0.5", stopLoss="59000", takeProfit="62000", slTriggerBy="MarkPrice", orderLinkId="first")
    hand.placed("Sell", "0.2", "60500", reduceOnly=True, orderLinkId="target")
    hand.placed("Buy", "0.1", "59990", stopLoss="59000", orderLinkId="more")
    gone = hand.placed("Buy", "0.1", "59980", orderLinkId="gone")
    hand.post("/v5/order/cancel", orderId=gone["orderId"])
    hand.wait(50)
    before = life.truth()
    assert [len(rows) for rows in before[:4]] == [1, 4, 2, 1]
    second = again(life, tmp_path)
    second.hand.mark("60000.05")
    assert second.truth() == before
    assert second.hand.stops() == {"StopLoss": "59000.00 x 0.500", "TakeProfit": "62000.00 x 0.500"}
    third = again(second, tmp_path)
    third.hand.mark("60000.05")
    assert third.truth() == before, "written again in short"


def test_what_was_kept_works_on(life: Life, tmp_path: Path) -> None:
    life.hand.placed("Buy", "0.5", stopLoss="59000", slTriggerBy="MarkPrice")
    life.hand.placed("Sell", "0.5", "60500", reduceOnly=True, orderLinkId="target")
    second = again(life, tmp_path)
    second.open_market(604_990)
    assert (
        second.hand.post("/v5/order/create", side="Buy", orderType="Market", qty="0.1", orderLinkId="target")[
            "retCode"
        ]
        == 110072
    )
    second.open_market(605_010)
    second.hand.wait(50)
    position = second.hand.position
    assert (position.lots, position.stop, second.hand.stops()) == (0, None, {})
    assert [(fill.link_id, fill.maker) for fill in second.hand.exchange.executions] == [("", False), ("target", True)]


def test_an_order_on_its_way_is_lost_with_the_process_and_said_to_be(life: Life, tmp_path: Path) -> None:
    answer = life.hand.post("/v5/order/create", side="Buy", orderType="Market", qty="0.1", orderLinkId="late")
    assert answer["retCode"] == 0
    life.hand.exchange.log.changed(life.hand.exchange.log.find({"orderLinkId": "late"}), life.hand.now)
    life.hand.exchange._tell()
    second = again(life, tmp_path)
    rows = second.hand.get("/v5/order/history", category="linear", orderLinkId="late")["result"]["list"]
    assert [row["orderStatus"] for row in rows] == ["Cancelled"]


def test_a_line_that_was_cut_off_is_left_out(life: Life, tmp_path: Path) -> None:
    life.hand.placed("Buy", "0.5", stopLoss="59000")
    before = life.truth()
    with (tmp_path / "paper.jsonl").open("ab") as file:
        file.write(b'{"balance":"1","realised":"0","orders":[{"order_id"')
    second = again(life, tmp_path)
    second.hand.mark("60000.05")
    assert second.truth() == before


def test_another_file_is_refused_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "paper.jsonl").write_text("something else\n")
    with pytest.raises(
        ValueError, match=r"paper.jsonl, line 1: expected what became of a paper account.*Put the file"
    ):
        Life(tmp_path / "paper.jsonl", 1_700_000_000_000, begins=True)


def test_a_full_disk_is_told_once_and_stops_nothing(life: Life) -> None:
    life.account.close()
    life.hand.placed("Buy", "0.5", stopLoss="59000")
    life.hand.placed("Buy", "0.1", stopLoss="59000")
    assert life.hand.position.lots == 600
    assert len(life.troubles) == 1
    assert "is not kept any more" in life.troubles[0]


def test_a_disk_that_has_room_for_half_a_line_spoils_nothing(life: Life, tmp_path: Path) -> None:
    life.hand.placed("Buy", "0.5", stopLoss="59000")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, ((tmp_path / "paper.jsonl").stat().st_size + 20, limits[1]))
    try:
        life.hand.placed("Buy", "0.1", stopLoss="59000")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    life.hand.placed("Buy", "0.1", stopLoss="59000")
    assert len(life.troubles) == 1
    assert again(life, tmp_path).hand.exchange.position("BTCUSDT").lots == 500
