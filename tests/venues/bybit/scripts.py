"""What a scripted venue answers, and the commands that tests of the adapter send to it."""

import json
from typing import Any

from breakwall.model.actions import CancelOrder, MoveStop, OrderKind, PlaceOrder, TimeInForce
from breakwall.model.units import Side
from breakwall.ports import HttpAnswer, HttpRequest

RULES = {
    "symbol": "BTCUSDT",
    "contractType": "LinearPerpetual",
    "status": "Trading",
    "quoteCoin": "USDT",
    "settleCoin": "USDT",
    "priceScale": "2",
    "fundingInterval": 480,
    "deliveryTime": "0",
    "leverageFilter": {"maxLeverage": "100.00", "leverageStep": "0.01"},
    "priceFilter": {"tickSize": "0.10"},
    "lotSizeFilter": {"minOrderQty": "0.001", "maxOrderQty": "1190", "maxMktOrderQty": "500", "qtyStep": "0.001"},
}
FLAT = {"symbol": "BTCUSDT", "side": "", "size": "0", "leverage": "10", "positionIdx": 0}
LONG = FLAT | {"side": "Buy", "size": "0.010", "avgPrice": "60000", "stopLoss": "59000.00"}
KEY = {"userID": 4711, "readOnly": 0, "permissions": {"ContractTrade": ["Order", "Position"], "Wallet": []}}
ORDER = {
    "symbol": "BTCUSDT",
    "orderId": "o1",
    "orderLinkId": "bw-1-2-e",
    "side": "Buy",
    "orderType": "Limit",
    "orderStatus": "New",
    "price": "60000.00",
    "qty": "0.010",
}
FILL = {
    "symbol": "BTCUSDT",
    "orderId": "o1",
    "side": "Buy",
    "execId": "e1",
    "execPrice": "60000",
    "execQty": "0.01",
    "execFee": "0.33",
}
WALLET = {"list": [{"coin": [{"coin": "USDT", "equity": "1000", "walletBalance": "1000"}]}]}

CREATE, CANCEL, STOP = "/v5/order/create", "/v5/order/cancel", "/v5/position/trading-stop"
CREATE_BATCH, CANCEL_BATCH = "/v5/order/create-batch", "/v5/order/cancel-batch"
OPEN, HISTORY, POSITIONS = "/v5/order/realtime", "/v5/order/history", "/v5/position/list"
EXECUTIONS, ACCOUNT, LEVERAGE = "/v5/execution/list", "/v5/account/info", "/v5/position/set-leverage"

ENTRY = PlaceOrder(
    "bw-1-2-e",
    "1-2",
    "BTCUSDT",
    0,
    "test",
    Side.BUY,
    OrderKind.LIMIT,
    10,
    TimeInForce.IOC,
    600_000,
    stop_ticks=590_000,
)
EXIT = PlaceOrder(
    "bw-1-3-x", "1-3", "BTCUSDT", 0, "test", Side.SELL, OrderKind.MARKET, 10, TimeInForce.GTC, reduce_only=True
)
MOVE = MoveStop("bw-1-4-s", "1-4", "BTCUSDT", 0, "test", 595_000)
DROP = CancelOrder("bw-1-5-c", "1-5", "BTCUSDT", 0, "test", target="bw-1-2-e")


def batch(request: HttpRequest) -> HttpAnswer:
    """The answer to a batch all of which is taken."""
    rows, told = rows_of(json.loads(request.body))
    body = {"retCode": 0, "retMsg": "OK", "result": {"list": rows}, "retExtInfo": {"list": told}}
    return HttpAnswer(200, json.dumps(body).encode())


def rows_of(body: dict[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Ids and codes of the items of a batch all of which is taken."""
    rows = [{"orderId": "o1", "orderLinkId": item.get("orderLinkId", "")} for item in body["request"]]
    return rows, [{"code": 0, "msg": "OK"} for _ in rows]
