"""What a strategy says: trade this wall, from here, with this stop, to there."""

from msgspec import Struct

from breakwall.model.actions import Plan
from breakwall.model.units import Side


class Signal(Struct, frozen=True):
    """A wish, not an order: it still has to pass the ten checks, sizing and the last gate.

    Prices are ticks. `side` is the side of the entry, `wall_side` Side.BUY for a wall of bids;
    `entry_ticks` is the price an aggressive order would get now; `strength` 0..1 is an indicator and
    sizes nothing. `reasons` are plain words, most important first. `imbalance` (of aggressive trades, -1..1) and
    `indicators` (by name, finite) are what else the strategy saw: for the books, nothing is decided on them again.
    """

    strategy: str
    symbol: str
    side: Side
    wall_id: int
    wall_side: Side
    wall_near_ticks: int
    wall_far_ticks: int
    entry_ticks: int
    stop_ticks: int
    target_ticks: int
    strength: float
    at_ms: int
    trace: str
    reasons: tuple[str, ...]
    imbalance: float | None = None
    indicators: dict[str, float] = {}

    @property
    def key(self) -> tuple[str, str, int]:
        """What "processed before" means: one signal per symbol, strategy and wall."""
        return (self.symbol, self.strategy, self.wall_id)

    @property
    def stop_distance(self) -> int:
        """Ticks from the entry to the stop; negative when the stop lies on the wrong side."""
        return self.side.sign * (self.entry_ticks - self.stop_ticks)

    @property
    def target_distance(self) -> int:
        """Ticks from the entry to the target; negative when the target lies on the wrong side."""
        return self.side.sign * (self.target_ticks - self.entry_ticks)

    def plan(self) -> Plan:
        """How the position will be managed: travels with the entry's intent into the journal."""
        return Plan(
            strategy=self.strategy,
            wall_id=self.wall_id,
            wall_side=self.wall_side,
            wall_near_ticks=self.wall_near_ticks,
            wall_far_ticks=self.wall_far_ticks,
            entry_ticks=self.entry_ticks,
            stop_ticks=self.stop_ticks,
            target_ticks=self.target_ticks,
        )
