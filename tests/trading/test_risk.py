"""The last gate: what leaves it obeys every limit, and nothing leaves around it."""

import re
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from breakwall.model.actions import Approved, OrderKind, Refused, TimeInForce
from breakwall.model.units import Side
from breakwall.trading.breaker import TradingState
from breakwall.trading.liquidation import liquidation_ticks
from breakwall.trading.order import Cause, Order
from breakwall.trading.portfolio import Holding
from breakwall.trading.risk import approve_cancel, approve_entry, approve_exit, approve_stop
from breakwall.trading.validation import examine

SOURCE = Path(__file__).parents[2] / "src" / "breakwall"


def entry(make, signal=None, scene=None, **gate):
    card = examine(signal or make.signal(), make.scene(**(scene or {})))
    return approve_entry(card, make.gate(**gate), make.origin(5, 1_000_100))


def test_an_entry_is_an_immediate_limit_with_stop_and_plan(make):
    approved = entry(make)
    assert isinstance(approved, Approved)
    intent = approved.intent
    assert not approved.reducing
    assert (intent.kind, intent.tif, intent.reduce_only) == (OrderKind.LIMIT, TimeInForce.IOC, False)
    assert (intent.limit_ticks, intent.stop_ticks, intent.plan.stop_ticks) == (600_361, 598_800, 598_800)
    assert (intent.client_id, intent.trace, intent.decided_ms) == ("bw-1-5-e", "1-5", 1_000_100)


@pytest.mark.parametrize(
    ("check", "gate"),
    [
        ("trading state", {"state": TradingState.REDUCING}),
        ("trading state", {"state": TradingState.HALTED}),
        ("armed", {"armed": False}),
        ("blind", {"blind": True}),
        ("journal", {"journal_ok": False}),
        ("unknown order", {"unresolved": True}),
        ("cooldown", {"rest_ms": 1}),
        ("price collar", {"mark": None}),
        ("price collar", {"mark": Decimal(0)}),
        ("price collar", {"mark": Decimal(59440)}),
        ("price collar", {"mark": Decimal(60644)}),
        ("cost gate", {"bid_ticks": 596_500}),
        ("funding", {"funding_rate": Decimal("0.0001"), "next_funding_ms": 1_060_000}),
        ("stop", {"bid_ticks": 598_800}),
    ],
)
def test_the_gate_refuses_by_name(make, check, gate):
    refused = entry(make, **gate)
    assert isinstance(refused, Refused)
    assert (refused.check, bool(refused.reason)) == (check, True)


@pytest.mark.parametrize(
    "gate",
    [
        {"funding_rate": Decimal("-0.0001"), "next_funding_ms": 1_060_000},
        {"funding_rate": Decimal("0.0001"), "next_funding_ms": 1_160_101},
        {"funding_rate": Decimal("0.0001"), "next_funding_ms": 1_000_000},
    ],
)
def test_funding_that_pays_us_or_is_far_or_over_does_not_matter(make, gate):
    assert isinstance(entry(make, **gate), Approved)


def test_limits_are_asked_again_with_the_book_of_this_moment(make):
    full = make.portfolio(holdings=(Holding("ETHUSDT", Decimal(6_000), Decimal(600), Decimal(1)),))
    assert entry(make, portfolio=full).check == "max_exposure_usdt"
    lost = make.portfolio(daily_loss_left_usdt=Decimal(1))
    assert entry(make, portfolio=lost).check == "daily loss left"
    many = make.portfolio(holdings=tuple(Holding(s, Decimal(1), Decimal(1), Decimal(0)) for s in "ABCDE"))
    assert entry(make, portfolio=many).check == "positions"


def test_the_collar_ends_at_its_percent(make):
    """The worst price is 60036.1: 1 % of the mark price above and below it."""
    for mark in ("59442", "60642"):
        assert isinstance(entry(make, mark=Decimal(mark)), Approved)


def test_a_slipped_finger_in_every_other_limit_ends_at_the_largest_order(make):
    rules = {"position_margin_percent": 100, "risk_per_trade_percent": 100, "max_exposure_usdt": 10**9}
    loose = make.settings(risk=rules | {"total_margin_percent": 100, "net_exposure_usdt": 10**9})
    book = make.portfolio(1_000_000, daily_loss_left_usdt=Decimal(10**9))
    sized = examine(make.signal(), make.scene(settings=loose, portfolio=book)).sized
    assert 4_900 < sized.notional_usdt <= 5_000
    card = examine(make.signal(), make.scene(settings=loose, portfolio=book))
    large = replace(card, sized=replace(sized, notional_usdt=Decimal("5000.01")))
    assert approve_entry(large, make.gate(settings=loose, portfolio=book), make.origin()).check == "max_order_usdt"


NUMBERS = st.sampled_from(("NaN", "sNaN", "Infinity", "-Infinity")).map(Decimal)


@given(wrong=NUMBERS, place=st.integers(0, 7))
@settings(max_examples=60, deadline=None)
def test_what_is_no_number_is_refused(make, wrong, place):
    sound = Holding("ETHUSDT", Decimal(10), Decimal(1), Decimal(1))
    fields = ("notional_usdt", "margin_usdt", "loss_at_stop_usdt")
    names = ("equity_usdt", "available_usdt", "daily_loss_left_usdt")
    book = make.portfolio(holdings=(sound,))
    gate = {}
    if place < 3:
        book = replace(book, **{names[place]: wrong})
    elif place < 6:
        book = replace(book, holdings=(replace(sound, **{fields[place - 3]: wrong}),))
    else:
        gate = {"mark": wrong}
    assert entry(make, portfolio=book, **gate).check == "numbers"
    if place < 3:
        assert isinstance(entry(make, None, {"portfolio": book}), Refused)


def test_a_failed_check_never_becomes_an_order(make):
    assert entry(make, scene={"enabled": False}).check == "symbol enabled"


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize(("strategy", "percent"), [("breakout", 2), ("bounce", 1)])
@pytest.mark.parametrize("symbol", ["BTCUSDT", "SOLUSDT"])
def test_the_demo_accounts_fallback_targets_pay_with_a_spread_of_one_tick(make, strategy, percent, side, symbol):
    instrument, mid = (make.btc, 600_000) if symbol == "BTCUSDT" else (make.sol, 15_000)
    entry_ticks, sign = mid + (side is Side.BUY), side.sign
    target = entry_ticks + sign * entry_ticks * percent // 100
    stop = entry_ticks - sign * entry_ticks // 500
    signal = make.signal(strategy, side, instrument, entry_ticks=entry_ticks, target_ticks=target, stop_ticks=stop)
    wall = make.wall(bid=strategy == "bounce")
    market = {"instrument": instrument, "bid_ticks": mid, "ask_ticks": mid + 1}
    gate = {**market, "mark": instrument.price(mid)}
    assert isinstance(entry(make, signal, {"wall": wall, **market}, **gate), Approved)


def test_a_target_that_does_not_pay_is_refused(make):
    """Taker round trip 11 bp, slippage 6 bp: the gate asks for 51 bp and three spreads."""
    least = make.costs().least_reward_ticks(600_001, 603_100, 1)
    assert 3_060 < least < 3_080
    assert entry(make, make.signal(target_ticks=600_001 + least - 1)).check == "cost gate"
    assert isinstance(entry(make, make.signal(target_ticks=600_001 + least + 1)), Approved)


@given(
    side=st.sampled_from(Side),
    stop=st.integers(1, 80_000),
    target=st.integers(-5_000, 30_000),
    equity=st.integers(5, 100_000),
    spread=st.integers(1, 2_000),
    net=st.integers(-9_000, 9_000),
    mark=st.integers(-9_000, 9_000),
)
@settings(max_examples=100, deadline=None)
def test_whatever_is_approved_obeys_every_limit(make, side, stop, target, equity, spread, net, mark):
    book = make.portfolio(equity, holdings=(Holding("ETHUSDT", Decimal(net), Decimal(abs(net)) / 10, Decimal(2)),))
    sign, bid, ask = side.sign, 600_000, 600_000 + spread
    start = ask if sign > 0 else bid
    signal = make.signal(
        side=side, entry_ticks=start, stop_ticks=start - sign * stop, target_ticks=start + sign * target
    )
    market = {"bid_ticks": bid, "ask_ticks": ask, "portfolio": book}
    approved = entry(make, signal, market, **market, mark=make.btc.price(600_000 + mark))
    if isinstance(approved, Refused):
        return
    intent, rules = approved.intent, make.settings().risk
    price, qty = make.btc.price(intent.limit_ticks), make.btc.qty(intent.lots)
    liquidation = liquidation_ticks(make.btc, sign, intent.limit_ticks, rules.leverage)
    assert sign * (intent.stop_ticks - liquidation) >= rules.liquidation_gap_percent * intent.limit_ticks / 100
    assert sign * (intent.limit_ticks - intent.stop_ticks) > 0
    assert make.costs().pays(side, signal.entry_ticks, signal.target_ticks, spread)
    assert qty * price / rules.leverage * 100 <= equity * rules.position_margin_percent
    assert abs(net) + qty * price <= rules.max_exposure_usdt
    assert sign * net + qty * price <= rules.net_exposure_usdt
    assert intent.lots >= make.btc.min_lots
    assert qty * price <= rules.max_order_usdt
    assert abs(price * 100 / make.btc.price(600_000 + mark) - 100) <= rules.price_collar_percent


def test_exits_are_reduce_only_in_every_state_and_never_larger_than_the_position(make):
    approved = approve_exit(make.position(-7), make.origin(9), "flatten", "f")
    intent = approved.intent
    assert approved.reducing
    assert (intent.side, intent.lots, intent.kind, intent.reduce_only) == (Side.BUY, 7, OrderKind.MARKET, True)
    assert (intent.client_id, intent.stop_ticks, intent.plan) == ("bw-1-9-f", None, None)
    stepped = approve_exit(make.position(7), make.origin(9), "again", "k", 597_000).intent
    assert (stepped.kind, stepped.tif, stepped.limit_ticks) == (OrderKind.LIMIT, TimeInForce.IOC, 597_000)


def test_a_large_position_is_closed_in_parts(make):
    position = make.position(10)
    position.instrument = replace(make.btc, max_market_lots=4)
    assert approve_exit(position, make.origin(), "flatten").intent.lots == 4


def test_a_flat_position_needs_no_exit_and_no_stop(make):
    position = make.position(10)
    position.reduce(Decimal(60_000), 10, make.origin())
    assert isinstance(approve_exit(position, make.origin(), "flatten"), Refused)
    assert isinstance(approve_stop(position, 598_000, make.origin(), "protect"), Refused)


def test_a_cancel_never_takes_a_protective_stop(make):
    order = Order.told(make.report("Untriggered", client_id="", stop_kind="StopLoss"), 1)
    order.apply(Cause.LIVE, 0, 1, "1-1")
    assert "StopLoss" in approve_cancel(order, make.origin(), "sweep").reason
    ours = Order.ours(make.entry())
    approved = approve_cancel(ours, make.origin(), "resting")
    assert (approved.intent.target, approved.reducing) == (ours.client_id, True)
    ours.apply(Cause.GONE, 0, 1, "1-1")
    assert isinstance(approve_cancel(ours, make.origin(), "again"), Refused)


@given(long=st.booleans(), moves=st.lists(st.integers(580_000, 620_000), max_size=20))
@settings(max_examples=80, deadline=None)
def test_the_ratchet_never_loosens_also_after_the_stop_vanished(make, long, moves):
    sign = 1 if long else -1
    position = make.position(sign * 10, stop_ticks=600_000 - sign * 3_000)
    for n, wanted in enumerate(moves):
        held = position.held_stop_ticks
        answer = approve_stop(position, wanted, make.origin(n), "move")
        if isinstance(answer, Approved):
            assert sign * (wanted - held) >= 0
            position.prove(make.position_report(sign * 10, wanted), n)
        else:
            assert wanted == position.stop_ticks or sign * (wanted - held) < 0
        if n % 3 == 0:
            position.prove(make.position_report(sign * 10, None), n)
        assert sign * (position.held_stop_ticks - held) >= 0


def test_only_this_module_makes_approved():
    makers = {
        path.name
        for path in SOURCE.rglob("*.py")
        if re.search(r"\bApproved(\[\w+\])?\(", re.sub(r"class Approved\(.*", "", path.read_text(encoding="utf-8")))
    }
    assert makers == {"risk.py"}


def test_no_float_touches_money():
    for path in (SOURCE / "trading").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        code = re.sub(r'""".*?"""|"[^"\n]*"|#.*', "", text, flags=re.DOTALL)
        assert "float(" not in code, path.name
        assert not re.search(r"(?<![\w.])\d+\.\d*|\d+e-?\d+\b", code), path.name
