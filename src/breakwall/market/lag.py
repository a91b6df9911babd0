"""How late messages come, though neither clock can be trusted."""


class Lag:
    """Lateness of messages against the promptest of the last one to two minutes.

    Recorder clocks were found 1.3 s off, so the venue's time is never compared with ours directly: the
    smallest difference seen lately stands for the clock offset plus the shortest way, and
    `late_ms` is what a message took beyond it. `offset_ms` (ours minus the venue's) may be negative.
    """

    __slots__ = ("_before_ms", "_minute", "_now_ms", "late_ms")

    def __init__(self) -> None:
        self._minute = -1
        self._before_ms: int | None = None
        self._now_ms: int | None = None
        self.late_ms = 0

    @property
    def offset_ms(self) -> int | None:
        """The estimate; None before the first message."""
        if self._now_ms is None or self._before_ms is None:
            return self._now_ms
        return min(self._before_ms, self._now_ms)

    def add(self, at_ms: int, venue_ms: int) -> None:
        difference = at_ms - venue_ms
        minute = at_ms // 60_000
        if minute != self._minute:
            self._before_ms = self._now_ms if minute == self._minute + 1 else None
            self._now_ms = difference
            self._minute = minute
        elif self._now_ms is None or difference < self._now_ms:
            self._now_ms = difference
        offset = self.offset_ms
        self.late_ms = difference - offset if offset is not None else 0
