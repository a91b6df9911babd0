"""A crowded market: many books of 200 levels a side, pushed as the venue pushes them, over real sockets.

    python benchmarks/crowd.py --symbols 600

A process of its own, so that the load costs the measured one nothing but its reading. Each symbol sends a book
delta each 100 ms, five trades a second in frames of their own and a ticker each second, all evenly spread: frames
leave each millisecond, never in the lumps that would make reading cheap. Books are those of the real recording,
where it is found, played forth and back by every symbol from its own place, or synthetic ones; REST and the
private socket are the embedded exchange's.

`seq` of books and trades is the sender's monotonic clock in microseconds: the reader knows how old a message is.
Prints where it is in one JSON line, then what it has sent so far for each line it reads; ends with stdin.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aiohttp import WSMsgType, web
from msgspec import structs

import streams
from breakwall.clock import SystemClock
from breakwall.model.units import Instrument
from breakwall.venues.exchange.exchange import Exchange
from breakwall.venues.exchange.instruments import INSTRUMENTS
from breakwall.venues.exchange.server import HOST, Server, listening
from loud import framed, tell

BOOKS_S, TRADES_S, TICKERS_S = 10.0, 5.0, 1.0
"""Frames a second of each symbol."""
PAUSE_S = 0.001
MINUTE_MS = 60_000
Level = list[str]
Window = tuple[dict[str, str], dict[str, str]]


@dataclass(frozen=True)
class Reel:
    """One book's life as frames that any symbol can play: it ends where it began."""

    rule: Instrument
    windows: list[Window]  # bids, asks: size by price, before each frame
    books: list[bytes]
    trades: list[bytes]
    tickers: list[bytes]

    def snapshot(self, at: int) -> bytes:
        bids, asks = self.windows[at]
        levels = [sorted(side.items(), key=lambda level: float(level[0])) for side in (bids, asks)]
        return _book("snapshot", levels[0][::-1], levels[1])


class Player:
    """One symbol at its place of a reel."""

    def __init__(self, symbol: str, reel: Reel, at: int) -> None:
        self.symbol, self.reel, self.at = symbol, reel, at
        self._name = symbol.encode()
        self._update = 1000 + at

    def first(self, seq: int, at_ms: int) -> bytes:
        self._update += 1
        return self.reel.snapshot(self.at) % (self._name, at_ms, self._name, self._update, seq, at_ms)

    def book(self, seq: int, at_ms: int) -> bytes:
        piece = self.reel.books[self.at]
        self.at = (self.at + 1) % len(self.reel.books)
        self._update += 1
        return piece % (self._name, at_ms, self._name, self._update, seq, at_ms)

    def trade(self, seq: int, at_ms: int) -> bytes:
        return self.reel.trades[self.at] % (self._name, at_ms, at_ms, self._name, seq, seq)

    def first_ticker(self, seq: int, at_ms: int) -> bytes:
        return self.ticker(seq, at_ms).replace(b'"delta"', b'"snapshot"', 1)

    def ticker(self, seq: int, at_ms: int) -> bytes:
        return self.reel.tickers[self.at] % (self._name, self._name, seq, at_ms)


class Rounds:
    """Whose frame of a kind is due: each symbol at its rate, one after the other."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._debt = 0.0
        self._turn = 0

    def due(self, passed_s: float, players: list[Player]) -> Iterator[Player]:
        self._debt += passed_s * self._rate * len(players)
        frames = int(self._debt)
        self._debt -= frames
        for _ in range(frames):
            self._turn += 1
            yield players[self._turn % len(players)]


class Station:
    """Plays what each socket has subscribed; a symbol's trades and tickers follow its book."""

    def __init__(self, players: dict[str, Player]) -> None:
        self._players = players
        self._lines: dict[str, asyncio.Transport] = {}
        self._on_air: list[Player] = []
        self.sent = {"books": 0, "trades": 0, "tickers": 0}

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        line = request.transport
        assert line is not None, "a request that is being answered has a connection"
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._answer(line, json.loads(message.data))
        finally:
            self._tune({symbol: where for symbol, where in self._lines.items() if where is not line})
        return socket

    def _answer(self, line: asyncio.Transport, asked: dict[str, Any]) -> None:
        words = {"success": True, "ret_msg": "", "op": asked["op"], "req_id": asked.get("req_id", ""), "conn_id": "1"}
        line.write(framed(json.dumps(words).encode()))
        lines = dict(self._lines)
        seq, at_ms = time.monotonic_ns() // 1000, time.time_ns() // 1_000_000
        for topic in asked.get("args", ()):
            kind, _, rest = topic.partition(".")
            player = self._players[rest.rpartition(".")[2]]
            if kind == "tickers" and asked["op"] == "subscribe":
                line.write(framed(player.first_ticker(seq, at_ms)))
            elif kind == "orderbook" and asked["op"] == "subscribe":
                lines[player.symbol] = line
                line.write(framed(player.first(seq, at_ms)))
            elif kind == "orderbook":
                lines.pop(player.symbol, None)
        self._tune(lines)

    def _tune(self, lines: dict[str, asyncio.Transport]) -> None:
        self._lines = lines
        self._on_air = [player for symbol, player in self._players.items() if symbol in lines]

    async def play(self) -> None:
        rounds = [
            ("books", Rounds(BOOKS_S), Player.book),
            ("trades", Rounds(TRADES_S), Player.trade),
            ("tickers", Rounds(TICKERS_S), Player.ticker),
        ]
        before = time.monotonic()
        while True:
            await asyncio.sleep(PAUSE_S)
            passed, before = time.monotonic() - before, time.monotonic()
            batches: dict[asyncio.Transport, bytearray] = {}
            at_ms = time.time_ns() // 1_000_000
            for name, round_, frame in rounds:
                for player in round_.due(passed, self._on_air):
                    batch = batches.setdefault(self._lines[player.symbol], bytearray())
                    batch += framed(frame(player, time.monotonic_ns() // 1000, at_ms))
                    self.sent[name] += 1
            for line, batch in batches.items():
                line.write(bytes(batch))


def reels() -> list[Reel]:
    """Of the real recording, or of synthetic books."""
    stream = streams.recording() or streams.synthetic(4, 1_600)
    return [_reel(symbol, rule, stream) for symbol, rule in stream.instruments.items()]


def _reel(symbol: str, rule: Instrument, stream: streams.Stream) -> Reel:
    messages = [
        json.loads(frame) for _, frame in stream.frames if b'"orderbook.' in frame and symbol.encode() in frame
    ]
    bids, asks = (dict(messages[0]["data"][side]) for side in "ba")
    windows, steps = [(bids, asks)], []
    for message in messages[1:]:
        before, changed = windows[-1], [message["data"][side] for side in "ba"]
        after = tuple(_changed(side, levels) for side, levels in zip(before, changed, strict=True))
        back = [
            [[price, side.get(price, "0")] for price, _ in levels]
            for side, levels in zip(before, changed, strict=True)
        ]
        steps.append((changed, back))
        windows.append((after[0], after[1]))
    forth = [_book("delta", *changed) for changed, _ in steps]
    books = forth + [_book("delta", *back) for _, back in reversed(steps)]
    windows = windows + windows[-2:0:-1]
    touches = [(max(bids, key=float), min(asks, key=float)) for bids, asks in windows]
    trades = [_trade(*((ask, "Buy") if n % 2 else (bid, "Sell")), rule) for n, (bid, ask) in enumerate(touches)]
    return Reel(rule, windows, books, trades, [_ticker(bid, n) for n, (bid, _) in enumerate(touches)])


def _changed(side: dict[str, str], levels: list[Level]) -> dict[str, str]:
    return {price: size for price, size in (side | dict(levels)).items() if float(size)}


def _book(kind: str, bids: Any, asks: Any) -> bytes:
    sides = [json.dumps([list(level) for level in side], separators=(",", ":")) for side in (bids, asks)]
    text = (
        f'{{"topic":"orderbook.{streams.DEPTH}.%b","type":"{kind}","ts":%d,"data":{{"s":"%b",'
        f'"b":{sides[0]},"a":{sides[1]},"u":%d,"seq":%d}},"cts":%d}}'
    )
    return text.encode()


def _trade(price: str, side: str, rule: Instrument) -> bytes:
    text = (
        f'{{"topic":"publicTrade.%b","type":"snapshot","ts":%d,"data":[{{"T":%d,"s":"%b","S":"{side}",'
        f'"v":"{rule.lot}","p":"{price}","L":"ZeroPlusTick","i":"%036d","BT":false,"RPI":false,"seq":%d}}]}}'
    )
    return text.encode()


def _ticker(price: str, n: int) -> bytes:
    """Every tenth also tells what changes seldom."""
    more = (
        '"price24hPcnt":"0.001624","turnover24h":"1142118412.9021","openInterest":"59891.732",' if n % 10 == 0 else ""
    )
    text = (
        f'{{"topic":"tickers.%b","type":"delta","data":{{"symbol":"%b",{more}"markPrice":"{price}",'
        f'"indexPrice":"{price}","bid1Price":"{price}","bid1Size":"6.054"}},"cs":%d,"ts":%d}}'
    )
    return text.encode()


def cast(symbols: int) -> dict[str, Player]:
    """So many symbols, each playing one of the reels from a place of its own."""
    made = reels()
    names = [f"COIN{n:03d}USDT" for n in range(symbols)]
    pairs = [(name, made[n % len(made)], n) for n, name in enumerate(names)]
    return {name: Player(name, reel, 37 * n % len(reel.books)) for name, reel, n in pairs}


async def serve(symbols: int) -> None:
    clock = SystemClock()
    players = cast(symbols)
    INSTRUMENTS.update({name: structs.replace(player.reel.rule, symbol=name) for name, player in players.items()})
    key = f"crowd-{time.time_ns()}"
    bank = Exchange(1, None, clock.now_ms(), symbols=players, api_key=key, api_secret=key, step_ms=1_000)
    station = Station(players)
    app = web.Application()
    app.router.add_get("/v5/public/linear", station.serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    public = f"ws://{HOST}:{runner.addresses[0][1]}/v5/public/linear"
    playing = asyncio.create_task(station.play())
    async with listening(Server(bank, clock), 0) as where:
        place = {"http": where.http, "public": public, "private": where.private, "trade": where.trade}
        tell(place | {"api_key": key, "api_secret": key, "symbols": tuple(players)})
        loop = asyncio.get_running_loop()
        while await loop.run_in_executor(None, sys.stdin.readline):
            tell({**station.sent, "cpu_s": time.process_time()})
    playing.cancel()
    await runner.cleanup()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    options.add_argument("--symbols", type=int, default=600)
    asyncio.run(serve(options.parse_args().symbols))


if __name__ == "__main__":
    main()
