"""A run of the real core on real frames, recorded and decided again through the command's own frame reader."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from breakwall.cli.replay import BybitFrames
from breakwall.clock import SystemClock
from breakwall.engine.core import Core
from breakwall.model.events import Account, Event, Instruments, Recovered, SettingsChanged, Stamped, Tick
from breakwall.ports import Frame
from breakwall.replay.recheck import recheck
from breakwall.settings import Settings
from breakwall.storage.lines import Lines
from breakwall.storage.recording import AnyLine, Recording, Recv
from breakwall.venues.bybit.reports import instrument_of

DATA = Path(__file__).parents[2] / "../shared/data/bybit_v5"
RUN = 1_800_000_000


def instruments() -> Instruments:
    answer = msgspec.json.decode((DATA / "rest_instruments_info_linear_a.json").read_bytes())
    followed = [record for record in answer["result"]["list"] if record["symbol"] in {"BTCUSDT", "ETHUSDT"}]
    return Instruments(tuple(instrument_of(record) for record in followed))


def frames() -> Iterator[Frame]:
    decoder: msgspec.json.Decoder[AnyLine] = msgspec.json.Decoder(AnyLine)
    for line in Lines(DATA / "linear_BTCUSDT_ETHUSDT_20260809.jsonl.zst"):
        entry = decoder.decode(line)
        if isinstance(entry, Recv):
            yield Frame("public#1", int(entry.ts * 1e9), entry.data.encode())


@pytest.mark.skipif(not DATA.is_dir(), reason="the recordings are not beside the project")
@pytest.mark.asyncio
async def test_real_frames_are_decided_again_as_recorded(tmp_path: Path) -> None:
    settings = Settings().model_dump_json(by_alias=True)
    tape = Recording(tmp_path / "r", SystemClock(), run=RUN, settings=settings)
    await tape.open()
    core, codec, seq = Core(RUN), BybitFrames(), 0

    def decide(event: Event, frame: Frame | None, at_ms: int) -> None:
        nonlocal seq
        seq += 1
        tape.event(seq, at_ms, event, frame)
        actions = core.on_event(Stamped(seq, at_ms, event))
        if actions:
            tape.actions(seq, actions)

    rules = instruments()
    codec.set_instruments({instrument.symbol: instrument for instrument in rules.instruments})
    account = Account("1", Decimal("0.00055"), Decimal("0.0002"))
    for event in (SettingsChanged(settings, RUN), account, rules, Recovered(())):
        decide(event, None, 1)
    for number, frame in enumerate(frames()):
        at_ms = frame.at_ns // 1_000_000
        decide(codec.decode(frame.conn, frame.data), frame, at_ms)
        if number % 10 == 0:
            decide(Tick(), None, at_ms)
    await tape.close()
    verdict = recheck(tape.path, Core, BybitFrames())
    assert verdict.equal, verdict.difference
    assert verdict.events == seq > 1400
    assert verdict.actions > 0
    assert verdict.digest == tape.digest.text
    assert core.view(1, "SIM", "BTCUSDT", 0.0, 0.0).counters.book_messages > 800
