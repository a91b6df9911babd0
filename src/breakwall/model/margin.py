"""Money of a linear isolated position: PnL, fees, funding, margin, liquidation.

All amounts are USDT `Decimal`; `entry` and `exit` are prices, `qty` is coins and unsigned, `sign`
is +1 long and -1 short, rates are fractions.
Source: Bybit help centre, margin calculation of 2025-09-02, and the v5 position page.
"""

from decimal import Decimal

ONE = Decimal(1)


def gross_pnl(sign: int, qty: Decimal, entry: Decimal, exit_price: Decimal) -> Decimal:
    """Profit before fees of `qty` opened at `entry` and closed at `exit_price`."""
    return sign * qty * (exit_price - entry)


def fee(qty: Decimal, price: Decimal, rate: Decimal) -> Decimal:
    """Trading fee; positive is paid, negative is a rebate."""
    return qty * price * rate


def funding(sign: int, qty: Decimal, mark: Decimal, rate: Decimal) -> Decimal:
    """Funding paid (positive) or received (negative) at the funding time: longs pay when rate > 0."""
    return sign * qty * mark * rate


def close_fee_reserve(sign: int, qty: Decimal, entry: Decimal, leverage: Decimal, taker: Decimal) -> Decimal:
    """Fee to close at the bankruptcy price, reserved inside the position's margin."""
    return qty * entry * (ONE - sign / leverage) * taker


def initial_margin(sign: int, qty: Decimal, entry: Decimal, leverage: Decimal, taker: Decimal) -> Decimal:
    """Isolated initial margin of a position, closing fee included."""
    return qty * entry / leverage + close_fee_reserve(sign, qty, entry, leverage, taker)


def order_cost(sign: int, qty: Decimal, price: Decimal, leverage: Decimal, taker: Decimal) -> Decimal:
    """What an opening order holds of the balance: margin, opening fee, closing fee."""
    return qty * price / leverage + qty * price * taker + close_fee_reserve(sign, qty, price, leverage, taker)


def bankruptcy_price(sign: int, entry: Decimal, leverage: Decimal) -> Decimal:
    return entry * (ONE - sign / leverage)


def liquidation_price(
    sign: int,
    entry: Decimal,
    leverage: Decimal,
    maintenance: Decimal,
    qty: Decimal = ONE,
    extra_margin: Decimal = Decimal(0),
    deduction: Decimal = Decimal(0),
) -> Decimal:
    """Mark price at which an isolated position is taken over (maintenance margin on mark value)."""
    top = qty * entry * (ONE - sign / leverage) - sign * extra_margin - sign * deduction
    return top / (qty * (ONE - sign * maintenance))


def breakeven_price(
    sign: int, entry: Decimal, open_fee_rate: Decimal, close_fee_rate: Decimal, funding_per_coin: Decimal
) -> Decimal:
    """Exit price at which fees both ways and paid funding are covered exactly.

    `funding_per_coin` is USDT already paid per coin (negative when received).
    """
    if sign > 0:
        return (entry * (ONE + open_fee_rate) + funding_per_coin) / (ONE - close_fee_rate)
    return (entry * (ONE - open_fee_rate) - funding_per_coin) / (ONE + close_fee_rate)


def average_entry(lots: int, entry: Decimal, added_lots: int, price: Decimal) -> Decimal:
    """Entry price after adding to a position; both counts unsigned and of the same side."""
    return (entry * lots + price * added_lots) / (lots + added_lots)
