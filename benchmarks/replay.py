"""`replay --speed max` on a recording: messages a second, beside the book alone fed with the same frames.

    python benchmarks/replay.py [--runs 3] [FILE...]

Without a file it takes the real recording beside the project, where there is one, and the Binance one. Time is that
of the process (the machine may be shared), the median of the runs. A level update is a price told of in a book
message. The rematch is all of it: exchange, adapter, core, journal in memory; reading the file is in its time, too.
"""

import argparse
import statistics
import time
from pathlib import Path

import streams
from breakwall.market.book import OrderBook
from breakwall.model.events import BookDelta, BookSnapshot
from breakwall.replay.contents import Contents, contents
from breakwall.replay.tape import Heard, Tape
from breakwall.settings import Settings
from breakwall.sim.rematch import Rematch
from breakwall.venues.bybit.codec import PublicCodec

DATA = streams.SHARED / "data"
RECORDINGS = (
    DATA / "bybit_v5" / "linear_BTCUSDT_ETHUSDT_20260809.jsonl.zst",
    DATA / "binance_usdm" / "btcusdt_20240808.gz",
)


def read(found: Contents) -> tuple[float, list[bytes]]:
    """Seconds to read the files, and the frames."""
    began = time.process_time()
    frames = [item.data for item in Tape(found.paths, found.symbols) if isinstance(item, Heard)]
    return time.process_time() - began, frames


def books_alone(found: Contents, frames: list[bytes]) -> tuple[float, int]:
    """Seconds to decode the frames and keep their books, and how many levels were told of."""
    codec = PublicCodec(found.instruments)
    books = {symbol: OrderBook(found.held[symbol].depth) for symbol in found.symbols}
    levels = 0
    began = time.process_time()
    for frame in frames:
        event = codec.decode(frame)
        if isinstance(event, BookSnapshot):
            books[event.symbol].replace(event)
        elif isinstance(event, BookDelta):
            books[event.symbol].apply(event)
            levels += len(event.bids) + len(event.asks)
    return time.process_time() - began, levels


def rematch(found: Contents) -> tuple[float, str]:
    """Seconds for all of it, and the digest of what was decided."""
    began = time.process_time()
    world = Rematch(found, Settings(), 1, lambda _note, _at_ms: None)
    try:
        while not world.over:
            world.advance(world.at_s + 1.0)
        if world.broken is not None:
            raise world.broken
        return time.process_time() - began, world.recorder.digest.text
    finally:
        world.close()


def report(paths: list[Path], runs: int) -> None:
    found = contents(paths)
    reading, frames = read(found)
    alone, levels = min(books_alone(found, frames) for _ in range(runs))
    measured = [rematch(found) for _ in range(runs)]
    whole = statistics.median(seconds for seconds, _ in measured)
    print(f"\n{', '.join(path.name for path in paths)}: {len(frames):,} messages, {found.seconds:.0f} s recorded")
    for name, seconds in (
        ("reading alone", reading),
        ("decode and books alone", alone),
        ("rematch, all of it", whole),
    ):
        rate, updates = len(frames) / seconds, levels / seconds
        print(f"  {name:24} {rate:10,.0f} messages/s {updates:12,.0f} level updates/s {seconds:8.2f} s")
    print(f"  that is {found.seconds / whole:.0f} times as fast as it was recorded", end="; ")
    print("the same in each run" if len({digest for _, digest in measured}) == 1 else "NOT VALID: runs differ")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("files", nargs="*", type=Path)
    options.add_argument("--runs", type=int, default=3)
    asked = options.parse_args()
    chosen = [asked.files] if asked.files else [[path] for path in RECORDINGS if path.exists()]
    if not chosen:
        print("no recording beside the project: name one")
    for paths in chosen:
        report(paths, asked.runs)


if __name__ == "__main__":
    main()
