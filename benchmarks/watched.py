"""`breakwall` exactly as it is, with its pulse taken: delays, paints, panes and garbage collections.

    python benchmarks/watched.py OUT.npz demo --state DIR ...

Everything after the first argument is the program's own command line. At the end every sample is written
to OUT.npz with the moment it was taken (`time.monotonic`, which all processes of a machine share).
"""

import atexit
import gc
import sys
import time
from array import array
from collections.abc import Iterator
from functools import wraps
from pathlib import Path
from typing import Any

import numpy as np

from breakwall.engine.delays import Delays
from breakwall.engine.loop import Engine
from breakwall.model.events import BookDelta, BookSnapshot, Event, Trades
from breakwall.ports import Frame
from breakwall.storage.recording import Recording


class Samples:
    """Named series of (when, value)."""

    def __init__(self) -> None:
        self._series: dict[str, tuple[array[float], array[float]]] = {}

    def add(self, name: str, value: float) -> None:
        series = self._series.get(name)
        if series is None:
            series = self._series[name] = (array("d"), array("d"))
        series[0].append(time.monotonic())
        series[1].append(value)

    def save(self, path: Path) -> None:
        arrays: dict[str, Any] = {name: np.array(series) for name, series in self._series.items()}
        np.savez(path, **arrays)


class Pulse(Delays):
    """The engine's delays, all of them kept; of messages also how long ago they were sent."""

    def __init__(self, samples: Samples, name: str) -> None:
        super().__init__()
        self._all = samples
        self._name = name
        self.sent_us = 0

    def add(self, delay_ms: float) -> None:
        super().add(delay_ms)
        self._all.add(self._name, delay_ms)
        if self.sent_us:
            self._all.add("message_age_ms", time.monotonic_ns() / 1e6 - self.sent_us / 1e3)
            self.sent_us = 0


def sent_us(event: Event) -> int:
    """When the loud market sent this, by its `seq`; 0 for what it did not stamp."""
    if isinstance(event, BookDelta | BookSnapshot):
        return event.seq
    return event.trades[0].seq if isinstance(event, Trades) and event.trades else 0


def listen_to_engine(samples: Samples) -> None:
    make, write = Engine.__init__, Recording.event
    latest: list[Pulse] = []

    def made(self: Engine, **parts: Any) -> None:
        make(self, **parts)
        self.loop_delays = Pulse(samples, "loop_delay_ms")
        self.event_delays = pulse = Pulse(samples, "event_delay_ms")
        latest[:] = [pulse]

    def written(self: Recording, seq: int, at_ms: int, event: Event, frame: Frame | None) -> None:
        latest[0].sent_us = sent_us(event)
        write(self, seq, at_ms, event, frame)

    Engine.__init__ = made  # type: ignore[method-assign]  # that is what a stethoscope does
    Recording.event = written  # type: ignore[method-assign]  # the last place before the core, of every event


def listen_to_screen(samples: Samples) -> None:
    from breakwall.app.cockpit import Cockpit
    from breakwall.app.screens.trade import PANES
    from breakwall.app.widgets.pane import Pane

    clock(samples, Cockpit, "_display", "paint_ms")
    clock(samples, Engine, "view", "view_ms")
    clock_parts(samples, Cockpit, "_frame")
    panes: list[type] = [Pane, *(pane for pane in PANES if "show_in_parts" in vars(pane))]
    for pane in panes:
        clock_parts(samples, pane, "show_in_parts")


def clock(samples: Samples, owner: type, method: str, name: str) -> None:
    """Processor time of every call of this method: other processes do not count."""
    original = getattr(owner, method)

    @wraps(original)
    def timed(self: Any, *words: Any, **named: Any) -> Any:
        began = time.thread_time()
        try:
            return original(self, *words, **named)
        finally:
            samples.add(name, (time.thread_time() - began) * 1e3)

    setattr(owner, method, timed)


def clock_parts(samples: Samples, owner: type, method: str) -> None:
    """Processor time of each part of what comes in parts, and of all of them; and rows painted meanwhile."""
    original = getattr(owner, method)

    @wraps(original)
    def timed(self: Any, *words: Any) -> Iterator[None]:
        name, rows = type(self).__name__, painted(self)
        parts, whole, more = original(self, *words), 0.0, True
        while more:
            began = time.thread_time()
            more = next(parts, parts) is None
            took = (time.thread_time() - began) * 1e3
            samples.add(f"part_ms {name}", took)
            whole += took
            if more:
                yield
        samples.add(f"show_ms {name}", whole)
        samples.add(f"rows {name}", painted(self) - rows)

    setattr(owner, method, timed)


def painted(widget: Any) -> int:
    """Rows that this widget and those in it have painted so far."""
    return sum(getattr(one, "rows_painted", 0) for one in (widget, *widget.walk_children()))


def listen_to_garbage(samples: Samples) -> None:
    began = [0.0]

    def heard(phase: str, facts: dict[str, int]) -> None:
        if phase == "start":
            began[0] = time.thread_time()
        else:
            samples.add(f"gc{facts['generation']}_ms", (time.thread_time() - began[0]) * 1e3)

    gc.callbacks.append(heard)


def main() -> None:
    from breakwall.cli import main as breakwall

    samples, path = Samples(), Path(sys.argv[1])
    listen_to_engine(samples)
    if "--no-ui" not in sys.argv:
        listen_to_screen(samples)
    listen_to_garbage(samples)
    atexit.register(samples.save, path)
    sys.argv[1:] = sys.argv[2:]
    breakwall()


if __name__ == "__main__":
    main()
