"""The doctor's line to the exchange: pybit, which is not what trades, so that each checks the other's signature.

It only asks, and again where an answer was lost. The exchange's clock counts, as for everything that trades.
"""

import logging
import threading
from typing import Any

import pybit._helpers  # type: ignore[import-untyped] # pybit has no types
import requests
from pybit.exceptions import FailedRequestError, InvalidRequestError  # type: ignore[import-untyped] # as above
from pybit.unified_trading import HTTP  # type: ignore[import-untyped] # as above

from breakwall.keys import Keys
from breakwall.model.text import sanitise
from breakwall.ports import Clock
from breakwall.redaction import redact
from breakwall.venues.bybit.outcome import Reaction, of_code

TIMEOUT_S = 4.0
TRIES = 3
PAUSE_S = 0.3
_BANNED, _NO_JSON = 403, 409
"""HTTP statuses; the second is what pybit calls an answer that it cannot read."""
_PASSING = frozenset({Reaction.RETRY, Reaction.AMBIGUOUS})
"""Codes that say nothing of the key or the account."""
_PAGES_MOST = 20


class LostError(Exception):
    """No answer that can be read, or one that says nothing of us: the exchange fails, or is too busy.

    `again`: asking once more may help.
    """

    def __init__(self, reason: str, *, again: bool = True) -> None:
        super().__init__(reason)
        self.again = again


class RefusedError(Exception):
    """The exchange answers, and the answer is no."""


class Line:
    """`trips_ms` is how long each question took, `offset_ms` the exchange's clock minus ours; `limits` says of each
    question what the exchange allows in a second and what was left, where it says so. `banned`: our address is.
    """

    def __init__(self, base: str, keys: Keys | None, clock: Clock) -> None:
        self.trips_ms: list[float] = []
        self.offset_ms = 0.0
        self.limits: dict[str, tuple[int, int]] = {}
        self.base = base
        self.banned = False
        self._clock = clock
        logging.getLogger("pybit").setLevel(logging.CRITICAL)  # it logs requests that failed, with their bodies
        pybit._helpers.generate_timestamp = self._venue_ms  # noqa: SLF001 - its one clock, which has no other switch
        self._client = HTTP(
            api_key=keys.key.reveal() if keys is not None else None,
            api_secret=keys.secret.reveal() if keys is not None else None,
            timeout=TIMEOUT_S,
            max_retries=1,
            force_retry=False,
            retry_codes={0},  # an empty set would mean its own list; a success is never looked up in it
            log_requests=False,
            return_response_headers=True,
        )
        self._client.endpoint = base
        self._client.client.trust_env = False  # no proxy: what trades takes none either

    def measure_time(self, times: int) -> None:
        """Ask for the exchange's clock; the quickest answer counts. Raises LostError: everybody may ask that."""
        samples = []
        for _ in range(times):
            began_ms = self._clock.now_ns() / 1e6
            try:
                told_ms = self._ask("get_server_time").get("time")
            except RefusedError as error:
                raise LostError(str(error)) from error
            took_ms = self._clock.now_ns() / 1e6 - began_ms
            if isinstance(told_ms, int):
                samples.append((took_ms, told_ms - (began_ms + took_ms / 2)))
        if not samples:
            raise LostError("expected the exchange's time, found none")
        self.offset_ms = min(samples)[1]

    def result(self, question: str, **params: Any) -> dict[str, Any]:
        """The result of a question, by pybit's name of it. Raises LostError or RefusedError."""
        result = self._ask(question, **params).get("result")
        if not isinstance(result, dict):
            raise LostError(f"{question}: expected a result, found none")
        return result

    def rows(self, question: str, **params: Any) -> list[dict[str, Any]]:
        """All pages of a list. Raises LostError or RefusedError."""
        rows: list[dict[str, Any]] = []
        for _ in range(_PAGES_MOST):
            result = self.result(question, **params)
            page = result.get("list")
            if not isinstance(page, list):
                raise LostError(f"{question}: expected a list, found none")
            rows += [row for row in page if isinstance(row, dict)]
            params["cursor"] = str(result.get("nextPageCursor") or "")
            if not params["cursor"]:
                return rows
        raise LostError(f"{question}: expected at most {_PAGES_MOST} pages, found more")

    def close(self) -> None:
        self._client.client.close()

    def _venue_ms(self) -> int:
        return int(self._clock.now_ms() + self.offset_ms)

    def _ask(self, question: str, **params: Any) -> dict[str, Any]:
        for _ in range(TRIES - 1):
            try:
                return self._ask_once(question, **params)
            except LostError as error:
                if not error.again:
                    raise
                threading.Event().wait(PAUSE_S)
        return self._ask_once(question, **params)

    def _ask_once(self, question: str, **params: Any) -> dict[str, Any]:
        began_ns = self._clock.now_ns()
        try:
            envelope, _, headers = getattr(self._client, question)(**params)
        except InvalidRequestError as error:
            verdict = of_code(int(error.status_code), redact(str(error.message)))
            if verdict.reaction in _PASSING:
                raise LostError(verdict.reason) from error
            raise RefusedError(verdict.reason) from error
        except FailedRequestError as error:
            if error.status_code == _BANNED:
                self.banned = True
                raise LostError("our address is banned for now (rate limit or region)", again=False) from error
            found = "an answer that cannot be read" if error.status_code == _NO_JSON else f"HTTP {error.status_code}"
            raise LostError(found) from error
        except (requests.RequestException, ValueError, KeyError, TypeError, AttributeError) as error:
            raise LostError(_words(error)) from error
        self.trips_ms.append((self._clock.now_ns() - began_ns) / 1e6)
        cap, left = headers.get("X-Bapi-Limit", ""), headers.get("X-Bapi-Limit-Status", "")
        if cap.isdigit() and left.isdigit():
            self.limits[question] = int(cap), int(left)
        if not isinstance(envelope, dict):
            raise LostError(f"{question}: expected an object, found {type(envelope).__name__}")
        return envelope


def _words(error: Exception) -> str:
    """What happened in a few words: requests tells everything, twice."""
    if isinstance(error, requests.Timeout):
        return f"no answer within {TIMEOUT_S:g} s"
    if isinstance(error, requests.exceptions.SSLError):
        return "TLS refused: its certificate is not valid here"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return sanitise(redact(f"{type(error).__name__}: {error}"), 120)
