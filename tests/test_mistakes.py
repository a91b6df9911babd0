"""What a person wrote wrongly is told as a person would tell it."""

from pathlib import Path

import pytest

from breakwall.mistakes import listed, nearest_name, text_of


def test_each_mistake_has_its_line() -> None:
    assert listed("a.toml", ["one"]) == "a.toml: 1 mistake\n  one"
    assert listed("a.toml", ["one", "two"]) == "a.toml: 2 mistakes\n  one\n  two"


@pytest.mark.parametrize(
    ("name", "words"),
    [("flaten", "did you mean 'flatten'?"), ("zzz", "known: flatten, cancel"), ("", "known: flatten, cancel")],
)
def test_the_nearest_name_or_all_there_is(name: str, words: str) -> None:
    assert nearest_name(name, ["flatten", "cancel"]) == words


def test_a_file_that_is_no_text_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="not a text file in UTF-8"):
        text_of(tmp_path / "bytes")
    with pytest.raises(ValueError, match="No such file"):
        text_of(tmp_path / "none")
