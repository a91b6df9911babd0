"""The second line: pybit, which brings certificates, proxies and a signature of its own.

Source of what is switched off here: pybit's HTTP manager sends again by itself, sleeps three seconds between, and
widens the time window where our clock is wrong.
"""

import logging
from typing import Any

import pybit._helpers  # type: ignore[import-untyped] # pybit has no types
import requests
from pybit.exceptions import FailedRequestError, InvalidRequestError  # type: ignore[import-untyped] # as above
from pybit.unified_trading import HTTP  # type: ignore[import-untyped] # as above

from breakwall.keys import Keys
from breakwall.panic.line import (
    RESET_HEADER,
    TIME,
    TIMEOUT_S,
    WINDOW_MS,
    Answer,
    LostError,
    Params,
    RefusedError,
    VenueClock,
)

_CALLS = {
    TIME: "get_server_time",
    "/v5/position/list": "get_positions",
    "/v5/order/realtime": "get_open_orders",
    "/v5/order/create": "place_order",
    "/v5/order/cancel": "cancel_order",
    "/v5/market/tickers": "get_tickers",
    "/v5/market/instruments-info": "get_instruments_info",
    "/v5/execution/list": "get_executions",
}
"""What pybit calls the paths that panic uses."""


class PybitWay:
    """Clients are lent to one thread at a time: their sessions are not made to be shared."""

    def __init__(self, base: str, keys: Keys, clock: VenueClock) -> None:
        self._base = base
        self._keys = keys
        self._idle: list[Any] = []
        self._clock = clock
        pybit._helpers.generate_timestamp = clock.now_ms  # noqa: SLF001 - its one clock, which has no other switch
        logging.getLogger("pybit").setLevel(logging.CRITICAL)  # it logs requests that failed, with their bodies

    def call(self, method: str, path: str, params: Params) -> Answer:
        del method
        try:
            client = self._idle.pop()
        except IndexError:  # looking first would let another thread take it in between
            client = self._connect()
        try:
            envelope = getattr(client, _CALLS[path])(**params)
        except InvalidRequestError as error:
            headers = {name.lower(): value for name, value in (error.resp_headers or {}).items()}
            reset = headers.get(RESET_HEADER, "")
            wait_s = (int(reset) - self._clock.now_ms()) / 1000 if reset.isdigit() else 0.0
            raise RefusedError(int(error.status_code), str(error.message), min(max(wait_s, 0.0), 5.0)) from error
        except FailedRequestError as error:
            if error.status_code == 403:
                raise RefusedError(403, "our address is banned for now (rate limit or region)", 10.0) from error
            raise LostError(f"pybit: HTTP {error.status_code}") from error
        except (requests.RequestException, ValueError, KeyError, TypeError, AttributeError) as error:
            raise LostError(f"pybit: {type(error).__name__}") from error
        finally:
            self._idle.append(client)
        result = envelope.get("result") if isinstance(envelope, dict) else None
        if not isinstance(result, dict):
            raise LostError("pybit: an answer without a result")
        return Answer(result, int(envelope.get("time") or 0))

    def close(self) -> None:
        for client in self._idle:
            client.client.close()

    def _connect(self) -> Any:
        client = HTTP(
            api_key=self._keys.key.reveal(),
            api_secret=self._keys.secret.reveal(),
            timeout=TIMEOUT_S,
            recv_window=WINDOW_MS,
            max_retries=1,
            force_retry=False,
            retry_codes={0},  # an empty set would mean its own list; a success is never looked up in it
            log_requests=False,
        )
        client.endpoint = self._base
        return client
