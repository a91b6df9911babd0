"""The real recording: the integer book equals the exact one, and the domain's facts hold in it."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from backports.zstd import decompress

from breakwall.market.book import BookSide, OrderBook, Verdict
from breakwall.market.state import Market
from breakwall.model.events import BadFrame, BookDelta, BookSnapshot, Event, Ticker, Trades
from breakwall.model.units import Instrument, fixed
from breakwall.settings import Settings
from breakwall.venues.bybit.codec import PublicCodec

DATA = Path(__file__).parents[2] / "../shared/data"
RECORDING = DATA / "bybit_v5/linear_BTCUSDT_ETHUSDT_20260809.jsonl.zst"
pytestmark = pytest.mark.skipif(not RECORDING.exists(), reason="the recorded exchange data is not here")


@pytest.fixture(scope="module")
def instruments() -> dict[str, Instrument]:
    text = (DATA / "bybit_v5/rest_instruments_info_linear_a.json").read_bytes()
    rows = json.loads(text)["result"]["list"]
    return {
        row["symbol"]: Instrument(
            row["symbol"],
            Decimal(row["priceFilter"]["tickSize"]),
            Decimal(row["lotSizeFilter"]["qtyStep"]),
            1,
            10**9,
            10**9,
        )
        for row in rows
        if row["symbol"] in {"BTCUSDT", "ETHUSDT"}
    }


@pytest.fixture(scope="module")
def events(instruments) -> list[tuple[int, Event]]:
    codec = PublicCodec(instruments)
    return [(at_ms, codec.decode(frame)) for at_ms, frame in frames()]


def frames() -> Iterator[tuple[int, bytes]]:
    for line in decompress(RECORDING.read_bytes()).splitlines():
        record = msgspec.json.decode(line)
        if record["t"] == "recv":
            yield int(record["ts"] * 1000), record["data"].encode()


def checkpoints() -> dict[str, dict[int, dict[str, object]]]:
    runs = json.loads((DATA / "checkpoints.json").read_text())
    run = next(run for run in runs if run["files"] == [RECORDING.name])
    return {topic.split(".")[-1]: {point["n"]: point for point in points} for topic, points in run["books"].items()}


def state_of(book: OrderBook, instrument: Instrument) -> dict[str, object]:
    def text(level: tuple[int, int]) -> list[str]:
        return [fixed(instrument.price(level[0])), fixed(instrument.qty(level[1]))]

    def total(side: BookSide) -> str:
        return fixed(instrument.qty(sum(lots for _, lots in side.top(50))))

    bids, asks = [text(level) for level in book.bids.top(50)], [text(level) for level in book.asks.top(50)]
    lines = [f"b|{price}|{qty}" for price, qty in bids] + [f"a|{price}|{qty}" for price, qty in asks]
    return {
        "u": book.update_id,
        "seq": book.seq,
        "bid": bids[0],
        "ask": asks[0],
        "nb": len(book.bids.prices),
        "na": len(book.asks.prices),
        "sum_bid50": total(book.bids),
        "sum_ask50": total(book.asks),
        "sha256_top50": sha256("\n".join(lines).encode()).hexdigest(),
    }


def test_the_integer_book_equals_every_checkpoint(instruments, events):
    books = {symbol: OrderBook(200) for symbol in instruments}
    expected = checkpoints()
    seen: Counter[str] = Counter()
    checked = 0
    for _, event in events:
        if isinstance(event, BookSnapshot):
            books[event.symbol].replace(event)
        elif isinstance(event, BookDelta):
            assert books[event.symbol].apply(event)[0] is Verdict.APPLIED
        else:
            continue
        seen[event.symbol] += 1
        point = expected[event.symbol].get(seen[event.symbol])
        if point is not None:
            state = state_of(books[event.symbol], instruments[event.symbol])
            assert state == {key: point[key] for key in state}
            checked += 1
    assert checked == sum(map(len, expected.values())) > 10


def test_every_frame_can_be_read(events):
    kinds = Counter(type(event) for _, event in events)
    assert kinds[BadFrame] == 0
    assert (kinds[BookSnapshot], kinds[BookDelta], kinds[Ticker]) == (2, 833, 401)
    assert sum(len(event.trades) for _, event in events if isinstance(event, Trades)) == 79


def test_a_quarter_to_two_fifths_of_deletes_only_left_the_window(events):
    books = {symbol: OrderBook(200) for symbol in ("BTCUSDT", "ETHUSDT")}
    left: Counter[str] = Counter()
    deleted: Counter[str] = Counter()
    for _, event in events:
        if isinstance(event, BookSnapshot):
            books[event.symbol].replace(event)
        elif isinstance(event, BookDelta):
            for side, changes in ((books[event.symbol].bids, event.bids), (books[event.symbol].asks, event.asks)):
                deleted[event.symbol] += sum(1 for ticks, lots in changes if not lots and ticks in side.levels)
            books[event.symbol].apply(event)
            left[event.symbol] += len(books[event.symbol].bids.left) + len(books[event.symbol].asks.left)
    assert left["BTCUSDT"] / deleted["BTCUSDT"] == pytest.approx(0.25, abs=0.01)
    assert left["ETHUSDT"] / deleted["ETHUSDT"] == pytest.approx(0.40, abs=0.01)


def test_walls_are_few_and_every_one_is_accounted_for(instruments, events):
    settings = Settings.model_validate(
        {"walls": {"floor_usdt": dict.fromkeys(("BTCUSDT", "ETHUSDT"), 20_000), "relative_k": 2.5, "min_age_s": 2}}
    )
    markets = {symbol: Market(instrument, settings, 200) for symbol, instrument in instruments.items()}
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    last_tick = 0
    for at_ms, event in events:
        if isinstance(event, BookSnapshot | BookDelta):
            assert markets[event.symbol].on_book(event, at_ms) == ""
        elif isinstance(event, Trades):
            markets[event.symbol].on_trades(event, at_ms)
        if at_ms - last_tick >= 100:
            last_tick = at_ms
            for symbol, market in markets.items():
                market.on_tick(at_ms)
                kinds[symbol].update(told.kind for told in market.take_wall_events())
                for wall in market.all_walls():
                    accounted = wall.lots + wall.eaten_lots + wall.pulled_lots + wall.undecided_lots
                    assert accounted == wall.peak_lots
                assert len(market.live_walls()) <= 12  # 8 % of a side each
    for symbol, market in markets.items():
        assert market.live
        assert market.wants_depth == 1000  # 200 levels of BTC and ETH reach 0.05 % and 0.12 %
        assert kinds[symbol]["built"] == market.walls_seen > 0
