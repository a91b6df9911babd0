"""An exchange whose clock is wrong: what it tells is ahead of the truth, and what it is asked is meant so.

Every time in a text is moved on its way out. Signed times are moved back on their way in and signed anew, as the
exchange itself goes on living in true time; a wrong signature stays wrong.
"""

import re
from collections.abc import Mapping

from breakwall.ports import HttpAnswer, HttpRequest
from breakwall.venues.exchange.order import is_count
from breakwall.venues.exchange.signing import Keys

_STAMP = re.compile(r"(?<![\w.-])1[5-9]\d{11}(?![\w.-])")  # milliseconds of this age
_SECONDS = re.compile(r'("(?:timeSecond|timeNano)":")(\d+)(")')
_NANOS_MS = 1_000_000
_SECONDS_DIGITS = 10


def moved(text: str, ahead_ms: int) -> str:
    """The text with all its times so far ahead."""

    def second(found: re.Match[str]) -> str:
        whole = int(found[2])
        ahead = ahead_ms // 1000 if len(found[2]) <= _SECONDS_DIGITS else ahead_ms * _NANOS_MS
        return f"{found[1]}{whole + ahead}{found[3]}"

    if not ahead_ms:
        return text
    return _SECONDS.sub(second, _STAMP.sub(lambda found: str(int(found[0]) + ahead_ms), text))


def shifted(answer: HttpAnswer, ahead_ms: int) -> HttpAnswer:
    """An answer as the wrong clock tells it, its headers too."""
    if not ahead_ms:
        return answer
    headers = {name: moved(value, ahead_ms) for name, value in answer.headers.items()}
    return HttpAnswer(answer.status, moved(answer.body.decode(), ahead_ms).encode(), headers)


def behind(request: HttpRequest, keys: Keys, ahead_ms: int) -> HttpRequest:
    """A request as if it had been signed by the true clock."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    stamp = headers.get("x-bapi-timestamp", "")
    if not ahead_ms or not is_count(stamp):
        return request
    query, body = moved(request.query, -ahead_ms), moved(request.body.decode(errors="replace"), -ahead_ms)
    names = f"{headers.get('x-bapi-api-key', '')}{headers.get('x-bapi-recv-window', '') or '5000'}"
    told, meant = (request.query, query) if request.method == "GET" else (request.body.decode(errors="replace"), body)
    true = str(int(stamp) - ahead_ms)
    headers["x-bapi-timestamp"] = true
    if keys.sign(stamp + names + told) == headers.get("x-bapi-sign"):
        headers["x-bapi-sign"] = keys.sign(true + names + meant)
    return HttpRequest(request.method, request.base, request.path, query, body.encode(), headers)


def socket_login(args: list[object], keys: Keys, ahead_ms: int) -> list[object]:
    """The arguments of a socket's auth operation, moved back in the same way."""
    if not ahead_ms or len(args) != 3 or not is_count(str(args[1])):
        return args
    true = int(str(args[1])) - ahead_ms
    right = keys.sign(f"GET/realtime{args[1]}") == args[2]
    return [args[0], true, keys.sign(f"GET/realtime{true}") if right else args[2]]


def order_header(header: Mapping[str, object], ahead_ms: int) -> dict[str, object]:
    """The header of an order on the trade socket, which is not signed."""
    stamp = str(header.get("X-BAPI-TIMESTAMP", ""))
    return {**header, **({"X-BAPI-TIMESTAMP": str(int(stamp) - ahead_ms)} if is_count(stamp) else {})}
