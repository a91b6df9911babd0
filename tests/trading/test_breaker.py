"""The breaker: each rule trips where it says and not before, resumes as promised, and outlives a restart."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakwall.model.actions import OrderKind, PlaceOrder, Plan, TimeInForce
from breakwall.model.api import Bars
from breakwall.model.events import CommandKind, Outcome, OutcomeKind
from breakwall.model.records import ClosedTrade
from breakwall.model.units import Side
from breakwall.settings import BreakerSettings, RiskSettings
from breakwall.trading import breaker as package
from breakwall.trading.breaker import RULES, Breaker, Conditions, Memory, Tier, TradingState, Trip

DAY = 86_400_000
NOON = 20_000 * DAY + DAY // 2
NEXT_DAY = 20_001 * DAY
BTC, ETH = "BTCUSDT", "ETHUSDT"


def trade(net, at_ms=NOON, symbol=BTC, reason="take-profit", strategy="bounce"):
    zero = Decimal(0)
    return ClosedTrade(
        symbol, strategy, Side.BUY, 1, Decimal(1), Decimal(1), Decimal(net), zero, zero, Decimal(net), reason,
        False, False, at_ms - 1000, at_ms, zero, zero, f"bw-1-{at_ms}-e", "1-1",
    )  # fmt: skip


def order(number, symbol=BTC, strategy="bounce", *, reduce_only=False):
    plan = Plan(strategy, 1, Side.BUY, 1, 2, 3, 1, 5)
    return PlaceOrder(
        f"bw-1-{number}-e", "", symbol, 0, "", Side.BUY, OrderKind.LIMIT, 1, TimeInForce.IOC, 3,
        reduce_only=reduce_only, stop_ticks=None if reduce_only else 1, plan=None if reduce_only else plan,
    )  # fmt: skip


def refusal(bars):
    return Outcome("place", BTC, "bw-1-1-e", OutcomeKind.REJECTED, 1, "why", bars=bars)


def money(equity, open_pnl=0):
    return Decimal(equity), Decimal(open_pnl)


@pytest.fixture
def breaker():
    return fresh()


def fresh(**risk):
    breaker = Breaker(BreakerSettings(), RiskSettings(**risk))
    breaker.on_equity(Decimal(10_000), Decimal(0), NOON)
    return breaker


def feed(breaker, *facts):
    """Facts as (method, arguments); the names and scopes of what they tripped."""
    trips = [trip for name, *args in facts for trip in getattr(breaker, name)(*args)]
    return [(trip.rule, trip.scope) for trip in trips]


LASTING = {
    "daily loss": (
        [("on_closed", trade(-140)), ("on_closed", trade(-60, NOON, ETH, strategy="breakout")),
         ("on_equity", *money(9_701, -99), NOON)],
        ("on_equity", *money(9_700, -100), NOON),
        "", Tier.REDUCE, NEXT_DAY,
    ),
    "runaway loss": (
        [("on_equity", *money(9_700, -499), NOON)],
        ("on_equity", *money(9_700, -500), NOON),
        "", Tier.FLATTEN, None,
    ),
    "symbol loss": (
        [("on_closed", trade(-149))],
        ("on_closed", trade(-1, NOON, strategy="breakout")),
        BTC, Tier.REDUCE, NEXT_DAY,
    ),
    "strategy loss": (
        [("on_closed", trade(-149)), ("on_closed", trade(-50, NOON, ETH))],
        ("on_closed", trade(-1, NOON, ETH)),
        "bounce", Tier.REDUCE, NEXT_DAY,
    ),
    "drawdown": (
        [("on_closed", trade(400))] + [("on_equity", *money(10_000, open_pnl), NOON) for open_pnl in (600, -199)],
        ("on_equity", *money(10_000, -200), NOON),
        "", Tier.FLATTEN, None,
    ),
    "missing money": (
        [("on_equity", *money(12_000), NOON), ("on_equity", *money(11_041), NOON)],
        ("on_equity", *money(11_040), NOON),
        "", Tier.REDUCE, None,
    ),
    "consecutive losses": (
        [("on_closed", trade(-1, NOON + n)) for n in range(3)],
        ("on_closed", trade(-1, NOON + 3)),
        "", Tier.PAUSE, NOON + 3 + 900_000,
    ),
    "trades per day": ([("on_entry", NOON)] * 59, ("on_entry", NOON), "", Tier.REDUCE, NEXT_DAY),
    "symbol stop-outs": (
        [("on_closed", trade(-1, NOON + n, BTC, "stop")) for n in (0, 1)],
        ("on_closed", trade(-1, NOON + 2, BTC, "stop")),
        BTC, Tier.PAUSE, NOON + 2 + 1_800_000,
    ),
    "stop-outs": (
        [("on_closed", trade(net, NOON + n, f"{n // 2}USDT", "stop"))
         for n, net in enumerate([-1, -1, -1, 5, -1, -1])],
        ("on_closed", trade(-1, NOON + 9, "9USDT", "liquidation")),
        "", Tier.PAUSE, NOON + 9 + 1_800_000,
    ),
    "repeated execution": (
        [("on_order", order(n), NOON + 2_000 * n) for n in range(14)],
        ("on_order", order(14), NOON + 599_999),
        "bounce BTCUSDT", Tier.HALT, None,
    ),
    "order rate": (
        [("on_order", order(n, f"{n}USDT", reduce_only=n % 2 == 0), NOON + n) for n in range(29)],
        ("on_order", order(29, ETH), NOON + 59_999),
        "", Tier.PAUSE, NOON + 60_000,
    ),
    "slow orders": (
        [("on_answer", 100, f"a{n}", NOON) for n in range(20)] + [("on_answer", 1_501, "slow", NOON)],
        ("on_answer", 5_000, "slower", NOON + 59_999),
        "", Tier.REDUCE, NOON + 119_999,
    ),
    "locked out": (
        [("on_outcome", refusal(Bars.NOTHING), NOON)], ("on_outcome", refusal(Bars.PERSON), NOON),
        "", Tier.HALT, None,
    ),
    "no margin": (
        [("on_outcome", refusal(Bars.SYMBOL), NOON)], ("on_outcome", refusal(Bars.ACCOUNT), NOON),
        "", Tier.PAUSE, NOON + 60_000,
    ),
    "symbol refused": (
        [("on_outcome", refusal(Bars.NOTHING), NOON)], ("on_outcome", refusal(Bars.SYMBOL), NOON),
        BTC, Tier.PAUSE, NOON + 60_000,
    ),
    "slow disk": ([("on_commit", 250, NOON)], ("on_commit", 251, NOON), "", Tier.REDUCE, NOON + 10_000),
}  # fmt: skip


@pytest.mark.parametrize("rule", LASTING)
def test_a_lasting_rule(rule, breaker):
    """Not before its limit, then at it; for its scope alone; until its time or a person; the same after a restart."""
    before, last, scope, tier, until_ms = LASTING[rule]
    assert (rule, scope) not in feed(breaker, *before)
    assert (rule, scope) in feed(breaker, last)
    trip = next(trip for trip in breaker.trips if trip.rule == rule)
    assert (trip.scope, trip.tier, trip.until_ms) == (scope, tier, until_ms)
    if not scope:
        halts = tier in {Tier.HALT, Tier.FLATTEN}
        assert breaker.state is (TradingState.HALTED if halts else TradingState.REDUCING)
        assert (breaker.flatten, trip.text in breaker.why) == (tier is Tier.FLATTEN, True)

    again = Breaker(BreakerSettings(), RiskSettings())
    again.remember(msgspec.json.decode(msgspec.json.encode(breaker.memory()), type=Memory))
    assert (again.memory(), again.trips) == (breaker.memory(), breaker.trips)

    for each in (breaker, again):
        each.on_time((until_ms or NOON + 30 * DAY) - 1)
        assert trip in each.trips
        if until_ms is not None:
            assert rule in each.on_time(until_ms)
        else:
            each.on_command(CommandKind.RESUME, "person", "", NOON + 30 * DAY)
            assert trip in each.trips
            each.on_command(CommandKind.RESET_BREAKER, "person", "", NOON + 30 * DAY, scope, rule)
        assert trip not in each.trips


STANDING = {
    "book": (Conditions(), Conditions(books=((BTC, "STALE: no book for 5 s"),)), BTC, Tier.PAUSE, 1_000),
    "exposure": (
        Conditions(Decimal(1_000), margins=tuple((f"{n}USDT", Decimal(55)) for n in range(10))),
        Conditions(Decimal(999), margins=tuple((f"{n}USDT", Decimal(55)) for n in range(10))),
        "", Tier.REDUCE, 5_000,
    ),
    "symbol exposure": (
        Conditions(Decimal(1_000), margins=((BTC, Decimal(55)),)),
        Conditions(Decimal(1_000), margins=((BTC, Decimal("55.01")), (ETH, Decimal(1)))),
        BTC, Tier.REDUCE, 5_000,
    ),
    "clock": (Conditions(clock_ms=-1_000), Conditions(clock_ms=-1_001), "", Tier.REDUCE, 5_000),
    "loop delay": (Conditions(late_ms=500), Conditions(late_ms=501), "", Tier.PAUSE, 5_000),
    "unreconciled": (Conditions(unread_ms=15_000), Conditions(unread_ms=15_001), "", Tier.REDUCE, 0),
    "exchange interface": (Conditions(), Conditions(api="orders: open"), "", Tier.PAUSE, 0),
}  # fmt: skip


@pytest.mark.parametrize("rule", STANDING)
def test_a_standing_rule(rule, breaker):
    """It holds as long as its cause and its calm; nothing of it is remembered."""
    good, bad, scope, tier, calm_ms = STANDING[rule]
    assert breaker.on_conditions(good, NOON) == []
    told = breaker.on_conditions(bad, NOON)
    trip = next(trip for trip in breaker.trips if trip.rule == rule)
    assert told == list(breaker.told)
    assert (trip.scope, trip.tier) == (scope, tier)
    assert breaker.on_conditions(bad, NOON + 100) == []
    assert breaker.on_time(NOON + DAY - 1) == []
    assert breaker.memory().trips == ()
    calm = Breaker(BreakerSettings(), RiskSettings())
    calm.take_over(breaker)
    calm.again(trip)
    assert calm.trips == ()

    breaker.on_conditions(good, NOON + DAY)
    if calm_ms:
        assert breaker.on_time(NOON + DAY + calm_ms - 1) == []
        assert breaker.on_conditions(bad, NOON + DAY + calm_ms - 1) == []
        assert breaker.on_time(NOON + DAY + calm_ms) == []
        breaker.on_conditions(good, NOON + DAY + calm_ms)
    breaker.on_time(NOON + DAY + 2 * calm_ms)
    assert breaker.trips == ()


def test_a_low_balance_holds_until_the_money_is_there(breaker):
    assert feed(breaker, ("on_equity", *money(10), NOON)) == [("missing money", "")]
    assert feed(breaker, ("on_equity", *money("9.99"), NOON)) == [("low balance", "")]
    breaker.on_command(CommandKind.RESET_BREAKER, "person", "", NOON)
    assert (breaker.state, breaker.why[:11]) == (TradingState.REDUCING, "low balance")
    breaker.on_equity(*money(10), NOON)
    breaker.on_time(NOON)
    assert breaker.state is TradingState.ACTIVE


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "sNaN"])
@pytest.mark.parametrize("place", [0, 1])
def test_what_is_no_number_holds_entries_and_changes_no_limit(breaker, number, place):
    told = [Decimal(10_000), Decimal(0)]
    told[place] = Decimal(number)
    before = breaker.memory()
    assert feed(breaker, ("on_equity", *told, NOON)) == [("low balance", "")]
    assert msgspec.structs.replace(breaker.memory(), sane=True) == before
    breaker.on_equity(*money(10_000), NOON + 1)
    breaker.on_time(NOON + 1)
    assert breaker.state is TradingState.ACTIVE


def test_the_symbol_rests_after_a_trade(breaker):
    breaker.on_closed(trade(1, NOON, "SOLUSDT"))
    assert breaker.symbol_ready_in_ms("SOLUSDT", NOON + 5_000) == 10_000
    assert breaker.symbol_ready_in_ms("SOLUSDT", NOON + 15_000) == 0
    assert breaker.symbol_ready_in_ms(BTC, NOON) == 0


def test_a_scope_is_held_alone(breaker):
    feed(breaker, *LASTING["repeated execution"][0], LASTING["repeated execution"][1])
    assert breaker.hold(BTC, "bounce").rule == "repeated execution"
    assert (breaker.hold(BTC, "breakout"), breaker.hold(ETH, "bounce")) == (None, None)
    breaker.on_conditions(Conditions(books=((ETH, "crossed"),)), NOON)
    assert breaker.hold(ETH, "breakout").text == "ETHUSDT book: crossed"
    assert breaker.state is TradingState.ACTIVE
    feed(breaker, ("on_closed", trade(-200, NOON, "SOLUSDT", strategy="breakout")))
    assert breaker.hold(BTC, "breakout").rule == "strategy loss"


def test_a_withdrawal_never_flattens_and_a_deposit_moves_no_daily_limit(breaker):
    assert feed(breaker, ("on_equity", *money(5_000), NOON)) == [("missing money", "")]
    assert (breaker.flatten, "a withdrawal" in breaker.why) == (False, True)
    breaker.on_command(CommandKind.RESET_BREAKER, "person", "", NOON)
    assert feed(breaker, ("on_equity", *money(20_000), NOON)) == []
    assert breaker.daily_loss_left_usdt == 150


def test_open_profit_does_not_buy_more_loss(breaker):
    breaker.on_equity(*money(10_500, 500), NOON)
    assert breaker.daily_loss_left_usdt == 300


def test_a_win_ends_the_row(breaker):
    nets = [-1, -1, -1, 1, -1, -1, -1]
    assert feed(breaker, *[("on_closed", trade(net, NOON + n)) for n, net in enumerate(nets)]) == []


def test_a_stop_in_profit_is_no_stop_out(breaker):
    assert feed(breaker, *[("on_closed", trade(1, NOON + n, BTC, "stop")) for n in range(9)]) == []


def test_old_stop_outs_and_entries_leave_the_window(breaker):
    hour = 3_600_000
    stops = [("on_closed", trade(-1, NOON + n * hour // 2, BTC, "stop")) for n in range(3)]
    assert ("symbol stop-outs", BTC) not in feed(breaker, *stops)
    orders = [("on_order", order(n), NOON + n * 43_000) for n in range(40)]
    assert feed(breaker, *orders) == []


def test_what_is_shown_of_a_window_is_what_counts_in_it(breaker):
    feed(breaker, ("on_order", order(1), NOON), ("on_closed", trade(-1, NOON, BTC, "stop")))

    def used():
        return [rule.used for rule in breaker.rules if rule.rule in {"order rate", "stop-outs"}]

    breaker.on_time(NOON + 59_999)
    assert used() == [1, 1]
    breaker.on_time(NOON + 60_000)
    assert used() == [1, 0]
    breaker.on_time(NOON + 3_600_000)
    assert used() == [0, 0]


def test_slow_answers_hold_for_longer_when_more_come(breaker):
    feed(breaker, ("on_answer", 2_000, "a", NOON), ("on_answer", 2_000, "b", NOON + 1))
    assert feed(breaker, ("on_answer", 2_000, "c", NOON + 30_000)) == []
    assert breaker.on_time(NOON + 89_999) == []
    assert breaker.on_time(NOON + 90_000) == ["slow orders"]


def test_closes_count_as_orders_but_are_held_by_nothing(breaker):
    closes = [("on_order", order(n, reduce_only=True), NOON) for n in range(100)]
    assert feed(breaker, *closes) == []
    assert feed(breaker, ("on_order", order(100), NOON)) == [("order rate", "")]


def test_the_risk_day_starts_when_the_settings_say():
    breaker = fresh(day_starts_at="08:30")
    trip = breaker.on_closed(trade(-300))[0]
    assert trip.until_ms == NEXT_DAY + (8 * 60 + 30) * 60_000


def test_a_reset_frees_the_limits_and_leaves_the_result_of_the_day(breaker):
    feed(breaker, ("on_closed", trade(-200)), ("on_entry", NOON))
    breaker.on_command(CommandKind.RESET_BREAKER, "operator", "", NOON)
    assert (breaker.realised_today, breaker.trades_today, breaker.daily_loss_left_usdt) == (-200, 0, 300)


def test_a_new_day_counts_anew(breaker):
    feed(breaker, ("on_closed", trade(-200)), ("on_entry", NOON))
    breaker.on_equity(*money(9_800), NEXT_DAY)
    assert (breaker.realised_today, breaker.trades_today, breaker.daily_loss_left_usdt) == (0, 0, 300)
    breaker.on_time(NEXT_DAY)
    assert breaker.trips == ()


def test_a_person_pauses_resumes_and_halts(breaker):
    (trip,) = breaker.on_command(CommandKind.PAUSE, "operator", "lunch", NOON)
    assert (breaker.state, trip.text) == (TradingState.REDUCING, "paused by operator: lunch")
    breaker.on_command(CommandKind.PAUSE, "operator", "", NOON, BTC)
    assert (breaker.paused(ETH), breaker.hold(BTC, "bounce").scope) == ("paused by operator: lunch", "")
    breaker.on_command(CommandKind.RESUME, "operator", "", NOON)
    assert (breaker.state, breaker.trips) == (TradingState.ACTIVE, ())
    breaker.on_command(CommandKind.HALT, "operator", "", NOON)
    assert (breaker.state, breaker.halted, breaker.flatten) == (TradingState.HALTED, True, False)


def test_a_reset_of_all_leaves_single_symbols_paused(breaker):
    breaker.on_command(CommandKind.PAUSE, "operator", "", NOON, BTC)
    breaker.on_command(CommandKind.HALT, "operator", "", NOON)
    assert [trip.rule for trip in breaker.liftable("", "")] == ["halted"]
    assert [rule.rule for rule in breaker.rules if rule.resettable] == ["halted"]
    breaker.on_command(CommandKind.RESET_BREAKER, "operator", "", NOON)
    assert [(trip.rule, trip.scope) for trip in breaker.trips] == [("paused", BTC)]


@pytest.mark.parametrize(
    ("rule", "scope", "left"),
    [
        ("symbol loss", "", {"strategy loss", "halted"}),
        ("", "bounce", {"symbol loss", "halted"}),
        ("", BTC, {"strategy loss", "halted"}),
        ("symbol loss", ETH, {"symbol loss", "strategy loss", "halted"}),
        ("halted", "", {"symbol loss", "strategy loss"}),
        ("", "", set()),
    ],
)
def test_a_reset_may_name_a_rule_and_a_scope(breaker, rule, scope, left):
    feed(breaker, ("on_closed", trade(-250)))
    breaker.on_command(CommandKind.HALT, "operator", "", NOON)
    breaker.on_command(CommandKind.RESET_BREAKER, "operator", "", NOON, scope, rule)
    assert {trip.rule for trip in breaker.trips} == left


def test_each_trip_is_a_note_that_restores_it(breaker):
    for trip in [*breaker.on_command(CommandKind.HALT, "a\x1b[2Jb", "", NOON), *breaker.on_closed(trade(-250))]:
        assert (trip.note.durable, "\x1b" in trip.note.text) == (True, False)
        other = Breaker(BreakerSettings(), RiskSettings())
        other.again(Trip.of_note(msgspec.json.decode(msgspec.json.encode(trip.note), type=type(trip.note))))
        assert [each.key for each in other.trips] == [trip.key]


def test_each_limit_shows_what_is_used_of_it(breaker):
    feed(breaker, ("on_closed", trade(-40)), ("on_entry", NOON), ("on_equity", *money(9_900, -60), NOON + 1))
    rules = {rule.rule: (rule.used, rule.limit, rule.unit) for rule in breaker.rules}
    assert rules == {
        "daily loss": (100, 300, "USDT"),
        "drawdown": (100, 800, "USDT"),
        "consecutive losses": (1, 4, "losses"),
        "trades per day": (1, 60, "trades"),
        "stop-outs": (0, 6, "stops"),
        "exposure": (0, 4_950, "USDT"),
        "order rate": (0, 30, "orders"),
        "clock": (0, 1_000, "ms"),
        "loop delay": (0, 500, "ms"),
    }
    assert not any(rule.tripped for rule in breaker.rules)


def test_what_is_tripped_shows_its_scope_tier_and_what_lifts_it(breaker):
    feed(breaker, *[("on_closed", trade(-1, NOON + n)) for n in range(4)])
    breaker.on_command(CommandKind.HALT, "operator", "", NOON)
    breaker.on_conditions(Conditions(books=((ETH, "crossed"),)), NOON)
    rules = {rule.rule: rule for rule in breaker.rules}
    row = rules["consecutive losses"]
    assert (row.used, row.tripped, row.until_ms, row.scope) == (4, True, NOON + 3 + 900_000, "")
    assert (rules["halted"].tier, rules["halted"].resumes, rules["halted"].limit) == ("halt", "a person's reset", 0)
    assert (rules["book"].scope, rules["book"].tier, rules["book"].text) == (ETH, "pause", "ETHUSDT book: crossed")


def test_the_table_names_every_rule_once_and_the_package_prints_it():
    names = [rule.name for rule in RULES]
    assert len(names) == len(set(names))
    assert set(names) == {*LASTING, *STANDING, "low balance", "cooldown", "paused", "halted"}
    printed = " ".join((package.__doc__ or "").split())
    for rule in RULES:
        line = f"{rule.name} ({rule.scope}): {rule.trips} -> {rule.tier.value}, until: {rule.resumes}"
        assert " ".join(line.split()) in printed


FACTS = st.one_of(
    st.tuples(st.just("on_closed"), st.integers(-200, 200), st.sampled_from((BTC, ETH)), st.booleans()),
    st.tuples(st.just("on_equity"), st.integers(0, 12_000), st.integers(-500, 500)),
    st.tuples(st.just("on_entry")),
    st.tuples(st.just("on_order"), st.sampled_from((BTC, ETH))),
    st.tuples(st.just("on_answer"), st.integers(1, 5_000)),
    st.tuples(st.just("on_time")),
    st.tuples(st.just("on_command"), st.sampled_from((*CommandKind,)), st.sampled_from(("", BTC))),
)
STEPS = st.lists(st.tuples(st.integers(0, 3_600_000), FACTS), max_size=60)


def tell(breaker, at_ms, number, fact):
    kind, *args = fact
    if kind == "on_closed":
        net, symbol, stopped = args
        return breaker.on_closed(trade(net, at_ms, symbol, "stop" if stopped else "time stop"))
    if kind == "on_order":
        return breaker.on_order(order(number, *args), at_ms)
    if kind == "on_answer":
        return breaker.on_answer(*args, f"a{number}", at_ms)
    if kind == "on_command":
        return breaker.on_command(args[0], "person", "", at_ms, args[1])
    if kind == "on_time":
        breaker.on_time(at_ms)
        return []
    return getattr(breaker, kind)(*map(Decimal, args), at_ms)


@given(steps=STEPS, cut=st.integers(0, 60))
@settings(max_examples=60, deadline=None)
def test_the_journal_fed_again_gives_the_same_breaker(steps, cut):
    """Fed with the trips' notes besides, as after a restart; and taken up from a checkpoint in between."""
    live, again, taken_up = fresh(), fresh(), fresh()
    at_ms = NOON
    for number, (later_ms, fact) in enumerate(steps):
        at_ms += later_ms
        if number == cut:
            taken_up.remember(msgspec.json.decode(msgspec.json.encode(live.memory()), type=Memory))
        trips = tell(live, at_ms, number, fact)
        tell(again, at_ms, number, fact)
        for trip in trips:
            again.again(Trip.of_note(trip.note))
        if number >= cut:
            tell(taken_up, at_ms, number, fact)
    assert again.memory() == live.memory()
    assert (again.trips, again.state, again.why) == (live.trips, live.state, live.why)
    if cut < len(steps):
        assert taken_up.memory() == live.memory()


@given(steps=STEPS)
@settings(max_examples=60, deadline=None)
def test_what_is_told_twice_counts_once(steps):
    """An order or an answer told again by a journal that was written twice changes nothing."""
    once, twice = fresh(), fresh()
    at_ms = NOON
    for number, (later_ms, fact) in enumerate(steps):
        at_ms += later_ms
        for _ in range(1 + (fact[0] in {"on_order", "on_answer", "on_command", "on_time", "on_equity"})):
            tell(twice, at_ms, number, fact)
        tell(once, at_ms, number, fact)
    assert twice.memory() == once.memory()
    assert twice.state is once.state


@pytest.mark.parametrize("name", [name for name in BreakerSettings.model_fields if name != "symbol_cooldown_s"])
@pytest.mark.parametrize("value", [0, -1, "nan", "inf"])
def test_no_rule_can_be_switched_off(name, value):
    with pytest.raises(ValueError, match=name):
        BreakerSettings.model_validate({name: value})


def test_flattening_comes_after_the_daily_loss():
    with pytest.raises(ValueError, match="at least daily_loss_percent"):
        BreakerSettings(daily_loss_percent=Decimal(6))
