"""Where a result comes from: the price's move, slippage against the plan, fees, funding. The parts add up exactly."""

from collections.abc import Callable, Hashable, Iterable
from decimal import Decimal
from typing import TypeVar

from msgspec import Struct

ZERO = Decimal(0)
_GRAIN = Decimal("1e-8")
_MOST = Decimal("1e15")
"""More than any price or cash: sums of what is less stay exact within the 28 digits of a Decimal."""


class Trade(Struct, frozen=True):
    """What a report needs of a finished round trip; cash is USDT.

    Fees, funding and slippage are positive where they cost; slippage and `planned_stop` are None without a plan.
    `best` and `worst` are the largest profit and loss per coin that were seen on the way.
    Raises ValueError on figures that no trade can have: they come from a file that may be damaged.
    """

    symbol: str
    strategy: str
    side: str  # Buy, Sell: of the entry
    qty: Decimal
    entry: Decimal
    exit: Decimal
    fees_usdt: Decimal
    funding_usdt: Decimal
    net_usdt: Decimal
    planned_stop: Decimal | None
    entry_slippage_usdt: Decimal | None
    exit_slippage_usdt: Decimal | None
    best: Decimal
    worst: Decimal
    reason: str
    opened_ms: int
    closed_ms: int
    entry_id: str
    trace: str

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, Decimal) and not (value.is_finite() and abs(value) < _MOST):
                raise ValueError(f"{name}: expected a figure, found {value}")
        if self.opened_ms < 0:
            raise ValueError(f"opened_ms: expected a time, found {self.opened_ms}")

    @property
    def risk_usdt(self) -> Decimal | None:
        """What it would have lost at the planned stop, before fees: R. None without a plan that says so."""
        if self.planned_stop is None:
            return None
        away = self.entry - self.planned_stop if self.side == "Buy" else self.planned_stop - self.entry
        return away * self.qty if away * self.qty > 0 else None

    @property
    def net_r(self) -> float | None:
        """The result as a multiple of the risk."""
        risk = self.risk_usdt
        return None if risk is None else float(self.net_usdt / risk)


class Parts(Struct, frozen=True):
    """What made a result, each as it acts on it: costs are negative, so that the four add up to `net_usdt`."""

    price_usdt: Decimal = ZERO
    slippage_usdt: Decimal = ZERO
    fees_usdt: Decimal = ZERO
    funding_usdt: Decimal = ZERO
    net_usdt: Decimal = ZERO

    def __add__(self, other: "Parts") -> "Parts":
        names = self.__struct_fields__
        return Parts(*(getattr(self, name) + getattr(other, name) for name in names))


class Share(Struct, frozen=True):
    """The trades of one strategy, symbol, side or hour (UTC, of the entry), and what made their result."""

    name: str
    trades: int
    parts: Parts


def parts_of(trade: Trade) -> Parts:
    """Cash is counted in 1e-8 USDT, so that no sum ever rounds; what nothing else explains is the price's move."""
    net, fees, funding = exact(trade.net_usdt), exact(trade.fees_usdt), exact(trade.funding_usdt)
    slippage = exact(trade.entry_slippage_usdt or ZERO) + exact(trade.exit_slippage_usdt or ZERO)
    return Parts(net + fees + funding + slippage, -slippage, -fees, -funding, net)


def together(trades: Iterable[Trade]) -> Parts:
    return sum(map(parts_of, trades), Parts())


K = TypeVar("K", bound=Hashable)


def grouped(trades: Iterable[Trade], key: Callable[[Trade], K]) -> dict[K, list[Trade]]:
    """Trades by key, in the order in which the keys first come."""
    groups: dict[K, list[Trade]] = {}
    for trade in trades:
        groups.setdefault(key(trade), []).append(trade)
    return groups


def shares(trades: Iterable[Trade], key: Callable[[Trade], str]) -> tuple[Share, ...]:
    """One share per key, in the order of the keys."""
    groups = sorted(grouped(trades, key).items())
    return tuple(Share(name, len(members), together(members)) for name, members in groups)


def exact(cash: Decimal) -> Decimal:
    """Cash in whole 1e-8 USDT."""
    return cash.quantize(_GRAIN)
