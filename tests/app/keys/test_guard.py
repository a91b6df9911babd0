"""The guard as a state machine: what must fire, and what must never."""

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakwall.app.keys.acts import Guard
from breakwall.app.keys.guard import (
    CHORD_MS,
    LATE_MS,
    PAUSE_MS,
    QUIET_MS,
    REPEAT_MS,
    Answer,
    KeyGuard,
    Kind,
    Stroke,
)
from breakwall.app.keys.keymap import Keymap, name_of

KEYMAP = Keymap()


def stroke(key: str, at_ms: int, scope: str = "BTCUSDT", *, chord: bool | None = None) -> Stroke:
    """A key as the cockpit hands it over: function keys and arrows are not characters."""
    act = KEYMAP.act(name_of(key))
    typed = len(key) == 1 or key in {"enter", "tab", "escape"}
    needs = act is not None and act.guard is Guard.CHORD if chord is None else chord
    return Stroke(key, act, at_ms, typed, needs, scope)


def play(keys: Iterable[tuple[str, int]], guard: KeyGuard | None = None) -> list[Answer]:
    """Press keys at times; what was held back is released when its time is over, as the cockpit does."""
    guard = guard or KeyGuard()
    answers: list[Answer] = []
    for key, at_ms in keys:
        if released := guard.release(at_ms):
            answers.append(released)
        answers.append(guard.press(stroke(key, at_ms)))
    if released := guard.release():
        answers.append(released)
    return answers


def done(keys: Iterable[tuple[str, int]]) -> list[str]:
    """Ids of the trading acts that were done."""
    return [answer.act.id for answer in play(keys) if answer.kind is Kind.DO and answer.act and answer.act.trades]


@pytest.mark.parametrize(
    ("keys", "acts"),
    [
        pytest.param([("f9", 0), ("enter", 0)], ["panic"], id="panic in one read over SSH"),
        pytest.param([("f9", 0), ("enter", CHORD_MS)], ["panic"], id="panic at the last moment"),
        pytest.param([("f9", 0), ("enter", CHORD_MS + 1)], [], id="panic too late"),
        pytest.param([("f9", 0), ("enter", 2500), ("f9", 3000), ("enter", 3001)], ["panic"], id="panic again"),
        pytest.param([("f9", at) for at in range(0, 3000, 33)], [], id="a held key never confirms itself"),
        pytest.param([("f9", 0), ("f9", 500), ("enter", 2400)], ["panic"], id="pressed twice counts from the last"),
        pytest.param([("f9", 0), ("f8", 90), ("enter", 300)], ["panic"], id="a slip of the finger keeps panic"),
        pytest.param([("f9", 0), ("escape", 90), ("enter", 300)], [], id="Esc takes it back"),
        pytest.param([("f9", 0), *[(c, 100) for c in "no"], ("enter", 101)], [], id="a paste after F9 is not Enter"),
        pytest.param([*[("x", 0)] * 4, ("f9", 0), ("enter", 0)], ["panic"], id="panic after hammering"),
        pytest.param([("x", 0), ("enter", PAUSE_MS)], ["flatten"], id="flatten"),
        pytest.param([("x", 0), ("enter", PAUSE_MS - 1)], [], id="a pasted line does not flatten"),
        pytest.param([("x", 0), ("enter", 1), ("enter", 500)], ["flatten"], id="the question stays after a paste"),
        pytest.param([("x", 0), *[("enter", at) for at in range(12, 200, 12)]], [], id="nor do many pasted lines"),
        pytest.param([("x", 0), ("]", 300), ("enter", 600)], [], id="another key takes a letter's chord back"),
        pytest.param([("X", 0), ("enter", 200)], ["panic"], id="the alias of panic"),
        pytest.param([("X", 0), ("enter", 5)], [], id="but not in a paste"),
        pytest.param([("c", 0)], ["cancel"], id="cancel"),
        pytest.param([("c", 0), ("b", 200), ("p", 400)], ["cancel", "breakeven", "pause"], id="one after the other"),
        pytest.param([("c", 0), ("b", 2)], [], id="two at once are a paste"),
        pytest.param([("p", at) for at in (0, *range(500, 2000, 33))], ["pause"], id="a held key does it once"),
        pytest.param([("p", 0), ("p", REPEAT_MS)], ["pause", "pause"], id="and twice when pressed twice"),
        pytest.param([*[(c, 0) for c in "what"], ("c", QUIET_MS - 1)], [], id="quiet after a burst"),
        pytest.param([*[(c, 0) for c in "what"], ("c", QUIET_MS)], ["cancel"], id="and then no more"),
        pytest.param([("x", 0), *[(c, 50) for c in "quot"], ("enter", 700)], [], id="a burst takes a chord back"),
    ],
)  # fmt: skip
def test_strokes(keys: list[tuple[str, int]], acts: list[str]) -> None:
    assert done(keys) == acts


def test_what_is_too_late_is_said() -> None:
    answer = play([("f9", 0), ("enter", CHORD_MS + LATE_MS)])[-1]
    assert answer.kind is Kind.DENY
    assert answer.why == "too late: nothing was sent"


def test_long_after_a_chord_enter_is_enter_again() -> None:
    assert play([("f9", 0), ("enter", CHORD_MS + LATE_MS + 1)])[-1].kind is Kind.OTHER


def test_a_chord_is_for_the_symbol_it_was_pressed_for() -> None:
    guard = KeyGuard()
    guard.press(stroke("x", 0, "BTCUSDT"))
    assert guard.press(stroke("enter", 500, "ETHUSDT")).scope == "BTCUSDT"


@pytest.mark.parametrize("key", ["x", "X", "C", "c", "p", "P", "b"])
def test_characters_trade_nothing_after_a_resize_or_a_paste(key: str) -> None:
    guard = KeyGuard()
    guard.quieten(1_000)
    answer = guard.press(stroke(key, 1_000 + QUIET_MS - 1))
    assert answer.kind is Kind.DENY
    assert answer.why
    assert guard.press(stroke(key, 1_000 + QUIET_MS + REPEAT_MS)).kind in {Kind.ASK, Kind.HOLD}


def test_panic_works_right_after_a_resize() -> None:
    guard = KeyGuard()
    guard.quieten(0)
    assert guard.press(stroke("f9", 1)).kind is Kind.ASK
    assert guard.press(stroke("enter", 2)).kind is Kind.DO


def test_a_paste_takes_back_what_was_held() -> None:
    guard = KeyGuard()
    assert guard.press(stroke("c", 0)).kind is Kind.HOLD
    guard.quieten(5)
    assert guard.release() is None


def test_disarming_is_at_once_and_its_repeats_do_not_arm() -> None:
    guard = KeyGuard()
    assert guard.press(stroke("a", 0, chord=False)).kind is Kind.HOLD
    released = guard.release()
    assert released is not None
    assert released.kind is Kind.DO
    assert guard.press(stroke("a", 500, chord=True)).kind is Kind.DENY
    assert guard.press(stroke("a", 500 + REPEAT_MS, chord=True)).kind is Kind.ASK


CHARACTERS = st.sampled_from([*"xXcCaApPbBgzl[]0?/ qwe1", "enter", "tab"])
ANY = st.one_of(CHARACTERS, st.sampled_from(["f9", "f2", "escape", "up", "f8"]))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(CHARACTERS, st.integers(0, 3)), min_size=2, max_size=60))
def test_no_paste_trades(text: list[tuple[str, int]]) -> None:
    """Characters without pauses, whatever they are, however many."""
    at_ms, keys = 10_000, []
    for key, gap in text:
        at_ms += gap
        keys.append((key, at_ms))
    assert done(keys) == []


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(ANY, st.integers(0, 3000)), max_size=30), st.integers(0, CHORD_MS))
def test_panic_always_works(before: list[tuple[str, int]], wait_ms: int) -> None:
    """F9 and Enter, whatever was pressed before."""
    guard, at_ms = KeyGuard(), 0
    for key, gap in before:
        at_ms += gap
        guard.press(stroke(key, at_ms))
    guard.press(stroke("f9", at_ms))
    answer = guard.press(stroke("enter", at_ms + wait_ms))
    assert answer.kind is Kind.DO
    assert answer.act is not None
    assert answer.act.id == "panic"


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(ANY, st.integers(0, 3000)), max_size=40))
def test_chords_need_their_own_key_and_enter_in_time(keys: list[tuple[str, int]]) -> None:
    guard, at_ms = KeyGuard(), 0
    asked: dict[str, int] = {}
    for key, gap in keys:
        at_ms += gap
        pressed = stroke(key, at_ms)
        answer = guard.press(pressed)
        if answer.kind is Kind.ASK and answer.act:
            asked[answer.act.id] = at_ms
        if answer.kind is Kind.DO and answer.act and answer.act.guard is Guard.CHORD:
            assert key == "enter"
            assert at_ms - asked[answer.act.id] <= CHORD_MS
        if key == "escape":
            assert answer.kind in {Kind.DISMISS, Kind.OTHER}
            assert guard.asking is None
