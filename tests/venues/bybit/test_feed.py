"""The feed: what it subscribes, what it tells about lost books, how it spreads over sockets."""

import asyncio
import random
from decimal import Decimal

import pytest

from breakwall.model.events import BookDelta, BookLost, BookSnapshot, Ignored, LinkChanged
from breakwall.model.units import Instrument
from breakwall.settings import VenueSettings
from breakwall.venues.bybit.feed import BybitFeed

BTC = Instrument("BTCUSDT", Decimal("0.10"), Decimal("0.001"), 1, 1_190_000, 500_000)
ETH = Instrument("ETHUSDT", Decimal("0.01"), Decimal("0.01"), 1, 724_000, 200_000)
SETTINGS = VenueSettings(book_silence_s=4)


def book(symbol: str = "BTCUSDT", kind: str = "snapshot", price: str = "60000.00") -> dict[str, object]:
    data = {"s": symbol, "b": [[price, "1.250"]], "a": [], "u": 5, "seq": 9}
    return {"topic": f"orderbook.50.{symbol}", "type": kind, "ts": 1, "data": data, "cts": 1}


@pytest.fixture
def feed(venue, clock, notebook):
    def make(instruments=None, settings: VenueSettings = SETTINGS) -> BybitFeed:
        known = {"BTCUSDT": BTC, "ETHUSDT": ETH} if instruments is None else instruments
        return BybitFeed(venue, clock, notebook, "ws://x", settings, known, random.Random(1))

    return make


def run_for(virtual, feed: BybitFeed, *steps) -> None:
    """Run the feed; each step is called half a second after the one before."""

    async def main() -> None:
        task = asyncio.ensure_future(feed.run())
        for step in steps:
            await asyncio.sleep(0.5)
            step()
        await asyncio.sleep(0.5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    virtual(main())


def test_three_topics_a_symbol_and_events_with_their_frames(venue, feed, notebook, virtual) -> None:
    f = feed()
    f.subscribe({"BTCUSDT": 50})
    run_for(virtual, f, lambda: venue.sockets[0].say(book()), lambda: venue.sockets[0].say(book(kind="delta")))
    assert venue.sockets[0].args("subscribe") == [
        ["orderbook.50.BTCUSDT", "publicTrade.BTCUSDT", "tickers.BTCUSDT", "allLiquidation.BTCUSDT"]
    ]
    (snapshot,) = notebook.of(BookSnapshot)
    assert (snapshot.symbol, snapshot.bids, snapshot.depth) == ("BTCUSDT", [(600_000, 1250)], 50)
    assert len(notebook.of(BookDelta)) == 1
    assert len(notebook.of(Ignored)) == 1
    assert len(notebook.frames) == 3
    assert notebook.of(LinkChanged)[0].up


def test_a_lost_socket_loses_every_book_on_it(venue, feed, notebook, virtual) -> None:
    f = feed()
    f.subscribe({"BTCUSDT": 50, "ETHUSDT": 200})
    run_for(virtual, f, lambda: venue.sockets[0].drop("gone"), lambda: None, lambda: None)
    assert [(lost.symbol, lost.reason) for lost in notebook.of(BookLost)] == [
        ("BTCUSDT", "gone"),
        ("ETHUSDT", "gone"),
    ]
    assert [link.up for link in notebook.of(LinkChanged)] == [True, False, True]
    assert len(venue.sockets) == 2
    assert "orderbook.200.ETHUSDT" in venue.sockets[1].args("subscribe")[0]


def test_resubscribe_asks_for_the_book_alone(venue, feed, virtual) -> None:
    f = feed()
    f.subscribe({"BTCUSDT": 50})
    first = lambda: venue.sockets[0].say(book())  # noqa: E731 - one step of the script
    run_for(virtual, f, first, lambda: f.resubscribe("BTCUSDT"), lambda: f.resubscribe("UNKNOWN"))
    socket = venue.sockets[0]
    assert socket.args("unsubscribe") == [["orderbook.50.BTCUSDT"]]
    assert socket.args("subscribe")[1:] == [["orderbook.50.BTCUSDT"]]


def test_resubscribe_with_another_depth_leaves_the_old_one(venue, feed, virtual) -> None:
    f = feed()
    f.subscribe({"BTCUSDT": 50})
    run_for(virtual, f, lambda: f.resubscribe("BTCUSDT", 1000))
    socket = venue.sockets[0]
    assert socket.args("unsubscribe") == [["orderbook.50.BTCUSDT"]]
    assert socket.args("subscribe")[1:] == [["orderbook.1000.BTCUSDT"]]


def test_many_symbols_share_few_sockets(venue, feed, notebook, virtual) -> None:
    f = feed(settings=VenueSettings(topics_per_socket=8))
    f.subscribe({f"C{n}USDT": 50 for n in range(5)})
    run_for(virtual, f, *[lambda: None] * 6)
    assert len(venue.sockets) == 3
    assert [len(socket.args("subscribe")[0]) for socket in venue.sockets] == [8, 8, 4]
    assert [link.up for link in notebook.of(LinkChanged)][-1]
    assert not notebook.of(LinkChanged)[0].up or len(notebook.of(LinkChanged)) == 1


def test_of_hundreds_of_symbols_a_lost_socket_loses_its_own_and_asks_for_them_alone(
    venue, feed, notebook, virtual
) -> None:
    names = [f"{number}000000COIN{n:03d}USDT" for number in (1, 10) for n in range(300)]
    f = feed(instruments={})
    f.subscribe(dict.fromkeys(names, 200))
    run_for(virtual, f, lambda: venue.sockets[3].drop("gone"), lambda: None)
    *first, again = venue.sockets
    assert len(first) == 10, "all within half a second"
    for socket in venue.sockets:
        requests = socket.args("subscribe")
        assert max(map(len, requests)) <= 10
        assert sum(len(topic) + 3 for topics in requests for topic in topics) <= 21_000
    theirs = {topic.rpartition(".")[2] for topics in first[3].args("subscribe") for topic in topics}
    assert len(theirs) == 60
    assert {lost.symbol for lost in notebook.of(BookLost)} == theirs
    assert again.args("subscribe") == first[3].args("subscribe")
    assert [link.up for link in notebook.of(LinkChanged)] == [True, False, True]


def test_other_symbols_later_keep_their_socket_and_new_ones_find_room(venue, feed, virtual) -> None:
    f = feed(settings=VenueSettings(topics_per_socket=8))
    f.subscribe({"BTCUSDT": 50, "ETHUSDT": 50})
    run_for(
        virtual,
        f,
        lambda: f.subscribe({"ETHUSDT": 50, "SOLUSDT": 50, "XRPUSDT": 50}),
        lambda: None,
        lambda: None,
    )
    assert [topics[0] for topics in venue.sockets[0].args("unsubscribe")] == ["orderbook.50.BTCUSDT"]
    assert venue.sockets[0].args("subscribe")[1][0] == "orderbook.50.SOLUSDT"
    assert venue.sockets[1].args("subscribe")[0][0] == "orderbook.50.XRPUSDT"


def test_a_silent_book_is_lost_and_silent_trades_are_not(venue, feed, notebook, virtual) -> None:
    f = feed()
    f.subscribe({"BTCUSDT": 50})
    run_for(virtual, f, lambda: venue.sockets[0].say(book()), *[lambda: None] * 11)
    assert [lost.reason for lost in notebook.of(BookLost)] == ["orderbook.50.BTCUSDT silent for 4 s"]


def test_rules_known_only_when_it_starts_are_taken(venue, feed, notebook, virtual) -> None:
    rules: dict[str, Instrument] = {}
    f = feed(rules)
    f.subscribe({"BTCUSDT": 50})
    rules["BTCUSDT"] = BTC
    run_for(virtual, f, lambda: venue.sockets[0].say(book()))
    assert len(notebook.of(BookSnapshot)) == 1


def test_changed_rules_are_taken_with_the_resubscription(venue, feed, notebook, virtual) -> None:
    rules = {"BTCUSDT": BTC}
    f = feed(rules)
    f.subscribe({"BTCUSDT": 50})

    def change() -> None:
        rules["BTCUSDT"] = Instrument("BTCUSDT", Decimal("0.50"), Decimal("0.001"), 1, 10, 10)
        f.resubscribe("BTCUSDT")

    run_for(virtual, f, change, lambda: venue.sockets[0].say(book()))
    assert notebook.of(BookSnapshot)[-1].bids == [(120_000, 1250)]


def test_the_feed_may_be_started_again(venue, feed, notebook, virtual) -> None:
    f = feed()
    f.subscribe({"BTCUSDT": 50})

    async def main() -> None:
        for number in range(2):
            task = asyncio.ensure_future(f.run())
            await asyncio.sleep(1.5)
            venue.sockets[number].say(book())
            await asyncio.sleep(0.1)
            task.cancel()
            await asyncio.sleep(0.1)

    virtual(main())
    assert len(notebook.of(BookSnapshot)) == 2
    assert len(venue.sockets) == 2


ONE_EACH = VenueSettings(book_silence_s=60, topics_per_socket=3)


def test_nobody_waits_for_a_socket_whose_symbols_have_left(venue, feed, notebook, virtual) -> None:
    f = feed(settings=ONE_EACH)
    f.subscribe({"BTCUSDT": 50, "ETHUSDT": 50})
    run_for(
        virtual,
        f,
        *[lambda: None] * 4,
        lambda: f.subscribe({"BTCUSDT": 50}),
        lambda: venue.sockets[1].drop(),  # noqa: PLW0108 - it is not there yet
        *[lambda: None] * 6,
        lambda: f.subscribe({"BTCUSDT": 50, "ETHUSDT": 50}),
        lambda: None,
    )
    assert [link.up for link in notebook.of(LinkChanged)] == [True]
    assert notebook.of(BookLost) == []
    assert venue.sockets[1].args("unsubscribe")[0][0] == "orderbook.50.ETHUSDT"
    assert venue.sockets[2].args("subscribe")[0][0] == "orderbook.50.ETHUSDT"


def test_a_lost_socket_is_up_again_for_the_rest_once_its_symbols_have_left(venue, feed, notebook, virtual) -> None:
    def refuse(socket) -> None:
        socket.quiet = len(venue.sockets) > 1

    f = feed(settings=ONE_EACH)
    f.subscribe({"BTCUSDT": 50, "ETHUSDT": 50})
    venue.before_connect = refuse
    run_for(
        virtual,
        f,
        *[lambda: None] * 4,
        lambda: venue.sockets[1].drop(),  # noqa: PLW0108 - it is not there yet
        *[lambda: None] * 4,
        lambda: f.subscribe({"BTCUSDT": 50}),
    )
    links = [link.up for link in notebook.of(LinkChanged)]
    assert (links[0], links[-1], False in links) == (True, True, True)


def test_only_what_is_subscribed_again_is_read_by_its_new_rules(venue, feed, notebook, virtual) -> None:
    """Frames that left the venue before a change are on their way while the core has the old rules."""
    rules = {"BTCUSDT": BTC, "ETHUSDT": ETH}
    f = feed(rules)
    f.subscribe({"BTCUSDT": 50})

    def change() -> None:
        rules["BTCUSDT"] = Instrument("BTCUSDT", Decimal("0.20"), Decimal("0.001"), 1, 1_190_000, 500_000)
        f.subscribe({"BTCUSDT": 50, "ETHUSDT": 50})

    say = lambda: venue.sockets[0].say(book())  # noqa: E731 - one of many steps
    run_for(virtual, f, say, change, say, lambda: f.resubscribe("BTCUSDT"), say)
    assert [snapshot.bids[0][0] for snapshot in notebook.of(BookSnapshot)] == [600_000, 600_000, 300_000]


def test_a_frame_that_does_not_fit_the_rules_makes_them_doubted(venue, clock, notebook, virtual) -> None:
    doubts = []
    f = BybitFeed(
        venue, clock, notebook, "ws://x", SETTINGS, {"BTCUSDT": BTC}, random.Random(1), lambda: doubts.append(1)
    )
    f.subscribe({"BTCUSDT": 50})
    anew = book()
    anew["data"]["u"] = 1
    frames = [book(), book(price="60000.05"), book(), anew]
    run_for(virtual, f, *[lambda frame=frame: venue.sockets[0].say(frame) for frame in frames])
    assert doubts == [1, 1]
