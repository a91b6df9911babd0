"""What every strategy is: market in, signal or nothing out."""

from typing import Protocol

from breakwall.market.state import Market
from breakwall.trading.signal import Signal

Key = tuple[str, str, int]


class Strategy(Protocol):
    """Looks at one market and may wish for one trade. Deterministic: no clock, no randomness, no I/O."""

    def look(self, market: Market, at_ms: int, trace: str) -> Signal | None:
        """The signal of this moment, or None. `trace` names the event that is being answered."""
        ...

    def again(self, key: Key, at_ms: int) -> None:
        """Allow a signal that was given before to be given again from `at_ms` on (its refusal may heal)."""
        ...
