"""Who may trade: API key, HMAC signatures and the time window of signed requests.

Source: Bybit v5 guide, "Authentication", and the private socket's auth operation.
"""

import hashlib
import hmac
from collections.abc import Mapping

from msgspec import Struct

from breakwall.ports import HttpRequest
from breakwall.venues.exchange.order import Refusal, is_count

_AHEAD_MS = 1000
_DEFAULT_WINDOW = "5000"


class Keys(Struct, frozen=True):
    """The one key pair of the account."""

    api_key: str
    api_secret: str

    def __repr__(self) -> str:
        return f"Keys({self.api_key!r}, ***)"

    def sign(self, text: str) -> str:
        """HMAC-SHA256 of the text, lower-case hex."""
        return hmac.new(self.api_secret.encode(), text.encode(), hashlib.sha256).hexdigest()

    def _signed(self, text: str, sign: str) -> bool:
        return hmac.compare_digest(self.sign(text).encode(), sign.encode())

    def check_request(self, request: HttpRequest, headers: Mapping[str, str], now_ms: int) -> None:
        """Raises Refusal 10001, 10002, 10003 or 10004 where a private request is not properly signed.

        `headers` have lower-case names. The payload is the raw query string or the raw body.
        """
        key, stamp = headers.get("x-bapi-api-key", ""), headers.get("x-bapi-timestamp", "")
        window = headers.get("x-bapi-recv-window", "") or _DEFAULT_WINDOW
        if not (is_count(stamp) and is_count(window)):
            raise Refusal(10001, "params error: X-BAPI-TIMESTAMP and X-BAPI-RECV-WINDOW: expected milliseconds")
        if key != self.api_key:
            raise Refusal(10003, "API key is invalid.")
        payload = request.query if request.method == "GET" else request.body.decode(errors="replace")
        if not self._signed(stamp + key + window + payload, headers.get("x-bapi-sign", "")):
            raise Refusal(10004, "error sign! origin_string does not match the signature")
        if not now_ms - int(window) <= int(stamp) < now_ms + _AHEAD_MS:
            raise Refusal(
                10002,
                "invalid request, please check your server timestamp or recv_window param. "
                f"req_timestamp[{stamp}],server_timestamp[{now_ms}],recv_window[{window}]",
            )

    def opens_socket(self, args: list[object], now_ms: int) -> str:
        """Why an auth operation fails; "" where it is right."""
        if len(args) != 3 or not is_count(str(args[1])):
            return "Params Error"
        key, expires, sign = (str(arg) for arg in args)
        if key != self.api_key:
            return "API key is invalid."
        if not self._signed(f"GET/realtime{expires}", sign):
            return "error sign!"
        return "" if int(expires) > now_ms else "auth expired"
