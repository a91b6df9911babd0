"""How long an interruption holds trading back: gated when, and trading again when, after the exchange was back.

A whole engine (Bybit adapter, aiohttp, journal on a disk) against `breakwall exchange` in a process of its own:
  cut      its sockets are all cut at once
  stopped  it is stopped like a hanging machine (SIGSTOP) and goes on
  killed   it is killed (SIGKILL) and started again on the same port with the same account
"gated" is from the interruption until nothing may be opened any more; a hanging exchange is noticed by its silence,
see [venue] book_silence_s. "again" is from the moment the exchange was there again until trading may go on: links up,
account read back, a living book. Entries that left in between are counted: there must be none.

    python benchmarks/reconnect.py [--runs 3] [--down 8 20]
"""

import argparse
import asyncio
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from breakwall import points
from breakwall.clock import SystemClock
from breakwall.engine.loop import Engine
from breakwall.modes import Access, bybit_engine
from breakwall.points import Point
from breakwall.settings import Settings
from breakwall.storage.journal import SqliteJournal
from breakwall.venues.bybit.endpoints import Urls
from breakwall.venues.transport import AiohttpTransport

LIMIT_S = 2.0
KEYS = {"BREAKWALL_SIM_KEY": "benchmark", "BREAKWALL_SIM_SECRET": "benchmark-secret"}


class Venue:
    """The exchange's process; `where` is what it told at its start."""

    def __init__(self) -> None:
        self.port = 0
        self.start()

    def start(self) -> None:
        words = [sys.executable, "-m", "breakwall", "exchange", "--port", str(self.port), "--seed", "12"]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env={**os.environ, **KEYS})
        assert self.process.stdout is not None
        self.where: dict[str, Any] = json.loads(self.process.stdout.readline())
        self.port = int(self.where["http"].rpartition(":")[2])

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


class Wire(AiohttpTransport):
    """Remembers its sockets, so that they can be cut."""

    def __init__(self) -> None:
        super().__init__()
        self.sockets: list[Any] = []

    async def connect(self, url: str) -> Any:
        socket = await super().connect(url)
        self.sockets.append(socket)
        return socket

    def cut(self) -> None:
        for socket in self.sockets:
            line = socket._response.get_extra_info("socket")  # noqa: SLF001 - what a cable does, no interface offers
            if line is not None:
                line.shutdown(2)
        self.sockets = []


class Silent:
    """`ports.Recorder` of nothing."""

    def event(self, *_what: object) -> None: ...
    def actions(self, *_what: object) -> None: ...
    async def close(self) -> None: ...


def nothing(*_what: object) -> None:
    """Nobody listens."""


def trades(engine: Engine) -> bool:
    """Whether an entry could leave now."""
    view = engine.view()
    alive = any(market.status == "LIVE" for market in view.symbols)
    return alive and not view.blind and view.trading_state == "ACTIVE"


async def until(condition: Callable[[], bool], patience_s: float = 90.0) -> float:
    """When it became true (time.monotonic)."""
    async with asyncio.timeout(patience_s):
        while not condition():  # noqa: ASYNC110 - the engine tells nobody: it is asked
            await asyncio.sleep(0.002)
    return time.monotonic()


async def again(engine: Engine, back: float) -> float:
    """Seconds from then until trading goes on; where that is too long, what held it back to the last."""
    held: list[str] = []

    def goes_on() -> bool:
        view = engine.view()
        if view.why not in held[-1:]:
            held.append(view.why)
        return trades(engine)

    took = await until(goes_on) - back
    if took > LIMIT_S:
        print(f"  {took:.1f} s, held by: {[why for why in held if why][-1:]}", flush=True)
    return took


async def interrupted(kind: str, engine: Engine, wire: Wire, venue: Venue, down_s: float) -> tuple[float, float]:
    """Seconds until gated, and from the exchange being back until trading goes on."""
    began = time.monotonic()
    if kind == "cut":
        wire.cut()
        gated = await until(lambda: not trades(engine))
        return gated - began, await again(engine, began)
    if kind == "stopped":
        venue.process.send_signal(signal.SIGSTOP)
    else:
        venue.stop()
    noticing = asyncio.ensure_future(until(lambda: not trades(engine)))
    await asyncio.sleep(down_s)
    if kind == "stopped":
        venue.process.send_signal(signal.SIGCONT)
    else:
        await asyncio.to_thread(venue.start)
    back = time.monotonic()
    gated = await noticing
    return gated - began, await again(engine, back)


async def measure(runs: int, downs: list[float], folder: Path) -> None:
    venue, wire, clock = Venue(), Wire(), SystemClock()
    where = venue.where
    access = Access(
        "BENCH",
        Urls(where["http"], where["public"], where["private"], where["trade"]),
        where["api_key"],
        where["api_secret"],
    )
    journal = SqliteJournal(folder / "journal.db", {})
    engine = bybit_engine(
        settings=Settings(), access=access, run=random.randrange(1, 1000), remembered=await journal.open(),
        clock=clock, transport=wire, journal=journal, recorder=Silent(), say=nothing,
    )  # fmt: skip
    entries: list[bool] = []
    points.watch(lambda point: entries.append(trades(engine)) if point is Point.ORDER_SENT else None)
    try:
        await engine.start()
        await until(lambda: trades(engine))
        for kind, down_s in [("cut", 0.0), *((kind, down_s) for kind in ("stopped", "killed") for down_s in downs)]:
            found = []
            for _ in range(runs):
                await asyncio.sleep(3)
                found.append(await interrupted(kind, engine, wire, venue, down_s))
            row(f"{kind} for {down_s:g} s" if down_s else kind, found)
        print(f"entries sent: {len(entries)}, of them while gated: {entries.count(False)}")
        await engine.leave(flatten=True, patience_s=10)
    finally:
        points.watch(None)
        await engine.close()
        await wire.close()
        venue.stop()


def row(name: str, found: list[tuple[float, float]]) -> None:
    gated, back = [list(column) for column in zip(*found, strict=True)]
    print(
        f"{name:20} gated after {statistics.median(gated):6.3f} s (worst {max(gated):6.3f})   "
        f"again after {statistics.median(back):6.3f} s (worst {max(back):6.3f})   limit {LIMIT_S:.1f} s",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--down", type=float, nargs="+", default=[8.0, 20.0], help="for how long, in seconds")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(asked.runs, asked.down, Path(folder)))


if __name__ == "__main__":
    main()
