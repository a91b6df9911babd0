"""What is typed, down to the last byte."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual.events import Key, Paste
from textual.message import Message

from breakwall.app.terminal.reader import Reader

UNREADABLE = "replacement_character"


def keys(reader: Reader, *chunks: bytes | None) -> list[str]:
    return [message.key for chunk in chunks for message in reader.read(chunk) if isinstance(message, Key)]


SILENCE = (None,) * 10


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ((b"ab",), ["a", "b"]),
        ((b"\x1b[20~",), ["f9"]),
        (("ч".encode()[:1], "ч".encode()[1:]), ["ч"]),
        ((b"\xff\xfea",), [UNREADABLE, UNREADABLE, "a"]),
        ((b"\x1b[<1;99999999999999999999;1M", b"a"), ["a"]),
        ((b"\x1b[200~paste without an end", *SILENCE, b"\x1b[20~"), ["f9"]),
    ],
)
def test_bytes_become_keys(chunks: tuple[bytes | None, ...], expected: list[str]) -> None:
    assert keys(Reader(), *chunks) == expected


PASTES = st.text(st.sampled_from("\x1b[201~a\r9"), max_size=40).filter(lambda text: "\x1b[201~" not in text)


@given(PASTES, st.integers(1, 50))
@settings(deadline=None)
def test_nothing_in_a_paste_is_a_key_however_it_is_cut(text: str, size: int) -> None:
    reader = Reader()
    data = f"\x1b[200~{text}\x1b[201~b".encode()
    messages = [message for place in range(0, len(data), size) for message in reader.read(data[place : place + size])]
    pasted = [message.text for message in messages if isinstance(message, Paste)]
    assert "".join(pasted) == text.replace("\x1b", "")
    assert [message.key for message in messages if isinstance(message, Key)] == ["b"]


def test_a_parser_that_fails_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Reader()

    def fail(text: str) -> Iterator[Message]:
        raise ZeroDivisionError(text)

    monkeypatch.setattr(reader._parser, "feed", fail)
    assert keys(reader, b"a", b"b") == ["b"]


@given(st.lists(st.binary(max_size=40), max_size=20))
@settings(deadline=None)
def test_no_bytes_break_or_silence_it(chunks: list[bytes]) -> None:
    reader = Reader()
    keys(reader, *chunks)
    assert keys(reader, *SILENCE, b"\x1b[20~")[-1] == "f9"
