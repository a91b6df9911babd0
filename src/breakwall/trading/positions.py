"""All positions: moved by fills, corrected by the venue, never by guesses."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from breakwall.model import executions
from breakwall.model.actions import PlaceOrder
from breakwall.model.events import Fill, Outcome, OutcomeKind, PositionReport, ReadBack
from breakwall.model.units import Instrument
from breakwall.trading.orders import is_ours
from breakwall.trading.origin import Origin
from breakwall.trading.position import ZERO, Position, PositionCause, PositionState
from breakwall.trading.position_change import PositionChange
from breakwall.trading.word import Word, behind, contains, older

SETTLE_MS = 500
"""How long fills and the position's report may disagree before the report wins (they race each other)."""
UNSEEN_MS = 3_000
"""The same where the report holds less than we do: the executions that closed it are asked for before anything is
booked without them. More than we know of does not wait: it may need a stop.
"""
FORCED = frozenset(executions.FORCED.values())
"""Reasons of a closed trade that was ended by the venue itself."""
_STOPS = {"StopLoss": "stop", "TakeProfit": "take-profit", "TrailingStop": "stop"}
REST_LAG_MS = 1_000
"""A REST answer asked this soon after a fill may not contain it yet."""
_REMEMBERED = 5_000

Key = tuple[str, int]


class Positions:
    """Positions by `(symbol, position_idx)`; closed ones leave as `ClosedTrade`.

    `instruments` is the core's own table of current instruments. Every method answers with what changed.
    `ignore`: positions that somebody else has opened are left alone; they are in `alone`, never among ours.
    """

    __slots__ = (
        "_changed_ms",
        "_corrected",
        "_exec_ids",
        "_ignore",
        "_instruments",
        "_last_fill",
        "_open",
        "_unseen",
        "_words",
    )

    def __init__(self, instruments: Mapping[str, Instrument], *, ignore: bool = False) -> None:
        self._instruments = instruments
        self._ignore = ignore
        self._open: dict[Key, Position] = {}
        self._words: dict[Key, Word] = {}
        self._exec_ids: dict[str, None] = {}
        self._changed_ms: dict[Key, int] = {}
        self._last_fill: dict[Key, Fill] = {}
        self._corrected: dict[Key, PositionReport] = {}
        self._unseen: dict[Key, None] = {}  # gone, and no execution has told how

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

    def went_unseen(self, symbol: str) -> bool:
        """Whether its last position is gone by the venue's word alone: no execution that closed it was ever told."""
        return (symbol, 0) in self._unseen

    @property
    def alone(self) -> list[PositionReport]:
        """Positions of others that are left alone, as the venue last told them."""
        told = [self._words[key].report for key in sorted(self._words.keys() - self._open.keys())]
        return [report for report in told if report.lots] if self._ignore else []

    def is_alone(self, symbol: str) -> bool:
        """Whether somebody else has a position there that is left alone."""
        return any(report.symbol == symbol for report in self.alone)

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
        return PositionChange.of("ended", position, "entry ended without a fill", origin)

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
        if not fill.lots or not (fill.exec_kind in executions.TRADES or self._ends(fill, key)):
            return [self._cash(fill, key, origin)]
        if fill.closed_lots:
            self._unseen.pop(key, None)
        self._changed_ms[key] = origin.at_ms
        last = self._last_fill.get(key)
        if last is None or (fill.seq, fill.at_ms) >= (last.seq, last.at_ms):
            self._last_fill[key] = fill
        if self._contained(fill, key):
            return [self._late(fill, key, origin)]
        return self._trade(fill, key, intent, origin)

    def on_report(self, report: PositionReport, origin: Origin) -> list[PositionChange]:
        """The venue's word: stop and liquidation at once, the quantity once it has stood for a while."""
        key = (report.symbol, report.position_idx)
        word = self._words.get(key)
        if report.symbol not in self._instruments or (word is not None and older(report, word.report)):
            return []
        if behind(report, self._last_fill.get(key)):
            return []
        differs = word.differs_ms if word is not None else None
        self._words[key] = Word(report, origin.at_ms, differs)
        return self._prove(key, report, origin) + self._settle(key, origin, SETTLE_MS)

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
            if fill.client_id in intents or self._concerns(fill) or self.went_unseen(fill.symbol):
                changes += self.on_fill(fill, intents.get(fill.client_id), origin)
        told = {(report.symbol, report.position_idx): report for report in read_back.positions}
        if self._ignore:
            for key in self._words.keys() - {*told, *self._open} - newer:
                del self._words[key]
        for key in sorted({*told, *self._open} - newer):
            report = told.get(key) or self._flat(key)
            missed = self._changed_ms.get(key) == origin.at_ms
            if (
                report is not None
                and report.symbol in self._instruments
                and not (missed and behind(report, self._last_fill.get(key)))
            ):
                self._words[key] = Word(report, origin.at_ms)
                changes += self._prove(key, report, origin) + self._settle(key, origin, 0)
        return changes

    def misses(self, asked_ms: int, at_ms: int) -> bool:
        """Whether executions must be missing: a report differs for longer than they may be late.

        `asked_ms` is when the account was last asked for: asking once is enough.
        """
        since = [word.differs_ms + SETTLE_MS for word in self._words.values() if word.differs_ms is not None]
        return any(asked_ms < late_ms <= at_ms for late_ms in since)

    def on_time(self, origin: Origin) -> list[PositionChange]:
        """Settle what has differed from the venue for long enough."""
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

    def _ends(self, fill: Fill, key: Key) -> bool:
        position = self._open.get(key)
        return fill.exec_kind in executions.ENDS and position is not None and position.lots * fill.side.sign < 0

    def _trade(self, fill: Fill, key: Key, intent: PlaceOrder | None, origin: Origin) -> list[PositionChange]:
        position = self._open.get(key)
        signed = fill.side.sign * fill.lots
        if position is None and self._ignore and not is_ours(fill.client_id):
            return []
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
        stranger = intent is None and not is_ours(fill.client_id)
        position = self._open.get(key) or self._new(key, origin)
        opened = position.lots == 0
        position.foreign |= stranger and opened and not position.entry_id
        if intent is not None and position.plan is None:
            position.plan, position.entry_id = intent.plan, intent.client_id
        position.add(fill, signed, origin)
        position.fees_usdt += fee
        instrument = position.instrument
        text = (
            f"{'opened' if opened else 'added'} {fill.side.value.lower()} "
            f"{instrument.qty_text(abs(signed))} at {instrument.price_text(fill.ticks)}"
        )
        return PositionChange.of("opened" if opened else "grew", position, text, origin, alarm=stranger)

    def _shrink(self, position: Position, fill: Fill, lots: int, fee: Decimal, origin: Origin) -> PositionChange:
        position.fees_usdt += fee
        if position.state is PositionState.OPEN:
            position.reason = (
                executions.FORCED.get(fill.exec_kind, "") or _STOPS.get(fill.stop_kind, "") or position.reason
            )
        ours = is_ours(fill.client_id) or fill.stop_kind in _STOPS
        position.external |= not ours
        instrument = position.instrument
        position.reduce(instrument.price(fill.ticks), lots, origin)
        text = f"closed {instrument.qty_text(lots)} at {instrument.price_text(fill.ticks)}"
        if position.lots:
            return PositionChange.of("reduced", position, text, origin, alarm=not ours)
        return self._finish(position, text, origin, estimated=False)

    def _finish(self, position: Position, text: str, origin: Origin, *, estimated: bool) -> PositionChange:
        trade = position.closed(origin, estimated=estimated)
        del self._open[position.key]
        text = f"{text}; {trade.reason}, net {trade.net_usdt:.4f} USDT"
        return PositionChange.of("closed", position, text, origin, closed=trade, alarm=trade.external)

    def _cash(self, fill: Fill, key: Key, origin: Origin) -> PositionChange:
        position = self._open.get(key)
        what = "funding" if fill.exec_kind == "Funding" else "fee"
        if position is not None and what == "funding":
            position.funding_usdt += fill.fee_usdt
        elif position is not None:
            position.fees_usdt += fill.fee_usdt
        text = f"{what} {fill.fee_usdt} USDT"
        if position is not None:
            return PositionChange.of("cash", position, text, origin)
        return PositionChange("cash", fill.symbol, text, origin.trace)

    def _late(self, fill: Fill, key: Key, origin: Origin) -> PositionChange:
        """An execution that a corrected quantity contains: what it closed was made all the same."""
        position = self._open.get(key)
        if position is not None and position.lots * fill.side.sign < 0:
            position.realise(position.instrument.price(fill.ticks), fill.closed_lots)
        return self._cash(fill, key, origin)

    def _prove(self, key: Key, report: PositionReport, origin: Origin) -> list[PositionChange]:
        """Take stop, liquidation and mark of a report that speaks of the same side; another stop is told."""
        position = self._open.get(key)
        if position is None or report.lots == 0 or position.lots * report.lots < 0:
            return []
        before, warning = position.stop_ticks, position.prove(report, origin.at_ms)
        found = [PositionChange.of("adl", position, warning, origin, alarm=True)] if warning else []
        now = position.stop_ticks
        if now == before or not position.is_open:
            return found
        text = "the exchange shows no stop any more" if now is None else "stop read back at "
        text += "" if now is None else position.instrument.price_text(now)
        return [*found, PositionChange.of("stop", position, text, origin, alarm=now is None)]

    def _settle(self, key: Key, origin: Origin, patience_ms: int) -> list[PositionChange]:
        word, position = self._words[key], self._open.get(key)
        held = position.lots if position else 0
        if position is None and self._ignore:
            held = word.report.lots
        if held == word.report.lots or (patience_ms and behind(word.report, self._last_fill.get(key))):
            word.differs_ms = None
            return []
        word.differs_ms = origin.at_ms if word.differs_ms is None else word.differs_ms
        smaller = abs(word.report.lots) < abs(held) and word.report.lots * held >= 0
        if origin.at_ms - word.differs_ms < (UNSEEN_MS if patience_ms and smaller else patience_ms):
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
        position.foreign |= not known
        before = position.lots
        position.correct(report, origin)
        self._prove(key, report, origin)
        instrument = position.instrument
        text = (
            f"the exchange holds {instrument.qty_text(report.lots)}, we had {instrument.qty_text(before)}; taken over"
        )
        changes.append(PositionChange.of("corrected" if known else "adopted", position, text, origin, alarm=True))
        return changes

    def _close_unseen(self, position: Position, report: PositionReport, origin: Origin) -> PositionChange:
        """Flat at the venue, the closing fills never seen: closed at the last known mark, marked as estimated."""
        position.reason = position.reason or "closed externally"
        position.external |= position.state is not PositionState.CLOSING
        self._unseen[position.key] = None
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
        return contains(self._corrected.get(key), fill)

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
