"""The pace of the screen: slower while the loop is late or the line full, back when it is calm."""

from collections.abc import Iterator
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from breakwall.app.pace import LINE_FULL, LOOP_LATE, SLOWEST_FPS, SLOWEST_LATE_FPS, Pace

BEAT_MS = 50


class Life:
    """Beats a pace through the seconds, each with a lateness of the loop and a load of the line."""

    def __init__(self, fps: float = 4, max_kb_s: float = 100) -> None:
        self.pace = Pace(fps, max_kb_s)
        self.at_ms = 1_000_000
        self.sent = 0

    def go(self, seconds: float, *, late_ms: int = 0, kb_s: float = 0, pending: int = 0) -> int:
        """How often it looked."""
        looks = 0
        until = self.at_ms + seconds * 1000
        while self.at_ms < until:
            self.at_ms += BEAT_MS + late_ms
            self.pace.heard(late_ms)
            self.sent += round(kb_s * (BEAT_MS + late_ms))
            looks += self.pace.beat(self.at_ms, self.sent, pending)
        return looks


def test_it_looks_as_often_as_asked_while_nothing_is_wrong() -> None:
    life = Life(fps=4)
    assert abs(life.go(10, kb_s=90) - 40) <= 1
    assert (life.pace.fps, life.pace.slowed) == (4, "")
    assert round(life.pace.bytes_s / 1000) == 90


def rates(life: Life, halves: int, **load: float) -> Iterator[float]:
    for _ in range(halves):
        life.go(0.5, **load)  # type: ignore[arg-type]  # one load for all
        yield life.pace.fps


def test_a_late_loop_halves_the_rate_down_to_the_slowest() -> None:
    life = Life()
    life.go(1)
    assert list(dict.fromkeys(rates(life, 40, late_ms=30))) == [2, SLOWEST_LATE_FPS]
    assert life.pace.slowed == LOOP_LATE


def test_who_asks_for_less_than_the_slowest_gets_it() -> None:
    life = Life(fps=0.5)
    life.go(20, late_ms=30)
    assert (life.pace.fps, life.pace.slowed) == (0.5, LOOP_LATE)


def test_one_outlier_is_forgiven() -> None:
    life = Life()
    life.go(5)
    life.go(0.05, late_ms=200)
    life.go(4)
    assert (life.pace.fps, life.pace.slowed) == (4, "")


def test_over_the_budget_it_slows_down_and_comes_back_when_calm() -> None:
    life = Life()
    assert list(dict.fromkeys(rates(life, 14, kb_s=150))) == [4, 2, 1]
    assert life.pace.slowed == LINE_FULL
    assert list(dict.fromkeys(rates(life, 60, kb_s=10))) == [1, 2, 4]
    assert life.pace.slowed == ""


def test_between_calm_and_over_it_stays_where_it_is() -> None:
    life = Life()
    life.go(4, kb_s=150)
    life.go(4, kb_s=90)
    slow = life.pace.fps
    assert slow < 4
    assert set(rates(life, 60, kb_s=90)) == {slow}


def test_a_rate_that_is_too_fast_again_and_again_is_tried_ever_less_often() -> None:
    life = Life()
    tries = []
    for _ in range(400):
        before = life.pace.fps
        life.go(1, kb_s=150 if before == 4 else 10)
        if life.pace.fps > before:
            tries.append(life.at_ms)
    pauses = [later - earlier for earlier, later in pairwise(tries)]
    assert 1.5 * pauses[0] < pauses[-1] < 30_000, "seldom, but a calm machine is noticed soon"


def test_a_terminal_that_takes_nothing_gets_nothing_and_is_looked_at_again_at_once() -> None:
    life = Life()
    life.go(2)
    assert life.go(10, pending=40_000) == 0
    assert (life.pace.fps, life.pace.slowed) == (SLOWEST_FPS, LINE_FULL)
    assert life.go(0.1) == 1


@given(st.lists(st.tuples(st.integers(0, 300), st.floats(0, 500), st.sampled_from([0, 1000, 100_000])), max_size=60))
def test_the_rate_stays_between_the_slowest_and_the_asked(loads: list[tuple[int, float, int]]) -> None:
    life = Life(fps=3)
    for late_ms, kb_s, pending in loads:
        life.go(0.5, late_ms=late_ms, kb_s=kb_s, pending=pending)
        assert SLOWEST_FPS <= life.pace.fps <= 3
        assert life.pace.slowed or life.pace.fps == 3


def test_in_a_hurry_the_next_beat_looks_once() -> None:
    life = Life(fps=0.5)
    assert life.go(0.5) == 1
    assert life.go(0.5) == 0
    life.pace.hurry()
    assert life.go(0.5) == 1


def test_the_time_of_a_frame_itself_is_no_lateness_of_the_loop() -> None:
    pace, at_ms = Pace(4, 100), 0
    for _ in range(400):
        if pace.beat(at_ms, 0, 0):
            at_ms += 90  # painted in parts, between which the loop turned
        pace.heard(0)
        at_ms += 50
    assert (pace.fps, pace.slowed) == (4, "")
