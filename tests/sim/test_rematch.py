import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from breakwall.clock import SystemClock
from breakwall.headless import Receipt
from breakwall.model.actions import Note
from breakwall.model.events import Command, CommandKind
from breakwall.replay.contents import contents
from breakwall.settings import Settings
from breakwall.sim.playback import SPEEDS, Playback
from breakwall.sim.rematch import Rematch
from breakwall.sim.session import SETTINGS
from breakwall.storage.lines import Lines
from breakwall.venues.exchange.instruments import INSTRUMENTS
from tests.replay import market

COUNT = 3
REAL = Path(__file__).parents[2] / "../shared/data/bybit_v5/linear_BTCUSDT_ETHUSDT_20260809.jsonl.zst"


@contextmanager
def world(path: Path, settings: Settings = SETTINGS) -> Iterator[Rematch]:
    found = Rematch(contents([path]), settings, 1, lambda _note, _at_ms: None)
    try:
        yield found
    finally:
        found.close()


def played(path: Path) -> Receipt:
    with world(path) as rematch:
        while not rematch.over:
            rematch.advance(rematch.at_s + 1.0)
        assert rematch.broken is None
        assert rematch.leave(flatten=True, why="test")
        return rematch.receipt("test", 0.0, 0)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return market.written(market.recorded(), tmp_path_factory.mktemp("recording") / "r.jsonl")


def test_a_whole_recording_is_heard_message_by_message(path: Path) -> None:
    receipt = played(path)
    assert receipt.mode == "REPLAY"
    assert receipt.symbols == (market.SYMBOL,)
    assert receipt.book_messages == len(market.deltas(market.recorded())) + 1
    assert (receipt.gaps, receipt.resyncs) == (0, 0)
    assert receipt.recording == str(path)


@pytest.mark.parametrize(
    ("fault", "gaps", "resyncs"),
    [("gap", 3, 3), ("repeat", 0, 0), ("swap", 3, 3), ("reset", 0, 3), ("reset alone", 3, 3)],
)
def test_each_fault_costs_one_resync_and_nothing_trades_on_a_stale_book(
    tmp_path: Path, fault: str, gaps: int, resyncs: int
) -> None:
    """A repeat is dropped, as the contract says: it costs none."""
    receipt = played(market.written(market.with_faults(fault, COUNT), tmp_path / "r.jsonl"))
    assert (receipt.gaps, receipt.resyncs) == (gaps, resyncs)
    assert receipt.walls_pulled <= played(market.written(market.recorded(), tmp_path / "w.jsonl")).walls_pulled


@pytest.mark.skipif(not REAL.is_file(), reason="the recordings are not beside the project")
@pytest.mark.parametrize(("fault", "resyncs"), [("gap", 4), ("repeat", 0), ("swap", 4), ("reset", 4)])
def test_the_same_holds_for_a_real_recording(tmp_path: Path, fault: str, resyncs: int) -> None:
    lines = [json.loads(line) for line in Lines(REAL)]
    for symbol in ("BTCUSDT", "ETHUSDT"):
        lines = market.with_faults(fault, 2, lines, f"orderbook.200.{symbol}")
    receipt = played(market.written(lines, tmp_path / "r.jsonl"))
    assert receipt.resyncs == resyncs
    assert receipt.book_messages == 835 + {"gap": -4, "repeat": 4}.get(fault, 0)
    assert receipt.walls_pulled == 0


def test_a_recording_that_breaks_off_is_played_to_there(tmp_path: Path) -> None:
    cut = market.written(market.recorded(), tmp_path / "r.jsonl", share=0.5)
    found = contents([cut])
    receipt = played(cut)
    assert 0 < receipt.book_messages < len(market.deltas(market.recorded()))
    assert (receipt.gaps, receipt.resyncs) == (0, 0)
    assert found.seconds < market.SECONDS


def test_no_order_leaves_while_the_book_is_lost(tmp_path: Path) -> None:
    """Every intent of the run was decided on a living book."""
    notes: list[tuple[int, Note]] = []
    lines = market.with_faults("gap", 8)
    rematch = Rematch(
        contents([market.written(lines, tmp_path / "r.jsonl")]),
        SETTINGS,
        1,
        lambda note, at_ms: notes.append((at_ms, note)),
    )
    try:
        while not rematch.over:
            rematch.advance(rematch.at_s + 1.0)
    finally:
        rematch.close()
    lost, living = False, []
    for _, note in notes:
        if "resync" in note.text:
            lost = True
        elif "is back" in note.text or "first book" in note.text:
            lost = False
        elif note.kind == "entry":
            living.append(not lost)
    assert living
    assert all(living)
    assert any("resync" in note.text for _, note in notes)


def test_the_book_of_the_program_is_that_of_the_recording(tmp_path: Path) -> None:
    """After a swap all levels are as they truly were: what came late is not lost."""
    lines = market.with_faults("swap", COUNT)
    with world(market.written(lines, tmp_path / "r.jsonl")) as rematch:
        while not rematch.over:
            rematch.advance(rematch.at_s + 1.0)
        seen = rematch.market(market.SYMBOL)
    assert seen is not None
    rules = INSTRUMENTS[market.SYMBOL]
    for levels, side in zip(
        (seen.bids, seen.asks), market.book_before(market.recorded(), len(market.recorded())), strict=True
    ):
        true = {rules.ticks(price): rules.lots(size) for price, size in side.items()}
        assert levels
        assert dict(levels).items() <= true.items()


def playback(path: Path, speed: float, until_s: float | None = None) -> Playback:
    found = Playback(contents([path]), SETTINGS, 1, lambda _note, _at_ms: None, SystemClock(), speed, until_s)
    found.begin()
    return found


def to_the_end(reel: Playback, elapsed_s: float) -> str:
    for _ in range(100_000):
        if reel.ended:
            break
        reel.tick(elapsed_s, 60.0)
    assert reel.ended
    assert reel.world.leave(flatten=True, why="test")
    digest = reel.world.recorder.digest.text
    reel.close()
    return digest


@pytest.mark.parametrize(("speed", "elapsed_s"), [(1.0, 0.37), (100.0, 0.025)])
def test_any_speed_is_the_same_run(path: Path, speed: float, elapsed_s: float) -> None:
    assert to_the_end(playback(path, speed), elapsed_s) == to_the_end(playback(path, math.inf), 0.01)


def test_back_and_forth_is_the_same_run(path: Path) -> None:
    reel = playback(path, 1.0)
    reel.tick(6.0, 60.0)
    assert reel.playing.at_s == pytest.approx(6.0, abs=0.1)
    reel.seek(-4.0)
    assert reel.playing.seeking
    assert reel.playing.worlds == 1
    reel.tick(0.0, 60.0)
    assert reel.playing.at_s == pytest.approx(2.0, abs=0.1)
    reel.pause()
    reel.tick(5.0, 60.0)
    assert reel.playing.paused
    assert reel.playing.at_s == pytest.approx(2.0, abs=0.1)
    reel.step()
    reel.tick(0.0, 60.0)
    assert 2.0 < reel.playing.at_s < 3.0
    reel.pause()
    reel.seek(100.0)
    assert to_the_end(reel, 0.5) == to_the_end(playback(path, math.inf), 0.01)


def test_speeds_have_an_end_on_both_sides(path: Path) -> None:
    reel = playback(path, 30.0)
    reel.pace(1)
    assert reel.playing.speed == 50.0
    reel.pace(len(SPEEDS))
    assert math.isinf(reel.playing.speed)
    reel.pace(-len(SPEEDS))
    assert reel.playing.speed == SPEEDS[0]
    reel.close()


def test_a_person_can_trade_in_it(path: Path) -> None:
    with world(path) as rematch:
        rematch.advance(1.0)
        rematch.submit(Command(CommandKind.DISARM, who="test"))
        rematch.advance(2.0)
        assert not rematch.view().armed


def test_the_end_can_be_set(path: Path) -> None:
    reel = playback(path, math.inf, 3.0)
    while not reel.ended:
        reel.tick(0.1, 60.0)
    assert reel.playing.at_s == pytest.approx(3.0)
    assert reel.playing.length_s == pytest.approx(3.0)
    reel.close()


def test_frames_are_as_they_were_recorded(path: Path) -> None:
    """Where nothing is missing nothing is rewritten."""
    frames = [line["data"] for line in market.recorded() if line["t"] == "recv" and '"topic"' in line["data"][:10]]
    with world(path) as rematch:
        heard: list[str] = []
        session = rematch.player.session(lambda data: heard.append(data.decode()))
        session.on_text(
            json.dumps({"op": "subscribe", "args": [market.BOOK, f"publicTrade.{market.SYMBOL}"]}), market.START_MS
        )
        while not rematch.over:
            rematch.advance(rematch.at_s + 1.0)
    wanted = [frame for frame in frames if '"tickers' not in frame[:20]]
    assert heard[1:] == wanted
