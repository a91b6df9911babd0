"""The last gate. Only this module makes `Approved[...]`, and the executor takes nothing else."""

from decimal import Decimal

from msgspec import Struct

from breakwall.model.actions import (
    Approved,
    CancelOrder,
    MoveStop,
    OrderKind,
    PlaceOrder,
    Refused,
    Sized,
    TimeInForce,
)
from breakwall.model.units import Instrument, Side, side_of
from breakwall.settings import Settings
from breakwall.trading.breaker import TradingState, Trip
from breakwall.trading.cost import Costs
from breakwall.trading.liquidation import liquidation_ticks
from breakwall.trading.order import Order
from breakwall.trading.origin import Origin
from breakwall.trading.portfolio import Portfolio
from breakwall.trading.position import Position
from breakwall.trading.signal import Signal
from breakwall.trading.validation import Card

_HUNDRED = Decimal(100)
FUNDING_QUIET_MS = 60_000
"""No entry this close before a funding time at which the position would pay."""


class Gate(Struct, frozen=True):
    """What the last gate looks at, at the moment of the decision.

    `why` says what holds the account back, `held` what holds this symbol or strategy back (None: nothing does).
    `unresolved`: an order of this symbol is UNKNOWN; `rest_ms`: the symbol's cooldown that is left;
    `journal_ok`: intents can be made durable. `mark` None: no mark price is known, which refuses. `funding_rate` is
    a fraction, None: not known.
    """

    instrument: Instrument
    settings: Settings
    costs: Costs
    portfolio: Portfolio
    state: TradingState
    armed: bool
    blind: bool
    journal_ok: bool
    unresolved: bool
    rest_ms: int
    bid_ticks: int
    ask_ticks: int
    mark: Decimal | None = None
    funding_rate: Decimal | None = None
    next_funding_ms: int | None = None
    why: str = ""
    held: Trip | None = None


def approve_entry(card: Card, gate: Gate, origin: Origin) -> Approved[PlaceOrder] | Refused:
    """An entry with its stop and plan: an immediate-or-cancel limit at the worst acceptable price.

    Refused by the first rule that forbids it, in plain words.
    """
    failed = card.failed
    if failed is not None:
        return failed
    sized = card.sized
    if isinstance(sized, Refused):
        return sized
    signal = card.signal
    refused = (
        _allowed(gate)
        or _numbers(sized, gate)
        or _symbol_free(signal, gate)
        or _collar(signal, gate)
        or _pays(signal, gate)
        or _within_limits(signal, sized, gate)
        or _funding(signal, gate, origin.at_ms)
        or _stop_reachable(signal, gate)
    )
    if refused is not None:
        return refused
    intent = PlaceOrder(
        client_id=origin.client_id("e"),
        trace=origin.trace,
        symbol=signal.symbol,
        decided_ms=origin.at_ms,
        why=f"{signal.strategy}: {signal.reasons[0]}" if signal.reasons else signal.strategy,
        side=signal.side,
        kind=OrderKind.LIMIT,
        lots=sized.lots,
        tif=TimeInForce.IOC,
        limit_ticks=gate.costs.worst_entry_ticks(gate.instrument, signal.side, signal.entry_ticks),
        stop_ticks=signal.stop_ticks,
        plan=signal.plan(),
    )
    return Approved(intent=intent, reducing=False)


def approve_exit(
    position: Position, origin: Origin, why: str, leg: str = "x", limit_ticks: int | None = None
) -> Approved[PlaceOrder] | Refused:
    """A reduce-only close of the whole position, in every trading state: market, or an immediate limit.

    A position larger than the largest order is closed in parts: ask again until it is flat.
    """
    if not position.is_open:
        return Refused("exit", f"{position.symbol} is flat already")
    largest = position.instrument.max_market_lots if limit_ticks is None else position.instrument.max_lots
    intent = PlaceOrder(
        client_id=origin.client_id(leg),
        trace=origin.trace,
        symbol=position.symbol,
        decided_ms=origin.at_ms,
        why=why,
        side=side_of(-position.lots),
        kind=OrderKind.MARKET if limit_ticks is None else OrderKind.LIMIT,
        lots=min(abs(position.lots), largest),
        tif=TimeInForce.IOC,
        limit_ticks=limit_ticks,
        reduce_only=True,
    )
    return Approved(intent=intent, reducing=True)


def approve_cancel(
    order: Order, origin: Origin, why: str, *, orphan: bool = False
) -> Approved[CancelOrder] | Refused:
    """A cancel, in every trading state; of a protective stop only where it is an `orphan` and protects nothing."""
    if not order.is_open:
        return Refused("cancel", f"order {order.client_id} is {order.state.value} already")
    if order.stop_kind and not orphan:
        return Refused("cancel", f"order {order.order_id} is the position's {order.stop_kind}")
    intent = CancelOrder(
        client_id=origin.client_id("c"),
        trace=origin.trace,
        symbol=order.symbol,
        decided_ms=origin.at_ms,
        why=why,
        target=order.client_id,
        order_id=order.order_id,
    )
    return Approved(intent=intent, reducing=True)


def approve_stop(position: Position, stop_ticks: int, origin: Origin, why: str) -> Approved[MoveStop] | Refused:
    """A stop for the whole position, in every trading state. The ratchet: a proven one is never loosened."""
    if not position.is_open:
        return Refused("stop", f"{position.symbol} is flat")
    if stop_ticks <= 0:
        return Refused("stop", f"{position.symbol}: expected a stop above zero, found {stop_ticks} ticks")
    held = position.held_stop_ticks
    if stop_ticks == position.stop_ticks:
        return Refused("ratchet", f"{position.symbol}: stop {stop_ticks} ticks stands already")
    if held is not None and position.sign * (stop_ticks - held) < 0:
        return Refused("ratchet", f"{position.symbol}: stop was {held} ticks, {stop_ticks} would loosen it")
    intent = MoveStop(
        client_id=origin.client_id("s"),
        trace=origin.trace,
        symbol=position.symbol,
        decided_ms=origin.at_ms,
        why=why,
        stop_ticks=stop_ticks,
        take_profit_ticks=position.take_profit_ticks,
    )
    return Approved(intent=intent, reducing=True)


# the entry's rules: each None (fine) or why not


def _allowed(gate: Gate) -> Refused | None:
    if gate.held is not None:
        return Refused(gate.held.rule, gate.held.text, heals=True)
    if gate.state is not TradingState.ACTIVE:
        why = f": {gate.why}" if gate.why else ""
        return Refused("trading state", f"trading is {gate.state.value}{why}", heals=True)
    if not gate.armed:
        return Refused("armed", "SAFE: arm first", heals=True)
    if gate.blind:
        return Refused("blind", "a link is down or the account is being read back", heals=True)
    if not gate.journal_ok:
        return Refused("journal", "intents cannot be made durable", heals=True)
    return None


def _symbol_free(signal: Signal, gate: Gate) -> Refused | None:
    symbol = signal.symbol
    if gate.unresolved:
        return Refused("unknown order", f"an order in {symbol} is UNKNOWN: nothing new until it is known", heals=True)
    if gate.rest_ms > 0:
        return Refused("cooldown", f"{symbol} rests for another {gate.rest_ms} ms", heals=True)
    return None


def _numbers(sized: Sized, gate: Gate) -> Refused | None:
    """What is no number lets through whatever it is compared with."""
    order = (sized.notional_usdt, sized.margin_usdt, sized.loss_at_stop_usdt, gate.mark or Decimal(0))
    if gate.portfolio.sane and all(amount.is_finite() for amount in order):
        return None
    return Refused("numbers", "an amount of the account, the order or the mark price is no number", heals=True)


def _collar(signal: Signal, gate: Gate) -> Refused | None:
    """The worst price an order may get lies near the mark price, or it is nobody's honest wish."""
    if gate.mark is None or gate.mark <= 0:
        return Refused("price collar", f"no mark price of {signal.symbol} is known", heals=True)
    worst = gate.instrument.price(gate.costs.worst_entry_ticks(gate.instrument, signal.side, signal.entry_ticks))
    away, most = abs(worst - gate.mark) / gate.mark * _HUNDRED, gate.settings.risk.price_collar_percent
    if away <= most:
        return None
    reason = f"{worst} is {away:.2f} % from the mark price {gate.mark}, at most {most} % allowed"
    return Refused("price collar", reason, heals=True)


def _pays(signal: Signal, gate: Gate) -> Refused | None:
    spread = gate.ask_ticks - gate.bid_ticks
    if gate.costs.pays(signal.side, signal.entry_ticks, signal.target_ticks, spread):
        return None
    least = gate.costs.least_reward_ticks(signal.entry_ticks, signal.target_ticks, spread)
    return Refused("cost gate", f"target {signal.target_distance} ticks away, the costs ask for {least}", heals=True)


def _within_limits(signal: Signal, sized: Sized, gate: Gate) -> Refused | None:
    book, rules, sign = gate.portfolio, gate.settings.risk, signal.side.sign
    equity = book.equity_usdt / _HUNDRED
    limits = (
        ("positions", Decimal(len(book.symbols | {signal.symbol})), Decimal(rules.max_positions)),
        ("max_order_usdt", sized.notional_usdt, rules.max_order_usdt),
        ("margin per position", sized.margin_usdt, rules.position_margin_percent * equity),
        ("total margin", book.margin_usdt + sized.margin_usdt, rules.total_margin_percent * equity),
        ("max_exposure_usdt", book.exposure_usdt + sized.notional_usdt, rules.max_exposure_usdt),
        ("net_exposure_usdt", sign * book.net_usdt + sized.notional_usdt, rules.net_exposure_usdt),
        ("daily loss left", book.loss_at_stops_usdt + sized.loss_at_stop_usdt, book.daily_loss_left_usdt),
    )
    for name, wanted, limit in limits:
        if wanted > limit:
            return Refused(name, f"would be {wanted:.2f}, at most {limit:.2f} allowed", heals=True)
    return None


def _funding(signal: Signal, gate: Gate, at_ms: int) -> Refused | None:
    if gate.funding_rate is None or gate.next_funding_ms is None:
        return None
    left, pays = gate.next_funding_ms - at_ms, signal.side.sign * gate.funding_rate > 0
    if pays and 0 <= left < FUNDING_QUIET_MS:
        return Refused("funding", f"funding of {gate.funding_rate} is due in {left // 1000} s", heals=True)
    return None


def _stop_reachable(signal: Signal, gate: Gate) -> Refused | None:
    """The stop lies on the losing side of every price we may get, and well inside the liquidation price."""
    rules = gate.settings.risk
    sign, best = signal.side.sign, gate.bid_ticks if signal.side is Side.BUY else gate.ask_ticks
    if sign * (best - signal.stop_ticks) <= 0:
        return Refused("stop", f"price {best} is at or behind the stop {signal.stop_ticks} already")
    worst = gate.costs.worst_entry_ticks(gate.instrument, signal.side, signal.entry_ticks)
    liquidation = liquidation_ticks(gate.instrument, sign, worst, rules.leverage)
    if sign * (signal.stop_ticks - liquidation) < rules.liquidation_gap_percent * worst / _HUNDRED:
        return Refused(
            "liquidation", f"stop {signal.stop_ticks} is too near to liquidation at {liquidation:.0f} ticks"
        )
    return None
