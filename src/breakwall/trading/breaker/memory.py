"""What the lasting rules remember: one frozen struct, the whole of it."""

from decimal import Decimal

from msgspec import Struct

from breakwall.settings import BreakerSettings, RiskSettings
from breakwall.trading.breaker.rule import Trip

ZERO = Decimal(0)
DAY_MS = 86_400_000


class Moment(Struct, frozen=True):
    """Something that is counted in a window of time: `scope` as in `Trip`."""

    at_ms: int
    scope: str = ""
    name: str = ""


class Memory(Struct, frozen=True):
    """Cash in USDT, times in engine ms. `results` is the net of the risk day's closed trades by scope, "" for all;
    `made` the net of all closed trades since counting began, `day_made` what it was when the risk day began, `open`
    that of the open positions, `best` the most of both together. `entries` and `orders` were decided lately,
    `stop_outs` happened lately, `slow` answers were slow and `answers` were counted with them. `sane` False: the last
    balance was not a number.
    """

    day: int = -1
    equity: Decimal = ZERO
    peak: Decimal = ZERO
    day_equity: Decimal = ZERO
    sane: bool = True
    open: Decimal = ZERO
    made: Decimal = ZERO
    best: Decimal = ZERO
    day_made: Decimal = ZERO
    results: dict[str, Decimal] = {}
    losses_in_row: int = 0
    trades_today: int = 0
    closed_ms: dict[str, int] = {}
    stop_outs: tuple[Moment, ...] = ()
    entries: tuple[Moment, ...] = ()
    orders: tuple[Moment, ...] = ()
    answers: tuple[Moment, ...] = ()
    slow: tuple[Moment, ...] = ()
    trips: tuple[Trip, ...] = ()

    @property
    def realised(self) -> Decimal:
        """Net of the risk day's closed trades."""
        return self.results.get("", ZERO)

    @property
    def lost(self) -> Decimal:
        """What the day has lost so far; open profit does not buy more loss. Negative: it has won."""
        return -(self.realised + min(ZERO, self.open))

    @property
    def below_best(self) -> Decimal:
        """How far our own results are below the best they have been."""
        return self.best - self.made - self.open

    @property
    def below_peak(self) -> Decimal:
        """How far the equity is below the highest it has been, for whatever reason."""
        return self.peak - self.equity


class Limits(Struct, frozen=True):
    """The settings the rules read, and the risk day they imply."""

    rules: BreakerSettings
    risk: RiskSettings

    def day(self, at_ms: int) -> int:
        """The number of the risk day."""
        return (at_ms - self._day_start_ms) // DAY_MS

    def next_day_ms(self, at_ms: int) -> int:
        """When the next risk day begins."""
        return (self.day(at_ms) + 1) * DAY_MS + self._day_start_ms

    @property
    def _day_start_ms(self) -> int:
        hours, minutes = self.risk.day_starts_at.split(":")
        return (int(hours) * 60 + int(minutes)) * 60_000


def lately(moments: tuple[Moment, ...], span_ms: int, at_ms: int) -> tuple[Moment, ...]:
    """Those of the last `span_ms`."""
    return tuple(moment for moment in moments if moment.at_ms > at_ms - span_ms)
