"""Public frames become integer events, or a reason why not."""

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from breakwall.model.events import BadFrame, BookDelta, BookSnapshot, Ignored, Ticker, Trade, Trades
from breakwall.model.liquidations import Liquidation, Liquidations
from breakwall.model.units import Instrument
from breakwall.venues.bybit.codec import PublicCodec
from tests.venues.bybit.altered import STRANGE, altered


def instrument(symbol: str, tick: str, lot: str) -> Instrument:
    return Instrument(symbol, Decimal(tick), Decimal(lot), 1, 10**9, 10**9)


@pytest.fixture(scope="module")
def codec() -> PublicCodec:
    rules = [
        instrument("BTCUSDT", "0.10", "0.001"),
        instrument("PEPEUSDT", "0.0000010", "100"),
        instrument("HALFUSDT", "0.5", "5"),
    ]
    return PublicCodec({rule.symbol: rule for rule in rules})


def book(bids: str, asks: str = "", kind: str = "delta", symbol: str = "BTCUSDT") -> bytes:
    return (
        f'{{"topic":"orderbook.200.{symbol}","type":"{kind}","ts":105,"data":{{"s":"{symbol}","b":[{bids}],'
        f'"a":[{asks}],"u":7,"seq":9}},"cts":101}}'
    ).encode()


def test_a_snapshot(codec):
    frame = book('["60000.00","1.250"],["59999.90","0.41"]', '["60000.1","3"]', "snapshot")
    assert codec.decode(frame) == BookSnapshot(
        "BTCUSDT", [(600_000, 1_250), (599_999, 410)], [(600_001, 3_000)], 7, 9, 101, 200
    )


def test_a_delta_with_a_delete(codec):
    assert codec.decode(book('["59999.90","0"]')) == BookDelta("BTCUSDT", [(599_999, 0)], [], 7, 9, 101, 200)


def test_keys_in_any_order_and_spaces(codec):
    frame = (
        b'{"cts": 101, "data": {"seq": 9, "u": 7, "a": [["60000.10", "0.001"]], "b": [], "s": "BTCUSDT"},'
        b' "ts": 105, "extra": {"x": [1]}, "type": "delta", "topic": "orderbook.50.BTCUSDT"}'
    )
    assert codec.decode(frame) == BookDelta("BTCUSDT", [], [(600_001, 1)], 7, 9, 101, 50)


@pytest.mark.parametrize(
    ("symbol", "price", "size", "level"),
    [
        ("PEPEUSDT", "0.0000010", "100", (1, 1)),
        ("PEPEUSDT", "0.0123450", "123400", (12_345, 1_234)),
        ("PEPEUSDT", "0.012345", "1e3", (12_345, 10)),
        ("HALFUSDT", "1234.5", "35", (2_469, 7)),
        ("BTCUSDT", "99999999.90", "1000000.001", (999_999_999, 1_000_000_001)),
    ],
)
def test_ticks_and_lots_of_all_shapes(codec, symbol, price, size, level):
    event = codec.decode(book(f'["{price}","{size}"]', symbol=symbol))
    assert isinstance(event, BookDelta)
    assert event.bids == [level]


@pytest.mark.parametrize(
    ("level", "reason"),
    [
        ('["60000.05","1"]', "60000.05"),  # off the tick
        ('["60000.00","0.0005"]', "0.0005"),  # off the lot
        ('["0","1"]', "more than 0"),
        ('["-60000.00","1"]', "more than 0"),
        ('["60000.00","-1"]', "0 or more"),
        ('["nan","1"]', ""),
        ('["60000.00","Infinity"]', ""),
        ('["60000.00",""]', ""),
        ('["60000.00"]', ""),
        ('["60000.00","1","2"]', ""),  # the RPI book's shape
        ('["1e999","1"]', ""),
    ],
)
def test_levels_that_cannot_be(codec, level, reason):
    event = codec.decode(book(level))
    assert isinstance(event, BadFrame)
    assert reason in event.reason
    assert "BTCUSDT" in event.reason


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"topic":"orderbook.200.BTCUSDT","type":"delta","data":{}}',
        b'{"topic":"orderbook.200.BTCUSDT","type":"refresh","data":{"s":"BTCUSDT","b":[],"a":[],"u":1,"seq":1}}',
        b'{"topic":"orderbook.200.BTCUSDT","type":"delta","data":{"s":"ETHUSDT","b":[],"a":[],"u":1,"seq":1}}',
        b'{"topic":"publicTrade.BTCUSDT","data":[{"T":1,"s":"BTCUSDT","S":"Up","v":"1","p":"1"}]}',
        b'{"topic":"publicTrade.BTCUSDT","data":[{"T":1,"s":"XUSDT","S":"Buy","v":"1","p":"1"}]}',
        b'{"topic":"tickers.BTCUSDT","data":{"symbol":"BTCUSDT","markPrice":"much"}}',
        b'{"topic":"tickers.BTCUSDT","data":{"symbol":"BTCUSDT","markPrice":"NaN"}}',
        b'{"topic":"tickers.BTCUSDT","data":{"symbol":"ETHUSDT"}}',
        b'{"success":false,"ret_msg":"error:handler not found,topic:orderbook.7.X","op":"subscribe"}',
    ],
)
def test_what_cannot_be_read_is_a_bad_frame_with_a_reason(codec, frame):
    event = codec.decode(frame)
    assert isinstance(event, BadFrame)
    assert event.reason


@pytest.mark.parametrize(
    "frame",
    [
        b'{"success":true,"ret_msg":"pong","conn_id":"x","req_id":"","op":"ping"}',
        b'{"success":true,"ret_msg":"","conn_id":"x","op":"subscribe"}',
        b'{"success":true,"op":"subscribe","args":["orderbook.200.BTCUSDT"]}',
        b'{"topic":"kline.1.BTCUSDT","data":[{"start":1}],"ts":1,"type":"snapshot"}',
        b'{"topic":"orderbook.200.NOSUCH","type":"delta","data":{"s":"NOSUCH","b":[],"a":[],"u":1,"seq":1}}',
        b'{"topic":"publicTrade.NOSUCH","data":[]}',
        b'{"topic":"tickers.NOSUCH","data":{"symbol":"NOSUCH"}}',
    ],
)
def test_what_means_nothing_to_the_core_is_ignored(codec, frame):
    assert isinstance(codec.decode(frame), Ignored)


def test_trades(codec):
    frame = (
        b'{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":106,"data":['
        b'{"T":101,"s":"BTCUSDT","S":"Buy","v":"0.250","p":"60000.10","L":"PlusTick","i":"a","BT":false,"RPI":false,"seq":3},'
        b'{"T":102,"s":"BTCUSDT","S":"Sell","v":"0.001","p":"60000.00","L":"MinusTick","i":"b","BT":true,"seq":4},'
        b'{"T":103,"s":"BTCUSDT","S":"Sell","v":"0.001","p":"60000.00","i":"c","BT":false,"RPI":true,"seq":5}]}'
    )
    assert codec.decode(frame) == Trades(
        "BTCUSDT",
        (
            Trade(600_001, 250, True, 101, 3, "a", False),
            Trade(600_000, 1, False, 102, 4, "b", True),
            Trade(600_000, 1, False, 103, 5, "c", True),
        ),
    )


def test_a_partial_ticker_carries_only_what_changed(codec):
    frame = (
        b'{"topic":"tickers.BTCUSDT","type":"delta","data":{"symbol":"BTCUSDT","price24hPcnt":"-0.0171",'
        b'"markPrice":"60000.15","fundingRate":"","nextFundingTime":"1786320000000","bid1Price":"60000.00",'
        b'"turnover24h":"1142118412.9021"},"cs":1,"ts":77}'
    )
    assert codec.decode(frame) == Ticker(
        "BTCUSDT",
        77,
        mark=Decimal("60000.15"),
        change_24h=Decimal("-0.0171"),
        next_funding_ms=1_786_320_000_000,
        bid_ticks=600_000,
        turnover_24h_usdt=Decimal("1142118412.9021"),
    )


def test_new_instruments_hold_from_the_next_frame(codec):
    own = PublicCodec({"BTCUSDT": instrument("BTCUSDT", "0.10", "0.001")})
    frame = book('["60000.50","1"]')
    assert own.decode(frame).bids == [(600_005, 1_000)]
    own.set_instruments({"BTCUSDT": instrument("BTCUSDT", "0.50", "0.01")})
    assert own.decode(frame).bids == [(120_001, 100)]
    own.set_instruments({})
    assert isinstance(own.decode(frame), Ignored)


def test_foreign_text_is_made_harmless(codec):
    event = codec.decode(b'{"success":false,"ret_msg":"\\u001b[31mred","op":"subscribe"}')
    assert isinstance(event, BadFrame)
    assert "\x1b" not in event.reason


@settings(max_examples=100, deadline=None)
@given(
    tick=st.sampled_from(["0.1", "0.01", "0.05", "0.5", "0.25", "0.0000001", "1", "5", "10", "0.00005"]),
    lot=st.sampled_from(["0.001", "0.01", "0.1", "1", "5", "10", "100", "0.025", "1000"]),
    ticks=st.integers(1, 10**9),
    lots=st.integers(0, 10**9),
)
def test_every_number_on_the_grid_is_read_exactly(tick, lot, ticks, lots):
    rule = instrument("XUSDT", tick, lot)
    level = msgspec.json.encode([rule.price_text(ticks), rule.qty_text(lots)]).decode()
    event = PublicCodec({"XUSDT": rule}).decode(book(level, symbol="XUSDT"))
    assert isinstance(event, BookDelta)
    assert event.bids == [(ticks, lots)]


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=80))
def test_no_bytes_raise(noise):
    own = PublicCodec({"BTCUSDT": instrument("BTCUSDT", "0.10", "0.001")})
    assert isinstance(own.decode(noise), BadFrame | Ignored)
    assert isinstance(own.decode(b'{"topic":"orderbook.200.BTCUSDT"' + noise), BadFrame | Ignored)


def liquidation(**changes: object) -> bytes:
    row = {"T": 1, "s": "BTCUSDT", "S": "Buy", "v": "0.010", "p": "54000.037"} | changes
    return msgspec.json.encode({"topic": "allLiquidation.BTCUSDT", "type": "snapshot", "ts": 2, "data": [row]})


@pytest.mark.parametrize(("side", "long"), [("Buy", True), ("Sell", False)])
def test_a_liquidation_names_the_side_of_the_position(codec, side, long):
    """The bankruptcy price lies between the ticks as it comes."""
    assert codec.decode(liquidation(S=side)) == Liquidations("BTCUSDT", (Liquidation(540_000, 10, long, 1),))


@pytest.mark.parametrize(
    "wrong", [{"S": "buy"}, {"v": "0.0005"}, {"v": "-1"}, {"p": ""}, {"p": "NaN"}, {"s": "ETHUSDT"}]
)
def test_a_liquidation_that_cannot_be_read_is_bad(codec, wrong):
    assert isinstance(codec.decode(liquidation(**wrong)), BadFrame)


LEVELS = [["60000.00", "1.250"], ["59999.90", "0.410"]]
FRAMES: list[dict[str, Any]] = [
    {"topic": "orderbook.200.BTCUSDT", "type": "snapshot", "ts": 105, "cts": 101,
     "data": {"s": "BTCUSDT", "b": LEVELS, "a": [["60000.10", "3"]], "u": 7, "seq": 9}},
    {"topic": "publicTrade.BTCUSDT", "type": "snapshot", "ts": 105, "data": [
        {"T": 1, "s": "BTCUSDT", "S": "Buy", "v": "0.250", "p": "60000.10", "i": "a", "BT": False, "seq": 9}]},
    {"topic": "tickers.BTCUSDT", "type": "delta", "ts": 77, "data": {
        "symbol": "BTCUSDT", "markPrice": "60000.15", "fundingRate": "0.0001", "bid1Price": "60000.00"}},
    {"topic": "allLiquidation.BTCUSDT", "type": "snapshot", "ts": 2, "data": [
        {"T": 1, "s": "BTCUSDT", "S": "Buy", "v": "0.010", "p": "54000.037"}]},
]  # fmt: skip


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: frame["topic"])
def test_a_frame_in_any_other_shape_is_read_as_itself_or_not_at_all(codec, frame):
    """Nothing raises, and no level is of nothing or less."""
    kind = type(codec.decode(msgspec.json.encode(frame)))
    read = 0
    for other in altered(frame, STRANGE):
        event = codec.decode(json.dumps(other).encode())
        assert isinstance(event, BadFrame | Ignored | kind), other
        if isinstance(event, BookSnapshot):
            for ticks, lots in (*event.bids, *event.asks):
                assert ticks > 0
                assert lots >= 0
        read += isinstance(event, kind)
    assert read > 3


@pytest.mark.parametrize("name", ["markPrice", "fundingRate", "bid1Price"])
def test_a_ticker_field_that_is_nothing_is_unchanged(codec, name):
    whole = codec.decode(msgspec.json.encode(FRAMES[2]))
    for data in (
        {key: value for key, value in FRAMES[2]["data"].items() if key != name},
        FRAMES[2]["data"] | {name: ""},
    ):
        event = codec.decode(msgspec.json.encode(FRAMES[2] | {"data": data}))
        changed = {"markPrice": "mark", "fundingRate": "funding_rate", "bid1Price": "bid_ticks"}[name]
        assert event == structs.replace(whole, **{changed: None})


@pytest.mark.parametrize(
    ("price", "mark"),
    [("0", None), ("0.00", None), ("", None), ("-1", BadFrame), ("1e999999", BadFrame), ("9" * 32, BadFrame)],
)
def test_a_price_of_nothing_is_no_price_and_an_absurd_one_is_not_read(codec, price, mark):
    """A mark of zero would be the end of every long; one with a million digits the end of every reckoning."""
    event = codec.decode(msgspec.json.encode(FRAMES[2] | {"data": FRAMES[2]["data"] | {"markPrice": price}}))
    assert isinstance(event, BadFrame) if mark is BadFrame else event.mark is None


def test_an_empty_side_in_a_ticker_does_not_hide_its_mark(codec):
    event = codec.decode(msgspec.json.encode(FRAMES[2] | {"data": FRAMES[2]["data"] | {"bid1Price": "0"}}))
    assert (event.mark, event.bid_ticks) == (Decimal("60000.15"), None)
