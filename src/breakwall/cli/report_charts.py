"""The curves of a report, drawn with characters. plotext keeps one figure for all: it is cleared before and after."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import plotext  # type: ignore[import-untyped]  # it has no types

if TYPE_CHECKING:
    from breakwall.replay.curves import Bin, Point
    from breakwall.replay.report import Report

HEIGHT = 12
LEAST_WIDTH = 40
_DAY_MS = 86_400_000
_PLAIN = str.maketrans("─│┌┐└┘├┤┬┴┼", "-|+++++++++")


def charts(report: "Report", width: int, *, plain: bool) -> list[str]:
    """Equity, drawdown and the spread of results as lines; nothing without a trade.

    `plain`: ASCII without colour, else half-dots and colours.
    """
    if not report.equity:
        return []
    size = max(width, LEAST_WIDTH)
    return [
        *_chart("EQUITY, USDT SINCE THE START", size, plain, lambda pen: _equity(report.equity, pen)),
        *_drawdown_chart(report.equity, size, plain),
        *_chart("RESULTS, TRADES BY NET USDT", size, plain, lambda pen: _results(report.histogram, pen)),
    ]


class Pen:
    """What is drawn with: characters and colours, or plain ones."""

    def __init__(self, *, plain: bool, width: int) -> None:
        self.plain = plain
        self.labels = max(2, width // 16)

    def line(self, colour: str) -> Any:
        return "*" if self.plain else plotext.marker("braille", pixel=plotext.pixel(colour))

    def bar(self, colour: str) -> Any:
        return "#" if self.plain else plotext.marker("█", pixel=plotext.pixel(colour))


def _chart(title: str, width: int, plain: bool, draw: Any) -> list[str]:
    with _figure(width):
        draw(Pen(plain=plain, width=width))
        text = plotext.figure.build().string(colorless=plain)
    lines = (text.translate(_PLAIN) if plain else text).rstrip("\n").split("\n")
    return ["", title, *(line.rstrip() for line in lines)]


def _drawdown_chart(points: "Sequence[Point]", width: int, plain: bool) -> list[str]:
    title = "DRAWDOWN, USDT BELOW THE PEAK"
    if not any(point.drawdown_usdt for point in points):
        return ["", f"{title}: none"]
    return _chart(title, width, plain, lambda pen: _drawdown(points, pen))


@contextmanager
def _figure(width: int) -> Iterator[None]:
    plotext.terminal.limit(width=False, height=False)  # the width was chosen; nobody asks the terminal again
    plotext.figure.clear.all()
    plotext.figure.theme("colorless")
    plotext.figure.plot_size(width, HEIGHT)
    try:
        yield
    finally:
        plotext.figure.clear.all()
        plotext.terminal.clear()


def _equity(points: "Sequence[Point]", pen: Pen) -> None:
    figure = plotext.figure
    values = [float(point.net_usdt) for point in points]
    figure.draw(figure.signal(_times(points), values, marker=pen.line("cyan")).lines())
    _time_axis(points, pen)


def _drawdown(points: "Sequence[Point]", pen: Pen) -> None:
    figure = plotext.figure
    values = [-float(point.drawdown_usdt) for point in points]
    figure.draw(figure.signal(_times(points), values, marker=pen.line("red")).lines().fillx())
    _time_axis(points, pen)


def _results(bins: "Sequence[Bin]", pen: Pen) -> None:
    figure = plotext.figure
    numbers = list(range(len(bins)))
    markers = [pen.bar("red" if each.high_usdt <= 0 else "green") for each in bins]
    figure.draw(figure.bar(numbers, [each.trades for each in bins], marker=markers, width=1))
    edges = [*(each.low_usdt for each in bins), bins[-1].high_usdt]
    every = -(-len(edges) // pen.labels)
    shown = range(0, len(edges), every)
    figure.ruler("x").ticks([number - 0.5 for number in shown], labels=[f"{edges[number]:g}" for number in shown])
    most = max(each.trades for each in bins)
    counts = sorted({0, most // 2, most})
    figure.ruler("y").ticks(counts, labels=[str(count) for count in counts])


def _times(points: "Sequence[Point]") -> list[float]:
    """Seconds since the first point; at least one from one point to the next, or nothing could be drawn."""
    return [max((point.at_ms - points[0].at_ms) / 1000, number * 0.001) for number, point in enumerate(points)]


def _time_axis(points: "Sequence[Point]", pen: Pen) -> None:
    start_ms, end_s = points[0].at_ms, _times(points)[-1]
    form = "%H:%M:%S" if end_s * 1000 < _DAY_MS else "%m-%d %H:%M"
    places = [end_s * number / (pen.labels - 1) for number in range(pen.labels)]
    labels = [datetime.fromtimestamp(start_ms / 1000 + place, UTC).strftime(form) for place in places]
    plotext.figure.ruler("x").ticks(places, labels=labels)
