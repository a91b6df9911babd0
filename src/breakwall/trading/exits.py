"""When to leave a position that its stop has not closed: target, fading momentum, lost wall, time."""

from decimal import Decimal

from breakwall.market.state import Market
from breakwall.settings import ExitSettings
from breakwall.trading.position import Position
from breakwall.trading.walls import eroded_at_least, leaning_wall

_HUNDRED = Decimal(100)


class Exits:
    """The exit rules with their settings; decisions depend on position, market and time only."""

    __slots__ = ("_extremum", "_gone", "_kept", "_slowdown", "_time_stop_ms")

    def __init__(self, settings: ExitSettings) -> None:
        self._slowdown = settings.slowdown_min_percent / _HUNDRED
        self._kept = 1 - Decimal(str(settings.slowdown_giveback))
        self._gone = Decimal(str(settings.wall_gone_erosion))
        self._extremum = settings.extremum_samples
        self._time_stop_ms = int(settings.time_stop_s * 1000)

    def reason(self, position: Position, market: Market, at_ms: int) -> str:
        """Why to leave now, in words; empty to stay. Ask after `position.observe`."""
        if not position.is_open or position.plan is None:
            return ""  # somebody else's: managed by its stop, closed only when asked
        price = market.best_bid if position.sign > 0 else market.best_ask
        answers = (
            self._target(position, price),
            self._wall_lost(position, market),
            self._slowing(position, price),
            self._turned(position),
            self._too_long(position, at_ms),
        )
        return next((answer for answer in answers if answer), "")

    def _target(self, position: Position, price: int | None) -> str:
        plan = position.plan
        if plan is None or price is None or position.sign * (price - plan.target_ticks) < 0:
            return ""
        return "take-profit: target reached"

    def _wall_lost(self, position: Position, market: Market) -> str:
        """A bounce leans on its wall: without it there is nothing to lean on. Out of view says nothing."""
        plan = position.plan
        wall = leaning_wall(market, plan) if plan is not None and plan.strategy == "bounce" else None
        if wall is None:
            return ""
        if wall.end in {"eaten", "pulled"}:
            return f"wall {wall.end}"
        lost = wall.in_view and eroded_at_least(wall, self._gone)
        return f"wall eroded by {self._gone:%}" if lost else ""

    def _slowing(self, position: Position, price: int | None) -> str:
        """Momentum slowdown: it was well ahead and has given back its share of the best."""
        if price is None or position.best_ticks is None:
            return ""
        best = position.sign * (position.best_ticks - position.entry_ticks)
        now = position.sign * (price - position.entry_ticks)
        if best < self._slowdown * position.entry_ticks or now > best * self._kept:
            return ""
        return "take-profit: momentum slowed down"

    def _turned(self, position: Position) -> str:
        """Local extremum: the best sample lies `extremum_samples` seconds back, better than all of as many
        samples on each side of it, and what is left is still well ahead.
        """
        n = self._extremum
        if len(position.samples) < 2 * n + 1:
            return ""
        signed = [position.sign * ticks for _, ticks in position.samples]
        window = signed[-2 * n - 1 :]
        peak, others = window[n], window[:n] + window[n + 1 :]
        entry = position.sign * position.entry_ticks
        ahead = window[-1] - entry >= self._slowdown * position.entry_ticks
        turned = peak > max(others) and peak == max(signed)
        return "take-profit: local extremum" if turned and ahead else ""

    def _too_long(self, position: Position, at_ms: int) -> str:
        over = at_ms - position.opened_ms >= self._time_stop_ms
        return f"time stop: {self._time_stop_ms // 1000} s" if over else ""
