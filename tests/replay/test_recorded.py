"""A recording as the market of an exchange: what a client of it sees, with all that can be wrong in a recording."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from breakwall.market.book import OrderBook, Verdict
from breakwall.model.events import BookDelta, BookSnapshot
from breakwall.model.units import Side
from breakwall.replay.contents import contents
from breakwall.replay.recorded import RecordedMarket
from breakwall.venues.bybit.codec import PublicCodec
from breakwall.venues.exchange.exchange import Exchange
from breakwall.venues.exchange.instruments import INSTRUMENTS

START = 1_700_000_000_000
LATER = 1_800_000_000_000
S, TOPIC = "BTCUSDT", "orderbook.50.BTCUSDT"
SECONDS = 12
REAL = Path(__file__).parents[3] / "shared/data/bybit_v5/linear_BTCUSDT_ETHUSDT_20260809.jsonl.zst"
Lines = list[dict[str, Any]]


class Reader:
    """A client that keeps a book as the program does, and asks again where it has a gap."""

    def __init__(self, exchange: Exchange, topic: str = TOPIC) -> None:
        self.exchange = exchange
        self.topic = topic
        self.codec = PublicCodec({symbol: listing.instrument for symbol, listing in exchange.listings.items()})
        self.book = OrderBook(int(topic.split(".")[1]))
        self.frames: Lines = []
        self.resyncs = 0
        self.session = exchange.session("public", self.hear)
        self.ask(topic, f"publicTrade.{S}", f"tickers.{S}")

    def ask(self, *topics: str) -> None:
        self.session.on_text(json.dumps({"op": "subscribe", "args": topics}), self.exchange.now_ms)

    def hear(self, text: str) -> None:
        self.frames.append(json.loads(text))
        event = self.codec.decode(text.encode())
        if isinstance(event, BookSnapshot):
            assert self.book.replace(event) is Verdict.APPLIED
        elif isinstance(event, BookDelta):
            verdict = self.book.apply(event)[0]
            assert verdict is not Verdict.CROSSED
            if verdict is Verdict.GAP:
                self.resyncs += 1
                self.ask(self.topic)

    def levels(self) -> list[tuple[tuple[int, int], ...]]:
        return [self.book.bids.top(50), self.book.asks.top(50)]


@pytest.fixture(scope="module")
def recorded() -> Lines:
    return record(SECONDS)


def record(seconds: int) -> Lines:
    """What a client of another exchange got, with the time of each frame."""
    exchange = Exchange(7, "calm", START, symbols=[S])
    lines: Lines = []

    def keep(text: str) -> None:
        lines.append({"t": "recv", "conn": "public", "ts": exchange.now_ms / 1000, "data": text})

    session = exchange.session("public", keep)
    session.on_text(json.dumps({"op": "subscribe", "args": [TOPIC, f"publicTrade.{S}", f"tickers.{S}"]}), START)
    exchange.advance(START + seconds * 1000)
    return lines


def play(path: Path, lines: Lines, **options: Any) -> tuple[Exchange, RecordedMarket]:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = contents([path])
    exchange = Exchange(1, None, LATER, instruments=found.instruments.values())
    exchange.market = market = RecordedMarket(found, exchange, **options)
    return exchange, market


def to_the_end(exchange: Exchange) -> None:
    exchange.advance(exchange.now_ms + (SECONDS + 1) * 1000)


def deltas(lines: Lines) -> list[int]:
    """Where the messages of the book are."""
    return [place for place, line in enumerate(lines) if TOPIC in line["data"] and '"delta"' in line["data"]]


def gap(lines: Lines, places: list[int]) -> Lines:
    return [line for place, line in enumerate(lines) if place != places[50]]


def two_gaps(lines: Lines, places: list[int]) -> Lines:
    return [line for place, line in enumerate(lines) if place not in {places[50], places[150]}]


def repeat(lines: Lines, places: list[int]) -> Lines:
    return [*lines[: places[50]], lines[places[50]], *lines[places[50] :]]


def swap(lines: Lines, places: list[int]) -> Lines:
    one, other = places[50:52]
    return [*lines[:one], lines[other], *lines[one + 1 : other], lines[one], *lines[other + 1 :]]


def half_a_frame(lines: Lines, places: list[int]) -> Lines:
    half = lines[places[50]] | {"data": lines[places[50]]["data"][:99]}
    return [*lines[: places[50]], half, *lines[places[50] + 1 :]]


def restart(lines: Lines, places: list[int]) -> Lines:
    """The venue's service begins again: a snapshot with `u` 1, and everything after it counts from there."""
    found, u, book = list(lines), 0, {"b": dict[str, str](), "a": dict[str, str]()}
    for place, line in enumerate(lines):
        frame = json.loads(line["data"])
        if frame.get("topic") != TOPIC:
            continue
        for side, levels in book.items():
            levels |= dict(frame["data"][side])
        if place == places[50]:
            whole = {side: [[p, q] for p, q in levels.items() if float(q)] for side, levels in book.items()}
            frame |= {"type": "snapshot", "data": frame["data"] | whole}
        u += place >= places[50]
        frame["data"]["u"] = u or frame["data"]["u"]
        found[place] = line | {"data": json.dumps(frame)}
    return found


@pytest.mark.parametrize(
    ("change", "resyncs"),
    [
        (lambda lines, _places: lines, 0),
        (gap, 1),
        (two_gaps, 2),
        (repeat, 0),
        (swap, 1),
        (half_a_frame, 1),
        (restart, 1),
        (lambda lines, places: lines[: places[100]], 0),
    ],
    ids=["sound", "gap", "two gaps", "repeat", "swap", "half a frame", "restart", "cut off"],
)
def test_what_is_wrong_with_a_recording_is_one_resync_each(
    recorded: Lines, tmp_path: Path, change: Callable[[Lines, list[int]], Lines], resyncs: int
) -> None:
    exchange, _ = play(tmp_path / "r.jsonl", change(recorded, deltas(recorded)))
    reader = Reader(exchange)
    to_the_end(exchange)
    book = exchange.listings[S].book
    assert reader.resyncs == resyncs
    assert reader.levels() == [tuple(book.depth(side, 50)) for side in Side]
    assert sum(len(frame["data"]) for frame in reader.frames if "publicTrade" in frame.get("topic", "")) > 5


def test_the_served_market_is_the_recorded_one(recorded: Lines, tmp_path: Path) -> None:
    """The last book, every trade with its side, the prices."""
    exchange, _ = play(tmp_path / "r.jsonl", recorded)
    reader, origin = Reader(exchange), OrderBook(50)
    to_the_end(exchange)
    for line in recorded:
        event = reader.codec.decode(line["data"].encode())
        if isinstance(event, BookSnapshot):
            origin.replace(event)
        elif isinstance(event, BookDelta):
            origin.apply(event)

    def trades(frames: Lines) -> list[tuple[str, ...]]:
        tape = [row for frame in frames if "publicTrade" in frame.get("topic", "") for row in frame["data"]]
        return [(row["p"], row["S"]) for row in tape if not (row["BT"] or row["RPI"])]

    def lots(frames: Lines) -> Decimal:
        return sum(
            (Decimal(row["v"]) for f in frames if "publicTrade" in f.get("topic", "") for row in f["data"]),
            Decimal(0),
        )

    frames = [json.loads(line["data"]) for line in recorded]
    assert reader.levels() == [origin.bids.top(50), origin.asks.top(50)]
    assert set(trades(reader.frames)) == set(trades(frames))
    assert lots(reader.frames) == lots(frames)
    marks = [frame["data"]["markPrice"] for frame in frames if "markPrice" in frame.get("data", {})]
    assert exchange.listings[S].mark == Decimal(marks[-1])


def test_after_every_message_the_book_is_the_recorded_one(recorded: Lines) -> None:
    """Trades take from it before the message that shows them; what they took and is not told of has come anew."""
    exchange, origin, codec = Exchange(1, None, LATER, symbols=[S]), OrderBook(50), PublicCodec(INSTRUMENTS)
    book, messages = exchange.listings[S].book, 0
    for line in recorded:
        event = codec.decode(line["data"].encode())
        exchange.outside.take(event, LATER)
        if isinstance(event, BookSnapshot):
            origin.replace(event)
        elif isinstance(event, BookDelta):
            assert origin.apply(event)[0] is Verdict.APPLIED
            messages += 1
            assert [tuple(book.depth(side, 99)) for side in Side] == [origin.bids.top(50), origin.asks.top(50)]
    assert messages > 100


def test_it_waits_for_its_first_client(recorded: Lines, tmp_path: Path) -> None:
    exchange, _ = play(tmp_path / "r.jsonl", recorded)
    before = exchange.listings[S].book.depth(Side.BUY, 50)
    exchange.advance(LATER + 60_000)
    assert len(before) == 50
    assert exchange.listings[S].book.depth(Side.BUY, 50) == before
    reader = Reader(exchange)
    to_the_end(exchange)
    assert len(reader.frames) > SECONDS * 20


def test_at_its_end_the_market_stands_still_and_can_be_left(recorded: Lines, tmp_path: Path) -> None:
    ends: list[int] = []
    exchange, _ = play(tmp_path / "r.jsonl", recorded, ended=lambda: ends.append(exchange.now_ms))
    Reader(exchange)
    to_the_end(exchange)
    assert [round((end - LATER) / 1000) for end in ends] == [SECONDS]
    late = Reader(exchange)
    exchange.place_by_hand({"symbol": S, "side": "Buy", "orderType": "Market", "qty": "0.1"})
    exchange.advance(exchange.now_ms + 5000)
    assert exchange.position(S).lots == 100, "at the last prices"
    assert not any("orderbook" in frame.get("topic", "") for frame in late.frames), "nobody takes it for a living one"


def test_in_a_loop_it_begins_again_with_a_gap(recorded: Lines, tmp_path: Path) -> None:
    exchange, _ = play(tmp_path / "r.jsonl", recorded, loop=True)
    reader = Reader(exchange)
    exchange.advance(LATER + SECONDS * 2500)
    assert reader.resyncs == 2
    assert reader.book.ready


def test_no_book_is_served_deeper_than_it_was_recorded(recorded: Lines, tmp_path: Path) -> None:
    exchange, _ = play(tmp_path / "r.jsonl", recorded)
    refused = {depth: exchange.publisher.refusal(f"orderbook.{depth}.{S}") for depth in (1, 50, 200, 1000)}
    assert [depth for depth, why in refused.items() if why] == [200, 1000]


@pytest.mark.skipif(not REAL.exists(), reason="no recordings beside the checkout")
def test_a_real_recording_is_served_without_a_gap() -> None:
    found = contents([REAL])
    exchange = Exchange(1, None, LATER, instruments=found.instruments.values())
    exchange.market = RecordedMarket(found, exchange)
    reader = Reader(exchange, "orderbook.200.BTCUSDT")
    exchange.advance(LATER + 45_000)
    assert (reader.resyncs, reader.book.bids.best, reader.book.asks.best) == (0, 651142, 651143)
    assert (len(reader.book.bids.prices), len(reader.book.asks.prices)) == (200, 200)
