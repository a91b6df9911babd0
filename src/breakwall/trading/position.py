"""One position: what we hold, since when, by which plan, with which proven stop, and what it made."""

from decimal import Decimal
from enum import Enum

from msgspec.structs import replace

from breakwall.model.actions import PlaceOrder, Plan
from breakwall.model.events import Fill, PositionReport
from breakwall.model.margin import average_entry, gross_pnl
from breakwall.model.records import ClosedTrade, PositionStep
from breakwall.model.units import Instrument, side_of
from breakwall.model.view import ADOPTED
from breakwall.trading.order import Transition
from breakwall.trading.origin import Origin

ZERO = Decimal(0)
ADL_WARNED = 4
"""From this rank of 5 on a position may soon be reduced for somebody else's bankruptcy. Bybit v5, enum."""


class PositionState(Enum):
    OPENING = "OPENING"
    OPEN = "OPEN"
    CLOSING = "CLOSING"
    CLOSED = "CLOSED"


class PositionCause(Enum):
    """opened (or grew), reduced, flat, exit asked, no fill (the entry ended without one)."""

    OPENED = "opened"
    REDUCED = "reduced"
    FLAT = "flat"
    EXIT_ASKED = "exit asked"
    NO_FILL = "no fill"


_S, _C = PositionState, PositionCause

TRANSITIONS: dict[PositionState, dict[PositionCause, PositionState]] = {
    _S.OPENING: {_C.OPENED: _S.OPEN, _C.NO_FILL: _S.CLOSED},
    _S.OPEN: {_C.OPENED: _S.OPEN, _C.REDUCED: _S.OPEN, _C.EXIT_ASKED: _S.CLOSING, _C.FLAT: _S.CLOSED},
    _S.CLOSING: {_C.OPENED: _S.CLOSING, _C.REDUCED: _S.CLOSING, _C.EXIT_ASKED: _S.CLOSING, _C.FLAT: _S.CLOSED},
    _S.CLOSED: {},
}


class TransitionError(ValueError):
    """A position was asked to move where its table does not let it; the state did not change."""


class Position:
    """A position, keyed by `(symbol, position_idx)`. Moves by this table; what is not listed is refused.

    OPENING (an entry is under way): opened OPEN, no fill CLOSED
    OPEN: opened/reduced OPEN, exit asked CLOSING, flat CLOSED
    CLOSING (asked out, repeated until flat): opened/reduced/exit asked CLOSING, flat CLOSED
    CLOSED: nothing; the next entry makes a new position

    `lots` is signed. `stop_ticks` is what the venue last reported; `proven_ms` when that was (engine
    time), None: never. `naked_ms` is since when it has been open without a stop we know of.
    """

    __slots__ = (
        "adl_rank",
        "best_ticks",
        "close_asked_ms",
        "close_tries",
        "denials",
        "direction",
        "entry",
        "entry_id",
        "exit_lots",
        "exit_value",
        "external",
        "fees_usdt",
        "first_proof_ms",
        "foreign",
        "funding_usdt",
        "gross_usdt",
        "held_stop_ticks",
        "history",
        "instrument",
        "intent",
        "liquidation",
        "lots",
        "mark",
        "max_lots",
        "naked_ms",
        "opened_ms",
        "opened_venue_ms",
        "plan",
        "position_idx",
        "proven_ms",
        "reason",
        "samples",
        "state",
        "stop_asked_ms",
        "stop_asked_ticks",
        "stop_confirmed",
        "stop_ticks",
        "take_profit_ticks",
        "told_naked",
        "trace",
        "worst_ticks",
    )

    def __init__(self, instrument: Instrument, position_idx: int, at_ms: int, trace: str) -> None:
        self.instrument = instrument
        self.position_idx = position_idx
        self.trace = trace
        self.state = PositionState.OPENING
        self.intent: PlaceOrder | None = None  # the entry under way
        self.plan: Plan | None = None
        self.entry_id = self.reason = ""
        self.lots = self.max_lots = self.exit_lots = 0
        self.direction = 0  # the sign it had, kept once it is flat
        self.entry = self.exit_value = self.gross_usdt = self.fees_usdt = self.funding_usdt = ZERO
        self.opened_ms = at_ms
        self.opened_venue_ms = 0
        self.stop_ticks: int | None = None
        self.take_profit_ticks: int | None = None
        self.liquidation: Decimal | None = None
        self.mark: Decimal | None = None
        self.proven_ms: int | None = None
        self.naked_ms: int | None = None
        self.first_proof_ms: int | None = None
        self.held_stop_ticks: int | None = None  # the tightest stop ever proven: the ratchet's tooth
        self.adl_rank = 0
        self.told_naked = False  # the venue itself said that there is no stop
        self.stop_confirmed = False  # the venue took our stop, the proof is still to be read
        self.stop_asked_ms = self.close_asked_ms = self.close_tries = self.denials = 0
        self.stop_asked_ticks: int | None = None
        self.best_ticks: int | None = None
        self.worst_ticks: int | None = None
        self.samples: list[tuple[int, int]] = []
        self.external = False
        self.foreign = False  # somebody else has opened it
        self.history: list[Transition] = []

    @property
    def symbol(self) -> str:
        return self.instrument.symbol

    @property
    def key(self) -> tuple[str, int]:
        return (self.symbol, self.position_idx)

    @property
    def sign(self) -> int:
        """+1 long, -1 short, 0 flat."""
        return (self.lots > 0) - (self.lots < 0)

    @property
    def strategy(self) -> str:
        return self.plan.strategy if self.plan else ADOPTED

    @property
    def is_open(self) -> bool:
        """Something is held (an OPENING position holds nothing yet)."""
        return self.lots != 0 and self.state is not PositionState.CLOSED

    @property
    def pnl_usdt(self) -> Decimal:
        """What closing at the mark price would make, before fees; 0 while no mark is known."""
        if self.mark is None or not self.lots:
            return ZERO
        return gross_pnl(self.sign, self.instrument.qty(abs(self.lots)), self.entry, self.mark)

    @property
    def risk_usdt(self) -> Decimal | None:
        """Loss at the planned stop, before fees; None without a plan, or where the entry was behind its stop."""
        if self.plan is None or not self.lots:
            return None
        stop = self.instrument.price(self.plan.stop_ticks)
        risk = -gross_pnl(self.sign, self.instrument.qty(abs(self.lots)), self.entry, stop)
        return risk if risk > 0 else None

    @property
    def entry_ticks(self) -> Decimal:
        """Average entry in ticks; between two ticks after several fills."""
        return self.entry / self.instrument.tick

    def move(self, cause: PositionCause, at_ms: int, trace: str) -> None:
        """Move by the table; raises TransitionError naming the position, its state and the cause."""
        after = TRANSITIONS[self.state].get(cause)
        if after is None:
            raise TransitionError(f"position {self.symbol}: {cause.value} is not possible in {self.state.value}")
        if after is not self.state:
            self.history.append(Transition(at_ms, self.state.value, after.value, cause.value, trace))
        self.state = after

    def add(self, fill: Fill, lots: int, origin: Origin) -> None:
        """Take `lots` (signed, in the position's direction) of a fill that opens or grows it."""
        price = self.instrument.price(fill.ticks)
        if self.lots == 0:
            self.opened_ms, self.opened_venue_ms = origin.at_ms, fill.at_ms
            self.entry = price
            if self.stop_ticks is None:
                self.naked_ms = origin.at_ms
        else:
            self.entry = average_entry(abs(self.lots), self.entry, abs(lots), price)
        self.lots += lots
        self.direction = self.sign
        self.max_lots = max(self.max_lots, abs(self.lots))
        self.move(PositionCause.OPENED, origin.at_ms, origin.trace)

    def reduce(self, price: Decimal, lots: int, origin: Origin) -> None:
        """Close `lots` (unsigned, at most what is held) at `price`; books the gross result."""
        self.realise(price, lots)
        self.lots -= self.sign * lots
        self.move(PositionCause.REDUCED if self.lots else PositionCause.FLAT, origin.at_ms, origin.trace)

    def realise(self, price: Decimal, lots: int) -> None:
        """Book the gross result of `lots` (unsigned) that were closed at `price`; the quantity is known already."""
        qty = self.instrument.qty(lots)
        self.gross_usdt += gross_pnl(self.sign, qty, self.entry, price)
        self.exit_value += qty * price
        self.exit_lots += lots

    def correct(self, report: PositionReport, origin: Origin) -> None:
        """Take the venue's quantity and entry over ours: the exchange is the truth."""
        if self.lots == 0:
            self.opened_ms, self.opened_venue_ms = origin.at_ms, report.updated_ms
            self.move(PositionCause.OPENED, origin.at_ms, origin.trace)
        self.lots, self.entry = report.lots, report.entry
        self.direction = self.sign
        self.max_lots = max(self.max_lots, abs(report.lots))

    def observe(self, exit_ticks: int, at_ms: int) -> None:
        """Remember the price at which it could be left now: best, worst and one sample a second."""
        if not self.is_open:
            return
        if self.best_ticks is None or self.sign * (exit_ticks - self.best_ticks) > 0:
            self.best_ticks = exit_ticks
        if self.worst_ticks is None or self.sign * (exit_ticks - self.worst_ticks) < 0:
            self.worst_ticks = exit_ticks
        if not self.samples or at_ms - self.samples[-1][0] >= 1000:
            self.samples.append((at_ms, exit_ticks))
            del self.samples[:-120]

    def prove(self, report: PositionReport, at_ms: int) -> str:
        """Take stop, liquidation and mark from the venue's word on this position; what else it warns of, in words."""
        before, self.adl_rank = self.adl_rank, report.adl_rank
        self._take_stop(report, at_ms)
        near = self.adl_rank >= ADL_WARNED > before
        return f"near auto-deleveraging: rank {self.adl_rank} of 5 at the exchange" if near else ""

    def _take_stop(self, report: PositionReport, at_ms: int) -> None:
        self.stop_ticks, self.take_profit_ticks = report.stop_ticks, report.take_profit_ticks
        self.liquidation, self.mark = report.liquidation, report.mark or self.mark
        self.told_naked = report.stop_ticks is None
        if report.stop_ticks is None:
            self.stop_confirmed = False
            self.naked_ms = at_ms if self.naked_ms is None else self.naked_ms
            return
        self.proven_ms, self.naked_ms, self.denials = at_ms, None, 0
        self.first_proof_ms = at_ms if self.first_proof_ms is None else self.first_proof_ms
        sign, held = (report.lots > 0) - (report.lots < 0), self.held_stop_ticks
        if held is None or sign * (report.stop_ticks - held) > 0:
            self.held_stop_ticks = report.stop_ticks

    def convert(self, new: Instrument) -> None:
        """The same position in a new tick and lot: prices to the nearest tick, stops so that risk never grows.

        A quantity that does not fit the new lot is rounded down; the next read-back corrects it.
        """
        old, sign = self.instrument, self.sign or 1

        def price(ticks: int) -> int:
            return new.ticks_near(old.price(ticks))

        def stop(ticks: int | None) -> int | None:
            return None if ticks is None else new.stop_ticks(old.price(ticks), sign)

        self.lots = sign * new.lots_down(old.qty(abs(self.lots)))
        self.max_lots = new.lots_down(old.qty(self.max_lots))
        self.exit_lots = new.lots_down(old.qty(self.exit_lots))
        self.stop_ticks, self.held_stop_ticks = stop(self.stop_ticks), stop(self.held_stop_ticks)
        self.stop_asked_ticks = stop(self.stop_asked_ticks)
        self.take_profit_ticks = None if self.take_profit_ticks is None else price(self.take_profit_ticks)
        self.best_ticks = None if self.best_ticks is None else price(self.best_ticks)
        self.worst_ticks = None if self.worst_ticks is None else price(self.worst_ticks)
        self.samples = [(at_ms, price(ticks)) for at_ms, ticks in self.samples]
        if self.plan is not None:
            self.plan = replace(
                self.plan,
                wall_near_ticks=price(self.plan.wall_near_ticks),
                wall_far_ticks=price(self.plan.wall_far_ticks),
                entry_ticks=price(self.plan.entry_ticks),
                target_ticks=price(self.plan.target_ticks),
                stop_ticks=new.stop_ticks(old.price(self.plan.stop_ticks), sign),
            )
        self.instrument, self.intent = new, None

    def asked_stop(self, stop_ticks: int, at_ms: int) -> None:
        """A stop move is under way."""
        self.stop_asked_ms, self.stop_asked_ticks = at_ms, stop_ticks
        self.stop_confirmed = False

    def asked_out(self, why: str, origin: Origin) -> None:
        """A close is under way; the first reason is the one that is kept."""
        self.move(PositionCause.EXIT_ASKED, origin.at_ms, origin.trace)
        self.reason = self.reason or why
        self.close_asked_ms = origin.at_ms
        self.close_tries += 1

    def closed(self, origin: Origin, *, estimated: bool) -> ClosedTrade:
        """The record of this position once it is flat."""
        instrument, plan, sign = self.instrument, self.plan, self.direction
        exit_qty = instrument.qty(self.exit_lots)
        left_at = self.exit_value / exit_qty if exit_qty else self.entry
        made = [sign * (price - self.entry) for price in (left_at, *self._seen())]
        return ClosedTrade(
            symbol=self.symbol,
            strategy=self.strategy,
            side=side_of(sign),
            lots=self.max_lots,
            entry=self.entry,
            exit=left_at,
            gross_usdt=self.gross_usdt,
            fees_usdt=self.fees_usdt,
            funding_usdt=self.funding_usdt,
            net_usdt=self.gross_usdt - self.fees_usdt - self.funding_usdt,
            reason=self.reason or "closed externally",
            external=self.external,
            estimated=estimated,
            opened_ms=self.opened_ms,
            closed_ms=origin.at_ms,
            best=max(ZERO, *made),
            worst=min(ZERO, *made),
            entry_id=self.entry_id,
            trace=self.trace,
            qty=instrument.qty(self.max_lots),
            planned_entry=instrument.price(plan.entry_ticks) if plan else None,
            planned_stop=instrument.price(plan.stop_ticks) if plan else None,
            planned_target=instrument.price(plan.target_ticks) if plan else None,
        )

    def step(self, what: str) -> PositionStep:
        """What it is after this change, for the books."""
        return PositionStep(
            what=what,
            lots=self.lots,
            qty=self.instrument.qty(self.lots),
            entry=self.entry,
            stop=None if self.stop_ticks is None else self.instrument.price(self.stop_ticks),
            strategy=self.strategy,
            entry_id=self.entry_id,
            opened_ms=self.opened_ms,
            liquidation=self.liquidation,
        )

    def _seen(self) -> list[Decimal]:
        """The best and the worst price at which it could have been left, where any was seen."""
        return [self.instrument.price(ticks) for ticks in (self.best_ticks, self.worst_ticks) if ticks is not None]
