import gzip
import stat
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from breakwall.clock import SystemClock
from breakwall.model.actions import Note
from breakwall.model.events import Event, Ignored, LinkChanged, Tick
from breakwall.model.events import Link as VenueLink
from breakwall.ports import Frame
from breakwall.storage import packed as writing
from breakwall.storage.lines import Lines, zstd
from breakwall.storage.recording import AnyLine, EventLine, Header, Recording, Recv
from breakwall.storage.runs import StateError
from tests.patience import until

DECODER: msgspec.json.Decoder[AnyLine] = msgspec.json.Decoder(AnyLine)
FRAME = b'{"topic":"t","data":["\\u00e9 \\" 1"]}'


def new(path: Path, **more: object) -> Recording:
    return Recording(path, SystemClock(), run=7, settings='{"schema":1}', **more)  # type: ignore[arg-type] # test


def read(path: Path) -> tuple[list[AnyLine], str]:
    lines = Lines(path)
    return [DECODER.decode(line) for line in lines], lines.cut


@pytest.mark.asyncio
async def test_lines_come_back_in_core_order(tmp_path: Path) -> None:
    tape = new(tmp_path / "recordings" / "run.jsonl.zst")
    await tape.open()
    tape.http("rest", "http://x/v5/market/instruments-info", b'{"retCode":0}')
    tape.connect("public", "ws://x")
    tape.send("public", '{"op":"subscribe"}')
    tape.event(1, 100, Tick(0.5), None)
    tape.event(2, 101, Ignored(), Frame("public", 1_500_000_000_000_000_000, FRAME))
    tape.actions(2, [Note("kind", "text")])
    await tape.close()
    lines, cut = read(tape.path)
    assert not cut
    assert [type(line).__name__ for line in lines] == [
        *("Header", "Http", "Connect", "Send", "EventLine", "Recv", "EventLine", "ActionsLine")
    ]
    header, *_, tick, recv, mark, actions = lines
    assert isinstance(header, Header)
    assert (header.run, header.format, header.settings) == (7, 1, '{"schema":1}')
    assert isinstance(tick, EventLine)
    assert not tick.from_frame
    assert msgspec.json.decode(tick.event, type=Event) == Tick(0.5)
    assert recv == Recv("public", 1_500_000_000.0, FRAME.decode())
    assert isinstance(mark, EventLine)
    assert mark.from_frame
    assert (mark.seq, mark.at_ms) == (2, 101)
    assert msgspec.json.decode(msgspec.json.encode(actions))["actions"][0]["text"] == "text"
    assert stat.S_IMODE(tape.path.stat().st_mode) == 0o600


@pytest.mark.asyncio
async def test_equal_answers_have_equal_digests(tmp_path: Path) -> None:
    texts = []
    for name, answers in (("a", ["x", "y"]), ("b", ["x", "y"]), ("c", ["y", "x"])):
        tape = new(tmp_path / name)
        for seq, answer in enumerate(answers):
            tape.actions(seq, [Note("kind", answer)])
        texts.append(tape.digest.text)
    assert texts[0] == texts[1] != texts[2]


def test_a_killed_recording_is_readable_up_to_its_last_flush(tmp_path: Path) -> None:
    code = f"""
import asyncio, os, signal, sys
from pathlib import Path
from breakwall.clock import SystemClock
from breakwall.model.events import Tick
from breakwall.storage.recording import Recording

async def main():
    tape = Recording(Path({str(tmp_path / "r")!r}), SystemClock(), run=1, settings="")
    await tape.open()
    for seq in range(1000):
        tape.event(seq, seq, Tick(), None)
    while not tape.path.stat().st_size:
        await asyncio.sleep(0.01)
    tape.event(1000, 1000, Tick(), None)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    lines, cut = read(tmp_path / "r")
    assert len(lines) == 1001
    assert "ends early" in cut


@pytest.mark.asyncio
async def test_a_low_disk_ends_the_recording_and_nothing_else(tmp_path: Path) -> None:
    reasons: list[str] = []
    tape = new(tmp_path / "r", on_stop=reasons.append, disk_floor_bytes=1 << 62)
    await tape.open()
    tape.event(1, 1, Tick(), None)
    await until(lambda: reasons)
    tape.event(2, 2, Tick(), None)
    await tape.close()
    assert len(reasons) == 1
    assert "r: only" in reasons[0]
    assert "floor" in reasons[0]


@pytest.mark.asyncio
async def test_a_disk_that_cannot_follow_ends_the_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "BACKLOG_BYTES", 1000)
    reasons: list[str] = []
    tape = new(tmp_path / "r", on_stop=reasons.append)
    await tape.open()
    for seq in range(100):
        tape.event(seq, seq, LinkChanged(VenueLink.PUBLIC, up=True), None)
    await until(lambda: reasons)
    await tape.close()
    assert ["too slow" in reason for reason in reasons] == [True]


@pytest.mark.asyncio
async def test_a_recording_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "r").write_text("somebody's")
    with pytest.raises(StateError, match=r"r: the recording cannot be made \(File exists\).*--state"):
        await new(tmp_path / "r").open()
    assert (tmp_path / "r").read_text() == "somebody's"


TEXT = b"".join(b'{"n":%d}\n' % number for number in range(5000))


@pytest.mark.parametrize("pack", [zstd.compress, gzip.compress, bytes])
def test_lines_of_any_packing(tmp_path: Path, pack: object) -> None:
    path = tmp_path / "any name"
    path.write_bytes(pack(TEXT[:30_000]) + pack(TEXT[30_000:]))  # type: ignore[operator] # three packers
    lines = Lines(path)
    assert b"\n".join(lines) + b"\n" == TEXT
    assert (lines.cut, lines.count) == ("", 5000)


@pytest.mark.parametrize(("pack", "name"), [(zstd.compress, "zstd"), (gzip.compress, "gzip")])
@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_damage_is_told_and_what_is_whole_is_read(tmp_path: Path, pack: object, name: str, damage: str) -> None:
    packed = bytearray(pack(TEXT))  # type: ignore[operator] # two packers
    if damage == "cut":
        del packed[-len(packed) // 3 :]
    else:
        packed[len(packed) // 2 :] = b"\xff" * (len(packed) // 2)
    path = tmp_path / "f"
    path.write_bytes(packed)
    lines = Lines(path)
    whole = list(lines)
    assert TEXT.startswith(b"\n".join(whole[:1000]))
    assert f"the {name} data" in lines.cut
