"""A process that is stopped, hurried, or killed again and again; it recovers, or says why it will not trade."""

import signal
import time
from pathlib import Path

import pytest

from tests.process.books import Bourse, compare, judge
from tests.process.demo import Demo, hasty

pytestmark = pytest.mark.process
STOPPED_S = 5.5


def test_stopped_for_seconds_it_reads_the_account_before_anything_new(bourse: Bourse, tmp_path: Path) -> None:
    key = bourse.open(tmp_path, 1)
    demo = Demo(tmp_path, *hasty(tmp_path))
    demo.wait_for(" opened ")
    demo.process.send_signal(signal.SIGSTOP)
    time.sleep(STOPPED_S)
    demo.process.send_signal(signal.SIGCONT)
    demo.wait_for("stood still for ")
    time.sleep(1.0)
    judge(bourse.truth(key))
    assert demo.leave()[0] == 0, demo.tail
    truth = bourse.ask(shut=key)
    judge(truth)
    compare(truth, tmp_path)


def test_asked_to_end_while_it_starts_it_ends_in_order(bourse: Bourse, tmp_path: Path) -> None:
    """At any moment of its start, with a position from before: closed, or left as it was with its stop."""
    key = bourse.open(tmp_path, 2)
    words = hasty(tmp_path)
    first = Demo(tmp_path, *words)
    first.wait_for(" opened ")
    first.kill()
    for delay_s in (0.25, 0.4, 0.5, 0.55, 0.6, 0.7):
        demo = Demo(tmp_path, *words)
        time.sleep(delay_s)
        code, _ = demo.leave()
        assert code in {0, -signal.SIGTERM, 143}, (delay_s, code, demo.tail)
        assert "Traceback" not in demo.tail
        judge(bourse.truth(key))
        if not (tmp_path / "exchange.json").exists():
            break
    bourse.ask(shut=key)


def test_crashing_again_and_again_it_stops_opening_until_a_person_has_looked(bourse: Bourse, tmp_path: Path) -> None:
    """What it holds is protected and managed all the same."""
    key = bourse.open(tmp_path, 3)
    words = hasty(tmp_path, recovery="{crash_starts = 4, crash_window_s = 600}")
    first = Demo(tmp_path, *words)
    first.wait_for(" opened ")
    first.kill()
    for _ in range(3):
        code, _ = Demo(tmp_path, *words, crash_at="recovering").end()
        assert code == -signal.SIGKILL
    heir = Demo(tmp_path, *words)
    assert "MISSING" not in heir.wait_for("recovered: ")
    assert "did not end in order" in heir.wait_for("4 starts within")
    judge(bourse.truth(key))
    assert heir.leave()[0] == 0, heir.tail
    truth = bourse.ask(shut=key)
    judge(truth)
    compare(truth, tmp_path)
    assert len(truth["entries"]) == 1
