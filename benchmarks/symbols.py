"""The engine on 1, 40 and 600 symbols over real sockets: processor, latency and memory, beside limits and peers.

    python benchmarks/symbols.py [--symbols 1,40,600] [--seconds 20] [--recording] [--no-peers]

Another process sends ten book messages, five trades and a ticker a second for each symbol (`crowd.py`); a fresh
process reads them as a live run without a screen does (`crowd_reader.py`). Processor time is that process' own,
of one core; message age is from the sender's clock until the core had taken the message in. Run it on a machine that
has nothing else to do: latencies are wall time.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
WARM_UP_S = 8.0  # walls need five seconds to be walls
LIMITS = {"cpu_percent": 45.0, "age_p99_ms": 10.0, "rss_mb": 300.0}
SHOWN = {
    "events_s": "messages a second",
    "books_s": "book messages a second",
    "trades_s": "trades a second",
    "cpu_percent": "processor, % of one core",
    "age_p50_ms": "message age p50, ms",
    "age_p99_ms": "message age p99, ms",
    "age_max_ms": "message age max, ms",
    "event_p99_ms": "inbox to processed p99, ms",
    "event_max_ms": "inbox to processed max, ms",
    "loop_p99_ms": "loop delay p99, ms",
    "loop_max_ms": "loop delay max, ms",
    "start_stall_ms": "loop delay max at the start, ms",
    "prepared_s": "account and instruments read, s",
    "live_s": "then all books live after, s",
    "view_one_ms": "a view with one symbol's depth, ms",
    "view_all_ms": "a view with all walls, ms",
    "rss_mb": "memory, MB",
    "peak_mb": "memory at its peak, MB",
    "walls": "walls standing",
    "walls_seen": "walls built so far",
    "gaps": "gaps",
    "resyncs": "resyncs",
}


class Crowd:
    """The market's process; as a context."""

    def __init__(self, symbols: int) -> None:
        words = [sys.executable, str(HERE / "crowd.py"), "--symbols", str(symbols)]
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.place = self._read()

    def __enter__(self) -> "Crowd":
        return self

    def __exit__(self, *_error: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)

    def sent(self) -> dict[str, float]:
        """How many frames it has sent so far, and its own processor time."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        words: dict[str, Any] = json.loads(self._process.stdout.readline())
        return words


def read(crowd: Crowd, what: str, seconds: float) -> dict[str, float]:
    """One reader from its start to its end."""
    place = json.dumps(crowd.place | {"warm_s": WARM_UP_S, "seconds": seconds})
    words = [sys.executable, str(HERE / "crowd_reader.py"), what]
    done = subprocess.run(words, input=place, stdout=subprocess.PIPE, text=True, check=True)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def show(columns: dict[str, dict[str, float]], *, limits: bool = True) -> None:
    names = list(columns)
    print(f"\n{'':34}" + "".join(f"{name:>14}" for name in names) + (f"{'limit':>10}" if limits else ""))
    for key, words in SHOWN.items():
        if not any(key in column for column in columns.values()):
            continue
        cells = "".join(f"{columns[name][key]:14,.1f}" if key in columns[name] else f"{'':14}" for name in names)
        limit, most = LIMITS.get(key) if limits else None, columns[names[-1]].get(key, 0.0)
        verdict = "" if limit is None else f"{limit:10.1f}   {'ok' if most <= limit else 'OVER'}"
        print(f"{words:34}{cells}{verdict}")


def measure(counts: list[int], seconds: float, *, recording: bool, peers: bool) -> bool:
    print(f"load of the machine before: {os.getloadavg()[0]:.2f}, {os.cpu_count()} cores")
    ours: dict[str, dict[str, float]] = {}
    beside: dict[str, dict[str, float]] = {}
    for symbols in counts:
        with Crowd(symbols) as crowd:
            ours[f"{symbols}"] = read(crowd, "engine+recording" if recording else "engine", seconds)
            if peers and symbols == counts[-1]:
                beside = {peer: read(crowd, peer, seconds / 2) for peer in ("aiohttp+json", "pybit")}
    show(ours)
    if beside:
        print("\npeers on as many symbols (json.loads alone; pybit's book without walls, integers or gap checks)")
        show(beside, limits=False)
    last = ours[f"{counts[-1]}"]
    whole = last["gaps"] == last["resyncs"] == 0 and last["live"] == counts[-1]
    if not whole:
        print("  NOT VALID: a book was lost on the way")
    return whole and all(last[key] <= limit for key, limit in LIMITS.items())


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # leave no process behind
    options = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    options.add_argument("--symbols", default="1,40,600")
    options.add_argument("--seconds", type=float, default=20)
    options.add_argument(
        "--recording", action="store_true", help="record as the demo does; live runs do not by default"
    )
    options.add_argument("--no-peers", action="store_true")
    chosen = options.parse_args()
    counts = [int(count) for count in chosen.symbols.split(",")]
    return 0 if measure(counts, chosen.seconds, recording=chosen.recording, peers=not chosen.no_peers) else 1


if __name__ == "__main__":
    sys.exit(main())
