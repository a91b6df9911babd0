from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from breakwall.clock import SystemClock
from breakwall.model.actions import Note
from breakwall.model.events import Event, Ignored, Instruments, Stamped, Tick
from breakwall.model.units import Instrument
from breakwall.ports import Frame
from breakwall.replay.forms import RecordingError
from breakwall.replay.recheck import recheck
from breakwall.storage.lines import Lines, zstd
from breakwall.storage.recording import Recording


class Counting:
    """A core that answers every second event with what it has seen so far."""

    def __init__(self, run: int, wrong_at: int = 0) -> None:
        self.seen = run
        self.wrong_at = wrong_at

    def on_event(self, stamped: Stamped) -> Sequence[object]:
        self.seen += stamped.at_ms + (1 if stamped.seq == self.wrong_at else 0)
        if isinstance(stamped.event, Ignored):
            self.seen += len(stamped.event.what)
        return [Note("seen", str(self.seen))] if stamped.seq % 2 == 0 else []


class Words:
    """A venue whose frames are plain words."""

    def __init__(self) -> None:
        self.instruments: Mapping[str, Instrument] = {}

    def decode(self, conn: str, data: bytes) -> Event:
        return Ignored(f"{conn} {data.decode()} {len(self.instruments)}")

    def set_instruments(self, instruments: Mapping[str, Instrument]) -> None:
        self.instruments = instruments


async def record(path: Path, events: int = 50) -> Recording:
    tape = Recording(path, SystemClock(), run=7, settings="{}")
    await tape.open()
    core, words = Counting(7), Words()
    for seq in range(1, events + 1):
        frame = Frame("public", seq, b"word" * seq) if seq % 3 else None
        event: Event = Tick() if frame is None else words.decode(frame.conn, frame.data)
        if seq == 6:
            event = Instruments(())
        tape.event(seq, seq * 10, event, frame)
        actions = core.on_event(Stamped(seq, seq * 10, event))
        if actions:
            tape.actions(seq, actions)
    await tape.close()
    return tape


@pytest.mark.asyncio
async def test_the_same_core_decides_the_same(tmp_path: Path) -> None:
    tape = await record(tmp_path / "r")
    verdict = recheck(tape.path, Counting, Words())
    assert verdict.equal
    assert (verdict.events, verdict.actions, verdict.note) == (50, 25, "")
    assert verdict.digest == tape.digest.text


@pytest.mark.asyncio
async def test_the_first_difference_is_named(tmp_path: Path) -> None:
    tape = await record(tmp_path / "r")
    verdict = recheck(tape.path, lambda run: Counting(run, wrong_at=9), Words())
    assert not verdict.equal
    assert verdict.difference is not None
    difference = verdict.difference
    assert (difference.seq, difference.event, difference.number) == (10, "Ignored", 1)
    assert difference.recorded != difference.decided
    assert '"kind":"seen"' in difference.recorded


class Silent:
    def __init__(self, run: int) -> None:
        del run

    def on_event(self, stamped: Stamped) -> Sequence[object]:
        return []


@pytest.mark.asyncio
@pytest.mark.parametrize("recorded_silent", [False, True])
async def test_silence_differs_from_an_answer(tmp_path: Path, recorded_silent: bool) -> None:
    path = tmp_path / "r"
    await record(path)
    if recorded_silent:
        path.write_bytes(b"\n".join(line for line in Lines(path) if b'"t":"actions"' not in line))
    verdict = recheck(path, Counting if recorded_silent else Silent, Words())
    assert verdict.difference is not None
    assert (verdict.difference.recorded == "nothing") is recorded_silent
    assert (verdict.difference.decided == "nothing") is not recorded_silent


@pytest.mark.asyncio
async def test_a_killed_run_is_compared_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "r"
    await record(path, events=3000)
    path.write_bytes(path.read_bytes()[:-200])
    verdict = recheck(path, Counting, Words())
    assert verdict.equal
    assert 0 < verdict.events < 3000
    assert "ends early" in verdict.note


HEADER = b'{"t":"header","app":"breakwall 0","format":1}\n'


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "found none of its events: it is empty"),
        (b'{"t":"header","app":"breakwall 9","format":2}\n', "newer Breakwall"),
        (HEADER + b'{"t":"recv","conn":"c","ts":1.0,"data":"x"}\n', "2 lines but no events"),
        (b'{"t":"event","seq":1,"at_ms":1}\n', "line 1: not a recording of this Breakwall: no header"),
        (HEADER + b'{"t":"event","seq":1,"at_ms":1}\n', "neither a body nor a frame"),
        (HEADER + b'{"t":"event","seq":1,"at_ms":1,"event":{"type":"Surprise"}}\n', "line 2"),
        (b'{"t":"header","format":2,"exchange":"BYBIT"}\n', "another program wrote it"),
        (b"Dear diary\n", "line 1: not a recording"),
        (zstd.compress(b"x")[:3], "zstd|line 1"),
    ],
)
def test_what_cannot_be_checked_is_named(tmp_path: Path, content: bytes, text: str) -> None:
    path = tmp_path / "f"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=text):
        recheck(path, Counting, Words())


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"nowhere: cannot be read \(No such file"):
        recheck(tmp_path / "nowhere", Counting, Words())
