"""What a report says of fixed rows."""

from decimal import Decimal

import pytest

from breakwall.replay.report import (
    TOP,
    Failure,
    Hanging,
    Recovery,
    Rows,
    Scope,
    Signal,
    exit_kind,
    report_on,
)
from tests.replay.trades import HOUR_MS, trade

DAY_MS = 24 * HOUR_MS
NOW = 10 * DAY_MS
ALL = Scope(0, NOW)


def closed(net: str, n: int = 0, **changes: object):
    return trade(net, closed_ms=NOW - 1_000 + n, opened_ms=NOW - 61_000 + n, entry_id=f"bw-1-{n}-e", **changes)


def test_nothing_adds_up_to_nothing():
    empty = report_on(Rows(), ALL)
    assert (empty.totals.trades, empty.totals.win_rate, empty.totals.expectancy_usdt) == (0, None, None)
    assert (empty.totals.profit_factor, empty.totals.held_s, empty.totals.max_drawdown_usdt) == (None, None, 0)
    assert (empty.best, empty.worst, empty.equity, empty.histogram, empty.exits) == ((), (), (), (), ())


def test_totals():
    totals = report_on(
        Rows([closed("3", 0), closed("-2", 1), closed("1", 2, planned_stop=None), closed("0", 3)]), ALL
    ).totals
    assert (totals.trades, totals.won, totals.lost, totals.win_rate) == (4, 2, 1, 0.5)
    assert (totals.profit_factor, totals.expectancy_usdt, totals.max_drawdown_usdt) == (2.0, Decimal("0.5"), 2)
    assert totals.expectancy_r == pytest.approx((2 - 2 / 1.5 + 0) / 3)  # the one without a plan has none
    assert totals.held_s == 60
    assert (totals.best_usdt, totals.worst_usdt) == (Decimal("1.7"), Decimal("-0.2"))


def test_the_best_and_the_worst_never_overlap_and_are_ten_each():
    found = report_on(Rows([closed(str(n - 15), n) for n in range(30)]), ALL)
    assert [trade.net_usdt for trade in found.best] == list(range(14, 14 - TOP, -1))
    assert [trade.net_usdt for trade in found.worst] == list(range(-15, -15 + TOP))
    few = report_on(Rows([closed("1", 0), closed("-1", 1)]), ALL)
    assert (len(few.best), len(few.worst)) == (1, 1)


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("stop", "stop"),
        ("take-profit: target reached", "take-profit: target reached"),
        ("wall eroded by 80.000000%", "wall eroded"),
        ("time stop: 900 s", "time stop"),
        ("flatten by person: I go home, 3 beers", "flatten by person"),
        ("drawdown 803.20 of 800 USDT from the peak 10000.00; closing all", "drawdown"),
        ("", "not known"),
        ("42", "not known"),
    ],
)
def test_exits_of_one_kind_are_counted_together(reason, kind):
    assert exit_kind(reason) == kind


def test_exit_reasons_are_counted():
    rows = Rows([closed("3", 0), closed("-1", 1), closed("2", 2, reason="time stop: 900 s")])
    stop, late = report_on(rows, ALL).exits
    assert (stop.reason, stop.trades, stop.winners, stop.mean_usdt, stop.net_usdt) == ("stop", 2, 1, 1, 2)
    assert (late.reason, late.trades, late.winners) == ("time stop", 1, 1)


def test_signal_kinds_count_what_became_trades_and_what_refused_the_others():
    signals = [
        Signal(NOW - 61_000, "BTCUSDT", "breakout", 0.8, "bw-1-0-e", ""),
        Signal(NOW - 60_000, "BTCUSDT", "breakout", 0.2, "", "cooldown"),
        Signal(NOW - 59_000, "BTCUSDT", "breakout", 0.2, "", "cooldown"),
        Signal(NOW - 58_000, "BTCUSDT", "breakout", 0.2, "", "stop sound"),
        Signal(NOW - 57_000, "ETHUSDT", "bounce", 0.4, "", "cooldown"),
    ]
    rows = Rows([closed("3"), closed("-1", 9, strategy="adopted")], signals)
    adopted, bounce, breakout = report_on(rows, ALL).signals
    assert (adopted.strategy, adopted.signals, adopted.trades, adopted.strength) == ("adopted", 0, 1, None)
    assert (bounce.strategy, bounce.refused, bounce.trades, bounce.mean_usdt) == ("bounce", 1, 0, None)
    assert (breakout.signals, breakout.refused, breakout.trades) == (4, 3, 1)
    assert (breakout.strength, breakout.mean_usdt) == (0.8, 3)
    assert list(breakout.refused_by.items()) == [("cooldown", 2), ("stop sound", 1)]


def test_a_trade_signalled_before_the_span_knows_its_strength():
    signal = Signal(NOW - 61_000, "BTCUSDT", "breakout", 0.8, "bw-1-0-e", "")
    (kind,) = report_on(Rows([closed("3")], [signal]), Scope(NOW - 5_000, NOW)).signals
    assert (kind.signals, kind.trades, kind.strength) == (0, 1, 0.8)


def test_only_what_is_asked_for_counts():
    rows = Rows([closed("3"), closed("5", 1, symbol="ETHUSDT"), closed("7", 2, strategy="bounce")])
    assert report_on(rows, Scope(0, NOW, symbol="ETHUSDT")).totals.parts.net_usdt == 5
    assert report_on(rows, Scope(0, NOW, strategy="bounce")).totals.parts.net_usdt == 7
    assert report_on(rows, Scope(NOW, NOW + 1)).totals.trades == 0
    assert report_on(rows, Scope(0, NOW - 999)).totals.trades == 1


def test_hours_are_of_the_entry_and_utc():
    rows = Rows(
        [
            trade(opened_ms=3 * HOUR_MS - 1, closed_ms=3 * HOUR_MS + 1),
            trade(opened_ms=27 * HOUR_MS, closed_ms=NOW - 1),
        ]
    )
    assert [(share.name, share.trades) for share in report_on(rows, ALL).attribution.hour] == [
        ("02:00", 1),
        ("03:00", 1),
    ]


def test_troubles_are_those_of_the_last_day():
    times = (NOW - DAY_MS - 1, NOW - DAY_MS, NOW - 1, NOW)
    rows = Rows(
        failures=[Failure(at, "place answered", "order", "bw-1-1-e", "BTCUSDT", "exchange", "no") for at in times],
        hanging=[Hanging(at, "bw-1-1-e", "", "BTCUSDT", "UNKNOWN", "not-found", "gone", "") for at in times],
        recoveries=[Recovery(at, 1, "start", True, "agrees") for at in times],
    )
    found = report_on(rows, ALL)
    for kind in (found.failures, found.hanging, found.recoveries):
        assert [row.at_ms for row in kind] == [NOW - DAY_MS, NOW - 1]
    other = report_on(rows, Scope(0, NOW, symbol="ETHUSDT"))
    assert (len(other.failures), len(other.hanging), len(other.recoveries)) == (0, 0, 2)
