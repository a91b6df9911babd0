"""The frozen picture of the state that screens and receipts are made of."""

from decimal import Decimal

from breakwall.engine import flattening, screening
from breakwall.engine.state import State
from breakwall.market.density import density_view
from breakwall.market.viewing import LEVELS, symbol_view
from breakwall.model.actions import Refused, Sized
from breakwall.model.api import ApiHealth
from breakwall.model.units import Instrument
from breakwall.model.view import (
    ApiView,
    CheckView,
    Counters,
    DensityView,
    FlattenView,
    LogLine,
    OrderView,
    PositionView,
    SignalView,
    SymbolView,
    View,
)
from breakwall.trading.order import Order
from breakwall.trading.position import Position
from breakwall.trading.validation import Card

_ZERO = Decimal(0)


def view(
    state: State,
    at_ms: int,
    mode: str,
    symbol: str | None,
    loop_delay_p99_ms: float,
    event_latency_p99_ms: float,
    log: tuple[LogLine, ...] = (),
) -> View:
    """Everything at one moment between two events; the depth of `symbol` only, so that it stays cheap.

    Walls are those of `symbol`, or of all symbols where it is empty; where it is None, no market is in it.
    """
    return View(
        at_ms=at_ms,
        mode=mode,
        trading_state=state.trading_state,
        why=state.why,
        armed=state.armed,
        blind=state.blind,
        equity_usdt=state.blotter.equity_usdt,
        available_usdt=state.wallet.available_usdt,
        symbols=() if symbol is None else tuple([_market(state, name, at_ms, symbol) for name in state.markets]),
        positions=tuple(_position(position, at_ms) for position in state.positions.held()),
        orders=tuple(_order(order, state.instruments[order.symbol], at_ms) for order in state.orders.open()),
        counters=_counters(state, at_ms + state.venue_offset_ms),
        loop_delay_p99_ms=loop_delay_p99_ms,
        event_latency_p99_ms=event_latency_p99_ms,
        rest_ms=state.rest_ms,
        read_back_age_ms=at_ms - state.read_asked_ms if state.read_asked_ms else None,
        day_pnl_usdt=state.breaker.realised_today + state.blotter.open_result_usdt,
        signals=tuple(state.signals),
        breaker=state.breaker.rules,
        flattens=_flattens(state),
        log=log,
        dcp_s=None if state.account is None else state.account.dcp_s,
        api=tuple(_api(health) for health in state.api.values()),
        recovery=tuple(state.review.reports),
        recovering=state.review.passes is not None,
        observing=state.observing,
        journal_trouble=state.journal_why,
        screener=screening.view(state, at_ms),
    )


def market(state: State, symbol: str, at_ms: int) -> SymbolView | None:
    """One market with its depth, walls and trades; None where it is not followed."""
    return _market(state, symbol, at_ms, symbol) if symbol in state.markets else None


def density(state: State, at_ms: int) -> tuple[DensityView, ...]:
    """The largest walls of every market."""
    return tuple([density_view(market, at_ms) for market in state.markets.values()])


def signal(card: Card, refused: Refused | None, instrument: Instrument) -> SignalView:
    """A signal that was considered, with its ten answers and what came of it."""
    raised = card.signal
    return SignalView(
        at_ms=raised.at_ms,
        trace=raised.trace,
        symbol=raised.symbol,
        strategy=raised.strategy,
        side=raised.side.value,
        strength=raised.strength,
        entry=instrument.price(raised.entry_ticks),
        stop=instrument.price(raised.stop_ticks),
        target=instrument.price(raised.target_ticks),
        qty=instrument.qty(card.sized.lots) if isinstance(card.sized, Sized) else _ZERO,
        loss_at_stop_usdt=card.loss_at_stop_usdt,
        reasons=raised.reasons,
        checks=tuple(CheckView(answer.check, answer.passed, answer.reason) for answer in card.answers),
        refused_by=refused.check if refused else "",
        reason=refused.reason if refused else "",
    )


def _market(state: State, symbol: str, at_ms: int, selected: str) -> SymbolView:
    return symbol_view(
        state.markets[symbol],
        at_ms,
        venue_offset_ms=state.venue_offset_ms,
        paused=bool(state.breaker.paused(symbol)),
        reducing=screening.reducing(state, symbol),
        walls=not selected,
        levels=LEVELS if symbol == selected else 0,
    )


def _api(health: ApiHealth) -> ApiView:
    return ApiView(health.group.value, health.state.value, health.until_ms, health.failures, health.reason)


def _flattens(state: State) -> tuple[FlattenView, ...]:
    return tuple(
        wish.view(flattening.remains(state, wish)) for wish in (*state.flattened, *state.flat_wishes.values())
    )


def _position(position: Position, at_ms: int) -> PositionView:
    instrument, plan = position.instrument, position.plan
    naked_ms = None
    if position.stop_ticks is None:  # taken over and not read yet: nobody knows since when
        naked_ms = 0 if position.naked_ms is None else at_ms - position.naked_ms
    return PositionView(
        symbol=position.symbol,
        state=position.state.value,
        lots=position.lots,
        qty=instrument.qty(position.lots),
        entry=position.entry,
        mark=position.mark,
        pnl_usdt=position.pnl_usdt,
        stop=None if position.stop_ticks is None else instrument.price(position.stop_ticks),
        liquidation=position.liquidation,
        strategy=position.strategy,
        proof_age_ms=None if position.proven_ms is None else at_ms - position.proven_ms,
        opened_ms=position.opened_ms,
        target=None if plan is None else instrument.price(plan.target_ticks),
        risk_usdt=position.risk_usdt,
        naked_ms=naked_ms,
        reason=position.reason,
    )


def _order(order: Order, instrument: Instrument, at_ms: int) -> OrderView:
    return OrderView(
        client_id=order.client_id,
        symbol=order.symbol,
        side=order.side.value,
        state=order.state.value,
        lots=order.lots,
        filled_lots=order.filled_lots,
        price=None if order.limit_ticks is None else instrument.price(order.limit_ticks),
        qty=instrument.qty(order.lots),
        filled_qty=instrument.qty(order.filled_lots),
        reduce_only=order.reduce_only,
        age_ms=at_ms - order.created_ms,
        why=order.intent.why if order.intent else "",
    )


def _counters(state: State, venue_ms: int) -> Counters:
    sums = state.sums
    return Counters(
        **sums.of_markets(state.markets.values()),
        signals=sums.signals,
        refused=sums.refused,
        orders_sent=sums.orders_sent,
        fills=sums.fills,
        positions_opened=sum(sums.opened_by.values()),
        positions_closed=sum(sums.closed_by.values()),
        opened_by=tuple(sorted(sums.opened_by.items())),
        closed_by=tuple(sorted(sums.closed_by.items())),
        unprotected_ms_max=state.blotter.naked.worst_ms(venue_ms),
        proof_delay_ms_max=state.blotter.naked.proof_delay_ms_max,
        realised_pnl_usdt=sums.realised_pnl_usdt,
        fees_usdt=sums.fees_usdt,
        funding_usdt=sums.funding_usdt,
        breaker_trips=sums.breaker_trips,
    )
