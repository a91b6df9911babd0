"""A book restored from a checkpoint and what came after is the book restored from everything."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from breakwall.model.events import Account, Command, CommandKind, Fills, OrderReports, PositionReports, WalletReport
from breakwall.model.journal import EntryKind, JournalEntry
from breakwall.model.units import Side
from breakwall.settings import Settings
from breakwall.trading.blotter import Blotter
from breakwall.trading.origin import Origin
from breakwall.trading.reconcile.checkpoint import Checkpoint, is_empty, ready_ms
from breakwall.trading.reconcile.restore import account_of, restore, unfinished

T0 = 1_000_000
MINUTE = 60_000
_encode = msgspec.json.Encoder().encode


class Trader:
    """Trades one round trip a minute and writes what the core would write, without notes."""

    def __init__(self, make):
        self.make, self.entries, self.seq, self.at_ms, self.trades = make, [], 0, T0, 0

    def write(self, kind, struct, symbol="", client_id=""):
        self.seq, self.at_ms = self.seq + 1, self.at_ms + 100
        body = _encode(struct).decode()
        self.entries.append(JournalEntry(1, self.seq, self.at_ms, kind, body, symbol, client_id))

    def event(self, event):
        self.write(EntryKind.EVENT, event)

    def intent(self, intent):
        self.write(EntryKind.INTENT, intent, intent.symbol, intent.client_id)

    def trade(self, exit_ticks, filled=True):
        """In at 600,000 and out at `exit_ticks`; not `filled`: the entry ends without a fill."""
        make, number = self.make, self.trades = self.make, self.trades + 1
        entry, out, at = f"bw-1-{number}-e", f"bw-1-{number}-x", 10 * number
        self.intent(make.entry(entry))
        if not filled:
            self.event(OrderReports((make.report("Cancelled", client_id=entry),)))
            return
        self.event(OrderReports((make.report("Filled", 10, client_id=entry),)))
        self.event(Fills((make.fill(f"e{number}", client_id=entry, seq=at, at_ms=self.at_ms),)))
        self.event(PositionReports((make.position_report(10, seq=at, updated_ms=self.at_ms),)))
        self.intent(make.exit(out))
        self.event(OrderReports((make.report("Filled", 10, client_id=out, side=Side.SELL, reduce_only=True),)))
        fill = make.fill(f"x{number}", 10, exit_ticks, Side.SELL, client_id=out, order_id=f"v-{out}", seq=at + 1)
        self.event(Fills((replace(fill, closed_lots=10, at_ms=self.at_ms),)))
        self.event(PositionReports((make.position_report(0, None, seq=at + 1, updated_ms=self.at_ms),)))
        self.event(WalletReport(make.wallet(10_000 + self.at_ms % 7)))

    def restored(self, entries):
        origin = Origin(2, 1, self.at_ms + MINUTE)
        return restore(entries, self.make.instruments, Settings(), origin)

    def checkpoint(self):
        """As the core would take it now."""
        book = self.restored(self.entries)
        taken = Checkpoint(
            run=1, seq=self.seq, at_ms=self.at_ms, ready_ms=ready_ms(book.blotter), account_id="42",
            armed=not book.safe, safe=book.safe, panicked=book.panicked,
            breaker=book.blotter.breaker.memory(), wallet=book.blotter.wallet,
            instruments=tuple(self.make.instruments.values()),
        )  # fmt: skip
        body = _encode(taken).decode()
        return JournalEntry(1, self.seq, self.at_ms, EntryKind.CHECKPOINT, body), len(self.entries)


def essence(restored):
    """All that decides what happens next."""
    blotter = restored.blotter
    positions = [
        (held.symbol, held.lots, held.entry, held.plan, held.fees_usdt, held.held_stop_ticks, held.state)
        for held in blotter.positions
    ]
    orders = [(order.client_id, order.state, order.filled_lots) for order in blotter.orders.open()]
    people = restored.safe, restored.panicked, [(wish.kind, wish.symbol) for wish in restored.wishes]
    return positions, orders, people, blotter.breaker.memory(), blotter.wallet, restored.unread


TRADES = st.lists(st.tuples(st.integers(598_000, 602_000), st.booleans()), max_size=8)
WORDS = st.lists(
    st.sampled_from([CommandKind.ARM, CommandKind.DISARM, CommandKind.PAUSE, CommandKind.RESUME]), max_size=3
)


@given(before=TRADES, words=WORDS, after=TRADES, pause_min=st.integers(0, 2_000), cut=st.integers(0, 200))
@settings(max_examples=60, deadline=None)
def test_the_checkpoint_and_its_tail_are_as_good_as_everything(make, before, words, after, pause_min, cut):
    trader = Trader(make)
    trader.event(WalletReport(make.wallet()))
    for exit_ticks, filled in before:
        trader.trade(exit_ticks, filled)
        trader.at_ms += MINUTE
    for word in words:
        trader.event(Command(word, who="person"))
    checkpoint, place = trader.checkpoint()
    trader.at_ms += pause_min * MINUTE
    for exit_ticks, filled in after:
        trader.trade(exit_ticks, filled)
        trader.at_ms += MINUTE
    trader.event(Command(CommandKind.FLATTEN, who="person"))
    tail = trader.entries[place:][: cut or None]
    whole = trader.restored([*trader.entries[:place], *tail])
    short = trader.restored([checkpoint, *tail])
    assert essence(short) == essence(whole)
    assert set(unfinished([checkpoint, *tail])) <= set(unfinished([*trader.entries[:place], *tail]))


def test_only_an_empty_book_is_a_place_to_begin_from(make):
    trader = Trader(make)
    trader.trade(600_500)
    assert is_empty(trader.restored(trader.entries).blotter)
    assert not is_empty(trader.restored(trader.entries[:1]).blotter)
    assert not is_empty(trader.restored(trader.entries[:4]).blotter)


def test_it_is_ready_when_no_execution_of_what_it_leaves_out_can_still_come(make):
    trader = Trader(make)
    assert ready_ms(Blotter(Settings(), make.instruments)) == 0
    trader.trade(600_500)
    last = max(order.since_ms for order in trader.restored(trader.entries).blotter.orders)
    assert ready_ms(trader.restored(trader.entries).blotter) == last + 10 * MINUTE


def test_a_checkpoint_in_the_middle_of_what_is_read_is_passed_over(make):
    trader = Trader(make)
    trader.trade(600_500)
    checkpoint, _ = trader.checkpoint()
    entries = [*trader.entries, checkpoint]
    assert essence(trader.restored(entries)) == essence(trader.restored(trader.entries))


@pytest.mark.parametrize("damage", [{"body": "{}"}, {"body": '{"run":1'}, {"sound": False}])
def test_a_checkpoint_that_cannot_be_read_is_told(make, damage):
    trader = Trader(make)
    checkpoint, _ = trader.checkpoint()
    assert len(trader.restored([replace(checkpoint, **damage)]).unread) == 1


def test_the_journal_knows_whose_it_is(make):
    trader = Trader(make)
    checkpoint, _ = trader.checkpoint()
    trader.event(Account("43", Decimal("0.0005"), Decimal("0.0002")))
    assert (account_of([]), account_of([checkpoint]), account_of([checkpoint, *trader.entries])) == ("", "42", "43")
    assert account_of([replace(trader.entries[0], body='{"type":"Account"')]) == ""
