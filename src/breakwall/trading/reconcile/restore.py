"""The book again from the journal, fact by fact, as it was written."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec import Struct, structs

from breakwall.model.actions import CancelOrder, MoveStop, Note, PlaceOrder
from breakwall.model.events import Account, Command, CommandKind, Event, Instruments, OrderAnswer, ReadBack
from breakwall.model.journal import DAMAGED, EntryKind, JournalEntry
from breakwall.model.listings import Admitted
from breakwall.model.records import ClosedTrade, Deed, PositionStep
from breakwall.model.units import Instrument
from breakwall.settings import Settings
from breakwall.trading.blotter import Blotter, Change
from breakwall.trading.breaker import Trip
from breakwall.trading.origin import Origin
from breakwall.trading.position_change import PositionChange
from breakwall.trading.reconcile.checkpoint import Checkpoint

START, END = "start", "end"
"""Kinds of notes: a run began to recover; it ended in order."""
OBSERVING, EXPLAINED = "observing", "explained"
"""Kinds of notes: something cannot be explained, `why` in its data; a person has looked at all of that."""

_EVENTS: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)
_INTENTS: msgspec.json.Decoder[PlaceOrder | CancelOrder | MoveStop] = msgspec.json.Decoder(
    PlaceOrder | CancelOrder | MoveStop
)
_NOTES = msgspec.json.Decoder(Note)
_CHECKPOINTS = msgspec.json.Decoder(Checkpoint)
_ACCOUNT = '{"type":"Account"'
_READ_BACK = '{"type":"ReadBack"'
_ADOPTED = '"type":"PositionStep","what":"adopted"'


class Restored(Struct, frozen=True):
    """The book as the journal knows it.

    `closed` are the finished trades, `unread` the entries that could not be understood (an alarm, until a person
    has looked), `wishes` the commands to flatten or panic that were not proven yet, `safe` who said SAFE and when
    (empty: ARMED). `panicked` is who panicked, where nobody has armed since. `crashes` are the times (engine ms) of
    starts that did not end in order, as long as they follow each other, `explained_ms` that of the last look of a
    person; `observed` is what nobody could explain since.
    """

    blotter: Blotter
    closed: tuple[ClosedTrade, ...]
    unread: tuple[str, ...]
    wishes: tuple[Command, ...] = ()
    safe: str = ""
    panicked: str = ""
    crashes: tuple[int, ...] = ()
    explained_ms: int = 0
    observed: tuple[str, ...] = ()


def restore(
    entries: Sequence[JournalEntry], instruments: Mapping[str, Instrument], settings: Settings, origin: Origin
) -> Restored:
    """The book from the journal's facts, in the order they were written; the first one may be a checkpoint.

    Prices and sizes are read in the units that were in force when they were written, and converted at the end
    to those of `instruments`. What was in flight is UNKNOWN, stops are unproven until the exchange has been
    read; plans come back with the intents. Of symbols that are no longer followed only the results count.
    An entry that cannot be understood is told, never fatal: the exchange is asked anyway. A clock that was ahead
    when they were written must not make anything younger than what is decided now.
    """
    replay = _Replay(Blotter(settings, dict(instruments)), instruments)
    ahead = _ahead(entries, origin.at_ms)
    for entry in entries:
        try:
            replay.take(entry, ahead.get(entry.run, 0))
        except Exception as error:
            why = repr(error) if entry.sound else "its checksum does not fit, it was changed after it was written"
            replay.unread.append(f"journal entry {entry.run}/{entry.seq} ({entry.kind.value}): {why}")
    blotter, people = replay.blotter, replay.people
    for instrument in instruments.values():
        blotter.adopt(instrument)
    blotter.breaker.on_time(origin.at_ms)
    blotter.orders.restart(origin)
    blotter.positions.restarted()
    return Restored(
        blotter=blotter,
        closed=tuple(replay.closed),
        unread=tuple(replay.unread),
        wishes=tuple(people.flat.values()),
        safe=people.safe,
        panicked=people.panicked,
        crashes=tuple(replay.crashes),
        explained_ms=replay.explained_ms,
        observed=tuple(replay.observed),
    )


def unfinished(entries: Iterable[JournalEntry]) -> list[str]:
    """Symbols that were traded or taken over, and, as far as the journal tells, may still be held.

    An entry that cannot be understood ends nothing: `restore` tells of it.
    """
    symbols: dict[str, None] = {}
    for entry in entries:
        if entry.kind is EntryKind.INTENT or _ADOPTED in entry.body:
            symbols[entry.symbol] = None
        elif entry.symbol in symbols and _finished(entry):
            del symbols[entry.symbol]
    return list(symbols)


def account_of(entries: Iterable[JournalEntry]) -> str:
    """The account that this journal was last written for; empty where it does not say."""
    found = ""
    for entry in entries:
        try:
            if entry.kind is EntryKind.CHECKPOINT:
                found = _CHECKPOINTS.decode(entry.body).account_id or found
            elif entry.kind is EntryKind.EVENT and entry.body.startswith(_ACCOUNT):
                found = msgspec.json.decode(entry.body, type=Account).account_id or found
        except msgspec.DecodeError:
            continue  # told by `restore`
    return found


def last_read_ms(entries: Iterable[JournalEntry]) -> int | None:
    """Up to when (venue's time) the journal has all executions: the last reading of the account that is in it, or a
    checkpoint; None where there is neither. A run that began and never read the account knows nothing newer.
    """
    found: int | None = None
    for entry in entries:
        at_ms = _read_ms(entry) if entry.sound else None
        if at_ms is not None:
            found = at_ms if found is None else max(found, at_ms)
    return found


def _read_ms(entry: JournalEntry) -> int | None:
    if entry.kind is EntryKind.CHECKPOINT:
        return entry.at_ms
    if entry.kind is not EntryKind.EVENT or not entry.body.startswith(_READ_BACK):
        return None
    try:
        return msgspec.json.decode(entry.body, type=ReadBack).wallet.at_ms or entry.at_ms
    except msgspec.DecodeError:
        return None  # told by `restore`


class _People:
    """What people asked for that holds beyond a restart; the breaker remembers its own."""

    def __init__(self) -> None:
        self.flat: dict[str, Command] = {}  # by symbol, "" is all
        self.safe = ""
        self.panicked = ""

    def hear(self, command: Command, at_ms: int) -> None:
        if command.kind is CommandKind.FLATTEN:
            self.flat[command.symbol] = command
        elif command.kind is CommandKind.PANIC:
            self.flat[""] = command
            self.safe, self.panicked = f"panic {command.asked(at_ms)}", f"panic by {command.who}"
        elif command.kind is CommandKind.ARM:
            self.safe = self.panicked = ""
        elif command.kind is CommandKind.DISARM:
            self.safe = command.asked(at_ms)


class _Replay:
    """The journal, told again."""

    def __init__(self, blotter: Blotter, instruments: Mapping[str, Instrument]) -> None:
        self.blotter = blotter
        self.people = _People()
        self.closed: list[ClosedTrade] = []
        self.unread: list[str] = []
        self.crashes: list[int] = []
        self.observed: list[str] = []
        self.explained_ms = 0
        self._instruments = instruments
        self._begun = False

    def take(self, entry: JournalEntry, ahead_ms: int = 0) -> None:
        """One entry of a run whose clock was so much ahead; raises where it cannot be understood."""
        begun, self._begun = self._begun, True
        if not entry.sound:
            raise ValueError("not what was written")
        if ahead_ms:
            entry = structs.replace(entry, at_ms=entry.at_ms - ahead_ms)
        if entry.kind is EntryKind.CHECKPOINT:
            if not begun:
                self._begin(_CHECKPOINTS.decode(entry.body))
        elif entry.symbol and entry.symbol not in self._instruments:
            self._stranger(entry)
        elif entry.kind is EntryKind.INTENT:
            self._intent(entry, ahead_ms)
        elif entry.kind is EntryKind.NOTE:
            self._note(_NOTES.decode(entry.body), entry)
        else:
            self._event(_EVENTS.decode(entry.body), entry, ahead_ms)

    def _begin(self, checkpoint: Checkpoint) -> None:
        """Everything before it has ended."""
        self.blotter.breaker.remember(checkpoint.breaker)
        self.blotter.wallet = checkpoint.wallet
        self.people.safe = checkpoint.safe or ("" if checkpoint.armed else "before the restart")
        self.people.panicked = checkpoint.panicked
        for instrument in checkpoint.instruments:
            self.blotter.adopt(instrument)

    def _intent(self, entry: JournalEntry, ahead_ms: int) -> None:
        intent = _INTENTS.decode(entry.body)
        intent = structs.replace(intent, decided_ms=intent.decided_ms - ahead_ms)
        if not isinstance(intent, PlaceOrder) or self.blotter.orders.get(intent.client_id) is None:
            self.blotter.decided(intent, _origin(entry))
        self.blotter.orders.on_stored(intent.client_id)

    def _note(self, note: Note, entry: JournalEntry) -> None:
        trip = Trip.of_note(note)
        if isinstance(note.record, PositionStep):  # ticks are not written, but what they settled is
            self._book(self.blotter.on_tick({}, _origin(entry)))
        if trip is not None:
            self.blotter.breaker.again(trip)
        elif _ends_flatten(note):
            self.people.flat.pop(note.symbol, None)
        elif note.kind == START:
            self.crashes.append(entry.at_ms)
        elif note.kind == END:
            self.crashes.clear()
        elif note.kind == DAMAGED:
            self.unread.append(note.text)
        elif note.kind == OBSERVING:
            self.observed.append(str(note.data.get("why", note.text)))
        elif note.kind == EXPLAINED:
            self.unread.clear()
            self.observed.clear()
            self.explained_ms = entry.at_ms

    def _event(self, event: Event, entry: JournalEntry, ahead_ms: int) -> None:
        origin = _origin(entry)
        if isinstance(event, OrderAnswer | ReadBack):
            event = structs.replace(event, asked_ms=event.asked_ms - ahead_ms)
        self.blotter.breaker.on_time(entry.at_ms)
        if isinstance(event, Command):
            self.people.hear(event, entry.at_ms)
            if event.kind is CommandKind.RESET_BREAKER:
                self.crashes.clear()
        elif isinstance(event, Instruments | Admitted):
            for instrument in event.instruments:
                self.blotter.adopt(instrument)
        self._book([*self.blotter.apply(event, origin), *self.blotter.on_tick({}, origin)])

    def _book(self, changes: Iterable[Change]) -> None:
        self.closed += [change.closed for change in changes if isinstance(change, PositionChange) and change.closed]

    def _stranger(self, entry: JournalEntry) -> None:
        """What a symbol that is not followed any more has lost still counts for the day and the breaker."""
        note = _NOTES.decode(entry.body) if entry.kind is EntryKind.NOTE else None
        if note is not None and _ends_flatten(note):
            self.people.flat.pop(note.symbol, None)
        if note is None or note.kind != "closed-trade":
            return
        trade = note.record
        if not isinstance(trade, ClosedTrade):
            raise TypeError(f"closed trade of {entry.symbol}: expected its record, found {note.record!r}")
        self.blotter.breaker.on_entry(trade.opened_ms)
        self.blotter.breaker.on_closed(trade)
        self.closed.append(trade)


def _ends_flatten(note: Note) -> bool:
    """The venue has proven it, or it was refused: commands are written before they are answered."""
    deed = note.record
    refused = isinstance(deed, Deed) and not deed.success and deed.action == CommandKind.FLATTEN.value
    return note.kind == "flat" or refused


def _ahead(entries: Sequence[JournalEntry], now_ms: int) -> dict[int, int]:
    """By how much each run's clock was ahead of the beginning of the next one, or of now; runs that were not are left
    out. Moved back by that much, a run keeps all distances within it.
    """
    spans: dict[int, tuple[int, int]] = {}
    for entry in entries:
        if entry.sound:
            first_ms, last_ms = spans.get(entry.run, (entry.at_ms, entry.at_ms))
            spans[entry.run] = (first_ms, max(last_ms, entry.at_ms))
    found: dict[int, int] = {}
    limit_ms = now_ms
    for run, (first_ms, last_ms) in reversed(spans.items()):
        ahead_ms = max(0, last_ms - limit_ms)
        if ahead_ms:
            found[run] = ahead_ms
        limit_ms = first_ms - ahead_ms
    return found


def _origin(entry: JournalEntry) -> Origin:
    return Origin(entry.run, entry.seq, entry.at_ms)


def _finished(entry: JournalEntry) -> bool:
    """Whether it says that a position of this symbol was closed."""
    try:
        return entry.kind is EntryKind.NOTE and isinstance(_NOTES.decode(entry.body).record, ClosedTrade)
    except msgspec.DecodeError:
        return False
