"""How often the cockpit looks at the desk: as often as asked, less while the loop is late or the line is full."""

from collections import deque

BEAT_S = 0.05
"""How often `Pace.beat` wants to be called."""

LATE_MS = 20.0
"""A loop whose 99th percentile of lateness is above this is late: the engine comes first."""

SLOWEST_FPS, SLOWEST_LATE_FPS = 0.5, 1.0
"""The least for a full line, and for a late loop: there a frame a second costs next to nothing, and less would only
hide the market, often for a lateness that comes from other programs."""

LINE_FULL, LOOP_LATE = "line full", "loop late"

_BEAT_MS = BEAT_S * 1000
_LATE_BEATS = 100
_SENT_BEATS = 60
_BEHIND_BYTES = 32 * 1024  # more than a usual frame: the terminal has not taken the last one yet
_SETTLE_MS = 3_000  # what a slower rate does shows only after a while
_CALM_MS, _LONGEST_CALM_MS = 5_000, 20_000
_CALM_SHARE = 0.8  # of the limits


class Pace:
    """Decides frame by frame. It halves the rate when a limit is passed, and doubles it again after a calm time.

    The calm time doubles whenever the faster rate turned out to be too fast, so that the rate does not swing.
    `max_kb_s` is the budget of the line in 1000 bytes a second.
    """

    def __init__(self, fps: float, max_kb_s: float) -> None:
        self.fps = fps
        self.bytes_s = 0.0
        """Of the last three seconds, so that one whole frame is no flood."""
        self.slowed = ""
        """Which limit is passed, or why `fps` is still less than asked; empty: neither."""
        self._asked = fps
        self._budget = max_kb_s * 1000
        self._late: deque[float] = deque(maxlen=_LATE_BEATS)
        self._sent: deque[tuple[int, int]] = deque(maxlen=_SENT_BEATS + 1)  # time, bytes in total
        self._looked_ms: int | None = None
        self._changed_ms: int | None = None
        self._rose_ms: int | None = None
        self._calm_ms = _CALM_MS

    @property
    def late_ms(self) -> float:
        """The 99th percentile of what was heard lately: one outlier in five seconds is forgiven."""
        ranked = sorted(self._late)
        return ranked[int((len(ranked) - 1) * 0.99)] if ranked else 0.0

    def hurry(self) -> None:
        """Let the next beat look, however slow the rate is: what the screen shows is no picture any more."""
        self._looked_ms = None

    def heard(self, late_ms: float) -> None:
        """How late the loop was with something that it should have done after `BEAT_S`."""
        self._late.append(late_ms)

    def beat(self, at_ms: int, bytes_total: int, pending: int) -> bool:
        """Whether to look now. `bytes_total` went to the terminal since the start, `pending` wait for it."""
        self._sent.append((at_ms, bytes_total + pending))
        began_ms, began = self._sent[0]
        self.bytes_s = (bytes_total + pending - began) * 1000 / max(at_ms - began_ms, _SENT_BEATS * _BEAT_MS)
        if self._looked_ms is not None and at_ms - self._looked_ms < 1000 / self.fps - _BEAT_MS / 2:
            return False
        behind = pending > _BEHIND_BYTES
        self._judge(at_ms, self.late_ms / LATE_MS, 2.0 if behind else self.bytes_s / self._budget)
        if not behind:
            self._looked_ms = at_ms
        return not behind

    def _judge(self, at_ms: int, late: float, full: float) -> None:
        """Go slower or faster; both arguments are shares of their limits."""
        since_ms = _LONGEST_CALM_MS if self._changed_ms is None else at_ms - self._changed_ms
        if max(late, full) > 1:
            self.slowed = LOOP_LATE if late > full else LINE_FULL
            slowest = SLOWEST_LATE_FPS if late > full else SLOWEST_FPS
            if self.fps > slowest and since_ms >= _SETTLE_MS:
                self._go_slower(at_ms, slowest)
        elif self.fps == self._asked:
            self.slowed = ""
        elif max(late, full) < _CALM_SHARE and since_ms >= self._calm_ms:
            self.fps = min(self.fps * 2, self._asked)
            self._changed_ms = self._rose_ms = at_ms

    def _go_slower(self, at_ms: int, slowest: float) -> None:
        relapsed = self._rose_ms is not None and at_ms - self._rose_ms <= self._calm_ms
        self._calm_ms = min(self._calm_ms * 2, _LONGEST_CALM_MS) if relapsed else _CALM_MS
        self.fps = max(self.fps / 2, slowest)
        self._changed_ms, self._rose_ms = at_ms, None
        self._late.clear()
