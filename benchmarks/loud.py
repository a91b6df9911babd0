"""A loud market: 40 books of 200 levels a side, 6,000 public messages a second, over a real socket.

    python benchmarks/loud.py [--symbols 40] [--rate 6000]

A process of its own, so that the load costs the measured one nothing but its reading. Public frames are
prepared rounds that are played again and again; REST and the private socket are the embedded exchange's.
The first symbol is the one on the screen: as many level changes a second as BTC in the real recording
(about 170, so that 12 % of its levels differ from a second before), 75 trades a second, a price that moves
and walls that stand and erode. The others change 13 levels a message, as the ingest benchmark's.

`seq` of books and trades is the sender's monotonic clock in microseconds: the reader knows how old a message is.
Prints where it is in one JSON line; then one line for each order request that arrives, with the same clock.
Reads from stdin: `open` (buy a little of the first symbol, as another client of the account); ends with it.
"""

import argparse
import asyncio
import json
import random
import signal
import sys
import time
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from aiohttp import WSMsgType, web

from breakwall.clock import SystemClock
from breakwall.model.units import Instrument, Side
from breakwall.ports import HttpAnswer, HttpRequest
from breakwall.venues.exchange.exchange import Exchange
from breakwall.venues.exchange.instruments import INSTRUMENTS
from breakwall.venues.exchange.server import HOST, Server, listening

SEEN = "BTCUSDT"
DEPTH = 200
ROUND = {"book": 130, "trades": 15, "ticker": 5}
"""What 150 messages of a symbol are; five trades in each frame of trades."""
SEEN_ROUNDS, OTHER_ROUNDS = 60, 3  # seconds until a tune turns back
PAUSE_S = 0.004
# Decimals of price and size, first bid in ticks, typical lots of a level.
KINDS = ((2, 3, 10_350_055, 900), (2, 2, 341_250, 4_000), (3, 1, 182_344, 9_000), (4, 0, 61_877, 30_000))
SEEN_KIND = (1, 3, 651_142, 300)
Levels = dict[int, int]


class Book:
    """Lots by price on a fixed grid; the bid wanders about its origin, walls stand off its way."""

    def __init__(self, rng: random.Random, symbol: str, kind: tuple[int, int, int, int]) -> None:
        self.rng, self.symbol = rng, symbol
        *decimals, self.origin, self.scale = kind
        self.price_decimals, self.size_decimals = decimals
        self.bid = self.origin
        self.lots = {self.origin + away: self._size() for away in range(-600, 601) if rng.random() < 0.6}
        self.walls = {self.origin + away: 80 * self.scale for away in (-160, -95, -60, 60, 95, 160)}
        self.lots |= self.walls | {self.bid: self._size(), self.bid + 1: self._size()}

    @property
    def rule(self) -> Instrument:
        tick, lot = (Decimal(1).scaleb(-decimals) for decimals in (self.price_decimals, self.size_decimals))
        return Instrument(self.symbol, tick, lot, 1, 10**12, 10**12, price_decimals=self.price_decimals)

    def window(self) -> tuple[Levels, Levels]:
        """The best levels of bids and asks."""
        return self._best(self.bid, -1), self._best(self.bid + 1, 1)

    def change(self, levels: int) -> None:
        """So many levels get another size, come or go; a wall loses a little.

        As in real books, most of the changes are those of few levels that never rest: here each eighth price.
        """
        for _ in range(levels):
            away = int(self.rng.expovariate(1 / 100))
            bid = self.rng.random() < 0.5
            price = self.bid - away if bid else self.bid + 1 + away
            if self.rng.random() < 0.9:
                price += -(price % 8) if bid else -price % 8
            if price in self.walls:
                left = self.lots[price] * 0.97
                self.lots[price] = int(left) if left > self.walls[price] * 0.4 else self.walls[price]
            elif away and price in self.lots and self.rng.random() < 0.3:
                del self.lots[price]
            else:
                self.lots[price] = self._size()

    def walk(self) -> None:
        """The price moves by one to six ticks, rather home than away."""
        up = self.rng.random() < 0.5 - (self.bid - self.origin) / 80
        self.bid += self.rng.randint(1, 6) * (1 if up else -1)
        self.lots[self.bid], self.lots[self.bid + 1] = self._size(), self._size()

    def level(self, price: int, lots: int) -> list[str]:
        return [self.price_text(price), f"{lots / 10**self.size_decimals:.{self.size_decimals}f}" if lots else "0"]

    def price_text(self, price: int) -> str:
        return f"{price / 10**self.price_decimals:.{self.price_decimals}f}"

    def _best(self, price: int, step: int) -> Levels:
        best: Levels = {}
        while len(best) < DEPTH:
            lots = self.lots.get(price)
            if lots:
                best[price] = lots
            price += step
            if abs(price - self.origin) > 600:
                break
        return best

    def _size(self) -> int:
        lots = self.rng.lognormvariate(0, 1.1) * self.scale
        return max(1, int(lots * self.rng.uniform(4, 12) if self.rng.random() < 0.02 else lots))


@dataclass(frozen=True)
class Piece:
    """One prepared frame: a template, and what its numbers are: the clock's, or an update id first."""

    template: bytes
    kind: str
    trades: int = 0

    def frame(self, update: int, seq: int, at_ms: int) -> bytes:
        if self.kind == "book":
            return self.template % (update, seq, at_ms, at_ms)
        if self.kind == "trades":
            return self.template % (at_ms, *(seq, at_ms, seq) * self.trades)
        return self.template % at_ms


class Tune:
    """One symbol's prepared frames, forth and back to its snapshot again: no message is larger than most."""

    def __init__(self, rng: random.Random, symbol: str, kind: tuple[int, int, int, int], seen: bool) -> None:
        self.book = Book(rng, symbol, kind)
        self.seen = seen
        self.first = self.book.window()
        self.snapshot = self._book_piece("snapshot", self.first)
        self.pieces = self._play(SEEN_ROUNDS if seen else OTHER_ROUNDS)
        self.at = 0
        self.update = rng.randrange(1000, 10**6)

    def next(self, seq: int, at_ms: int) -> bytes:
        piece = self.pieces[self.at]
        self.at = (self.at + 1) % len(self.pieces)
        self.update += piece.kind == "book"
        return piece.frame(self.update, seq, at_ms)

    def restart(self, seq: int, at_ms: int) -> bytes:
        """The snapshot, after which the tune plays from its beginning."""
        self.at = 0
        self.update += 1
        return self.snapshot.frame(self.update, seq, at_ms)

    def _play(self, rounds: int) -> list[Piece]:
        total = sum(ROUND.values())
        kinds = [kind for kind, count in ROUND.items() for _ in range(count)]
        self.book.rng.shuffle(kinds)
        before, forth, back = self.first, [], []
        for n in range(rounds * total):
            kind = kinds[n % total]
            if n % total == 0:
                self.book.walk()
            if kind == "book":
                self.book.change(1 + (n % 3 == 0) if self.seen else 4 + int(self.book.rng.expovariate(1 / 9)))
                after = self.book.window()
                forth.append(self._book_piece("delta", _difference(before, after)))
                back.append(self._book_piece("delta", _difference(after, before)))
                before = after
            else:
                forth.append(self._trades_piece() if kind == "trades" else self._ticker_piece())
                back.append(forth[-1])
        return forth + back[::-1]

    def _book_piece(self, kind: str, levels: tuple[Levels, Levels]) -> Piece:
        bids, asks = ([self.book.level(*level) for level in side.items()] for side in levels)
        text = (
            f'{{"topic":"orderbook.{DEPTH}.{self.book.symbol}","type":"{kind}","data":{{"s":"{self.book.symbol}",'
            f'"b":{_json(bids)},"a":{_json(asks)},"u":%d,"seq":%d}},"ts":%d,"cts":%d}}'
        )
        return Piece(text.encode(), "book")

    def _trades_piece(self) -> Piece:
        rng, rows = self.book.rng, []
        for n in range(5):
            buy = rng.random() < 0.5
            price, size = self.book.level(self.book.bid + buy, 1 + int(rng.expovariate(8 / self.book.scale)))
            rows.append(
                f'{{"T":%d,"s":"{self.book.symbol}","S":"{"Buy" if buy else "Sell"}","v":"{size}","p":"{price}",'
                f'"i":"%d-{n}","BT":false,"seq":%d}}'
            )
        text = f'{{"topic":"publicTrade.{self.book.symbol}","type":"snapshot","ts":%d,"data":[{",".join(rows)}]}}'
        return Piece(text.encode(), "trades", len(rows))

    def _ticker_piece(self) -> Piece:
        price = self.book.price_text(self.book.bid)
        text = (
            f'{{"topic":"tickers.{self.book.symbol}","type":"snapshot","data":{{"symbol":"{self.book.symbol}",'
            f'"markPrice":"{price}","indexPrice":"{price}","lastPrice":"{price}","fundingRate":"0.0001",'
            f'"nextFundingTime":"4102444800000","turnover24h":"1200000000","price24hPcnt":"0.0123"}},"ts":%d}}'
        )
        return Piece(text.encode(), "ticker")


class Loudspeaker:
    """Plays all subscribed tunes to one reader at a rate, stamped as they leave."""

    def __init__(self, tunes: dict[str, Tune], rate: float) -> None:
        self._tunes = tunes
        self._rate = rate
        self._playing: dict[str, Tune] = {}

    async def talk(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        assert request.transport is not None, "a request that is being answered has a connection"
        self._playing.clear()
        playing = asyncio.create_task(self._play(request.transport))
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await self._answer(socket, json.loads(message.data))
        finally:
            playing.cancel()
        return socket

    async def _answer(self, socket: web.WebSocketResponse, asked: dict[str, Any]) -> None:
        answer = {
            "success": True,
            "ret_msg": "",
            "op": asked["op"],
            "req_id": asked.get("req_id", ""),
            "conn_id": "1",
        }
        await socket.send_str(json.dumps(answer))
        for topic in asked.get("args", ()):
            symbol = topic.rpartition(".")[2]
            if not topic.startswith("orderbook."):
                continue
            if asked["op"] == "unsubscribe":
                self._playing.pop(symbol, None)
            else:
                tune = self._playing[symbol] = self._tunes[symbol]
                await socket.send_str(tune.restart(time.monotonic_ns() // 1000, time.time_ns() // 1_000_000).decode())

    async def _play(self, line: asyncio.Transport) -> None:
        """Frames are put on the line as bytes: unmasked text, as servers send it, without one call each."""
        per_symbol = self._rate / len(self._tunes)
        turn, began, debt = 0, time.monotonic(), 0.0
        while True:
            await asyncio.sleep(PAUSE_S)
            now = time.monotonic()
            debt += (now - began) * per_symbol * len(self._playing)
            began = now
            names = tuple(self._playing)
            batch = bytearray()
            for _ in range(int(debt) if names else 0):
                turn += 1
                tune = self._playing[names[turn % len(names)]]
                batch += framed(tune.next(time.monotonic_ns() // 1000, time.time_ns() // 1_000_000))
            debt -= int(debt)
            line.write(bytes(batch))


class Bank(Exchange):
    """The embedded exchange, telling when an order request arrives."""

    def handle(self, request: HttpRequest, now_ms: int) -> HttpAnswer:
        if request.path == "/v5/order/create" and "x-own" not in request.headers:
            tell({"order": json.loads(request.body), "at_ns": time.monotonic_ns()})
        return super().handle(request, now_ms)

    def buy(self, book: Book, now_ms: int) -> None:
        """A market order with a stop, as another client of the account would send it."""
        price = book.rule.price_text(book.origin - 400)
        lots = max(1, int(50_000 / (book.origin * float(book.rule.usdt_per_tick_lot)) / 50))
        body = {
            "category": "linear",
            "symbol": book.symbol,
            "side": "Buy",
            "orderType": "Market",
            "qty": book.rule.qty_text(lots),
            "stopLoss": price,
        }
        text = json.dumps(body)
        names = {"x-bapi-api-key": self.keys.api_key, "x-bapi-timestamp": str(now_ms), "x-own": "1"}
        names["x-bapi-sign"] = self.keys.sign(f"{now_ms}{self.keys.api_key}5000{text}")
        answer = self.handle(HttpRequest("POST", "", "/v5/order/create", body=text.encode(), headers=names), now_ms)
        tell({"opened": json.loads(answer.body)["retMsg"]})

    def furnish(self, tune: Tune) -> None:
        """The book that our orders meet: that of the tune's beginning, wide enough for all its wandering."""
        listing = self.listings[tune.book.symbol]
        listing.set_prices(tune.book.rule.price(tune.book.origin))
        for side, levels in zip((Side.BUY, Side.SELL), tune.first, strict=True):
            for price, lots in levels.items():
                listing.book.add("market", side, price, lots, now_ms=self.now_ms)


def make(symbols: int) -> dict[str, Tune]:
    rng = random.Random(7)
    tunes = {SEEN: Tune(rng, SEEN, SEEN_KIND, seen=True)}
    for n in range(1, symbols):
        symbol = f"COIN{n:03d}USDT"
        tunes[symbol] = Tune(rng, symbol, KINDS[n % len(KINDS)], seen=False)
    return tunes


def tell(words: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


async def serve(symbols: int, rate: float) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a cockpit that leaves ends its exchange; this one has more to do
    clock = SystemClock()
    tunes = make(symbols)
    INSTRUMENTS.update({symbol: tune.book.rule for symbol, tune in tunes.items()})
    key = f"loud-{time.time_ns()}"
    bank = Bank(1, None, clock.now_ms(), symbols=tunes, api_key=key, api_secret=key)
    for tune in tunes.values():
        bank.furnish(tune)
    app = web.Application()
    app.router.add_get("/v5/public/linear", Loudspeaker(tunes, rate).talk)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    public = f"ws://{HOST}:{runner.addresses[0][1]}/v5/public/linear"
    async with listening(Server(bank, clock), 0) as where:
        place = {"http": where.http, "public": public, "private": where.private}
        tell(place | {"api_key": key, "api_secret": key, "symbols": tuple(tunes)})
        loop = asyncio.get_running_loop()
        while word := (await loop.run_in_executor(None, sys.stdin.readline)).strip():
            if word == "open":
                bank.buy(tunes[SEEN].book, clock.now_ms())
    await runner.cleanup()


def _difference(before: tuple[Levels, Levels], after: tuple[Levels, Levels]) -> tuple[Levels, Levels]:
    """Changed levels of both sides, 0 lots for those that are gone."""
    bids, asks = (
        {price: now.get(price, 0) for price in then | now if then.get(price) != now.get(price)}
        for then, now in zip(before, after, strict=True)
    )
    return bids, asks


def framed(payload: bytes) -> bytes:
    """A WebSocket text frame of a server (RFC 6455, section 5.2)."""
    size = len(payload)
    head = bytes((0x81, size)) if size < 126 else b"\x81\x7e" + size.to_bytes(2, "big")
    return head + payload


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    options.add_argument("--symbols", type=int, default=40)
    options.add_argument("--rate", type=float, default=6000.0)
    chosen = options.parse_args()
    asyncio.run(serve(chosen.symbols, chosen.rate))


if __name__ == "__main__":
    main()
