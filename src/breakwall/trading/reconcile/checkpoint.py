"""The book at a moment at which it was empty: where a restart may begin to read the journal.

Everything before that moment has ended: no position is held, no order is open, and none has closed so lately that
an execution of it may still come. What must outlive it is the breaker's memory and what people want.

A checkpoint with open positions would have to carry the plan, fills and history of each; a moment without any comes
by itself, and until then the journal's tail is read a little longer.
"""

from msgspec import Struct

from breakwall.model.events import Wallet
from breakwall.model.units import Instrument
from breakwall.trading.blotter import Blotter
from breakwall.trading.breaker.memory import Memory
from breakwall.trading.orders import KEEP_CLOSED_MS


class Checkpoint(Struct, frozen=True, tag=True):
    """All there was after event `seq` of run `run`; what was written later is to be read after it.

    `ready_ms` (engine time) is when even the latest order that it leaves out is too old for a late execution: only
    then may it be written. `account_id` is whose book it is, `safe` who made it SAFE and when.
    """

    run: int
    seq: int
    at_ms: int
    ready_ms: int
    account_id: str
    armed: bool
    panicked: str
    breaker: Memory
    wallet: Wallet | None
    instruments: tuple[Instrument, ...]
    safe: str = ""


def is_empty(blotter: Blotter) -> bool:
    """Whether nothing is held, on its way or in doubt."""
    return not list(blotter.positions) and not blotter.orders.open() and not blotter.positions.alone


def ready_ms(blotter: Blotter) -> int:
    """From when on no execution of the orders of an empty book can come any more."""
    return max((order.since_ms + KEEP_CLOSED_MS for order in blotter.orders), default=0)
