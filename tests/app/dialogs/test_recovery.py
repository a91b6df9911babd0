"""The dialog of the last passes: every action and every column of a hanging order."""

import pytest
from msgspec.structs import replace

from breakwall.app.dialogs.dialog import CLOSE
from breakwall.app.dialogs.recovery import Recovery
from breakwall.app.rows.row import width_of
from breakwall.model.records import HangingOrder, RecoveryReport
from breakwall.model.view import LimitView

HANGING = HangingOrder(
    client_id="bw-1j-8c2-e",
    order_id="9aac161b-8ed6-450d-9cab-c5cc67c21784",
    symbol="BTCUSDT",
    our_state="SENT",
    kind="stuck",
    reason="31 minutes without a final state",
    exchange_state="New",
    raw='{"orderStatus":"New","qty":"0.030"}',
)
FIRST = RecoveryReport(
    number=1,
    purpose="start",
    at_ms=1_795_176_273_000,
    actions=("stop of BTCUSDT set again at 63980.0", "cancel asked of bw-1j-8c2-e"),
    restored=("BTCUSDT LONG 0.021 by breakout, 3 steps of history",),
    hanging=(HANGING,),
    clean=False,
    verdict="one difference remains",
)
SECOND = replace(
    FIRST, number=2, at_ms=FIRST.at_ms + 2_000, actions=(), restored=(), hanging=(), clean=True, verdict="agreed"
)


def test_the_newest_pass_comes_first_with_all_that_is_known(view, plain) -> None:
    assert plain(Recovery().body(replace(view, recovery=(FIRST, SECOND)), 80)).splitlines() == [
        " the account was read back 1.8s ago",
        "",
        " 12:04:35  start, pass 2: clean",
        "  verdict    agreed",
        "",
        " 12:04:33  start, pass 1: NOT CLEAN",
        "  verdict    one difference remains",
        "  done       stop of BTCUSDT set again at 63980.0",
        "  done       cancel asked of bw-1j-8c2-e",
        "  restored   BTCUSDT LONG 0.021 by breakout, 3 steps of history",
        "  HANGS      BTCUSDT stuck: SENT here, New",
        "  our id     bw-1j-8c2-e",
        "  its id     9aac161b-8ed6-450d-9cab-c5cc67c21784",
        "  reason     31 minutes without a final state",
        '  raw answer {"orderStatus":"New","qty":"0.030"}',
    ]


def test_what_cannot_be_explained_stands_above(view, plain) -> None:
    said = plain(Recovery().body(replace(view, observing="another Breakwall trades on this account"), 80))
    assert "  OBSERVING  another Breakwall trades on this account" in said
    assert "no pass of this run is known" in said


def test_before_there_is_an_engine_it_says_so(plain) -> None:
    assert "still starting" in plain(Recovery().body(None, 80))


@pytest.mark.parametrize("width", [20, 60, 84])
def test_a_long_answer_is_wrapped_and_can_be_read_to_its_end(view, width, plain) -> None:
    long = replace(FIRST, hanging=(replace(HANGING, raw="word\x1b[2J " * 200 + "last"),))
    dialog = Recovery()
    shown = replace(view, recovery=(long,))
    dialog.lines(shown, width, 12)
    dialog.press("end", None)
    rows = dialog.lines(shown, width, 12)
    assert len(rows) == 12
    assert {width_of(row) for row in rows} == {width}
    assert "last" in plain(rows)
    assert dialog.press("r", "r") is CLOSE
    assert dialog.press("x", "x") is None


@pytest.mark.parametrize(
    ("dcp_s", "words"),
    [
        (10, " without us the exchange keeps the stops, and withdraws working orders after 10 s (DCP)"),
        (0, " without us the exchange keeps the stops, and keeps working orders (no DCP)"),
    ],
)
def test_what_the_exchange_does_without_us_is_told(view, plain, dcp_s, words) -> None:
    assert words in plain(Recovery().body(replace(view, dcp_s=dcp_s), 90)).splitlines()
    assert "without us" not in plain(Recovery().body(replace(view, dcp_s=None), 90))


def test_every_request_budget_is_told(view, plain) -> None:
    limits = (
        LimitView("all", "", cap=120, size=96.0, left=96.0, reserve=28.8, wait_ms=540_000),
        LimitView("orders", "/v5/order/create", cap=10, size=8.0, left=7.5, reserve=2.4),
    )
    assert plain(Recovery().body(replace(view, limits=limits), 80)).splitlines()[2:5] == [
        " requests that may still leave in this second",
        "  all        0% used, 96.0 of 96 left, cap 120/s, 28.8 for exits, wait 540.0 s",
        "  orders     6% used, 7.5 of 8 left, cap 10/s, 2.4 for exits",
    ]
