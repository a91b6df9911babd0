"""How often the exchange may be asked: per endpoint and second, per address, and the headers that tell it.

Source: Bybit v5 rate-limit page.
"""

from collections import deque

from msgspec import Struct

_WINDOW_MS = 1000
_ADDRESS_WINDOW_MS = 5_000
_BAN_MS = 600_000
ADDRESS_REQUESTS = 600
"""Requests of one address in five seconds; one more and it is banned for ten minutes."""


class Allowance(Struct, frozen=True):
    """What is left of an endpoint's cap; `reset_ms` always lies ahead."""

    cap: int
    left: int
    reset_ms: int

    def texts(self) -> dict[str, str]:
        """The three headers in the spelling of the trade socket; those of HTTP have no case."""
        return {
            "X-Bapi-Limit": str(self.cap),
            "X-Bapi-Limit-Status": str(self.left),
            "X-Bapi-Limit-Reset-Timestamp": str(self.reset_ms),
        }


class Limits:
    """Counts what private endpoints did in windows of a second or more; REST and trade socket share them."""

    __slots__ = ("_windows",)

    def __init__(self) -> None:
        self._windows: dict[str, tuple[int, int]] = {}

    def take(
        self, path: str, cap: int, wanted: int, now_ms: int, window_ms: int = _WINDOW_MS
    ) -> tuple[int, Allowance]:
        """How many of the `wanted` requests (orders of a batch) may be done now, and what is left."""
        started, used = self._windows.get(path, (now_ms, 0))
        if now_ms - started >= window_ms:
            started, used = now_ms, 0
        granted = min(wanted, cap - used)
        self._windows[path] = (started, used + granted)
        return granted, Allowance(cap, cap - used - granted, started + window_ms)


class AddressLimit:
    """Requests of the only address there is. `most` in five seconds; 0 means no limit."""

    __slots__ = ("_banned_until_ms", "_most", "_times")

    def __init__(self, most: int = ADDRESS_REQUESTS) -> None:
        self._most = most
        self._times: deque[int] = deque()
        self._banned_until_ms = 0

    def banned(self, now_ms: int) -> bool:
        """Count one request; whether it must be turned away."""
        if not self._most or now_ms < self._banned_until_ms:
            return bool(self._most)
        times = self._times
        times.append(now_ms)
        while times[0] <= now_ms - _ADDRESS_WINDOW_MS:
            times.popleft()
        if len(times) <= self._most:
            return False
        self._banned_until_ms = now_ms + _BAN_MS
        times.clear()
        return True
