"""Rules about how often something happens: losses, stop-outs, trades, orders, slow answers."""

from msgspec.structs import replace

from breakwall.trading.breaker.memory import Limits, Memory, Moment, lately
from breakwall.trading.breaker.rule import Rule, Tier, Trip

MINUTE_MS = 60_000
SLOW_LEAST = 2
"""One slow answer is an accident."""

CONSECUTIVE_LOSSES = Rule(
    "consecutive losses",
    "account",
    "`consecutive_losses` closed trades in a row below zero",
    Tier.PAUSE,
    "after `cooldown_s`",
)
TRADES_PER_DAY = Rule(
    "trades per day",
    "account",
    "`trades_per_day` entries filled in the risk day",
    Tier.REDUCE,
    "next risk day",
)
COOLDOWN = Rule(
    "cooldown",
    "symbol",
    "a trade in it was closed",
    Tier.PAUSE,
    "after `symbol_cooldown_s`",
    quiet=True,
)
STOP_OUTS = Rule(
    "stop-outs",
    "account",
    "`stop_guard_stops` trades left at their stop with a loss within `stop_guard_window_s`",
    Tier.PAUSE,
    "after `stop_guard_pause_s`",
)
SYMBOL_STOP_OUTS = Rule(
    "symbol stop-outs",
    "symbol",
    "`stop_guard_symbol_stops` of its trades did so within `stop_guard_window_s`",
    Tier.PAUSE,
    "after `stop_guard_pause_s`",
)
REPEATED_EXECUTION = Rule(
    "repeated execution",
    "strategy and symbol",
    "one strategy decides `repeat_entries` entries in one symbol within `repeat_window_s` (RTS 6)",
    Tier.HALT,
    "a person's reset",
)
ORDER_RATE = Rule(
    "order rate",
    "account",
    "`orders_per_minute` orders of any kind were decided in the last minute",
    Tier.PAUSE,
    "the last minute holds fewer",
)
SLOW_ORDERS = Rule(
    "slow orders",
    "account",
    "more than 5 % of the last minute's answers, and at least two, took longer than `slow_order_ms`",
    Tier.REDUCE,
    "a minute after the last of them",
)
SLOW_DISK = Rule(
    "slow disk",
    "account",
    "the journal needed more than `slow_commit_ms` to store what was decided",
    Tier.REDUCE,
    "after `slow_commit_pause_s` without another",
)


def consecutive_losses(memory: Memory, limits: Limits, at_ms: int) -> Trip | None:
    if memory.losses_in_row < limits.rules.consecutive_losses:
        return None
    pause_ms = int(limits.rules.cooldown_s * 1000)
    text = f"{memory.losses_in_row} losses in a row; no entries for {pause_ms // 1000} s"
    return CONSECUTIVE_LOSSES.trip(text, at_ms, at_ms + pause_ms)


def trades_per_day(memory: Memory, limits: Limits, at_ms: int) -> Trip | None:
    most = limits.rules.trades_per_day
    if memory.trades_today < most:
        return None
    text = f"trades per day: {memory.trades_today} of {most}; no entries until the next risk day"
    return TRADES_PER_DAY.trip(text, at_ms, limits.next_day_ms(at_ms))


def rests_ms(memory: Memory, limits: Limits, symbol: str, at_ms: int) -> int:
    """How long the cooldown of a symbol still lasts; 0: it is over."""
    closed = memory.closed_ms.get(symbol)
    return 0 if closed is None else max(0, closed + int(limits.rules.symbol_cooldown_s * 1000) - at_ms)


def stop_outs(memory: Memory, limits: Limits, symbol: str, at_ms: int) -> list[Trip]:
    """After a trade in this symbol was stopped out."""
    rules, found = limits.rules, []
    ours = [moment for moment in memory.stop_outs if moment.scope == symbol]
    until_ms, minutes = at_ms + int(rules.stop_guard_pause_s * 1000), int(rules.stop_guard_window_s) // 60
    if len(ours) >= rules.stop_guard_symbol_stops:
        text = f"{symbol} stopped out {len(ours)} times in {minutes} min; no entries in it for a while"
        found.append(SYMBOL_STOP_OUTS.trip(text, at_ms, until_ms, symbol))
    if len(memory.stop_outs) >= rules.stop_guard_stops:
        text = f"{len(memory.stop_outs)} stop-outs in {minutes} min; no entries for a while"
        found.append(STOP_OUTS.trip(text, at_ms, until_ms))
    return found


def repeated_execution(memory: Memory, limits: Limits, scope: str, at_ms: int) -> Trip | None:
    """After another entry of this strategy and symbol."""
    count = sum(moment.scope == scope for moment in memory.entries)
    if count < limits.rules.repeat_entries:
        return None
    text = f"{scope}: {count} entries in {int(limits.rules.repeat_window_s)} s; no more until reset by hand"
    return REPEATED_EXECUTION.trip(text, at_ms, scope=scope)


def order_rate(memory: Memory, limits: Limits, at_ms: int) -> Trip | None:
    most = limits.rules.orders_per_minute
    orders = lately(memory.orders, MINUTE_MS, at_ms)
    if len(orders) < most:
        return None
    text = f"{len(orders)} orders in the last minute, at most {most}; no entries for a while"
    return ORDER_RATE.trip(text, at_ms, orders[-most].at_ms + MINUTE_MS)


def slow_orders(memory: Memory, limits: Limits, at_ms: int) -> Trip | None:
    slow = memory.slow
    if len(slow) < SLOW_LEAST or len(slow) * 20 <= len(memory.answers):
        return None
    text = (
        f"{len(slow)} of {len(memory.answers)} answers of the last minute took longer than "
        f"{limits.rules.slow_order_ms} ms; no entries for a while"
    )
    return SLOW_ORDERS.trip(text, at_ms, slow[-1].at_ms + MINUTE_MS)


def slow_disk(commit_ms: int, limits: Limits, at_ms: int) -> Trip | None:
    if commit_ms <= limits.rules.slow_commit_ms:
        return None
    text = f"the journal needed {commit_ms} ms, at most {limits.rules.slow_commit_ms} ms are good enough for entries"
    return SLOW_DISK.trip(text, at_ms, at_ms + int(limits.rules.slow_commit_pause_s * 1000))


def counted(moments: tuple[Moment, ...], new: Moment, span_ms: int) -> tuple[Moment, ...]:
    """The window with one more in it. What has a name is counted once, however often it is told."""
    if new.name and any(moment.name == new.name for moment in moments):
        return moments
    return (*lately(moments, span_ms, new.at_ms), new)


def forgotten(memory: Memory, limits: Limits, at_ms: int) -> Memory:
    """Without the stop-outs and orders whose windows are over: what is shown of a limit is what counts for it."""
    stop_outs = lately(memory.stop_outs, int(limits.rules.stop_guard_window_s * 1000), at_ms)
    orders = lately(memory.orders, MINUTE_MS, at_ms)
    if len(stop_outs) == len(memory.stop_outs) and len(orders) == len(memory.orders):
        return memory
    return replace(memory, stop_outs=stop_outs, orders=orders)
