"""Rules about money: what was lost, by whom, since when, and what the account still holds."""

from decimal import Decimal

from breakwall.trading.breaker.memory import ZERO, Limits, Memory
from breakwall.trading.breaker.rule import Rule, Tier, Trip

_HUNDRED = Decimal(100)

DAILY_LOSS = Rule(
    "daily loss",
    "account",
    "closed trades of the risk day plus open loss reach `daily_loss_percent` of the day's first equity",
    Tier.REDUCE,
    "next risk day",
)
RUNAWAY_LOSS = Rule(
    "runaway loss",
    "account",
    "the same loss of a day reaches `daily_flatten_percent`",
    Tier.FLATTEN,
    "a person's reset",
)
SYMBOL_LOSS = Rule(
    "symbol loss",
    "symbol",
    "its closed trades of the risk day lose `symbol_loss_percent` of the day's first equity",
    Tier.REDUCE,
    "next risk day",
)
STRATEGY_LOSS = Rule(
    "strategy loss",
    "strategy",
    "its closed trades of the risk day lose `strategy_loss_percent` of the day's first equity",
    Tier.REDUCE,
    "next risk day",
)
DRAWDOWN = Rule(
    "drawdown",
    "account",
    "our own results fall by `drawdown_percent` of the highest equity below their best; transfers do not count",
    Tier.FLATTEN,
    "a person's reset",
)
MISSING_MONEY = Rule(
    "missing money",
    "account",
    "the equity is `drawdown_percent` below its highest and our own results do not explain it: a withdrawal, or "
    "somebody else's trading",
    Tier.REDUCE,
    "a person's reset",
)
LOW_BALANCE = Rule(
    "low balance",
    "account",
    "the equity is below `[risk] min_balance_usdt`, or not a number",
    Tier.REDUCE,
    "the equity is there again",
    standing=True,
)


def daily_limit(memory: Memory, limits: Limits) -> Decimal:
    """What a day may lose, USDT."""
    return memory.day_equity * limits.rules.daily_loss_percent / _HUNDRED


def drawdown_limit(memory: Memory, limits: Limits) -> Decimal:
    """How far results or equity may fall, USDT."""
    return memory.peak * limits.rules.drawdown_percent / _HUNDRED


def daily_loss(memory: Memory, limits: Limits, at_ms: int) -> Trip | None:
    limit = daily_limit(memory, limits)
    if limit <= 0 or memory.lost < limit:
        return None
    text = f"daily loss {memory.lost:.2f} of {limit:.2f} USDT; no entries until the next risk day"
    return DAILY_LOSS.trip(text, at_ms, limits.next_day_ms(at_ms))


def runaway_loss(memory: Memory, limits: Limits, at_ms: int) -> Trip | None:
    limit = memory.day_equity * limits.rules.daily_flatten_percent / _HUNDRED
    if limit <= 0 or memory.lost < limit:
        return None
    return RUNAWAY_LOSS.trip(f"runaway loss {memory.lost:.2f} USDT in a day; closing all, reset by hand", at_ms)


def drawdown(memory: Memory, limits: Limits, at_ms: int) -> Trip | None:
    limit = drawdown_limit(memory, limits)
    if limit <= 0 or memory.below_best < limit:
        return None
    text = f"drawdown {memory.below_best:.2f} of {limit:.2f} USDT from the best; closing all, reset by hand"
    return DRAWDOWN.trip(text, at_ms)


def missing_money(memory: Memory, limits: Limits, at_ms: int) -> Trip | None:
    limit, ours = drawdown_limit(memory, limits), memory.below_best
    if limit <= 0 or memory.below_peak < limit or ours >= limit:
        return None
    text = (
        f"the equity is {memory.below_peak:.2f} USDT below its highest, {ours:.2f} of that by our own trades: "
        "a withdrawal, or somebody else's trading; no entries until reset by hand"
    )
    return MISSING_MONEY.trip(text, at_ms)


def scoped_losses(memory: Memory, limits: Limits, symbol: str, strategy: str, at_ms: int) -> list[Trip]:
    """After a closed trade: of its symbol and of its strategy."""
    found = []
    for rule, scope, percent in (
        (SYMBOL_LOSS, symbol, limits.rules.symbol_loss_percent),
        (STRATEGY_LOSS, strategy, limits.rules.strategy_loss_percent),
    ):
        lost, limit = -memory.results.get(scope, ZERO), memory.day_equity * percent / _HUNDRED
        if scope and 0 < limit <= lost:
            text = f"{scope} lost {lost:.2f} of {limit:.2f} USDT today; no entries by it until the next risk day"
            found.append(rule.trip(text, at_ms, limits.next_day_ms(at_ms), scope))
    return found


def low_balance(memory: Memory, limits: Limits, at_ms: int) -> Trip | None:
    least = limits.risk.min_balance_usdt
    if memory.sane and memory.equity >= least:
        return None
    found = f"{memory.equity:.2f} USDT" if memory.sane else "no number"
    return LOW_BALANCE.trip(f"low balance: {found}, at least {least} USDT needed", at_ms)
