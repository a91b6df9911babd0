"""How soon `breakwall panic` speaks to the exchange: from the start of its process to the first byte it sends.

Prints medians of whole processes: panic's first byte at a listener on this machine (limit 0.2 s), a bare
interpreter, and one that imports pybit, the second way, which panic loads only where the first one fails. Then, with
a demo that holds a position and is stopped with SIGSTOP: from the start of panic to flat, as its receipt tells.

    python benchmarks/panic.py [--runs 20] [--demo]
"""

import argparse
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

LIMIT_S = 0.2
PANIC = [sys.executable, "-m", "breakwall", "panic", "--yes"]


def first_byte() -> float:
    """Seconds until panic's first byte arrives; it is then left without an answer and ended."""
    with socket.create_server(("127.0.0.1", 0)) as listener, tempfile.TemporaryDirectory() as home:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        keys = {"BREAKWALL_SIM_KEY": "benchmark", "BREAKWALL_SIM_SECRET": "benchmark"}
        environ = {**os.environ, **keys, "HOME": home, "XDG_STATE_HOME": home, "XDG_CONFIG_HOME": home}
        began = time.perf_counter()
        process = subprocess.Popen([*PANIC, "--url", url], env=environ, stderr=subprocess.DEVNULL)
        connection, _ = listener.accept()
        with connection:
            connection.recv(1)
            took = time.perf_counter() - began
            process.kill()
            process.wait()
        return took


def whole(code: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - began


def stopped_demo() -> tuple[float, float]:
    """Seconds from the start of panic until it was flat, and until that was proven."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["demo", "--no-ui", "--seed", "5", "--state", folder]
        environ = {**os.environ, "XDG_STATE_HOME": folder}
        demo = subprocess.Popen([sys.executable, "-m", "breakwall", *words], stderr=subprocess.PIPE, env=environ)
        assert demo.stderr is not None
        for line in demo.stderr:
            if b" opened " in line:
                break
        demo.send_signal(signal.SIGSTOP)
        began = time.perf_counter()
        done = subprocess.run([*PANIC, "--json", "--state", folder], capture_output=True, env=environ, check=True)
        took = time.perf_counter() - began
        told = json.loads(done.stdout)
        started = took - told["proven_s"]
        demo.send_signal(signal.SIGCONT)
        demo.send_signal(signal.SIGTERM)
        demo.communicate()
        return started + told["flat_s"], started + told["proven_s"]


def row(name: str, values: list[float], limit_s: float | None = None) -> None:
    limit = "" if limit_s is None else f"   limit {limit_s:.2f} s"
    print(f"{name:44} median {statistics.median(values):.3f} s   worst {max(values):.3f} s{limit}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--demo", action="store_true", help="also a real demo, stopped with a position")
    asked = parser.parse_args()
    row("panic: process start to first byte sent", [first_byte() for _ in range(asked.runs)], LIMIT_S)
    row("python -c pass", [whole("pass") for _ in range(asked.runs)])
    row(
        "python -c 'import pybit.unified_trading'", [whole("import pybit.unified_trading") for _ in range(asked.runs)]
    )
    if asked.demo:
        flat, proven = stopped_demo()
        row("panic beside a stopped demo: start to flat", [flat])
        row("panic beside a stopped demo: start to proven", [proven])


if __name__ == "__main__":
    main()
