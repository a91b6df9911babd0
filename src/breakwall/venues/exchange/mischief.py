"""What the exchange, and other hands on the account, do to our orders and positions."""

import random
from collections.abc import Callable, Mapping
from decimal import Decimal

from breakwall.model.units import Side
from breakwall.venues.exchange.exchange import Exchange
from breakwall.venues.exchange.faults import Fault, FaultKind, Faults
from breakwall.venues.exchange.order import Order, Refusal
from breakwall.venues.exchange.positions import Position
from breakwall.venues.exchange.settlement import deleverage, liquidate

_FAR = Decimal("0.995")
_HAND_USDT = Decimal(300)

Told = Callable[[FaultKind, str], None]
"""told(kind, symbol): something was done that the program did not do."""


class Mischief:
    """Spells strike orders as they are accepted; acts are done as soon as there is something to act upon."""

    def __init__(self, exchange: Exchange, faults: Faults, dice: random.Random, told: Told) -> None:
        self._exchange = exchange
        self._faults = faults
        self._dice = dice
        self._told = told
        self._acts: Mapping[FaultKind, Callable[[str], str]] = {
            FaultKind.STOP_VANISHES: self._vanish_stop,
            FaultKind.CLOSED_BY_HAND: lambda symbol: self._reduce(symbol, 1),
            FaultKind.REDUCED_BY_HAND: lambda symbol: self._reduce(symbol, 2),
            FaultKind.FOREIGN_ORDER: self._rest_far,
            FaultKind.FOREIGN_POSITION: self._open,
            FaultKind.LIQUIDATED: self._liquidate,
            FaultKind.DELEVERAGED: self._deleverage,
        }

    def act(self, fault: Fault) -> bool:
        """Do it, if there is an occasion; False: not yet."""
        symbol = self._acts[fault.kind](fault.symbol)
        if symbol:
            self._told(fault.kind, symbol)
        return bool(symbol)

    def accepted(self, link_id: str, now_s: float) -> None:
        """A create request was accepted; the matching engine has not seen the order yet."""
        order = self._exchange.log.find({"orderLinkId": link_id})
        if order is None or not order.open:
            return
        for kind, strike in (
            (FaultKind.ORDER_REJECTED, self._reject),
            (FaultKind.NO_LIQUIDITY, self._starve),
            (FaultKind.PARTIAL_FILL, self._thin_out),
            (FaultKind.STOP_NOT_ATTACHED, self._forget_stop),
        ):
            purpose = "exit" if order.reduce_only else "entry"
            if self._faults.strike(kind, now_s, subject=f"{order.symbol} {purpose}") is not None:
                strike(order)
                self._told(kind, order.symbol)
                return

    def _reject(self, order: Order) -> None:
        order.end("Rejected", self._exchange.now_ms, reason="EC_PerCancelRequest")
        self._exchange.log.changed(order, self._exchange.now_ms)

    def _starve(self, order: Order) -> None:
        order.end("Cancelled", self._exchange.now_ms, reason="EC_NoImmediateQtyToFill")
        self._exchange.log.changed(order, self._exchange.now_ms)

    def _thin_out(self, order: Order) -> None:
        """Somebody takes what is there up to the order's limit, but for about half of what it wants."""
        if not order.limit_ticks:
            return
        book = self._exchange.listings[order.symbol].book
        there = book.available(order.side, order.limit_ticks, 10**15)
        taken = there - max(1, order.lots // 2)
        if taken > 0:
            book.market("whale", order.side, taken, order.limit_ticks, self._exchange.now_ms)

    def _forget_stop(self, order: Order) -> None:
        order.stop_loss_ticks = 0

    def _held(self, symbol: str) -> Position | None:
        positions = self._exchange.account.positions.values()
        held = [position for position in positions if position.lots and symbol in {"", position.instrument.symbol}]
        return self._dice.choice(held) if held else None

    def _any_listed(self, symbol: str) -> str:
        return symbol if symbol in self._exchange.listings else self._dice.choice(sorted(self._exchange.listings))

    def _vanish_stop(self, symbol: str) -> str:
        position = self._held(symbol)
        if position is None or position.stop is None:
            return ""
        self._exchange.orders.stops.cancelled(position, position.stop, "CancelByUser", self._exchange.now_ms)
        return position.instrument.symbol

    def _reduce(self, symbol: str, divisor: int) -> str:
        position = self._held(symbol)
        lots = 0 if position is None else abs(position.lots) // divisor
        if position is None or not lots:
            return ""
        return self._trade(position.instrument.symbol, position.side.opposite, lots, reduce_only=True)

    def _open(self, symbol: str) -> str:
        symbol = self._any_listed(symbol)
        listing = self._exchange.listings[symbol]
        lots = int(_HAND_USDT / (listing.mark * listing.instrument.lot))
        return self._trade(symbol, self._dice.choice((Side.BUY, Side.SELL)), lots, reduce_only=False)

    def _trade(self, symbol: str, side: Side, lots: int, *, reduce_only: bool) -> str:
        qty = self._exchange.listings[symbol].instrument.qty_text(lots)
        return self._place(
            {"symbol": symbol, "side": side.value, "orderType": "Market", "qty": qty, "reduceOnly": reduce_only}
        )

    def _rest_far(self, symbol: str) -> str:
        symbol = self._any_listed(symbol)
        listing = self._exchange.listings[symbol]
        instrument = listing.instrument
        price = instrument.price_text(instrument.ticks_down(listing.mark * _FAR))
        qty = instrument.qty_text(int(_HAND_USDT / (listing.mark * instrument.lot)))
        limit = {"orderType": "Limit", "price": price, "timeInForce": "GTC", "qty": qty}
        return self._place({"symbol": symbol, "side": Side.BUY.value, **limit})

    def _place(self, body: Mapping[str, object]) -> str:
        try:
            return self._exchange.place_by_hand(body).symbol
        except Refusal:
            return ""

    def _liquidate(self, symbol: str) -> str:
        exchange, position = self._exchange, self._held(symbol)
        if position is None:
            return ""
        listing = exchange.listings[position.instrument.symbol]
        liquidate(listing, exchange.account, exchange.orders, exchange.now_ms)
        return position.instrument.symbol

    def _deleverage(self, symbol: str) -> str:
        exchange, position = self._exchange, self._held(symbol)
        lots = 0 if position is None else abs(position.lots) // 2
        if position is None or not lots:
            return ""
        listing = exchange.listings[position.instrument.symbol]
        deleverage(lots, listing, exchange.account, exchange.orders, exchange.now_ms)
        return position.instrument.symbol
