"""Foreign strings: whatever comes in, one harmless printable line goes out."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakwall.model.text import file_name, sanitise


@given(text=st.text(max_size=300), width=st.integers(1, 100))
@settings(max_examples=100, deadline=None)
def test_no_control_byte_survives_and_the_width_holds(text, width):
    clean = sanitise(text, width)
    assert len(clean) <= width
    assert not {unicodedata.category(char) for char in clean} & {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
    assert sanitise(clean, width) == clean


@pytest.mark.parametrize(
    ("foreign", "clean"),
    [
        ("a\x1b]52;c;aGk=\x07b", "a]52;c;aGk=b"),
        ("\x1b[2J\x9b31mred", "[2J31mred"),
        ("one\ntwo\tthree\r", "one two three "),
        ("right\u202eleft\u200b\ufeff", "rightleft"),
        ("[/red] stays", "[/red] stays"),
        (b"x", "b'x'"),
        (None, "None"),
    ],
)
def test_what_terminals_obey_is_gone(foreign, clean):
    assert sanitise(foreign) == clean


def test_a_long_text_says_that_it_was_cut():
    assert sanitise("abcdef", 4) == "abc…"
    assert sanitise("abcd", 4) == "abcd"


@given(text=st.text(max_size=200))
@settings(max_examples=60, deadline=None)
def test_a_file_name_is_always_a_name(text):
    name = file_name(text)
    assert 1 <= len(name) <= 80
    assert all(char.isascii() and (char.isalnum() or char in "-_") for char in name)
