"""The journal's entries as rows of the ledger. Pure: the same entries make the same rows."""

import msgspec

from breakwall.model.actions import CancelOrder, MoveStop, Note, PlaceOrder
from breakwall.model.events import (
    Event,
    Fills,
    Instruments,
    OrderAnswer,
    OrderReports,
    Outcome,
    ReadBack,
    SettingsChanged,
)
from breakwall.model.journal import EntryKind, JournalEntry
from breakwall.model.listings import Admitted
from breakwall.model.records import ClosedTrade, Deed, OrderStep, PositionStep, RecoveryReport, SignalContext
from breakwall.storage.ledger import orders, positions, trail
from breakwall.storage.ledger.batch import Batch
from breakwall.storage.ledger.line import Line, source_of
from breakwall.storage.ledger.memory import Memory, Scale
from breakwall.storage.ledger.tables import HANGING, INSTRUMENTS, RECOVERIES, RUNS, SYSTEM_EVENTS

Intent = PlaceOrder | CancelOrder | MoveStop

_EVENTS: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)
_INTENTS: msgspec.json.Decoder[Intent] = msgspec.json.Decoder(Intent)
_NOTES = msgspec.json.Decoder(Note)
_TRADES = msgspec.json.Decoder(ClosedTrade)


def project(memory: Memory, row: int, entry: JournalEntry, batch: Batch) -> None:
    """Add to `batch` what this entry says, `row` of the journal; what the next ones need goes to `memory`.

    Entries come in the journal's order. Raises ValueError where one cannot be understood.
    """
    if not entry.sound:
        raise ValueError("not what was written")
    line = Line(source_of(entry.run, row), entry.at_ms, entry.trace, batch, memory)
    match entry.kind:
        case EntryKind.INTENT:
            _intent(line, _INTENTS.decode(entry.body))
        case EntryKind.NOTE:
            _note(line, _NOTES.decode(entry.body))
        case EntryKind.EVENT:
            _event(line, _EVENTS.decode(entry.body))
        case EntryKind.CHECKPOINT:
            pass  # says nothing new: it sums up what was written before it


def _intent(line: Line, intent: Intent) -> None:
    trail.intended(line, intent)
    if isinstance(intent, PlaceOrder):
        orders.decided(line, intent, positions.decided(line, intent))


def _note(line: Line, note: Note) -> None:
    match note.record:
        case OrderStep():
            orders.moved(line, note.symbol, note.record)
        case PositionStep():
            positions.moved(line, note.symbol, note.record, note.text)
        case ClosedTrade():
            positions.finished(line, note.record)
        case SignalContext():
            trail.signalled(line, note, note.record)
        case Deed():
            trail.done(line, note, note.record)
        case RecoveryReport():
            _recovery(line, note.record)
        case None if note.kind == "closed-trade":  # as journals before records have it
            positions.finished(line, _TRADES.decode(note.text))
        case None:
            _system_event(line, note)


def _event(line: Line, event: Event) -> None:
    match event:
        case Instruments() | Admitted():
            _instruments(line, event)
        case OrderReports():
            for report in event.reports:
                orders.told(line, report)
        case OrderAnswer():
            if event.report is not None:
                orders.told(line, event.report)
        case Fills():
            for fill in event.fills:
                positions.filled(line, fill)
        case ReadBack():
            orders.read_back(line, event)
            for fill in event.fills:
                positions.filled(line, fill)
        case Outcome():
            trail.answered(line, event)
        case SettingsChanged():
            _run(line, event)


def _instruments(line: Line, event: Instruments | Admitted) -> None:
    """Each change of tick or lot is a row: what comes after it is told in these units."""
    for instrument in event.instruments:
        symbol, scale = instrument.symbol, Scale(instrument.tick, instrument.lot)
        if line.memory.scales.get(symbol) != scale:
            line.memory.scales[symbol] = scale
            line.history(INSTRUMENTS, symbol=symbol, tick=scale.tick, lot=scale.lot, at_ms=line.at_ms)


def _run(line: Line, event: SettingsChanged) -> None:
    """A strategy is a section of the settings that can be enabled, and is."""
    settings = msgspec.json.decode(event.settings)
    for name, section in settings.items():
        if isinstance(section, dict) and section.get("enabled") is True and name not in {"ledger", "screener"}:
            row = {"run": event.run, "strategy": name, "started_ms": line.at_ms, "settings": event.settings}
            line.batch.add(RUNS, {**row, "parameters": msgspec.json.encode(section).decode()})


def _recovery(line: Line, report: RecoveryReport) -> None:
    line.history(
        RECOVERIES,
        at_ms=report.at_ms,
        number=report.number,
        purpose=report.purpose,
        clean=report.clean,
        verdict=report.verdict,
        actions=msgspec.json.encode(report.actions).decode(),
        restored=msgspec.json.encode(report.restored).decode(),
    )
    for number, order in enumerate(report.hanging):
        line.batch.add(
            HANGING,
            {"recovery": line.source, "number": number, "at_ms": report.at_ms, **msgspec.structs.asdict(order)},
        )


def _system_event(line: Line, note: Note) -> None:
    line.history(
        SYSTEM_EVENTS,
        at_ms=line.at_ms,
        kind=note.kind,
        level=note.level,
        symbol=note.symbol,
        text=note.text,
        client_id=note.client_id,
        trace=note.trace,
    )
