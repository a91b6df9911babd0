"""The sign of life: what was written is read again, and nothing else passes for one."""

import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakwall.heartbeat import Beat, GarbledError, Held, encode, read
from breakwall.places import write_whole

words = st.text(max_size=20)
counts = st.integers(0, 2**53)
maybe = st.none() | counts
beats = st.builds(
    Beat,
    pid=st.integers(1, 2**22),
    number=counts,
    at_ms=counts,
    mode=words,
    state=words,
    why=words,
    armed=st.booleans(),
    blind=st.booleans(),
    loop_delay_ms=st.floats(0, 1e6),
    read_back_ms=maybe,
    orders=counts,
    positions=st.lists(st.builds(Held, words, words, words, st.none() | words, maybe, maybe), max_size=3).map(tuple),
    ended=st.booleans(),
)
BEAT = Beat(
    1, 2, 3, "SIM", "ACTIVE", "", True, False, 0.5, 10, 0, (Held("BTCUSDT", "LONG", "1", "9", None, 4),), False
)


@settings(max_examples=50, deadline=None)
@given(beat=beats)
def test_it_is_read_as_it_was_written(tmp_path_factory: pytest.TempPathFactory, beat: Beat) -> None:
    path = tmp_path_factory.getbasetemp() / "heartbeat.json"
    write_whole(path, encode(beat))
    assert read(path) == beat


def test_no_file_is_no_beat(tmp_path: Path) -> None:
    assert read(tmp_path / "heartbeat.json") is None


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=60), cut=st.integers(0, 200))
def test_what_is_garbled_is_called_so(tmp_path_factory: pytest.TempPathFactory, data: bytes, cut: int) -> None:
    path = tmp_path_factory.getbasetemp() / "garbled.json"
    for content in (data, encode(BEAT)[:cut]):
        path.write_bytes(content)
        with pytest.raises(GarbledError):
            read(path)


@pytest.mark.parametrize(
    ("name", "value"),
    [("pid", 0), ("pid", "x"), ("positions", [1]), ("positions", None), ("read_back_ms", "x"), ("number", None)],
)
def test_a_field_of_another_kind_is_garbled(tmp_path: Path, name: str, value: object) -> None:
    path = tmp_path / "heartbeat.json"
    path.write_text(json.dumps(json.loads(encode(BEAT)) | {name: value}))
    with pytest.raises(GarbledError):
        read(path)


def test_a_link_is_neither_read_nor_written_through(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(encode(BEAT))
    link = tmp_path / "heartbeat.json"
    link.symlink_to(tmp_path / "target")
    with pytest.raises(GarbledError):
        read(link)
    write_whole(link, encode(BEAT._replace(number=9)))
    assert not link.is_symlink()
    assert read(tmp_path / "target") == BEAT


def test_it_is_ours_alone_and_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "heartbeat.json"
    write_whole(path, b"whole")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.unlink()
    path.mkdir()
    with pytest.raises(OSError, match="directory"):
        write_whole(path, b"whole")
    assert os.listdir(tmp_path) == ["heartbeat.json"]  # noqa: PTH208 - hidden files too
