import gzip
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from breakwall.replay.books import BookMessage, Seed
from breakwall.replay.forms import Other, Recording, RecordingError, read
from breakwall.replay.survey import Summary, Survey
from breakwall.replay.tables import TradeMessage
from breakwall.storage.lines import zstd


def book(u: int, kind: str = "delta", symbol: str = "BTCUSDT", depth: int = 50) -> bytes:
    data = {"s": symbol, "b": [["1.0", str(u)]], "a": [["2.0", "1"]], "u": u, "seq": u}
    return msgspec.json.encode({"topic": f"orderbook.{depth}.{symbol}", "type": kind, "ts": u, "data": data})


def recv(frame: bytes) -> bytes:
    return msgspec.json.encode({"t": "recv", "conn": "public", "ts": 1.5, "data": frame.decode()})


DEPTH = b'{"e":"depthUpdate","E":5,"T":4,"s":"BTCUSDT","U":1,"u":2,"pu":0,"b":[["1","2"]],"a":[]}'
ONE = Decimal(1)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            book(7),
            BookMessage(
                *("orderbook.50.BTCUSDT", "BTCUSDT", 7, 7),
                *([(ONE, Decimal(7))], [(Decimal(2), ONE)]),
                seq=7,
            ),
        ),
        (
            b'1680652700423575 {"stream":"btcusdt@depth@0ms","data":' + DEPTH + b"}",
            BookMessage("btcusdt@depth@0ms", "BTCUSDT", 5, 2, [(ONE, Decimal(2))], [], first=1, cts=4),
        ),
        (DEPTH, BookMessage("btcusdt@depth", "BTCUSDT", 5, 2, [(ONE, Decimal(2))], [], first=1, cts=4)),
        (b'17 {"lastUpdateId":3,"bids":[["1","1"]],"asks":[]}', Seed("", 3, [(ONE, ONE)], [])),
        (
            b'{"t":"http","conn":"c","ts":1.5,"url":"https://x/v1/depth?symbol=ETHUSDT","data":%b}'
            % msgspec.json.encode('{"lastUpdateId":3,"bids":[],"asks":[]}'),
            Seed("ETHUSDT", 3, [], []),
        ),
        (
            recv(b'{"topic":"publicTrade.BTCUSDT","data":[{"p":"1","v":"1","S":"Sell"}]}'),
            TradeMessage("publicTrade.BTCUSDT", "BTCUSDT", [(ONE, ONE, False)]),
        ),
        (
            b'{"e":"aggTrade","s":"BTCUSDT","p":"1","q":"1","m":false}',
            TradeMessage("btcusdt@aggTrade", "BTCUSDT", [(ONE, ONE, True)]),
        ),
        (recv(b'{"topic":"kline.1.BTCUSDT","data":[]}'), Other("kline.1.BTCUSDT", "BTCUSDT")),
        (recv(b'{"topic":"order","data":[]}'), Other("order", "")),
        (recv(b'{"success":true,"op":"subscribe"}'), None),
        (b'{"t":"header","format":2,"config":{}}', None),
        (b'{"t":"event","seq":1,"at_ms":2}', None),
    ],
)
def test_every_form_of_line(line: bytes, message: object) -> None:
    assert read(line) == message


def survey(tmp_path: Path, content: bytes, symbol: str = "BTCUSDT", topic: str = "") -> Summary:
    path = tmp_path / "recording"
    path.write_bytes(content)
    recording = Recording([path])
    asked = Survey(symbol, lambda _n: False)
    asked.follow(recording)
    return asked.summary(asked.topic(topic), recording)


WHOLE = b"\n".join([book(1, "snapshot"), *(book(u) for u in range(2, 3000))])


def test_a_cut_recording_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    packed = zstd.compress(WHOLE)
    found = survey(tmp_path, packed[: len(packed) // 2])
    assert 0 < found.applied < 2999
    assert len(found.notes) == 1
    assert "ends early" in found.notes[0]


def test_a_half_line_at_the_end_of_a_plain_file(tmp_path: Path) -> None:
    found = survey(tmp_path, WHOLE[:-20])
    assert (found.applied, found.unreadable) == (2998, 1)


def test_rubbish_between_frames_is_counted(tmp_path: Path) -> None:
    lines = [
        b"nonsense",
        book(1, "snapshot"),
        b'{"topic":"orderbook.50.BTCUSDT","data":{"s":1}}',
        b"",
        b"\xff\xfe",
        book(2),
    ]
    lines.append(book(3).replace(b'"1.0"', b'"NaN"'))
    found = survey(tmp_path, b"\n".join(lines))
    assert (found.applied, found.unreadable) == (2, 4)


def test_the_deepest_stream_is_chosen_unless_another_is_asked_for(tmp_path: Path) -> None:
    deep = book(1, "snapshot", depth=200).replace(b'["1.0","1"]', b'["1.0","1"],["0.9","1"]')
    content = b"\n".join([book(1, "snapshot"), book(2), deep])
    assert survey(tmp_path, content).topic == "orderbook.200.BTCUSDT"
    assert survey(tmp_path, content, topic="orderbook.50.BTCUSDT").applied == 2
    with pytest.raises(RecordingError, match=r"orderbook\.1\.BTCUSDT: no such .* found orderbook\.200\."):
        survey(tmp_path, content, topic="orderbook.1.BTCUSDT")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "found an empty file"),
        (zstd.compress(b""), "found an empty file"),
        (b"\n\n", "found an empty file"),
        (b"PK\x03\x04 something\n", "nothing can be read: the zip archive is damaged"),
        (b"The quick brown fox\n" * 300, "begins with 'The quick brown fox'"),
        (b"\x1b]0;evil\x07" + b"x" * 500, "begins with"),
        (zstd.compress(WHOLE)[:12], "nothing can be read: the zstd data ends early"),
        (gzip.compress(WHOLE, mtime=0)[:5] + b"\0" * 40, "nothing can be read: the gzip data"),
    ],
)
def test_what_is_no_recording_is_named(tmp_path: Path, content: bytes, text: str) -> None:
    with pytest.raises(RecordingError, match="recording: ") as caught:
        survey(tmp_path, content)
    assert text in str(caught.value)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    "respell",
    [
        lambda entry: json.dumps(entry).encode(),
        lambda entry: json.dumps(dict(reversed(entry.items())), separators=(",", ":")).encode(),
    ],
)
def test_blanks_and_order_of_keys_do_not_matter(respell: Callable[[dict[str, Any]], bytes]) -> None:
    line = recv(book(7))
    assert isinstance(read(line), BookMessage)
    assert read(respell(json.loads(line))) == read(line)


def test_a_file_without_a_market_is_named(tmp_path: Path) -> None:
    path = tmp_path / "instruments.json"
    path.write_text('{"retCode":0,"result":{"list":[]}}')
    with pytest.raises(RecordingError, match="expected order books, trades or bars, found none"):
        list(Recording([path]))


def test_a_wrong_symbol_names_those_that_are_there(tmp_path: Path) -> None:
    content = b"\n".join([book(1, "snapshot"), book(1, "snapshot", "ETHUSDT")])
    with pytest.raises(RecordingError, match="SOLUSDT: not in the recording; found BTCUSDT, ETHUSDT"):
        survey(tmp_path, content, "SOLUSDT")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"nowhere: cannot be read \(No such file"):
        list(Recording([tmp_path / "nowhere"]))


def test_a_folder_is_no_recording(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="cannot be read"):
        list(Recording([tmp_path]))


def test_a_trade_table(tmp_path: Path) -> None:
    rows = [b"exchange,symbol,timestamp,local_timestamp,id,side,price,amount"]
    rows += [b"x,BTCUSDT,1,1,1,buy,10,0.5", b"x,BTCUSDT,1,1,2,sell,10,0.25", b"short,row"]
    found = survey(tmp_path, b"\n".join(rows))
    assert (found.trades, found.buy_qty, found.sell_qty, found.notional) == (2, "0.5", "0.25", "7.5")
    assert found.unreadable == 1
