"""The trading book of record: orders, positions, breaker and wallet, moved by one stream of private facts.

The core feeds it live, `reconcile.restore` feeds it the journal: the same facts give the same book.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from breakwall.model.actions import CancelOrder, MoveStop, PlaceOrder
from breakwall.model.events import (
    Command,
    Event,
    Fill,
    Fills,
    IntentSent,
    IntentStored,
    OrderAnswer,
    OrderReports,
    Outcome,
    PositionReports,
    ReadBack,
    Wallet,
    WalletReport,
)
from breakwall.model.units import Instrument
from breakwall.settings import Settings
from breakwall.trading.breaker import Breaker, Trip
from breakwall.trading.order import OrderChange
from breakwall.trading.orders import Orders
from breakwall.trading.origin import Origin
from breakwall.trading.position import PositionState
from breakwall.trading.position_change import PositionChange
from breakwall.trading.positions import REST_LAG_MS, Positions
from breakwall.trading.protection import NakedTime

ZERO = Decimal(0)
Change = OrderChange | PositionChange | Trip
"""Each has a `note` for the journal."""


class Blotter:
    """Everything we know of our own trading. `instruments` is the table of current instruments, shared with the core.

    `apply` takes a private event, `decided` an approved intent, `on_tick` the time and the mark prices;
    each answers with what changed. It decides nothing.
    """

    __slots__ = ("breaker", "instruments", "naked", "orders", "positions", "wallet")

    def __init__(self, settings: Settings, instruments: dict[str, Instrument]) -> None:
        self.instruments = instruments
        self.orders = Orders(settings.engine)
        self.positions = Positions(instruments, ignore=settings.recovery.foreign == "ignore")
        self.breaker = Breaker(settings.breaker, settings.risk)
        self.naked = NakedTime()
        self.wallet: Wallet | None = None

    @property
    def open_pnl_usdt(self) -> Decimal:
        """Result of the held positions at their mark prices, before fees."""
        return sum((held.pnl_usdt for held in self.positions.held()), ZERO)

    @property
    def open_result_usdt(self) -> Decimal:
        """What the held positions would have made if they were closed at their marks, but for the closing fee."""
        booked = (held.gross_usdt - held.fees_usdt - held.funding_usdt for held in self.positions.held())
        return self.open_pnl_usdt + sum(booked, ZERO)

    @property
    def equity_usdt(self) -> Decimal:
        """By our own marks: the venue does not push a wallet when only prices move."""
        return ZERO if self.wallet is None else self.wallet.balance_usdt + self.open_pnl_usdt

    def adopt(self, instrument: Instrument) -> bool:
        """Take a symbol's rules, its position too; it is converted exactly when tick or lot changed (True)."""
        old = self.instruments.get(instrument.symbol)
        self.instruments[instrument.symbol] = instrument
        changed = old is not None and (old.tick, old.lot) != (instrument.tick, instrument.lot)
        if changed:
            self.positions.convert(instrument)
        position = self.positions.get(instrument.symbol)
        if position is not None:
            position.instrument = instrument
        return changed

    def decided(self, intent: PlaceOrder | CancelOrder | MoveStop, origin: Origin) -> list[Change]:
        """An approved intent is in flight from now on: call it for each, in the event that decided it."""
        if isinstance(intent, CancelOrder):
            change = self.orders.cancel(intent, origin)
            return [change] if change is not None else []
        position = self.positions.get(intent.symbol)
        if isinstance(intent, MoveStop):
            if position is not None:
                position.asked_stop(intent.stop_ticks, origin.at_ms)
            return []
        self.orders.place(intent)
        if not intent.reduce_only:
            if position is None or not position.is_open:
                self.positions.opening(intent, origin)
        elif position is not None and position.is_open:
            position.asked_out(intent.why, origin)
        return list(self.breaker.on_order(intent, origin.at_ms))

    def apply(self, event: Event, origin: Origin) -> list[Change]:
        """Take a private event; every other kind of event means nothing here."""
        match event:
            case OrderReports():
                return self._orders([self.orders.on_report(report, origin) for report in event.reports], origin)
            case Fills():
                return [change for fill in event.fills for change in self._fill(fill, origin)]
            case PositionReports():
                return self._reports(event, origin)
            case Outcome():
                self.positions.on_stop_outcome(event)
                return self._orders([self.orders.on_outcome(event, origin)], origin) + self._answer(event, origin)
            case OrderAnswer():
                return self._orders([self.orders.on_answer(event, origin)], origin)
            case IntentSent():
                return self._orders([self.orders.on_sent(event.client_id, origin)], origin)
            case IntentStored():
                self.orders.on_stored(event.client_id)
            case WalletReport():
                return self._money(event.wallet, origin)
            case ReadBack():
                return self._read_back(event, origin)
            case Command():
                return self._said(event, origin)
        return []

    def on_tick(self, marks: Mapping[str, Decimal | None], origin: Origin) -> list[Change]:
        """Let time pass: mark prices, disagreements with the venue, the breaker's clocks."""
        for position in self.positions:
            position.mark = marks.get(position.symbol) or position.mark
        self.breaker.on_time(origin.at_ms)
        changes = self._positions(self.positions.on_time(origin), origin)
        return changes + self._equity(origin)

    def _said(self, command: Command, origin: Origin) -> list[Change]:
        said = command.kind, command.who, command.why, origin.at_ms, command.symbol, command.name
        return list(self.breaker.on_command(*said))

    def _answer(self, outcome: Outcome, origin: Origin) -> list[Change]:
        """What it refuses and how long it took counts for the breaker; what never left took nothing."""
        refused: list[Change] = [*self.breaker.on_outcome(outcome, origin.at_ms)]
        if outcome.round_trip_ms <= 0:
            return refused
        return refused + list(self.breaker.on_answer(round(outcome.round_trip_ms), outcome.client_id, origin.at_ms))

    def _fill(self, fill: Fill, origin: Origin) -> list[Change]:
        known = self._orders([self.orders.on_fill(fill, origin)], origin)
        moved = self.positions.on_fill(fill, self.orders.intent(fill.client_id), origin)
        return known + self._positions(moved, origin)

    def _reports(self, event: PositionReports, origin: Origin) -> list[Change]:
        changes: list[Change] = []
        for report in event.reports:
            self.naked.on_report(report)
            changes += self._positions(self.positions.on_report(report, origin), origin)
        self._proofs()
        return changes

    def _read_back(self, event: ReadBack, origin: Origin) -> list[Change]:
        changes = self._orders([self.orders.on_report(report, origin) for report in event.orders], origin)
        changes += self._orders([self.orders.on_fill(fill, origin) for fill in event.fills], origin)
        for report in event.positions:
            self.naked.on_report(report)
        changes += self._positions(self.positions.on_read_back(event, self.orders.intents, origin), origin)
        changes += self._never_were(event, origin)
        self._proofs()
        return changes + self._money(event.wallet, origin)

    def _never_were(self, read_back: ReadBack, origin: Origin) -> list[Change]:
        """OPENING positions whose entry ended before the account was asked, and of which it shows nothing."""
        found: list[Change] = []
        for position in self.positions:
            order = self.orders.get(position.entry_id)
            over = order is None or (not order.is_open and order.since_ms + REST_LAG_MS < read_back.asked_ms)
            if position.state is PositionState.OPENING and over:
                ended = self.positions.entry_ended(position.entry_id, position.symbol, 0, origin)
                found += [ended] if ended is not None else []
        return found

    def _orders(self, changes: Iterable[OrderChange | None], origin: Origin) -> list[Change]:
        """What matters of these; entries that ended without a fill leave no position behind."""
        found: list[Change] = []
        for change in changes:
            if change is None or not change.matters:
                continue
            found.append(change)
            order = change.order
            if change.ended and order.is_entry:
                ended = self.positions.entry_ended(order.client_id, order.symbol, order.filled_lots, origin)
                found += [ended] if ended is not None else []
        return found

    def _positions(self, changes: list[PositionChange], origin: Origin) -> list[Change]:
        found: list[Change] = []
        for change in changes:
            found.append(change)
            if change.kind in {"opened", "adopted"}:
                found += self.breaker.on_entry(origin.at_ms)
            if change.closed is not None:
                found += self.breaker.on_closed(change.closed, self.open_result_usdt)
        return found

    def _proofs(self) -> None:
        for position in self.positions.held():
            if position.state is not PositionState.OPENING:
                self.naked.on_proof(position)

    def _money(self, wallet: Wallet, origin: Origin) -> list[Change]:
        self.wallet = wallet
        return self._equity(origin)

    def _equity(self, origin: Origin) -> list[Change]:
        if self.wallet is None:
            return []
        return list(self.breaker.on_equity(self.equity_usdt, self.open_result_usdt, origin.at_ms))
