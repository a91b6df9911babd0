"""The words for what a venue's interface does: which endpoints fail together, whether they are to be asked, and what
a refusal bars.
"""

from enum import Enum

from msgspec import Struct


class ApiGroup(Enum):
    """Endpoints of a venue that fail together: sending and cancelling orders, moving stops, reading the account back,
    what is needed at the start, public facts. ALL: whatever there is.
    """

    ALL = "all"
    ORDERS = "orders"
    STOPS = "stops"
    ACCOUNT = "account"
    ADMISSION = "admission"
    MARKET = "market"


class ApiState(Enum):
    """CLOSED: requests flow. OPEN: none but protection, until its time. HALF-OPEN: one probe is out. BANNED: none."""

    CLOSED = "CLOSED"
    OPEN = "OPEN"
    HALF_OPEN = "HALF-OPEN"
    BANNED = "BANNED"


class Bars(Enum):
    """What the venue's answer to a command bars besides it: nothing, entries in its symbol or of the account for a
    while, or all entries until a person has looked (the key, the account, the region).
    """

    NOTHING = ""
    SYMBOL = "symbol"
    ACCOUNT = "account"
    PERSON = "person"


class ApiHealth(Struct, frozen=True, tag=True):
    """The API breaker of a group has changed; `until_ms` (engine time) ends OPEN and BANNED, `failures` in a row."""

    group: ApiGroup
    state: ApiState
    reason: str = ""
    until_ms: int | None = None
    failures: int = 0
