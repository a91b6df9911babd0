"""`adlAlert.USDT`: how full the insurance funds are, each second. Source: Bybit v5 adl-alert page.

The funds here never shrink: nobody but the account is ever liquidated.
"""

from collections.abc import Mapping

from breakwall.venues.exchange.listing import Listing
from breakwall.venues.exchange.topics import Paced

ADL_TOPIC = "adlAlert.USDT"
_PERIOD_MS = 1000
_FUND = {
    "c": "USDT",
    "b": "10000000",
    "mb": "10000000",
    "i_pr": "-0.3",
    "pr": "0",
    "adl_tt": "10000",
    "adl_sr": "-0.25",
}


class AdlTopic(Paced):
    """One row for each contract."""

    __slots__ = ("_listings",)

    def __init__(self, listings: Mapping[str, Listing]) -> None:
        super().__init__(ADL_TOPIC, next(iter(listings.values())), _PERIOD_MS)
        self._listings = listings

    def _update(self, now_ms: int) -> None:
        self.tell(self.readers, self._snapshot(now_ms))

    def _snapshot(self, now_ms: int) -> dict[str, object]:
        rows = [{"s": symbol, **_FUND} for symbol in self._listings]
        return {"topic": ADL_TOPIC, "type": "snapshot", "ts": now_ms, "data": rows}
