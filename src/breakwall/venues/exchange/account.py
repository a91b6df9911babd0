"""The trading account: balance, isolated one-way positions, margin, fees.

Amounts are USDT `Decimal`. The maths is `breakwall.model.margin`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from msgspec import Struct

from breakwall.model import margin
from breakwall.model.units import Instrument, Side, side_of
from breakwall.venues.exchange.listing import Listing
from breakwall.venues.exchange.order import ZERO, Order

TAKER_FEE = Decimal("0.00055")
MAKER_FEE = Decimal("0.0002")
START_BALANCE = Decimal(10_000)


@dataclass(slots=True, eq=False)
class Position:
    """One symbol's position: `lots` is signed. `stop` and `take_profit` are its live child orders."""

    instrument: Instrument
    leverage: Decimal = Decimal(10)
    lots: int = 0
    entry: Decimal = ZERO
    stop: Order | None = None
    take_profit: Order | None = None
    open_fees: Decimal = ZERO
    realised: Decimal = ZERO
    realised_ever: Decimal = ZERO
    status: str = "Normal"
    seq: int = -1
    created_ms: int = 0
    opened_ms: int = 0
    updated_ms: int = 0

    @property
    def sign(self) -> int:
        return (self.lots > 0) - (self.lots < 0)

    @property
    def side(self) -> Side:
        """Side of the position; only meaningful while it is not flat."""
        return side_of(self.lots)

    @property
    def qty(self) -> Decimal:
        return self.instrument.qty(abs(self.lots))

    def unrealised(self, mark: Decimal) -> Decimal:
        return margin.gross_pnl(self.sign, self.qty, self.entry, mark) if self.lots else ZERO

    def initial_margin(self, taker: Decimal) -> Decimal:
        if not self.lots:
            return ZERO
        return margin.initial_margin(self.sign, self.qty, self.entry, self.leverage, taker)

    def maintenance_margin(self, mark: Decimal, taker: Decimal) -> Decimal:
        if not self.lots:
            return ZERO
        reserve = margin.close_fee_reserve(self.sign, self.qty, self.entry, self.leverage, taker)
        return self.qty * mark * self.instrument.maintenance_rate + reserve

    @property
    def liquidation(self) -> Decimal | None:
        if not self.lots:
            return None
        return margin.liquidation_price(self.sign, self.entry, self.leverage, self.instrument.maintenance_rate)

    @property
    def bankruptcy(self) -> Decimal:
        return margin.bankruptcy_price(self.sign, self.entry, self.leverage)


class Booked(Struct, frozen=True):
    """What one fill did to the account: `pnl` is gross, `open_fee` the share of the closed lots."""

    fee: Decimal
    rate: Decimal
    closed_lots: int
    pnl: Decimal
    entry: Decimal
    open_fee: Decimal


class Account:
    """Cash and positions. `reprice` is the venue's default of moving far limit prices into the band."""

    __slots__ = ("balance", "maker_fee", "margin_mode", "positions", "realised", "reprice", "taker_fee")

    def __init__(self, listings: Mapping[str, Listing], balance: Decimal = START_BALANCE) -> None:
        self.balance = balance
        self.realised = ZERO
        self.margin_mode = "ISOLATED_MARGIN"
        self.reprice = True
        self.taker_fee = TAKER_FEE
        self.maker_fee = MAKER_FEE
        self.positions = {symbol: Position(listing.instrument) for symbol, listing in listings.items()}

    def book_fill(
        self, position: Position, side: Side, price: Decimal, lots: int, *, maker: bool, now_ms: int, seq: int
    ) -> Booked:
        """Move the position by one fill: close first, open the rest at the fill price."""
        instrument = position.instrument
        rate = self.maker_fee if maker else self.taker_fee
        fee = margin.fee(instrument.qty(lots), price, rate)
        closed = min(lots, abs(position.lots)) if position.lots * side.sign < 0 else 0
        pnl, open_fee, entry = ZERO, ZERO, position.entry
        if closed:
            pnl = margin.gross_pnl(position.sign, instrument.qty(closed), entry, price)
            open_fee = position.open_fees * closed / abs(position.lots)
            position.open_fees -= open_fee
            position.lots += side.sign * closed
        if closed < lots:
            self._open(position, side, price, lots - closed, fee * (lots - closed) / lots, now_ms)
        elif not position.lots:
            position.entry = ZERO
        self.pay(position, fee - pnl)
        position.seq = seq
        position.updated_ms = now_ms
        return Booked(fee, rate, closed, pnl, entry, open_fee)

    def _open(self, position: Position, side: Side, price: Decimal, lots: int, fee: Decimal, now_ms: int) -> None:
        if position.lots:
            position.entry = margin.average_entry(abs(position.lots), position.entry, lots, price)
        else:
            position.entry = price
            position.realised = ZERO
            position.open_fees = ZERO
            position.opened_ms = now_ms
            position.created_ms = position.created_ms or now_ms
        position.lots += side.sign * lots
        position.open_fees += fee

    def pay(self, position: Position, amount: Decimal) -> None:
        """Take `amount` (negative: give) from the balance on behalf of a position."""
        self.balance -= amount
        self.realised -= amount
        position.realised -= amount
        position.realised_ever -= amount

    def position_margin(self) -> Decimal:
        return sum((position.initial_margin(self.taker_fee) for position in self.positions.values()), ZERO)

    def order_margin(self, orders: Iterable[Order]) -> Decimal:
        """What open orders hold; the part of an order that only closes its position holds nothing."""
        free = {symbol: abs(position.lots) for symbol, position in self.positions.items()}
        held = ZERO
        for order in orders:
            if order.reduce_only or order.status == "Untriggered":
                continue
            position = self.positions[order.symbol]
            lots = order.remaining
            if position.lots * order.side.sign < 0:
                closing = min(lots, free[order.symbol])
                free[order.symbol] -= closing
                lots -= closing
            held += self.cost(order, lots)
        return held

    def cost(self, order: Order, lots: int) -> Decimal:
        """What opening `lots` of this order takes from the balance."""
        instrument = order.instrument
        leverage = self.positions[order.symbol].leverage
        price = instrument.price(order.limit_ticks)
        return margin.order_cost(order.side.sign, instrument.qty(lots), price, leverage, self.taker_fee)

    def available(self, orders: Iterable[Order]) -> Decimal:
        """Balance free for new isolated margin."""
        return self.balance - self.position_margin() - self.order_margin(orders)

    def equity(self, listings: Mapping[str, Listing]) -> Decimal:
        unrealised = (position.unrealised(listings[symbol].mark) for symbol, position in self.positions.items())
        return self.balance + sum(unrealised, ZERO)
