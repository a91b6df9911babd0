"""The tape: volume delta, imbalance, duplicates."""

import pytest

from breakwall.market.tape import Tape
from breakwall.model.events import Trade


def trade(lots: int, buy: bool, name: str = "", seq: int = 0, off_book: bool = False) -> Trade:
    return Trade(100, lots, buy, 0, seq, name, off_book)


def test_volume_delta_and_imbalance_of_the_window():
    tape = Tape(60_000)
    tape.add(trade(30, buy=True), 0)
    tape.add(trade(10, buy=False), 30_000)
    assert (tape.cvd_lots, tape.imbalance) == (20, 0.5)
    tape.expire(60_001)
    assert tape.imbalance == -1.0
    assert tape.cvd_lots == 20  # the delta is cumulative
    tape.expire(90_001)
    assert tape.imbalance == 0.0
    assert len(tape.recent) == 0


def test_a_trade_seen_before_counts_once():
    tape = Tape(60_000)
    assert tape.add(trade(5, buy=True, name="a"), 0)
    assert not tape.add(trade(5, buy=True, name="a"), 1)
    assert (tape.cvd_lots, tape.seen, tape.duplicates) == (5, 1, 1)


def test_memory_of_ids_is_bounded():
    tape = Tape(1)
    for n in range(10_000):
        tape.add(trade(1, buy=True, name=str(n)), n)
        tape.expire(n)
    assert not tape.add(trade(1, buy=True, name="9999"), 10_000)
    assert tape.add(trade(1, buy=True, name="0"), 10_000)


def test_an_id_is_known_for_a_minute():
    tape = Tape(1)
    tape.add(trade(1, buy=True, name="a"), 0)
    tape.add(trade(1, buy=False, name="b"), 1)
    tape.expire(60_000)
    assert not tape.add(trade(1, buy=True, name="a"), 60_000)
    tape.expire(60_001)
    assert tape.add(trade(1, buy=True, name="a"), 60_001)
    assert not tape.add(trade(1, buy=False, name="b"), 60_001)


@pytest.mark.parametrize("buy", [True, False])
def test_block_and_rpi_trades_show_no_aggression(buy):
    tape = Tape(60_000)
    assert tape.add(trade(500, buy=buy, off_book=True, seq=77), 0)
    assert (tape.cvd_lots, tape.imbalance, tape.seen, tape.last_seq) == (0, 0.0, 1, 77)
