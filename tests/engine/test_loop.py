"""The engine when its core fails: no entries, but what protects still leaves, and a start that fails is the end."""

import asyncio
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from breakwall.clock import SystemClock
from breakwall.engine import booking
from breakwall.engine.inbox import Inbox
from breakwall.engine.loop import Engine
from breakwall.engine.state import State
from breakwall.engine.supervise import GaveUp
from breakwall.model.actions import Action, Approved, MoveStop, Note, PlaceOrder
from breakwall.model.events import (
    Account,
    Event,
    Instruments,
    OrderAnswer,
    Outcome,
    OutcomeKind,
    PositionReport,
    ReadBack,
    Wallet,
)
from breakwall.model.units import Instrument
from breakwall.ports import ApprovedIntent, Frame
from breakwall.settings import Settings
from breakwall.storage.journal import InlineJournal
from tests.patience import until

BTC = Instrument("BTCUSDT", Decimal("0.1"), Decimal("0.001"), 1, 1_000_000, 100_000, price_decimals=1)
NAKED = PositionReport(
    "BTCUSDT", 10, Decimal(60_000), None, None, Decimal(60_000), Decimal(54_000), Decimal(10), updated_ms=5
)


class Venue:
    """A broker with one naked position, and a feed that says nothing."""

    def __init__(self) -> None:
        self.sent: list[object] = []
        self.acted = asyncio.Event()

    async def prepare(self, symbols: Iterable[str], held: Iterable[str] = ()) -> tuple[Account, Instruments]:
        return Account("1", Decimal("0.00055"), Decimal("0.0002")), Instruments((BTC,))

    async def execute(self, approved: ApprovedIntent) -> Outcome:
        self.sent.append(approved.intent)
        self.acted.set()
        return Outcome("place", "BTCUSDT", approved.intent.client_id, OutcomeKind.REJECTED)

    async def query(self, client_id: str, symbol: str) -> OrderAnswer:
        return OrderAnswer(client_id, symbol, None)

    async def read_back(self, purpose: str, since_ms: int) -> ReadBack:
        wallet = Wallet(Decimal(10_000), Decimal(10_000), Decimal(10_000))
        return ReadBack((), (NAKED,), (), wallet, SystemClock().now_ms(), purpose)

    async def run(self) -> None:
        await asyncio.Event().wait()

    def subscribe(self, symbols: Mapping[str, int]) -> None: ...

    def resubscribe(self, symbol: str, depth: int = 0) -> None: ...


class Silence:
    """A recorder that keeps nothing."""

    def event(self, seq: int, at_ms: int, event: Event, frame: Frame | None) -> None: ...

    def actions(self, seq: int, actions: Iterable[object]) -> None: ...

    async def close(self) -> None: ...


async def engine(venue: Venue, notes: list[Note], folder: Path) -> Engine:
    clock, journal = SystemClock(), InlineJournal(folder / "journal.db")
    remembered = await journal.open()
    return Engine(
        settings=Settings(symbols=("BTCUSDT",)),
        mode="TEST",
        run=1,
        remembered=remembered,
        clock=clock,
        inbox=Inbox(clock, 1_000),
        feed=venue,
        broker=venue,
        journal=journal,
        recorder=Silence(),
        say=lambda note, at_ms: notes.append(note),
        venue_offset_ms=lambda: 0.0,
        reset_api=lambda group: None,
    )


def fail(*_: object) -> None:
    raise ZeroDivisionError("a bug")


@pytest.mark.asyncio
async def test_a_failing_part_halts_entries_and_what_protects_still_leaves(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    venue, notes = Venue(), list[Note]()
    breakwall = await engine(venue, notes, tmp_path)
    rescued = breakwall.core.rescued
    saved: list[object] = []

    def note_rescued() -> list[Action]:
        saved.extend(action.intent for action in rescued() if isinstance(action, Approved))
        return rescued()

    def fail_with_a_close_decided(state: State) -> None:
        if any(isinstance(action, Approved) for action in state.out):
            fail()

    monkeypatch.setattr(breakwall.core, "rescued", note_rescued)
    monkeypatch.setattr(booking, "on_tick", fail_with_a_close_decided)
    await breakwall.start()
    while not saved:
        await asyncio.wait_for(venue.acted.wait(), 60)
        await asyncio.sleep(0.01)
    await until(lambda: set(saved) <= set(venue.sent) and any(note.kind == "task-failed" for note in notes))
    await until(lambda: breakwall.view().trading_state == "HALTED")
    assert all(isinstance(sent, MoveStop) or (isinstance(sent, PlaceOrder) and sent.reduce_only) for sent in saved)
    assert "a bug" in next(note.text for note in notes if note.kind == "task-failed")
    await breakwall.close()


@pytest.mark.asyncio
async def test_a_start_that_fails_is_the_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    venue = Venue()
    breakwall = await engine(venue, [], tmp_path)
    monkeypatch.setattr(breakwall.core, "on_event", fail)
    await breakwall.start()
    with pytest.raises(GaveUp, match=r"the start failed: .*a bug"):
        await asyncio.wait_for(breakwall.run(), 60)
    assert venue.sent == []
    await breakwall.close()
