"""Facts of the markets for the ledger: walls that ended, pictures of the books, figures of the minute."""

from breakwall.engine.state import State
from breakwall.market.facts import book_shot, market_stats, wall_life
from breakwall.market.state import Market
from breakwall.model.actions import Keep


def on_tick(state: State) -> None:
    for market in state.in_turn:
        for wall in market.take_ended_walls():
            state.out.append(Keep(wall_life(wall, market.instrument)))
    for number in state.shots.due(len(state.markets), state.now):
        market = _nth(state, number)
        if market.live and is_pictured(state, market.instrument.symbol):
            state.out.append(Keep(book_shot(market, state.now)))
    for number in state.stats.due(len(state.markets), state.now):
        state.out.append(Keep(market_stats(_nth(state, number), state.now)))


def is_pictured(state: State, symbol: str) -> bool:
    """Those of the settings, and those in which something is held or entered; not every mover that passes by."""
    return symbol in state.roster.named or state.positions.get(symbol) is not None


def _nth(state: State, number: int) -> Market:
    return list(state.markets.values())[number]
