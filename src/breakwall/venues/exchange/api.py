"""The REST door: routes as data, signatures, limits, the common envelope."""

from collections.abc import Callable
from urllib.parse import parse_qsl

import msgspec

from breakwall.ports import HttpAnswer, HttpRequest
from breakwall.venues.exchange import account_routes, market_routes, trading_routes
from breakwall.venues.exchange.floor import Ask, Floor
from breakwall.venues.exchange.limits import Limits
from breakwall.venues.exchange.order import Refusal
from breakwall.venues.exchange.records import Record

_JSON = {"content-type": "application/json; charset=utf-8"}
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(dict[str, object])


class Route(msgspec.Struct, frozen=True):
    """One endpoint; `per_second` 0 means public: neither signed nor limited."""

    act: Callable[[Floor, Ask], Record]
    per_second: int = 0


ROUTES: dict[tuple[str, str], Route] = {
    ("GET", "/v5/market/time"): Route(market_routes.server_time),
    ("GET", "/v5/market/instruments-info"): Route(market_routes.instruments_info),
    ("GET", "/v5/market/tickers"): Route(market_routes.tickers),
    ("GET", "/v5/market/orderbook"): Route(market_routes.orderbook),
    ("GET", "/v5/market/recent-trade"): Route(market_routes.recent_trade),
    ("GET", "/v5/market/kline"): Route(market_routes.kline),
    ("GET", "/v5/market/risk-limit"): Route(market_routes.risk_limit),
    ("GET", "/v5/market/funding/history"): Route(market_routes.funding_history),
    ("GET", "/v5/market/price-limit"): Route(market_routes.price_limit),
    ("GET", "/v5/system/status"): Route(market_routes.system_status),
    ("POST", "/v5/order/create"): Route(trading_routes.create, 10),
    ("POST", "/v5/order/amend"): Route(trading_routes.amend, 10),
    ("POST", "/v5/order/cancel"): Route(trading_routes.cancel, 10),
    ("POST", "/v5/order/cancel-all"): Route(trading_routes.cancel_all, 10),
    ("GET", "/v5/order/realtime"): Route(trading_routes.realtime, 50),
    ("GET", "/v5/order/history"): Route(trading_routes.history, 50),
    ("GET", "/v5/execution/list"): Route(trading_routes.executions, 50),
    ("GET", "/v5/position/list"): Route(account_routes.position_list, 50),
    ("GET", "/v5/position/closed-pnl"): Route(account_routes.closed_pnl, 50),
    ("POST", "/v5/position/trading-stop"): Route(account_routes.trading_stop, 10),
    ("POST", "/v5/position/set-leverage"): Route(account_routes.set_leverage, 10),
    ("POST", "/v5/position/switch-mode"): Route(account_routes.switch_mode, 10),
    ("POST", "/v5/account/set-margin-mode"): Route(account_routes.set_margin_mode, 5),
    ("POST", "/v5/account/set-limit-px-action"): Route(account_routes.set_limit_px_action, 10),
    ("GET", "/v5/account/info"): Route(account_routes.account_info, 50),
    ("GET", "/v5/account/wallet-balance"): Route(account_routes.wallet_balance, 50),
    ("GET", "/v5/account/fee-rate"): Route(account_routes.fee_rate, 5),
    ("GET", "/v5/user/query-api"): Route(account_routes.query_api, 10),
    ("GET", "/v5/asset/coin/query-info"): Route(account_routes.coin_info, 5),
}


class Api:
    """Answers REST requests about one floor."""

    __slots__ = ("_floor", "_limits")

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._limits = Limits()

    def answer(self, request: HttpRequest, now_ms: int) -> HttpAnswer:
        """Business refusals are HTTP 200 with a retCode, unknown paths 404, unreadable bodies 400."""
        route = ROUTES.get((request.method, request.path))
        if route is None:
            return HttpAnswer(404, b"404 page not found", {"content-type": "text/plain"})
        headers: dict[str, str] = {}
        try:
            if route.per_second:
                names = {name.lower(): value for name, value in request.headers.items()}
                self._floor.keys.check_request(request, names, now_ms)
                headers = self._limits.count(request.path, route.per_second, now_ms)
                self._limits.check(request.path, route.per_second)
            result = route.act(self._floor, Ask(_params(request), now_ms))
        except Refusal as refusal:
            return _envelope(refusal.code, refusal.message, refusal.result, now_ms, headers)
        except msgspec.DecodeError:
            return HttpAnswer(400, b"Bad Request", {"content-type": "text/plain"})
        return _envelope(0, "OK", result, now_ms, headers)


def _params(request: HttpRequest) -> dict[str, object]:
    if request.method == "GET":
        return dict(parse_qsl(request.query, keep_blank_values=True))
    return _decoder.decode(request.body or b"{}")


def _envelope(code: int, message: str, result: Record, now_ms: int, headers: dict[str, str]) -> HttpAnswer:
    body = {"retCode": code, "retMsg": message, "result": result, "retExtInfo": {}, "time": now_ms}
    return HttpAnswer(200, _encoder.encode(body), _JSON | headers)
