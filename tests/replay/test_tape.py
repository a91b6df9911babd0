import gzip
import json
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest

from breakwall.replay.contents import contents
from breakwall.replay.forms import Recording, RecordingError
from breakwall.replay.importing import bring_in
from breakwall.replay.survey import Summary, Survey
from breakwall.replay.tape import Heard, Rules, Tape
from breakwall.storage.lines import Lines
from tests.replay import market

MS = 1_000_000


def frames(*paths: Path) -> list[Heard]:
    return [item for item in Tape(paths) if isinstance(item, Heard)]


def book(ts: int, u: int, kind: str = "delta", seq: int = 0, symbol: str = "BTCUSDT") -> str:
    data = {"s": symbol, "b": [["100.1", f"{u}"]], "a": [["100.2", "1"]], "u": u, "seq": seq or u}
    return json.dumps(
        {"topic": f"orderbook.200.{symbol}", "type": kind, "ts": ts + 5, "data": data, "cts": ts},
        separators=(",", ":"),
    )


def binance(kind: str, at_ms: int, **fields: object) -> str:
    """A line of a timed recorder, microseconds."""
    name = {"depthUpdate": "depth@0ms", "trade": "trade"}[kind]
    data = {"e": kind, "E": at_ms, "T": at_ms, "s": "BTCUSDT", **fields}
    return f"{at_ms * 1000} " + json.dumps({"stream": f"btcusdt@{name}", "data": data})


def depth(at_ms: int, previous: int, u: int, bids: dict[str, str] | None = None) -> str:
    return binance(
        "depthUpdate", at_ms, U=previous + 1, u=u, pu=previous, b=list((bids or {"99": f"{u}"}).items()), a=[]
    )


SEED = json.dumps({"lastUpdateId": 100, "T": 1, "bids": [["99", "1"], ["98", "2"]], "asks": [["101", "1"]]})
T0 = 1_700_000_000_000


def messages(tmp_path: Path, *lines: str) -> list[tuple[str, int, dict[str, str]]]:
    """Kind, `u` and bids of each book frame."""
    path = tmp_path / "binance"
    path.write_text("\n".join(lines))
    found = [json.loads(frame.data) for frame in frames(path) if frame.topic.startswith("orderbook")]
    return [(message["type"], message["data"]["u"], dict(message["data"]["b"])) for message in found]


def test_frames_of_bybit_are_untouched_and_keep_their_time(tmp_path: Path) -> None:
    path = market.written(market.recorded(), tmp_path / "r")
    heard = list(Tape([path]))
    assert isinstance(heard[0], Rules)
    texts = [line for line in market.recorded() if line["t"] == "recv" and line["data"].startswith('{"topic"')]
    assert [item.data.decode() for item in heard[1:]] == [line["data"] for line in texts]
    assert [item.at_ns // MS for item in heard[1:]] == [int(line["ts"] * 1e9) // MS for line in texts]


def test_private_frames_and_acknowledgements_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "r"
    private = json.dumps({"topic": "order", "data": [{"symbol": "BTCUSDT"}]})
    lines = [private, '{"op":"pong"}', book(T0, 7, "snapshot")]
    path.write_text("\n".join(json.dumps({"t": "recv", "conn": "c", "ts": 1.0, "data": line}) for line in lines))
    assert [frame.topic for frame in frames(path)] == ["orderbook.200.BTCUSDT"]


def test_books_and_trades_of_archives_come_together_by_time(tmp_path: Path) -> None:
    """A trade has the sequence just before the message of the book that shows it."""
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("b.data", "\n".join([book(T0, 7, "snapshot", 50), book(T0 + 100, 8, seq=60)]))
    rows = [f"{(T0 + 150) / 1000:.4f},BTCUSDT,Buy,1,100.2,x,b", f"{(T0 + 50) / 1000:.4f},BTCUSDT,Sell,2,100.1,x,a"]
    content = "timestamp,symbol,side,size,price,tickDirection,trdMatchID\n" + "\n".join(rows)  # newest first
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(content.encode()))
    heard = frames(tmp_path / "b.zip", tmp_path / "t.csv.gz")
    assert [frame.topic.partition(".")[0] for frame in heard] == ["orderbook", "publicTrade"] * 2
    trades = [json.loads(frame.data)["data"][0] for frame in heard[1::2]]
    assert [(trade["i"], trade["S"], trade["seq"], trade["T"]) for trade in trades] == [
        ("a", "Sell", 51, T0 + 50),
        ("b", "Buy", 61, T0 + 150),
    ]


def test_a_binance_book_begins_with_its_seed_and_counts_on(tmp_path: Path) -> None:
    assert messages(
        tmp_path,
        depth(T0, 80, 90),  # before the seed
        depth(T0 + 1, 90, 110),
        f"{(T0 + 2) * 1000} {SEED}",
        depth(T0 + 3, 110, 120),
    ) == [
        ("snapshot", 1001, {"99": "1", "98": "2"}),
        ("delta", 1002, {"99": "110"}),
        ("delta", 1003, {"99": "120"}),
    ]


@pytest.mark.parametrize(
    ("order", "told"),
    [
        ([(110, 120), (120, 130)], [1002, 1003, 1004]),
        ([(120, 130), (130, 140)], [1002, 1004, 1005]),  # one is missing
        ([(120, 130), (110, 120), (130, 140)], [1002, 1004, 1003, 1005]),  # two have changed places
        ([(110, 120), (110, 120), (120, 130)], [1002, 1003, 1003, 1004]),  # one came twice
    ],
)
def test_gaps_of_a_binance_book_are_gaps_of_ours(
    tmp_path: Path, order: list[tuple[int, int]], told: list[int]
) -> None:
    lines = [depth(T0 + place, previous, u) for place, (previous, u) in enumerate(order, start=3)]
    found = messages(tmp_path, f"{T0 * 1000} {SEED}", depth(T0 + 1, 90, 110), *lines)
    assert [u for _, u, _ in found[1:]] == told


def test_what_comes_late_changes_nothing_newer(tmp_path: Path) -> None:
    found = messages(
        tmp_path,
        f"{T0 * 1000} {SEED}",
        depth(T0 + 1, 90, 110),
        depth(T0 + 2, 120, 130, {"99": "5"}),
        depth(T0 + 3, 110, 120, {"99": "4", "97": "3"}),
    )
    assert found[-1] == ("delta", 1003, {"97": "3"})


def test_a_deep_book_is_told_as_a_window(tmp_path: Path) -> None:
    """Levels that enter or leave the best thousand are told; the window is exact after each message."""
    bids = {str(price): "1" for price in range(1, 1003)}
    seed = json.dumps({"lastUpdateId": 1, "T": 1, "bids": list(bids.items()), "asks": [["5000", "1"]]})
    found = messages(
        tmp_path,
        f"{T0 * 1000} {seed}",
        depth(T0 + 1, 1, 2, {"1002": "0"}),
        depth(T0 + 2, 2, 3, {"1003": "7", "1": "9"}),
    )
    assert len(found[0][2]) == 1000
    assert "2" not in found[0][2]
    assert found[1][2] == {"1002": "0", "2": "1"}
    assert found[2][2] == {"1003": "7", "2": "0"}


@pytest.mark.parametrize("content", [b"", b"not a recording\n" * 3, b"\x89PNG\r\n\x1a\n" + b"\0" * 500])
def test_what_is_no_recording_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "thing"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match="thing: expected a recording"):
        frames(path)
    with pytest.raises(RecordingError, match="missing: cannot be read"):
        frames(tmp_path / "missing")


@pytest.mark.parametrize("ts", ["1e300", "1e999", "-5", "9999999999999"])
def test_a_time_that_cannot_be_is_left_out_and_told(tmp_path: Path, ts: str) -> None:
    good = json.dumps({"t": "recv", "conn": "c", "ts": T0 / 1000, "data": book(T0, 7, "snapshot")})
    path = tmp_path / "r"
    path.write_text(f"{good}\n" + good.replace(f'"ts": {T0 / 1000}', f'"ts": {ts}'))
    found = contents([path])
    assert found.seconds == 0
    assert found.notes[-1] == "lines that could not be read, and are left out: 1"


def test_numbers_without_end_do_not_hold_up_the_search_for_rules(tmp_path: Path) -> None:
    path = tmp_path / "r"
    path.write_text("\n".join([book(T0, 7, "snapshot"), book(T0 + 1, 8).replace("100.1", "1e999999")]))
    assert contents([path]).instruments["BTCUSDT"].tick == Decimal("0.10")


def test_rules_are_taken_from_the_venue_else_found(tmp_path: Path) -> None:
    found = contents([market.written(market.recorded(), tmp_path / "r")])
    assert found.symbols == (market.SYMBOL,)
    assert found.notes == ()
    assert found.instruments[market.SYMBOL].tick == Decimal("0.010")
    path = tmp_path / "strange"
    path.write_text("\n".join(book(T0 + number, 7 + number, "snapshot", symbol="XYZUSDT") for number in range(5)))
    found = contents([path])
    rules = found.instruments["XYZUSDT"]
    assert (rules.tick, rules.lot, rules.price_decimals) == (Decimal("0.1"), Decimal(1), 1)
    assert "tick 0.1 and lot 1 are found" in found.notes[0]


def test_without_a_book_there_is_nothing_to_trade(tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_text("exchange,symbol,timestamp,local_timestamp,id,side,price,amount\nx,BTCUSDT,1,1,1,buy,1,2\n")
    with pytest.raises(RecordingError, match="expected an order book of any symbol, found BTCUSDT without one"):
        contents([path])
    with pytest.raises(RecordingError, match="expected an order book of DOGEUSDT, found SOLUSDT"):
        contents([market.written(market.recorded(), tmp_path / "r")], ["DOGEUSDT", market.SYMBOL])


def inspected(*paths: Path) -> Summary:
    recording, survey = Recording(paths), Survey(market.SYMBOL, lambda _n: False)
    survey.follow(recording)
    return survey.summary(survey.topic(), recording)


def test_a_book_that_never_begins_is_named(tmp_path: Path) -> None:
    """Else an import would look whole, and have thrown away every update."""
    lines = [depth(T0, 100, 105), binance("trade", T0 + 1, t=1, p="99", q="1", m=True)]
    path = tmp_path / "binance"
    path.write_text("\n".join(lines))
    done = bring_in([path], tmp_path / "out.jsonl.zst")
    assert list(done.topics) == ["publicTrade.BTCUSDT"]
    assert [note for note in done.notes if note.startswith("BTCUSDT: no order book, as its updates have no snapshot")]
    path.write_text("\n".join([f"{T0 * 1000} {SEED}", *lines]))
    assert not [note for note in bring_in([path], tmp_path / "whole.jsonl.zst").notes if "no order book" in note]


def test_what_is_imported_says_the_same(tmp_path: Path) -> None:
    path, out = market.written(market.recorded(), tmp_path / "r"), tmp_path / "out.jsonl.zst"
    done = bring_in([path], out)
    assert inspected(out) == inspected(path)
    assert done.frames == sum(done.topics.values()) == len(frames(path))
    assert contents([out]).instruments == contents([path]).instruments
    assert json.loads(next(iter(Lines(out))))["t"] == "header"
    with pytest.raises(RecordingError, match="is there already"):
        bring_in([path], out)


def test_an_import_that_fails_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "bad").write_text("nothing")
    with pytest.raises(RecordingError):
        bring_in([tmp_path / "bad"], tmp_path / "out.zst")
    good = market.written(market.recorded(), tmp_path / "r")
    with pytest.raises(RecordingError, match=r"out\.zst: cannot be written"):
        bring_in([good], tmp_path / "nowhere" / "out.zst")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad", "r"]
