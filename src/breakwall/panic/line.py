"""One line to the exchange: a signed request and its answer, with the standard library.

pybit is the second line: another implementation with its own certificates and proxies, loaded only where this one
fails. Source: Bybit v5, guide (signing, time window) and error.
"""

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, urlsplit

from breakwall.keys import Keys
from breakwall.model.text import sanitise
from breakwall.redaction import redact

if TYPE_CHECKING:
    from http.client import HTTPConnection

TIMEOUT_S = 4.0
WINDOW_MS = 5000
MOST_BYTES = 8 << 20
CLOCK_CODES = frozenset({-1, 10002})
RATE_LIMIT = 10006
KEY_CODES = frozenset({10003, 10004, 10005, 10007, 10008, 10010, 10024, 33004})
"""The key is wrong, expired, banned, bound to another address or may not do this."""
RESET_HEADER = "x-bapi-limit-reset-timestamp"
TIME = "/v5/market/time"


class RefusedError(Exception):
    """The exchange has answered, and the answer is no. `wait_s`: not before that (rate limit)."""

    def __init__(self, code: int, message: str, wait_s: float = 0.0) -> None:
        super().__init__(f"{code}: {sanitise(redact(message), 160)}")
        self.code = code
        self.wait_s = wait_s


class LostError(Exception):
    """No answer that can be read: whether it was done is not known."""

    def __init__(self, reason: object) -> None:
        super().__init__(sanitise(redact(str(reason)), 200))


class Answer:
    """An opened envelope; `at_ms` is the exchange's clock."""

    __slots__ = ("at_ms", "result")

    def __init__(self, result: dict[str, Any], at_ms: int) -> None:
        self.result = result
        self.at_ms = at_ms


class VenueClock:
    """The exchange's time in milliseconds: what our clock says is of no importance."""

    def __init__(self) -> None:
        self._offset_ms = 0.0

    def now_ms(self) -> int:
        return int(time.time() * 1000 + self._offset_ms)

    def learn(self, asked: float, answered: float, at_ms: int) -> None:
        """`asked` and `answered` are our clock in seconds; the exchange looked at its own half-way."""
        self._offset_ms = at_ms - (asked + answered) * 500

    @property
    def offset_ms(self) -> int:
        return round(self._offset_ms)


Params = Mapping[str, Any]


class Way(Protocol):
    """One implementation of the exchange's REST interface."""

    def call(self, method: str, path: str, params: Params) -> Answer:
        """Raises RefusedError or LostError; never sends twice."""
        ...

    def close(self) -> None: ...


class PlainWay:
    """http.client and our own signature. Connections are kept open, and lent to one thread at a time."""

    def __init__(self, base: str, keys: Keys, clock: VenueClock) -> None:
        parts = urlsplit(base)
        self._secure = parts.scheme == "https"
        self._host = parts.netloc
        self._keys = keys
        self._clock = clock
        self._idle: list[HTTPConnection] = []

    def close(self) -> None:
        for connection in self._idle:
            connection.close()

    def call(self, method: str, path: str, params: Params) -> Answer:
        query = "&".join(f"{name}={quote(str(value), safe='-_.~,%')}" for name, value in params.items())
        body = json.dumps(params) if method == "POST" else ""
        target = f"{path}?{query}" if query and method == "GET" else path
        status, headers, data = self._exchange(method, target, body, self._headers(body or query))
        return opened(status, headers, data, self._clock)

    def _headers(self, payload: str) -> dict[str, str]:
        key, stamp = self._keys.key.reveal(), str(self._clock.now_ms())
        text = f"{stamp}{key}{WINDOW_MS}{payload}".encode()
        return {
            "Content-Type": "application/json",
            "X-BAPI-API-KEY": key,
            "X-BAPI-TIMESTAMP": stamp,
            "X-BAPI-RECV-WINDOW": str(WINDOW_MS),
            "X-BAPI-SIGN": hmac.new(self._keys.secret.reveal().encode(), text, hashlib.sha256).hexdigest(),
        }

    def _exchange(
        self, method: str, target: str, body: str, headers: dict[str, str]
    ) -> tuple[int, Mapping[str, str], bytes]:
        from http.client import HTTPException

        try:
            connection = self._idle.pop()
        except IndexError:  # looking first would let another thread take it in between
            connection = self._connect()
        try:
            connection.request(method, target, body or None, headers)
            answer = connection.getresponse()
            data = answer.read(MOST_BYTES)
        except (OSError, HTTPException, ValueError) as error:
            connection.close()
            raise LostError(f"{self._host}: {error or type(error).__name__}") from error
        self._idle.append(connection)
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, data

    def _connect(self) -> "HTTPConnection":
        from http.client import HTTPConnection, HTTPSConnection

        kind = HTTPSConnection if self._secure else HTTPConnection
        return kind(self._host, timeout=TIMEOUT_S)


def opened(status: int, headers: Mapping[str, str], data: bytes, clock: VenueClock) -> Answer:
    """The envelope of an answer; raises RefusedError or LostError."""
    if status == 403:
        raise RefusedError(403, "our address is banned for now (rate limit or region)", wait_s=10.0)
    if status == 401:
        raise RefusedError(10003, "the key is wrong or missing (HTTP 401)")
    if status != 200:
        raise LostError(f"HTTP {status}")
    try:
        envelope = json.loads(data)
        code, at_ms = int(envelope["retCode"]), int(envelope.get("time") or 0)
        result = envelope.get("result") or {}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise LostError(f"an answer that cannot be read ({type(error).__name__})") from error
    if not isinstance(result, dict):
        raise LostError("an answer without a result")
    if code:
        reset = headers.get(RESET_HEADER, "")
        wait_s = (int(reset) - clock.now_ms()) / 1000 if reset.isdigit() and code == RATE_LIMIT else 0.0
        raise RefusedError(code, str(envelope.get("retMsg", "")), wait_s=min(max(wait_s, 0.0), 5.0))
    return Answer(result, at_ms)


class Line:
    """The way that works: the plain one first, and the other after a failure of either."""

    def __init__(self, base: str, keys: Keys, clock: VenueClock, *, client: str = "auto") -> None:
        self._base = base
        self._keys = keys
        self._clock = clock
        self._changes = client == "auto"
        self._second: Way | None = None
        self._plain = PlainWay(base, keys, clock)
        self._use_second = client == "pybit"
        self._change = threading.Lock()

    def close(self) -> None:
        self._plain.close()
        if self._second is not None:
            self._second.close()

    def measure_time(self) -> None:
        """Learn the exchange's time. Raises LostError or RefusedError."""
        asked = time.time()
        answer = self._once("GET", TIME, {})
        if answer.at_ms:
            self._clock.learn(asked, time.time(), answer.at_ms)

    def read(self, path: str, params: Params) -> dict[str, Any]:
        return self._again("GET", path, params)

    def write(self, path: str, body: Params) -> dict[str, Any]:
        """Never sent again by itself, except where the exchange says that it did nothing."""
        return self._again("POST", path, body)

    def _again(self, method: str, path: str, params: Params) -> dict[str, Any]:
        try:
            return self._once(method, path, params).result
        except RefusedError as refused:
            if refused.code in CLOCK_CODES:
                self.measure_time()
            elif refused.code == RATE_LIMIT:
                time.sleep(refused.wait_s or 0.5)
            else:
                raise
        return self._once(method, path, params).result

    def _once(self, method: str, path: str, params: Params) -> Answer:
        second = self._use_second
        try:
            return self._way(second).call(method, path, params)
        except LostError:
            self._turn(second)
            raise
        except RefusedError as refused:
            if refused.code in KEY_CODES:
                self._turn(second)
            raise

    def _turn(self, failed: bool) -> None:
        if self._changes:
            self._use_second = not failed

    def _way(self, second: bool) -> Way:
        if not second:
            return self._plain
        with self._change:
            if self._second is None:
                self._second = self._other()
            return self._second

    def _other(self) -> Way:
        """pybit; the plain way again on a machine that has Python alone."""
        try:
            from breakwall.panic.second import PybitWay
        except ImportError:
            return self._plain
        return PybitWay(self._base, self._keys, self._clock)
