"""Rules about the state of things right now: they hold as long as their cause does, and a little longer."""

from collections.abc import Callable
from decimal import Decimal

from msgspec import Struct

from breakwall.trading.breaker.memory import Limits
from breakwall.trading.breaker.rule import Rule, Tier, Trip

_HUNDRED = Decimal(100)


class Conditions(Struct, frozen=True):
    """What the engine sees at one moment.

    `books` are (symbol, what is wrong with its book), `margins` (symbol, initial margin of its position in USDT),
    `clock_ms` the exchange's clock minus ours, `late_ms` by how much the last ticks came late on average,
    `unread_ms` for how long the account has not been read back (None: never was, nothing is traded yet), `api` why
    the exchange's interface is not to be used for entries.
    """

    equity_usdt: Decimal = Decimal(0)
    books: tuple[tuple[str, str], ...] = ()
    margins: tuple[tuple[str, Decimal], ...] = ()
    clock_ms: int = 0
    late_ms: int = 0
    unread_ms: int | None = None
    api: str = ""


BOOK = Rule(
    "book",
    "symbol",
    "its book is stale, crossed or being asked for again",
    Tier.PAUSE,
    "it has been live again for a second",
    standing=True,
    calm_ms=1_000,
    quiet=True,
)
EXPOSURE = Rule(
    "exposure",
    "account",
    "initial margin of all positions above `[risk] total_margin_percent` of the equity by more than "
    "`exposure_slack_percent` of that limit",
    Tier.REDUCE,
    "it has been below again for 5 s",
    standing=True,
    calm_ms=5_000,
)
SYMBOL_EXPOSURE = Rule(
    "symbol exposure",
    "symbol",
    "initial margin of its position above `[risk] position_margin_percent` in the same way",
    Tier.REDUCE,
    "it has been below again for 5 s",
    standing=True,
    calm_ms=5_000,
)
CLOCK = Rule(
    "clock",
    "account",
    "our clock and the exchange's differ by more than `clock_halt_ms` (from `clock_warn_ms` on it is told)",
    Tier.REDUCE,
    "they have been nearer for 5 s",
    standing=True,
    calm_ms=5_000,
)
LOOP_DELAY = Rule(
    "loop delay",
    "account",
    "the last 50 ticks came late by more than `loop_delay_ms` on average",
    Tier.PAUSE,
    "they have been on time for 5 s",
    standing=True,
    calm_ms=5_000,
)
UNRECONCILED = Rule(
    "unreconciled",
    "account",
    "the account has not been read back for `unreconciled_s`",
    Tier.REDUCE,
    "it is read back",
    standing=True,
)
API = Rule(
    "exchange interface",
    "account",
    "the API breaker of a group that entries or their protection need is not closed, or our address is banned",
    Tier.PAUSE,
    "that group answers again, or is closed by hand",
    standing=True,
)


def books(now: Conditions, limits: Limits, at_ms: int) -> list[Trip]:
    del limits
    return [BOOK.trip(f"{symbol} book: {trouble}", at_ms, scope=symbol) for symbol, trouble in now.books]


def exposure(now: Conditions, limits: Limits, at_ms: int) -> list[Trip]:
    """A balance that cannot carry anything is `low balance`; here it is about what is held."""
    risk, slack = limits.risk, 1 + limits.rules.exposure_slack_percent / _HUNDRED
    held = sum((margin for _, margin in now.margins), Decimal(0))
    equity = max(Decimal(0), now.equity_usdt) / _HUNDRED
    found = []
    if held > equity * risk.total_margin_percent * slack:
        text = f"margin of all positions {held:.2f} USDT, at most {risk.total_margin_percent} % of the equity allowed"
        found.append(EXPOSURE.trip(text, at_ms))
    for symbol, margin in now.margins:
        if margin > equity * risk.position_margin_percent * slack:
            most = f"at most {risk.position_margin_percent} % of the equity allowed"
            found.append(SYMBOL_EXPOSURE.trip(f"{symbol} margin {margin:.2f} USDT, {most}", at_ms, scope=symbol))
    return found


def clock(now: Conditions, limits: Limits, at_ms: int) -> list[Trip]:
    most = limits.rules.clock_halt_ms
    if abs(now.clock_ms) <= most:
        return []
    text = f"our clock differs from the exchange's by {-now.clock_ms:+d} ms, at most {most} ms allowed: set it right"
    return [CLOCK.trip(text, at_ms)]


def loop_delay(now: Conditions, limits: Limits, at_ms: int) -> list[Trip]:
    most = limits.rules.loop_delay_ms
    if now.late_ms <= most:
        return []
    return [LOOP_DELAY.trip(f"this machine is {now.late_ms} ms late, at most {most} ms allowed", at_ms)]


def unreconciled(now: Conditions, limits: Limits, at_ms: int) -> list[Trip]:
    most_ms = int(limits.rules.unreconciled_s * 1000)
    if now.unread_ms is None or now.unread_ms <= most_ms:
        return []
    text = f"the account was not read back for more than {most_ms // 1000} s"
    return [UNRECONCILED.trip(text, at_ms)]


def interface(now: Conditions, limits: Limits, at_ms: int) -> list[Trip]:
    del limits
    return [API.trip(now.api, at_ms)] if now.api else []


STANDING: tuple[Callable[[Conditions, Limits, int], list[Trip]], ...] = (
    books,
    exposure,
    clock,
    loop_delay,
    unreconciled,
    interface,
)
"""All of them are looked at with every tick."""

RULES = (BOOK, EXPOSURE, SYMBOL_EXPOSURE, CLOCK, LOOP_DELAY, UNRECONCILED, API)
