"""Trading the density of the book: walls that break under the trend, and walls that hold behind it."""

from collections.abc import Sequence
from decimal import Decimal

from breakwall.market.state import LIVE, Market
from breakwall.market.walls import Wall
from breakwall.model.units import Side
from breakwall.settings import BounceSettings, BreakoutSettings, Settings
from breakwall.strategies.base import Key
from breakwall.trading.cost import Costs
from breakwall.trading.signal import Signal
from breakwall.trading.walls import eroded_at_least, short_id

_BP = Decimal(10_000)
_HUNDRED = Decimal(100)
FRESH_MS = 2_000
"""A wall that was eaten up is a breakout for this long; later the move is over."""

REMEMBERED = 5_000
"""How many signals are remembered as given; walls live for minutes, so the oldest are long gone."""


class Density:
    """Breakout and bounce, one signal per symbol, kind and wall.

    Breakout: a wall in the trend's way, eroded by `min_eroded`, at least `min_eaten_share` of that
    traded rather than cancelled: through it, stop behind its near edge.
    Bounce: a wall behind the trend, eroded by less than `max_eroded`, the price within `near_percent` or
    `near_atr` of it: away from it, stop behind its far edge.
    The target is just before the next wall in the way where that pays for the costs, else a percentage.
    A kind that is not enabled never signals; a flat trend, or a book that is not LIVE, has neither.
    """

    __slots__ = (
        "_costs",
        "_eaten_share",
        "_eroded",
        "_intact",
        "_least_stop",
        "_near",
        "_near_atr",
        "_said",
        "_seen",
        "_settings",
    )

    def __init__(self, settings: Settings, costs: Costs) -> None:
        self._settings = settings
        self._costs = costs
        self._eroded = Decimal(str(settings.breakout.min_eroded))
        self._eaten_share = Decimal(str(settings.breakout.min_eaten_share))
        self._intact = Decimal(str(settings.bounce.max_eroded))
        self._near = settings.bounce.near_percent / _HUNDRED
        self._near_atr = settings.bounce.near_atr
        self._least_stop = settings.entry.min_stop_percent / _HUNDRED
        self._said: dict[Key, int | None] = {}
        self._seen: dict[str, Sequence[Wall]] = {}  # at the last look

    def look(self, market: Market, at_ms: int, trace: str) -> Signal | None:
        """The first wall that qualifies, nearest to the price first, breakouts before bounces."""
        walls = self._walls(market, at_ms)
        trend = market.trend_now
        if not walls or trend == 0 or market.status is not LIVE:
            return None
        bid, ask = market.best_bid, market.best_ask
        if bid is None or ask is None:
            return None
        buys = trend > 0
        side, entry = (Side.BUY, ask) if buys else (Side.SELL, bid)
        for wall in walls:
            if wall.bid is not buys and self._breaks(wall) and self._free(market, "breakout", wall, at_ms):
                signal = self._breakout(market, wall, side, entry, at_ms, trace)
                if self._say(signal):
                    return signal
        for wall in walls:
            if wall.bid is buys and self._holds(market, wall, entry) and self._free(market, "bounce", wall, at_ms):
                signal = self._bounce(market, wall, side, entry, at_ms, trace)
                if self._say(signal):
                    return signal
        return None

    def again(self, key: Key, at_ms: int) -> None:
        """Allow this signal again from `at_ms` on."""
        if key in self._said:
            self._said[key] = at_ms

    def _walls(self, market: Market, at_ms: int) -> Sequence[Wall]:
        """Living walls, and those seen a moment ago that have just been eaten up."""
        symbol, living = market.instrument.symbol, market.live_walls()
        seen = self._seen.get(symbol, ())
        if seen is living:
            return living
        ids = {wall.wall_id for wall in living}
        gone = [market.wall(wall.wall_id) for wall in seen if wall.wall_id not in ids]
        eaten = [wall for wall in gone if wall and wall.end == "eaten" and at_ms - wall.ended_ms < FRESH_MS]
        walls = self._seen[symbol] = (*eaten, *living) if eaten else living
        return walls

    def _breaks(self, wall: Wall) -> bool:
        if not self._settings.breakout.enabled:
            return False
        gone = wall.peak_lots - wall.lots
        return eroded_at_least(wall, self._eroded) and wall.eaten_lots >= self._eaten_share * gone

    def _holds(self, market: Market, wall: Wall, entry: int) -> bool:
        if not self._settings.bounce.enabled or not wall.alive or eroded_at_least(wall, self._intact):
            return False
        away = abs(entry - wall.near_ticks)
        atr = market.atr_ticks
        return away <= self._near * entry or (atr is not None and away <= self._near_atr * atr)

    def _free(self, market: Market, kind: str, wall: Wall, at_ms: int) -> bool:
        """Whether this has not been said yet, or may be said again by now."""
        allowed_ms = self._said.get((market.instrument.symbol, kind, wall.wall_id), at_ms)
        return allowed_ms is not None and allowed_ms <= at_ms

    def _say(self, signal: Signal) -> bool:
        """Say it once. A price that is not at the wall yet (the stop would lie on it) uses nothing up."""
        if signal.stop_distance <= self._least_stop * signal.entry_ticks:
            return False
        self._said.pop(signal.key, None)
        self._said[signal.key] = None
        if len(self._said) > REMEMBERED:
            del self._said[next(iter(self._said))]
        return True

    def _breakout(self, market: Market, wall: Wall, side: Side, entry: int, at_ms: int, trace: str) -> Signal:
        rules = self._settings.breakout
        reason = f"{_noun(wall)} eroded {wall.eroded:.0%}, {wall.eaten_share:.0%} of that eaten"
        strength = min(1.0, wall.eroded * wall.eaten_share)
        return self._signal(
            "breakout", market, wall, side, entry, wall.near_ticks, rules, strength, reason, at_ms, trace
        )

    def _bounce(self, market: Market, wall: Wall, side: Side, entry: int, at_ms: int, trace: str) -> Signal:
        rules = self._settings.bounce
        away = abs(entry - wall.near_ticks)
        reason = f"{_noun(wall)} holds, eroded {wall.eroded:.0%}, {away} ticks away"
        strength = max(0.0, 1.0 - wall.eroded)
        return self._signal(
            "bounce", market, wall, side, entry, wall.far_ticks, rules, strength, reason, at_ms, trace
        )

    def _signal(
        self,
        strategy: str,
        market: Market,
        wall: Wall,
        side: Side,
        entry: int,
        edge: int,
        rules: BreakoutSettings | BounceSettings,
        strength: float,
        reason: str,
        at_ms: int,
        trace: str,
    ) -> Signal:
        """The stop lies `stop_behind_bp` behind `edge`, the edge of the wall that must hold for the idea to hold."""
        instrument, sign = market.instrument, side.sign
        behind = 1 - sign * Decimal(str(rules.stop_behind_bp)) / _BP
        target, aim = self._target(market, side, entry, rules.target_percent, wall.wall_id)
        return Signal(
            strategy=strategy,
            symbol=instrument.symbol,
            side=side,
            wall_id=wall.wall_id,
            wall_side=wall.side,
            wall_near_ticks=wall.near_ticks,
            wall_far_ticks=wall.far_ticks,
            entry_ticks=entry,
            stop_ticks=instrument.stop_ticks(instrument.price(edge) * behind, sign),
            target_ticks=target,
            strength=strength,
            at_ms=at_ms,
            trace=trace,
            reasons=(reason, f"trend {'up' if sign > 0 else 'down'}", aim),
            imbalance=market.trend.imbalance,
            indicators=_indicators(market, wall, at_ms),
        )

    def _target(self, market: Market, side: Side, entry: int, percent: Decimal, wall_id: int) -> tuple[int, str]:
        """Just before the next wall in the way where that pays, else `percent` away (rounded inwards)."""
        instrument, sign = market.instrument, side.sign
        spread = (market.best_ask or entry) - (market.best_bid or entry)
        far = instrument.passive_ticks(instrument.price(entry) * (1 + sign * percent / _HUNDRED), side)
        before = [
            wall.near_ticks - sign
            for wall in market.live_walls()
            if wall.side is not side and wall.wall_id != wall_id and sign * (wall.near_ticks - entry) > 0
        ]
        if before:
            nearest = min(before, key=lambda ticks: abs(ticks - entry))
            if sign * (far - nearest) > 0 and self._costs.pays(side, entry, nearest, spread):
                return nearest, "target before the next wall"
        return far, f"target {percent} % away"


def _indicators(market: Market, wall: Wall, at_ms: int) -> dict[str, float]:
    """What was seen, for the books: the trend's slope (ticks a second) and its error, the range, and the wall."""
    seen = {
        "slope": market.trend.slope,
        "slope_error": market.trend.error,
        "eroded": wall.eroded,
        "eaten_share": wall.eaten_share,
        "wall_usdt": float(wall.notional(market.instrument.usdt_per_tick_lot)),
        "wall_age_s": wall.age_ms(at_ms) / 1000,
        "touches": float(wall.touches),
    }
    return seen if market.atr_ticks is None else {**seen, "atr_ticks": market.atr_ticks}


def _noun(wall: Wall) -> str:
    return f"wall {short_id(wall.wall_id)} of {'bids' if wall.bid else 'asks'}"
