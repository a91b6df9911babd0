"""Disconnect-cancel-all: the account's orders go when nobody who guards them is connected any more.

Only some accounts have it, and only after it was switched on. Source: Bybit v5 order/dcp and websocket/private/dcp.
"""

from collections.abc import Callable

from breakwall.venues.exchange.fields import bad
from breakwall.venues.exchange.order import Refusal
from breakwall.venues.exchange.records import Record

_PRODUCT = "DERIVATIVES"
_SHORTEST_S, _LONGEST_S = 3, 300


class DeadMan:
    """Calls `fire(now_ms)` once, when no private socket has been subscribed to dcp for `window_s`, but one was."""

    def __init__(self, fire: Callable[[int], None], *, granted: bool = False) -> None:
        self._fire = fire
        self._granted = granted
        self._on = granted
        self._window_s = 10
        self._lost_ms: int | None = None
        self._armed = False

    def set_window(self, product: str, window_s: int) -> None:
        """Raises Refusal 10005 for an account that has no such thing, 10001 for odd values."""
        if not self._granted:
            raise Refusal(10005, "DCP is not available for this account")
        if product != _PRODUCT:
            raise bad(f"params error: product: expected {_PRODUCT}, found {product[:40]!r}")
        if not _SHORTEST_S <= window_s <= _LONGEST_S:
            raise bad(f"params error: timeWindow: expected {_SHORTEST_S} to {_LONGEST_S}, found {window_s}")
        self._window_s = window_s

    def facts(self) -> list[Record]:
        """As query-dcp-info tells them."""
        if not self._granted:
            return []
        return [{"product": _PRODUCT, "dcpStatus": "ON" if self._on else "OFF", "timeWindow": str(self._window_s)}]

    def watch(self, guarded: bool, now_ms: int) -> None:
        """Whether a subscribed socket is there now."""
        if not self._on:
            return
        if guarded:
            self._armed, self._lost_ms = True, None
        elif self._armed and self._lost_ms is None:
            self._lost_ms = now_ms
        elif self._armed and self._lost_ms is not None and now_ms - self._lost_ms >= self._window_s * 1000:
            self._armed, self._lost_ms = False, None
            self._fire(now_ms)
