"""The trading account: balance, positions, margin modes, fees.

Amounts are USDT `Decimal`. The maths is `breakwall.model.margin`.
"""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from msgspec import Struct

from breakwall.model import margin
from breakwall.model.units import Side
from breakwall.venues.exchange.listing import Listing
from breakwall.venues.exchange.order import ZERO, Order
from breakwall.venues.exchange.positions import LONG_IDX, SHORT_IDX, Position

TAKER_FEE = Decimal("0.00055")
MAKER_FEE = Decimal("0.0002")
START_BALANCE = Decimal(10_000)
ISOLATED, CROSS, PORTFOLIO = "ISOLATED_MARGIN", "REGULAR_MARGIN", "PORTFOLIO_MARGIN"


class Booked(Struct, frozen=True):
    """What one fill did to the account: `pnl` is gross, `open_fee` the share of the closed lots."""

    fee: Decimal
    rate: Decimal
    closed_lots: int
    pnl: Decimal
    entry: Decimal
    open_fee: Decimal


class Transfer(Struct, frozen=True):
    """Money that came (negative: went) without a trade, and the balance after it."""

    at_ms: int
    amount: Decimal
    balance: Decimal


class Account:
    """Cash and positions.

    `positions` are those of one-way mode, by symbol; `hedging` names the symbols that have a long and a short one
    instead. `reprice` is the venue's default of moving far limit prices into the band.
    """

    __slots__ = (
        "_hedges",
        "_listings",
        "balance",
        "hedging",
        "maker_fee",
        "margin_mode",
        "positions",
        "realised",
        "reprice",
        "taker_fee",
        "tpsl_modes",
        "transfers",
    )

    def __init__(self, listings: Mapping[str, Listing], balance: Decimal = START_BALANCE) -> None:
        self._listings = listings
        self.balance = balance
        self.realised = ZERO
        self.margin_mode = ISOLATED
        self.reprice = True
        self.taker_fee = TAKER_FEE
        self.maker_fee = MAKER_FEE
        self.positions = {symbol: Position(listing.instrument) for symbol, listing in listings.items()}
        self.hedging: set[str] = set()
        self._hedges: dict[str, tuple[Position, Position]] = {}
        self.tpsl_modes: dict[str, str] = {}
        self.transfers: list[Transfer] = []

    @property
    def cross(self) -> bool:
        return self.margin_mode != ISOLATED

    def position(self, symbol: str, idx: int = 0) -> Position:
        """The position an order with this positionIdx works on."""
        return self._hedges[symbol][idx - 1] if idx else self.positions[symbol]

    def of(self, symbol: str) -> tuple[Position, ...]:
        """The positions of a symbol: one, or the long and the short one in hedge mode."""
        return self._hedges[symbol] if symbol in self.hedging else (self.positions[symbol],)

    def all_positions(self) -> Iterator[Position]:
        for symbol in self.positions:
            yield from self.of(symbol)

    def switch(self, symbol: str, *, hedge: bool) -> None:
        """Change a flat symbol's position mode; leverage stays."""
        if not hedge:
            self.hedging.discard(symbol)
            return
        one_way = self.positions[symbol]
        if symbol not in self._hedges:
            long, short = (Position(one_way.instrument, idx) for idx in (LONG_IDX, SHORT_IDX))
            self._hedges[symbol] = long, short
        for position in self._hedges[symbol]:
            position.leverage = one_way.leverage
        self.hedging.add(symbol)

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
            position.extra_margin -= position.extra_margin * closed / abs(position.lots)
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

    def deposit(self, amount: Decimal, now_ms: int) -> None:
        """Put money in (negative: take it out)."""
        self.balance += amount
        self.transfers.append(Transfer(now_ms, amount, self.balance))

    def position_margin(self) -> Decimal:
        return sum((position.initial_margin(self.taker_fee) for position in self.all_positions()), ZERO)

    def maintenance_margin(self) -> Decimal:
        margins = (
            position.maintenance_margin(self._listings[position.instrument.symbol].mark, self.taker_fee)
            for position in self.all_positions()
        )
        return sum(margins, ZERO)

    def order_margin(self, orders: Iterable[Order]) -> Decimal:
        """What open orders hold; the part of an order that only closes its position holds nothing."""
        free: dict[Position, int] = {}
        held = ZERO
        for order in orders:
            if order.reduce_only or order.conditional:
                continue
            position = self.position(order.symbol, order.position_idx)
            lots = order.remaining
            if position.closes(order.side):
                left = free.get(position, abs(position.lots))
                closing = min(lots, left)
                free[position] = left - closing
                lots -= closing
            held += self.cost(order, lots)
        return held

    def cost(self, order: Order, lots: int) -> Decimal:
        """What opening `lots` of this order takes from the balance."""
        instrument = order.instrument
        leverage = self.position(order.symbol, order.position_idx).leverage
        price = instrument.price(order.limit_ticks)
        return margin.order_cost(order.side.sign, instrument.qty(lots), price, leverage, self.taker_fee)

    def available(self, orders: Iterable[Order]) -> Decimal:
        """Free for new margin: of the balance where each position has its own, of the equity in cross margin."""
        funds = self.equity(self._listings) if self.cross else self.balance
        return funds - self.position_margin() - self.order_margin(orders)

    def equity(self, listings: Mapping[str, Listing]) -> Decimal:
        unrealised = (
            position.unrealised(listings[position.instrument.symbol].mark) for position in self.all_positions()
        )
        return self.balance + sum(unrealised, ZERO)

    def liquidation_price(self, position: Position) -> Decimal | None:
        """Where the mark price takes a position over; None while flat or out of reach."""
        if not self.cross:
            return position.liquidation
        return self._cross_liquidation(position) if position.lots else None

    def _cross_liquidation(self, position: Position) -> Decimal | None:
        """The mark price of this contract at which equity is down to the maintenance margin, all others unmoved."""
        mark = self._listings[position.instrument.symbol].mark
        spare = self.equity(self._listings) - self.maintenance_margin()
        rate = position.tier.maintenance
        price = mark - spare / (position.qty * (position.sign - rate))
        return price if price > 0 else None

    def margin_rates(self, orders: Iterable[Order]) -> tuple[int, int]:
        """Initial and maintenance margin of the whole account per 10,000 of its equity."""
        equity = self.equity(self._listings)
        initial = self.position_margin() + self.order_margin(orders)
        return round(initial / equity * 10_000), round(self.maintenance_margin() / equity * 10_000)

    @property
    def bankrupt(self) -> bool:
        """Whether the whole account is to be liquidated, as cross margin does."""
        return self.equity(self._listings) <= self.maintenance_margin()
