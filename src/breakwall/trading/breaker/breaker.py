"""The breaker itself: facts in, trips out, and one trading state."""

from decimal import Decimal
from itertools import chain

from msgspec.structs import replace

from breakwall.model.actions import PlaceOrder
from breakwall.model.events import CommandKind, Outcome, ReadBackFailed
from breakwall.model.records import ClosedTrade
from breakwall.model.view import RuleView
from breakwall.settings import BreakerSettings, RiskSettings
from breakwall.trading.breaker import conditions, pace, people, refusals, results, showing
from breakwall.trading.breaker.conditions import Conditions
from breakwall.trading.breaker.memory import ZERO, Limits, Memory, Moment, lately
from breakwall.trading.breaker.rule import Rule, Tier, TradingState, Trip

_STOPPED = frozenset({"stop", "liquidation"})
"""Reasons of closed trades that count as stop-outs, where the trade lost."""


class Breaker:
    """All rules of one account; see the package for their table.

    Its lasting state is one frozen `Memory`, a function of the facts it is fed, in order: closed trades, equity,
    orders, answers, time and a person's commands; the journal's facts, fed again, give the same. `memory` hands it
    out for a checkpoint, `remember` takes it back. Standing rules are looked at anew with each `on_conditions`.

    Every `on_...` answers with what has tripped by it.
    """

    __slots__ = ("_limits", "_memory", "_now", "_standing")

    def __init__(self, rules: BreakerSettings, risk: RiskSettings) -> None:
        self._limits = Limits(rules, risk)
        self._memory = Memory()
        self._now = Conditions()
        self._standing: dict[tuple[str, str], Trip] = {}

    # what it says

    @property
    def trips(self) -> tuple[Trip, ...]:
        """What is tripped now, of every scope."""
        return (*self._memory.trips, *self._standing.values())

    @property
    def told(self) -> tuple[Trip, ...]:
        """Those of them that nobody else tells of."""
        return tuple(trip for trip in self.trips if not showing.rule_of(trip).quiet)

    @property
    def state(self) -> TradingState:
        """Of the account; single symbols and strategies may be held besides."""
        states = {trip.state for trip in self._account}
        if TradingState.HALTED in states:
            return TradingState.HALTED
        return TradingState.REDUCING if states else TradingState.ACTIVE

    @property
    def why(self) -> str:
        """All that holds the account back, in plain words; empty when ACTIVE."""
        return "; ".join(trip.text for trip in self._account)

    @property
    def flatten(self) -> bool:
        """All positions are to be closed now."""
        return any(trip.tier is Tier.FLATTEN for trip in self._account)

    @property
    def halted(self) -> bool:
        """By a person's word."""
        return any(trip.rule == people.HALTED.name for trip in self._account)

    def hold(self, symbol: str, strategy: str) -> Trip | None:
        """What holds this strategy back in this symbol: a person's pause first, then trips of their scopes."""
        paused = self._paused(symbol)
        found = (trip for trip in self.trips if trip.scope and trip.concerns(symbol, strategy))
        return paused or next(found, None)

    def paused(self, symbol: str) -> str:
        """A person's pause that holds for this symbol ("": for all of them), in words; empty where none does."""
        trip = self._paused(symbol)
        return trip.text if trip is not None else ""

    def pauses(self, symbol: str) -> tuple[str, ...]:
        """What a resume of this symbol ("": of all) lifts, in words."""
        paused = [trip for trip in self._memory.trips if trip.rule == people.PAUSED.name]
        return tuple(trip.text for trip in paused if symbol in {"", trip.scope})

    def liftable(self, rule: str, scope: str) -> tuple[Trip, ...]:
        """What a reset of this rule ("": of any) and scope ("": of any) lifts."""
        return people.liftable(self._memory, rule, scope)

    @property
    def daily_loss_left_usdt(self) -> Decimal:
        """What the day may still lose: the limit less what is realised and openly lost."""
        memory = self._memory
        limit = results.daily_limit(memory, self._limits)
        return max(ZERO, limit + min(ZERO, memory.realised) + min(ZERO, memory.open))

    @property
    def rules(self) -> tuple[RuleView, ...]:
        """How much of each limit is used; then what is tripped and has no limit."""
        return showing.rules(self._memory, self._now, self._limits, self.trips)

    def symbol_ready_in_ms(self, symbol: str, at_ms: int) -> int:
        """How long the symbol still rests after its last closed trade; 0: it may be entered."""
        return pace.rests_ms(self._memory, self._limits, symbol, at_ms)

    @property
    def realised_today(self) -> Decimal:
        """Net of the risk day's closed trades, which no reset forgets."""
        return self._memory.made - self._memory.day_made

    @property
    def made(self) -> Decimal:
        """Net of all closed trades since counting began."""
        return self._memory.made

    @property
    def equity(self) -> Decimal:
        return self._memory.equity

    @property
    def losses_in_row(self) -> int:
        return self._memory.losses_in_row

    @property
    def trades_today(self) -> int:
        return self._memory.trades_today

    # what it is told

    def on_equity(self, equity: Decimal, open_pnl: Decimal, at_ms: int) -> list[Trip]:
        """The account's equity and the open positions' result, fees and funding paid so far included (USDT).

        What is not a number changes nothing but trips `low balance`: better no entries than a limit of nothing.
        """
        self._roll(at_ms)
        memory = self._memory
        sane = equity.is_finite() and open_pnl.is_finite()
        if sane:
            memory = replace(
                memory,
                equity=equity,
                open=open_pnl,
                peak=max(memory.peak, equity),
                day_equity=memory.day_equity or equity,
                best=max(memory.best, memory.made + open_pnl),
            )
        self._memory = replace(memory, sane=sane)
        low = results.low_balance(self._memory, self._limits, at_ms)
        return self._judge_money(at_ms) + self._stand(results.LOW_BALANCE, [low] if low else [], at_ms)

    def on_entry(self, at_ms: int) -> list[Trip]:
        """A position was opened."""
        self._roll(at_ms)
        self._memory = replace(self._memory, trades_today=self._memory.trades_today + 1)
        return self._trip(pace.trades_per_day(self._memory, self._limits, at_ms))

    def on_closed(self, trade: ClosedTrade, open_pnl: Decimal = ZERO) -> list[Trip]:
        """A position was closed; `open_pnl` is the result of those that are still open, as in `on_equity`."""
        at_ms, net, limits = trade.closed_ms, trade.net_usdt, self._limits
        self._roll(at_ms)
        memory = self._memory
        scopes = ("", trade.symbol, trade.strategy) if trade.strategy else ("", trade.symbol)
        memory = replace(
            memory,
            results=memory.results | {scope: memory.results.get(scope, ZERO) + net for scope in scopes},
            made=memory.made + net,
            open=open_pnl,
            best=max(memory.best, memory.made + net + open_pnl),
            losses_in_row=memory.losses_in_row + 1 if net < 0 else 0,
            closed_ms=memory.closed_ms | {trade.symbol: at_ms},
        )
        stopped = net < 0 and trade.reason in _STOPPED
        if stopped:
            name, span_ms = f"{trade.entry_id}/{at_ms}", int(limits.rules.stop_guard_window_s * 1000)
            stop_outs = pace.counted(memory.stop_outs, Moment(at_ms, trade.symbol, name), span_ms)
            memory = replace(memory, stop_outs=stop_outs)
        self._memory = memory
        trips = self._judge_money(at_ms)
        trips += self._trip(*results.scoped_losses(memory, limits, trade.symbol, trade.strategy, at_ms))
        trips += self._trip(*pace.stop_outs(memory, limits, trade.symbol, at_ms)) if stopped else []
        row = self._trip(pace.consecutive_losses(memory, limits, at_ms))
        if row:
            self._memory = replace(self._memory, losses_in_row=0)
        return trips + row

    def on_order(self, intent: PlaceOrder, at_ms: int) -> list[Trip]:
        """An order was decided. Closes only count: nothing holds them back."""
        limits, memory = self._limits, self._memory
        orders = pace.counted(memory.orders, Moment(at_ms, "", intent.client_id), pace.MINUTE_MS)
        memory = replace(memory, orders=orders)
        if intent.reduce_only or intent.plan is None:
            self._memory = memory
            return []
        scope = f"{intent.plan.strategy} {intent.symbol}"
        span_ms = int(limits.rules.repeat_window_s * 1000)
        entries = pace.counted(memory.entries, Moment(at_ms, scope, intent.client_id), span_ms)
        self._memory = replace(memory, entries=entries)
        repeated = pace.repeated_execution(self._memory, limits, scope, at_ms)
        return self._trip(pace.order_rate(self._memory, limits, at_ms), repeated)

    def on_answer(self, round_trip_ms: int, client_id: str, at_ms: int) -> list[Trip]:
        """The exchange answered a command, or was waited for in vain."""
        memory, moment = self._memory, Moment(at_ms, "", client_id)
        answers = pace.counted(memory.answers, moment, pace.MINUTE_MS)
        slow = lately(memory.slow, pace.MINUTE_MS, at_ms)
        if round_trip_ms > self._limits.rules.slow_order_ms:
            slow = pace.counted(slow, moment, pace.MINUTE_MS)
        self._memory = replace(memory, answers=answers, slow=slow)
        return self._trip(pace.slow_orders(self._memory, self._limits, at_ms))

    def on_outcome(self, outcome: Outcome | ReadBackFailed, at_ms: int) -> list[Trip]:
        """What became of a command or a reading, where it tells of those to come."""
        return self._trip(refusals.refused(outcome, self._limits, at_ms))

    def on_commit(self, commit_ms: int, at_ms: int) -> list[Trip]:
        """The journal took this long to make something durable."""
        return self._trip(pace.slow_disk(commit_ms, self._limits, at_ms))

    def on_conditions(self, now: Conditions, at_ms: int) -> list[Trip]:
        """How things are right now; what was wrong and is not any more lifts after its calm.

        Trips that others tell of are not among the answers.
        """
        self._now = now
        found: dict[str, list[Trip]] = {rule.name: [] for rule in conditions.RULES}
        for trip in chain.from_iterable(look(now, self._limits, at_ms) for look in conditions.STANDING):
            found[trip.rule].append(trip)
        new = [(rule, self._stand(rule, found[rule.name], at_ms)) for rule in conditions.RULES]
        return [trip for rule, trips in new if not rule.quiet for trip in trips]

    def on_time(self, at_ms: int) -> list[str]:
        """Let time pass; the rules that were lifted by it."""
        self._roll(at_ms)
        self._memory = pace.forgotten(self._memory, self._limits, at_ms)
        over = [trip for trip in self.trips if trip.until_ms is not None and trip.until_ms <= at_ms]
        for trip in over:
            self._standing.pop(trip.key, None)
        if over:
            self._memory = replace(self._memory, trips=tuple(t for t in self._memory.trips if t not in over))
        return [trip.rule for trip in over]

    def on_command(
        self, kind: CommandKind, who: str, why: str, at_ms: int, symbol: str = "", rule: str = ""
    ) -> list[Trip]:
        """A person's pause (of one symbol or of all), resume, halt or reset; other commands mean nothing here.

        A reset may name one rule and one scope (`symbol` is a symbol or strategy then); without them it is of all,
        and the limits count anew.
        """
        said = people.trip(kind, who, why, at_ms, symbol)
        if said is not None:
            return self._trip(said)
        if kind is CommandKind.RESUME:
            self._memory = people.resumed(self._memory, symbol)
        elif kind is CommandKind.RESET_BREAKER:
            self._memory = people.reset(self._memory, rule, symbol)
        return []

    # what it hands on

    def memory(self) -> Memory:
        """All that must outlive a restart and is not in the journal's tail."""
        return self._memory

    def remember(self, memory: Memory) -> None:
        """Take up where `memory` was left."""
        self._memory = memory

    def again(self, trip: Trip) -> None:
        """A trip the journal remembers holds again after a restart, until its time has passed."""
        if not showing.rule_of(trip).standing:
            self._trip(trip)

    def take_over(self, other: "Breaker") -> None:
        """Let hold here whatever holds there."""
        for trip in other.trips:
            self.again(trip)

    # how it is done

    @property
    def _account(self) -> tuple[Trip, ...]:
        return tuple(trip for trip in self.trips if not trip.scope)

    def _paused(self, symbol: str) -> Trip | None:
        paused = [trip for trip in self._memory.trips if trip.rule == people.PAUSED.name]
        return next((trip for trip in paused if trip.scope in {symbol, ""}), None)

    def _judge_money(self, at_ms: int) -> list[Trip]:
        looks = (results.daily_loss, results.runaway_loss, results.drawdown, results.missing_money)
        return self._trip(*[look(self._memory, self._limits, at_ms) for look in looks])

    def _roll(self, at_ms: int) -> None:
        day, memory = self._limits.day(at_ms), self._memory
        if day > memory.day:
            self._memory = replace(
                memory, day=day, day_equity=memory.equity, day_made=memory.made, results={}, trades_today=0
            )

    def _trip(self, *found: Trip | None) -> list[Trip]:
        """Those that hold from now on; one that holds already may only come to hold for longer."""
        held = {trip.key: trip for trip in self._memory.trips}
        new = []
        for trip in found:
            before = held.get(trip.key) if trip is not None else None
            if trip is None or before == trip:
                continue
            if before is None:
                new.append(trip)
                held[trip.key] = trip
            elif before.until_ms is not None and trip.until_ms is not None and trip.until_ms > before.until_ms:
                held[trip.key] = replace(before, until_ms=trip.until_ms)
        self._memory = replace(self._memory, trips=tuple(held.values()))
        return new

    def _stand(self, rule: Rule, found: list[Trip], at_ms: int) -> list[Trip]:
        """Exactly these of a standing rule hold now; others of it begin to calm down."""
        now = {trip.key: trip for trip in found}
        new = []
        for key, trip in [item for item in self._standing.items() if item[0][0] == rule.name]:
            if key in now:
                self._standing[key] = replace(trip, until_ms=None)
            elif trip.until_ms is None:
                self._standing[key] = replace(trip, until_ms=at_ms + rule.calm_ms)
        for key, trip in now.items():
            if key not in self._standing:
                self._standing[key] = trip
                new.append(trip)
        return new
