"""One market as a screen sees it: a row of figures, and on request its walls and its depth."""

from decimal import Decimal

from breakwall.market.state import Market
from breakwall.market.walls import Wall
from breakwall.model.view import SymbolView, WallView

LEVELS = 1_000
"""Levels of each side in the view of the selected market: all of them, as walls lie at the far end of a fine book."""
ENDED_FOR_MS = 120_000
"""How long walls are shown after their end."""
ENDED_MOST = 12
TREND_NAMES = {1: "up", 0: "flat", -1: "down"}


def symbol_view(
    market: Market,
    at_ms: int,
    *,
    venue_offset_ms: int = 0,
    paused: bool = False,
    reducing: str = "",
    walls: bool = False,
    levels: int = 0,
) -> SymbolView:
    """The frozen view of a market: its figures; with `walls` those that stand; with `levels` all of its depth too.

    `venue_offset_ms` is the venue's clock minus ours.
    """
    instrument = market.instrument
    bid, ask, funding_ms = market.best_bid, market.best_ask, market.next_funding_ms
    deep = levels > 0
    return SymbolView(
        symbol=instrument.symbol,
        status=market.status.value,
        bid=None if bid is None else instrument.price(bid),
        ask=None if ask is None else instrument.price(ask),
        mark=market.mark,
        age_ms=at_ms - market.last_book_ms if market.last_book_ms else 0,
        trend=TREND_NAMES[market.trend_now],
        status_reason=market.status_reason,
        late_ms=market.lag.late_ms,
        change_24h=market.change_24h,
        funding_rate=market.funding_rate,
        next_funding_ms=None if funding_ms is None else funding_ms - venue_offset_ms,
        tick=instrument.tick,
        lot=instrument.lot,
        usdt_per_tick_lot=instrument.usdt_per_tick_lot,
        reach=market.reach,
        paused=paused,
        reducing=reducing,
        bids=market.book.bids.top(levels),
        asks=market.book.asks.top(levels),
        walls=_standing(market, at_ms) if walls or deep else (),
        ended=_ended(market, at_ms) if deep else (),
        trades=tuple(market.tape.latest) if deep else (),
        trades_seen=market.tape.on_book,
    )


def _standing(market: Market, at_ms: int) -> tuple[WallView, ...]:
    value = market.instrument.usdt_per_tick_lot
    return tuple(_wall(wall, market, value, at_ms) for wall in market.all_walls() if wall.built)


def _ended(market: Market, at_ms: int) -> tuple[WallView, ...]:
    """Newest first."""
    value = market.instrument.usdt_per_tick_lot
    return tuple(_wall(wall, market, value, at_ms) for wall in market.ended_walls(at_ms - ENDED_FOR_MS, ENDED_MOST))


def _wall(wall: Wall, market: Market, usdt_per_tick_lot: Decimal, at_ms: int) -> WallView:
    return WallView(
        wall_id=wall.wall_id,
        bid=wall.bid,
        near_ticks=wall.near_ticks,
        far_ticks=wall.far_ticks,
        price=market.instrument.price(wall.price_ticks),
        lots=wall.lots,
        peak_lots=wall.peak_lots,
        notional_usdt=wall.notional(usdt_per_tick_lot),
        age_ms=wall.age_ms(at_ms),
        eroded=wall.eroded,
        eaten=wall.eaten,
        pulled=wall.pulled,
        touches=wall.touches,
        in_view=wall.in_view,
        end=wall.end,
        ended_ms=wall.ended_ms,
    )
