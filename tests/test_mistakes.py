"""What a person wrote wrongly is told as a person would tell it."""

import pytest

from breakwall.mistakes import listed, nearest_name


def test_each_mistake_has_its_line() -> None:
    assert listed("a.toml", ["one"]) == "a.toml: 1 mistake\n  one"
    assert listed("a.toml", ["one", "two"]) == "a.toml: 2 mistakes\n  one\n  two"


@pytest.mark.parametrize(
    ("name", "words"),
    [("flaten", "did you mean 'flatten'?"), ("zzz", "known: flatten, cancel"), ("", "known: flatten, cancel")],
)
def test_the_nearest_name_or_all_there_is(name: str, words: str) -> None:
    assert nearest_name(name, ["flatten", "cancel"]) == words
