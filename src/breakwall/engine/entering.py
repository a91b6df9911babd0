"""From a wall to an order: strategies, the ten checks, the last gate."""

from msgspec.structs import replace

from breakwall.engine import booking, screening, viewing
from breakwall.engine.state import Phase, State
from breakwall.market.state import Market
from breakwall.model.actions import PlaceOrder, Refused
from breakwall.model.units import Side
from breakwall.strategies.base import Strategy
from breakwall.trading import risk
from breakwall.trading.breaker import TradingState
from breakwall.trading.context import signal_note
from breakwall.trading.order import OrderState
from breakwall.trading.portfolio import Portfolio, portfolio
from breakwall.trading.signal import Signal
from breakwall.trading.validation import Card, Scene, examine

ORDERED = "ordered"
REMEMBERED = 5_000
"""How many answers to signals are kept."""
LOOK_AGAIN_MS = 1_000
"""How long a wall rests whose signal was refused for a reason that may pass."""


def on_tick(state: State) -> None:
    """Ask the strategies about every market that can be traded now."""
    if state.phase is not Phase.TRADING or state.wants_flat(""):
        return
    now, trace = state.now, state.at.trace
    others = {report.symbol for report in state.positions.alone}
    for market in state.in_turn:
        symbol = market.instrument.symbol
        taken = state.positions.get(symbol) is not None or symbol in others or symbol in state.flat_wishes
        if market.live and not taken:
            for strategy in state.strategies:
                signal = strategy.look(market, now, trace)
                if signal is not None:
                    consider(state, market, signal, strategy)


def consider(state: State, market: Market, signal: Signal, strategy: Strategy) -> None:
    """Either an approved order leaves, or the refusal is told once per reason."""
    seen = scene(state, market, signal)
    card = examine(signal, seen)
    answer = risk.approve_entry(card, gate(state, market, signal.strategy), state.at)
    state.sums.signals += signal.key not in state.answered
    if isinstance(answer, Refused):
        if answer.heals:
            strategy.again(signal.key, state.now + LOOK_AGAIN_MS)
        refuse(state, card, seen, answer)
        return
    remember(state, card, None)
    intent = answer.intent
    changes = state.blotter.decided(intent, state.at)
    state.out.append(signal_note(card, seen, None, intent.client_id))
    state.out.append(answer)
    instrument = market.instrument
    reach = "up" if signal.side is Side.BUY else "down"
    text = (
        f"{signal.strategy} {signal.side.value.lower()} {instrument.qty_text(intent.lots)} {reach} to "
        f"{instrument.price_text(intent.limit_ticks or 0)}, stop {instrument.price_text(signal.stop_ticks)}, "
        f"target {instrument.price_text(signal.target_ticks)}: {'; '.join(signal.reasons)}"
    )
    state.say("entry", text, symbol=signal.symbol, client_id=intent.client_id)
    booking.take(state, changes)


def refuse(state: State, card: Card, seen: Scene, refused: Refused) -> None:
    """Each reason once per signal: a wall that is looked at again each second must not fill the journal."""
    signal = card.signal
    if refused.check in state.answered.get(signal.key, ()):
        return
    remember(state, card, refused)
    state.sums.refused += 1
    state.out.append(signal_note(card, seen, refused))
    state.say("refused", f"{signal.strategy} refused by {refused.check}: {refused.reason}", symbol=signal.symbol)


def remember(state: State, card: Card, refused: Refused | None) -> None:
    """The answers to this signal, the last also for the screen; those of walls long gone are forgotten."""
    key = card.signal.key
    state.signals.append(viewing.signal(card, refused, state.instruments[card.signal.symbol]))
    before = state.answered.pop(key, ())
    state.answered[key] = (*before, refused.check if refused else ORDERED)
    if len(state.answered) > REMEMBERED:
        del state.answered[next(iter(state.answered))]


def overtaken(state: State, intent: PlaceOrder, now_ms: int) -> str:
    """Why an approved and journaled entry must not leave (any more); '' when it may."""
    order = state.orders.get(intent.client_id)
    if order is None or order.state is not OrderState.PENDING:
        return "withdrawn"
    age_ms, limit_ms = now_ms - intent.decided_ms, state.settings.entry.intent_max_age_ms
    if age_ms > limit_ms:
        return f"decided {age_ms} ms ago, at most {limit_ms} ms allowed"
    if state.breaker.state is not TradingState.ACTIVE or state.phase is not Phase.TRADING:
        return f"trading is {state.trading_state}: {state.why}"
    trip = state.breaker.hold(intent.symbol, intent.plan.strategy if intent.plan else "")
    held_back = state.wants_flat(intent.symbol) or (trip.text if trip else "")
    if held_back:
        return held_back
    if state.journal_why:
        return f"journal: {state.journal_why}"
    return "" if state.armed and not state.blind else f"SAFE or blind: {state.why}"


def scene(state: State, market: Market, signal: Signal) -> Scene:
    return Scene(
        at_ms=state.now,
        instrument=market.instrument,
        enabled=state.settings.trades(signal.symbol),
        inactive=("" if state.wants(signal.symbol) else screening.UNWANTED)
        or ("" if market.live else "its book is not live"),
        processed=ORDERED in state.answered.get(signal.key, ()),
        bid_ticks=market.best_bid,
        ask_ticks=market.best_ask,
        wall=market.wall(signal.wall_id),
        portfolio=holdings(state),
        settings=state.settings,
        costs=state.costs,
    )


def gate(state: State, market: Market, strategy: str) -> risk.Gate:
    symbol = market.instrument.symbol
    funding_ms = market.next_funding_ms
    assert market.best_bid is not None
    assert market.best_ask is not None
    return risk.Gate(
        instrument=market.instrument,
        settings=state.settings,
        costs=state.costs,
        portfolio=holdings(state),
        state=state.breaker.state,
        why=state.breaker.why,
        held=state.breaker.hold(symbol, strategy),
        armed=state.armed,
        blind=state.blind,
        journal_ok=not state.journal_why,
        unresolved=state.orders.unresolved(symbol),
        rest_ms=state.breaker.symbol_ready_in_ms(symbol, state.now),
        bid_ticks=market.best_bid,
        ask_ticks=market.best_ask,
        mark=market.mark,
        funding_rate=market.funding_rate,
        next_funding_ms=None if funding_ms is None else funding_ms - state.venue_offset_ms,
    )


def holdings(state: State) -> Portfolio:
    entries = [(order, state.instruments[order.symbol]) for order in state.orders.open_entries()]
    risk_settings = state.settings.risk
    return portfolio(
        replace(state.wallet, equity_usdt=state.blotter.equity_usdt),
        state.positions,
        entries,
        risk_settings.leverage,
        state.costs.taker_fee,
        state.breaker.daily_loss_left_usdt,
    )
