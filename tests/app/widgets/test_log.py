"""The log follows what comes, counts repeats, and stays where its reader has gone back to."""

import re

import pytest
from msgspec.structs import replace

from breakwall.app.cockpit import Cockpit
from breakwall.app.widgets.log import Log, collapsed, log_row
from breakwall.clock import SystemClock
from breakwall.model.view import LogLine
from breakwall.settings import Settings


def lines(count: int, first: int = 1) -> tuple[LogLine, ...]:
    return tuple(
        LogLine(number, number * 1_000, "info", "", f"line {number}", "") for number in range(first, first + count)
    )


@pytest.fixture
def pane(ink, look) -> Log:
    return Log(ink, look)


def shown(pane: Log, view, plain, height: int = 5) -> list[str]:
    return [row.rpartition("info  ")[2] for row in plain(pane.rows(view, 60, height)).splitlines()[1:]]


def test_the_newest_line_is_at_the_bottom(pane, view, plain) -> None:
    assert plain(pane.rows(view, 80, 4)).splitlines()[1:] == [
        " 12:04:26 info  BTCUSDT entry buy 0.030 at most 64156.0",
        " 12:04:28 WARN  ETHUSDT book lost: gap: expected update 901, found 905",
        " 12:04:31 ERROR ETHUSDT no stop after 2 s: closing",
    ]


def test_levels_differ_in_word_and_ink(view) -> None:
    rows = [log_row(entry, 80) for entry in collapsed(view.log)]
    assert [row[1] for row in rows] == [
        ("debug ", "dim"),
        ("info  ", ""),
        ("info  ", ""),
        ("WARN  ", "warn"),
        ("ERROR ", "bad"),
    ]


def test_repeats_are_counted_and_the_count_is_never_cut(view, plain) -> None:
    said = LogLine(1, 1_000, "warning", "BTCUSDT", "the exchange answers slowly today", "")
    entries = collapsed([said, replace(said, number=2), replace(said, number=3, at_ms=5_000), *lines(1, 4)])
    assert [(entry.line.number, entry.times) for entry in entries] == [(3, 3), (4, 1)]
    assert plain([log_row(entries[0], 40)]) == " 00:00:05 WARN  BTCUSDT the exchange… \N{MULTIPLICATION SIGN}3"


def test_who_reads_back_stays_there_while_new_lines_come(pane, view, plain) -> None:
    shown(pane, replace(view, log=lines(20)), plain)
    pane.back(-5)
    assert shown(pane, replace(view, log=lines(20)), plain) == ["line 12", "line 13", "line 14", "line 15"]
    assert shown(pane, replace(view, log=lines(30)), plain) == ["line 12", "line 13", "line 14", "line 15"]
    assert "paused, 15 below, End follows" in plain(pane.rows(replace(view, log=lines(30)), 60, 5))


def test_lines_that_are_forgotten_meanwhile_leave_the_oldest(pane, view, plain) -> None:
    shown(pane, replace(view, log=lines(20)), plain)
    pane.back(-5)
    assert shown(pane, replace(view, log=lines(20, first=100)), plain) == ["line 100"]


def test_back_at_the_newest_line_it_follows_again(pane, view, plain) -> None:
    shown(pane, replace(view, log=lines(20)), plain)
    pane.back(-5)
    pane.back(9)
    assert shown(pane, replace(view, log=lines(21)), plain)[-1] == "line 21"


@pytest.mark.asyncio
async def test_keys_go_back_and_end_follows(desk, view, frame) -> None:
    desk.shown = replace(view, log=lines(60))
    app = Cockpit(Settings(), SystemClock(), desk)
    async with app.run_test(size=(120, 40)) as pilot:
        app.look_again()
        app.trade.query_one(Log).focus()

        async def seen_after(*keys: str) -> str:
            await pilot.press(*keys)
            app.look_again()
            await pilot.pause()
            return frame(app)

        assert "paused, 3 below" in await seen_after("pageup", "up")
        assert re.search(r"info  line 1\s", await seen_after("home"))
        assert "info  line 60" in await seen_after("end")
