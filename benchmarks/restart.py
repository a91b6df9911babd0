"""How long a restart reads: a journal of many entries, without a checkpoint and with one near its end.

    python benchmarks/restart.py [--entries N] [--folder DIR]

Target with a checkpoint: below 1 s however long the history is.
"""

import argparse
import asyncio
import tempfile
from decimal import Decimal
from pathlib import Path
from time import perf_counter

import msgspec

from breakwall.model.events import Wallet, WalletReport
from breakwall.model.journal import EntryKind, JournalEntry
from breakwall.model.units import Instrument
from breakwall.settings import Settings
from breakwall.storage.journal import SqliteJournal
from breakwall.trading.origin import Origin
from breakwall.trading.reconcile.checkpoint import Checkpoint
from breakwall.trading.reconcile.restore import restore

RULES = {"BTCUSDT": Instrument("BTCUSDT", Decimal("0.1"), Decimal("0.001"), 1, 1_000_000, 100_000)}
TAIL = 1_000
"""Entries after the checkpoint: ten minutes of busy trading."""
_encode = msgspec.json.Encoder().encode


def word(seq: int) -> JournalEntry:
    cash = Decimal(10_000 + seq % 100)
    body = _encode(WalletReport(Wallet(cash, cash, cash, seq))).decode()
    return JournalEntry(1, seq, seq, EntryKind.EVENT, body)


def checkpoint(entries: list[JournalEntry]) -> JournalEntry:
    last = entries[-1]
    book = restore(entries, RULES, Settings(), Origin(2, 1, last.at_ms)).blotter
    taken = Checkpoint(
        1, last.seq, last.at_ms, 0, "1", True, "", book.breaker.memory(), book.wallet, tuple(RULES.values())
    )
    return JournalEntry(1, last.seq, last.at_ms, EntryKind.CHECKPOINT, _encode(taken).decode())


async def report(name: str, path: Path) -> None:
    began = perf_counter()
    journal = SqliteJournal(path, {})
    entries = await journal.open()
    opened = perf_counter()
    restore(entries, RULES, Settings(), Origin(2, 1, 10**12))
    done = perf_counter()
    await journal.close()
    print(f"{name:<20} {len(entries):>8} read   open {opened - began:6.3f} s   restore {done - opened:6.3f} s")


async def measure(folder: Path, count: int) -> None:
    path = folder / "journal.db"
    history = [word(seq) for seq in range(1, count + 1)]
    journal = SqliteJournal(path, {})
    await journal.open()
    await journal.commit(history)
    await journal.close()
    await report("without a checkpoint", path)
    await journal.open()
    await journal.commit([checkpoint(history), *(word(count + more) for more in range(1, TAIL + 1))])
    await journal.close()
    await report("with a checkpoint", path)
    print(f"{count + TAIL} entries, {path.stat().st_size / 1e6:.0f} MB")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--entries", type=int, default=300_000)
    options.add_argument("--folder", type=Path, help="on the disk to measure (default: the temporary folder)")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.folder) as name:
        asyncio.run(measure(Path(name), chosen.entries))


if __name__ == "__main__":
    main()
