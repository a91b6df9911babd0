"""What people say: paused, halted, resumed, reset."""

from msgspec.structs import replace

from breakwall.model.events import CommandKind
from breakwall.trading.breaker import pace, results
from breakwall.trading.breaker.memory import Memory
from breakwall.trading.breaker.rule import Rule, Tier, Trip

PAUSED = Rule("paused", "account or symbol", "a person's word", Tier.PAUSE, "a person's resume")
HALTED = Rule(
    "halted", "account", "a person's word, or the last gate's, or a failing core's", Tier.HALT, "a person's reset"
)


def trip(kind: CommandKind, who: str, why: str, at_ms: int, symbol: str) -> Trip | None:
    """The trip that a pause or a halt is."""
    by = f"by {who}" + (f": {why}" if why else "")
    if kind is CommandKind.PAUSE:
        return PAUSED.trip(f"{symbol} paused {by}" if symbol else f"paused {by}", at_ms, scope=symbol)
    return HALTED.trip(f"halted {by}", at_ms) if kind is CommandKind.HALT else None


def resumed(memory: Memory, symbol: str) -> Memory:
    """Without pauses of this symbol; "": without any."""
    kept = (each for each in memory.trips if each.rule != PAUSED.name or symbol not in {"", each.scope})
    return replace(memory, trips=tuple(kept))


def liftable(memory: Memory, rule: str, scope: str) -> tuple[Trip, ...]:
    """What a reset of this rule and scope lifts; one of everything leaves single symbols paused."""
    named = rule or scope
    return tuple(
        each
        for each in memory.trips
        if rule in {"", each.rule}
        and (not scope or scope in {each.scope, *each.scope.split()})
        and (named or each.rule != PAUSED.name or not each.scope)
    )


def reset(memory: Memory, rule: str, scope: str) -> Memory:
    """A person takes responsibility: trips are lifted, and their limits count anew from here."""
    lifted = liftable(memory, rule, scope)
    memory = replace(memory, trips=tuple(each for each in memory.trips if each not in lifted))
    if not rule and not scope:
        return replace(
            memory,
            peak=memory.equity,
            day_equity=memory.equity,
            best=memory.made + memory.open,
            results={},
            losses_in_row=0,
            trades_today=0,
            stop_outs=(),
            entries=(),
            orders=(),
            answers=(),
            slow=(),
        )
    for each in lifted:
        memory = _counted_anew(memory, each)
    return memory


def _counted_anew(memory: Memory, lifted: Trip) -> Memory:
    """What led to this trip does not lead to it again."""
    scope = lifted.scope
    match lifted.rule:
        case results.DRAWDOWN.name | results.MISSING_MONEY.name:
            return replace(memory, peak=memory.equity, best=memory.made + memory.open)
        case results.DAILY_LOSS.name | results.RUNAWAY_LOSS.name:
            return replace(memory, day_equity=memory.equity, results={})
        case results.SYMBOL_LOSS.name | results.STRATEGY_LOSS.name:
            return replace(memory, results={name: net for name, net in memory.results.items() if name != scope})
        case pace.TRADES_PER_DAY.name:
            return replace(memory, trades_today=0)
        case pace.REPEATED_EXECUTION.name:
            return replace(memory, entries=tuple(each for each in memory.entries if each.scope != scope))
        case pace.STOP_OUTS.name | pace.SYMBOL_STOP_OUTS.name:
            kept = tuple(each for each in memory.stop_outs if scope and each.scope != scope)
            return replace(memory, stop_outs=kept)
        case pace.ORDER_RATE.name:
            return replace(memory, orders=())
        case pace.SLOW_ORDERS.name:
            return replace(memory, answers=(), slow=())
    return memory
