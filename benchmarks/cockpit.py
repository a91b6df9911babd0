"""The cockpit under load: the real program on a real pty, 40 loud symbols, 6,000 messages a second.

    python benchmarks/cockpit.py [--quick] [--only load,stall,keys,start] [--sizes 200x60,...] [--seconds 20]

Each figure stands beside its limit and beside the same program without a screen, measured in the same run.
Message latency is from the sender's clock to "processed by the core": it holds the socket and every moment in
which the loop was busy. Bytes are counted at the pty, in true colour, and go to the pane they were written into;
`ssh -C` is an estimate (zlib level 6, flushed for each read of 16 KiB). The load is described in `loud.py`.
"""

import argparse
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from breakwall.app.layout import arrange
from terminal_reader import Screen, by_pane, compressed
from trial import TRUE_COLOUR, WARM_UP_S, Figures, LoudMarket, Samples, Trial, Window

KB_S: dict[str, float | None] = {"200x60": 100.0, "120x40": 60.0, "80x24": None}
"""Sizes of the terminal, and how many KB/s it may get there."""
LADDER_AND_TAPE_KB_S = 20.0
LATENCY_P99_MS, LATENCY_MAX_MS, STALLED_MAX_MS, KEY_P99_MS = 10.0, 25.0, 50.0, 30.0
EXIT_S, FIRST_PAINT_S, FIRST_BOOK_S = 2.0, 1.0, 3.0
STALL_S = 10.0
COCKPIT_LETTERS = 20  # of the first words it shows
QUARTER_SECOND_COLUMNS = "<"
FLOOR = """
from textual.app import App
from textual.widgets import Label
class Floor(App):
    def compose(self):
        yield Label("painted")
Floor().run()
"""


def tell(name: str, figure: float, unit: str, limit: float | None = None, beside: float | None = None) -> bool:
    """One figure with its limit and the same without a screen; returns whether it holds."""
    holds = limit is None or figure <= limit
    words = f"  {name:48} {figure:9.2f} {unit:5}"
    words += " " * 20 if limit is None else f" limit {limit:6.1f}  {'ok' if holds else 'OVER':5}"
    print(words + ("" if beside is None else f" without a screen {beside:8.2f}"), flush=True)
    return holds


def percentile(values: Figures, percent: float) -> float:
    return float(np.percentile(values, percent))


def kb_s(written: int, window: Window) -> float:
    return written / window.seconds / 1000


def load(market: LoudMarket, size: str, seconds: float, *, fill: bool) -> bool:
    """Latency, processor and bytes at one size; bytes also with four columns of the heat map a second.

    `fill`: wait until the heat map has no empty columns any more; before, it costs less than it will.
    """
    print(
        f"\n{size}, {len(market.where['symbols'])} symbols, {seconds:g} s" + ("" if fill else ", heat map not full")
    )
    with Trial(market, size, ui=False) as bare:
        time.sleep(WARM_UP_S)
        plain = bare.window(seconds)
        bare.end()
    with Trial(market, size) as trial:
        time.sleep(arrange(*_measures(size))["heatmap"].width if fill else WARM_UP_S)
        window = trial.window(seconds)
        trial.screen.type(QUARTER_SECOND_COLUMNS)
        time.sleep(1)
        fast = trial.window(seconds / 2)
        trial.end()
    samples = trial.samples()
    ok = _delays(samples, window, bare.samples(), plain)
    ok = _bytes(size, window, fast) and ok
    _painting(samples, window)
    return ok


def _measures(size: str) -> tuple[int, int]:
    width, _, height = size.partition("x")
    return int(width), int(height)


def _delays(samples: Samples, window: Window, bare: Samples, plain: Window) -> bool:
    ages, ages_bare = samples.within(window, "message_age_ms"), bare.within(plain, "message_age_ms")
    tell("messages a second", len(ages) / window.seconds, "/s", beside=len(ages_bare) / plain.seconds)
    tell("message latency p50", percentile(ages, 50), "ms", beside=percentile(ages_bare, 50))
    ok = tell("message latency p99", percentile(ages, 99), "ms", LATENCY_P99_MS, percentile(ages_bare, 99))
    ok = tell("message latency max", ages.max(), "ms", LATENCY_MAX_MS, ages_bare.max()) and ok
    for name in ("event_delay_ms", "loop_delay_ms"):
        with_screen, without = samples.within(window, name), bare.within(plain, name)
        words = "inbox to processed" if name == "event_delay_ms" else "loop delay"
        tell(f"{words} p99", percentile(with_screen, 99), "ms", beside=percentile(without, 99))
        tell(f"{words} max", with_screen.max(), "ms", beside=without.max())
    for generation in range(3):
        name = f"gc{generation}_ms"
        tell(f"garbage collection {generation}, longest", samples.within(window, name).max(), "ms", None,
             bare.within(plain, name).max())  # fmt: skip
    tell("processor", window.cpu_percent, "%", beside=plain.cpu_percent)
    tell("memory", window.rss_mb, "MB", beside=plain.rss_mb)
    return ok


def _bytes(size: str, window: Window, fast: Window) -> bool:
    ok = True
    for name, span, limit in (("1 s", window, KB_S[size]), ("250 ms", fast, None)):
        written = b"".join(span.written)
        panes = by_pane(written, arrange(*_measures(size)))
        ok = tell(f"to the terminal, a column each {name}", kb_s(len(written), span), "KB/s", limit) and ok
        tell("  with ssh -C, estimated", kb_s(compressed(span.written), span), "KB/s")
        most = LADDER_AND_TAPE_KB_S if size == "200x60" and span is window else None
        ok = tell("  ladder and tape", kb_s(panes["ladder"] + panes["tape"], span), "KB/s", most) and ok
        rest = [f"{pane or 'outside'} {kb_s(count, span):.1f}" for pane, count in panes.most_common()]
        print(f"    {', '.join(rest)}")
    return ok


def _painting(samples: Samples, window: Window) -> None:
    """Processor time on the loop: a message waits for one part at most, and then for a paint."""
    for name, words in (("view_ms", "desk.view"), ("paint_ms", "a paint")):
        values = samples.within(window, name)
        print(f"  {words:12} {len(values) / window.seconds:6.1f}/s {_spread(values)}")
    for name in samples.names("show_ms "):
        pane = name.removeprefix("show_ms ")
        values, parts = samples.within(window, name), samples.within(window, f"part_ms {pane}")
        rows = samples.within(window, f"rows {pane}").sum() / window.seconds
        print(
            f"  {pane:12} {len(values) / window.seconds:6.1f}/s {_spread(values)}"
            f"   longest part {parts.max():6.2f} ms   {rows:4.0f} rows/s"
        )


def _spread(values: Figures) -> str:
    return f"  p50 {percentile(values, 50):6.2f}   p99 {percentile(values, 99):6.2f}   max {values.max():6.2f} ms"


def stall(market: LoudMarket, size: str, seconds: float) -> bool:
    """A terminal that stops reading for a while, and one that never reads again."""
    print(f"\n{size}, a terminal that stops reading")
    with Trial(market, size) as trial:
        time.sleep(WARM_UP_S)
        trial.screen.stall()
        stalled = trial.window(seconds)
        trial.screen.resume()
        after = trial.window(3)
        left_s = trial.end()
    ok = _stalled(f"stalled for {seconds:g} s", trial.samples(), stalled)
    ok = _stalled("the 3 s after it", trial.samples(), after) and ok
    tell("the 3 s after it: to the terminal", sum(map(len, after.written)) / 1000, "KB")
    ok = tell("exit on request afterwards", left_s, "s", EXIT_S) and ok
    with Trial(market, size) as trial:
        time.sleep(WARM_UP_S)
        trial.screen.stall()
        stalled = trial.window(seconds)
        left_s = trial.end()
    ok = _stalled("stalled for ever", trial.samples(), stalled) and ok
    return tell("stalled for ever: exit on request", left_s, "s", EXIT_S) and ok


def _stalled(words: str, samples: Samples, window: Window) -> bool:
    ok = tell(f"{words}: loop delay max", samples.within(window, "loop_delay_ms").max(), "ms", STALLED_MAX_MS)
    ages = samples.within(window, "message_age_ms")
    return tell(f"{words}: message latency max", ages.max(), "ms", STALLED_MAX_MS) and ok


def keys(market: LoudMarket, size: str, presses: int) -> bool:
    """`x` `Enter` with a position open, from the bytes of Enter to the request at the exchange."""
    print(f"\n{size}, key to order on the wire, {presses} presses")
    with Trial(market, size) as trial:
        time.sleep(WARM_UP_S)
        took = np.array([_press(market, trial) for _ in range(presses)])
        trial.end()
    tell("p50", percentile(took, 50), "ms")
    ok = tell("p99", percentile(took, 99), "ms", KEY_P99_MS)
    tell("max", took.max(), "ms")
    return ok


def _press(market: LoudMarket, trial: Trial) -> float:
    """Milliseconds of one press, at no particular moment of a frame."""
    market.open_position()
    time.sleep(1.3 + random.random() / 2)
    while not market.orders.empty():
        market.orders.get()
    trial.screen.type("x")
    time.sleep(0.4)
    pressed = trial.screen.type("\r")
    arrived, order = market.orders.get(timeout=5)
    assert order["reduceOnly"], "the first order after a flatten closes"
    time.sleep(1)  # the wish to be flat is over once the exchange has proven it
    return (arrived - pressed) * 1e3


def start(runs: int) -> bool:
    """From the start of the process, as medians; a bare Textual app that paints is the floor."""
    print(f"\nstart of `breakwall demo`, 120x40, median of {runs}")
    painted, live, floor = [], [], []
    for _ in range(runs):
        screen = Screen([sys.executable, "-c", FLOOR], 120, 40, TRUE_COLOUR)
        floor.append(screen.wait_for("painted", 20) - screen.began)
        screen.end(5)
        with tempfile.TemporaryDirectory() as folder:
            screen = Screen(
                [sys.executable, "-m", "breakwall", "demo"], 120, 40, TRUE_COLOUR | {"XDG_STATE_HOME": folder}
            )
            painted.append(screen.wait_for_cells(COCKPIT_LETTERS, 20) - screen.began)
            live.append(screen.wait_for("LIVE", 20) - screen.began)
            screen.end(20)
    tell("a bare Textual app to its first paint", statistics.median(floor), "s")
    ok = tell("to the first paint", statistics.median(painted), "s", FIRST_PAINT_S)
    return tell("to the first live book", statistics.median(live), "s", FIRST_BOOK_S) and ok


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    options.add_argument("--quick", action="store_true", help="one size, short windows, few presses")
    options.add_argument("--seconds", type=float, default=20.0, help="of each window")
    options.add_argument("--sizes", default=",".join(KB_S))
    options.add_argument("--only", default="load,stall,keys,start")
    chosen = options.parse_args()
    parts, sizes = chosen.only.split(","), chosen.sizes.split(",")
    if chosen.quick:
        sizes = sizes[:1]
    ok = True
    with tempfile.TemporaryDirectory(prefix="cockpit-") as folder:
        market = LoudMarket(Path(folder))
        try:
            for size in sizes if "load" in parts else ():
                ok = load(market, size, 6 if chosen.quick else chosen.seconds, fill=not chosen.quick) and ok
            if "stall" in parts:
                ok = stall(market, sizes[0], 4 if chosen.quick else STALL_S) and ok
            if "keys" in parts:
                ok = keys(market, sizes[0], 5 if chosen.quick else 40) and ok
        finally:
            market.close()
    if "start" in parts:
        ok = start(1 if chosen.quick else 5) and ok
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
