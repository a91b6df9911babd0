"""What a round trip costs, and which targets are worth it."""

from decimal import ROUND_CEILING, Decimal

from msgspec import Struct

from breakwall.model.units import Instrument, Side
from breakwall.settings import EntrySettings

_BP = Decimal(10_000)


class Costs(Struct, frozen=True):
    """Costs of one account. `taker_fee` and `slippage` are fractions; a taker round trip of 5.5 bp a
    side costs 11 bp before spread and slippage.
    """

    taker_fee: Decimal
    slippage: Decimal
    reward_to_cost: Decimal

    @classmethod
    def of(cls, entry: EntrySettings, taker_fee: Decimal) -> "Costs":
        return cls(taker_fee, Decimal(str(entry.slippage_bp)) / _BP, Decimal(str(entry.reward_to_cost)))

    def round_trip_ticks(self, entry_ticks: int, target_ticks: int, spread_ticks: int) -> Decimal:
        """Fees both ways, the spread and the slippage allowance, in ticks of price."""
        return self.taker_fee * (entry_ticks + target_ticks) + spread_ticks + self.slippage * entry_ticks

    def least_reward_ticks(self, entry_ticks: int, target_ticks: int, spread_ticks: int) -> int:
        """The smallest distance to the target that the cost gate lets through."""
        least = self.reward_to_cost * self.round_trip_ticks(entry_ticks, target_ticks, spread_ticks)
        return int(least.to_integral_value(ROUND_CEILING))

    def pays(self, side: Side, entry_ticks: int, target_ticks: int, spread_ticks: int) -> bool:
        """The cost gate: the target is at least `reward_to_cost` times the costs away."""
        reward = side.sign * (target_ticks - entry_ticks)
        return reward >= self.least_reward_ticks(entry_ticks, target_ticks, spread_ticks)

    def worst_entry_ticks(self, instrument: Instrument, side: Side, entry_ticks: int) -> int:
        """The worst price an entry may get: `slippage` from the signal, on the grid on the cautious side."""
        allowed = instrument.price(entry_ticks) * (1 + side.sign * self.slippage)
        limit = instrument.passive_ticks(allowed, side)
        return max(limit, entry_ticks) if side is Side.BUY else min(limit, entry_ticks)
