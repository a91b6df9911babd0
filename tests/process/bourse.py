"""Embedded exchanges in a process of their own, which keeps their truth whoever dies: `python bourse.py`.

One JSON object a line on stdin, one on stdout for each. It ends when stdin does and not before: a
cockpit that leaves flat asks its exchange to end, and we still want to look at the books.

`{"open": SEED}` answers with where the exchange is and its keys, `{"truth": KEY}` with all it knows of the account,
`{"shut": KEY}` ends it with the same answer.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
from typing import Any

from breakwall.clock import SystemClock
from breakwall.ports import HttpAnswer, HttpRequest
from breakwall.venues.exchange import director
from breakwall.venues.exchange.director import Episode, Fate, Leg, Scenario, WallPlan
from breakwall.venues.exchange.exchange import Exchange
from breakwall.venues.exchange.server import Server, listening

RUSH = Episode((Leg(60, 600, 0.9),), tuple(WallPlan(3.0 * n, 30.0 * n - 8, 1.2, Fate.HELD, 55) for n in range(18)))
"""A trend from the first second on, and always a wall behind it: something to trade at once."""
director.EPISODES["rush"] = RUSH  # type: ignore[index] - a market for tests only
director.SCENARIOS["rush"] = Scenario(("rush",), {"rush": 1})  # type: ignore[index] - the same
SYMBOLS = ("SOLUSDT",)


class WatchedExchange(Exchange):
    """Remembers which orders it was asked for, also those it refused."""

    asked: list[str]

    def handle(self, request: HttpRequest, now_ms: int) -> HttpAnswer:
        if request.path == "/v5/order/create":
            self.asked.append(json.loads(request.body).get("orderLinkId", ""))
        return super().handle(request, now_ms)

    def truth(self) -> dict[str, Any]:
        orders = [*self.log.closed, *self.log.live()]
        return {
            "unprotected_ms": max(self.unprotected_ms(symbol) for symbol in self.listings),
            "positions": {symbol: held.lots for symbol, held in self.account.positions.items() if held.lots},
            "stops": {
                symbol: held.stop.trigger_ticks for symbol, held in self.account.positions.items() if held.stop
            },
            "orders": [order.link_id for order in orders if order.link_id],
            "entries": [order.link_id for order in orders if order.link_id and not order.reduce_only],
            "open": [order.link_id for order in self.log.live() if not order.stop_kind],
            "asked": self.asked,
            "fills": {row.exec_id: [row.link_id, row.side.sign * row.lots] for row in self.executions},
            "fees": str(sum(row.fee_usdt for row in self.executions)),
        }


class Bourse:
    """All exchanges that are open, by their keys."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[WatchedExchange, Server, contextlib.AsyncExitStack]] = {}
        self._opened = 0

    async def obey(self, wish: dict[str, Any]) -> dict[str, Any]:
        if "open" in wish:
            return await self._start(wish["open"], wish.get("scenario", "rush"), trade=wish.get("trade", False))
        word, key = next(iter(wish.items()))
        exchange, _, stack = self._open[key]
        if word == "shut":
            del self._open[key]
            await stack.aclose()
        return exchange.truth()

    async def _start(self, seed: int, scenario: str, *, trade: bool) -> dict[str, Any]:
        self._opened += 1
        clock, key = SystemClock(), f"key-{os.getpid()}-{self._opened}"
        exchange = WatchedExchange(seed, scenario, clock.now_ms(), symbols=SYMBOLS, api_key=key)
        exchange.asked = []
        server, stack = Server(exchange, clock), contextlib.AsyncExitStack()
        where = await stack.enter_async_context(listening(server, 0))
        self._open[key] = exchange, server, stack
        return {
            "http": where.http,
            "public": where.public,
            "private": where.private,
            "api_key": key,
            "api_secret": exchange.keys.api_secret,
            "pid": os.getpid(),
            "seed": seed,
            "scenario": scenario,
            **({"trade": where.trade} if trade else {}),
        }


async def main() -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    bourse, lines = Bourse(), asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async for line in lines:
        sys.stdout.write(json.dumps(await bourse.obey(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
