"""The breaker: each rule trips where it says, names itself, and resumes as promised."""

from decimal import Decimal

import pytest

from breakwall.config import BreakerSettings
from breakwall.model.events import CommandKind
from breakwall.model.units import Side
from breakwall.trading.breaker import Breaker, Tier, TradingState
from breakwall.trading.position import ClosedTrade

DAY = 86_400_000
NOON = 20_000 * DAY + DAY // 2


def trade(net, at_ms, symbol="BTCUSDT"):
    zero = Decimal(0)
    return ClosedTrade(
        symbol, "bounce", Side.BUY, 1, Decimal(1), Decimal(1), Decimal(net), zero, zero, Decimal(net), "stop",
        False, False, at_ms - 1000, at_ms, zero, zero, "bw-1-1-e", "1-1",
    )  # fmt: skip


@pytest.fixture
def breaker():
    breaker = Breaker(BreakerSettings())
    breaker.on_equity(Decimal(10_000), Decimal(0), NOON)
    return breaker


def test_it_starts_active_with_the_days_loss_left(breaker):
    assert (breaker.state, breaker.why, breaker.daily_loss_left_usdt) == (TradingState.ACTIVE, "", 300)


def test_losses_in_a_row_pause_until_the_cooldown_has_passed(breaker):
    for n in range(3):
        assert breaker.on_closed(trade(-1, NOON + n)) == []
    (trip,) = breaker.on_closed(trade(-1, NOON + 3))
    assert (trip.tier, trip.rule, breaker.state) == (Tier.PAUSE, "consecutive losses", TradingState.REDUCING)
    assert "4 losses in a row" in breaker.why
    breaker.on_time(NOON + 3 + 899_999)
    assert breaker.state is TradingState.REDUCING
    assert breaker.on_time(NOON + 3 + 900_000) == ["consecutive losses"]
    assert breaker.state is TradingState.ACTIVE


def test_a_win_ends_the_row(breaker):
    for n, net in enumerate([-1, -1, -1, 1, -1, -1, -1]):
        assert breaker.on_closed(trade(net, NOON + n)) == []


def test_daily_loss_counts_realised_and_open_and_ends_with_the_risk_day(breaker):
    breaker.on_closed(trade(-200, NOON))
    assert breaker.daily_loss_left_usdt == 100
    assert breaker.on_equity(Decimal(9_701), Decimal(-99), NOON + 1) == []
    assert breaker.daily_loss_left_usdt == 1
    (trip,) = breaker.on_equity(Decimal(9_700), Decimal(-100), NOON + 2)
    assert (trip.rule, trip.tier, trip.until_ms) == ("daily loss", Tier.REDUCE, 20_001 * DAY)
    assert breaker.on_equity(Decimal(9_690), Decimal(-110), NOON + 3) == []
    breaker.on_time(20_001 * DAY - 1)
    assert breaker.state is TradingState.REDUCING
    breaker.on_equity(Decimal(9_700), Decimal(0), 20_001 * DAY)
    breaker.on_time(20_001 * DAY)
    assert (breaker.state, breaker.realised_today) == (TradingState.ACTIVE, 0)


def test_open_profit_does_not_buy_more_loss(breaker):
    breaker.on_equity(Decimal(10_500), Decimal(500), NOON)
    assert breaker.daily_loss_left_usdt == 300


def test_a_deposit_moves_no_daily_limit(breaker):
    breaker.on_equity(Decimal(5_000), Decimal(0), NOON)
    assert "daily loss" not in breaker.why


def test_drawdown_flattens_and_only_a_person_resets_it(breaker):
    breaker.on_equity(Decimal(12_000), Decimal(0), NOON)
    (trip,) = breaker.on_equity(Decimal(11_040), Decimal(0), NOON + 1)
    assert (trip.rule, trip.tier, trip.until_ms) == ("drawdown", Tier.FLATTEN, None)
    assert (breaker.state, breaker.flatten) == (TradingState.HALTED, True)
    breaker.on_time(NOON + 30 * DAY)
    breaker.on_command(CommandKind.RESUME, "operator", "", NOON + 30 * DAY)
    assert breaker.state is TradingState.HALTED
    breaker.on_command(CommandKind.RESET_BREAKER, "operator", "", NOON + 30 * DAY)
    assert (breaker.state, breaker.peak) == (TradingState.ACTIVE, 11_040)


def test_trades_per_day(breaker):
    trips = [trip for n in range(60) for trip in breaker.on_entry(NOON + n)]
    assert [(trip.rule, trip.until_ms) for trip in trips] == [("trades per day", 20_001 * DAY)]
    breaker.on_time(20_001 * DAY)
    assert (breaker.state, breaker.trades_today) == (TradingState.ACTIVE, 0)


def test_the_risk_day_starts_when_the_settings_say():
    breaker = Breaker(BreakerSettings(), "08:30")
    breaker.on_equity(Decimal(10_000), Decimal(0), NOON)
    (trip,) = breaker.on_closed(trade(-300, NOON))
    assert trip.until_ms == 20_001 * DAY + (8 * 60 + 30) * 60_000


def test_a_person_pauses_resumes_and_halts(breaker):
    (trip,) = breaker.on_command(CommandKind.PAUSE, "operator", "lunch", NOON)
    assert (breaker.state, trip.text) == (TradingState.REDUCING, "paused by operator: lunch")
    breaker.on_command(CommandKind.RESUME, "operator", "", NOON)
    assert breaker.state is TradingState.ACTIVE
    breaker.on_command(CommandKind.HALT, "operator", "", NOON)
    assert (breaker.state, breaker.flatten) == (TradingState.HALTED, False)


def test_a_symbol_rests_after_a_trade(breaker):
    breaker.on_closed(trade(1, NOON, "SOLUSDT"))
    assert breaker.symbol_ready_in_ms("SOLUSDT", NOON + 5_000) == 10_000
    assert breaker.symbol_ready_in_ms("SOLUSDT", NOON + 15_000) == 0
    assert breaker.symbol_ready_in_ms("BTCUSDT", NOON) == 0


def test_each_trip_is_a_note_that_restores_it(breaker):
    (trip,) = breaker.on_command(CommandKind.HALT, "operator", "", NOON)
    assert trip.note.durable
    other = Breaker(BreakerSettings())
    other.again(trip)
    assert other.state is TradingState.HALTED


def test_each_limit_shows_what_is_used_of_it(breaker):
    breaker.on_closed(trade(-40, NOON))
    breaker.on_entry(NOON)
    breaker.on_equity(Decimal(9_900), Decimal(-60), NOON + 1)
    rules = {rule.rule: (rule.used, rule.limit, rule.unit, rule.tripped) for rule in breaker.rules}
    assert rules == {
        "daily loss": (100, 300, "USDT", False),
        "drawdown": (100, 800, "USDT", False),
        "consecutive losses": (1, 4, "losses", False),
        "trades per day": (1, 60, "trades", False),
    }


def test_a_tripped_rule_says_until_when_and_a_persons_word_is_a_rule_while_it_holds(breaker):
    for n in range(4):
        breaker.on_closed(trade(-1, NOON + n))
    breaker.on_command(CommandKind.HALT, "operator", "", NOON)
    rules = {rule.rule: rule for rule in breaker.rules}
    row = rules["consecutive losses"]
    assert (row.used, row.tripped, row.until_ms) == (4, True, NOON + 3 + 900_000)
    assert (rules["halted"].tripped, rules["halted"].until_ms) == (True, None)
