"""Streams of public Bybit frames to measure with: the real recording, and synthetic books.

A stream is instruments, frames as (milliseconds, bytes) and how many of the first ones only warm up.
"""

import json
import random
from bisect import bisect_left, insort
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from breakwall.model.units import Instrument

SHARED = Path(__file__).parents[1] / "../shared"
RECORDING = SHARED / "data/bybit_v5/linear_BTCUSDT_ETHUSDT_20260809.jsonl.zst"
DEPTH = 200
START_MS = 1_700_000_000_000
# Decimals of price and size, mid in ticks, typical lots of a level.
KINDS = ((2, 3, 10_350_055, 900), (2, 2, 341_250, 4_000), (3, 1, 182_344, 9_000), (4, 0, 61_877, 30_000))


@dataclass(frozen=True)
class Stream:
    name: str
    instruments: dict[str, Instrument]
    frames: list[tuple[int, bytes]]
    warm_up: int

    def books_alone(self) -> "Stream":
        """The same without trades, tickers and acknowledgements, which are cheaper and would flatter the mean."""
        kept = [(at_ms, frame) for at_ms, frame in self.frames if b'"orderbook.' in frame]
        warm_up = sum(b'"orderbook.' in frame for _, frame in self.frames[: self.warm_up])
        return Stream(self.name, self.instruments, kept, warm_up)


def recording() -> Stream | None:
    """The real BTC and ETH recording, or None where it is not here."""
    from backports.zstd import decompress

    if not RECORDING.exists():
        return None
    records = map(json.loads, decompress(RECORDING.read_bytes()).splitlines())
    frames = [(int(row["ts"] * 1000), row["data"].encode()) for row in records if row["t"] == "recv"]
    rules = {"BTCUSDT": ("0.10", "0.001"), "ETHUSDT": ("0.01", "0.01")}
    return Stream("real recording, BTC and ETH", {s: _rule(s, *steps) for s, steps in rules.items()}, frames, 40)


def synthetic(symbols: int, deltas: int, seed: int = 7) -> Stream:
    """Books of 200 levels a side: one snapshot each, then deltas that are the difference of two windows."""
    rng = random.Random(seed)
    books = [_Book(random.Random(rng.random()), f"COIN{n:03d}USDT", KINDS[n % len(KINDS)]) for n in range(symbols)]
    frames = [(START_MS, book.message("snapshot", *book.windows(), START_MS)) for book in books]
    for n in range(deltas):
        at_ms = START_MS + (n + 1) * 100 // symbols  # ten messages a second each, as the venue pushes them
        frames.append((at_ms, rng.choice(books).delta(at_ms)))
    rules = {book.symbol: _rule(book.symbol, *(f"1e-{d}" for d in book.decimals)) for book in books}
    return Stream(f"{symbols} synthetic symbols", rules, frames, symbols)


def peer_stream(symbols: int) -> Stream | None:
    """The stream of the shared peer benchmarks (its generator's folder on `sys.path`), or None."""
    try:
        import bookgen  # type: ignore[import-not-found]  # lives beside the project, not in it
    except ImportError:
        return None
    made = bookgen.load(symbols)
    frames = [(START_MS, frame) for frame in made.snapshots]
    frames += [(START_MS + (n + 1) * 100 // symbols, frame) for n, frame in enumerate(made.deltas)]
    rules = {symbol: _rule(symbol, *(f"1e-{d}" for d in kind)) for symbol, kind in made.kinds.items()}
    return Stream(f"{symbols} symbols of the peer benchmarks", rules, frames, symbols)


def _rule(symbol: str, tick: str, lot: str) -> Instrument:
    return Instrument(symbol, Decimal(tick), Decimal(lot), 1, 10**12, 10**12)


class _Book:
    def __init__(self, rng: random.Random, symbol: str, kind: tuple[int, int, int, int]) -> None:
        self.rng, self.symbol = rng, symbol
        *decimals, self.mid, self.scale = kind
        self.decimals = tuple(decimals)
        self.update_id, self.seq = rng.randrange(10**6), rng.randrange(10**9)
        self.sides: list[dict[int, int]] = []
        self.prices: list[list[int]] = []  # best first; bids negative
        for touch in (-self.mid, self.mid + 1):
            prices = [touch]
            while len(prices) < 2 * DEPTH:
                prices.append(prices[-1] + 1 + int(rng.expovariate(0.8)))
            self.prices.append(prices)
            self.sides.append({price: self._lots() for price in prices})

    def windows(self) -> tuple[dict[int, int], dict[int, int]]:
        bids, asks = (
            {p: side[p] for p in prices[:DEPTH]} for side, prices in zip(self.sides, self.prices, strict=True)
        )
        return bids, asks

    def delta(self, at_ms: int) -> bytes:
        before = self.windows()
        for _ in range(4 + int(self.rng.expovariate(1 / 9))):
            self._change(self.rng.randrange(2))
        after = self.windows()
        bids, asks = (
            {price: now.get(price, 0) for price in then | now if then.get(price) != now.get(price)}
            for then, now in zip(before, after, strict=True)
        )
        return self.message("delta", bids, asks, at_ms)

    def message(self, kind: str, bids: dict[int, int], asks: dict[int, int], at_ms: int) -> bytes:
        self.update_id += 1
        self.seq += self.rng.randrange(3, 90)
        data = {
            "s": self.symbol,
            "b": [self._level(price, lots) for price, lots in bids.items()],
            "a": [self._level(price, lots) for price, lots in asks.items()],
            "u": self.update_id,
            "seq": self.seq,
        }
        frame = {"topic": f"orderbook.200.{self.symbol}", "type": kind, "ts": at_ms, "data": data, "cts": at_ms - 3}
        return json.dumps(frame, separators=(",", ":")).encode()

    def _change(self, n: int) -> None:
        side, prices, rng = self.sides[n], self.prices[n], self.rng
        at = min(int(rng.expovariate(1 / 18)), DEPTH - 1)
        what = rng.random()
        if what < 0.7:
            side[prices[at]] = self._lots()
        elif what < 0.85:
            price = prices[at] + 1
            if price not in side:
                insort(prices, price)
                side[price] = self._lots()
        elif len(prices) > DEPTH + 20:
            price = prices[max(at, 1)]
            del prices[bisect_left(prices, price)], side[price]
        else:
            price = prices[-1] + 1
            prices.append(price)
            side[price] = self._lots()

    def _lots(self) -> int:
        lots = self.rng.lognormvariate(0, 1.1) * self.scale
        return max(1, int(lots * self.rng.uniform(8, 40) if self.rng.random() < 0.02 else lots))

    def _level(self, price: int, lots: int) -> list[str]:
        price_decimals, size_decimals = self.decimals
        ticks = Decimal(abs(price)).scaleb(-price_decimals)
        return [f"{ticks:f}", f"{Decimal(lots).scaleb(-size_decimals):f}" if lots else "0"]
