"""One run of the real program on the loud market, under a pty, and what was measured of it.

`breakwall demo` is started as ever, on a run folder that says its exchange is the loud market; `watched.py`
takes its pulse. Linux only: processor time and memory are read from /proc.
"""

import itertools
import json
import os
import queue
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from terminal_reader import Screen

HERE = Path(__file__).parent
WARM_UP_S = 7.0  # walls need five seconds to be walls
TRUE_COLOUR = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
Figures = NDArray[np.float64]


class LoudMarket:
    """The process with the load; `orders` are the order requests that reached it, with the moment."""

    def __init__(self, folder: Path, symbols: int = 40, rate: float = 6000.0) -> None:
        words = [sys.executable, str(HERE / "loud.py"), "--symbols", str(symbols), "--rate", str(rate)]
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.where = json.loads(self._process.stdout.readline())
        self.orders: queue.Queue[tuple[float, dict[str, Any]]] = queue.Queue()
        self._folder = folder
        self._runs = itertools.count(1)
        threading.Thread(target=self._hear, daemon=True).start()

    def state(self) -> Path:
        """A fresh run folder with this market as its exchange, and a configuration with its symbols."""
        state = self._folder / f"run-{next(self._runs)}"
        state.mkdir()
        told = {key: value for key, value in self.where.items() if key != "symbols"}
        told |= {"pid": self._process.pid, "seed": 1, "scenario": "tour"}
        (state / "exchange.json").write_text(json.dumps(told))
        names = ", ".join(f'"{symbol}"' for symbol in self.where["symbols"])
        (state / "config.toml").write_text(f"schema = 1\nsymbols = [{names}]\n[venue]\ndepth = 200\n")
        return state

    def open_position(self) -> None:
        """Another client of the account buys a little of the symbol on the screen, with a stop."""
        assert self._process.stdin is not None
        self._process.stdin.write("open\n")
        self._process.stdin.flush()

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(5)

    def _hear(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            words = json.loads(line)
            if "order" in words:
                self.orders.put((words["at_ns"] / 1e9, words["order"]))


@dataclass(frozen=True)
class Window:
    """A span of a run (time.monotonic): processor time in it, memory at its end, bytes to the terminal."""

    since: float
    until: float
    cpu_percent: float
    rss_mb: float
    written: list[bytes]

    @property
    def seconds(self) -> float:
        return self.until - self.since


class Trial:
    """A run from its start to its end, to be used as a context. `screen.began` is when its process was started."""

    def __init__(self, market: LoudMarket, size: str, *, ui: bool = True) -> None:
        state = market.state()
        self._file = state / "samples.npz"
        self.ui = ui
        words = ["demo", "--state", str(state), "--config", str(state / "config.toml"), *([] if ui else ["--no-ui"])]
        argv = [sys.executable, str(HERE / "watched.py"), str(self._file), *words]
        width, height = map(int, size.split("x"))
        self.screen = Screen(argv, width, height, {**TRUE_COLOUR, "XDG_STATE_HOME": str(state)})
        try:
            self.screen.wait_for("LIVE" if ui else "first book", 30)
        except TimeoutError:
            self.screen.close()
            print(b"".join(data for _, data in self.screen.chunks).decode(errors="replace")[-2000:])
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.screen.close()

    def window(self, seconds: float) -> Window:
        """Wait so long and say what was used meanwhile."""
        since, used = time.monotonic(), self._cpu_s()
        time.sleep(seconds)
        until = time.monotonic()
        cpu = 100 * (self._cpu_s() - used) / (until - since)
        status = Path(f"/proc/{self.screen.pid}/status").read_text()
        rss_mb = int(status.partition("VmRSS:")[2].split()[0]) / 1024
        return Window(since, until, cpu, rss_mb, self.screen.written(since, until))

    def end(self) -> float:
        """Ask it to end; how many seconds it took."""
        return self.screen.end(20)

    def samples(self) -> "Samples":
        """All that was measured; once it has ended."""
        with np.load(self._file) as series:
            return Samples({name: series[name] for name in series.files})

    def _cpu_s(self) -> float:
        fields = Path(f"/proc/{self.screen.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Samples:
    """What `watched.py` wrote: series of (when, value) by name."""

    series: dict[str, Figures]

    def within(self, window: Window, name: str) -> Figures:
        """The values of a series inside a window, a single zero where there are none."""
        if name not in self.series:
            return np.zeros(1)
        when, values = self.series[name]
        inside = values[(when >= window.since) & (when < window.until)]
        return inside if len(inside) else np.zeros(1)

    def names(self, head: str) -> list[str]:
        return sorted(name for name in self.series if name.startswith(head))
