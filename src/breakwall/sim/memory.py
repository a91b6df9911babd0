"""I9: what the journal tells, read again, is what the living program has in mind."""

from collections.abc import Iterator

from breakwall.engine.loop import Engine
from breakwall.storage.journal import InlineJournal
from breakwall.trading.blotter import Blotter
from breakwall.trading.origin import Origin
from breakwall.trading.reconcile.restore import restore

Held = dict[str, tuple[int, str, str]]


def unlike_the_journal(engine: Engine, journal: InlineJournal, *, timeless: bool = False) -> Iterator[str]:
    """In words, what differs; empty once all that was decided is on the disk.

    `timeless`: the host's clock was wrong, so that nobody can tell from the journal how long ago an order was asked
    after; it may hold more orders in doubt then. Marks, proofs and clocks are not compared: a start asks the exchange
    for them anyway.
    """
    live = engine.core.blotter
    origin = Origin(engine.run_number, 0, engine.clock.now_ms())
    read = restore(journal.read(), live.instruments, engine.settings, origin)
    yield from (f"the journal cannot be read: {problem}" for problem in read.unread)
    held, told = _held(live), _held(read.blotter)
    if held != told:
        yield f"positions: {held} in memory, {told} by the journal"
    working, doubted = _open(live), _open(read.blotter)
    if working != doubted and not (timeless and set(working) < set(doubted)):
        yield f"open orders: {working} in memory, {doubted} by the journal"


def _held(blotter: Blotter) -> Held:
    """Lots, entry price and the order that opened it, by symbol."""
    return {
        position.symbol: (position.lots, f"{position.entry:.8f}", position.entry_id)
        for position in blotter.positions.held()
    }


def _open(blotter: Blotter) -> list[str]:
    return sorted(order.client_id for order in blotter.orders if order.intent is not None and order.is_open)
