"""How things are right now, for the breaker: books, clock, this machine, the account, the exchange's interface."""

from decimal import Decimal

from breakwall.engine import booking
from breakwall.engine.state import State
from breakwall.market.state import LIVE, Market, Status
from breakwall.model.api import ApiGroup, ApiHealth, ApiState
from breakwall.model.events import SlowCommit
from breakwall.trading.breaker import Conditions
from breakwall.trading.portfolio import holding

ENTRIES_NEED = (ApiGroup.ALL, ApiGroup.ORDERS, ApiGroup.STOPS, ApiGroup.ACCOUNT)
"""What must be usable before anything is opened: to send the order, to move its stop, to see what became of both."""


def on_tick(state: State) -> None:
    """Look at all of it, and tell a clock that begins to be off."""
    state.lateness.tick(state.now, state.settings.engine.tick_ms)
    warn_about_clock(state)
    judge(state)


def on_api_health(state: State, event: ApiHealth) -> None:
    """The API breaker of a group has changed: entries stop, or may go on, at once."""
    state.api[event.group] = event
    name = event.group.value
    level = {ApiState.CLOSED: "info", ApiState.BANNED: "error"}.get(event.state, "warning")
    why = f": {event.reason}" if event.reason else ""
    for_s = "" if event.until_ms is None else f" for {max(0, event.until_ms - state.now) / 1000:.0f} s"
    state.say("api", f"API breaker of {name} is {event.state.value}{for_s}{why}", level=level, durable=True)
    judge(state)


def on_slow_commit(state: State, event: SlowCommit) -> None:
    """The journal was slow to make something durable."""
    booking.take(state, state.breaker.on_commit(event.commit_ms, state.now))


def judge(state: State) -> None:
    booking.take(state, state.breaker.on_conditions(conditions(state), state.now))


def conditions(state: State) -> Conditions:
    return Conditions(
        equity_usdt=state.blotter.equity_usdt,
        books=tuple([(symbol, _trouble(market)) for symbol, market in state.markets.items() if not _sound(market)]),
        margins=_margins(state),
        clock_ms=state.venue_offset_ms,
        late_ms=state.lateness.mean_ms,
        unread_ms=None if state.recovered_ms is None else state.now - state.read_asked_ms,
        api=api_trouble(state),
    )


def api_trouble(state: State) -> str:
    """Why the exchange's interface must not be used for entries now; '' where it may."""
    for group in ENTRIES_NEED:
        health = state.api.get(group)
        if health is not None and _closed_to_entries(health, state.now):
            return f"API breaker of {group.value} is {health.state.value}: {health.reason}"
    return ""


def warn_about_clock(state: State) -> None:
    """Told once on the way up, and again only after it was near."""
    off_ms, warn_ms = abs(state.venue_offset_ms), state.settings.breaker.clock_warn_ms
    if off_ms > warn_ms and not state.clock_warned:
        state.clock_warned = True
        text = f"our clock differs from the exchange's by {-state.venue_offset_ms:+d} ms: set it right"
        state.say("clock", text, level="warning", durable=True)
    elif off_ms <= warn_ms // 2:
        state.clock_warned = False


def _closed_to_entries(health: ApiHealth, at_ms: int) -> bool:
    """An open one lets one probe through once its time has come; the circuit itself sees to it that it is one."""
    if health.state in {ApiState.OPEN, ApiState.BANNED}:
        return health.until_ms is None or at_ms < health.until_ms
    return health.state is ApiState.HALF_OPEN


def _sound(market: Market) -> bool:
    """A market that never had a book is waited for; it has nothing wrong."""
    return not market.book.crossed if market.status is LIVE else market.status is Status.WAITING


def _trouble(market: Market) -> str:
    if market.status is Status.LIVE:
        return f"crossed, bid {market.best_bid} and ask {market.best_ask} ticks"
    return f"{market.status.value}: {market.status_reason}"


def _margins(state: State) -> tuple[tuple[str, Decimal], ...]:
    leverage, fee = state.settings.risk.leverage, state.costs.taker_fee
    return tuple(
        (held.symbol, holding(held.instrument, held.lots, held.entry, held.stop_ticks, leverage, fee).margin_usdt)
        for held in state.positions.held()
    )
