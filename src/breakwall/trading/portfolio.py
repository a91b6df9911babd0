"""What is at risk now, counted with the worst case: everything in flight fills, every stop is hit."""

from collections.abc import Iterable
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from breakwall.model.events import Wallet
from breakwall.model.margin import initial_margin, order_cost
from breakwall.model.units import Instrument
from breakwall.trading.order import Order
from breakwall.trading.position import Position

ZERO = Decimal(0)


class Holding(Struct, frozen=True):
    """One position or entry in flight. `notional_usdt` is signed (+ long), the others are not."""

    symbol: str
    notional_usdt: Decimal
    margin_usdt: Decimal
    loss_at_stop_usdt: Decimal


class Portfolio(Struct, frozen=True):
    """The account as the limits see it. `available_usdt` is free of what is in flight as well;
    `daily_loss_left_usdt` is what the risk day may still lose.
    """

    equity_usdt: Decimal
    available_usdt: Decimal
    daily_loss_left_usdt: Decimal
    holdings: tuple[Holding, ...] = ()

    @property
    def sane(self) -> bool:
        """Whether all of it are numbers: every comparison with anything else would be false, or an error."""
        amounts = [self.equity_usdt, self.available_usdt, self.daily_loss_left_usdt]
        for held in self.holdings:
            amounts += [held.notional_usdt, held.margin_usdt, held.loss_at_stop_usdt]
        return all(amount.is_finite() for amount in amounts)

    @property
    def symbols(self) -> frozenset[str]:
        return frozenset(holding.symbol for holding in self.holdings)

    @property
    def margin_usdt(self) -> Decimal:
        return sum((holding.margin_usdt for holding in self.holdings), ZERO)

    @property
    def exposure_usdt(self) -> Decimal:
        return sum((abs(holding.notional_usdt) for holding in self.holdings), ZERO)

    @property
    def net_usdt(self) -> Decimal:
        return sum((holding.notional_usdt for holding in self.holdings), ZERO)

    @property
    def loss_at_stops_usdt(self) -> Decimal:
        return sum((holding.loss_at_stop_usdt for holding in self.holdings), ZERO)


def loss_at_stop(instrument: Instrument, lots: int, entry: Decimal, stop_ticks: int, taker_fee: Decimal) -> Decimal:
    """USDT lost when `lots` (signed) bought at `entry` leave at the stop, fees both ways; never below zero."""
    stop, qty = instrument.price(stop_ticks), instrument.qty(abs(lots))
    sign = 1 if lots > 0 else -1
    return max(ZERO, qty * (sign * (entry - stop) + taker_fee * (entry + stop)))


def holding(
    instrument: Instrument, lots: int, entry: Decimal, stop_ticks: int | None, leverage: Decimal, taker_fee: Decimal
) -> Holding:
    """What `lots` (signed) at `entry` put at risk; without a stop that is the whole isolated margin."""
    qty = instrument.qty(abs(lots))
    margin = initial_margin(1 if lots > 0 else -1, qty, entry, leverage, taker_fee)
    loss = margin if stop_ticks is None else loss_at_stop(instrument, lots, entry, stop_ticks, taker_fee)
    return Holding(instrument.symbol, instrument.qty(lots) * entry, margin, loss)


def portfolio(
    wallet: Wallet,
    positions: Iterable[Position],
    entries: Iterable[tuple[Order, Instrument]],
    leverage: Decimal,
    taker_fee: Decimal,
    daily_loss_left_usdt: Decimal,
) -> Portfolio:
    """The portfolio of held positions and of the open entries' lots that are not booked on one yet.

    An entry that has ended, but whose fills were not booked yet, counts in full. What is held is worth
    its entry price or its mark price, whichever is more.
    Free balance is what the wallet says less the cost of the entries in flight (the wallet may not
    know them yet: better counted twice than not at all).
    """
    holdings, working, reserved = [], set(), ZERO
    for order, instrument in entries:
        if order.limit_ticks is None or not order.unbooked_lots or order.intent is None:
            continue
        working.add(order.symbol)
        price, sign = instrument.price(order.limit_ticks), order.side.sign
        lots = sign * order.unbooked_lots
        holdings.append(holding(instrument, lots, price, order.intent.stop_ticks, leverage, taker_fee))
        reserved += order_cost(sign, instrument.qty(order.unbooked_lots), price, leverage, taker_fee)
    for held in positions:
        intent = held.intent
        if held.is_open:
            now = holding(held.instrument, held.lots, held.entry, held.stop_ticks, leverage, taker_fee)
            dearer = max(held.entry, held.mark or held.entry)
            holdings.append(replace(now, notional_usdt=held.instrument.qty(held.lots) * dearer))
        elif intent is not None and intent.limit_ticks is not None and held.symbol not in working:
            lots, price = intent.side.sign * intent.lots, held.instrument.price(intent.limit_ticks)
            holdings.append(holding(held.instrument, lots, price, intent.stop_ticks, leverage, taker_fee))
    available = max(ZERO, wallet.available_usdt - reserved)
    return Portfolio(wallet.equity_usdt, available, daily_loss_left_usdt, tuple(holdings))
