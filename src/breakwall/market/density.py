"""The density map's data: the largest walls of one market, in numbers that can be compared over all of them."""

from collections.abc import Sequence

from breakwall.market.state import Market
from breakwall.market.walls import Wall
from breakwall.model.view import DensityView, DensityWall

A_SIDE = 3


def density_view(market: Market, at_ms: int) -> DensityView:
    """The largest walls in view of each side, bids first, the largest first; none while the book is not trusted.

    Floats: a map of hundreds of markets is looked at every second, and nothing is ever decided on it.
    """
    mid = market.mid_half_ticks
    instrument = market.instrument
    if mid is None or not market.live:
        return DensityView(instrument.symbol, market.status.value, None, market.change_24h, ())
    value = float(instrument.usdt_per_tick_lot)
    walls = market.live_walls()
    found = [
        DensityWall(
            wall_id=wall.wall_id,
            bid=wall.bid,
            away=2 * wall.price_ticks / mid - 1,
            notional_usdt=value * wall.price_ticks * wall.lots,
            age_ms=wall.age_ms(at_ms),
            eroded=wall.eroded,
        )
        for wall in (*_largest(walls, bid=True), *_largest(walls, bid=False))
    ]
    price = float(instrument.tick) * mid / 2
    return DensityView(instrument.symbol, market.status.value, price, market.change_24h, tuple(found))


def _largest(walls: Sequence[Wall], *, bid: bool) -> list[Wall]:
    side = [wall for wall in walls if wall.bid is bid]
    if len(side) > 1:
        side.sort(key=_worth, reverse=True)
    return side[:A_SIDE]


def _worth(wall: Wall) -> int:
    return wall.price_ticks * wall.lots
