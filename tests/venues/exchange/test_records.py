"""Our records against recorded and documented ones: no field a client may look for is missing."""

import json
from pathlib import Path
from typing import Any

import pytest

from breakwall.venues.exchange.instruments import INSTRUMENTS, instrument_record

DATA = Path(__file__).parents[3] / "../shared/data"
NOT_OURS = {"isLeverage"}  # spot

pytestmark = pytest.mark.skipif(not DATA.exists(), reason="the folder with recorded data is not there")


def fixture(name: str) -> Any:
    text = (DATA / "fixtures" / name).read_text(encoding="utf-8")
    return json.loads(text)


def missing(ours: dict[str, Any], theirs: dict[str, Any]) -> set[str]:
    return set(theirs) - set(ours) - NOT_OURS


@pytest.mark.parametrize("symbol", ["BTCUSDT", "ETHUSDT"])
def test_instruments_are_those_of_the_venue(symbol: str) -> None:
    answer = json.loads((DATA / "bybit_v5/rest_instruments_info_linear_a.json").read_text(encoding="utf-8"))
    rows = answer["result"]["list"]
    theirs = next(row for row in rows if row["symbol"] == symbol)
    assert instrument_record(INSTRUMENTS[symbol]) == theirs


@pytest.mark.parametrize(
    ("topic", "name"),
    [
        ("execution", "bybit_nautilus/ws_account_execution.json"),
        ("order", "bybit_nautilus/ws_account_order.json"),
        ("order", "bybit_nautilus/ws_account_order_stop_market.json"),
        ("position", "bybit_nautilus/ws_account_position.json"),
        ("wallet", "bybit_nautilus/ws_account_wallet.json"),
    ],
)
def test_private_messages_have_all_documented_fields(hand: Any, topic: str, name: str) -> None:
    hand.order("Buy", "0.1", stopLoss="59000", tpslMode="Full")
    theirs = fixture(name)
    push = next(push for push in hand.pushed if push["topic"] == topic)
    assert missing(push, theirs) == set()
    assert missing(hand.records(topic)[0], theirs["data"][0]) <= {"totalPerpUpl"}
    if topic == "wallet":
        assert missing(hand.records(topic)[0]["coin"][0], theirs["data"][0]["coin"][0]) == set()


@pytest.mark.parametrize(
    ("path", "params", "name"),
    [
        ("/v5/order/realtime", {"symbol": "BTCUSDT"}, "bybit_nautilus/http_get_orders_realtime.json"),
        ("/v5/order/history", {"symbol": "BTCUSDT"}, "bybit_nautilus/http_get_orders_history.json"),
        ("/v5/execution/list", {}, "bybit_nautilus/http_get_executions.json"),
        ("/v5/position/list", {"symbol": "BTCUSDT"}, "bybit_nautilus/http_get_positions.json"),
        ("/v5/account/wallet-balance", {"accountType": "UNIFIED"}, "bybit_nautilus/http_get_wallet_balance.json"),
        ("/v5/account/fee-rate", {}, "bybit_nautilus/http_get_fee_rate.json"),
        ("/v5/market/recent-trade", {"symbol": "BTCUSDT"}, "bybit_nautilus/http_get_trades_recent.json"),
        ("/v5/market/instruments-info", {}, "bybit_nautilus/http_get_instruments_linear.json"),
    ],
)
def test_rest_lists_have_all_documented_fields(hand: Any, path: str, params: dict[str, str], name: str) -> None:
    hand.order("Buy", "0.1", stopLoss="59000", tpslMode="Full")
    hand.wait(10)
    ours = hand.get(path, category="linear", **params)["result"]
    theirs = fixture(name)["result"]
    assert missing(ours, theirs) == set()
    assert missing(ours["list"][0], theirs["list"][0]) == set()


def test_account_info_has_all_documented_fields(hand: Any) -> None:
    theirs = fixture("bybit_nautilus/http_get_account_info.json")["result"]
    assert missing(hand.get("/v5/account/info")["result"], theirs) == set()
