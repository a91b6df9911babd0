"""Trading rules as the exchange changes them: other ticks and lots, and contracts that are about to end."""

from breakwall.engine import commands, screening, watching
from breakwall.engine.state import State
from breakwall.market.state import Market
from breakwall.model.events import Instruments
from breakwall.model.units import Instrument
from breakwall.trading.delivery import ending


def on_instruments(state: State, event: Instruments) -> None:
    """At the start each gets a market. Later changed rules reach it: a new tick or lot makes book and walls
    meaningless, and a contract that ends is only left.
    """
    for new in event.instruments:
        lives = new.symbol not in state.instruments or state.instruments[new.symbol].tradable
        changed = state.blotter.adopt(new)
        market = state.markets.get(new.symbol)
        if market is None and state.recovered_ms is None:  # also where somebody has asked to leave by then
            screening.enter(state, new)
        elif market is not None and changed:
            change_units(state, market, new)
        elif market is not None:
            market.instrument = new
        if lives and not new.tradable and new.symbol in state.markets:
            tell_ending(state, new)


def tell_ending(state: State, instrument: Instrument) -> None:
    """No more entries, those under way included; exits and stops go on."""
    commands.cancel_entries(state, instrument.symbol, "the contract ends")
    text = f"nothing new is opened here: {ending(instrument, state.now + state.venue_offset_ms)}"
    state.say("closing", text, level="warning", symbol=instrument.symbol, durable=True)


def change_units(state: State, market: Market, new: Instrument) -> None:
    """Positions are converted; entries in the old units are cancelled, and the book is asked for again."""
    symbol, old = new.symbol, market.instrument
    commands.cancel_entries(state, symbol, "trading rules changed")
    screening.forget(state, market)
    state.markets[symbol] = Market(new, state.settings, market.depth)
    reason = f"tick {old.tick} -> {new.tick}, lot {old.lot} -> {new.lot}"
    watching.resubscribe(state, state.markets[symbol], reason)
    state.read_back_due = "reconnect"
