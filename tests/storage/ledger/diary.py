"""A journal made by hand: one trade from its signal to its result, as the engine writes it."""

import json
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import select

from breakwall.model.actions import CancelOrder, MoveStop, Note, OrderKind, PlaceOrder, Plan, TimeInForce
from breakwall.model.events import (
    Event,
    Fill,
    Fills,
    Instruments,
    OrderReport,
    OrderReports,
    Outcome,
    OutcomeKind,
    SettingsChanged,
)
from breakwall.model.ids import ClientId, trace
from breakwall.model.journal import EntryKind, JournalEntry
from breakwall.model.records import ClosedTrade, OrderStep, PositionStep, Record, SignalContext
from breakwall.model.units import Instrument, Side
from breakwall.settings import Settings
from breakwall.storage.ledger.columns import METADATA
from breakwall.storage.ledger.inline import InlineLedger

RUN = 1_795_190_830
START_MS = 1_795_190_830_000
IDENTITY = {"venue": "bybit", "environment": "embedded"}
SYMBOL = "SOLUSDT"
SOL = Instrument(SYMBOL, Decimal("0.01"), Decimal("0.1"), 1, 100_000, 100_000)


def encoded(thing: object) -> str:
    return msgspec.json.encode(thing).decode()


class Diary:
    """Writes entries the way the engine does; each call is one event of the run."""

    def __init__(self, run: int = RUN) -> None:
        self.run = run
        self.seq = 0
        self.entries: list[JournalEntry] = []

    @property
    def now(self) -> int:
        return START_MS + 1_000 * self.seq

    @property
    def trace(self) -> str:
        return trace(self.run, self.seq)

    def happens(self, event: Event | None = None) -> None:
        self.seq += 1
        if event is not None:
            self.entries.append(JournalEntry(self.run, self.seq, self.now, EntryKind.EVENT, encoded(event)))

    def intends(self, intent: PlaceOrder | CancelOrder | MoveStop) -> None:
        entry = JournalEntry(
            self.run,
            self.seq,
            self.now,
            EntryKind.INTENT,
            encoded(intent),
            intent.symbol,
            intent.client_id,
            intent.trace,
        )
        self.entries.append(entry)

    def notes(self, kind: str, text: str, record: Record | None = None, client_id: str = "") -> None:
        note = Note(kind, text, "info", SYMBOL, self.trace, client_id, durable=True, record=record)
        entry = JournalEntry(
            self.run, self.seq, self.now, EntryKind.NOTE, encoded(note), SYMBOL, client_id, self.trace
        )
        self.entries.append(entry)

    def starts(self) -> None:
        self.happens(SettingsChanged(Settings().model_dump_json(by_alias=True), self.run))
        self.happens(Instruments((SOL,)))

    def steps(self, client_id: str, before: str, after: str, cause: str, filled: int, lots: int) -> None:
        self.notes("order", "", OrderStep(client_id, "x-1", before, after, cause, filled, lots), client_id)

    def stands(self, what: str, lots: int, entry_id: str, text: str = "", stop: str | None = "149.73") -> None:
        qty = lots * SOL.lot
        held = None if stop is None else Decimal(stop)
        step = PositionStep(what, lots, qty, Decimal("149.51"), held, "breakout", entry_id, START_MS)
        self.notes("position", text or what, step)

    def signals(self, client_id: str, refused_by: str = "") -> None:
        context = SignalContext(
            strategy="breakout",
            side="Sell",
            strength=0.25,
            price=Decimal("149.52"),
            stop=Decimal("149.73"),
            target=Decimal("146.53"),
            qty=Decimal("33.2"),
            spread=Decimal("0.01"),
            imbalance=-0.92,
            indicators={"slope": -1.68},
            reasons=("a wall is eaten", "trend down"),
            checks=(("symbol enabled", True, ""), ("balance", not refused_by, "too little" if refused_by else "")),
            refused_by=refused_by,
            reason="too little" if refused_by else "",
        )
        self.notes("signal", "breakout sell", context, client_id)

    def trades(self) -> str:
        """A short of 332 lots: signal, entry, fill, stop to breakeven, stopped out. Returns the entry's client id."""
        self.happens()
        entry_id, asked = ClientId(self.run, self.seq, "e").text, self.trace
        self.signals(entry_id)
        plan = Plan("breakout", 7, Side.BUY, 14_950, 14_948, 14_952, 14_973, 14_653)
        self.intends(
            PlaceOrder(
                entry_id,
                asked,
                SYMBOL,
                self.now,
                "breakout: a wall is eaten",
                Side.SELL,
                OrderKind.LIMIT,
                332,
                TimeInForce.IOC,
                14_944,
                stop_ticks=14_973,
                plan=plan,
            )
        )
        self.happens()
        self.steps(entry_id, "PENDING", "SENT", "sent", 0, 332)
        self.happens(fills("t-1", entry_id, Side.SELL, 14_951, 332, "2.73", self.now))
        self.steps(entry_id, "SENT", "FILLED", "full", 332, 332)
        self.stands("opened", -332, entry_id, stop=None)
        self.happens(report("x-2", "", "Untriggered", stop_kind="StopLoss", lots=332))
        self.happens(Outcome("place", SYMBOL, entry_id, OutcomeKind.CONFIRMED, order_id="x-1"))
        self.happens()
        self.stands("stop", -332, entry_id)
        self.happens()
        stop_id = ClientId(self.run, self.seq, "s").text
        self.intends(MoveStop(stop_id, self.trace, SYMBOL, self.now, "breakeven", 14_934))
        self.happens(Outcome("stop", SYMBOL, stop_id, OutcomeKind.CONFIRMED))
        self.stands("stop", -332, entry_id, stop="149.34")
        self.happens(fills("t-2", "", Side.BUY, 14_936, 332, "2.72", self.now, order_id="x-2", stop_kind="StopLoss"))
        self.stands("closed", 0, entry_id, stop="149.34")
        self.notes("closed-trade", "made", closed(entry_id, asked), entry_id)
        self.happens(report("x-2", "", "Filled", stop_kind="StopLoss", lots=332, updated_ms=9))
        return entry_id


def fills(
    exec_id: str, client_id: str, side: Side, ticks: int, lots: int, fee: str, at_ms: int, **more: Any
) -> Fills:
    order_id = more.pop("order_id", "x-1")
    return Fills((Fill(exec_id, order_id, client_id, SYMBOL, side, ticks, lots, Decimal(fee), at_ms, **more),))


def report(order_id: str, client_id: str, status: str, lots: int = 10, **more: Any) -> OrderReports:
    told = OrderReport(order_id, client_id, SYMBOL, Side.BUY, status, lots, 0, trigger_ticks=14_973, **more)
    return OrderReports((told,))


def closed(entry_id: str, asked: str, reason: str = "stop") -> ClosedTrade:
    return ClosedTrade(
        symbol=SYMBOL,
        strategy="breakout",
        side=Side.SELL,
        lots=332,
        entry=Decimal("149.51"),
        exit=Decimal("149.36"),
        gross_usdt=Decimal("4.98"),
        fees_usdt=Decimal("5.45"),
        funding_usdt=Decimal(0),
        net_usdt=Decimal("-0.47"),
        reason=reason,
        external=False,
        estimated=False,
        opened_ms=START_MS,
        closed_ms=START_MS + 60_000,
        best=Decimal("0.9"),
        worst=Decimal("-0.02"),
        entry_id=entry_id,
        trace=asked,
        qty=Decimal("33.2"),
        planned_entry=Decimal("149.52"),
        planned_stop=Decimal("149.73"),
        planned_target=Decimal("146.53"),
    )


def dump(ledger: InlineLedger) -> dict[str, list[str]]:
    """Everything in the books."""
    with ledger.read() as books:
        return {
            name: sorted(json.dumps(list(row), default=str) for row in books.connection.execute(select(table)))
            for name, table in METADATA.tables.items()
        }
