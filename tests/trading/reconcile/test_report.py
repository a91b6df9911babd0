"""What a pass leads to, and its words."""

import pytest

from breakwall.trading.reconcile.differences import Act, Difference, Findings
from breakwall.trading.reconcile.report import escalation, machines, report_of


@pytest.mark.parametrize(
    ("act", "trading", "halts", "observes"),
    [
        (Act.KNOW, False, False, False),
        (Act.WAIT, False, False, False),
        (Act.CANCEL, False, True, False),
        (Act.CANCEL, True, False, False),
        (Act.CLOSE, False, True, False),
        (Act.CLOSE, True, False, False),
        (Act.PROTECT, False, True, False),
        (Act.PROTECT, True, True, False),
        (Act.HALT, True, True, False),
        (Act.EXPLAIN, True, False, True),
    ],
)
def test_what_stays_leads_to_a_halt_to_observing_or_only_to_patience(act, trading, halts, observes):
    follows = escalation(Findings((Difference("it", act, "BTCUSDT", "stays"),)), trading=trading)
    assert (bool(follows.halt), bool(follows.observe)) == (halts, observes)
    assert {follows.halt, follows.observe} <= {"", "BTCUSDT stays"}


@pytest.mark.parametrize("act", list(Act))
def test_a_report_names_what_was_found_and_what_was_done(act):
    found = Findings((Difference("it", act, "BTCUSDT", "differs"),))
    report = report_of(2, "start", 5, found, ("a machine",))
    assert report.actions[0].startswith("BTCUSDT differs")
    assert report.clean is (act is Act.KNOW)
    assert report.verdict.startswith("clean" if report.clean else "1 left: BTCUSDT differs")
    assert (report.number, report.purpose, report.at_ms, report.restored) == (2, "start", 5, ("a machine",))


def test_machines_are_told_with_their_moves(diary):
    blotter = diary.restored(cut=None).blotter
    assert machines(blotter) == ("position BTCUSDT OPEN: 0.010 at 60000.0, breakout, 1 move",)
    assert machines(diary.restored(cut=3).blotter)[1] == "order bw-1-1-e in BTCUSDT UNKNOWN, 1 move"
