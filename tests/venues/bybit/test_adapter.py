"""Feed and broker against the embedded exchange over real sockets on loopback."""

import asyncio
import random
from collections.abc import Callable
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest

from breakwall.clock import SystemClock
from breakwall.model.actions import Approved, CancelOrder, MoveStop, OrderKind, PlaceOrder, TimeInForce
from breakwall.model.events import (
    BadFrame,
    BookDelta,
    BookLost,
    BookSnapshot,
    Fills,
    Link,
    LinkChanged,
    OrderReports,
    OutcomeKind,
    ReadBack,
)
from breakwall.model.units import Side
from breakwall.ports import TransportError, VenueError
from breakwall.settings import VenueSettings
from breakwall.venues.bybit.broker import BybitBroker
from breakwall.venues.bybit.endpoints import CREATE, Urls
from breakwall.venues.bybit.feed import BybitFeed
from breakwall.venues.exchange.exchange import Exchange
from breakwall.venues.exchange.server import Server, listening
from breakwall.venues.transport import AiohttpTransport

SYMBOL = "ETHUSDT"
SETTINGS = VenueSettings(reconnect_first_s=0.05)


class Overheard(AiohttpTransport):
    """`posted` are the paths of what was written over REST; no socket is had whose address ends with `refused`."""

    def __init__(self) -> None:
        super().__init__()
        self.posted: list[str] = []
        self.refused = "nowhere"

    async def connect(self, url):
        if url.endswith(self.refused):
            raise TransportError("connection refused", sent=False)
        return await super().connect(url)

    async def request(self, request):
        if request.method == "POST":
            self.posted.append(request.path)
        return await super().request(request)


class Desk:
    """An exchange, and everything of ours that talks to it."""

    def __init__(self, server: Server, urls: Urls, key: str, secret: str, notebook) -> None:
        self.server = server
        self.exchange = server.exchange
        self.notebook = notebook
        self.transport = Overheard()
        clock, rng = SystemClock(), random.Random(1)
        self.broker = BybitBroker(self.transport, clock, notebook, urls, key, secret, SETTINGS, Decimal(10), rng)
        self.feed = BybitFeed(self.transport, clock, notebook, urls.public, SETTINGS, self.broker.instruments, rng)

    async def until(self, condition: Callable[[], object], what: str) -> None:
        for _ in range(6000):
            if condition():
                return
            await asyncio.sleep(0.01)
        pytest.fail(f"waited in vain for {what}; events: {[type(e).__name__ for e in self.notebook.events]}")

    def mark_ticks(self) -> int:
        listing = self.exchange.listings[SYMBOL]
        return listing.instrument.ticks_near(listing.mark)

    async def read_back(self) -> ReadBack:
        back = await self.broker.read_back("proof", self.exchange.now_ms)
        assert isinstance(back, ReadBack), back
        return back

    async def open_long(self, client_id: str = "bw-1-1-e", lots: int = 50):
        mark = self.mark_ticks()
        entry = PlaceOrder(
            client_id,
            "1-1",
            SYMBOL,
            0,
            "test",
            Side.BUY,
            OrderKind.LIMIT,
            lots,
            TimeInForce.IOC,
            mark + 50,
            stop_ticks=mark - 1000,
        )
        return entry, await self.broker.execute(Approved(entry, False))


@asynccontextmanager
async def desk(notebook):
    clock = SystemClock()
    server = Server(Exchange(4711, "calm", clock.now_ms(), symbols=[SYMBOL]), clock)
    async with listening(server, 0) as where:
        urls = Urls(where.http, where.public, where.private, where.trade)
        made = Desk(server, urls, where.api_key, where.api_secret, notebook)
        running: list[asyncio.Task[None]] = []
        try:
            await made.broker.prepare([SYMBOL])
            made.feed.subscribe({SYMBOL: 200})
            running = [asyncio.ensure_future(made.feed.run()), asyncio.ensure_future(made.broker.run())]
            await made.until(lambda: len([x for x in notebook.of(LinkChanged) if x.up]) == 3, "all links up")
            yield made
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            await made.transport.close()


def book_of(notebook) -> tuple[dict[int, int], dict[int, int]]:
    """The book from all events so far, the plain way."""
    bids: dict[int, int] = {}
    asks: dict[int, int] = {}
    for event in notebook.events:
        if isinstance(event, BookSnapshot):
            bids, asks = dict(event.bids), dict(event.asks)
        elif isinstance(event, BookDelta):
            for side, levels in ((bids, event.bids), (asks, event.asks)):
                for ticks, lots in levels:
                    side[ticks] = lots
                    if not lots:
                        del side[ticks]
    return bids, asks


@pytest.mark.asyncio
async def test_the_book_is_the_exchange_s_book(notebook) -> None:
    async with desk(notebook) as d:
        await d.until(lambda: len(notebook.of(BookDelta)) > 5, "book messages")
        ids = [event.update_id for event in notebook.of(BookSnapshot) + notebook.of(BookDelta)]
        assert ids == list(range(ids[0], ids[0] + len(ids)))
        d.exchange.market = None  # the last moves are published, then the book stands still
        book = d.exchange.listings[SYMBOL].book
        standing = tuple(dict(book.depth(side, 200)) for side in (Side.BUY, Side.SELL))
        await d.until(lambda: book_of(notebook) == standing, "the book as the exchange has it")
        assert not notebook.of(BadFrame)


@pytest.mark.asyncio
async def test_a_position_s_whole_life(notebook) -> None:
    async with desk(notebook) as d:
        entry, placed = await d.open_long()
        assert placed.kind is OutcomeKind.CONFIRMED, placed
        await d.until(lambda: d.exchange.position(SYMBOL).lots == 50, "the fill")
        back = await d.read_back()
        (position,) = back.positions
        assert (position.lots, position.stop_ticks) == (50, entry.stop_ticks)
        assert {fill.client_id for fill in back.fills} == {entry.client_id}

        answer = await d.broker.query(entry.client_id, SYMBOL)
        assert answer.report is not None
        assert (answer.report.status, answer.report.filled_lots) == ("Filled", 50)

        move = MoveStop("bw-1-2-s", "", SYMBOL, 0, "", entry.stop_ticks + 200)
        assert (await d.broker.execute(Approved(move, True))).kind is OutcomeKind.CONFIRMED
        assert (await d.read_back()).positions[0].stop_ticks == entry.stop_ticks + 200
        again = await d.broker.execute(Approved(move, True))
        assert (again.kind, again.reason) == (OutcomeKind.CONFIRMED, "read back: it stands")

        close = PlaceOrder(
            "bw-1-3-x", "", SYMBOL, 0, "", Side.SELL, OrderKind.MARKET, 50, TimeInForce.IOC, reduce_only=True
        )
        assert (await d.broker.execute(Approved(close, True))).kind is OutcomeKind.CONFIRMED
        await d.until(lambda: d.exchange.position(SYMBOL).lots == 0, "the close")
        back = await d.read_back()
        assert (back.positions, back.orders) == ((), ())
        await d.until(lambda: sum(f.lots for event in notebook.of(Fills) for f in event.fills) == 100, "pushed fills")
        assert d.exchange.unprotected_ms(SYMBOL) == 0
        assert not notebook.of(BadFrame)


@pytest.mark.asyncio
async def test_orders_go_over_the_trade_socket_and_over_rest_without_it(notebook) -> None:
    async with desk(notebook) as d:
        await d.open_long()
        assert CREATE.path not in d.transport.posted
        before = len(notebook.of(LinkChanged))
        d.transport.refused = "/v5/trade"
        trade = next(socket for socket in d.server._sockets if socket._req.path == "/v5/trade")
        await trade.close(code=1012)
        await d.until(lambda: len(notebook.of(LinkChanged)) > before, "the loss of the trade socket")
        close = PlaceOrder(
            "bw-1-2-x", "", SYMBOL, 0, "", Side.SELL, OrderKind.MARKET, 50, TimeInForce.IOC, reduce_only=True
        )
        assert (await d.broker.execute(Approved(close, True))).kind is OutcomeKind.CONFIRMED
        await d.until(lambda: d.exchange.position(SYMBOL).lots == 0, "the close")
        assert d.transport.posted.count(CREATE.path) == 1


@pytest.mark.asyncio
async def test_fill_or_kill_is_filled_whole_or_not_at_all(notebook) -> None:
    async with desk(notebook) as d:
        mark = d.mark_ticks()
        for number, limit in ((1, mark - 900), (2, mark + 900)):
            order = PlaceOrder(
                f"bw-1-{number}-e", "", SYMBOL, 0, "", Side.BUY, OrderKind.LIMIT, 50, TimeInForce.FOK, limit,
                stop_ticks=mark - 2000,
            )  # fmt: skip
            assert (await d.broker.execute(Approved(order, False))).kind is OutcomeKind.CONFIRMED

        def ends() -> dict[str, tuple[str, int]]:
            told = [report for event in notebook.of(OrderReports) for report in event.reports]
            return {report.client_id: (report.status, report.filled_lots) for report in told}

        wanted = {"bw-1-1-e": ("Cancelled", 0), "bw-1-2-e": ("Filled", 50)}
        await d.until(lambda: wanted.items() <= ends().items(), "both ends")
        assert d.exchange.position(SYMBOL).lots == 50


@pytest.mark.asyncio
async def test_ten_closes_at_once_are_all_taken(notebook) -> None:
    """More than the usual budget has; each is its own order."""
    async with desk(notebook) as d:
        await d.open_long(lots=100)
        await d.until(lambda: d.exchange.position(SYMBOL).lots == 100, "the position")
        closes = [
            PlaceOrder(
                f"bw-1-{n}-x", "", SYMBOL, 0, "", Side.SELL, OrderKind.MARKET, 10, TimeInForce.IOC, reduce_only=True
            )
            for n in range(2, 12)
        ]
        outcomes = await asyncio.gather(*(d.broker.execute(Approved(close, True)) for close in closes))
        assert {outcome.kind for outcome in outcomes} == {OutcomeKind.CONFIRMED}
        assert len({outcome.order_id for outcome in outcomes}) == 10
        await d.until(lambda: d.exchange.position(SYMBOL).lots == 0, "the closes")
        assert not d.transport.posted.count(CREATE.path)


@pytest.mark.asyncio
async def test_the_same_client_id_never_makes_a_second_order(notebook) -> None:
    async with desk(notebook) as d:
        _, first = await d.open_long()
        await d.until(lambda: d.exchange.position(SYMBOL).lots == 50, "the fill")
        _, second = await d.open_long()
        assert (second.kind, second.order_id) == (OutcomeKind.CONFIRMED, first.order_id)
        assert d.exchange.position(SYMBOL).lots == 50


@pytest.mark.asyncio
async def test_a_resting_entry_is_cancelled_once(notebook) -> None:
    async with desk(notebook) as d:
        mark = d.mark_ticks()
        rest = PlaceOrder(
            "bw-1-1-e",
            "",
            SYMBOL,
            0,
            "",
            Side.BUY,
            OrderKind.LIMIT,
            50,
            TimeInForce.POST_ONLY,
            mark - 900,
            stop_ticks=mark - 2000,
        )
        assert (await d.broker.execute(Approved(rest, False))).kind is OutcomeKind.CONFIRMED
        await d.until(lambda: d.exchange.open_orders(SYMBOL), "the order")
        (order,) = (await d.read_back()).orders
        assert (order.client_id, order.status, order.stop_loss_ticks) == ("bw-1-1-e", "New", mark - 2000)
        cancel = CancelOrder("bw-1-2-c", "", SYMBOL, 0, "", target="bw-1-1-e")
        assert (await d.broker.execute(Approved(cancel, True))).kind is OutcomeKind.CONFIRMED
        await d.until(lambda: not d.exchange.open_orders(SYMBOL), "the cancel")
        again = await d.broker.execute(Approved(cancel, True))
        assert (again.kind, again.reason) == (OutcomeKind.CONFIRMED, "it is Cancelled already")


@pytest.mark.asyncio
async def test_dropped_sockets_come_back(notebook) -> None:
    async with desk(notebook) as d:
        await d.until(lambda: notebook.of(BookSnapshot), "the first book")
        for socket in list(d.server._sockets):
            await socket.close(code=1012)
        await d.until(lambda: len([x for x in notebook.of(LinkChanged) if x.up]) == 6, "all links up again")
        await d.until(lambda: len(notebook.of(BookSnapshot)) == 2, "a new book")
        assert [lost.symbol for lost in notebook.of(BookLost)] == [SYMBOL]
        assert {link.link for link in notebook.of(LinkChanged) if not link.up} == {
            Link.PUBLIC,
            Link.PRIVATE,
            Link.TRADE,
        }
        await d.open_long()
        await d.until(lambda: notebook.of(Fills), "a fill on the new private socket")


@pytest.mark.asyncio
async def test_another_depth_brings_another_book(notebook) -> None:
    async with desk(notebook) as d:
        await d.until(lambda: notebook.of(BookSnapshot), "the first book")
        d.feed.resubscribe(SYMBOL, 50)
        await d.until(lambda: [x.depth for x in notebook.of(BookSnapshot)] == [200, 50], "the book of 50 levels")


@pytest.mark.asyncio
async def test_a_wrong_key_is_named(notebook) -> None:
    async with desk(notebook) as d:
        urls = Urls(d.broker._rest._base, "", "")
        wrong = BybitBroker(
            d.transport, SystemClock(), notebook, urls, "nobody", "nothing", SETTINGS, Decimal(10), random.Random(1)
        )
        with pytest.raises(VenueError, match="10003: the key is wrong") as caught:
            await wrong.prepare([SYMBOL])
        assert caught.value.code == 6
