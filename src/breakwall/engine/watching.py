"""Market data: into the symbol's market, and back out as resubscriptions and words about walls."""

from breakwall.engine.state import State
from breakwall.market.state import LIVE, Market, Status
from breakwall.market.walls import WallEvent
from breakwall.model.actions import Resubscribe
from breakwall.model.candles import Candles
from breakwall.model.events import BadFrame, BookDelta, BookLost, BookSnapshot, Link, Ticker, Trades
from breakwall.model.liquidations import Liquidations

LIQUIDATION_TOLD_USDT = 10_000
"""Smaller liquidations of others are for the log's details alone."""
_LOST = {Status.RESYNC, Status.STALE}
_TOLD = {"eaten": "info", "pulled": "info"}


def on_book(state: State, event: BookSnapshot | BookDelta) -> None:
    market = state.markets.get(event.symbol)
    if market is None:
        return
    was = market.status
    trouble = market.on_book(event, state.now)
    if trouble:
        resubscribe(state, market, trouble)
    elif was is not LIVE and market.live and was in _LOST:
        state.say("book", f"book is back after {was.value}", symbol=event.symbol)
    elif state.first_book_ms is None and isinstance(event, BookSnapshot):
        state.first_book_ms = state.now
        state.say("book", f"first book, {len(event.bids)} bids and {len(event.asks)} asks", symbol=event.symbol)
    if isinstance(event, BookSnapshot):
        deepen(state, market)


def on_trades(state: State, event: Trades) -> None:
    market = state.markets.get(event.symbol)
    if market is not None:
        market.on_trades(event, state.now)


def on_ticker(state: State, event: Ticker) -> None:
    market = state.markets.get(event.symbol)
    if market is not None:
        market.on_ticker(event, state.now)


def on_liquidations(state: State, event: Liquidations) -> None:
    """Others are forced out: told, because a price that runs into them runs on. No decision is made of it."""
    instrument = state.instruments.get(event.symbol)
    if instrument is None:
        return
    for long in (True, False):
        worth = sum([instrument.notional(one.ticks, one.lots) for one in event.liquidations if one.long is long])
        if worth:
            level = "info" if worth >= LIQUIDATION_TOLD_USDT else "debug"
            text = f"{'longs' if long else 'shorts'} of {worth:,.0f} USDT liquidated"
            state.say("liquidation", text, level=level, symbol=event.symbol)


def on_candles(state: State, event: Candles) -> None:
    market = state.markets.get(event.symbol)
    if market is not None:
        market.warm(event.candles)


def on_book_lost(state: State, event: BookLost) -> None:
    """The feed dropped it and asks for a new snapshot by itself, except after an overflow of ours."""
    market = state.markets.get(event.symbol)
    if market is not None:
        if market.live:
            state.say("book-lost", f"book lost: {event.reason}", level="warning", symbol=event.symbol)
        market.lose(event.reason, state.now)
        if state.roster.depths.get(event.symbol, 0) > market.book.depth:
            make_do(state, market, event.reason)
        elif event.ours:
            state.out.append(Resubscribe(event.symbol, event.reason))


def on_bad_frame(state: State, event: BadFrame) -> None:
    """Every hundredth is told: a broken exchange must not flood the log. A private one may have been a fill."""
    state.sums.bad_frames += 1
    if event.link is Link.PRIVATE:
        state.read_back_due = state.read_back_due or "proof"
    if state.sums.bad_frames % 100 == 1:
        text = f"unreadable frame on the {event.link.value} link: {event.reason} ({state.sums.bad_frames} in all)"
        state.say("bad-frame", text, level="warning")


def on_tick(state: State) -> None:
    """Promotions, deadlines and samples of every market, and what became of its walls."""
    now = state.now
    for market in state.in_turn:
        was = market.status
        market.on_tick(now)
        if was is LIVE and market.status is not LIVE:
            text = f"book {market.status.value}: {market.status_reason}"
            state.say("book-lost", text, level="warning", symbol=market.instrument.symbol)
        for event in market.take_wall_events():
            tell_wall(state, market, event)


def resubscribe(state: State, market: Market, reason: str, depth: int = 0) -> None:
    market.lose(reason, state.now)
    state.out.append(Resubscribe(market.instrument.symbol, reason, depth))
    state.say("resync", f"book resync: {reason}", level="warning", symbol=market.instrument.symbol)


def deepen(state: State, market: Market) -> None:
    """Subscribe more levels where the book does not reach far enough to tell walls from their neighbours."""
    wanted = market.wants_depth
    if wanted:
        state.roster.depths[market.instrument.symbol] = wanted
        reason = f"{market.depth} levels do not reach far enough, asking for {wanted}"
        state.out.append(Resubscribe(market.instrument.symbol, reason, wanted))
        level = "info" if market.instrument.symbol in state.settings.symbols else "debug"
        state.say("depth", reason, level=level, symbol=market.instrument.symbol)


def make_do(state: State, market: Market, why: str) -> None:
    """More levels were asked for, and lost before they came, as where the venue has no more: those from before are
    better than none. They are not asked for again.
    """
    symbol, levels = market.instrument.symbol, market.book.depth
    market.deepest = state.roster.depths[symbol] = levels
    state.out.append(Resubscribe(symbol, why, levels))
    state.say("depth", f"no more than {levels} levels: {why}", level="warning", symbol=symbol)


def tell_wall(state: State, market: Market, event: WallEvent) -> None:
    instrument = market.instrument
    side = "bid" if event.bid else "ask"
    text = (
        f"{side} wall {event.wall_id % 100_000} at {instrument.price_text(event.price_ticks)} {event.kind}: "
        f"{instrument.notional(event.price_ticks, event.peak_lots):,.0f} USDT at its peak, "
        f"{_share(event.eaten_lots, event.peak_lots)} eaten, {_share(event.pulled_lots, event.peak_lots)} pulled"
    )
    state.say("wall", text, level=_TOLD.get(event.kind, "debug"), symbol=instrument.symbol)


def _share(lots: int, peak_lots: int) -> str:
    return f"{100 * lots // peak_lots if peak_lots else 0} %"
