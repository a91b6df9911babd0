"""How long an intent takes to be on the disk, beside plain sqlite3 and a bare fdatasync.

    python benchmarks/journal.py [--commits N] [--folder DIR]

Each row: one commit of one intent after the other. The last row has a recording written beside it
in the same loop at 3,000 frames a second. Targets there: p50 0.5 ms, p99 2 ms.
"""

import argparse
import asyncio
import os
import sqlite3
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import perf_counter

from breakwall.clock import SystemClock
from breakwall.model.events import Ignored
from breakwall.model.journal import EntryKind, JournalEntry
from breakwall.ports import Frame
from breakwall.storage.journal import InlineJournal, SqliteJournal
from breakwall.storage.recording import Recording

BODY = '{"type":"PlaceOrder","why":"' + "breakout through an eaten wall " * 8 + '"}'
FRAME = ('{"topic":"orderbook.200.BTCUSDT","data":{"b":[' + '["64250.10","1.234"],' * 20 + "]}}").encode()
FRAMES_PER_S = 3000


def intent(seq: int) -> JournalEntry:
    return JournalEntry(1_800_000_000, seq, seq, EntryKind.INTENT, BODY, "BTCUSDT", f"bw-trs-{seq}-e", f"trs-{seq}")


def report(name: str, seconds: list[float]) -> None:
    ordered = sorted(seconds)
    p50, p99 = (ordered[int(len(ordered) * share)] * 1e3 for share in (0.50, 0.99))
    print(f"{name:<44} p50 {p50:6.3f} ms   p99 {p99:6.3f} ms   max {ordered[-1] * 1e3:7.3f} ms")


def bare_fdatasync(folder: Path, commits: int) -> list[float]:
    file = os.open(folder / "bare", os.O_CREAT | os.O_WRONLY)
    taken = []
    for seq in range(commits):
        start = perf_counter()
        os.pwrite(file, b"x" * 4096, seq * 4096)
        os.fdatasync(file)
        taken.append(perf_counter() - start)
    os.close(file)
    return taken


def plain_sqlite(folder: Path, commits: int) -> list[float]:
    db = sqlite3.connect(folder / "plain.db", isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, seq, body)")
    taken = []
    for seq in range(commits):
        start = perf_counter()
        db.execute("INSERT INTO t (seq, body) VALUES (?, ?)", (seq, BODY))
        taken.append(perf_counter() - start)
    db.close()
    return taken


async def timed(commit: Callable[[list[JournalEntry]], Awaitable[None]], commits: int, pause_s: float) -> list[float]:
    taken = []
    for seq in range(commits):
        entries = [intent(seq)]
        start = perf_counter()
        await commit(entries)
        taken.append(perf_counter() - start)
        if pause_s:
            await asyncio.sleep(pause_s)
    return taken


async def record(tape: Recording) -> None:
    """Frames at their rate, ten milliseconds at a time, as the inbox drains them."""
    seq, start = 0, perf_counter()
    while True:
        due = int((perf_counter() - start) * FRAMES_PER_S)
        while seq < due:
            seq += 1
            tape.event(seq, seq, Ignored(), Frame("public", seq, FRAME))
        await asyncio.sleep(0.01)


async def journals(folder: Path, commits: int) -> None:
    inline = InlineJournal(folder / "inline.db")
    await inline.open()
    report("breakwall, in the loop (simulation)", await timed(inline.commit, commits, 0))
    await inline.close()
    journal = SqliteJournal(folder / "journal.db", {})
    await journal.open()
    report("breakwall, aiosqlite", await timed(journal.commit, commits, 0))
    tape = Recording(folder / "run.jsonl.zst", SystemClock(), run=1, settings="{}", disk_floor_bytes=0)
    await tape.open()
    writer = asyncio.create_task(record(tape))
    report(
        f"breakwall, aiosqlite, recording {FRAMES_PER_S} frames/s",
        await timed(journal.commit, commits, pause_s=0.005),
    )
    writer.cancel()
    await tape.close()
    await journal.close()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--commits", type=int, default=2000)
    options.add_argument("--folder", type=Path, help="on the disk to measure (default: the temporary folder)")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.folder) as name:
        folder = Path(name)
        report("bare fdatasync of 4 KiB", bare_fdatasync(folder, chosen.commits))
        report("sqlite3, one table, no index", plain_sqlite(folder, chosen.commits))
        asyncio.run(journals(folder, chosen.commits))


if __name__ == "__main__":
    main()
