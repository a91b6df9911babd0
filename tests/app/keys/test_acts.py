"""The table of keys, the trader's own keys over it, and every mistake that can be made with them."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakwall.app.keys.acts import ACTS, BY_ID, Guard, shown
from breakwall.app.keys.keymap import Keymap, markdown
from breakwall.config import ConfigError


def test_the_table_agrees_with_itself() -> None:
    keys = [key for act in ACTS for key in act.keys]
    assert len(keys) == len(set(keys))
    assert len(BY_ID) == len(ACTS)
    ranks = [act.rank for act in ACTS if act.label]
    assert all(act.help for act in ACTS)
    assert min(ranks) == BY_ID["panic"].rank


def test_the_keys_are_the_agreed_ones() -> None:
    agreed = {
        "f9": "panic", "X": "panic", "x": "flatten", "c": "cancel", "C": "cancel-all", "a": "arm", "p": "pause",
        "P": "pause-all", "b": "breakeven", "left_square_bracket": "symbol-before", "g 3": "slot", "slash": "search",
        "right_square_bracket": "symbol-after", "plus": "price-in", "minus": "price-out", "less_than_sign": "time-in",
        "greater_than_sign": "time-out", "0": "recentre", "l": "lock", "f1": "help", "question_mark": "help",
        "f2": "trade-screen", "g t": "trade-screen", "z": "maximise", "ctrl+p": "palette", "ctrl+q": "quit",
        "ctrl+c": "quit", "enter": "card", "escape": "dismiss",
    }  # fmt: skip
    keymap = Keymap()
    assert {key: act.id if (act := keymap.act(key)) else None for key in agreed} == agreed


@pytest.mark.parametrize("digit", "12345")
def test_digits_are_kept_for_working_volumes(digit: str) -> None:
    assert Keymap().act(digit) is None


def test_whatever_opens_risk_or_closes_everything_is_guarded() -> None:
    assert {act.id for act in ACTS if act.guard is Guard.CHORD} == {
        *("panic", "flatten", "cancel-all", "arm", "reconcile", "reset-breaker", "reset-api")
    }
    assert {act.id for act in ACTS if act.guard is Guard.MODAL} == {"quit"}
    assert all(act.trades for act in ACTS if act.guard is Guard.CHORD)


@pytest.mark.parametrize(
    ("key", "printed"),
    [
        ("f9", "F9"),
        ("ctrl+q", "Ctrl+Q"),
        ("X", "X"),
        ("[", "["),
        ("g t", "g t"),
        ("up", "↑"),
        ("shift+tab", "Shift+Tab"),
    ],
)
def test_keys_are_printed_as_people_write_them(key: str, printed: str) -> None:
    assert shown(key) == printed


def test_own_keys_take_the_place_of_the_usual_ones() -> None:
    keymap = Keymap({"flatten": ["f", "F6"], "lock": "g l", "cancel": []})
    assert keymap.act("f") is keymap.act("f6") is BY_ID["flatten"]
    assert keymap.act("x") is None
    assert keymap.act("c") is None
    assert keymap.act("g l") is BY_ID["lock"]
    assert keymap.keys(BY_ID["flatten"]) == ("f", "F6")


def test_keys_may_be_swapped() -> None:
    keymap = Keymap({"flatten": "c", "cancel": "x"})
    assert keymap.act("c") is BY_ID["flatten"]
    assert keymap.act("x") is BY_ID["cancel"]


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"flaten": "k"}, "flaten: unknown action; did you mean 'flatten'?"),
        ({"zzz": "k"}, "zzz: unknown action; known: panic, flatten"),
        ({"flatten": "kk"}, "flatten: expected a key such as x, [, f5, ctrl+t or g x, found 'kk'"),
        ({"flatten": ""}, "found ''"),
        ({"flatten": "\x1b"}, "expected a key"),
        ({"flatten": "f13"}, "expected a key"),
        ({"flatten": "c"}, "c: used by flatten and cancel; every key means one thing"),
        ({"flatten": ["k", "k"]}, "k: used by flatten and flatten"),
        ({"flatten": "k", "cancel": "k"}, "k: used by flatten and cancel"),
        ({"flatten": "f9"}, "flatten: F9 is panic's and nothing may take it"),
        ({"flatten": "F9"}, "flatten: F9 is panic's and nothing may take it"),
        ({"panic": "k"}, "panic: expected F9 among its keys, found k"),
        ({"panic": []}, "panic: expected F9 among its keys, found none"),
        ({"quit": []}, "quit: expected at least one key beside Ctrl+C"),
        ({"quit": "ctrl+c"}, "quit: expected at least one key beside Ctrl+C"),
        ({"flatten": "ctrl+c"}, "Ctrl+C cannot be used: it always asks whether to quit"),
        ({"flatten": "ctrl+z"}, "it suspends programs"),
        ({"flatten": "ctrl+s"}, "it stops terminals"),
        ({"flatten": "ctrl+i"}, "terminals send it as Tab"),
        ({"flatten": "ctrl+m"}, "terminals send it as Enter"),
        ({"flatten": "ctrl+h"}, "terminals send it as Backspace"),
        ({"flatten": "ctrl+j"}, "terminals send it as Enter"),
        ({"flatten": "ctrl+shift+x"}, "tmux does not deliver it"),
        ({"flatten": "alt+x"}, "terminals deliver it late"),
        ({"flatten": "f11"}, "full screen"),
        ({"flatten": "enter"}, "it confirms"),
        ({"flatten": "escape"}, "it only dismisses"),
        ({"flatten": "1"}, "kept for working volumes"),
        ({"flatten": "g"}, "it begins two-key names"),
        ({"flatten": "g 1"}, "g 1: used by flatten and slot"),
        ({"slot": "k"}, "slot: cannot be changed; it is always g 1"),
    ],
)  # fmt: skip
def test_mistakes_are_named_with_their_remedy(overrides: dict[str, str | list[str]], words: str) -> None:
    with pytest.raises(ConfigError, match="1 mistake\n") as caught:
        Keymap(overrides)
    assert words in str(caught.value)


def test_all_mistakes_are_named_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        Keymap({"flaten": "k", "panic": "k", "cancel": "alt+x", "lock": "x"})
    assert str(caught.value).startswith("settings: 4 mistakes\n")


def test_the_readme_shows_the_keys_that_are() -> None:
    """`breakwall config keys` prints what stands between the marks."""
    readme = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    between = readme.partition("<!-- keys -->\n")[2].partition("\n<!-- end of keys -->")[0]
    assert between == markdown(Keymap())


KEYS = st.sampled_from(
    ["a", "x", "k", "f9", "F9", "f5", "ctrl+c", "ctrl+q", "ctrl+t", "Q", "1", "g k", "[", "esc", ""]
)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from([*BY_ID, "unknown"]), st.lists(KEYS, max_size=3), max_size=4))
def test_no_settings_take_panic_or_quit_away(overrides: dict[str, list[str]]) -> None:
    try:
        keymap = Keymap(overrides)
    except ConfigError:
        return
    assert keymap.act("f9") is BY_ID["panic"]
    assert keymap.act("ctrl+c") is BY_ID["quit"]
    for act in ACTS:
        assert all(keymap.act(key) is act for key in overrides.get(act.id, ()) if len(key) == 1 and key.isalnum())
