"""Which symbols are followed, and which the screener wants followed."""

from breakwall.market.screener import Screener


class Roster:
    """`depths` are the levels of the book subscribed of each symbol followed; `ready` were made ready to be traded in
    this run. `read_ms` is when all markets were last looked at (0: never), `why` what was wrong with the newest try.
    `named` are those of the settings, `resting` symbols that are not asked for before a time: they are being made
    ready, or could not be.
    """

    __slots__ = ("depths", "named", "read_ms", "ready", "resting", "screener", "why")

    def __init__(self) -> None:
        self.depths: dict[str, int] = {}
        self.ready: set[str] = set()
        self.named: frozenset[str] = frozenset()
        self.screener = Screener()
        self.read_ms = 0
        self.why = ""
        self.resting: dict[str, int] = {}
