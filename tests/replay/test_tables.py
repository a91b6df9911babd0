import gzip
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest

from breakwall.replay.books import BookMessage
from breakwall.replay.forms import Recording
from breakwall.replay.tables import Bar, TradeMessage, table_of

BYBIT = (
    b"timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,foreignNotional,RPI\n"
    b"1748736000.0974,BTCUSDT,Sell,0.011,104591.50,ZeroMinusTick,7c1-a,1.15e+11,0.011,1150.5,0\n"
    b"1748736000.5,BTCUSDT,Buy,2,104591.60,PlusTick,7c1-b,2e+13,2,209183.2,0\n"
)


def messages(tmp_path: Path, name: str, content: bytes, member: str = "") -> tuple[list[object], int]:
    path = tmp_path / name
    if member:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(member, content)
    else:
        path.write_bytes(content)
    recording = Recording([path])
    return list(recording), recording.unreadable


def test_a_trade_archive_of_bybit_is_read_row_by_row(tmp_path: Path) -> None:
    found, unreadable = messages(tmp_path, "BTCUSDT2025-06-01.csv.gz", gzip.compress(BYBIT + b"broken,row\n"))
    assert found == [
        TradeMessage("trades", "BTCUSDT", [(Decimal("104591.50"), Decimal("0.011"), False)], 1748736000097, "7c1-a"),
        TradeMessage("trades", "BTCUSDT", [(Decimal("104591.60"), Decimal(2), True)], 1748736000500, "7c1-b"),
    ]
    assert unreadable == 1


def test_bars_and_quotes_take_day_and_symbol_from_the_name(tmp_path: Path) -> None:
    found, _ = messages(tmp_path, "a.zip", b"60000,1,4,0.5,2,7.5\n", "20221213_btcusdt_minute_trade_perp.csv")
    day = 1_670_889_600_000
    prices = (Decimal(1), Decimal(4), Decimal("0.5"), Decimal(2))
    assert found == [Bar("kline.1.BTCUSDT", "BTCUSDT", day + 60_000, prices, Decimal("7.5"))]
    row = b"60000,1,1,1,10,3,2,2,2,11,4\n"
    quotes, _ = messages(tmp_path, "b.zip", row, "20221213_btcusdt_minute_quote_perp.csv")
    assert len(quotes) == 1
    quote = quotes[0]
    assert isinstance(quote, BookMessage)
    assert (quote.ts, quote.bids, quote.asks) == (
        day + 120_000,
        [(Decimal(10), Decimal(3))],
        [(Decimal(11), Decimal(4))],
    )


def test_an_order_book_archive_is_frames_in_a_zip(tmp_path: Path) -> None:
    frame = (
        b'{"topic":"orderbook.200.BTCUSDT","type":"snapshot","ts":5,"data":{"s":"BTCUSDT","b":[["1","2"]],'
        b'"a":[["2","1"]],"u":7,"seq":9},"cts":4}'
    )
    found, _ = messages(tmp_path, "2025-06-01_BTCUSDT_ob200.data.zip", frame, "2025-06-01_BTCUSDT_ob200.data")
    assert [(message.update_id, message.ts, message.cts) for message in found] == [(7, 5, 4)]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("cells", "wrong"),
    [
        (b"1748736000,BTCUSDT,Hold,1,2", "side"),
        (b"1748736000,BTCUSDT,Buy,-1,2", "size"),
        (b"1748736000,BTCUSDT,Buy,1,NaN", "price"),
        (b"soon,BTCUSDT,Buy,1,2", "time"),
        (b"1748736000,BTCUSDT,Buy,1", "columns"),
    ],
)
def test_a_row_that_makes_no_sense_is_refused(cells: bytes, wrong: str) -> None:
    table = table_of("", b"timestamp,symbol,side,size,price")
    assert table is not None
    with pytest.raises((ValueError, ArithmeticError)):
        table.row(cells)


def test_other_files_are_no_tables() -> None:
    assert table_of("", b'{"topic":"orderbook.50.BTCUSDT"}') is None
    assert table_of("notes.csv", b"0,1,2,3,4,5") is None
