"""Which markets move: the best and the worst of the last 24 hours, out of all that the venue lists."""

from collections.abc import Iterable
from decimal import Decimal

from breakwall.model.listings import Listed
from breakwall.settings import ScreenerSettings

SLACK = 2
"""Who is in already may have so many times less turnover and wider spreads before it goes."""

OTHER_WORLDS = frozenset({"stock", "forex", "commodity"})
"""Kinds of contract that follow another world's hours and news."""

_DAY_MS = 86_400_000
_BP = 10_000


class Screener:
    """Ranks by change; who is in stays until it is more than `keep_ranks` beyond the last place.

    `chosen` is symbol -> change, gainers from the best on, then losers from the worst on.
    """

    __slots__ = ("chosen", "eligible", "listed")

    def __init__(self) -> None:
        self.chosen: dict[str, Decimal] = {}
        self.listed = self.eligible = 0

    def rank(self, rows: Iterable[Listed], settings: ScreenerSettings, venue_ms: int) -> None:
        """Choose anew from the whole list at `venue_ms`; of equal changes the larger turnover comes first."""
        rows = list(rows)
        fit = [row for row in rows if self._fits(row, settings, venue_ms)]
        self.listed, self.eligible = len(rows), len(fit)
        rising = sorted((row for row in fit if row.change > 0), key=lambda row: (-row.change, *_order(row)))
        falling = sorted((row for row in fit if row.change < 0), key=lambda row: (row.change, *_order(row)))
        self.chosen = {
            row.symbol: row.change
            for ranked, places in ((rising, settings.gainers), (falling, settings.losers))
            for row in self._seated(ranked, places, settings.keep_ranks)
        }

    def _seated(self, ranked: list[Listed], places: int, keep: int) -> list[Listed]:
        """All within the places, and who is in already from the next `keep` ones. Nobody without places."""
        stay = ranked[places : places + keep] if places else []
        return ranked[:places] + [row for row in stay if row.symbol in self.chosen]

    def _fits(self, row: Listed, settings: ScreenerSettings, venue_ms: int) -> bool:
        """Living, liquid, tight and old enough; a listing time of 0 is one that nobody remembers."""
        slack = SLACK if row.symbol in self.chosen else 1
        if not row.tradable or row.kind in OTHER_WORLDS or row.symbol in settings.exclude:
            return False
        if row.turnover_usdt * slack < settings.min_turnover_usdt:
            return False
        if row.launched_ms and venue_ms - row.launched_ms < settings.min_listed_days * _DAY_MS:
            return False
        if row.bid is None or row.ask is None or row.ask <= row.bid:
            return False
        spread_bp = 2 * _BP * (row.ask - row.bid) / (row.ask + row.bid)
        return spread_bp <= settings.max_spread_bp * slack


def _order(row: Listed) -> tuple[Decimal, str]:
    return -row.turnover_usdt, row.symbol
