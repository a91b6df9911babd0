"""All positions: moved by fills, corrected by the venue, never by guesses."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from msgspec import Struct

from breakwall.model.actions import Note, PlaceOrder
from breakwall.model.events import Fill, Outcome, OutcomeKind, PositionReport, ReadBack
from breakwall.model.units import Instrument
from breakwall.trading.orders import is_ours
from breakwall.trading.origin import Origin
from breakwall.trading.position import ZERO, ClosedTrade, Position, PositionCause, PositionState

SETTLE_MS = 500
"""How long fills and the position's report may disagree before the report wins (they race each other)."""
_MOVES = frozenset({"Trade", "BustTrade", "AdlTrade"})
_FORCED = {"BustTrade": "liquidation", "AdlTrade": "auto-deleveraging"}
_STOPS = {"StopLoss": "stop", "TakeProfit": "take-profit", "TrailingStop": "stop"}
REST_LAG_MS = 1_000
"""A REST answer asked this soon after a fill may not contain it yet."""
_REMEMBERED = 5_000

Key = tuple[str, int]


class PositionChange(Struct, frozen=True):
    """What happened to a position: `kind` is opened, grew, reduced, closed, ended, corrected, adopted, cash."""

    kind: str
    symbol: str
    text: str
    trace: str
    closed: ClosedTrade | None = None
    alarm: bool = False

    @property
    def note(self) -> Note:
        level = "warning" if self.alarm else "info"
        return Note(kind="position", text=self.text, level=level, symbol=self.symbol, trace=self.trace, durable=True)


class Word(Struct):
    """The venue's latest report on a position, and when we took it (engine time)."""

    report: PositionReport
    at_ms: int
    differs_ms: int | None = None


class Positions:
    """Positions by `(symbol, position_idx)`; closed ones leave as `ClosedTrade`.

    `instruments` is the core's own table of current instruments. Every method answers with what changed.
    """

    __slots__ = ("_changed_ms", "_corrected", "_exec_ids", "_instruments", "_last_fill", "_open", "_words")

    def __init__(self, instruments: Mapping[str, Instrument]) -> None:
        self._instruments = instruments
        self._open: dict[Key, Position] = {}
        self._words: dict[Key, Word] = {}
        self._exec_ids: dict[str, None] = {}
        self._changed_ms: dict[Key, int] = {}
        self._last_fill: dict[Key, Fill] = {}
        self._corrected: dict[Key, PositionReport] = {}

    def __iter__(self) -> Iterator[Position]:
        return iter(tuple(self._open.values()))

    def get(self, symbol: str, position_idx: int = 0) -> Position | None:
        """The position that is OPENING, OPEN or CLOSING; None when there is none."""
        return self._open.get((symbol, position_idx))

    def held(self) -> list[Position]:
        """Positions with something in them."""
        return [position for position in self._open.values() if position.is_open]

    def booked(self, exec_id: str) -> bool:
        """Whether this execution was taken already, here or before a restart."""
        return exec_id in self._exec_ids

    # what we decided

    def opening(self, intent: PlaceOrder, origin: Origin) -> Position:
        """An entry was decided: the position is OPENING with the entry's plan."""
        position = self._new((intent.symbol, 0), origin)
        position.intent, position.plan, position.entry_id = intent, intent.plan, intent.client_id
        return position

    def entry_ended(self, client_id: str, symbol: str, filled_lots: int, origin: Origin) -> PositionChange | None:
        """The entry order is closed; without a fill the position never was."""
        position = self.get(symbol)
        if position is None or position.entry_id != client_id or filled_lots or position.is_open:
            return None
        position.move(PositionCause.NO_FILL, origin.at_ms, origin.trace)
        del self._open[position.key]
        return PositionChange("ended", symbol, "entry ended without a fill", origin.trace)

    def on_stop_outcome(self, outcome: Outcome) -> None:
        """What became of moving a stop. Confirmed is not proven; refused while there is none means: close."""
        position = self.get(outcome.symbol)
        if position is None or outcome.operation != "stop":
            return
        position.stop_confirmed = outcome.kind is OutcomeKind.CONFIRMED
        if outcome.kind is OutcomeKind.REJECTED and position.stop_ticks is None:
            position.denials += 1

    # what the venue tells

    def on_fill(self, fill: Fill, intent: PlaceOrder | None, origin: Origin) -> list[PositionChange]:
        """Book one execution, once. `intent` is the order's, where it is ours.

        Only trades and the venue's forced closes move a position; funding is cash. A fill that the
        venue's corrected quantity already contains books its cash alone.
        """
        if fill.exec_id in self._exec_ids or fill.symbol not in self._instruments:
            return []
        self._remember(fill.exec_id)
        key = (fill.symbol, 0)
        if fill.exec_kind not in _MOVES or not fill.lots:
            return [self._cash(fill, key, origin)]
        self._changed_ms[key] = origin.at_ms
        last = self._last_fill.get(key)
        if last is None or (fill.seq, fill.at_ms) >= (last.seq, last.at_ms):
            self._last_fill[key] = fill
        if self._contained(fill, key):
            return [self._cash(fill, key, origin)]
        return self._trade(fill, key, intent, origin)

    def on_report(self, report: PositionReport, origin: Origin) -> list[PositionChange]:
        """The venue's word: stop and liquidation at once, the quantity once it has stood for `SETTLE_MS`."""
        key = (report.symbol, report.position_idx)
        word = self._words.get(key)
        if report.symbol not in self._instruments or (word is not None and _older(report, word.report)):
            return []
        if self._behind(report, key):
            return []
        differs = word.differs_ms if word is not None else None
        self._words[key] = Word(report, origin.at_ms, differs)
        self._prove(key, report, origin)
        return self._settle(key, origin, SETTLE_MS)

    def on_read_back(
        self, read_back: ReadBack, intents: Mapping[str, PlaceOrder], origin: Origin
    ) -> list[PositionChange]:
        """The account as REST tells it: fills we missed, then quantities; what changed since it was asked wins.

        Its parts were read at different moments: a quantity older than a fill beside it says nothing.
        """
        changes: list[PositionChange] = []
        newer = {key for key, at_ms in self._changed_ms.items() if at_ms + REST_LAG_MS >= read_back.asked_ms}
        newer |= {key for key, word in self._words.items() if word.at_ms >= read_back.asked_ms}
        for fill in sorted(read_back.fills, key=lambda fill: (fill.at_ms, fill.seq, fill.exec_id)):
            if fill.client_id in intents or self._concerns(fill):
                changes += self.on_fill(fill, intents.get(fill.client_id), origin)
        told = {(report.symbol, report.position_idx): report for report in read_back.positions}
        for key in sorted({*told, *self._open} - newer):
            report = told.get(key) or self._flat(key)
            missed = self._changed_ms.get(key) == origin.at_ms
            if (
                report is not None
                and report.symbol in self._instruments
                and not (missed and self._behind(report, key))
            ):
                self._words[key] = Word(report, origin.at_ms)
                self._prove(key, report, origin)
                changes += self._settle(key, origin, 0)
        return changes

    def on_time(self, origin: Origin) -> list[PositionChange]:
        """Settle what has differed from the venue for `SETTLE_MS`."""
        changes: list[PositionChange] = []
        for key in sorted(self._words):
            if self._words[key].differs_ms is not None:
                changes += self._settle(key, origin, SETTLE_MS)
        return changes

    def convert(self, instrument: Instrument) -> None:
        """The symbol's tick or lot changed: positions in the new units; reports in the old ones are forgotten."""
        for key, position in self._open.items():
            if key[0] == instrument.symbol:
                position.convert(instrument)
                self._words.pop(key, None)

    def restarted(self) -> None:
        """After a restart nothing the venue said before counts as proof, and any answer is newer."""
        self._words.clear()
        self._changed_ms.clear()
        for position in self._open.values():
            position.stop_ticks = position.proven_ms = position.naked_ms = None
            position.told_naked = False
            position.stop_asked_ms = position.close_asked_ms = 0

    # how it is done

    def _trade(self, fill: Fill, key: Key, intent: PlaceOrder | None, origin: Origin) -> list[PositionChange]:
        position = self._open.get(key)
        signed = fill.side.sign * fill.lots
        if position is None or position.lots * signed >= 0:
            return [self._grow(fill, key, signed, fill.fee_usdt, intent, origin)]
        closing = min(abs(position.lots), fill.lots)
        close_fee = fill.fee_usdt * closing / fill.lots
        changes = [self._shrink(position, fill, closing, close_fee, origin)]
        if closing < fill.lots:
            rest = fill.side.sign * (fill.lots - closing)
            changes.append(self._grow(fill, key, rest, fill.fee_usdt - close_fee, intent, origin))
        return changes

    def _grow(
        self, fill: Fill, key: Key, signed: int, fee: Decimal, intent: PlaceOrder | None, origin: Origin
    ) -> PositionChange:
        position = self._open.get(key) or self._new(key, origin)
        opened = position.lots == 0
        if intent is not None and position.plan is None:
            position.plan, position.entry_id = intent.plan, intent.client_id
        position.add(fill, signed, origin)
        position.fees_usdt += fee
        instrument = position.instrument
        text = (
            f"{'opened' if opened else 'added'} {fill.side.value.lower()} "
            f"{instrument.qty_text(abs(signed))} at {instrument.price_text(fill.ticks)}"
        )
        return PositionChange(
            "opened" if opened else "grew",
            fill.symbol,
            text,
            origin.trace,
            alarm=intent is None and not is_ours(fill.client_id),
        )

    def _shrink(self, position: Position, fill: Fill, lots: int, fee: Decimal, origin: Origin) -> PositionChange:
        position.fees_usdt += fee
        if position.state is PositionState.OPEN:
            position.reason = _FORCED.get(fill.exec_kind, "") or _STOPS.get(fill.stop_kind, "") or position.reason
        ours = is_ours(fill.client_id) or fill.stop_kind in _STOPS
        position.external |= not ours
        instrument = position.instrument
        position.reduce(instrument.price(fill.ticks), lots, origin)
        text = f"closed {instrument.qty_text(lots)} at {instrument.price_text(fill.ticks)}"
        if position.lots:
            return PositionChange("reduced", fill.symbol, text, origin.trace, alarm=not ours)
        return self._finish(position, text, origin, estimated=False)

    def _finish(self, position: Position, text: str, origin: Origin, *, estimated: bool) -> PositionChange:
        trade = position.closed(origin, estimated=estimated)
        del self._open[position.key]
        text = f"{text}; {trade.reason}, net {trade.net_usdt:.4f} USDT"
        return PositionChange("closed", position.symbol, text, origin.trace, trade, alarm=trade.external)

    def _cash(self, fill: Fill, key: Key, origin: Origin) -> PositionChange:
        position = self._open.get(key)
        what = "funding" if fill.exec_kind == "Funding" else "fee"
        if position is not None and what == "funding":
            position.funding_usdt += fill.fee_usdt
        elif position is not None:
            position.fees_usdt += fill.fee_usdt
        text = f"{what} {fill.fee_usdt} USDT"
        return PositionChange("cash", fill.symbol, text, origin.trace)

    def _prove(self, key: Key, report: PositionReport, origin: Origin) -> None:
        """Take stop, liquidation and mark of a report that speaks of the same side."""
        position = self._open.get(key)
        if position is None or report.lots == 0 or position.lots * report.lots < 0:
            return
        position.prove(report, origin.at_ms)

    def _settle(self, key: Key, origin: Origin, patience_ms: int) -> list[PositionChange]:
        word, position = self._words[key], self._open.get(key)
        held = position.lots if position else 0
        if held == word.report.lots or (patience_ms and self._behind(word.report, key)):
            word.differs_ms = None
            return []
        word.differs_ms = origin.at_ms if word.differs_ms is None else word.differs_ms
        if origin.at_ms - word.differs_ms < patience_ms:
            return []
        word.differs_ms = None
        self._corrected[key] = word.report
        return self._correct(key, position, word.report, origin)

    def _correct(
        self, key: Key, position: Position | None, report: PositionReport, origin: Origin
    ) -> list[PositionChange]:
        changes: list[PositionChange] = []
        if position is not None and position.lots * report.lots < 0:
            changes.append(self._close_unseen(position, report, origin))
            position = None
        if report.lots == 0:
            return [self._close_unseen(position, report, origin)] if position is not None else changes
        known = position is not None
        position = position or self._new(key, origin)
        before = position.lots
        position.correct(report, origin)
        self._prove(key, report, origin)
        instrument = position.instrument
        text = (
            f"the exchange holds {instrument.qty_text(report.lots)}, we had {instrument.qty_text(before)}; taken over"
        )
        changes.append(
            PositionChange("corrected" if known else "adopted", report.symbol, text, origin.trace, alarm=True)
        )
        return changes

    def _close_unseen(self, position: Position, report: PositionReport, origin: Origin) -> PositionChange:
        """Flat at the venue, the closing fills never seen: closed at the last known mark, marked as estimated."""
        position.reason = position.reason or "closed externally"
        position.external |= position.state is not PositionState.CLOSING
        price = report.mark or position.mark or position.entry
        position.reduce(price, abs(position.lots), origin)
        return self._finish(position, "gone at the exchange", origin, estimated=True)

    def _contained(self, fill: Fill, key: Key) -> bool:
        """Whether a quantity taken over from the venue already contains this fill.

        A fill that only closed something, while we hold nothing, is one as well.
        """
        position = self._open.get(key)
        if fill.closed_lots >= fill.lots and (position is None or position.lots == 0):
            return True
        corrected = self._corrected.get(key)
        if corrected is None:
            return False
        if fill.seq > 0 and corrected.seq > 0:
            return fill.seq <= corrected.seq
        return fill.at_ms <= corrected.updated_ms

    def _behind(self, report: PositionReport, key: Key) -> bool:
        """Whether a report is older than the last fill we booked."""
        fill = self._last_fill.get(key)
        if fill is None:
            return False
        if fill.seq > 0 and report.seq > 0:
            return report.seq < fill.seq
        return report.updated_ms < fill.at_ms

    def _concerns(self, fill: Fill) -> bool:
        """A fill of nobody we know still concerns a position that was open when it happened."""
        position = self._open.get((fill.symbol, 0))
        return position is not None and position.is_open and fill.at_ms >= position.opened_venue_ms

    def _flat(self, key: Key) -> PositionReport | None:
        position = self._open.get(key)
        if position is None or not position.is_open:
            return None
        word = self._words.get(key)
        return PositionReport(
            symbol=key[0],
            lots=0,
            entry=ZERO,
            stop_ticks=None,
            take_profit_ticks=None,
            mark=position.mark,
            liquidation=None,
            leverage=ZERO,
            position_idx=key[1],
            seq=word.report.seq if word else 0,
            updated_ms=word.report.updated_ms if word else 0,
        )

    def _new(self, key: Key, origin: Origin) -> Position:
        position = Position(self._instruments[key[0]], key[1], origin.at_ms, origin.trace)
        self._open[key] = position
        return position

    def _remember(self, exec_id: str) -> None:
        self._exec_ids[exec_id] = None
        if len(self._exec_ids) > _REMEMBERED:
            del self._exec_ids[next(iter(self._exec_ids))]


def _older(report: PositionReport, known: PositionReport) -> bool:
    """Reports are ordered by the venue's sequence, then by its time."""
    if report.seq > 0 and known.seq > 0 and report.seq != known.seq:
        return report.seq < known.seq
    return report.updated_ms < known.updated_ms
