"""What one line of the journal is: enough to tell a run again and to take over after a crash."""

from enum import Enum

from msgspec import Struct


class EntryKind(Enum):
    """`event` private events and commands, `intent` what we decided to send, `note` state changes."""

    EVENT = "event"
    INTENT = "intent"
    NOTE = "note"


class JournalEntry(Struct, frozen=True):
    """`seq` is the event that caused it, `at_ms` the engine clock, `body` the JSON of the struct itself."""

    run: int
    seq: int
    at_ms: int
    kind: EntryKind
    body: str
    symbol: str = ""
    client_id: str = ""
    trace: str = ""
