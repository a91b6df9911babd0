"""Turns: each once a period, never all at once."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from breakwall.engine.rota import Rota


def test_forty_take_turns_within_ten_seconds():
    rota = Rota(10_000)
    ticks = [rota.due(40, at_ms) for at_ms in range(1_700_000_000_000, 1_700_000_010_001, 100)]
    assert ticks[0] == []
    assert max(len(due) for due in ticks) == 1
    assert Counter(number for due in ticks for number in due) == Counter(range(40))


def test_of_more_than_the_most_each_waits_longer():
    rota = Rota(10_000, most=100)
    ticks = [rota.due(600, at_ms) for at_ms in range(1_700_000_000_000, 1_700_000_060_001, 100)]
    assert max(len(due) for due in ticks) == 1
    assert Counter(number for due in ticks for number in due) == Counter(range(600))


@given(count=st.integers(0, 60), steps=st.lists(st.integers(1, 3_000), max_size=40))
@settings(max_examples=60, deadline=None)
def test_each_comes_once_a_period_whatever_the_steps(count, steps):
    rota, now, seen = Rota(10_000), 1_700_000_000_000, Counter()
    rota.due(count, now)
    for step in steps:
        now += step
        seen.update(rota.due(count, now))
    periods = (now - 1_700_000_000_000) / 10_000
    assert all(periods - 1 <= seen[number] <= periods + 1 for number in range(count))


def test_after_a_long_silence_each_has_one_turn_and_a_changed_number_begins_anew():
    rota = Rota(10_000)
    rota.due(3, 0)
    assert sorted(rota.due(3, 1_000_000)) == [0, 1, 2]
    assert rota.due(5, 1_009_000) == []
    assert rota.due(0, 1_009_100) == []
