"""Starting is recovering: the book again from the journal, and what still differs from the exchange."""

from collections.abc import Iterable, Mapping
from enum import Enum

import msgspec
from msgspec import Struct

from breakwall.config import Settings
from breakwall.model.actions import CancelOrder, MoveStop, Note, PlaceOrder
from breakwall.model.events import Command, CommandKind, Event, Instruments, ReadBack
from breakwall.model.journal import EntryKind, JournalEntry
from breakwall.model.units import Instrument
from breakwall.trading.blotter import Blotter
from breakwall.trading.breaker import Tier, Trip
from breakwall.trading.order import CLOSED, Order
from breakwall.trading.orders import is_ours
from breakwall.trading.origin import Origin
from breakwall.trading.position import ClosedTrade
from breakwall.trading.positions import PositionChange

RESTING_MS = 2_000
"""Our orders are immediate: one that still works after this long is cancelled."""

_EVENTS: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)
_INTENTS: msgspec.json.Decoder[PlaceOrder | CancelOrder | MoveStop] = msgspec.json.Decoder(
    PlaceOrder | CancelOrder | MoveStop
)
_NOTES = msgspec.json.Decoder(Note)
_TRADES = msgspec.json.Decoder(ClosedTrade)


class Restored(Struct, frozen=True):
    """The book as the journal knows it.

    `closed` are the finished trades, `unread` the entries that could not be understood (an alarm), `wishes`
    the commands to flatten or panic that were not proven yet; `armed` False: a person said SAFE.
    """

    blotter: Blotter
    closed: tuple[ClosedTrade, ...]
    unread: tuple[str, ...]
    wishes: tuple[Command, ...] = ()
    armed: bool = True


class Act(Enum):
    """What a difference asks for: cancel the order, protect the position (`Protection.need` says how), or know."""

    CANCEL = "cancel"
    PROTECT = "protect"
    KNOW = "know"


class Difference(Struct, frozen=True):
    """Something the exchange has and we did not expect, or lacks and we need.

    `order` is the order to cancel, where there is one. Acting on each difference once ends them.
    """

    kind: str
    act: Act
    symbol: str
    text: str
    order: Order | None = None

    @property
    def note(self) -> Note:
        level = "info" if self.act is Act.KNOW else "warning"
        return Note(kind="difference", text=self.text, level=level, symbol=self.symbol, durable=True)


def restore(
    entries: Iterable[JournalEntry], instruments: Mapping[str, Instrument], settings: Settings, origin: Origin
) -> Restored:
    """The book from the journal's facts, in the order they were written.

    Prices and sizes are read in the units that were in force when they were written, and converted at the end
    to those of `instruments`. What was in flight is UNKNOWN, stops are unproven until the exchange has been
    read; plans come back with the intents. Of symbols that are no longer followed only the results count.
    An entry that cannot be understood is told, never fatal: the exchange is asked anyway.
    """
    blotter = Blotter(settings, dict(instruments))
    closed: list[ClosedTrade] = []
    unread: list[str] = []
    wishes = _Wishes()
    for entry in entries:
        try:
            if entry.symbol and entry.symbol not in instruments:
                closed += _replay_stranger(blotter, entry)
            else:
                closed += _replay(blotter, entry, wishes)
        except Exception as error:
            unread.append(f"journal entry {entry.run}/{entry.seq} ({entry.kind.value}): {error!r}")
    for instrument in instruments.values():
        blotter.adopt(instrument)
    blotter.breaker.on_time(origin.at_ms)
    blotter.orders.restart(origin)
    blotter.positions.restarted()
    return Restored(blotter, tuple(closed), tuple(unread), tuple(wishes.flat.values()), wishes.armed)


def unfinished(entries: Iterable[JournalEntry]) -> list[str]:
    """Symbols that were traded and, as far as the journal tells, may still be held."""
    symbols: dict[str, None] = {}
    for entry in entries:
        if entry.kind is EntryKind.INTENT:
            symbols[entry.symbol] = None
        elif entry.kind is EntryKind.NOTE and _NOTES.decode(entry.body).kind == "closed-trade":
            symbols.pop(entry.symbol, None)
    return list(symbols)


def differences(blotter: Blotter, read_back: ReadBack) -> list[Difference]:
    """What still differs after `blotter.apply(read_back)`; calling it twice says the same."""
    found = [_of_order(order, read_back) for order in _working(blotter, read_back)]
    found += [
        Difference("no-stop", Act.PROTECT, held.symbol, "the position has no stop at the exchange")
        for held in blotter.positions.held()
        if held.stop_ticks is None
    ]
    found += [
        Difference("no-plan", Act.KNOW, held.symbol, "a position without a plan; managed by its stop")
        for held in blotter.positions.held()
        if held.plan is None and read_back.purpose == "start"
    ]
    return [difference for difference in found if difference is not None]


def _working(blotter: Blotter, read_back: ReadBack) -> list[Order]:
    orders = []
    for report in read_back.orders:
        order = blotter.orders.get(report.client_id) if report.client_id else None
        order = order or blotter.orders.by_order_id(report.order_id)
        if order is not None and order.state not in CLOSED and not order.stop_kind:
            orders.append(order)
    return orders


def _of_order(order: Order, read_back: ReadBack) -> Difference | None:
    """Ours and forgotten, or still resting: cancel. Somebody else's: leave it alone, say it once at the start."""
    symbol, name = order.symbol, order.client_id or order.order_id
    if not is_ours(order.client_id):
        text = f"order {name} is not ours; left alone"
        return Difference("foreign-order", Act.KNOW, symbol, text) if read_back.purpose == "start" else None
    if order.intent is None:
        return Difference("unknown-order", Act.CANCEL, symbol, f"order {name} of ours is not in the journal", order)
    if read_back.purpose == "start" or read_back.asked_ms - order.since_ms >= RESTING_MS:
        return Difference("resting-order", Act.CANCEL, symbol, f"order {name} still works", order)
    return None


class _Wishes:
    """What people asked for that holds beyond a restart; the breaker remembers its own."""

    def __init__(self) -> None:
        self.flat: dict[str, Command] = {}  # by symbol, "" is all
        self.armed = True

    def hear(self, command: Command) -> None:
        if command.kind is CommandKind.FLATTEN:
            self.flat[command.symbol] = command
        elif command.kind is CommandKind.PANIC:
            self.flat[""] = command
            self.armed = False
        elif command.kind in {CommandKind.ARM, CommandKind.DISARM}:
            self.armed = command.kind is CommandKind.ARM


def _replay(blotter: Blotter, entry: JournalEntry, wishes: "_Wishes") -> list[ClosedTrade]:
    origin = Origin(entry.run, entry.seq, entry.at_ms)
    if entry.kind is EntryKind.INTENT:
        intent = _INTENTS.decode(entry.body)
        if not isinstance(intent, PlaceOrder) or blotter.orders.get(intent.client_id) is None:
            blotter.decided(intent, origin)
        blotter.orders.on_stored(intent.client_id)
        return []
    if entry.kind is EntryKind.NOTE:
        note = _NOTES.decode(entry.body)
        _remember_trip(blotter, note)
        if note.kind == "flat":
            wishes.flat.pop(note.symbol, None)
        return []
    blotter.breaker.on_time(entry.at_ms)
    event = _EVENTS.decode(entry.body)
    if isinstance(event, Command):
        wishes.hear(event)
    elif isinstance(event, Instruments):
        for instrument in event.instruments:
            blotter.adopt(instrument)
    changes = blotter.apply(event, origin)
    changes += blotter.on_tick({}, origin)
    return [change.closed for change in changes if isinstance(change, PositionChange) and change.closed is not None]


def _replay_stranger(blotter: Blotter, entry: JournalEntry) -> list[ClosedTrade]:
    """What a symbol that is not followed any more has lost still counts for the day and the breaker."""
    note = _NOTES.decode(entry.body) if entry.kind is EntryKind.NOTE else None
    if note is None or note.kind != "closed-trade":
        return []
    trade = _TRADES.decode(note.text)
    blotter.breaker.on_entry(trade.opened_ms)
    blotter.breaker.on_closed(trade)
    return [trade]


def _remember_trip(blotter: Blotter, note: Note) -> None:
    if note.kind != "breaker":
        return
    at_ms, until_ms = note.data.get("at_ms"), note.data.get("until_ms")
    tier = Tier(note.data.get("tier"))
    if isinstance(at_ms, int) and not isinstance(until_ms, str):
        blotter.breaker.again(Trip(str(note.data.get("rule")), tier, note.text, at_ms, until_ms))
