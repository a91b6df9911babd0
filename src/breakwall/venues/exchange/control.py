"""The control endpoint of a served exchange: what goes wrong now, and more of it on request.

Guarded by the exchange's own secret in a header, which no page in a browser knows; requests that a browser made, or
that were meant for another host, are refused whatever they bring.
"""

import hmac
from collections.abc import Callable, Mapping
from decimal import Decimal

import msgspec
from aiohttp import web

from breakwall.mistakes import listed, nearest_name
from breakwall.model.text import sanitise
from breakwall.venues.exchange.forecast import Forecast, ForecastError, forecast_of
from breakwall.venues.exchange.relisting import changes_of
from breakwall.venues.exchange.weather import Weather

CONTROL_PATH = "/control"
ACCOUNT_PATH = "/control/account"
SECRET_HEADER = "X-Breakwall-Secret"  # noqa: S105 - a header's name
_HOSTS = ("127.0.0.1", "localhost")
_BROWSER = ("Origin", "Referer", "Sec-Fetch-Site")
_WORDS = ("faults", "ack_ms")
_CRISIS = ("crisis", "symbol")
_encoder = msgspec.json.Encoder()


class Control:
    """GET tells, POST adds a fault, several, or other delays, DELETE clears the sky."""

    def __init__(self, weather: Weather) -> None:
        self._weather = weather

    async def answer(self, request: web.Request) -> web.Response:
        stranger = self._stranger(request)
        if stranger:
            return _json(403, {"error": stranger})
        tell = self._account if request.path == ACCOUNT_PATH else self._tell
        acts: Mapping[str, Callable[[object], object]] = {"GET": tell, "POST": self._add, "DELETE": self._clear}
        act = acts.get(request.method)
        if act is None:
            return _json(405, {"error": f"expected GET, POST or DELETE, found {sanitise(request.method, 20)}"})
        try:
            text = await request.read()
            return _json(200, act(msgspec.json.decode(text) if text else {}))
        except ForecastError as error:
            return _json(400, {"error": str(error)})
        except msgspec.DecodeError as error:
            return _json(400, {"error": f"the request's body: not valid JSON: {sanitise(error)}"})

    def _stranger(self, request: web.Request) -> str:
        """Why this one may not; "" where it may."""
        if request.host.partition(":")[0] not in _HOSTS or any(name in request.headers for name in _BROWSER):
            return "expected a program on this machine, found a browser's request or another host's name"
        given = request.headers.get(SECRET_HEADER, "").encode(errors="replace")
        if not hmac.compare_digest(given, self._weather.exchange.keys.api_secret.encode()):
            return f"expected the exchange's api_secret in the header {SECRET_HEADER}; it is in its JSON line"
        return ""

    def _tell(self, _body: object) -> object:
        weather = self._weather
        return {
            "seconds": round(weather.now_s, 3),
            "ack_ms": weather.ack_ms,
            "faults": weather.report(),
            "incidents": list(weather.incidents),
            "crisis": weather.story,
            "stories": list(weather.stories),
        }

    def _add(self, body: object) -> object:
        """One fault by itself, a table as in a file, a crisis by its name, or other rules of a contract."""
        if isinstance(body, dict) and "contract" in body:
            self._relist(body)
            return self._tell(body)
        if isinstance(body, dict) and "crisis" in body:
            self._play(body)
            return self._tell(body)
        table = {"faults": [body]} if isinstance(body, dict) and "kind" in body else body
        wrong = [name for name in table if name not in _WORDS] if isinstance(table, dict) else []
        if wrong:
            mistakes = [f"unknown {sanitise(name, 60)!r}; {nearest_name(name, (*_WORDS, 'kind'))}" for name in wrong]
            raise ForecastError(listed("the request's body", mistakes))
        forecast: Forecast = forecast_of(table, "the request's body")
        self._weather.add(forecast.faults)
        self._weather.ack_ms = forecast.ack_ms or self._weather.ack_ms
        return self._tell(body)

    def _play(self, body: dict[str, object]) -> None:
        wrong = [name for name in body if name not in _CRISIS]
        symbol = body.get("symbol", "")
        listed_ = self._weather.exchange.listings
        if wrong:
            raise ForecastError(
                f"the request's body: unknown {sanitise(wrong[0], 60)!r}; known: {', '.join(_CRISIS)}"
            )
        if symbol and symbol not in listed_:
            raise ForecastError(f"symbol: unknown {sanitise(symbol, 60)!r}; {nearest_name(str(symbol), listed_)}")
        self._weather.play(str(body["crisis"]), str(symbol))

    def _relist(self, body: dict[str, object]) -> None:
        """Change a contract's rules, or list one that is not there yet."""
        exchange, symbol = self._weather.exchange, str(body["contract"])
        try:
            changes = changes_of(body, exchange.now_ms)
            if symbol not in exchange.listings:
                exchange.list_contract(symbol)
            if changes:
                exchange.change_instrument(symbol, **changes)
        except ValueError as error:
            raise ForecastError(f"the request's body: {sanitise(error)}") from error

    def _account(self, _body: object) -> object:
        """The account as the books of a program should have it."""
        exchange = self._weather.exchange
        funding = sum((row.fee_usdt for row in exchange.executions if row.exec_type == "Funding"), Decimal(0))
        return {
            "positions": {
                held.instrument.symbol: held.qty * held.sign for held in exchange.account.all_positions() if held.lots
            },
            "executions": [row.exec_id for row in exchange.executions],
            "fees_usdt": sum((row.fee_usdt for row in exchange.executions), -funding),
            "funding_usdt": funding,
            "open_orders": [row.link_id for row in exchange.open_orders() if row.link_id and not row.stop_kind],
        }

    def _clear(self, body: object) -> object:
        self._weather.clear()
        return self._tell(body)


def _json(status: int, body: object) -> web.Response:
    return web.Response(status=status, body=_encoder.encode(body), content_type="application/json")
