"""A diary: a living book and the journal that the core would write of it; a look at the account after a restart."""

from decimal import Decimal

import msgspec
import pytest

from breakwall.model.events import (
    Command,
    CommandKind,
    Fills,
    OrderReports,
    Outcome,
    OutcomeKind,
    PositionReports,
    ReadBack,
    WalletReport,
)
from breakwall.model.journal import EntryKind, JournalEntry
from breakwall.settings import Settings
from breakwall.trading.blotter import Blotter
from breakwall.trading.origin import Origin
from breakwall.trading.reconcile.differences import Policy, examine
from breakwall.trading.reconcile.restore import restore

T0 = 1_000_000
BORN = T0 + 5_000
"""When the next run, number 2, begins."""
HALF_AN_HOUR = 30 * 60_000


class Diary:
    """Feeds a live book of run 1 and writes the journal that the core would write."""

    def __init__(self, make):
        self.make, self.live, self.entries = make, Blotter(Settings(), make.instruments), []

    def write(self, kind, struct, seq):
        symbol = getattr(struct, "symbol", "")
        self.entries.append(JournalEntry(1, seq, T0 + seq, kind, msgspec.json.encode(struct).decode(), symbol))

    def intent(self, intent, seq):
        self.live.decided(intent, self.make.origin(seq, T0 + seq))
        self.write(EntryKind.INTENT, intent, seq)

    def event(self, event, seq):
        changes = self.live.apply(event, self.make.origin(seq, T0 + seq))
        for change in changes:
            self.write(EntryKind.NOTE, change.note, seq)
        self.write(EntryKind.EVENT, event, seq)
        return changes

    def restored(self, cut=None, **sections):
        settings = self.make.settings(**sections)
        return restore(self.entries[:cut], self.make.instruments, settings, self.make.origin(1, BORN, 2))


class Look:
    """An account being read, again and again, into one book; each reading is judged."""

    def __init__(self, make, blotter, foreign="adopt"):
        self.make, self.blotter, self.foreign = make, blotter, foreign
        self.seq, self.now, self.earlier = 1, BORN, ()

    def read(self, orders=(), positions=(), fills=(), purpose="start", after_ms=2_000):
        """The findings of one reading."""
        self.seq, self.now = self.seq + 1, self.now + after_ms
        answer = ReadBack(tuple(orders), tuple(positions), tuple(fills), self.make.wallet(), self.now, purpose)
        origin = Origin(2, self.seq, self.now + 100)
        changes = self.blotter.apply(answer, origin)
        policy = Policy(self.foreign, HALF_AN_HOUR, BORN, Decimal(10))
        findings = examine(self.blotter, answer, changes, policy, origin, self.earlier)
        assert examine(self.blotter, answer, changes, policy, origin, self.earlier) == findings
        self.earlier = findings.differences
        return findings

    def told(self, *args, **words):
        """Kinds and acts of one reading."""
        return {difference.kind: difference.act for difference in self.read(*args, **words).differences}


@pytest.fixture(scope="session")
def make_diary(make):
    return lambda: Diary(make)


@pytest.fixture(scope="session")
def make_look(make):
    return lambda blotter, foreign="adopt": Look(make, blotter, foreign)


@pytest.fixture
def diary(make):
    """An entry, filled and protected; then a breaker halt by a person."""
    diary = Diary(make)
    diary.event(WalletReport(make.wallet()), 1)
    diary.intent(make.entry(), 2)
    diary.event(Outcome("place", "BTCUSDT", "bw-1-1-e", OutcomeKind.CONFIRMED, order_id="v-bw-1-1-e"), 3)
    diary.event(OrderReports((make.report("Filled", 10),)), 4)
    diary.event(Fills((make.fill("e1", seq=10),)), 5)
    diary.event(PositionReports((make.position_report(10, seq=10),)), 6)
    diary.event(Command(CommandKind.HALT), 7)
    return diary
