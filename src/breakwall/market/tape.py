"""Public trades: who is the aggressor, and by how much."""

from collections import deque
from itertools import takewhile

from breakwall.model.events import Trade
from breakwall.model.view import TradeView

_IDS_KEPT = 4_096
_IDS_FOR_MS = 60_000  # a reconnect repeats what is seconds old; of 600 symbols 4,096 ids each would be half a GB
SHOWN = 120
"""How many of the newest trades are kept for the screen, however old they are."""


class Tape:
    """Trades of the last `window_ms` of engine time, the cumulative volume delta, and the latest sequence.

    `recent` holds (engine time, lots, sold ones negative) of the window, `latest` the last ones of any age for the
    screen, both oldest first; `on_book` counts all that ever entered them.

    A trade id seen before is a duplicate (a reconnect repeats trades). Block and RPI trades never
    met the visible book: they count for neither volume delta nor imbalance. Volumes are lots.
    """

    __slots__ = (
        "_buy_lots",
        "_ids",
        "_sell_lots",
        "_window_ms",
        "cvd_lots",
        "duplicates",
        "last_seq",
        "latest",
        "on_book",
        "recent",
        "seen",
    )

    def __init__(self, window_ms: int) -> None:
        self._window_ms = window_ms
        self._ids: dict[str, int] = {}  # and when each came
        self._buy_lots = self._sell_lots = 0
        self.recent: deque[tuple[int, int]] = deque()
        self.latest: deque[TradeView] = deque(maxlen=SHOWN)
        self.cvd_lots = self.on_book = 0
        self.last_seq = 0
        self.seen = self.duplicates = 0

    def add(self, trade: Trade, at_ms: int) -> bool:
        """Take a trade; False where it is a duplicate."""
        if trade.trade_id:
            if trade.trade_id in self._ids:
                self.duplicates += 1
                return False
            self._ids[trade.trade_id] = at_ms
            if len(self._ids) > _IDS_KEPT:
                del self._ids[next(iter(self._ids))]
        self.seen += 1
        self.last_seq = max(self.last_seq, trade.seq)
        if trade.off_book:
            return True
        self.recent.append((at_ms, trade.lots if trade.buy else -trade.lots))
        self.latest.append(TradeView(at_ms, trade.ticks, trade.lots, trade.buy))
        self.on_book += 1
        if trade.buy:
            self._buy_lots += trade.lots
            self.cvd_lots += trade.lots
        else:
            self._sell_lots += trade.lots
            self.cvd_lots -= trade.lots
        return True

    def expire(self, at_ms: int) -> None:
        """Forget trades older than the window, and ids that no repetition will bring any more."""
        recent = self.recent
        since = at_ms - self._window_ms
        while recent and recent[0][0] < since:
            lots = recent.popleft()[1]
            if lots > 0:
                self._buy_lots -= lots
            else:
                self._sell_lots += lots
        ids = self._ids
        for name in list(takewhile(lambda name: ids[name] < at_ms - _IDS_FOR_MS, ids)):
            del ids[name]

    @property
    def imbalance(self) -> float:
        """(bought - sold) / (bought + sold) by aggressors within the window: -1 to 1, 0 without trades."""
        total = self._buy_lots + self._sell_lots
        return (self._buy_lots - self._sell_lots) / total if total else 0.0
