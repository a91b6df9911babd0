"""One entry of the journal on its way into the books, and what things are called there."""

from typing import Any

from msgspec import Struct
from sqlalchemy import Table

from breakwall.model import ids
from breakwall.storage.ledger.batch import Batch
from breakwall.storage.ledger.memory import Memory

_ROWS = 1 << 31


class Line(Struct, frozen=True):
    """Where it stands (`source`), when it was written, which event caused it, and what is known before it."""

    source: int
    at_ms: int
    trace: str
    batch: Batch
    memory: Memory

    def history(self, table: Table, **values: Any) -> None:
        """A row of a history: what happened, and where the journal says so."""
        self.batch.add(table, {"source": self.source, **values})


def source_of(run: int, row: int) -> int:
    """Where in the journal something stands, as one number that grows as the journal does.

    Unique over all journals of an account: runs never repeat, rows never repeat within a journal.
    """
    return run * _ROWS + row


def order_key(client_id: str, order_id: str) -> str:
    """What an order is called in the books."""
    return client_id or f"#{order_id}"


def trace_of(client_id: str) -> str:
    """The trace id behind one of our client ids; empty for anybody else's."""
    parts = ids.parse(client_id)
    return "" if parts is None else ids.trace(parts.run, parts.seq)
