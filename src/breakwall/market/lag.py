"""How late messages come, though neither clock can be trusted."""

_MINUTE_MS = 60_000
_UNKNOWN = 2**62  # larger than any difference of clocks


class Lag:
    """Lateness of messages against the promptest of the last one to two minutes.

    Recorder clocks were found 1.3 s off, so the venue's time is never compared with ours directly: the
    smallest difference seen lately stands for the clock offset plus the shortest way, and
    `late_ms` is what the last message took beyond it. `offset_ms` (ours minus the venue's) may be negative.
    """

    __slots__ = ("_before_ms", "_minute_ends_ms", "_now_ms", "late_ms", "offset_ms")

    def __init__(self) -> None:
        self._minute_ends_ms = 0
        self._before_ms = self._now_ms = _UNKNOWN  # the smallest differences of the last minute and of this one
        self.offset_ms = _UNKNOWN
        self.late_ms = 0

    def add(self, at_ms: int, venue_ms: int) -> None:
        """Take a message received at `at_ms` that the venue stamped `venue_ms`."""
        difference = at_ms - venue_ms
        if difference < self._now_ms or at_ms >= self._minute_ends_ms:
            self._renew(at_ms, difference)
        self.late_ms = difference - self.offset_ms

    def _renew(self, at_ms: int, difference: int) -> None:
        if at_ms >= self._minute_ends_ms:
            follows = at_ms < self._minute_ends_ms + _MINUTE_MS
            self._before_ms = self._now_ms if follows else _UNKNOWN
            self._minute_ends_ms = at_ms + _MINUTE_MS
            self._now_ms = difference
        self._now_ms = min(self._now_ms, difference)
        self.offset_ms = min(self._before_ms, self._now_ms)
