"""What one line of the journal is: enough to tell a run again and to take over after a crash."""

from enum import Enum

from msgspec import Struct

DAMAGED = "journal-damaged"
"""Kind of the note that an older journal was lost, the first one in a new file."""


class EntryKind(Enum):
    """`event` private events and commands, `intent` what we decided to send, `note` state changes, `checkpoint` the
    whole state at a moment at which nothing was held or in doubt.
    """

    EVENT = "event"
    INTENT = "intent"
    NOTE = "note"
    CHECKPOINT = "checkpoint"


class JournalEntry(Struct, frozen=True):
    """`seq` is the event that caused it, `at_ms` the engine clock, `body` the JSON of the struct itself.

    `sound` False: what was read is not what was written.
    """

    run: int
    seq: int
    at_ms: int
    kind: EntryKind
    body: str
    symbol: str = ""
    client_id: str = ""
    trace: str = ""
    sound: bool = True
