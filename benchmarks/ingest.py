"""Raw public frames to an updated book with walls tracked: CPU per message, time of single events, beside peers.

    python benchmarks/ingest.py [--runs 3] [--quick]

CPU is process time (the machine may be shared), the median of the runs. Times of single events are taken
twice: as wall time of the quietest run, into which other processes cut time slices of milliseconds, and as
CPU time of the thread. Ticks (ten a second) are events too, and counted apart. Peers get the same frames in
the same run: pybit always, ccxt and NautilusTrader (book only, nothing of walls) where the shared peer
benchmarks and their packages are found.
"""

import argparse
import gc
import logging
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable

import streams
from breakwall.market.state import Market
from breakwall.model.events import BookDelta, BookSnapshot, Ticker, Trades
from breakwall.settings import Settings
from breakwall.venues.bybit.codec import PublicCodec

PEER_BENCH = streams.SHARED / "peer-bench"
LIMITS = {"real": 20.0, "synthetic": 25.0, "event": 250.0}
WALL_FLOOR_USDT = 20_000  # of the real recording: low enough that 200 levels of BTC and ETH hold walls
TICK_MS = 100


class Ours:
    """The path of every market event in the core."""

    def __init__(self, stream: streams.Stream, settings: Settings) -> None:
        self.codec = PublicCodec(stream.instruments)
        self.markets = {symbol: Market(rule, settings, streams.DEPTH) for symbol, rule in stream.instruments.items()}

    def feed(self, at_ms: int, frame: bytes) -> None:
        event = self.codec.decode(frame)
        if isinstance(event, (BookDelta, BookSnapshot)):
            self.markets[event.symbol].on_book(event, at_ms)
        elif isinstance(event, Trades):
            self.markets[event.symbol].on_trades(event, at_ms)
        elif isinstance(event, Ticker):
            self.markets[event.symbol].on_ticker(event, at_ms)

    def tick(self, at_ms: int) -> None:
        for market in self.markets.values():
            market.on_tick(at_ms)
            market.take_wall_events()


def cpu(stream: streams.Stream, settings: Settings) -> tuple[float, float, Ours]:
    """CPU microseconds per message, and per message with its share of the ticks; and what was measured."""
    ours = _warm(stream, settings)
    frames = stream.frames[stream.warm_up :]
    next_tick = frames[0][0] + TICK_MS
    ticking = 0.0
    started = time.process_time()
    for at_ms, frame in frames:
        ours.feed(at_ms, frame)
        if at_ms >= next_tick:
            before = time.process_time()
            ours.tick(at_ms)
            ticking += time.process_time() - before
            next_tick = at_ms + TICK_MS
    total = time.process_time() - started
    return (total - ticking) / len(frames) * 1e6, total / len(frames) * 1e6, ours


def latencies(
    stream: streams.Stream, settings: Settings, clock: Callable[[], int]
) -> tuple[list[float], list[float]]:
    """Microseconds by `clock` (ns) of each message and of each tick of all symbols, sorted."""
    ours = _warm(stream, settings)
    frames = stream.frames[stream.warm_up :]
    next_tick = frames[0][0] + TICK_MS
    messages: list[float] = []
    ticks: list[float] = []
    for at_ms, frame in frames:
        before = clock()
        ours.feed(at_ms, frame)
        messages.append((clock() - before) / 1000)
        if at_ms >= next_tick:
            before = clock()
            ours.tick(at_ms)
            ticks.append((clock() - before) / 1000)
            next_tick = at_ms + TICK_MS
    return sorted(messages), sorted(ticks)


def _warm(stream: streams.Stream, settings: Settings) -> Ours:
    ours = Ours(stream, settings)
    for at_ms, frame in stream.frames[: stream.warm_up]:
        ours.feed(at_ms, frame)
    gc.collect()
    gc.freeze()  # as the engine does after its warm-up
    return ours


def pybit_feed(symbols: Iterable[str]) -> Callable[[bytes], object]:
    """pybit's own message handler with its order book, without a connection."""
    from pybit.unified_trading import WebSocket

    logging.getLogger("pybit").setLevel(logging.CRITICAL)
    socket = WebSocket.__new__(WebSocket)
    socket.data, socket.subscriptions = {}, {}
    socket.callback = socket._handle_incoming_message  # noqa: SLF001  # the handler under test has no public name
    topics = [f"{kind}.{symbol}" for kind in ("orderbook.200", "publicTrade", "tickers") for symbol in symbols]
    socket.callback_directory = dict.fromkeys(topics, lambda _: None)
    return socket._on_message  # type: ignore[no-any-return]  # noqa: SLF001  # the same


def pybit_cpu(stream: streams.Stream, most: int) -> float:
    """pybit keeps an unsorted list per side: its figure is the cost of its book alone."""
    feed = pybit_feed(stream.instruments)
    books = [frame for _, frame in stream.frames if b'"orderbook.' in frame]
    snapshots = [frame for frame in books if b'"snapshot"' in frame[:100]]
    deltas = [frame for frame in books if b'"snapshot"' not in frame[:100]][:most]
    for frame in snapshots:
        feed(frame)
    started = time.process_time()
    for frame in deltas:
        feed(frame)
    return (time.process_time() - started) / len(deltas) * 1e6


def shared_peers(symbols: int) -> list[tuple[str, float]]:
    """ccxt and NautilusTrader as the shared peer benchmarks drive them, where their packages are installed."""
    try:
        import bookgen
        import impls
    except ImportError:
        return []
    made = bookgen.load(symbols)
    found = []
    for peer in (impls.Ccxt, impls.NautilusPy, impls.Bisect):
        try:
            one = peer()
            one.setup(made)
        except ImportError:
            continue
        for frame in made.snapshots:
            one.feed(frame)
        deltas = made.deltas[: one.limit]
        started = time.process_time()
        for frame in deltas:
            one.feed(frame)
        found.append((one.name, (time.process_time() - started) / len(deltas) * 1e6))
    return found


def report(stream: streams.Stream, settings: Settings, runs: int, limit: float) -> bool:
    measured = [cpu(stream, settings) for _ in range(runs)]
    per_frame = statistics.median(figure for figure, _, _ in measured)
    alone = stream.books_alone()
    per_message = statistics.median(cpu(alone, settings)[0] for _ in range(runs))
    with_ticks = statistics.median(figure for _, figure, _ in measured)
    markets = measured[-1][2].markets.values()
    quiet_runs = [latencies(stream, settings, time.perf_counter_ns) for _ in range(runs)]
    messages, ticks = min(quiet_runs, key=lambda run: _quantile(run[0], 0.999))
    messages_cpu, ticks_cpu = latencies(stream, settings, time.thread_time_ns)
    p999, p999_cpu = _quantile(messages, 0.999), _quantile(messages_cpu, 0.999)
    walls = sum(market.walls_seen for market in markets)
    ended = sum(market.walls_eaten + market.walls_pulled for market in markets)
    print(f"\n{stream.name}: {len(stream.frames):,} frames, {walls} walls built, {ended} of them eaten or pulled")
    print(f"  CPU per book message       {per_message:8.2f} us   limit {limit:5.1f}   {_mark(per_message, limit)}")
    print(f"  CPU per frame of any kind  {per_frame:8.2f} us, with the ticks' share {with_ticks:.2f} us")
    limit_event = LIMITS["event"]
    print(
        f"  p99.9 of a message, CPU    {p999_cpu:8.1f} us   limit {limit_event:5.1f}   {_mark(p999_cpu, limit_event)}"
    )
    print(f"  p99.9 of a message, wall   {p999:8.1f} us   limit {limit_event:5.1f}   {_mark(p999, limit_event)}")
    print(f"  wall of a message: p50 {_quantile(messages, 0.5):.1f}, p99 {_quantile(messages, 0.99):.1f} us")
    print(
        f"  a tick of all symbols: p50 {_quantile(ticks, 0.5):.1f} us wall,"
        f" p99 {_quantile(ticks, 0.99):.1f} us wall, {_quantile(ticks_cpu, 0.99):.1f} us CPU"
    )
    if any(market.gaps or market.resyncs or not market.live for market in markets):
        print("  NOT VALID: a book was lost on the way")
        return False
    return per_message <= limit and p999_cpu <= LIMITS["event"]


def _quantile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def _mark(figure: float, limit: float) -> str:
    return "ok" if figure <= limit else "OVER"


def measure(runs: int, quick: bool) -> bool:
    many = (None if quick else streams.peer_stream(40)) or streams.synthetic(40, 2_000 if quick else 20_000)
    real = streams.recording()
    ok = report(many, Settings(), runs, LIMITS["synthetic"])
    if real is None:
        print("\nreal recording: not here, left out")
    else:
        low = {"walls": {"floor_usdt": dict.fromkeys(("BTCUSDT", "ETHUSDT"), WALL_FLOOR_USDT), "relative_k": 2.5}}
        ok = report(real, Settings.model_validate(low), runs, LIMITS["real"]) and ok
    print("\npeers, CPU per message, book only (no walls, no integers, no gap check in pybit):")
    print(f"  {pybit_cpu(many, 300 if quick else 1_500):8.1f} us   pybit, {many.name}")
    if real is not None:
        print(f"  {pybit_cpu(real, 1_500):8.1f} us   pybit, {real.name}")
    for name, figure in [] if quick else shared_peers(40):
        print(f"  {figure:8.1f} us   {name}, 40 symbols")
    return ok


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--quick", action="store_true", help="fewer messages, own generator, pybit only")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="ingest-") as folder:
        if PEER_BENCH.exists():
            os.environ.setdefault("PEER_BENCH_DATA", folder)  # where the peers' generator keeps its stream
            sys.path.insert(0, str(PEER_BENCH))
        return 0 if measure(chosen.runs, chosen.quick) else 1


if __name__ == "__main__":
    sys.exit(main())
