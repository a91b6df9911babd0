"""Sizing by risk: the tightest limit decides, lots are rounded down, nothing is raised to a minimum."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from breakwall.model.actions import Refused, Sized
from breakwall.model.margin import initial_margin, order_cost
from breakwall.model.units import Side
from breakwall.settings import RiskSettings
from breakwall.trading.order import Cause, Order
from breakwall.trading.portfolio import Holding, holding, loss_at_stop, portfolio
from breakwall.trading.positions import Positions
from breakwall.trading.sizing import least_lots, size


def test_the_margin_of_one_position_decides_on_the_demo_account(make):
    """10,000 USDT, leverage 10: 5 % of margin buys about 4,970 USDT of BTC; the risk of 50 USDT would buy more."""
    sized = size(make.signal(), make.btc, make.portfolio(), RiskSettings(), make.costs())
    assert isinstance(sized, Sized)
    assert (sized.lots, sized.notional_usdt) == (82, Decimal("4922.9602"))
    assert sized.margin_usdt <= 500
    assert sized.loss_at_stop_usdt < 50


def test_risk_per_trade_decides_with_a_far_stop(make):
    signal = make.signal(stop_ticks=580_000)
    sized = size(signal, make.btc, make.portfolio(), RiskSettings(), make.costs())
    loss = loss_at_stop(make.btc, 1, make.btc.price(600_361), 580_000, make.taker)
    assert sized.lots == int(Decimal(50) / loss)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"equity_usdt": Decimal(100), "available_usdt": Decimal(100)}, "risk per trade|margin per position"),
        ({"available_usdt": Decimal(5)}, "free balance"),
        ({"daily_loss_left_usdt": Decimal(0)}, "daily loss left"),
        ({"holdings": (Holding("ETHUSDT", Decimal(8000), Decimal(800), Decimal(10)),)}, "net_exposure_usdt"),
        ({"holdings": (Holding("ETHUSDT", Decimal(-10_000), Decimal(800), Decimal(10)),)}, "max_exposure_usdt"),
        ({"holdings": (Holding("ETHUSDT", Decimal(100), Decimal(4999), Decimal(10)),)}, "total margin"),
    ],
)
def test_a_refusal_names_the_tightest_limit(make, changes, words):
    refused = size(make.signal(), make.btc, make.portfolio(**changes), RiskSettings(), make.costs())
    assert isinstance(refused, Refused)
    assert any(word in refused.reason for word in words.split("|"))
    assert "smallest order is 0.001" in refused.reason


def test_the_smallest_order_is_the_instruments_where_it_is_larger(make):
    assert least_lots(make.btc, 600_000, Decimal(5)) == 1  # one lot is 60 USDT already
    assert least_lots(make.sol, 15_000, Decimal(5)) == 1
    assert least_lots(replace(make.sol, min_lots=4), 15_000, Decimal(5)) == 4
    assert least_lots(make.sol, 300, Decimal(5)) == 17  # 5 USDT at 3.00: 1.7 SOL
    assert least_lots(make.sol, 15_000, Decimal(100)) == 7


def test_one_market_order_can_always_close_it(make):
    small = replace(make.btc, max_market_lots=3)
    assert size(make.signal(), small, make.portfolio(), RiskSettings(), make.costs()).lots == 3


def test_entries_in_flight_and_positions_without_a_stop_count_in_full(make):
    order = Order.ours(make.entry(lots=10))
    naked = make.position(10)
    book = portfolio(make.wallet(), [naked], [(order, make.btc)], Decimal(10), make.taker, Decimal(300))
    margin = initial_margin(1, Decimal("0.01"), Decimal(60_000), Decimal(10), make.taker)
    assert book.holdings[1].loss_at_stop_usdt == book.holdings[1].margin_usdt == margin
    assert book.available_usdt == 10_000 - order_cost(1, Decimal("0.01"), Decimal(60_036), Decimal(10), make.taker)
    assert book.net_usdt == 600 + Decimal("600.36")
    assert book.symbols == {"BTCUSDT"}


def test_an_entry_whose_fills_are_still_on_their_way_counts(make):
    positions = Positions(make.instruments)
    positions.opening(make.entry(lots=10), make.origin())
    book = portfolio(make.wallet(), positions, [], Decimal(10), make.taker, Decimal(300))
    assert [held.notional_usdt for held in book.holdings] == [Decimal("600.36")]


def test_fills_the_order_knows_and_the_position_does_not_yet_still_count(make):
    order = Order.ours(make.entry(lots=100))
    order.apply(Cause.PARTIAL, 60, 1, "t")
    book = portfolio(make.wallet(), [], [(order, make.btc)], Decimal(10), make.taker, Decimal(300))
    assert book.exposure_usdt == make.btc.notional(600_360, 100)


@pytest.mark.parametrize(("mark", "price"), [(66_000, 66_000), (54_000, 60_000), (None, 60_000)])
def test_what_is_held_counts_at_its_mark_where_that_is_more(make, mark, price):
    position = make.position(-10, stop_ticks=601_200)
    position.mark = None if mark is None else Decimal(mark)
    book = portfolio(make.wallet(), [position], [], Decimal(10), make.taker, Decimal(300))
    assert (book.exposure_usdt, book.net_usdt) == (price * Decimal("0.01"), -price * Decimal("0.01"))


def test_a_stop_in_profit_loses_nothing(make):
    assert holding(make.btc, 10, Decimal(60_000), 602_000, Decimal(10), make.taker).loss_at_stop_usdt == 0


@given(
    equity=st.integers(20, 200_000),
    used=st.integers(0, 20_000),
    net=st.integers(-20_000, 20_000),
    stop=st.integers(20, 60_000),
    left=st.integers(0, 2_000),
    buy=st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_sizing_never_breaks_a_limit(make, equity, used, net, stop, left, buy):
    side = Side.BUY if buy else Side.SELL
    rules, costs = RiskSettings(), make.costs()
    held = (Holding("ETHUSDT", Decimal(net), Decimal(used), Decimal(1)),)
    book = make.portfolio(equity, holdings=held, daily_loss_left_usdt=Decimal(left))
    signal = make.signal(side=side, stop_ticks=600_000 - side.sign * stop)
    sized = size(signal, make.btc, book, rules, costs)
    if isinstance(sized, Refused):
        return
    limit = costs.worst_entry_ticks(make.btc, side, signal.entry_ticks)
    qty, price = make.btc.qty(sized.lots), make.btc.price(limit)
    assert sized.lots >= least_lots(make.btc, limit, rules.min_order_usdt)
    assert sized.margin_usdt * 100 <= equity * rules.position_margin_percent
    assert (sized.margin_usdt + used) * 100 <= equity * rules.total_margin_percent
    assert sized.loss_at_stop_usdt * 100 <= equity * rules.risk_per_trade_percent
    assert sized.loss_at_stop_usdt + 1 <= left
    assert abs(net) + sized.notional_usdt <= rules.max_exposure_usdt
    assert side.sign * net + sized.notional_usdt <= rules.net_exposure_usdt
    assert order_cost(side.sign, qty, price, rules.leverage, make.taker) <= book.available_usdt
