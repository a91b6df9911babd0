"""What the books keep of a market: the lives of walls, pictures of the order book, figures of the minute."""

from breakwall.market.state import Market
from breakwall.market.viewing import TREND_NAMES
from breakwall.market.walls import Wall
from breakwall.model.records import BookShot, MarketStats, WallLife
from breakwall.model.units import Instrument

SHOT_LEVELS = 50
"""Levels of each side in a picture of the book."""


def wall_life(wall: Wall, instrument: Instrument) -> WallLife:
    """An ended wall, all sizes valued at its last price."""
    price = wall.price_ticks
    return WallLife(
        symbol=instrument.symbol,
        wall_id=wall.wall_id,
        side="bid" if wall.bid else "ask",
        price=instrument.price(price),
        born_ms=wall.seen_ms,
        ended_ms=wall.ended_ms,
        end=wall.end,
        first_usdt=instrument.notional(price, wall.first_lots),
        peak_usdt=instrument.notional(price, wall.peak_lots),
        last_usdt=instrument.notional(price, wall.lots),
        eaten=wall.eaten,
        pulled=wall.pulled,
        touches=wall.touches,
    )


def book_shot(market: Market, at_ms: int) -> BookShot:
    tick, lot = market.instrument.tick, market.instrument.lot
    book = market.book
    return BookShot(
        symbol=market.instrument.symbol,
        at_ms=at_ms,
        bids=tuple([(tick * ticks, lot * lots) for ticks, lots in book.bids.top(SHOT_LEVELS)]),
        asks=tuple([(tick * ticks, lot * lots) for ticks, lots in book.asks.top(SHOT_LEVELS)]),
    )


def market_stats(market: Market, at_ms: int) -> MarketStats:
    """`bid` and `ask` are None while the book is not to be trusted."""
    instrument = market.instrument
    bid, ask = (market.best_bid, market.best_ask) if market.live else (None, None)
    return MarketStats(
        symbol=instrument.symbol,
        at_ms=at_ms,
        bid=None if bid is None else instrument.price(bid),
        ask=None if ask is None else instrument.price(ask),
        mark=market.mark,
        turnover_24h_usdt=market.turnover_24h_usdt,
        change_24h=market.change_24h,
        funding_rate=market.funding_rate,
        open_interest=market.open_interest,
        walls=len(market.live_walls()),
        trend=TREND_NAMES[market.trend_now],
    )
