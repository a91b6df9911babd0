"""Bybit v5 REST: where everything is, how it is signed, how an answer is opened, what time it is there.

Source: Bybit v5, guide (hosts, signing), websocket/wss-authentication and rate-limit.
"""

import hashlib
import hmac
from collections import deque
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec import Struct

from breakwall.model.api import ApiGroup
from breakwall.points import Point
from breakwall.ports import HttpAnswer, HttpRequest
from breakwall.settings import VenueSettings

LOGIN_VALID_MS = 5_000
TOO_SLOW_MS = 2_000


class Urls(Struct, frozen=True):
    """The hosts of one environment; all but `rest` are full socket addresses. No `trade`: orders go over REST."""

    rest: str
    public: str
    private: str
    trade: str = ""


_STREAMS = "wss://stream.bybit.com/v5/public/linear"
ENVIRONMENTS: Mapping[str, Urls] = {
    "mainnet": Urls(
        "https://api.bybit.com",
        _STREAMS,
        "wss://stream.bybit.com/v5/private",
        "wss://stream.bybit.com/v5/trade",
    ),
    "testnet": Urls(
        "https://api-testnet.bybit.com",
        "wss://stream-testnet.bybit.com/v5/public/linear",
        "wss://stream-testnet.bybit.com/v5/private",
        "wss://stream-testnet.bybit.com/v5/trade",
    ),
    "demo": Urls("https://api-demo.bybit.com", _STREAMS, "wss://stream-demo.bybit.com/v5/private"),
}
"""Demo accounts have no trade socket."""


def urls_of(settings: VenueSettings) -> Urls:
    """The environment's hosts, each replaced by the setting where one is given (regional sites, loopback).

    Orders never go to another site than everything else: where REST or the private socket has an address of its own
    and the trade socket has none, they go over REST.
    """
    usual = ENVIRONMENTS[settings.environment]
    elsewhere = settings.rest_url or settings.private_url
    return Urls(
        (settings.rest_url or usual.rest).rstrip("/"),
        settings.public_url or usual.public,
        settings.private_url or usual.private,
        settings.trade_url or ("" if elsewhere else usual.trade),
    )


class Endpoint(Struct, frozen=True):
    """`per_second`: the venue's cap for one key; 0: only the address's cap counts. `write`: may change something.

    `group` is what it fails together with.
    """

    method: str
    path: str
    group: ApiGroup
    per_second: int = 0
    signed: bool = True

    @property
    def write(self) -> bool:
        return self.method == "POST"


TIME = Endpoint("GET", "/v5/market/time", ApiGroup.MARKET, signed=False)
KLINE = Endpoint("GET", "/v5/market/kline", ApiGroup.MARKET, signed=False)
INSTRUMENTS = Endpoint("GET", "/v5/market/instruments-info", ApiGroup.MARKET, signed=False)
TICKERS = Endpoint("GET", "/v5/market/tickers", ApiGroup.MARKET, signed=False)
KEY_INFO = Endpoint("GET", "/v5/user/query-api", ApiGroup.ADMISSION, 10)
ACCOUNT_INFO = Endpoint("GET", "/v5/account/info", ApiGroup.ADMISSION, 50)
SET_MARGIN_MODE = Endpoint("POST", "/v5/account/set-margin-mode", ApiGroup.ADMISSION, 5)
SET_LIMIT_PRICE_ACTION = Endpoint("POST", "/v5/account/set-limit-px-action", ApiGroup.ADMISSION, 10)
FEE_RATE = Endpoint("GET", "/v5/account/fee-rate", ApiGroup.ADMISSION, 5)
DCP_INFO = Endpoint("GET", "/v5/account/query-dcp-info", ApiGroup.ADMISSION, 5)
SET_DCP = Endpoint("POST", "/v5/order/disconnected-cancel-all", ApiGroup.ADMISSION, 5)
WALLET = Endpoint("GET", "/v5/account/wallet-balance", ApiGroup.ACCOUNT, 50)
SET_LEVERAGE = Endpoint("POST", "/v5/position/set-leverage", ApiGroup.ADMISSION, 10)
SET_AUTO_MARGIN = Endpoint("POST", "/v5/position/set-auto-add-margin", ApiGroup.ADMISSION, 10)
POSITIONS = Endpoint("GET", "/v5/position/list", ApiGroup.ACCOUNT, 50)
TRADING_STOP = Endpoint("POST", "/v5/position/trading-stop", ApiGroup.STOPS, 10)
CREATE = Endpoint("POST", "/v5/order/create", ApiGroup.ORDERS, 10)
CANCEL = Endpoint("POST", "/v5/order/cancel", ApiGroup.ORDERS, 10)
CREATE_BATCH = Endpoint("POST", "/v5/order/create-batch", ApiGroup.ORDERS, 10)
CANCEL_BATCH = Endpoint("POST", "/v5/order/cancel-batch", ApiGroup.ORDERS, 10)
OPEN_ORDERS = Endpoint("GET", "/v5/order/realtime", ApiGroup.ACCOUNT, 50)
ORDER_HISTORY = Endpoint("GET", "/v5/order/history", ApiGroup.ACCOUNT, 50)
EXECUTIONS = Endpoint("GET", "/v5/execution/list", ApiGroup.ACCOUNT, 50)

ALL = (
    TIME,
    KLINE,
    INSTRUMENTS,
    TICKERS,
    KEY_INFO,
    ACCOUNT_INFO,
    SET_MARGIN_MODE,
    SET_LIMIT_PRICE_ACTION,
    FEE_RATE,
    DCP_INFO,
    SET_DCP,
    WALLET,
    SET_LEVERAGE,
    SET_AUTO_MARGIN,
    POSITIONS,
    TRADING_STOP,
    CREATE,
    CANCEL,
    CREATE_BATCH,
    CANCEL_BATCH,
    OPEN_ORDERS,
    ORDER_HISTORY,
    EXECUTIONS,
)
CAPS: Mapping[str, int] = {endpoint.path: endpoint.per_second for endpoint in ALL if endpoint.per_second}
GROUPS: Mapping[str, ApiGroup] = {endpoint.path: endpoint.group for endpoint in ALL}

Params = Mapping[str, object]


def query_text(params: Params) -> str:
    """The raw query in the order given; `cursor` is already encoded by the venue and goes back verbatim."""
    return "&".join(
        f"{name}={value if name == 'cursor' else quote(str(value), safe='-_.~,')}" for name, value in params.items()
    )


SOON_MS = 1_000
"""An entry that took longer to the venue is refused there. A program that was stopped with it in hand, and goes on
after a panic beside it was proven (two looks, further apart than this), must not open anything any more.
"""


class Signer:
    """Signs with one key. The secret stays in here: it has no text form."""

    __slots__ = ("_key", "_mac", "_window_ms")

    def __init__(self, key: str, secret: str, recv_window_ms: int) -> None:
        self._key = key
        self._mac = hmac.new(secret.encode(), digestmod=hashlib.sha256)
        self._window_ms = recv_window_ms

    def headers(self, venue_ms: int, payload: bytes, *, soon: bool = False) -> dict[str, str]:
        """Headers of a request; `payload` is the raw query (GET) or body (POST), `venue_ms` the venue's clock.

        `soon`: it is void after `SOON_MS` on the way.
        """
        when = self.window(venue_ms, soon=soon)
        text = f"{when['X-BAPI-TIMESTAMP']}{self._key}{when['X-BAPI-RECV-WINDOW']}"
        return {"X-BAPI-API-KEY": self._key, "X-BAPI-SIGN": self._sign(text.encode() + payload), **when}

    def window(self, venue_ms: int, *, soon: bool = False) -> dict[str, str]:
        """For how long a request is good; all that one on a trade socket, which has logged in, says in its header."""
        window_ms = min(SOON_MS, self._window_ms) if soon else self._window_ms
        return {"X-BAPI-TIMESTAMP": str(venue_ms), "X-BAPI-RECV-WINDOW": str(window_ms)}

    def login(self, venue_ms: int) -> str:
        """The auth request of a private or trade socket, valid for `LOGIN_VALID_MS`."""
        expires = venue_ms + LOGIN_VALID_MS
        signature = self._sign(f"GET/realtime{expires}".encode())
        body = {"op": "auth", "req_id": "login", "args": [self._key, expires, signature]}
        return msgspec.json.encode(body).decode()

    def _sign(self, text: bytes) -> str:
        mac = self._mac.copy()
        mac.update(text)
        return mac.hexdigest()


_JSON = {"Content-Type": "application/json"}


def build(
    endpoint: Endpoint,
    params: Params,
    base: str,
    timeout_s: float,
    signer: Signer | None,
    venue_ms: int,
    sent: Point | None = None,
    *,
    soon: bool = False,
) -> HttpRequest:
    """The request exactly as it goes on the wire, signed where the endpoint is private; `soon` as in `Signer`."""
    query, body, headers = "", b"", {}
    if endpoint.write:
        body, headers = msgspec.json.encode(params), dict(_JSON)
    else:
        query = query_text(params)
    if endpoint.signed:
        if signer is None:
            raise ValueError(f"{endpoint.path}: expected a signer, found none")
        headers |= signer.headers(venue_ms, body or query.encode(), soon=soon)
    return HttpRequest(endpoint.method, base, endpoint.path, query, body, headers, timeout_s, sent)


class Envelope(Struct, frozen=True):
    """The frame of every REST answer; only `code` decides, never the text."""

    code: int = msgspec.field(name="retCode")
    message: str | None = msgspec.field(name="retMsg", default=None)
    result: Any = None
    extra: Any = msgspec.field(name="retExtInfo", default=None)
    time: int | None = None


class UnreadableError(Exception):
    """An answer that is not what the venue sends: HTML, truncated JSON, a missing code."""


_decode = msgspec.json.Decoder(Envelope, strict=False).decode


def open_envelope(answer: HttpAnswer) -> Envelope:
    """Raises UnreadableError naming the HTTP status and how the body begins."""
    try:
        return _decode(answer.body)
    except (msgspec.MsgspecError, RecursionError) as error:
        begin = answer.body[:60].decode(errors="replace")
        raise UnreadableError(
            f"expected a JSON answer, found HTTP {answer.status} beginning {begin!r} ({error})"
        ) from error


class VenueTime:
    """The venue's clock against ours, from the times in its answers.

    Each answer bounds the offset by its round trip; the quickest of the last samples is believed. One that took
    longer than `TOO_SLOW_MS` (the venue or the line stood still) may be wrong by half of that: it only counts while
    nothing is known.
    """

    __slots__ = ("_believed_ms", "_samples")

    def __init__(self, remembered: int = 16) -> None:
        self._samples: deque[tuple[float, float]] = deque(maxlen=remembered)
        self._believed_ms: float | None = None

    def learn(self, sent_ms: float, received_ms: float, venue_ms: float) -> None:
        """A round trip on our clock, and the venue's time somewhere inside it."""
        round_trip_ms = received_ms - sent_ms
        if venue_ms <= 0 or (round_trip_ms > TOO_SLOW_MS and self._believed_ms is not None):
            return
        self._samples.append((round_trip_ms, venue_ms - (sent_ms + received_ms) / 2))
        self._believed_ms = min(self._samples)[1]

    def forget(self) -> None:
        """The clock is known to be wrong (10002): the next quick answer is believed."""
        self._samples.clear()

    @property
    def offset_ms(self) -> float:
        """Venue clock minus ours; 0 as long as nothing is known."""
        return self._believed_ms or 0.0

    def at(self, now_ms: int) -> int:
        """Our time as the venue's, a little late rather than early: it allows 1 s ahead, a window behind."""
        return int(now_ms + self.offset_ms)
