"""Wishes of people that take time: to be flat, or to have nothing under way, until the venue proves it."""

from collections.abc import Mapping

from breakwall.model.events import ReadBack
from breakwall.model.records import ClosedTrade
from breakwall.model.units import Instrument
from breakwall.model.view import FlattenView
from breakwall.trading.order import Order
from breakwall.trading.orders import Orders, is_ours
from breakwall.trading.position import Position
from breakwall.trading.positions import Positions


class Wish:
    """No entries in `symbol` (empty: all), and where it `closes` no positions either.

    `quiet_ms` is since when our own books have nothing left in its scope, `proven_ms` when a read-back that was asked
    after that had shown the same. `cancelled`, `closed` and `alone` (what is not ours) are words for the receipt,
    `doubt` what the last read-back still showed.
    """

    __slots__ = (
        "alone",
        "asked_ms",
        "cancelled",
        "closed",
        "closes",
        "doubt",
        "panic",
        "proven_ms",
        "quiet_ms",
        "symbol",
        "why",
    )

    def __init__(self, symbol: str, why: str, at_ms: int, *, closes: bool = True, panic: bool = False) -> None:
        self.symbol = symbol
        self.why = why
        self.asked_ms = at_ms
        self.closes = closes
        self.panic = panic
        self.cancelled: list[str] = []
        self.closed: list[str] = []
        self.alone: list[str] = []
        self.doubt = ""
        self.quiet_ms: int | None = None
        self.proven_ms: int | None = None

    def covers(self, symbol: str) -> bool:
        return self.symbol in {"", symbol}

    @property
    def scope(self) -> str:
        return self.symbol or "all symbols"

    def on_entry_ended(self, order: Order, instrument: Instrument) -> None:
        """One of our entries has ended while the wish stood."""
        if self.covers(order.symbol):
            filled = f", {instrument.qty_text(order.filled_lots)} of it filled" if order.filled_lots else ""
            state = order.state.value.lower()
            self.cancelled.append(f"{order.client_id} {entry_words(order, instrument)} {state}{filled}")

    def on_closed(self, trade: ClosedTrade, instrument: Instrument) -> None:
        """A position was closed while the wish stood."""
        if self.covers(trade.symbol):
            side = "long" if trade.side.sign > 0 else "short"
            about = " about" if trade.estimated else ""
            price = f"{trade.exit:.{instrument.shown_decimals}f}"
            self.closed.append(
                f"{trade.symbol} {side} {instrument.qty_text(trade.lots)} closed at{about} {price}, "
                f"{trade.net_usdt:+.2f} USDT"
            )

    def left(self, orders: Orders, positions: Positions, instruments: Mapping[str, Instrument]) -> list[str]:
        """What our own books still have in its scope, in words."""
        entries = [entry_words(order, instruments[order.symbol]) for order in orders.open_entries(self.symbol)]
        if not self.closes:
            return entries
        held = [position for position in positions if self.covers(position.symbol)]
        # a position that is being opened is told by its entry, while that is under way
        return entries + [position_words(position) for position in held if position.is_open or not entries]

    def shown(self, read_back: ReadBack, orders: Orders, instruments: Mapping[str, Instrument]) -> list[str]:
        """What the venue still shows in its scope, in words; orders of other people are left alone."""
        found = [
            f"the exchange shows {report.symbol} {instruments[report.symbol].qty_text(report.lots)}"
            for report in read_back.positions
            if self.closes and report.lots and self.covers(report.symbol) and report.symbol in instruments
        ]
        ours = [order for order in self._working(read_back, orders) if is_ours(order.client_id)]
        return found + [f"the exchange works {order.client_id} in {order.symbol}" for order in ours]

    def left_alone(self, read_back: ReadBack, orders: Orders) -> list[str]:
        """What is not ours to cancel or to close, in words."""
        alone = [
            f"order {order.client_id or order.order_id} in {order.symbol}"
            for order in self._working(read_back, orders)
            if not is_ours(order.client_id)
        ]
        return alone + ([f"{symbol}, not followed" for symbol in read_back.strangers] if not self.symbol else [])

    def view(self, remains: tuple[str, ...]) -> FlattenView:
        return FlattenView(
            symbol=self.symbol,
            panic=self.panic,
            asked_ms=self.asked_ms,
            cancelled=tuple(self.cancelled),
            closed=tuple(self.closed),
            remains=remains,
            flat_ms=self.quiet_ms,
            proven_ms=self.proven_ms,
            left_alone=tuple(self.alone),
        )

    def _working(self, read_back: ReadBack, orders: Orders) -> list[Order]:
        """Orders that the venue shows and that may still open something."""
        known = [orders.get(report.client_id) or orders.by_order_id(report.order_id) for report in read_back.orders]
        return [
            order
            for order in known
            if order is not None
            and order.is_open
            and not order.reduce_only
            and not order.stop_kind
            and self.covers(order.symbol)
        ]


def entry_words(order: Order, instrument: Instrument) -> str:
    price = "" if order.limit_ticks is None else f" to {instrument.price_text(order.limit_ticks)}"
    return f"entry {order.symbol} {order.side.value.lower()} {instrument.qty_text(order.lots)}{price}"


def position_words(position: Position) -> str:
    if not position.is_open:
        return f"{position.symbol} being opened"
    side = "long" if position.sign > 0 else "short"
    return f"{position.symbol} {side} {position.instrument.qty_text(abs(position.lots))}"
