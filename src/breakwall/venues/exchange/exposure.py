"""How long a position has stood without a stop: the exchange's own truth about protection."""


class Exposure:
    """One symbol's times without protection, in ms of the exchange's clock."""

    __slots__ = ("_longest_ms", "_since_ms")

    def __init__(self) -> None:
        self._since_ms: int | None = None
        self._longest_ms = 0

    def see(self, unprotected: bool, now_ms: int) -> None:
        if not unprotected:
            self._longest_ms = self.longest_ms(now_ms)
            self._since_ms = None
        elif self._since_ms is None:
            self._since_ms = now_ms

    def longest_ms(self, now_ms: int) -> int:
        """The longest stretch so far, a running one included."""
        running = now_ms - self._since_ms if self._since_ms is not None else 0
        return max(self._longest_ms, running)
