"""The breaker: when losses or haste say stop, and who may say go again."""

from decimal import Decimal
from enum import Enum

from msgspec import Struct

from breakwall.config import BreakerSettings
from breakwall.model.actions import Note
from breakwall.model.events import CommandKind
from breakwall.model.view import RuleView
from breakwall.trading.position import ClosedTrade

ZERO = Decimal(0)
_HUNDRED = Decimal(100)
_DAY_MS = 86_400_000


class TradingState(Enum):
    """ACTIVE trades; REDUCING makes no new entries; HALTED lets exits, stops and cancels through only."""

    ACTIVE = "ACTIVE"
    REDUCING = "REDUCING"
    HALTED = "HALTED"


class Tier(Enum):
    """pause: until the cooldown has passed; reduce: until the next risk day; halt: exits only, a person
    resets; flatten: the same, and all positions are closed.
    """

    PAUSE = "pause"
    REDUCE = "reduce"
    HALT = "halt"
    FLATTEN = "flatten"


class Trip(Struct, frozen=True):
    """One tripped rule. `until_ms` None: only a person lifts it."""

    rule: str
    tier: Tier
    text: str
    at_ms: int
    until_ms: int | None

    @property
    def state(self) -> TradingState:
        return TradingState.HALTED if self.tier in {Tier.HALT, Tier.FLATTEN} else TradingState.REDUCING

    @property
    def note(self) -> Note:
        return Note(kind="breaker", text=self.text, level="warning", data=self._data, durable=True)

    @property
    def _data(self) -> dict[str, str | int | None]:
        return {"rule": self.rule, "tier": self.tier.value, "at_ms": self.at_ms, "until_ms": self.until_ms}


class Breaker:
    """Daily loss, drawdown, losses in a row, trades per day and cooldowns, as one trading state.

    Its state is a function of the facts it is fed, in order: closed trades, equity, entries, time and
    a person's commands; feeding the journal's facts again after a restart gives the same state.

    | rule | trips at | tier | resumes |
    |---|---|---|---|
    | consecutive losses | `consecutive_losses` closed trades in a row below zero | pause | after `cooldown_s` |
    | trades per day | `trades_per_day` entries filled in the risk day | reduce | next risk day |
    | daily loss | closed trades plus open loss, `daily_loss_percent` of the day's equity | reduce | next risk day |
    | drawdown | equity `drawdown_percent` below its peak | flatten | a person's reset |
    | paused, halted | a person's word | pause, halt | a person's resume, reset |

    A person may also pause one symbol, until that symbol or all are resumed; a reset does not lift that.
    The daily loss counts results, not the balance, so a deposit or withdrawal moves nothing.
    """

    __slots__ = (
        "_closed_ms",
        "_cooldown_ms",
        "_day",
        "_day_start_ms",
        "_open_pnl",
        "_rules",
        "_symbol_cooldown_ms",
        "_trips",
        "day_equity",
        "equity",
        "losses_in_row",
        "paused_symbols",
        "peak",
        "realised_today",
        "trades_today",
    )

    def __init__(self, rules: BreakerSettings, day_starts_at: str = "00:00") -> None:
        hours, minutes = day_starts_at.split(":")
        self._rules = rules
        self._day_start_ms = (int(hours) * 60 + int(minutes)) * 60_000
        self._cooldown_ms = int(rules.cooldown_s * 1000)
        self._symbol_cooldown_ms = int(rules.symbol_cooldown_s * 1000)
        self._day = -1
        self._open_pnl = self.realised_today = ZERO
        self.equity = self.peak = self.day_equity = ZERO
        self.losses_in_row = self.trades_today = 0
        self._trips: dict[str, Trip] = {}
        self.paused_symbols: dict[str, str] = {}  # symbol -> a person's pause of it alone, in words
        self._closed_ms: dict[str, int] = {}

    @property
    def state(self) -> TradingState:
        states = {trip.state for trip in self._trips.values()}
        if TradingState.HALTED in states:
            return TradingState.HALTED
        return TradingState.REDUCING if states else TradingState.ACTIVE

    @property
    def why(self) -> str:
        """All that holds trading back, in plain words; empty when ACTIVE."""
        return "; ".join(trip.text for trip in self._trips.values())

    @property
    def trips(self) -> tuple[Trip, ...]:
        """What is tripped now."""
        return tuple(self._trips.values())

    @property
    def flatten(self) -> bool:
        """Positions are to be closed now."""
        return any(trip.tier is Tier.FLATTEN for trip in self._trips.values())

    @property
    def halted(self) -> bool:
        """By a person's word."""
        return "halted" in self._trips

    @property
    def daily_loss_left_usdt(self) -> Decimal:
        """What the day may still lose: the limit less what is realised and openly lost."""
        return max(ZERO, self._daily_limit + min(ZERO, self.realised_today) + min(ZERO, self._open_pnl))

    @property
    def rules(self) -> tuple[RuleView, ...]:
        """How much of each limit is used; then what a person has tripped, which has no limit (0)."""
        rules, lost, losses = self._rules, max(ZERO, self._lost), Decimal(self.losses_in_row)
        if (
            "consecutive losses" in self._trips
        ):  # counted anew from the trip on, but the limit is used up until lifted
            losses = Decimal(rules.consecutive_losses)
        trades, most = Decimal(self.trades_today), Decimal(rules.trades_per_day)
        limits = (
            self._rule("daily loss", lost, self._daily_limit, "USDT"),
            self._rule("drawdown", self.peak - self.equity, self._drawdown_limit, "USDT"),
            self._rule("consecutive losses", losses, Decimal(rules.consecutive_losses), "losses"),
            self._rule("trades per day", trades, most, "trades"),
        )
        named = {rule.rule for rule in limits}
        people = [rule for rule in self._trips if rule not in named]
        return limits + tuple(self._rule(rule, ZERO, ZERO, "") for rule in people)

    def symbol_ready_in_ms(self, symbol: str, at_ms: int) -> int:
        """How long the symbol still rests after its last closed trade; 0: it may be entered."""
        closed = self._closed_ms.get(symbol)
        return 0 if closed is None else max(0, closed + self._symbol_cooldown_ms - at_ms)

    def on_equity(self, equity: Decimal, open_pnl: Decimal, at_ms: int) -> list[Trip]:
        """The account's equity and the open positions' result, fees and funding paid so far included (USDT)."""
        self._roll(at_ms)
        self.equity, self._open_pnl = equity, open_pnl
        self.peak = max(self.peak, equity)
        self.day_equity = self.day_equity or equity
        trips = [self._daily_loss(at_ms), self._drawdown(at_ms)]
        return [trip for trip in trips if trip is not None]

    def on_entry(self, at_ms: int) -> list[Trip]:
        """A position was opened."""
        self._roll(at_ms)
        self.trades_today += 1
        if self.trades_today < self._rules.trades_per_day:
            return []
        text = (
            f"trades per day: {self.trades_today} of {self._rules.trades_per_day}; no entries until the next risk day"
        )
        return self._trip("trades per day", Tier.REDUCE, text, at_ms, self._next_day_ms(at_ms))

    def on_closed(self, trade: ClosedTrade, open_pnl: Decimal = ZERO) -> list[Trip]:
        """A position was closed; `open_pnl` is the result of those that are still open, as in `on_equity`."""
        at_ms = trade.closed_ms
        self._roll(at_ms)
        self._open_pnl = open_pnl
        self._closed_ms[trade.symbol] = at_ms
        self.realised_today += trade.net_usdt
        self.losses_in_row = self.losses_in_row + 1 if trade.net_usdt < 0 else 0
        daily = self._daily_loss(at_ms)
        trips = [daily] if daily is not None else []
        if self.losses_in_row >= self._rules.consecutive_losses:
            text = f"{self.losses_in_row} losses in a row; no entries for {self._cooldown_ms // 1000} s"
            self.losses_in_row = 0
            trips += self._trip("consecutive losses", Tier.PAUSE, text, at_ms, at_ms + self._cooldown_ms)
        return trips

    def on_time(self, at_ms: int) -> list[str]:
        """Let time pass; the rules that were lifted by it."""
        self._roll(at_ms)
        over = [rule for rule, trip in self._trips.items() if trip.until_ms is not None and trip.until_ms <= at_ms]
        for rule in over:
            del self._trips[rule]
        return over

    def on_command(self, kind: CommandKind, who: str, why: str, at_ms: int, symbol: str = "") -> list[Trip]:
        """A person's pause (of one symbol or of all), resume, halt or reset; other commands mean nothing here."""
        by = f"by {who}" + (f": {why}" if why else "")
        if kind is CommandKind.PAUSE and symbol:
            self.paused_symbols.setdefault(symbol, f"{symbol} paused {by}")
        elif kind is CommandKind.PAUSE:
            return self._trip("paused", Tier.PAUSE, f"paused {by}", at_ms, None)
        elif kind is CommandKind.HALT:
            return self._trip("halted", Tier.HALT, f"halted {by}", at_ms, None)
        elif kind is CommandKind.RESUME and symbol:
            self.paused_symbols.pop(symbol, None)
        elif kind is CommandKind.RESUME:
            self._trips.pop("paused", None)
            self.paused_symbols.clear()
        elif kind is CommandKind.RESET_BREAKER:
            self._reset()
        return []

    def paused(self, symbol: str) -> str:
        """A person's pause that holds for this symbol ("": for all of them), in words; empty where none does."""
        trip = self._trips.get("paused")
        return self.paused_symbols.get(symbol, "") or (trip.text if trip else "")

    def pauses(self, symbol: str) -> tuple[str, ...]:
        """What a resume of this symbol ("": of all) lifts, in words."""
        if symbol:
            return tuple(text for name, text in self.paused_symbols.items() if name == symbol)
        general = self._trips.get("paused")
        return (*((general.text,) if general else ()), *self.paused_symbols.values())

    def again(self, trip: Trip) -> None:
        """A trip the journal remembers holds again after a restart, until its time has passed."""
        self._trips.setdefault(trip.rule, trip)

    def take_over(self, other: "Breaker") -> None:
        """Let hold here whatever holds there."""
        for trip in other.trips:
            self.again(trip)
        self.paused_symbols = other.paused_symbols | self.paused_symbols

    def _reset(self) -> None:
        """A person takes responsibility: all trips are lifted and the limits count anew from here."""
        self._trips.clear()
        self.peak = self.day_equity = self.equity
        self.realised_today = ZERO
        self.losses_in_row = self.trades_today = 0

    def _roll(self, at_ms: int) -> None:
        day = (at_ms - self._day_start_ms) // _DAY_MS
        if day > self._day:
            self._day = day
            self.day_equity, self.realised_today, self.trades_today = self.equity, ZERO, 0

    def _next_day_ms(self, at_ms: int) -> int:
        return ((at_ms - self._day_start_ms) // _DAY_MS + 1) * _DAY_MS + self._day_start_ms

    def _daily_loss(self, at_ms: int) -> Trip | None:
        lost, limit = self._lost, self._daily_limit
        if limit <= 0 or lost < limit:
            return None
        text = f"daily loss {lost:.2f} of {limit:.2f} USDT; no entries until the next risk day"
        trips = self._trip("daily loss", Tier.REDUCE, text, at_ms, self._next_day_ms(at_ms))
        return trips[0] if trips else None

    def _drawdown(self, at_ms: int) -> Trip | None:
        down, limit = self.peak - self.equity, self._drawdown_limit
        if limit <= 0 or down < limit:
            return None
        text = f"drawdown {down:.2f} of {limit:.2f} USDT from the peak {self.peak:.2f}; closing all, reset by hand"
        trips = self._trip("drawdown", Tier.FLATTEN, text, at_ms, None)
        return trips[0] if trips else None

    @property
    def _lost(self) -> Decimal:
        return -(self.realised_today + min(ZERO, self._open_pnl))

    @property
    def _daily_limit(self) -> Decimal:
        return self.day_equity * self._rules.daily_loss_percent / _HUNDRED

    @property
    def _drawdown_limit(self) -> Decimal:
        return self.peak * self._rules.drawdown_percent / _HUNDRED

    def _rule(self, rule: str, used: Decimal, limit: Decimal, unit: str) -> RuleView:
        trip = self._trips.get(rule)
        return RuleView(rule, used, limit, unit, trip is not None, trip.until_ms if trip else None)

    def _trip(self, rule: str, tier: Tier, text: str, at_ms: int, until_ms: int | None) -> list[Trip]:
        if rule in self._trips:
            return []
        trip = Trip(rule, tier, text, at_ms, until_ms)
        self._trips[rule] = trip
        return [trip]
