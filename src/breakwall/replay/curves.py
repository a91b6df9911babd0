"""The curves of a report: equity, drawdown, and how results are spread."""

from collections.abc import Sequence
from decimal import ROUND_FLOOR, Decimal

from msgspec import Struct

from breakwall.replay.attribution import ZERO, Trade, exact

BINS = 16
"""About how many bins a histogram has."""
_STEPS = (1, 2, 5, 10)


class Point(Struct, frozen=True):
    """The sum of all results so far, and how far it lies below its peak (the start counts as one), in USDT."""

    at_ms: int
    net_usdt: Decimal
    drawdown_usdt: Decimal


class Bin(Struct, frozen=True):
    """Results from `low_usdt` up to but not at `high_usdt`."""

    low_usdt: Decimal
    high_usdt: Decimal
    trades: int


def equity_curve(trades: Sequence[Trade]) -> tuple[Point, ...]:
    """From nothing, when the first trade was opened, through each closed trade; empty without one."""
    if not trades:
        return ()
    net = peak = ZERO
    points = [Point(min(trades[0].opened_ms, trades[0].closed_ms), ZERO, ZERO)]
    for trade in trades:
        net += exact(trade.net_usdt)
        peak = max(peak, net)
        points.append(Point(trade.closed_ms, net, peak - net))
    return tuple(points)


def histogram(results: Sequence[Decimal]) -> tuple[Bin, ...]:
    """Bins of one round width, with an edge at zero, so that gains and losses never share one."""
    if not results:
        return ()
    width = _round_width((max(*results, ZERO) - min(*results, ZERO)) / BINS)
    numbers = [int((result / width).to_integral_value(ROUND_FLOOR)) for result in results]
    return tuple(
        Bin(number * width, (number + 1) * width, numbers.count(number))
        for number in range(min(numbers), max(numbers) + 1)
    )


def _round_width(least: Decimal) -> Decimal:
    """The next 1, 2 or 5 times a power of ten; a cent where all results are nothing."""
    if least <= 0:
        return Decimal("0.01")
    power = Decimal(1).scaleb(least.adjusted())
    return next(step * power for step in _STEPS if step * power >= least)
