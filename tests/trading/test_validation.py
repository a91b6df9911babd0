"""The ten checks: each refuses what it is for, says why, and the card keeps all ten."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from breakwall.trading.portfolio import Holding
from breakwall.trading.validation import examine

NAMES = (
    "symbol enabled",
    "symbol active",
    "signal fresh",
    "not processed before",
    "position limit",
    "no duplicate position",
    "stop sound",
    "entry near the market",
    "wall still there",
    "balance enough",
)


def held(*symbols):
    return tuple(Holding(symbol, Decimal(100), Decimal(10), Decimal(1)) for symbol in symbols)


def test_a_good_signal_passes_all_ten(make):
    card = examine(make.signal(), make.scene())
    assert tuple(answer.check for answer in card.answers) == NAMES
    assert card.passed
    assert card.failed is None
    assert card.sized.lots == 82
    assert card.loss_at_stop_usdt == card.sized.loss_at_stop_usdt > 0


@pytest.mark.parametrize(
    ("check", "scene", "signal"),
    [
        ("symbol enabled", {"enabled": False}, {}),
        ("symbol active", {"inactive": "its book is not live"}, {}),
        ("signal fresh", {"at_ms": 1_060_000}, {}),
        ("signal fresh", {"at_ms": 999_999}, {}),
        ("not processed before", {"processed": True}, {}),
        ("position limit", {"holdings": held("A", "B", "C", "D", "E")}, {}),
        ("no duplicate position", {"holdings": held("BTCUSDT")}, {}),
        ("stop sound", {}, {"stop_ticks": 599_800}),
        ("stop sound", {}, {"stop_ticks": 600_100}),
        ("stop sound", {"bid_ticks": 598_000}, {}),
        ("stop sound", {}, {"stop_ticks": 543_500}),
        ("stop sound", {"bid_ticks": None}, {}),
        ("entry near the market", {"bid_ticks": 607_000, "ask_ticks": 607_001}, {}),
        ("wall still there", {"wall": None}, {}),
        ("balance enough", {"equity": 9}, {}),
        ("balance enough", {"available_usdt": Decimal(3)}, {}),
    ],
)
def test_each_check_refuses_what_it_is_for(make, check, scene, signal):
    changes = dict(scene)
    book = make.portfolio(changes.pop("equity", 10_000))
    for name in ("holdings", "available_usdt"):
        if name in changes:
            book = replace(book, **{name: changes.pop(name)})
    card = examine(make.signal(**signal), make.scene(portfolio=book, **changes))
    assert check in {answer.check for answer in card.answers if not answer.passed}
    assert len(card.answers) == 10
    assert all(answer.reason for answer in card.answers if not answer.passed)


@pytest.mark.parametrize(
    ("scene", "signal", "heals"),
    [
        ({"inactive": "its book is not live"}, {}, True),
        ({"bid_ticks": 598_000}, {}, True),
        ({"bid_ticks": 607_000, "ask_ticks": 607_001}, {}, True),
        ({"enabled": False}, {}, False),
        ({"at_ms": 1_060_000}, {}, False),
        ({"processed": True}, {}, False),
        ({"wall": None}, {}, False),
        ({}, {"stop_ticks": 543_500}, False),
    ],
)
def test_only_what_time_may_lift_lets_the_wall_signal_again(make, scene, signal, heals):
    card = examine(make.signal(**signal), make.scene(**scene))
    assert card.failed.heals is heals


def test_a_full_account_is_no_reason_to_forget_a_wall(make):
    full = replace(make.portfolio(), holdings=held("A", "B", "C", "D", "E"))
    assert examine(make.signal(), make.scene(portfolio=full)).failed.heals


@pytest.mark.parametrize(
    ("strategy", "wall", "passes"),
    [
        ("bounce", {"bid": True, "lots": 91}, True),
        ("bounce", {"bid": True, "lots": 90}, False),
        ("bounce", {"bid": True, "in_view": False}, False),
        ("bounce", {"bid": True, "end": "eaten"}, False),
        ("breakout", {"lots": 40}, True),
        ("breakout", {"end": "eaten"}, True),
        ("breakout", {"end": "pulled"}, False),
        ("breakout", {"end": "unknown"}, False),
        ("breakout", {"in_view": False}, False),
    ],
)
def test_the_wall_must_still_be_there_in_its_own_way(make, strategy, wall, passes):
    card = examine(make.signal(strategy), make.scene(wall=make.wall(**wall)))
    answer = next(answer for answer in card.answers if answer.check == "wall still there")
    assert answer.passed is passes


def test_a_symbol_that_delivers_is_not_active(make):
    closing = replace(make.btc, status="Delivering")
    card = examine(make.signal(), make.scene(instrument=closing))
    assert "Delivering" in card.failed.reason
