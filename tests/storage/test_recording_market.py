import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from breakwall.model.events import BookDelta, BookLost, BookSnapshot, Event, Ignored, Link, LinkChanged, Trade, Trades
from breakwall.ports import Frame
from breakwall.settings import RecordSettings
from breakwall.storage.lines import Lines
from breakwall.storage.recording_market import MOVING_S, MarketRecorder, TappedSockets
from breakwall.storage.runs import StateError
from tests.patience import until

A, B = "AUSDT", "BUSDT"
DAY_NS = 86_400 * 10**9
BEGIN_NS = 1_800_000_000 * 10**9


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.ns = BEGIN_NS

    def now_ns(self) -> int:
        return self.ns

    def now_ms(self) -> int:
        return self.ns // 1_000_000

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError


class Desk:
    """A recorder, and what it asked for and said."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.clock = Clock()
        self.said: list[str] = []
        self.renewed: list[str] = []
        self.recorder = MarketRecorder(
            folder, "bybit-test", self.clock, RecordSettings(**settings), lambda _level, text: self.said.append(text)
        )
        self.recorder.renew = self.renewed.append

    async def part(self) -> None:
        await self.recorder.begin_part((A, B), [("http://x/v5/market/instruments-info", b'{"retCode":0}')])

    def put(self, text: str, event: Event) -> None:
        self.recorder.put(event, Frame("public1#1", self.clock.now_ns(), json.dumps(text).encode()))

    def frames(self) -> list[list[str]]:
        """What each part holds."""
        return [
            [json.loads(line["data"]) for line in map(json.loads, Lines(path)) if line["t"] == "recv"]
            for path in self.recorder.paths
        ]


def snapshot(symbol: str, u: int) -> BookSnapshot:
    return BookSnapshot(symbol, [(1, 1)], [(2, 1)], u, u, u, 200)


def delta(symbol: str, u: int) -> BookDelta:
    return BookDelta(symbol, [(1, u)], [], u, u, u, 200)


@pytest.mark.asyncio
async def test_a_new_part_takes_each_symbol_over_with_its_snapshot(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    await desk.part()
    desk.put("A snapshot", snapshot(A, 1))
    desk.put("B snapshot", snapshot(B, 1))
    await desk.part()
    assert sorted(desk.renewed) == [A, B]
    desk.put("A 2", delta(A, 2))
    desk.put("A again", snapshot(A, 9))
    desk.put("A 10", delta(A, 10))
    desk.put("B 2", delta(B, 2))
    desk.put("pong", Ignored("pong"))
    desk.put("B again", snapshot(B, 5))
    await desk.recorder.end_part_before(patient=True)
    desk.put("B 6", delta(B, 6))
    await desk.recorder.close()
    assert desk.frames() == [
        ["A snapshot", "B snapshot", "A 2", "B 2"],
        ["A again", "A 10", "pong", "B again", "B 6"],
    ]
    assert desk.recorder.sums.gaps == 0
    assert desk.recorder.all_bytes == sum(path.stat().st_size for path in desk.recorder.paths)


@pytest.mark.asyncio
async def test_a_part_waits_only_so_long_for_a_snapshot(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    await desk.part()
    await desk.part()
    desk.put("A 2", delta(A, 2))
    await desk.recorder.end_part_before(patient=True)
    desk.put("A 3", delta(A, 3))
    desk.clock.ns += int(MOVING_S * 1e9)
    await desk.recorder.end_part_before(patient=True)
    desk.put("A 4", delta(A, 4))
    await desk.recorder.close()
    assert desk.frames() == [["A 2", "A 3"], ["A 4"]]


@pytest.mark.asyncio
async def test_parts_begin_alike_and_never_share_a_name(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    await desk.part()
    desk.recorder.connected("public#1", "ws://x")
    desk.recorder.sent("public#1", '{"op":"subscribe"}')
    await desk.part()
    await desk.recorder.close()
    heads = [[json.loads(line)["t"] for line in Lines(path)] for path in desk.recorder.paths]
    assert heads == [["header", "http", "connect", "send"], ["header", "http", "connect"]]
    again = Desk(tmp_path)  # another process in the same second
    await again.part()
    await again.recorder.close()
    names = [path.name for path in (*desk.recorder.paths, *again.recorder.paths)]
    assert names == [f"bybit-test-20270115T080000Z{more}.jsonl.zst" for more in ("", "-2", "-3")]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("settings", "move", "wanted"),
    [
        ({}, lambda _desk: None, False),
        ({}, lambda desk: setattr(desk.clock, "ns", BEGIN_NS + DAY_NS), True),
        ({"new_day": False}, lambda desk: setattr(desk.clock, "ns", BEGIN_NS + DAY_NS), False),
    ],
)
async def test_a_day_begins_a_part(
    tmp_path: Path, settings: dict[str, Any], move: Callable[[Desk], None], wanted: bool
) -> None:
    desk = Desk(tmp_path, **settings)
    await desk.part()
    move(desk)
    assert desk.recorder.wants_part is wanted
    await desk.recorder.close()


@pytest.mark.asyncio
async def test_a_part_that_has_grown_is_followed_by_another(tmp_path: Path) -> None:
    desk = Desk(tmp_path, part_mb=1)
    await desk.part()
    desk.put(random.Random(0).randbytes(1_200_000).hex(), Ignored())
    await until(lambda: desk.recorder.wants_part)
    await desk.recorder.close()


@pytest.mark.asyncio
async def test_holes_are_told_and_asked_for_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    await desk.part()
    for event in (snapshot(A, 1), delta(A, 2), delta(A, 5), delta(A, 6), delta(A, 9), snapshot(A, 20), delta(A, 21)):
        desk.put("frame", event)
    desk.put("frame", Trades(A, (Trade(1, 1, True, 1, 1),)))
    desk.recorder.put(BookLost(B, "orderbook.200.BUSDT silent for 4 s"))
    desk.recorder.put(LinkChanged(Link.PUBLIC, False, "closed"))
    await desk.recorder.close()
    sums = desk.recorder.sums
    assert (sums.frames, sums.book_messages, sums.trades, sums.gaps, sums.lost) == (8, 7, 1, 1, 1)
    assert desk.renewed == [A]
    assert desk.said[0] == "AUSDT: updates 3 to 4 of its book are missing; asked for again"
    assert "silent" in desk.said[1]
    assert desk.said[2] == "link down: closed"


@pytest.mark.asyncio
async def test_a_full_disk_stops_it_and_keeps_what_is_there(tmp_path: Path) -> None:
    desk = Desk(tmp_path, disk_floor_mb=1_000_000)
    desk.recorder._settings = RecordSettings.model_construct(disk_floor_mb=1 << 40, part_mb=1, new_day=True)
    await desk.part()
    desk.put("frame", snapshot(A, 1))
    await until(lambda: desk.recorder.stopped)
    assert "free on the disk" in desk.recorder.stopped
    assert not desk.recorder.wants_part
    await desk.recorder.close()
    assert desk.recorder.paths[0].exists()


@pytest.mark.asyncio
async def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match=r"file: a recording cannot be made here .* with --out"):
        await Desk(tmp_path / "file").part()


@pytest.mark.asyncio
async def test_what_is_asked_on_a_socket_is_written_down(tmp_path: Path) -> None:
    class Line:
        def __init__(self) -> None:
            self.heard: list[str] = []

        async def send(self, text: str) -> None:
            self.heard.append(text)

        async def receive(self) -> bytes:
            return b"{}"

        async def close(self) -> None:
            """Nothing to do."""

    class Wire:
        line = Line()

        async def request(self, _request: object) -> object:
            raise NotImplementedError

        async def connect(self, _url: str) -> Line:
            return self.line

        async def close(self) -> None:
            """Nothing to do."""

    desk, wire = Desk(tmp_path), Wire()
    await desk.part()
    taps = TappedSockets(wire)  # type: ignore[arg-type] # a wire that only connects
    taps.recorder = desk.recorder
    socket = await taps.connect("ws://x")
    await socket.send('{"op":"subscribe"}')
    assert await socket.receive() == b"{}"
    await desk.recorder.close()
    assert wire.line.heard == ['{"op":"subscribe"}']
    kinds = [
        (line["t"], line.get("addr", ""), line.get("data", ""))
        for line in map(json.loads, Lines(desk.recorder.paths[0]))
    ]
    assert kinds[2:] == [("connect", "ws://x", ""), ("send", "", '{"op":"subscribe"}')]
