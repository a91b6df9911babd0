"""The REST door: signatures, the address's limit, the common envelope."""

from urllib.parse import parse_qsl

import msgspec

from breakwall.ports import HttpAnswer, HttpRequest
from breakwall.venues.exchange.desk import Reply, serve
from breakwall.venues.exchange.floor import Ask, Floor
from breakwall.venues.exchange.limits import ADDRESS_REQUESTS, AddressLimit
from breakwall.venues.exchange.order import Refusal
from breakwall.venues.exchange.routes import ROUTES

_JSON = {"content-type": "application/json; charset=utf-8"}
_TEXT = {"content-type": "text/plain"}
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(dict[str, object])


class Api:
    """Answers REST requests about one floor; `address_limit` is how many come in five seconds before a ban."""

    __slots__ = ("_address", "_floor")

    def __init__(self, floor: Floor, address_limit: int = ADDRESS_REQUESTS) -> None:
        self._floor = floor
        self._address = AddressLimit(address_limit)

    def answer(self, request: HttpRequest, now_ms: int) -> HttpAnswer:
        """Business refusals are HTTP 200 with a retCode, unknown paths 404, unreadable bodies 400, a ban is 403."""
        if self._address.banned(now_ms):
            return HttpAnswer(403, b"access too frequent", _TEXT)
        route = ROUTES.get((request.method, request.path))
        if route is None:
            return HttpAnswer(404, b"404 page not found", _TEXT)
        try:
            if route.per_second:
                names = {name.lower(): value for name, value in request.headers.items()}
                self._floor.keys.check_request(request, names, now_ms)
            reply = serve(route, request.path, self._floor, Ask(_params(request), now_ms))
        except Refusal as refusal:
            reply = Reply(refusal.code, refusal.message, refusal.result)
        except msgspec.DecodeError:
            return HttpAnswer(400, b"Bad Request", _TEXT)
        return _envelope(reply, now_ms)


def _params(request: HttpRequest) -> dict[str, object]:
    if request.method == "GET":
        return dict(parse_qsl(request.query, keep_blank_values=True))
    return _decoder.decode(request.body or b"{}")


def _envelope(reply: Reply, now_ms: int) -> HttpAnswer:
    body = {
        "retCode": reply.code,
        "retMsg": reply.message,
        "result": reply.result,
        "retExtInfo": reply.extra,
        "time": now_ms,
    }
    limit = {} if reply.allowance is None else reply.allowance.texts()
    return HttpAnswer(200, _encoder.encode(body), _JSON | {name.lower(): value for name, value in limit.items()})
