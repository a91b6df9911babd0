"""Who may trade: API key, HMAC signatures and the time window of signed requests.

Source: Bybit v5 guide, "Authentication", and the private socket's auth operation.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from breakwall.ports import HttpRequest
from breakwall.venues.exchange.order import Refusal, is_count

_AHEAD_MS = 1000
_DEFAULT_WINDOW = "5000"
_NEVER = "1970-01-01T00:00:00Z"  # what a key bound to addresses tells
_WRONG_KEY = "API key is invalid."


class Keys(Struct, frozen=True):
    """The one key pair of the account; `facts` replace what it tells of itself."""

    api_key: str
    api_secret: str
    facts: Mapping[str, object] = {}

    def __repr__(self) -> str:
        return "Keys(***)"

    def sign(self, text: str) -> str:
        """HMAC-SHA256 of the text, lower-case hex."""
        return hmac.new(self.api_secret.encode(), text.encode(), hashlib.sha256).hexdigest()

    def _signed(self, text: str, sign: str) -> bool:
        return hmac.compare_digest(self.sign(text).encode(), sign.encode())

    def check_request(self, request: HttpRequest, headers: Mapping[str, str], now_ms: int) -> None:
        """Raises Refusal 10001, 10002, 10003, 10004, 10005 or 33004 where a private request is not rightly signed.

        `headers` have lower-case names. The payload is the raw query string or the raw body.
        """
        key, stamp = headers.get("x-bapi-api-key", ""), headers.get("x-bapi-timestamp", "")
        window = headers.get("x-bapi-recv-window", "") or _DEFAULT_WINDOW
        if not (is_count(stamp) and is_count(window)):
            raise Refusal(10001, "params error: X-BAPI-TIMESTAMP and X-BAPI-RECV-WINDOW: expected milliseconds")
        if key != self.api_key:
            raise Refusal(10003, _WRONG_KEY)
        payload = request.query if request.method == "GET" else request.body.decode(errors="replace")
        if not self._signed(stamp + key + window + payload, headers.get("x-bapi-sign", "")):
            raise Refusal(10004, "error sign! origin_string does not match the signature")
        _check_window(stamp, window, now_ms)
        self._check_expiry(now_ms)
        if request.method != "GET":
            self.check_writing(now_ms)

    def check_time(self, header: Mapping[object, object], now_ms: int) -> None:
        """The header of a trade socket request, whose stamps are texts or numbers. Raises Refusal 10001 or 10002."""
        stamp = str(header.get("X-BAPI-TIMESTAMP", ""))
        window = str(header.get("X-BAPI-RECV-WINDOW") or _DEFAULT_WINDOW)
        if not (is_count(stamp) and is_count(window)):
            raise Refusal(10001, "params error: header X-BAPI-TIMESTAMP: expected milliseconds")
        _check_window(stamp, window, now_ms)

    def check_writing(self, now_ms: int) -> None:
        """Raises Refusal 10005 where the key may only read, 33004 where it has expired."""
        self._check_expiry(now_ms)
        if self.facts.get("readOnly") == 1:
            raise Refusal(10005, "Permission denied, please check your API key permissions.")

    def refuses_socket(self, args: list[object], now_ms: int) -> Refusal | None:
        """Why an auth operation fails; None where it is right."""
        if len(args) != 3 or not is_count(str(args[1])):
            return Refusal(10001, "Params Error")
        key, expires, sign = (str(arg) for arg in args)
        if key != self.api_key:
            return Refusal(10003, _WRONG_KEY)
        if not self._signed(f"GET/realtime{expires}", sign):
            return Refusal(10004, "error sign!")
        return None if int(expires) > now_ms else Refusal(10004, "auth expired")

    def _check_expiry(self, now_ms: int) -> None:
        expires = str(self.facts.get("expiredAt") or _NEVER)
        if 0 < datetime.fromisoformat(expires).timestamp() * 1000 <= now_ms:
            raise Refusal(33004, "Your api key has expired.")


def _check_window(stamp: str, window: str, now_ms: int) -> None:
    if not now_ms - int(window) <= int(stamp) < now_ms + _AHEAD_MS:
        raise Refusal(
            10002,
            "invalid request, please check your server timestamp or recv_window param. "
            f"req_timestamp[{stamp}],server_timestamp[{now_ms}],recv_window[{window}]",
        )
