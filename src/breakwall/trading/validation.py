"""The ten checks of a signal, each a function with a plain-words reason, and the card that keeps them all."""

from collections.abc import Callable
from decimal import Decimal

from msgspec import Struct

from breakwall.market.walls import Wall
from breakwall.model.actions import Refused, Sized
from breakwall.model.margin import order_cost
from breakwall.model.units import Instrument
from breakwall.settings import Settings
from breakwall.trading.cost import Costs
from breakwall.trading.delivery import ending
from breakwall.trading.liquidation import liquidation_ticks
from breakwall.trading.portfolio import Portfolio
from breakwall.trading.signal import Signal
from breakwall.trading.sizing import size
from breakwall.trading.walls import eroded_at_least, short_id

_HUNDRED = Decimal(100)


class Scene(Struct, frozen=True):
    """Everything the checks look at, at one moment.

    `inactive` is why the symbol is not active as screener and market have it, empty where it is;
    `processed`: this signal's key already led to an order; best prices are ticks; `wall` is the signal's wall as
    the market knows it now, None when it was forgotten.
    """

    at_ms: int
    instrument: Instrument
    enabled: bool
    inactive: str
    processed: bool
    bid_ticks: int | None
    ask_ticks: int | None
    wall: Wall | None
    portfolio: Portfolio
    settings: Settings
    costs: Costs


class Answer(Struct, frozen=True):
    """One check's answer; `reason` is why it failed, `heals` whether time may lift that."""

    check: str
    passed: bool
    reason: str
    heals: bool = False


class Card(Struct, frozen=True):
    """A signal with its ten answers, its size and the loss at the stop with fees."""

    signal: Signal
    answers: tuple[Answer, ...]
    sized: Sized | Refused

    @property
    def passed(self) -> bool:
        return all(answer.passed for answer in self.answers)

    @property
    def failed(self) -> Refused | None:
        """The first check that failed."""
        for answer in self.answers:
            if not answer.passed:
                return Refused(answer.check, answer.reason, answer.heals)
        return None

    @property
    def loss_at_stop_usdt(self) -> Decimal:
        return self.sized.loss_at_stop_usdt if isinstance(self.sized, Sized) else Decimal(0)


def examine(signal: Signal, scene: Scene) -> Card:
    """Ask all ten checks (all of them, also after a failure) and size the trade."""
    sized = size(signal, scene.instrument, scene.portfolio, scene.settings.risk, scene.costs)
    answers = [check(signal, scene) for check in CHECKS]
    return Card(signal, (*answers, balance_enough(signal, scene, sized)), sized)


def symbol_enabled(signal: Signal, scene: Scene) -> Answer:
    return _answer("symbol enabled", scene.enabled, f"{signal.symbol} is not among the symbols to trade")


def symbol_active(signal: Signal, scene: Scene) -> Answer:
    reason = ending(scene.instrument, scene.at_ms) or scene.inactive
    return _answer("symbol active", not reason, f"{signal.symbol}: {reason}", heals=True)


def signal_fresh(signal: Signal, scene: Scene) -> Answer:
    age, limit = scene.at_ms - signal.at_ms, int(scene.settings.entry.max_signal_age_s * 1000)
    return _answer("signal fresh", 0 <= age < limit, f"{age} ms old, at most {limit} ms allowed")


def not_processed(signal: Signal, scene: Scene) -> Answer:
    return _answer("not processed before", not scene.processed, f"wall {short_id(signal.wall_id)} was traded already")


def position_limit(signal: Signal, scene: Scene) -> Answer:
    count, limit = len(scene.portfolio.symbols | {signal.symbol}), scene.settings.risk.max_positions
    return _answer(
        "position limit", count <= limit, f"{count - 1} positions are open, at most {limit} allowed", heals=True
    )


def no_duplicate(signal: Signal, scene: Scene) -> Answer:
    held = signal.symbol in scene.portfolio.symbols
    return _answer("no duplicate position", not held, f"{signal.symbol} is held or being entered already", heals=True)


def stop_sound(signal: Signal, scene: Scene) -> Answer:
    """Farther than max(min_stop_percent, spread + extra ticks), and inside the liquidation price."""
    entry, bid, ask = scene.settings.entry, scene.bid_ticks, scene.ask_ticks
    if bid is None or ask is None:
        return Answer("stop sound", False, "no best prices", heals=True)
    by_spread = ask - bid + entry.min_stop_extra_ticks
    least = max(entry.min_stop_percent * signal.entry_ticks / _HUNDRED, Decimal(by_spread))
    if signal.stop_distance <= least:
        reason = f"stop {signal.stop_distance} ticks away, more than {least:.1f} needed"
        return Answer("stop sound", False, reason, heals=True)
    risk = scene.settings.risk
    worst = scene.costs.worst_entry_ticks(scene.instrument, signal.side, signal.entry_ticks)
    liquidation = liquidation_ticks(scene.instrument, signal.side.sign, worst, risk.leverage)
    gap = signal.side.sign * (signal.stop_ticks - liquidation)
    needed = risk.liquidation_gap_percent * signal.entry_ticks / _HUNDRED
    return _answer("stop sound", gap >= needed, f"stop {gap:.1f} ticks inside liquidation, {needed:.1f} needed")


def near_market(signal: Signal, scene: Scene) -> Answer:
    best = scene.ask_ticks if signal.side.sign > 0 else scene.bid_ticks
    if best is None:
        return Answer("entry near the market", False, "no best prices", heals=True)
    allowed = scene.settings.entry.max_distance_percent * best / _HUNDRED
    away = abs(signal.entry_ticks - best)
    reason = f"{away} ticks away, at most {allowed:.1f} allowed"
    return _answer("entry near the market", away <= allowed, reason, heals=True)


def wall_there(signal: Signal, scene: Scene) -> Answer:
    """Bounce: in view and hardly eroded. Breakout: may be gone if eaten, never if pulled or out of view."""
    wall, name = scene.wall, "wall still there"
    if wall is None:
        return Answer(name, False, f"wall {short_id(signal.wall_id)} is no longer known")
    if signal.strategy == "breakout" and wall.end == "eaten":
        return Answer(name, True, "eaten")
    if wall.end:
        return Answer(name, False, f"wall {short_id(signal.wall_id)} ended: {wall.end}")
    if not wall.in_view:
        return Answer(name, False, f"wall {short_id(signal.wall_id)} is out of view")
    if signal.strategy == "breakout":
        return Answer(name, True, "in view")
    intact = not eroded_at_least(wall, Decimal(str(scene.settings.bounce.max_eroded)))
    return _answer(name, intact, f"{wall.lots} of {wall.peak_lots} lots are left")


def balance_enough(signal: Signal, scene: Scene, sized: Sized | Refused) -> Answer:
    name, portfolio, rules = "balance enough", scene.portfolio, scene.settings.risk
    if portfolio.sane and portfolio.equity_usdt < rules.min_balance_usdt:
        reason = f"equity {portfolio.equity_usdt} USDT, at least {rules.min_balance_usdt} needed"
        return Answer(name, False, reason, heals=True)
    if isinstance(sized, Refused):
        return Answer(name, False, sized.reason, heals=True)
    limit = scene.costs.worst_entry_ticks(scene.instrument, signal.side, signal.entry_ticks)
    instrument, fee = scene.instrument, scene.costs.taker_fee
    qty, price = instrument.qty(sized.lots), instrument.price(limit)
    cost = order_cost(signal.side.sign, qty, price, rules.leverage, fee)
    reason = f"costs {cost:.2f} of {portfolio.available_usdt:.2f} USDT free"
    return _answer(name, cost <= portfolio.available_usdt, reason, heals=True)


def _answer(check: str, passed: bool, reason: str, *, heals: bool = False) -> Answer:
    return Answer(check, passed, "") if passed else Answer(check, False, reason, heals)


CHECKS: tuple[Callable[[Signal, Scene], Answer], ...] = (
    symbol_enabled,
    symbol_active,
    signal_fresh,
    not_processed,
    position_limit,
    no_duplicate,
    stop_sound,
    near_market,
    wall_there,
)
"""The first nine; the tenth, `balance_enough`, needs the size as well."""
