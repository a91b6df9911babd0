"""Rules about what the exchange refuses: the answer to one order tells what would become of the next."""

from breakwall.model.api import Bars
from breakwall.model.events import Outcome, ReadBackFailed
from breakwall.trading.breaker.memory import Limits
from breakwall.trading.breaker.rule import Rule, Tier, Trip

LOCKED_OUT = Rule(
    "locked out",
    "account",
    "the exchange refuses the key, the account or the region (class F of its errors)",
    Tier.HALT,
    "a person's reset",
)
NO_MARGIN = Rule(
    "no margin",
    "account",
    "the exchange refuses an order for want of free margin (class E)",
    Tier.PAUSE,
    "after `refused_pause_s`",
)
SYMBOL_REFUSED = Rule(
    "symbol refused",
    "symbol",
    "the exchange refuses an order for the symbol's leverage, tier, limit or status (class E)",
    Tier.PAUSE,
    "after `refused_pause_s`",
)


def refused(outcome: Outcome | ReadBackFailed, limits: Limits, at_ms: int) -> Trip | None:
    """What an answer bars; exits, stops and cancels go on in every case, and so does the reading."""
    until_ms = at_ms + int(limits.rules.refused_pause_s * 1000)
    match outcome.bars:
        case Bars.PERSON:
            text = f"the exchange refuses us: {outcome.reason}; look into it before a reset"
            return LOCKED_OUT.trip(text, at_ms)
        case Bars.ACCOUNT:
            return NO_MARGIN.trip(f"no entries for a while: {outcome.reason}", at_ms, until_ms)
        case Bars.SYMBOL if isinstance(outcome, Outcome):
            text = f"no entries in {outcome.symbol} for a while: {outcome.reason}"
            return SYMBOL_REFUSED.trip(text, at_ms, until_ms, outcome.symbol)
    return None
