"""How many lots: what the distance to the stop allows, cut by every limit, rounded down."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from breakwall.model.actions import Refused, Sized
from breakwall.model.margin import initial_margin, order_cost
from breakwall.model.units import Instrument
from breakwall.settings import RiskSettings
from breakwall.trading.cost import Costs
from breakwall.trading.portfolio import Portfolio, loss_at_stop
from breakwall.trading.signal import Signal

_HUNDRED = Decimal(100)


def size(
    signal: Signal, instrument: Instrument, portfolio: Portfolio, rules: RiskSettings, costs: Costs
) -> Sized | Refused:
    """The largest size no limit forbids, at the worst price the entry may get; Refused names the tightest limit.

    The risk per trade divided by the loss per lot at the stop (fees both ways included), then capped by
    the margins (per position, total), exposure, net exposure, free balance, what the day may still
    lose and the instrument's largest order (of both kinds: one market order must be able to close it).
    The size is never raised to a minimum: below the instrument's or our own the trade is refused.
    Source of the risk formula: R / (|E - SL| + E t + SL t), R the money at risk, t the taker fee.
    """
    if not portfolio.sane:
        return Refused("size", "an amount of the account is no number")
    limit = costs.worst_entry_ticks(instrument, signal.side, signal.entry_ticks)
    caps = _caps(signal, limit, instrument, portfolio, rules, costs)
    tightest = min(caps, key=lambda name: caps[name])
    lots, least = max(0, caps[tightest]), least_lots(instrument, limit, rules.min_order_usdt)
    if lots < least:
        allowed, needed = instrument.qty_text(lots), instrument.qty_text(least)
        return Refused("size", f"{tightest} allows {allowed}, the smallest order is {needed}")
    sign, price, qty = signal.side.sign, instrument.price(limit), instrument.qty(lots)
    return Sized(
        lots=lots,
        notional_usdt=instrument.notional(limit, lots),
        margin_usdt=initial_margin(sign, qty, price, rules.leverage, costs.taker_fee),
        loss_at_stop_usdt=loss_at_stop(instrument, sign * lots, price, signal.stop_ticks, costs.taker_fee),
    )


def least_lots(instrument: Instrument, ticks: int, min_order_usdt: Decimal) -> int:
    """The smallest order: the instrument's minimum size and value, and ours where that is larger."""
    value = max(min_order_usdt, instrument.min_notional_usdt)
    by_value = (value / instrument.notional(ticks, 1)).to_integral_value(ROUND_CEILING)
    return max(instrument.min_lots, int(by_value), 1)


def _caps(
    signal: Signal, limit: int, instrument: Instrument, portfolio: Portfolio, rules: RiskSettings, costs: Costs
) -> dict[str, int]:
    sign, price, lot = signal.side.sign, instrument.price(limit), instrument.lot
    equity, fee = portfolio.equity_usdt, costs.taker_fee
    loss = loss_at_stop(instrument, sign, price, signal.stop_ticks, fee)
    margin = initial_margin(sign, lot, price, rules.leverage, fee)
    cost = order_cost(sign, lot, price, rules.leverage, fee)
    value = instrument.notional(limit, 1)
    total = equity * rules.total_margin_percent / _HUNDRED - portfolio.margin_usdt
    return {
        "risk per trade": _fit(equity * rules.risk_per_trade_percent / _HUNDRED, loss),
        "margin per position": _fit(equity * rules.position_margin_percent / _HUNDRED, margin),
        "total margin": _fit(total, margin),
        "max_order_usdt": _fit(rules.max_order_usdt, value),
        "max_exposure_usdt": _fit(rules.max_exposure_usdt - portfolio.exposure_usdt, value),
        "net_exposure_usdt": _fit(rules.net_exposure_usdt - sign * portfolio.net_usdt, value),
        "free balance": _fit(portfolio.available_usdt, cost),
        "daily loss left": _fit(portfolio.daily_loss_left_usdt - portfolio.loss_at_stops_usdt, loss),
        "largest order": min(instrument.max_lots, instrument.max_market_lots),
    }


def _fit(money: Decimal, per_lot: Decimal) -> int:
    """How many lots fit into `money`; a stop without loss per lot limits nothing and is refused elsewhere."""
    if money <= 0 or per_lot <= 0:
        return 0
    return int((money / per_lot).to_integral_value(ROUND_FLOOR))
