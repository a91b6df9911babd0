"""Prices as integer ticks, sizes as integer lots, cash as `Decimal`.

One instrument knows its tick and lot; every other module carries plain integers and asks the
instrument when a number has to leave the program.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal, InvalidOperation
from enum import Enum
from functools import cached_property

from msgspec import Struct

_NINE_FIGURES = Context(prec=9)


class UnitError(ValueError):
    """A price or size that is not a number, or does not lie on the instrument's grid."""


class Side(Enum):
    """Side of an order or of a trade's taker; the values are Bybit v5's words."""

    BUY = "Buy"
    SELL = "Sell"

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sell."""
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> "Side":
        return Side.SELL if self is Side.BUY else Side.BUY


def side_of(signed: int) -> Side:
    """The side that would open a position of this sign."""
    return Side.BUY if signed > 0 else Side.SELL


def fixed(value: Decimal) -> str:
    """Plain decimal text without exponent and without trailing zeros ('0.1', '60000')."""
    text = format(value.normalize(), "f")
    return "0" if text in {"-0", ""} else text


def average(value: Decimal) -> str:
    """An average price as people read it: nine figures at most, its quotient may have many more."""
    return f"{_NINE_FIGURES.plus(value):f}"


class Instrument(Struct, frozen=True, dict=True):
    """One version of a linear perpetual's trading rules.

    Units: `tick` USDT per price step, `lot` coins per size step; `*_lots` are counts of lots;
    `maintenance_rate` and `price_limit_ratio` are fractions; 0 for `delivery_ms` and `launched_ms` is unknown.
    Source: `GET /v5/market/instruments-info`.
    """

    symbol: str
    tick: Decimal
    lot: Decimal
    min_lots: int
    max_lots: int
    max_market_lots: int
    min_notional_usdt: Decimal = Decimal(5)
    max_leverage: Decimal = Decimal(100)
    leverage_step: Decimal = Decimal("0.01")
    maintenance_rate: Decimal = Decimal("0.005")
    price_limit_ratio: Decimal = Decimal("0.01")
    funding_interval_min: int = 480
    price_decimals: int = 2
    status: str = "Trading"
    contract: str = "LinearPerpetual"
    quote: str = "USDT"
    settle: str = "USDT"
    kind: str = ""
    delivery_ms: int = 0
    launched_ms: int = 0
    version: int = 1

    @property
    def tradable(self) -> bool:
        """A living USDT perpetual that is not about to be delivered or closed."""
        return not self.unfit

    @property
    def unfit(self) -> str:
        """Why it is no such contract, in words; '' where it is."""
        if self.contract != "LinearPerpetual" or not self.quote == self.settle == "USDT":
            return (
                f"{self.contract or 'a contract of no kind'} in {self.quote or '?'}, settled in {self.settle or '?'}"
            )
        if self.status != "Trading":
            return f"{self.contract}, {self.status or 'without a status'}"
        return f"{self.contract}, about to be delivered" if self.delivery_ms else ""

    @cached_property
    def qty_decimals(self) -> int:
        return _decimals(self.lot)

    @cached_property
    def shown_decimals(self) -> int:
        return max(self.price_decimals, _decimals(self.tick))

    @cached_property
    def usdt_per_tick_lot(self) -> Decimal:
        """Cash value of one tick times one lot: notional = ticks * lots * this."""
        return self.tick * self.lot

    def ticks(self, price: Decimal | str) -> int:
        """Exact ticks of a price that lies on the grid.

        Raises UnitError naming the symbol, the price and the tick where it does not.
        """
        return self._steps(price, self.tick, "price", "tick")

    def lots(self, qty: Decimal | str) -> int:
        """Exact lots of a quantity that lies on the grid; raises UnitError where it does not."""
        return self._steps(qty, self.lot, "quantity", "lot")

    def ticks_down(self, price: Decimal) -> int:
        return int((price / self.tick).to_integral_value(ROUND_FLOOR))

    def ticks_up(self, price: Decimal) -> int:
        return int((price / self.tick).to_integral_value(ROUND_CEILING))

    def ticks_near(self, price: Decimal) -> int:
        return int((price / self.tick).to_integral_value())

    def lots_down(self, qty: Decimal) -> int:
        return int((qty / self.lot).to_integral_value(ROUND_FLOOR))

    def price(self, ticks: int) -> Decimal:
        return self.tick * ticks

    def qty(self, lots: int) -> Decimal:
        return self.lot * lots

    def price_text(self, ticks: int) -> str:
        """The price as the venue wants it: fixed decimals, never an exponent."""
        return f"{self.tick * ticks:.{self.shown_decimals}f}"

    def qty_text(self, lots: int) -> str:
        return f"{self.lot * lots:.{self.qty_decimals}f}"

    def notional(self, ticks: int, lots: int) -> Decimal:
        """USDT value of `lots` (sign ignored) at `ticks`."""
        return self.usdt_per_tick_lot * (ticks * abs(lots))

    def stop_ticks(self, price: Decimal, position_sign: int) -> int:
        """A stop price put on the grid so that risk never grows: up for a long, down for a short."""
        return self.ticks_up(price) if position_sign > 0 else self.ticks_down(price)

    def passive_ticks(self, price: Decimal, side: Side) -> int:
        """A limit price put on the grid on the cautious side: down for a buy, up for a sell."""
        return self.ticks_down(price) if side is Side.BUY else self.ticks_up(price)

    def _steps(self, value: Decimal | str, step: Decimal, noun: str, unit: str) -> int:
        try:
            number = Decimal(value)
            steps = number / step
        except InvalidOperation as error:
            raise UnitError(f"{self.symbol} {noun}: expected a number, found {value!r}") from error
        if not steps.is_finite() or steps != steps.to_integral_value() or steps * step != number:
            raise UnitError(f"{self.symbol} {noun}: expected a multiple of the {unit} {fixed(step)}, found {value}")
        return int(steps)


def _decimals(step: Decimal) -> int:
    exponent = step.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
