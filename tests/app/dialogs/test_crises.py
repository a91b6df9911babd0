"""Crises in the palette and their receipts, where the venue is embedded; nothing of them elsewhere."""

import pytest
from msgspec.structs import replace

from breakwall.app.dialogs.crises import Crises, played
from breakwall.app.dialogs.dialog import Choice
from breakwall.app.rows.row import width_of
from tests.model.test_crisis import RECEIPT


class StillStage:
    news = ""

    def __init__(self) -> None:
        self.names = {"lost-ack": "the next entry is accepted, and its answer never comes"}
        self.receipts = (RECEIPT, replace(RECEIPT, story=replace(RECEIPT.story, name="lost-ack")))

    def play(self, name: str, symbol: str = "") -> None:
        raise AssertionError((name, symbol))


def test_the_palette_has_them_only_where_they_can_be_played() -> None:
    assert played(None) == []
    assert [entry.choice for entry in played(StillStage())] == [Choice("crisis", "lost-ack"), Choice("crises")]


@pytest.mark.parametrize("width", [38, 76, 100])
def test_the_newest_receipt_comes_first_and_every_row_fits(plain, width: int) -> None:
    rows = Crises(StillStage()).body(None, width)
    assert {width_of(row) for row in rows} == {width}
    text = plain(rows)
    assert text.index("lost-ack") < text.index("stop-rejected")
    assert "ledger and exchange agree" in " ".join(text.split())


def test_before_the_first_it_says_how_to_play_one(plain) -> None:
    stage = StillStage()
    stage.receipts = ()
    assert "palette" in plain(Crises(stage).body(None, 76))
