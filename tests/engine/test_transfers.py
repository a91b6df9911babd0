"""Money that comes and goes without a trade is told once, and only once it is sure."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from breakwall.model.actions import Note
from breakwall.model.events import PositionReport, ReadBack
from tests.engine.conftest import WALLET

HELD = PositionReport("BTCUSDT", 10, Decimal(60_000), 598_800, None, None, None, Decimal(10))


def reading(table, balance, *positions):
    wallet = replace(WALLET, balance_usdt=Decimal(balance), equity_usdt=Decimal(balance))
    actions = table.say(ReadBack((), positions, (), wallet, table.now, "periodic"), 5_000)
    return [action.text for action in actions if isinstance(action, Note) and action.kind == "transfer"]


@pytest.fixture
def table(make_table):
    table = make_table()
    table.start()
    return table


@pytest.mark.parametrize(("balance", "words"), [("10500", "+500.00 USDT"), ("9200.50", "-799.50 USDT")])
def test_it_is_told_once_two_readings_agree(table, balance, words):
    assert reading(table, "10000") == []
    assert reading(table, balance) == []
    (text,) = reading(table, balance)
    assert text.startswith(f"the balance changed by {words}; no trade of ours explains it")
    assert reading(table, balance) == []


def test_a_difference_that_was_only_early_is_not_told(table):
    assert [reading(table, balance) for balance in ("10000", "9990", "10000", "10000")] == [[]] * 4


def test_less_than_one_usdt_is_dust(table):
    assert [reading(table, balance) for balance in ("10000", "10000.90", "10000.90")] == [[]] * 3


def test_nothing_is_compared_while_something_is_held(table):
    reading(table, "10000")
    assert [reading(table, "9000", HELD) for _ in range(3)] == [[]] * 3
