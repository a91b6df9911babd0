"""The rules as the screen shows them: what is used of each limit, what is tripped, what lifts it."""

from decimal import Decimal

from breakwall.model.view import RuleView
from breakwall.trading.breaker import conditions, pace, people, refusals, results
from breakwall.trading.breaker.conditions import Conditions
from breakwall.trading.breaker.memory import ZERO, Limits, Memory
from breakwall.trading.breaker.rule import Rule, Trip

RULES: tuple[Rule, ...] = (
    results.DAILY_LOSS,
    results.RUNAWAY_LOSS,
    results.SYMBOL_LOSS,
    results.STRATEGY_LOSS,
    results.DRAWDOWN,
    results.MISSING_MONEY,
    results.LOW_BALANCE,
    pace.CONSECUTIVE_LOSSES,
    pace.TRADES_PER_DAY,
    pace.COOLDOWN,
    pace.STOP_OUTS,
    pace.SYMBOL_STOP_OUTS,
    pace.REPEATED_EXECUTION,
    pace.ORDER_RATE,
    pace.SLOW_ORDERS,
    pace.SLOW_DISK,
    refusals.LOCKED_OUT,
    refusals.NO_MARGIN,
    refusals.SYMBOL_REFUSED,
    *conditions.RULES,
    people.PAUSED,
    people.HALTED,
)
"""Every rule there is."""

_BY_NAME = {rule.name: rule for rule in RULES}


def rule_of(trip: Trip) -> Rule:
    """The rule of a trip; an older journal may name one that is gone, which a person lifts."""
    return _BY_NAME.get(trip.rule) or Rule(trip.rule, "account", "", trip.tier, "a person's reset")


def markdown() -> str:
    """The rules as the table that stands in the runbook."""
    head = ["| rule | of | trips when | does | until |", "|---|---|---|---|---|"]
    rows = [f"| {rule.name} | {rule.scope} | {rule.trips} | {rule.tier.value} | {rule.resumes} |" for rule in RULES]
    return "\n".join(head + rows)


def rules(memory: Memory, now: Conditions, limits: Limits, trips: tuple[Trip, ...]) -> tuple[RuleView, ...]:
    """Those with a limit in the account's scope, always; then whatever else is tripped."""
    held = {trip.key: trip for trip in trips}
    lifted = people.liftable(memory, "", "")
    shown = [
        _view(rule, held.pop((rule.name, ""), None), lifted, used, limit, unit)
        for rule, used, limit, unit in _used(memory, now, limits, held)
    ]
    return (*shown, *(_view(rule_of(trip), trip, lifted) for trip in held.values()))


def _used(
    memory: Memory, now: Conditions, limits: Limits, held: dict[tuple[str, str], Trip]
) -> list[tuple[Rule, Decimal, Decimal, str]]:
    """Rule, how much of its limit is used, the limit, the unit."""
    rules, risk = limits.rules, limits.risk
    row = rules.consecutive_losses if (pace.CONSECUTIVE_LOSSES.name, "") in held else memory.losses_in_row
    margin = sum((each for _, each in now.margins), ZERO)
    return [
        (results.DAILY_LOSS, max(ZERO, memory.lost), results.daily_limit(memory, limits), "USDT"),
        (results.DRAWDOWN, max(ZERO, memory.below_best), results.drawdown_limit(memory, limits), "USDT"),
        (pace.CONSECUTIVE_LOSSES, Decimal(row), Decimal(rules.consecutive_losses), "losses"),
        (pace.TRADES_PER_DAY, Decimal(memory.trades_today), Decimal(rules.trades_per_day), "trades"),
        (pace.STOP_OUTS, Decimal(len(memory.stop_outs)), Decimal(rules.stop_guard_stops), "stops"),
        (conditions.EXPOSURE, margin, memory.equity * risk.total_margin_percent / 100, "USDT"),
        (pace.ORDER_RATE, Decimal(len(memory.orders)), Decimal(rules.orders_per_minute), "orders"),
        (conditions.CLOCK, Decimal(abs(now.clock_ms)), Decimal(rules.clock_halt_ms), "ms"),
        (conditions.LOOP_DELAY, Decimal(max(0, now.late_ms)), Decimal(rules.loop_delay_ms), "ms"),
    ]


def _view(
    rule: Rule,
    trip: Trip | None,
    lifted: tuple[Trip, ...],
    used: Decimal = ZERO,
    limit: Decimal = ZERO,
    unit: str = "",
) -> RuleView:
    """One rule; `lifted` are the trips that a reset of everything lifts."""
    return RuleView(
        rule=rule.name,
        used=used,
        limit=limit,
        unit=unit,
        tripped=trip is not None,
        until_ms=trip.until_ms if trip is not None else None,
        scope=trip.scope if trip is not None else "",
        tier=rule.tier.value,
        resumes=rule.resumes,
        text=trip.text if trip is not None else "",
        standing=rule.standing,
        resettable=trip in lifted,
    )
