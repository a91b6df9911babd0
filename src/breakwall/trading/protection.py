"""What a position's stop needs now: to be set, to be moved to breakeven, or to give way to a close."""

from decimal import Decimal

from msgspec import Struct

from breakwall.market.state import Market
from breakwall.model.actions import Refused
from breakwall.model.events import PositionReport
from breakwall.model.margin import breakeven_price
from breakwall.settings import ExitSettings, RiskSettings
from breakwall.trading.liquidation import liquidation_ticks
from breakwall.trading.position import Position, PositionState
from breakwall.trading.positions import Key
from breakwall.trading.walls import eroded_at_least, leaning_wall

_HUNDRED = Decimal(100)
PROOF_GRACE_MS = 300
"""The entry carried its stop: the position's report, which proves it, may be this much later than the fill."""
STOP_RETRY_MS = 700
CLOSE_RETRY_MS = 1_000
CLOSE_STUCK_MS = 3_000
"""A close whose order still seems to work is repeated after this long while a stop guards the position;
reduce-only never closes twice.
"""
ADOPTED_STOP = Decimal("0.01")
"""Distance of the first stop of a position without a plan, as a fraction of the price."""
LADDER: tuple[Decimal | None, ...] = (None, None, Decimal("0.005"), Decimal("0.01"), Decimal("0.02"))
"""Closing, try by try: market, market, then immediate limits this far through the price (a venue may cancel
a market order for want of liquidity inside its band)."""
WITHIN_BAND = Decimal("0.9")
"""How much of the venue's price band around the mark a closing limit uses."""


class SetStop(Struct, frozen=True):
    """Put the whole position's stop here."""

    stop_ticks: int
    why: str


class CloseNow(Struct, frozen=True):
    """Close the position, reduce-only; `limit_ticks` None is a market order, `leg` the client id's letter."""

    why: str
    leg: str
    limit_ticks: int | None = None


Need = SetStop | CloseNow


class Protection:
    """The rules of protection with their settings; it keeps nothing about a position itself.

    - Filled without a proven stop: set it (at once where the venue itself says that there is none, after
      `PROOF_GRACE_MS` where the proof of the attached one may be on its way).
    - Not confirmed within `emergency_close_s` of the first fill, or refused: close, reduce-only, repeated
      and escalated until flat; from the second try on the stop is tried again as well.
    - Loosened at the venue by whomever: back to the tightest it ever was.
    - Breakeven, fees and paid funding included: a breakout at `breakout_breakeven_percent`, a bounce once
      its wall is eroded by `bounce_breakeven_erosion`; where it would trigger at once, close instead.
    """

    __slots__ = ("_breakeven", "_emergency_ms", "_erosion", "_gap", "_leverage", "_taker_fee")

    def __init__(self, exits: ExitSettings, risk: RiskSettings, taker_fee: Decimal) -> None:
        self._emergency_ms = int(exits.emergency_close_s * 1000)
        self._breakeven = exits.breakout_breakeven_percent / _HUNDRED
        self._erosion = Decimal(str(exits.bounce_breakeven_erosion))
        self._gap = risk.liquidation_gap_percent / _HUNDRED
        self._leverage = risk.leverage
        self._taker_fee = taker_fee

    def need(self, position: Position, market: Market, at_ms: int, *, exit_working: bool) -> Need | None:
        """What this position needs now; ask after every event that touches it and on every tick.

        `exit_working`: a reduce-only order of ours is under way in the symbol, and not lost as far as we know.
        """
        if not position.is_open:
            return None
        if position.state is PositionState.CLOSING:
            again = self._close_again(position, market, at_ms, exit_working=exit_working)
            return again or self._arm_meanwhile(position, market, at_ms)
        if position.stop_ticks is None:
            return self._arm(position, market, at_ms)
        return self._tighten_again(position, market, at_ms) or self._to_breakeven(position, market, at_ms)

    def close(self, position: Position, market: Market, why: str, leg: str = "x") -> CloseNow:
        """The next try to close; `why` is kept, the way escalates with each try."""
        through, instrument, sign = LADDER[position.close_tries % len(LADDER)], position.instrument, position.sign
        price = market.best_bid if sign > 0 else market.best_ask
        if through is None or price is None:
            return CloseNow(why, leg)
        worst = instrument.price(price) * (1 - sign * through)
        mark = market.mark or position.mark
        if mark is not None:  # a price outside the venue's band would only be refused
            edge = mark * (1 - sign * WITHIN_BAND * instrument.price_limit_ratio)
            worst = max(worst, edge) if sign > 0 else min(worst, edge)
        return CloseNow(why, leg, max(1, instrument.ticks_near(worst)))

    def breakeven(self, position: Position) -> int:
        """Stop ticks at which fees both ways and the funding paid so far are covered."""
        per_coin = position.funding_usdt / position.instrument.qty(abs(position.lots))
        price = breakeven_price(position.sign, position.entry, self._taker_fee, self._taker_fee, per_coin)
        return position.instrument.stop_ticks(price, position.sign)

    def wish_for_breakeven(self, position: Position, market: Market, at_ms: int, who: str) -> SetStop | Refused:
        """A person's wish: refused where the stop would get no better or trigger at once; never a reason to close."""
        stop, tightest, text = self.breakeven(position), position.held_stop_ticks, position.instrument.price_text
        mark = market.mark or position.mark
        if position.state is PositionState.CLOSING:
            return Refused("breakeven", "the position is being closed")
        if tightest is not None and position.sign * (stop - tightest) <= 0:
            return Refused("breakeven", f"it stands at {text(tightest)}, breakeven at {text(stop)} is no better")
        if mark is None:
            return Refused("breakeven", "no mark price is known, a stop might trigger at once")
        if _triggers(position, market, stop):
            return Refused("breakeven", f"breakeven is {text(stop)}, at a mark of {mark:f} it would trigger at once")
        if _asked_lately(position, at_ms):
            return Refused("breakeven", "a stop is being moved already")
        return SetStop(stop, f"breakeven by {who}")

    def first_stop(self, position: Position, market: Market) -> int:
        """The stop an unprotected position gets: the tightest it had or was to have, its plan's, or a default one.

        The default is `ADOPTED_STOP` from the worse of entry and mark, well inside liquidation.
        """
        instrument, sign = position.instrument, position.sign
        known = [ticks for ticks in (position.held_stop_ticks, position.stop_asked_ticks) if ticks is not None]
        if known:  # what was asked for may have stood, although nobody read it back
            return max(known) if sign > 0 else min(known)
        if position.plan is not None:
            return position.plan.stop_ticks
        mark = market.mark or position.mark or position.entry
        worse = min(position.entry, mark) if sign > 0 else max(position.entry, mark)
        wanted = instrument.stop_ticks(worse * (1 - sign * ADOPTED_STOP), sign)
        liquidation = liquidation_ticks(instrument, sign, position.entry_ticks, self._leverage)
        if position.liquidation is not None:
            told = position.liquidation / instrument.tick
            liquidation = max(liquidation, told) if sign > 0 else min(liquidation, told)
        inside = instrument.stop_ticks(instrument.tick * liquidation + sign * self._gap * position.entry, sign)
        return max(wanted, inside) if sign > 0 else min(wanted, inside)

    def _arm(self, position: Position, market: Market, at_ms: int) -> Need | None:
        if position.naked_ms is None:
            return None  # taken over from the journal: the first read-back says whether it has a stop
        age = at_ms - position.naked_ms
        if position.denials:
            return self.close(position, market, "the stop was refused", "k")
        if age >= self._emergency_ms and not position.stop_confirmed:
            return self.close(position, market, f"no stop confirmed after {age} ms", "k")
        stop = self.first_stop(position, market)
        if _triggers(position, market, stop):
            return self.close(position, market, "the price is through the stop already", "k")
        on_its_way = position.plan is not None and not position.told_naked and age < PROOF_GRACE_MS
        if on_its_way or _asked_lately(position, at_ms):
            return None
        return SetStop(stop, "open without a stop")

    def _tighten_again(self, position: Position, market: Market, at_ms: int) -> Need | None:
        """Somebody loosened the stop at the venue: back to the tightest it ever was."""
        stop, tightest = position.stop_ticks, position.held_stop_ticks
        if stop is None or tightest is None or position.sign * (stop - tightest) >= 0:
            return None
        if _triggers(position, market, tightest):
            return self.close(position, market, "the stop was loosened, and the price is through where it was")
        return None if _asked_lately(position, at_ms) else SetStop(tightest, "loosened at the exchange")

    def _close_again(self, position: Position, market: Market, at_ms: int, *, exit_working: bool) -> Need | None:
        wait = CLOSE_STUCK_MS if exit_working and position.stop_ticks is not None else CLOSE_RETRY_MS
        if at_ms - position.close_asked_ms < wait:
            return None
        return self.close(position, market, f"{position.reason}, try {position.close_tries + 1}", "k")

    def _arm_meanwhile(self, position: Position, market: Market, at_ms: int) -> Need | None:
        """A close that does not get through must not leave the position without a stop as well."""
        if position.close_tries < 2 or not position.told_naked or _asked_lately(position, at_ms):
            return None
        stop = self.first_stop(position, market)
        return None if _triggers(position, market, stop) else SetStop(stop, "not closed yet and without a stop")

    def _to_breakeven(self, position: Position, market: Market, at_ms: int) -> Need | None:
        stop, why = self.breakeven(position), self._breakeven_due(position, market)
        tightest = position.held_stop_ticks  # the ratchet's tooth, should the venue's stop have been loosened
        if tightest is None or not why or position.sign * (stop - tightest) <= 0:
            return None
        if _triggers(position, market, stop):
            return self.close(position, market, f"{why}; breakeven would trigger at once")
        return None if _asked_lately(position, at_ms) else SetStop(stop, f"breakeven: {why}")

    def _breakeven_due(self, position: Position, market: Market) -> str:
        plan = position.plan
        if plan is not None and plan.strategy == "bounce":
            wall = leaning_wall(market, plan)
            seen = wall is not None and wall.in_view and eroded_at_least(wall, self._erosion)
            return f"the wall is eroded by {self._erosion:%}" if seen else ""
        price = market.best_bid if position.sign > 0 else market.best_ask
        if price is None:
            return ""
        profit = position.sign * (price - position.entry_ticks)
        return f"{self._breakeven:.2%} ahead" if profit >= self._breakeven * position.entry_ticks else ""


class NakedTime:
    """How long positions were without a stop, on the venue's timeline, and how late we knew of it.

    `unprotected_ms_max`: longest time between two of the venue's own timestamps in which a position
    existed without a stop. `proof_delay_ms_max`: longest time (ours) from the first fill to its proof.
    """

    __slots__ = ("_latest", "_naked_since", "proof_delay_ms_max", "unprotected_ms_max")

    def __init__(self) -> None:
        self.unprotected_ms_max = 0
        self.proof_delay_ms_max = 0
        self._latest: dict[Key, tuple[int, int]] = {}
        self._naked_since: dict[Key, int] = {}

    def on_report(self, report: PositionReport) -> None:
        """Count the time since the report before, when that one had a position without a stop."""
        key, version = (report.symbol, report.position_idx), (report.updated_ms, report.seq)
        if version < self._latest.get(key, (0, -1)):
            return
        self._latest[key] = version
        since = self._naked_since.get(key)
        if since is not None:
            self.unprotected_ms_max = max(self.unprotected_ms_max, report.updated_ms - since)
        if report.lots and report.stop_ticks is None:
            self._naked_since.setdefault(key, report.updated_ms)
        else:
            self._naked_since.pop(key, None)

    def worst_ms(self, venue_ms: int) -> int:
        """`unprotected_ms_max` with what is without a stop right now; `venue_ms` is the venue's time."""
        return max([self.unprotected_ms_max, *(venue_ms - since for since in self._naked_since.values())])

    def on_proof(self, position: Position) -> None:
        """A held position's stop may have been read back; only the first proof after opening counts."""
        if position.is_open and position.first_proof_ms is not None:
            self.proof_delay_ms_max = max(self.proof_delay_ms_max, position.first_proof_ms - position.opened_ms)


def _triggers(position: Position, market: Market, stop_ticks: int) -> bool:
    """Whether a stop here would fire at once: the mark price has reached it."""
    mark = market.mark or position.mark
    return mark is not None and position.sign * (position.instrument.price(stop_ticks) - mark) >= 0


def _asked_lately(position: Position, at_ms: int) -> bool:
    return position.stop_asked_ms > 0 and at_ms - position.stop_asked_ms < STOP_RETRY_MS
