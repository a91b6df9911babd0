"""What a heartbeat, or its absence, means: tables of what is seen, second by second."""

import pytest

from breakwall.heartbeat import Beat, Held
from breakwall.watch.judging import Facts, Judge, held_words

AFTER_S = 15.0
HELD = Held("BTCUSDT", "LONG", "0.020", "64000.0", None, 1000)
FLAT = Beat(77, 1, 0, "SIM", "ACTIVE", "", True, False, 1.0, 500, 0, (), False)
OPEN = FLAT._replace(positions=(HELD,))


def facts(now_s: float, beat: Beat | None, **more: object) -> Facts:
    return Facts(now_s, more.pop("wall_s", 1e9 + now_s), beat, **more)  # type: ignore[arg-type]  # the test's words


def watched(*seen: Facts) -> dict[str, bool]:
    """The alarms of the last look, and whether each is severe; looks in between come each second."""
    judge, alarms, before = Judge(AFTER_S), [], None
    for one in seen:
        if before is not None:
            for second in range(int(before.now_s) + 1, int(one.now_s)):
                judge.look(before._replace(now_s=float(second), wall_s=before.wall_s + second - before.now_s))
        alarms = judge.look(one)
        before = one
    return {alarm.kind: alarm.severe for alarm in alarms}


@pytest.mark.parametrize(
    ("beat", "silent_s", "process", "alarms"),
    [
        (OPEN, 14, "running", {}),
        (OPEN, 15, "running", {"silent": True}),
        (OPEN, 15, "stopped", {"silent": True}),
        (OPEN, 1, "gone", {}),
        (OPEN, 2, "gone", {"silent": False}),
        (OPEN, 15, "gone", {"silent": True}),
        (FLAT, 15, "gone", {"silent": False}),
        (FLAT._replace(armed=False), 600, "gone", {}),
        (FLAT._replace(orders=1), 15, "running", {"silent": True}),
        (OPEN._replace(ended=True), 600, "gone", {"left-open": False}),
        (FLAT._replace(ended=True), 600, "gone", {}),
    ],
)
def test_silence_matters_where_something_is_open(beat, silent_s, process, alarms) -> None:
    assert watched(facts(0, beat), facts(silent_s, beat, process=process)) == alarms


def test_a_beat_that_goes_on_is_life() -> None:
    seen = [facts(second, OPEN._replace(number=second)) for second in range(60)]
    assert watched(*seen) == {}


def test_a_restart_counts_from_one_and_is_life() -> None:
    assert (
        watched(
            facts(0, OPEN._replace(number=900)), facts(14, OPEN._replace(pid=78)), facts(28, OPEN._replace(pid=78))
        )
        == {}
    )


@pytest.mark.parametrize("trouble", ["missing", "unreadable: its content is not a heartbeat"])
def test_a_file_that_goes_bad_is_silence(trouble: str) -> None:
    judge = Judge(AFTER_S)
    judge.look(facts(0, OPEN))
    for second in range(1, 15):
        assert judge.look(facts(second, None, trouble=trouble)) == []
    (alarm,) = judge.look(facts(15, None, trouble=trouble))
    assert alarm.severe
    assert trouble in alarm.text


def test_a_file_that_is_only_touched_is_an_alarm_and_no_reason_to_panic_until_that_ends() -> None:
    """Its process lives and cannot write: a full disk."""
    seen = [facts(second, OPEN, touched_ns=second + 1) for second in range(60)]
    assert watched(*seen[:5]) == {}
    assert watched(*seen) == {"mute": False}
    assert watched(*seen, facts(59 + 14, OPEN, touched_ns=60)) == {"mute": False}
    assert watched(*seen, facts(59 + 15, OPEN, touched_ns=60)) == {"silent": True}
    assert watched(*seen, facts(60, OPEN._replace(number=2), touched_ns=61)) == {}


def test_a_file_that_never_was_one_is_an_alarm_and_no_reason_to_panic() -> None:
    assert watched(facts(0, None, trouble="unreadable: x"), facts(16, None, trouble="unreadable: x")) == {
        "unreadable": False
    }
    assert watched(facts(0, None), facts(60, None)) == {}


def test_the_watchs_own_sleep_is_nobodys_silence() -> None:
    """A suspended machine: both stood still, and the heartbeat has a moment to go on."""
    judge = Judge(AFTER_S)
    judge.look(facts(0, OPEN))
    assert judge.look(facts(3600, OPEN, wall_s=1e9 + 3600)) == []
    assert [alarm.kind for alarm in judge.look(facts(3602, OPEN))] == []


def test_a_step_of_the_machines_clock_is_told_once_and_moves_no_deadline() -> None:
    judge = Judge(AFTER_S)
    judge.look(facts(0, OPEN))
    (alarm,) = judge.look(facts(1, OPEN, wall_s=1e9 + 3601))
    assert alarm.kind == "clock"
    assert "+3600 s" in alarm.text
    assert judge.look(facts(2, OPEN, wall_s=1e9 + 3602)) == []


@pytest.mark.parametrize(
    ("beat", "alarms"),
    [
        (OPEN._replace(positions=(HELD._replace(naked_ms=3000),)), {}),
        (OPEN._replace(positions=(HELD._replace(stop=None, naked_ms=3001),)), {"unprotected": False}),
        (OPEN._replace(read_back_ms=30_001), {"unread": False}),
        (FLAT._replace(read_back_ms=30_001), {}),
        (OPEN._replace(loop_delay_ms=2001.0), {"slow": False}),
    ],
)
def test_what_a_living_process_says_of_itself(beat: Beat, alarms: dict[str, bool]) -> None:
    assert watched(facts(0, OPEN), facts(1, beat._replace(number=2))) == alarms


def test_blind_for_half_a_minute() -> None:
    seen = [
        facts(second, OPEN._replace(number=second, blind=True, why="private link down\x1b[2J"))
        for second in range(32)
    ]
    assert watched(*seen[:31]) == {}
    judge = Judge(AFTER_S)
    alarms = [judge.look(one) for one in seen][-1]
    assert [alarm.kind for alarm in alarms] == ["blind"]
    assert "\x1b" not in alarms[0].text
    assert watched(*seen, facts(32, OPEN._replace(number=99))) == {}


def test_after_a_proven_panic_the_silence_is_no_danger_until_it_speaks_again() -> None:
    judge = Judge(AFTER_S)
    for second in range(16):
        judge.look(facts(second, OPEN))
    judge.settle()
    assert judge.look(facts(16, OPEN)) == []
    judge.look(facts(17, OPEN._replace(number=2)))
    assert judge.at_risk


def test_what_is_open_in_words_without_control_characters() -> None:
    hostile = HELD._replace(symbol="EVIL\x1b]52;c;aGk=\x07", stop=None)
    words = held_words(OPEN._replace(positions=(HELD, hostile), orders=2))
    assert words.startswith("BTCUSDT LONG 0.020 (stop 64000.0), EVIL]52;c;aGk= LONG 0.020 (NO STOP)")
    assert words.endswith("2 entries under way")
    assert held_words(FLAT) == "nothing open"
