"""Money against worked vectors: Q = 0.1, E = 60000, L = 10, m = 0.5 %, t = 0.055 %."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakwall.model import margin
from breakwall.model.units import Instrument
from breakwall.trading.liquidation import liquidation_ticks

Q, E, L, M, T = Decimal("0.1"), Decimal(60_000), Decimal(10), Decimal("0.005"), Decimal("0.00055")


@pytest.mark.parametrize(
    ("sign", "initial", "reserve", "bankruptcy", "liquidation", "legacy", "cost"),
    [
        (1, "602.97", "2.97", "54000", "54271.3568", "54300", "606.27"),
        (-1, "603.63", "3.63", "66000", "65671.6418", "65700", "606.93"),
    ],
)
def test_the_published_vectors(sign, initial, reserve, bankruptcy, liquidation, legacy, cost):
    assert margin.initial_margin(sign, Q, E, L, T) == Decimal(initial)
    assert margin.close_fee_reserve(sign, Q, E, L, T) == Decimal(reserve)
    assert margin.bankruptcy_price(sign, E, L) == Decimal(bankruptcy)
    assert round(margin.liquidation_price(sign, E, L, M), 4) == Decimal(liquidation)
    assert margin.liquidation_price(sign, E, L, M, Q) == margin.liquidation_price(sign, E, L, M)
    assert margin.order_cost(sign, Q, E, L, T) == Decimal(cost)
    rules = Instrument("XUSDT", Decimal("0.1"), Decimal("0.001"), 1, 10, 10)
    nearest = liquidation_ticks(rules, sign, 600_000, L) / 10
    exact = margin.liquidation_price(sign, E, L, M)
    assert sign * nearest == max(sign * Decimal(legacy), sign * exact)


def test_fees_pnl_and_funding():
    gross = margin.gross_pnl(1, Q, E, Decimal(61_000))
    fees = margin.fee(Q, E, T) + margin.fee(Q, Decimal(61_000), T)
    assert (gross, fees, gross - fees) == (100, Decimal("6.655"), Decimal("93.345"))
    assert margin.funding(1, Q, Decimal(60_500), Decimal("0.0001")) == Decimal("0.605")
    assert margin.funding(-1, Q, Decimal(60_500), Decimal("0.0001")) == Decimal("-0.605")
    assert margin.average_entry(10, E, 30, Decimal(60_040)) == 60_030


def test_more_margin_moves_liquidation_away():
    assert margin.liquidation_price(1, E, L, M, Q, Decimal(50)) < margin.liquidation_price(1, E, L, M, Q)
    assert margin.liquidation_price(-1, E, L, M, Q, Decimal(50)) > margin.liquidation_price(-1, E, L, M, Q)


@given(
    sign=st.sampled_from([1, -1]),
    entry=st.decimals("0.001", "100000", places=3),
    paid=st.decimals("-1", "1", places=4),
)
@settings(max_examples=80, deadline=None)
def test_breakeven_covers_fees_and_funding_exactly(sign, entry, paid):
    price = margin.breakeven_price(sign, entry, T, T, paid)
    net = margin.gross_pnl(sign, Decimal(1), entry, price) - T * (entry + price) - paid
    assert abs(net) < Decimal("1e-18")
