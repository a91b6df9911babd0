"""The frozen picture of the state that screens and receipts are made of."""

from breakwall.engine.state import State
from breakwall.model.view import Counters, OrderView, PositionView, SymbolView, View
from breakwall.trading.position import Position

LEVELS = 50


def view(
    state: State, at_ms: int, mode: str, symbol: str, loop_delay_p99_ms: float, event_latency_p99_ms: float
) -> View:
    """Everything at one moment between two events; levels of `symbol` only, so that it stays cheap."""
    return View(
        at_ms=at_ms,
        mode=mode,
        trading_state=state.trading_state,
        why=state.why,
        armed=state.armed,
        blind=state.blind,
        equity_usdt=state.blotter.equity_usdt,
        available_usdt=state.wallet.available_usdt,
        symbols=_symbols(state, at_ms, symbol),
        positions=tuple(_position(position, at_ms) for position in state.positions.held()),
        orders=_orders(state),
        counters=_counters(state, at_ms + state.venue_offset_ms),
        loop_delay_p99_ms=loop_delay_p99_ms,
        event_latency_p99_ms=event_latency_p99_ms,
    )


def _symbols(state: State, at_ms: int, selected: str) -> tuple[SymbolView, ...]:
    return tuple(market.view(at_ms, LEVELS if symbol == selected else 0) for symbol, market in state.markets.items())


def _position(position: Position, at_ms: int) -> PositionView:
    instrument = position.instrument
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
    )


def _orders(state: State) -> tuple[OrderView, ...]:
    return tuple(
        OrderView(
            client_id=order.client_id,
            symbol=order.symbol,
            side=order.side.value,
            state=order.state.value,
            lots=order.lots,
            filled_lots=order.filled_lots,
            price=None if order.limit_ticks is None else state.instruments[order.symbol].price(order.limit_ticks),
        )
        for order in state.orders.open()
    )


def _counters(state: State, venue_ms: int) -> Counters:
    sums, markets = state.sums, state.markets.values()
    return Counters(
        book_messages=sum(market.book_messages for market in markets),
        trades_seen=sum(market.trades_seen for market in markets),
        gaps=sum(market.gaps for market in markets),
        resyncs=sum(market.resyncs for market in markets),
        walls_seen=sum(market.walls_seen for market in markets),
        walls_eaten=sum(market.walls_eaten for market in markets),
        walls_pulled=sum(market.walls_pulled for market in markets),
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
