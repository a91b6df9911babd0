"""Request limits per endpoint and second, and the headers that tell them."""

from breakwall.venues.exchange.order import Refusal

_WINDOW_MS = 1000


class Limits:
    """Counts private requests of each path in windows of one second."""

    __slots__ = ("_windows",)

    def __init__(self) -> None:
        self._windows: dict[str, tuple[int, int]] = {}

    def count(self, path: str, per_second: int, now_ms: int) -> dict[str, str]:
        """Count one request; the headers of its answer. The reset stamp always lies ahead."""
        started, used = self._windows.get(path, (now_ms, 0))
        if now_ms - started >= _WINDOW_MS:
            started, used = now_ms, 0
        self._windows[path] = (started, used + 1)
        return {
            "x-bapi-limit": str(per_second),
            "x-bapi-limit-status": str(max(0, per_second - used - 1)),
            "x-bapi-limit-reset-timestamp": str(started + _WINDOW_MS),
        }

    def check(self, path: str, per_second: int) -> None:
        """Raises Refusal 10006 where the counted request was one too many."""
        if self._windows[path][1] > per_second:
            raise Refusal(10006, "Too many visits. Exceeded the API Rate Limit.")
