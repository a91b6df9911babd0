"""What every request and session of the exchange sees: the listed contracts, the account and its desk."""

from collections.abc import Mapping
from dataclasses import dataclass

from msgspec import Struct

from breakwall.venues.exchange.account import Account
from breakwall.venues.exchange.bulletin import Bulletin
from breakwall.venues.exchange.dead_man import DeadMan
from breakwall.venues.exchange.fields import bad, text
from breakwall.venues.exchange.limits import Limits
from breakwall.venues.exchange.listing import Listing
from breakwall.venues.exchange.order import is_count
from breakwall.venues.exchange.order_entry import OrderEntry
from breakwall.venues.exchange.order_log import OrderLog
from breakwall.venues.exchange.publisher import Publisher
from breakwall.venues.exchange.signing import Keys
from breakwall.venues.exchange.stop_entry import StopEntry


@dataclass(slots=True, frozen=True)
class Floor:
    """The trading floor of one exchange with one account."""

    listings: Mapping[str, Listing]
    account: Account
    log: OrderLog
    entry: OrderEntry
    stops: StopEntry
    publisher: Publisher
    keys: Keys
    limits: Limits
    dead_man: DeadMan
    bulletin: Bulletin


class Ask(Struct, frozen=True):
    """A request after the door: `params` from query or body, `now_ms` the exchange's time."""

    params: Mapping[str, object]
    now_ms: int

    def text(self, key: str) -> str:
        return text(self.params, key)

    def whole(self, key: str, default: int, lowest: int, highest: int) -> int:
        """An integer parameter; raises Refusal outside its range."""
        value = self.text(key)
        if not value:
            return default
        if not is_count(value) or not lowest <= int(value) <= highest:
            raise bad(f"params error: {key}: expected {lowest} to {highest}, found {value[:40]!r}")
        return int(value)
