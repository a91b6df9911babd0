"""How fast a demo stands up, and how fast it stands up again after `kill -9`.

Prints, as medians of whole processes: from the start of the process to the first book (limit 2 s),
and from a restart over an open position to "recovered" (position read back, its stop seen; limit 1 s).
A bare interpreter that imports aiohttp and pydantic is measured beside it, as the floor.

    python benchmarks/start.py [--runs 5]
"""

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

DEMO = [sys.executable, "-m", "breakwall", "demo", "--no-ui", "--seed", "4711"]
TOO_LONG_S = 90.0


def wait_for(process: subprocess.Popen[str], words: str) -> float:
    """Seconds until a line with `words` appears on stderr."""
    assert process.stderr is not None
    began = time.perf_counter()
    for line in process.stderr:
        if words in line:
            return time.perf_counter() - began
        if time.perf_counter() - began > TOO_LONG_S:
            break
    process.kill()
    raise SystemExit(f"no line with {words!r} within {TOO_LONG_S:g} s")


def start(state: Path) -> tuple[subprocess.Popen[str], float]:
    began = time.perf_counter()
    process = subprocess.Popen([*DEMO, "--state", str(state)], stderr=subprocess.PIPE, text=True)
    return process, began


def floor() -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import aiohttp, pydantic"], check=True)
    return time.perf_counter() - began


def first_book() -> float:
    with tempfile.TemporaryDirectory() as folder:
        process, began = start(Path(folder))
        wait_for(process, "first book")
        took = time.perf_counter() - began
        process.send_signal(signal.SIGTERM)
        process.communicate()
        return took


def restarts(times: int) -> list[float]:
    """Open a position once, then kill and restart over it `times` times."""
    took = []
    with tempfile.TemporaryDirectory() as folder:
        process, _ = start(Path(folder))
        wait_for(process, " opened ")
        for _ in range(times):
            os.kill(process.pid, signal.SIGKILL)
            process.communicate()
            process, began = start(Path(folder))
            wait_for(process, "recovered: ")
            took.append(time.perf_counter() - began)
        process.send_signal(signal.SIGTERM)
        process.communicate()
    return took


def row(name: str, values: list[float], limit_s: float | None) -> None:
    limit = "" if limit_s is None else f"   limit {limit_s:.2f} s"
    print(f"{name:44} median {statistics.median(values):.3f} s   worst {max(values):.3f} s{limit}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    row("interpreter with aiohttp and pydantic", [floor() for _ in range(runs)], None)
    row("process start to first book", [first_book() for _ in range(runs)], 2.0)
    row("kill -9 to protected and reconciled", restarts(runs), 1.0)


if __name__ == "__main__":
    main()
