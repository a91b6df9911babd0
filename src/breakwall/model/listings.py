"""What a venue lists, and which of it was made ready to be traded while we run."""

from decimal import Decimal

from msgspec import Struct

from breakwall.model.units import Instrument


class Listed(Struct, frozen=True, array_like=True):
    """One contract of the venue and its last 24 hours: `change` is a fraction, `launched_ms` 0 where nobody knows.

    `tradable` as `Instrument.tradable`; bid and ask None: an empty side. As a list in JSON: there are hundreds.
    """

    symbol: str
    turnover_usdt: Decimal
    change: Decimal
    bid: Decimal | None
    ask: Decimal | None
    tradable: bool = True
    kind: str = ""
    launched_ms: int = 0


class Listings(Struct, frozen=True, tag=True):
    """All contracts of the venue, looked at from time to time for the screener; empty with a `reason`: not read."""

    rows: tuple[Listed, ...]
    reason: str = ""


class Admitted(Struct, frozen=True, tag=True):
    """Contracts that were made ready to be traded while we run, with their rules, and why others were not."""

    instruments: tuple[Instrument, ...]
    refused: tuple[tuple[str, str], ...] = ()
