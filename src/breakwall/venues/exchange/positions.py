"""One position of the account: what it holds, what guards it, what it is worth, when it is taken over.

Amounts are USDT `Decimal`. The maths is `breakwall.model.margin`.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from breakwall.model import margin
from breakwall.model.units import Instrument, Side, side_of
from breakwall.venues.exchange.order import ZERO, Order
from breakwall.venues.exchange.risk_tiers import Tier, tier_of

LONG_IDX, SHORT_IDX = 1, 2


@dataclass(slots=True, eq=False)
class Position:
    """One symbol's position, or one side of it in hedge mode (`idx` 1 long, 2 short): `lots` is signed.

    `stop`, `take_profit` and `trailing` are the live child orders for all of it, `partials` those for parts of it.
    `extra_margin` was added by hand; `entry` is the average price.
    """

    instrument: Instrument
    idx: int = 0
    leverage: Decimal = Decimal(10)
    lots: int = 0
    entry: Decimal = ZERO
    stop: Order | None = None
    take_profit: Order | None = None
    trailing: Order | None = None
    partials: list[Order] = field(default_factory=list)
    extra_margin: Decimal = ZERO
    auto_add: bool = False
    open_fees: Decimal = ZERO
    realised: Decimal = ZERO
    realised_ever: Decimal = ZERO
    status: str = "Normal"
    seq: int = -1
    created_ms: int = 0
    opened_ms: int = 0
    updated_ms: int = 0

    @property
    def sign(self) -> int:
        return (self.lots > 0) - (self.lots < 0)

    @property
    def side(self) -> Side:
        """Side of the position; only meaningful while it is not flat."""
        return side_of(self.lots)

    @property
    def qty(self) -> Decimal:
        return self.instrument.qty(abs(self.lots))

    @property
    def whole_legs(self) -> tuple[Order | None, ...]:
        """The child orders that are as large as the position."""
        return self.stop, self.take_profit, self.trailing

    @property
    def unprotected(self) -> bool:
        """Whether some of it stands without a stop; a trailing stop counts once it has a price."""
        if not self.lots or self.stop is not None:
            return False
        if self.trailing is not None and self.trailing.trigger_ticks:
            return False
        guarded = sum(leg.lots for leg in self.partials if leg.stop_kind == "PartialStopLoss")
        return guarded < abs(self.lots)

    def closes(self, side: Side) -> bool:
        """Whether an order of this side would make it smaller; in hedge mode it never makes it larger."""
        if self.idx:
            return (side is Side.SELL) == (self.idx == LONG_IDX)
        return self.lots * side.sign < 0

    def unrealised(self, mark: Decimal) -> Decimal:
        return margin.gross_pnl(self.sign, self.qty, self.entry, mark) if self.lots else ZERO

    def initial_margin(self, taker: Decimal) -> Decimal:
        if not self.lots:
            return ZERO
        return margin.initial_margin(self.sign, self.qty, self.entry, self.leverage, taker) + self.extra_margin

    def maintenance_margin(self, mark: Decimal, taker: Decimal) -> Decimal:
        if not self.lots:
            return ZERO
        reserve = margin.close_fee_reserve(self.sign, self.qty, self.entry, self.leverage, taker)
        tier = tier_of(self.instrument, self.qty * mark)
        return self.qty * mark * tier.maintenance - tier.deduction_usdt + reserve

    @property
    def tier(self) -> Tier:
        return tier_of(self.instrument, self.qty * self.entry)

    @property
    def liquidation(self) -> Decimal | None:
        """Mark price at which it is taken over while its margin is its own; None while flat."""
        if not self.lots:
            return None
        tier = self.tier
        return margin.liquidation_price(
            self.sign,
            self.entry,
            self.leverage,
            tier.maintenance,
            self.qty,
            self.extra_margin,
            tier.deduction_usdt,
        )

    @property
    def bankruptcy(self) -> Decimal:
        """The price at which all of its own margin is lost."""
        extra = self.sign * self.extra_margin / self.qty if self.lots else ZERO
        return margin.bankruptcy_price(self.sign, self.entry, self.leverage) - extra
