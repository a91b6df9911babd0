"""Symbols that come and go: whom the screener wants enters, who is not wanted leaves once nothing is held there."""

from breakwall.engine.state import Phase, State
from breakwall.market.facts import wall_life
from breakwall.market.state import Market
from breakwall.model.actions import Admit, Follow, Keep
from breakwall.model.listings import Admitted, Listings
from breakwall.model.units import Instrument
from breakwall.model.view import ScreenerView
from breakwall.trading.delivery import ending

REST_MS = 600_000
"""How long a symbol rests that could not be made ready."""
UNWANTED = "not among the movers any more: it is let go once nothing is held here"
ANSWER_MS = 60_000
"""How long it may take to make symbols ready before they may be asked for again."""


def on_listings(state: State, event: Listings) -> None:
    """Rank all anew. A list that could not be read changes nothing; the same reason is told once."""
    roster = state.roster
    if event.reason:
        if event.reason != roster.why:
            state.say("screener", f"markets not looked at: {event.reason}", level="warning")
        roster.why = event.reason
        return
    roster.why, roster.read_ms = "", state.now
    before = set(roster.screener.chosen)
    roster.screener.rank(event.rows, state.settings.screener, state.now + state.venue_offset_ms)
    chosen = roster.screener.chosen
    fresh, gone = [name for name in chosen if name not in before], sorted(before - chosen.keys())
    if fresh or gone:
        of = f"{len(chosen)} movers of {roster.screener.eligible} fit and {roster.screener.listed} listed markets"
        state.say("screener", f"{of}, {len(fresh)} of them new; gone: {', '.join(gone) or 'none'}")
    on_tick(state)


def admit(state: State) -> None:
    """Have those made ready that are wanted and not followed; never where somebody else trades."""
    if state.recovered_ms is None or state.phase is Phase.LEAVING:
        return
    resting = state.roster.resting
    for symbol in [symbol for symbol, until_ms in resting.items() if until_ms <= state.now]:
        del resting[symbol]
    wanted = tuple(
        symbol
        for symbol in state.roster.screener.chosen
        if symbol not in state.markets and symbol not in resting and symbol not in state.strangers
    )
    if wanted:
        resting.update(dict.fromkeys(wanted, state.now + ANSWER_MS))
        state.out.append(Admit(wanted))


def on_admitted(state: State, event: Admitted) -> None:
    """Follow those that are ready; who is not wanted any more leaves again at the next tick."""
    for symbol, reason in event.refused:
        state.roster.resting[symbol] = state.now + REST_MS
        state.say("screener", f"not followed: {reason}", level="warning", symbol=symbol)
    for instrument in event.instruments:
        state.roster.resting.pop(instrument.symbol, None)
        state.blotter.adopt(instrument)
        enter(state, instrument)
    if event.instruments:
        words = (_changed(state, instrument.symbol) for instrument in event.instruments)
        state.say("screener", f"followed from now on: {', '.join(words)}")
        follow(state)


def on_tick(state: State) -> None:
    """Ask for whom the screener wants; let go of whom nobody wants; take up again whom something has turned up in."""
    admit(state)
    came = [symbol for symbol in touched(state) if symbol in state.roster.ready and symbol not in state.markets]
    for symbol in came:
        enter(state, state.instruments[symbol])
        state.say("screener", "followed again: something is held or under way there", symbol=symbol, level="warning")
    looked = state.roster.read_ms and state.recovered_ms is not None
    known = looked and not state.blind  # else who can say what is held
    going = [symbol for symbol in state.markets if not state.wants(symbol)] if known else []
    gone = [symbol for symbol in going if is_idle(state, symbol)]
    for symbol in gone:
        leave(state, symbol)
    if gone:
        state.say("screener", f"no longer followed: {', '.join(gone)}")
    if came or gone:
        follow(state)


def _changed(state: State, symbol: str) -> str:
    change = state.roster.screener.chosen.get(symbol)
    return symbol if change is None else f"{symbol} {change:+.1%}"


def enter(state: State, instrument: Instrument) -> None:
    """A market without a book: nothing is decided on it before its trend has enough samples."""
    symbol = instrument.symbol
    state.roster.ready.add(symbol)
    if symbol not in state.markets:
        depth = state.roster.depths[symbol] = state.settings.venue.first_depth
        state.markets[symbol] = Market(instrument, state.settings, depth)


def leave(state: State, symbol: str) -> None:
    """Let go of the market; its walls are out of our sight, which says nothing about what becomes of them."""
    forget(state, state.markets.pop(symbol))
    del state.roster.depths[symbol]


def forget(state: State, market: Market) -> None:
    """What it has seen stays in the books and the sums."""
    market.leave(state.now)
    state.out += [Keep(wall_life(wall, market.instrument)) for wall in market.take_ended_walls()]
    state.sums.leave(market)


def follow(state: State) -> None:
    state.out.append(Follow(tuple(state.roster.depths.items())))


def is_idle(state: State, symbol: str) -> bool:
    """Nothing held, working, in doubt, wished for or alone there."""
    doubt = any(difference.symbol == symbol for difference in state.review.found)
    wished = any(wish.covers(symbol) for wish in state.wishes)
    return not (doubt or wished or symbol in touched(state) or state.positions.is_alone(symbol))


def touched(state: State) -> set[str]:
    """Symbols with a position or an order that is not finished."""
    return {position.symbol for position in state.positions} | {order.symbol for order in state.orders.open()}


def reducing(state: State, symbol: str) -> str:
    """Why nothing new is opened in this symbol, other than a person's word; empty where it may be."""
    instrument = state.instruments.get(symbol)
    ends = ending(instrument, state.now + state.venue_offset_ms) if instrument is not None else ""
    return ends or ("" if state.wants(symbol) else UNWANTED)


def view(state: State, at_ms: int) -> ScreenerView | None:
    """None where the screener is off."""
    if not state.settings.screener.enabled:
        return None
    roster = state.roster
    return ScreenerView(
        age_ms=at_ms - roster.read_ms if roster.read_ms else None,
        listed=roster.screener.listed,
        eligible=roster.screener.eligible,
        chosen=tuple((symbol, change) for symbol, change in roster.screener.chosen.items()),
        trouble=roster.why,
    )
