"""The parts of a result add up to it, exactly, however odd its figures."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakwall.replay.attribution import parts_of, shares, together
from tests.replay.trades import trade

CASH = st.decimals(-(10**9), 10**9, allow_nan=False, allow_infinity=False, places=12)


def test_costs_are_negative_and_what_nothing_explains_is_the_price():
    parts = parts_of(trade(exit_slippage_usdt=Decimal("-0.10"), funding_usdt=Decimal("0.05")))
    assert (parts.slippage_usdt, parts.fees_usdt, parts.funding_usdt) == (
        Decimal("0.08"), Decimal("-0.66"), Decimal("-0.05"),
    )  # fmt: skip
    assert parts.price_usdt == Decimal("1.63")


@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(["A", "B"]),
            st.sampled_from(["x", "y", "z"]),
            CASH,
            CASH,
            CASH,
            st.none() | CASH,
            st.none() | CASH,
        ),
        max_size=12,
    )
)
@settings(max_examples=100, deadline=None)
def test_the_parts_add_up_to_the_net_result_of_every_trade_every_share_and_of_all(rows):
    trades = [
        trade(
            symbol=symbol,
            strategy=strategy,
            net_usdt=net,
            fees_usdt=fees,
            funding_usdt=funding,
            entry_slippage_usdt=entered,
            exit_slippage_usdt=left,
        )
        for symbol, strategy, net, fees, funding, entered, left in rows
    ]
    groups = [*shares(trades, lambda t: t.symbol), *shares(trades, lambda t: t.strategy)]
    for parts in [*map(parts_of, trades), *(share.parts for share in groups), together(trades)]:
        assert parts.price_usdt + parts.slippage_usdt + parts.fees_usdt + parts.funding_usdt == parts.net_usdt
    for key in (lambda t: t.symbol, lambda t: t.strategy):
        assert sum(share.parts.net_usdt for share in shares(trades, key)) == together(trades).net_usdt
        assert sum(share.trades for share in shares(trades, key)) == len(trades)
    assert abs(together(trades).net_usdt - sum(t.net_usdt for t in trades)) <= len(trades) * Decimal("5e-9")


@pytest.mark.parametrize(
    ("side", "stop", "risk"),
    [("Sell", 60_150, Decimal("1.5")), ("Buy", 59_850, Decimal("1.5")), ("Buy", 60_150, None), ("Sell", None, None)],
)
def test_the_risk_is_the_way_to_the_planned_stop(side, stop, risk):
    known = trade(side=side, planned_stop=None if stop is None else Decimal(stop), net="-3")
    assert known.risk_usdt == risk
    assert known.net_r == (None if risk is None else -2.0)


def test_shares_come_in_the_order_of_their_names():
    trades = [trade(symbol=symbol) for symbol in ("B", "A", "B")]
    assert [(share.name, share.trades) for share in shares(trades, lambda t: t.symbol)] == [("A", 1), ("B", 2)]
