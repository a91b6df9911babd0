"""Ticks and lots: exact on the grid, named errors off it, risk never grows by rounding."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakwall.model.units import Instrument, Side, UnitError, average, fixed, side_of


def instrument(tick="0.10", lot="0.001", **rules):
    return Instrument("XUSDT", Decimal(tick), Decimal(lot), 1, 1_000_000, 500_000, **rules)


GRIDS = [("0.10", "0.001"), ("0.0000010", "100"), ("0.00001", "1"), ("0.5", "0.1"), ("10", "0.01")]


@pytest.mark.parametrize(("tick", "lot"), GRIDS)
@given(ticks=st.integers(1, 10**9), lots=st.integers(0, 10**7))
@settings(max_examples=30, deadline=None)
def test_prices_and_sizes_survive_the_way_out_and_back(tick, lot, ticks, lots):
    rules = instrument(tick, lot)
    assert rules.ticks(rules.price_text(ticks)) == ticks
    assert rules.lots(rules.qty_text(lots)) == lots
    assert "E" not in rules.price_text(ticks) + rules.qty_text(lots)
    assert rules.notional(ticks, -lots) == rules.price(ticks) * rules.qty(lots)


@pytest.mark.parametrize(
    ("price", "text"),
    [
        (Decimal("4964.072") / 33, "150.426424"),
        (Decimal("149.570"), "149.570"),
        (Decimal("1E-8") / 3, "0.00000000333333333"),
        (Decimal("6E+4"), "60000"),
    ],
)
def test_an_average_price_is_short_enough_to_read(price, text):
    assert average(price) == text


def test_texts_have_the_venues_fixed_decimals():
    assert instrument("0.10").price_text(600_000) == "60000.00"
    assert instrument("0.0000010", price_decimals=7).price_text(12) == "0.0000120"
    assert instrument(lot="0.001").qty_text(100) == "0.100"
    assert instrument(lot="100").qty_text(3) == "300"
    assert (fixed(Decimal("1E+2")), fixed(Decimal("0.100")), fixed(Decimal("-0"))) == ("100", "0.1", "0")


@pytest.mark.parametrize(
    "value", ["60000.05", "", "abc", "NaN", "sNaN", "Infinity", "-Infinity", "0.1" + "0" * 40 + "1"]
)
def test_what_is_not_on_the_grid_is_named(value):
    with pytest.raises(UnitError, match=r"XUSDT price: expected a (multiple of the tick 0.1|number), found"):
        instrument().ticks(value)


def test_a_size_off_the_grid_names_the_lot():
    with pytest.raises(UnitError, match=r"XUSDT quantity: expected a multiple of the lot 0.001, found 0.0015"):
        instrument().lots("0.0015")


@given(price=st.decimals("0.5", "100000", places=4), sign=st.sampled_from([1, -1]))
@settings(max_examples=80, deadline=None)
def test_rounding_never_adds_risk(price, sign):
    rules = instrument()
    stop, passive = rules.stop_ticks(price, sign), rules.passive_ticks(price, side_of(sign))
    assert 0 <= sign * (rules.price(stop) - price) < rules.tick
    assert 0 <= sign * (price - rules.price(passive)) < rules.tick
    assert rules.stop_ticks(rules.price(stop), sign) == stop
    assert rules.ticks_down(price) <= rules.ticks_near(price) <= rules.ticks_up(price)
    assert rules.qty(rules.lots_down(price)) <= price


@pytest.mark.parametrize(
    "rules",
    [{"status": "Closed"}, {"contract": "LinearFutures"}, {"settle": "USDC"}, {"quote": "USDC"}, {"delivery_ms": 1}],
)
def test_only_a_living_usdt_perpetual_is_tradable(rules):
    assert (instrument().tradable, instrument().unfit) == (True, "")
    assert not instrument(**rules).tradable
    assert instrument(**rules).unfit


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (
            {"contract": "InversePerpetual", "quote": "USD", "settle": "BTC"},
            "InversePerpetual in USD, settled in BTC",
        ),
        ({"quote": "USDC", "settle": "USDC"}, "LinearPerpetual in USDC, settled in USDC"),
        ({"contract": "LinearFutures"}, "LinearFutures in USDT, settled in USDT"),
        ({"contract": "", "quote": "USDT", "settle": ""}, "a contract of no kind in USDT, settled in ?"),
        ({"status": "PreLaunch"}, "LinearPerpetual, PreLaunch"),
        ({"delivery_ms": 1}, "LinearPerpetual, about to be delivered"),
    ],
)
def test_what_is_not_traded_says_why(rules, words):
    assert instrument(**rules).unfit == words


def test_sides():
    assert [(side.sign, side.opposite) for side in Side] == [(1, Side.SELL), (-1, Side.BUY)]
    assert (side_of(3), side_of(-3)) == (Side.BUY, Side.SELL)
