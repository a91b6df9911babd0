"""One reader of the crowded market: the engine as a live run without a screen has it, or a peer.

    python benchmarks/crowd_reader.py engine|engine+recording|aiohttp+json|pybit < place.json

The engine is the whole of it: adapter, core, journal, ledger, log lines kept for the screen, the heartbeat, status
lines each ten seconds; recordings are off in live runs, and on only where asked for. Peers read the same frames
from as few sockets: aiohttp and `json.loads`, nothing else; the same with pybit's own book behind it.
Takes the place of the market, `warm_s` and `seconds` from stdin; prints one JSON line of figures.
"""

import asyncio
import gc
import json
import resource
import sys
import tempfile
import time
from array import array
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np

from breakwall.cli.pulse import Pulse
from breakwall.clock import SystemClock
from breakwall.engine.delays import Delays
from breakwall.engine.loop import Engine
from breakwall.headless import status_lines
from breakwall.model.actions import Note
from breakwall.model.events import BookDelta, Event
from breakwall.modes import Access, bybit_engine
from breakwall.ports import Frame
from breakwall.settings import Settings
from breakwall.storage.journal import SqliteJournal
from breakwall.storage.ledger.writer import ThreadLedger
from breakwall.storage.recording import Recording
from breakwall.venues.bybit.endpoints import Urls
from breakwall.venues.transport import AiohttpTransport

Place = dict[str, Any]
WALL_FLOOR_USDT = 20_000  # low enough that the recorded books of 200 levels hold walls
TOPICS_OF_A_REQUEST = 10
STATUS_EVERY_S = 10.0
ONE_IN = 4  # so many messages are asked for their age: to ask all would be a fiftieth of the work


class Stethoscope:
    """`ports.Recorder` that notes when each message was sent, in front of a recording where there is one."""

    def __init__(self, recording: Recording | None) -> None:
        self._recording = recording
        self.sent_us = 0

    def event(self, seq: int, at_ms: int, event: Event, frame: Frame | None) -> None:
        if seq % ONE_IN == 0 and isinstance(event, BookDelta):
            self.sent_us = event.seq
        if self._recording is not None:
            self._recording.event(seq, at_ms, event, frame)

    def actions(self, seq: int, actions: Iterable[object]) -> None:
        if self._recording is not None:
            self._recording.actions(seq, actions)

    async def close(self) -> None:
        if self._recording is not None:
            await self._recording.close()


class Series(Delays):
    """The engine's delays of a window, and how long ago some messages were sent when they had been processed."""

    def __init__(self, scope: Stethoscope | None = None) -> None:
        super().__init__()
        self._scope = scope
        self.ages_ms, self.delays_ms = array("d"), array("d")
        self.count = 0

    def add(self, delay_ms: float) -> None:
        super().add(delay_ms)
        self.count += 1
        if self._scope is None:
            self.delays_ms.append(delay_ms)
        elif self._scope.sent_us:
            self.delays_ms.append(delay_ms)
            self.ages_ms.append(time.monotonic_ns() / 1e6 - self._scope.sent_us / 1e3)
            self._scope.sent_us = 0

    def clear(self) -> None:
        del self.ages_ms[:], self.delays_ms[:]
        self.count = 0


async def read_with_engine(place: Place, folder: Path, *, record: bool) -> dict[str, float]:
    low = {"walls": {"floor_usdt_default": WALL_FLOOR_USDT, "relative_k": 2.5}, "venue": {"depth": 200}}
    settings = Settings.model_validate(low | {"symbols": tuple(place["symbols"])})
    clock, transport = SystemClock(), AiohttpTransport()
    journal = SqliteJournal(folder / "journal.db", {"venue": "bybit", "environment": "benchmark"})
    remembered = await journal.open()
    recording = None
    if record:
        recording = Recording(
            folder / "run.jsonl.zst", clock, run=1, settings=settings.model_dump_json(by_alias=True)
        )
        await recording.open()
    scope = Stethoscope(recording)
    names = {"rest": "http"}
    engine = bybit_engine(
        settings=settings,
        access=Access(
            "BENCHMARK",
            Urls(*(place[names.get(n, n)] for n in Urls.__struct_fields__)),
            place["api_key"],
            place["api_secret"],
        ),
        run=1,
        remembered=remembered,
        clock=clock,
        transport=transport,
        journal=journal,
        recorder=scope,
        say=_hear,
        ledger=ThreadLedger(folder / "ledger.db", folder / "journal.db", clock, settings.ledger, _hear),
    )
    engine.event_delays, engine.loop_delays = Series(scope), Series()
    began = time.monotonic()
    await engine.start()
    gc.freeze()  # all this as a session does
    gc.set_threshold(10_000, 10, 100)
    sys.setswitchinterval(0.0005)
    running = asyncio.create_task(engine.run())
    telling = asyncio.create_task(_tell(engine))
    beating = asyncio.create_task(Pulse(engine, folder, ()).run())
    try:
        prepared_s = time.monotonic() - began
        await _all_live(engine)
        live_s = time.monotonic() - began - prepared_s
        start_stall_ms = engine.loop_delays.max_ms
        await asyncio.sleep(place["warm_s"])
        figures = await _window(engine, place["seconds"])
    finally:
        for task in (running, telling, beating):
            task.cancel()
        await asyncio.gather(running, telling, beating, return_exceptions=True)
        await engine.close()
        await transport.close()
    return {"prepared_s": prepared_s, "live_s": live_s, "start_stall_ms": start_stall_ms, **figures}


def _hear(note: Note, at_ms: int) -> None:
    del at_ms
    if note.level in {"warning", "error"}:
        sys.stderr.write(f"{note.level}: {note.text}\n")


async def _tell(engine: Engine) -> None:
    while True:
        await asyncio.sleep(STATUS_EVERY_S)
        status_lines(engine.view())


async def _all_live(engine: Engine) -> None:
    names = engine.settings.symbols
    async with asyncio.timeout(120):
        while sum(symbol.status == "LIVE" for symbol in engine.view(names[0]).symbols) < len(names):
            await engine.clock.sleep(0.1)


async def _window(engine: Engine, seconds: float) -> dict[str, float]:
    """What a span of the run used and did."""
    events, loop = engine.event_delays, engine.loop_delays
    assert isinstance(events, Series)
    assert isinstance(loop, Series)
    events.clear()
    loop.clear()
    before, used, began = engine.view(), time.process_time(), time.monotonic()
    await asyncio.sleep(seconds)
    used, lasted, after = time.process_time() - used, time.monotonic() - began, engine.view()
    ages, delays, loops = (np.array(series) for series in (events.ages_ms, events.delays_ms, loop.delays_ms))
    return {
        "cpu_percent": 100 * used / lasted,
        "seconds": lasted,
        "events_s": events.count / lasted,
        "books_s": (after.counters.book_messages - before.counters.book_messages) / lasted,
        "trades_s": (after.counters.trades_seen - before.counters.trades_seen) / lasted,
        "gaps": after.counters.gaps,
        "resyncs": after.counters.resyncs,
        "live": sum(symbol.status == "LIVE" for symbol in after.symbols),
        "walls": sum(len(symbol.walls) for symbol in after.symbols),
        "walls_seen": after.counters.walls_seen,
        "event_p99_ms": float(np.percentile(delays, 99)),
        "event_max_ms": float(delays.max()),
        "age_p50_ms": float(np.percentile(ages, 50)),
        "age_p99_ms": float(np.percentile(ages, 99)),
        "age_max_ms": float(ages.max()),
        "loop_p99_ms": float(np.percentile(loops, 99)),
        "loop_max_ms": float(loops.max()),
        "view_all_ms": _cost_ms(engine.view),
        "view_one_ms": _cost_ms(lambda: engine.view(engine.settings.symbols[0])),
        "rss_mb": rss_mb(),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _cost_ms(work: Callable[[], object]) -> float:
    began = time.thread_time()
    for _ in range(5):
        work()
    return (time.thread_time() - began) * 1e3 / 5


def rss_mb() -> float:
    return int(Path("/proc/self/status").read_text().partition("VmRSS:")[2].split()[0]) / 1024


async def read_as_peer(place: Place, hear: Callable[[bytes], object]) -> dict[str, float]:
    """The same topics over as many sockets, each frame handed to `hear` as it comes."""
    topics = [
        f"{kind}.{symbol}" for symbol in place["symbols"] for kind in ("orderbook.200", "publicTrade", "tickers")
    ]
    heard = 0

    async def follow(session: aiohttp.ClientSession, mine: list[str]) -> None:
        nonlocal heard
        async with session.ws_connect(place["public"], decode_text=False, max_msg_size=0) as socket:
            for n in range(0, len(mine), TOPICS_OF_A_REQUEST):
                await socket.send_json({"op": "subscribe", "args": mine[n : n + TOPICS_OF_A_REQUEST]})
            async for message in socket:
                hear(message.data)
                heard += 1

    async with aiohttp.ClientSession() as session:
        per_socket = Settings().venue.topics_per_socket
        shards = [topics[n : n + per_socket] for n in range(0, len(topics), per_socket)]
        following = [asyncio.create_task(follow(session, shard)) for shard in shards]
        await asyncio.sleep(place["warm_s"])
        before, used, began = heard, time.process_time(), time.monotonic()
        await asyncio.sleep(place["seconds"])
        used, lasted = time.process_time() - used, time.monotonic() - began
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)
    return {"cpu_percent": 100 * used / lasted, "events_s": (heard - before) / lasted, "rss_mb": rss_mb()}


def main() -> None:
    what, place = sys.argv[1], json.loads(sys.stdin.read())
    with tempfile.TemporaryDirectory(prefix="crowd-") as folder, suppress(KeyboardInterrupt):
        if what.startswith("engine"):
            figures = asyncio.run(read_with_engine(place, Path(folder), record=what.endswith("recording")))
        elif what == "pybit":
            from ingest import pybit_feed

            feed = pybit_feed(place["symbols"])
            # Acknowledgements are left out: they are for a connection that pybit does not have here.
            figures = asyncio.run(read_as_peer(place, lambda data: b'"topic"' in data and feed(data)))
        else:
            figures = asyncio.run(read_as_peer(place, json.loads))
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
