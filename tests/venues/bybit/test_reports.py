"""Account records as the venue writes them, in all its spellings, and records that are broken."""

import json
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakwall.model.events import (
    BadFrame,
    Fills,
    Ignored,
    OrderReports,
    PositionReports,
    WalletReport,
)
from breakwall.model.units import Instrument, Side
from breakwall.ports import HttpAnswer
from breakwall.venues.bybit.codec import PublicCodec
from breakwall.venues.bybit.endpoints import UnreadableError, open_envelope
from breakwall.venues.bybit.reports import AccountRecords, PrivateCodec, RecordError, instrument_of, number, text

FIXTURES = Path(__file__).parents[3] / "../shared/data/fixtures"
BYBIT = FIXTURES.parent / "bybit_v5"

BTC = Instrument("BTCUSDT", Decimal("0.10"), Decimal("0.001"), 1, 1_190_000, 500_000)
ETH = Instrument("ETHUSDT", Decimal("0.01"), Decimal("0.01"), 1, 724_000, 200_000)
INSTRUMENTS = {"BTCUSDT": BTC, "ETHUSDT": ETH}

ORDER: dict[str, object] = {
    "symbol": "BTCUSDT",
    "orderId": "o1",
    "orderLinkId": "bw-1-2-e",
    "side": "Buy",
    "orderType": "Limit",
    "orderStatus": "New",
    "price": "60000.00",
    "qty": "0.010",
    "cumExecQty": "0.004",
    "avgPrice": "",
    "stopLoss": "59000.00",
    "reduceOnly": False,
    "rejectReason": "EC_NoError",
    "cancelType": "UNKNOWN",
    "createdTime": "1700000000100",
    "updatedTime": "1700000000101",
}
FILL: dict[str, object] = {
    "symbol": "BTCUSDT",
    "orderId": "o1",
    "orderLinkId": "bw-1-2-x",
    "side": "Sell",
    "execId": "e1",
    "execPrice": "61000.00",
    "execQty": "0.100",
    "execValue": "6100",
    "execFee": "3.355",
    "feeRate": "0.00055",
    "feeCurrency": "USDT",
    "execType": "Trade",
    "isMaker": False,
    "closedSize": "0.100",
    "seq": 9100200512,
    "execTime": "1700000000353",
}
POSITION: dict[str, object] = {
    "symbol": "BTCUSDT",
    "side": "Sell",
    "size": "0.010",
    "leverage": "10",
    "stopLoss": "61000.00",
    "takeProfit": "0.00",
    "liqPrice": "",
    "markPrice": "60001.00",
    "seq": 7,
    "positionIdx": 0,
    "updatedTime": "1700000000353",
}


def records() -> AccountRecords:
    return AccountRecords(INSTRUMENTS)


def push(topic: str, *rows: dict[str, object]) -> bytes:
    return msgspec.json.encode({"id": "1", "topic": topic, "creationTime": 1700000000105, "data": rows})


def fixture(name: str) -> dict[str, object]:
    path = FIXTURES / "bybit_nautilus" / name
    if not path.exists():
        pytest.skip("shared fixtures are not here")
    content: dict[str, object] = json.loads(path.read_text())
    return content


def test_order() -> None:
    (report,) = records().orders([ORDER])
    assert (report.client_id, report.side, report.status) == ("bw-1-2-e", Side.BUY, "New")
    assert (report.lots, report.filled_lots, report.limit_ticks) == (10, 4, 600_000)
    assert (report.stop_loss_ticks, report.trigger_ticks, report.average) == (590_000, None, None)
    assert (report.reason, report.cancel_kind, report.stop_kind) == ("", "", "")
    assert report.updated_ms == 1700000000101


def test_a_cancelled_order_s_filled_amount_is_what_was_executed() -> None:
    row = ORDER | {"orderStatus": "Cancelled", "leavesQty": "0.000", "cancelType": "CancelByUser"}
    (report,) = records().orders([row])
    assert (report.filled_lots, report.cancel_kind) == (4, "CancelByUser")


def test_a_market_order_s_protective_price_is_no_limit() -> None:
    (report,) = records().orders([ORDER | {"orderType": "Market", "price": "57000.00"}])
    assert report.limit_ticks is None


@pytest.mark.parametrize("nothing", ["", "0", "0.00", "0.000000", None, "UNKNOWN"])
def test_every_way_of_saying_no_stop(nothing: object) -> None:
    (position,) = records().positions([POSITION | {"stopLoss": nothing}])
    assert position.stop_ticks is None
    assert position.take_profit_ticks is None


@pytest.mark.parametrize("name", ["avgPrice", "entryPrice"])
def test_position_entry_in_both_spellings(name: str) -> None:
    (position,) = records().positions([POSITION | {name: "60000.05"}])
    assert (position.lots, position.entry, position.stop_ticks) == (-10, Decimal("60000.05"), 610_000)
    assert (position.liquidation, position.mark) == (None, Decimal("60001.00"))


def test_a_flat_position_has_no_side() -> None:
    (position,) = records().positions([POSITION | {"side": "", "size": "0", "stopLoss": ""}])
    assert (position.lots, position.entry) == (0, Decimal(0))


def test_a_position_without_side_is_not_guessed() -> None:
    with pytest.raises(RecordError, match="BTCUSDT: side: expected Buy or Sell, found ''"):
        records().positions([POSITION | {"side": ""}])


def test_fill() -> None:
    (fill,) = records().fills([FILL])
    assert (fill.exec_id, fill.side, fill.ticks, fill.lots) == ("e1", Side.SELL, 610_000, 100)
    assert (fill.fee_usdt, fill.closed_lots, fill.exec_kind) == (Decimal("3.355"), 100, "Trade")
    assert (fill.seq, fill.at_ms, fill.maker) == (9100200512, 1700000000353, False)


def test_a_fee_in_another_coin_is_valued_by_its_rate() -> None:
    (fill,) = records().fills([FILL | {"feeCurrency": "MNT", "execFee": "4.1"}])
    assert fill.fee_usdt == Decimal("3.355")


def test_forced_closes_are_told_by_their_kind_and_may_lie_off_the_grid() -> None:
    (fill,) = records().fills([FILL | {"execType": "BustTrade", "orderLinkId": "", "execPrice": "54000.037"}])
    assert (fill.exec_kind, fill.client_id, fill.ticks) == ("BustTrade", "", 540_000)


def test_free_margin_of_an_isolated_account() -> None:
    coin = {
        "coin": "USDT",
        "equity": "1010",
        "walletBalance": "1000",
        "totalPositionIM": "100",
        "totalOrderIM": "50",
        "locked": "3",
        "bonus": "2",
    }
    wallet = records().wallet([{"coin": [{"coin": "BTC"}, coin]}], 5)
    assert (wallet.equity_usdt, wallet.balance_usdt, wallet.available_usdt) == (1010, 1000, 845)
    assert wallet.at_ms == 5


def test_no_usdt_is_no_money_but_no_account_is_unreadable() -> None:
    assert records().wallet([{"coin": [{"coin": "BTC", "equity": "1"}]}]).available_usdt == 0
    with pytest.raises(RecordError, match="expected one account"):
        records().wallet([])


def test_other_symbols_are_skipped_and_named_where_they_hold_something() -> None:
    reader = records()
    other, flat = POSITION | {"symbol": "XRPUSDT"}, POSITION | {"symbol": "ADAUSDT", "size": "0"}
    assert len(reader.positions([POSITION, other, flat, POSITION | {"category": "inverse"}])) == 1
    order = {"symbol": "TRXUSDT", "orderId": "o", "qty": "5"}
    assert reader.strangers([POSITION, other, flat, order]) == {"XRPUSDT", "TRXUSDT"}


@pytest.mark.parametrize(
    "change",
    [
        {"qty": "many"},
        {"qty": "NaN"},
        {"qty": "Infinity"},
        {"qty": "0.0105"},
        {"side": "Both"},
        {"orderId": ""},
        {"orderStatus": None},
        {"price": "-1"},
    ],
)
def test_broken_orders_are_not_read(change: dict[str, object]) -> None:
    with pytest.raises(RecordError, match="BTCUSDT"):
        records().orders([ORDER | change])


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        (push("order", ORDER, ORDER), OrderReports),
        (push("order.linear", ORDER), OrderReports),
        (push("execution", FILL), Fills),
        (push("position.linear", POSITION), PositionReports),
        (push("wallet", {"coin": [{"coin": "USDT", "equity": "1", "walletBalance": "1"}]}), WalletReport),
        (push("wallet", {"coin": [{"coin": "USDT", "equity": "1"}]}), BadFrame),  # no balance is not a balance of 0
        (push("execution.fast", FILL), Ignored),  # knows no fees
        (push("wallet", {"coin": [{"coin": "BTC", "equity": "1"}]}), Ignored),  # ours is not zero for that
        (push("greeks"), Ignored),
        (b'{"success":true,"op":"subscribe"}', Ignored),
        (b'{"req_id":"x","op":"pong","args":["1"]}', Ignored),
        (push("order", {"symbol": "BTCUSDT"}), BadFrame),
        (b'{"topic":"order","data":7}', BadFrame),
        (b'{"topic":"order"}', BadFrame),
        (b"[1]", BadFrame),
        (b"<html>", BadFrame),
        (b"\xff\xfe", BadFrame),
    ],
)
def test_one_frame_is_one_event(frame: bytes, kind: type) -> None:
    assert type(PrivateCodec(records()).decode(frame)) is kind


def test_unknown_words_of_the_venue_pass_as_they_are() -> None:
    event = PrivateCodec(records()).decode(push("order", ORDER | {"orderStatus": "Sleeping", "new": [1]}))
    assert isinstance(event, OrderReports)
    assert event.reports[0].status == "Sleeping"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**12) | st.text(max_size=6) | st.sampled_from(["NaN", "-1", "Buy"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(ORDER)), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(["order", "execution", "position", "wallet"]),
    st.dictionaries(st.sampled_from(sorted(ORDER | FILL | POSITION)), _JSON, max_size=4),
)
def test_no_frame_raises(topic: str, change: dict[str, object]) -> None:
    row = {"order": ORDER, "execution": FILL, "position": POSITION}.get(topic, {}) | change
    assert PrivateCodec(records()).decode(push(topic, row)) is not None


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60))
def test_no_bytes_raise(data: bytes) -> None:
    assert PrivateCodec(records()).decode(data) is not None


def test_numbers_and_texts() -> None:
    assert number({"a": 5}, "a") == 5
    assert number({}, "a") == 0
    assert text({"a": None}, "a") == ""


# Shapes from the shared fixtures --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("ws_account_order.json", OrderReports),
        ("ws_account_order_stop_market.json", OrderReports),
        ("ws_account_order_take_profit.json", OrderReports),
        ("ws_account_execution.json", Fills),
        ("ws_account_position.json", PositionReports),
        ("ws_account_wallet.json", WalletReport),
        ("ws_auth_failure.json", Ignored),
        ("ws_subscription_ack.json", Ignored),
    ],
)
def test_recorded_shapes_of_the_private_socket(name: str, kind: type) -> None:
    event = PrivateCodec(records()).decode(json.dumps(fixture(name)).encode())
    assert type(event) is kind


def test_a_stop_s_trigger_is_read() -> None:
    event = PrivateCodec(records()).decode(json.dumps(fixture("ws_account_order_stop_market.json")).encode())
    assert isinstance(event, OrderReports)
    assert (event.reports[0].status, event.reports[0].trigger_ticks) == ("Untriggered", 450_000)
    assert (event.reports[0].stop_kind, event.reports[0].limit_ticks) == ("Stop", None)


def test_recorded_shapes_of_rest() -> None:
    reader = records()

    def rows(name: str) -> list[dict[str, object]]:
        result = fixture(name)["result"]
        assert isinstance(result, dict)
        listed: list[dict[str, object]] = result["list"]
        return listed

    positions = reader.positions(rows("http_get_positions.json"))
    assert (positions[0].lots, positions[0].stop_ticks) == (500, 480_000)
    assert positions[1].lots == -500
    assert reader.orders(rows("http_get_orders_realtime.json"))[0].limit_ticks == 393_041
    assert reader.orders(rows("http_get_orders_history.json"))[0].status == "Cancelled"
    assert reader.fills(rows("http_get_executions.json"))[0].maker
    assert reader.wallet(rows("http_get_wallet_balance.json")).equity_usdt >= 0


def test_real_instruments() -> None:
    path = BYBIT / "rest_instruments_info_linear_a.json"
    if not path.exists():
        pytest.skip("shared recordings are not here")
    content = json.loads(path.read_text())
    rows = content["result"]["list"]
    made = {row["symbol"]: instrument_of(row) for row in rows}
    assert len(made) == 400
    btc = made["BTCUSDT"]
    assert (btc.tick, btc.lot, btc.min_lots, btc.tradable) == (Decimal("0.10"), Decimal("0.001"), 1, True)
    assert btc.maintenance_rate == Decimal("0.005")
    assert any(not instrument.tradable for instrument in made.values())


def test_an_instrument_without_its_filters_is_not_made_up() -> None:
    with pytest.raises(RecordError, match="priceFilter: expected an object"):
        instrument_of({"symbol": "BTCUSDT"})


@pytest.mark.parametrize("kind", ["Funding", "SessionSettlePnL", "CorporateAction", "SomethingNew"])
@pytest.mark.parametrize(
    "strange", [{"execPrice": "0"}, {"execPrice": ""}, {"side": "None"}, {"execQty": "0.00001"}, {"closedSize": "x"}]
)
def test_cash_without_a_size_does_not_hide_the_executions_beside_it(kind, strange) -> None:
    paid = FILL | {"execId": "f1", "execType": kind, "execFee": "0.605"} | strange
    cash, trade = records().fills([paid, FILL])
    assert (cash.exec_kind, cash.fee_usdt, cash.lots, cash.ticks) == (kind, Decimal("0.605"), 0, 0)
    assert trade.exec_kind == "Trade"
    assert trade.lots > 0


@pytest.mark.parametrize(
    "kind", ["Trade", "BustTrade", "AdlTrade", "Delivery", "Settle", "BlockTrade", "MovePosition"]
)
def test_what_moves_a_position_must_say_how_far(kind) -> None:
    with pytest.raises(RecordError, match="execPrice"):
        records().fills([FILL | {"execType": kind, "execPrice": "0"}])


@pytest.mark.parametrize(
    ("topic", "row", "name"),
    [
        ("order", ORDER, "qty"),
        ("execution", FILL, "execQty"),
        ("execution", FILL, "execPrice"),
        ("execution", FILL, "execFee"),
        ("position", POSITION, "size"),
    ],
)
@pytest.mark.parametrize("value", ["", None, KeyError, "1e999999", 10**40, True, [], {}])
def test_no_number_is_made_up_where_one_is_missing(topic, row, name, value) -> None:
    """A position without a size is not flat, an execution without a fee was not free."""
    other = {key: said for key, said in row.items() if key != name} | ({} if value is KeyError else {name: value})
    assert isinstance(PrivateCodec(records()).decode(push(topic, other)), BadFrame)


@pytest.mark.parametrize("data", [b"[" * 100_000, b'{"x":' * 50_000, b'{"topic":"order","data":' + b"[" * 100_000])
def test_nothing_is_nested_too_deep(data) -> None:
    assert isinstance(PrivateCodec(records()).decode(data), BadFrame)
    assert isinstance(PublicCodec({}).decode(data), BadFrame | Ignored)
    with pytest.raises(UnreadableError):
        open_envelope(HttpAnswer(200, data))
