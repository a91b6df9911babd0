"""Whatever venues are known to have sent: read to the exact value, or not at all.

The fixtures lie beside the checkout and are not ours; any file put there is read. What they say is compared with the
raw text by a second, plain reading of it.
"""

import copy
import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from breakwall.model.events import (
    BadFrame,
    BookDelta,
    BookSnapshot,
    Fills,
    OrderReports,
    PositionReports,
    Ticker,
    Trades,
    WalletReport,
)
from breakwall.model.liquidations import Liquidations
from breakwall.model.units import Instrument
from breakwall.ports import HttpAnswer
from breakwall.storage.lines import Lines
from breakwall.venues.bybit.codec import PublicCodec
from breakwall.venues.bybit.endpoints import open_envelope
from breakwall.venues.bybit.reports import AccountRecords, PrivateCodec, RecordError, instrument_of
from tests.venues.bybit.altered import STRANGE, altered

DATA = Path(__file__).parents[3] / "../shared/data"
pytestmark = pytest.mark.skipif(not (DATA / "fixtures").is_dir(), reason="the fixtures are not beside the project")

STEP = Decimal("0.00000001")
"""Every price and size of every fixture lies on it."""
PUBLIC = {"orderbook", "publicTrade", "tickers", "allLiquidation"}
PRIVATE = {"order", "execution", "position", "wallet"}
FRAMES_READ = 600


def objects(path: Path) -> Iterator[Any]:
    """Every JSON object of a file: whole, one a line, or after `=` or `<` in a transcript of what was said."""
    content = path.read_text(encoding="utf-8")
    if path.suffix == ".jsonl":
        yield from map(json.loads, content.splitlines())
        return
    if path.suffix == ".json":
        yield json.loads(content)
        return
    lines = [line.lstrip("<= ") for line in content.splitlines() if not line.startswith(">")]
    rest = "\n".join(lines)
    while (begin := rest.find("{")) >= 0:
        found, end = json.JSONDecoder().raw_decode(rest[begin:])
        yield found
        rest = rest[begin + end :]


def of_bybit() -> list[Path]:
    paths = sorted((DATA / "fixtures").rglob("*"))
    return [path for path in paths if path.is_file() and "binance" not in str(path).lower()]


def said() -> list[Any]:
    return [found for path in of_bybit() for found in objects(path)]


def recorded() -> list[Any]:
    """The first frames of each recording: snapshots, deltas, trades, tickers, bars and acknowledgements."""
    frames = []
    for path in sorted((DATA / "bybit_v5").glob("*.jsonl.zst")):
        for line in islice(Lines(path), FRAMES_READ):
            told = json.loads(line)
            data = told.get("data") if told.get("t") == "recv" else None
            frames += [json.loads(data)] if isinstance(data, str) and data.startswith("{") else []
    return frames


def rows_in(found: Any) -> list[dict[str, Any]]:
    """Rows of a frame or of a page of REST."""
    data = found.get("data") or (found.get("result") or {}).get("list") or []
    return [row for row in data if isinstance(row, dict)] if isinstance(data, list) else []


def symbols_of(found: Any) -> set[str]:
    data = found.get("data")
    one = [data] if isinstance(data, dict) else []
    return {str(row.get("symbol") or row.get("s")) for row in [*one, *rows_in(found)]} - {"None", ""}


def fine(symbols: set[str]) -> dict[str, Instrument]:
    return {name: Instrument(name, STEP, STEP, 1, 10**15, 10**15) for name in symbols}


def amount(said: Any) -> Decimal:
    return Decimal(0) if said in {None, "", "UNKNOWN"} else Decimal(str(said))


def exact(ticks: int | None) -> Decimal:
    return Decimal(0) if ticks is None else ticks * STEP


def test_public_frames_are_read_exactly() -> None:
    seen: Counter[str] = Counter()
    for found in [*said(), *recorded()]:
        topic = str(found.get("topic", "")).partition(".")[0]
        if topic not in PUBLIC:
            continue
        event = PublicCodec(fine(symbols_of(found))).decode(json.dumps(found).encode())
        data = found["data"]
        if isinstance(event, BookSnapshot | BookDelta):
            assert isinstance(event, BookSnapshot) == (found["type"] == "snapshot")
            assert (event.update_id, event.seq, event.symbol) == (data["u"], data["seq"], data["s"])
            for side, levels in ((data["b"], event.bids), (data["a"], event.asks)):
                assert [(exact(ticks), exact(lots)) for ticks, lots in levels] == [
                    (Decimal(price), Decimal(size)) for price, size in side
                ]
        elif isinstance(event, Trades):
            for row, trade in zip(data, event.trades, strict=True):
                assert (exact(trade.ticks), exact(trade.lots)) == (Decimal(row["p"]), Decimal(row["v"]))
                assert (trade.buy, trade.at_ms, trade.trade_id) == (row["S"] == "Buy", row["T"], row["i"])
                assert trade.off_book == (row.get("BT", False) or row.get("RPI", False))
                assert trade.seq == row.get("seq", 0)
        elif isinstance(event, Liquidations):
            for row, one in zip(data, event.liquidations, strict=True):
                assert (exact(one.ticks), exact(one.lots)) == (Decimal(row["p"]), Decimal(row["v"]))
                assert (one.long, one.at_ms) == (row["S"] == "Buy", row["T"])
        else:
            assert isinstance(event, Ticker), event
            names = {"markPrice": event.mark, "fundingRate": event.funding_rate, "openInterest": event.open_interest}
            names |= {"indexPrice": event.index, "lastPrice": event.last, "price24hPcnt": event.change_24h}
            names |= {"turnover24h": event.turnover_24h_usdt}
            for name, value in names.items():
                told = Decimal(data[name]) if data.get(name) else None
                assert value == (told or None if name.endswith("Price") else told), name
            assert exact(event.bid_ticks) == amount(data.get("bid1Price"))
            assert exact(event.ask_ticks) == amount(data.get("ask1Price"))
            assert event.next_funding_ms == (int(data["nextFundingTime"]) if data.get("nextFundingTime") else None)
        seen[type(event).__name__] += 1
    assert min(seen[name] for name in ("BookSnapshot", "BookDelta", "Trades", "Ticker")) >= 2, seen
    assert seen["Liquidations"]


def check_order(row: dict[str, Any], report: Any) -> None:
    assert (report.order_id, report.status) == (row["orderId"], row["orderStatus"])
    assert report.client_id == (row.get("orderLinkId") or "")
    assert exact(report.lots) == amount(row["qty"])
    assert exact(report.filled_lots) == amount(row.get("cumExecQty"))
    assert exact(report.limit_ticks) == (amount(row.get("price")) if row["orderType"] != "Market" else 0)
    assert exact(report.trigger_ticks) == amount(row.get("triggerPrice"))
    assert exact(report.stop_loss_ticks) == amount(row.get("stopLoss"))
    assert (report.average or 0) == amount(row.get("avgPrice"))
    assert report.reduce_only == bool(row.get("reduceOnly"))


def check_fill(row: dict[str, Any], fill: Any) -> None:
    assert (fill.exec_id, fill.order_id, fill.side.value) == (row["execId"], row["orderId"], row["side"])
    assert (exact(fill.ticks), exact(fill.lots)) == (amount(row["execPrice"]), amount(row["execQty"]))
    assert fill.exec_kind == row["execType"]
    assert fill.at_ms == int(row["execTime"])
    if row.get("feeCurrency") in {None, "", "USDT"}:
        assert fill.fee_usdt == amount(row["execFee"])


def check_position(row: dict[str, Any], report: Any) -> None:
    sign = {"Buy": 1, "Sell": -1}.get(row["side"], 0)
    assert exact(report.lots) == sign * amount(row["size"])
    assert report.entry == (amount(row.get("avgPrice")) or amount(row.get("entryPrice")))
    assert exact(report.stop_ticks) == amount(row.get("stopLoss"))
    assert (report.liquidation or 0) == amount(row.get("liqPrice"))
    assert report.leverage == amount(row.get("leverage"))


CHECKS = {OrderReports: check_order, PositionReports: check_position}


def linear(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if row.get("category") in {None, "", "linear"}]


def test_account_records_are_read_exactly() -> None:
    seen: Counter[str] = Counter()
    for found in said():
        rows = rows_in(found)
        records = AccountRecords(fine(symbols_of(found)))
        topic = str(found.get("topic", ""))
        if topic.partition(".")[0] in PRIVATE and not topic.startswith("execution.fast"):
            event = PrivateCodec(records).decode(json.dumps(found).encode())
        elif rows and "orderStatus" in rows[0]:
            event = OrderReports(records.orders(rows))
        elif rows and "positionIdx" in rows[0]:
            event = PositionReports(records.positions(rows))
        elif rows and "execQty" in rows[0] and not topic:
            event = Fills(records.fills(rows))
        else:
            continue
        assert not isinstance(event, BadFrame), event
        if isinstance(event, Fills):
            for row, fill in zip(linear(rows), event.fills, strict=True):
                check_fill(row, fill)
        elif type(event) in CHECKS:
            for row, report in zip(linear(rows), event.reports, strict=True):
                CHECKS[type(event)](row, report)
        elif isinstance(event, WalletReport):
            coin = next(coin for coin in rows[0]["coin"] if coin["coin"] == "USDT")
            assert event.wallet.balance_usdt == amount(coin["walletBalance"])
            assert event.wallet.equity_usdt == amount(coin["equity"])
        seen[type(event).__name__] += 1
    assert min(seen[kind.__name__] for kind in (OrderReports, PositionReports, Fills, WalletReport)) >= 1, seen


def test_instruments_are_read_exactly_and_others_are_told_apart() -> None:
    pages = [*said(), *(json.loads(path.read_text()) for path in (DATA / "bybit_v5").glob("rest_instruments*.json"))]
    read = traded = 0
    for row in [row for found in pages for row in rows_in(found) if "lotSizeFilter" in row]:
        try:
            rules = instrument_of(row)
        except RecordError:
            assert row.get("contractType") != "LinearPerpetual", row
            continue
        prices, sizes, leverage = row["priceFilter"], row["lotSizeFilter"], row["leverageFilter"]
        assert (rules.tick, rules.lot) == (Decimal(prices["tickSize"]), Decimal(sizes["qtyStep"]))
        assert rules.qty(rules.min_lots) == Decimal(sizes["minOrderQty"])
        assert rules.qty(rules.max_lots) == Decimal(sizes["maxOrderQty"])
        assert rules.max_leverage == Decimal(leverage["maxLeverage"])
        assert rules.leverage_step == Decimal(leverage["leverageStep"])
        assert rules.funding_interval_min == int(row.get("fundingInterval") or 0)
        assert rules.tradable == (rules.unfit == "")
        perpetual = row.get("contractType") == "LinearPerpetual" and row.get("settleCoin", "USDT") == "USDT"
        assert not rules.tradable or (perpetual and row["status"] == "Trading"), row["symbol"]
        read, traded = read + 1, traded + rules.tradable
    assert read > traded > 0


def one_of_each(found: list[Any]) -> list[Any]:
    """The first frame of each kind: shapes repeat, and each is altered in hundreds of ways."""
    kinds = {(str(each.get("topic", "")).partition(".")[0], each.get("type")): each for each in reversed(found)}
    return [each for (topic, _), each in kinds.items() if topic]


def test_no_alteration_of_a_frame_raises() -> None:
    tried = 0
    for found in one_of_each(said()):
        instruments = fine(symbols_of(found))
        readers = (PublicCodec(instruments).decode, PrivateCodec(AccountRecords(instruments)).decode)
        for other in altered(found, STRANGE):
            data = json.dumps(other).encode()
            for read in readers:
                assert read(data) is not None
                tried += 1
    assert tried > 1000


def test_a_field_more_changes_nothing() -> None:
    for found in said():
        if not isinstance(found.get("topic"), str):
            continue
        instruments = fine(symbols_of(found))
        more = copy.deepcopy(found) | {"new": {"deep": [1, "x", None]}}
        data = more.get("data")
        for row in data if isinstance(data, list) else [data]:
            row |= {"aNewField": ["x"], "another": 1.5}
        for read in (PublicCodec(instruments).decode, PrivateCodec(AccountRecords(instruments)).decode):
            assert read(json.dumps(more).encode()) == read(json.dumps(found).encode())


def test_no_number_is_made_up_where_one_is_missing() -> None:
    """Without a size, a price that moves money, or a balance, a record is not read at all."""
    needed = {"order": {"qty"}, "execution": {"execQty", "execPrice", "execFee"}, "position": {"size"}}
    tried = 0
    for found in said():
        topic = str(found.get("topic", ""))
        rows = linear(rows_in(found))
        for name in needed.get(topic, ()):
            for value in ("", None, KeyError) if rows else ():
                other = copy.deepcopy(found)
                row = other["data"][0]
                row.pop(name) if value is KeyError else row.update({name: value})
                event = PrivateCodec(AccountRecords(fine(symbols_of(found)))).decode(json.dumps(other).encode())
                assert isinstance(event, BadFrame), (topic, name, value)
                tried += 1
    assert tried >= 12


def test_answers_of_rest_open_whatever_they_carry() -> None:
    for found in said():
        if "retCode" in found and "result" in found:
            assert open_envelope(HttpAnswer(200, json.dumps(found).encode())).code == found["retCode"]
