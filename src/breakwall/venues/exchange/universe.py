"""Contracts that exist only here: as many as a whole venue lists, each with its own price, steps and character.

They are drawn once, from their number alone: a symbol is the same in every exchange, whatever its seed.
"""

from decimal import Decimal
from functools import cache
from itertools import islice, product
from random import Random

from breakwall.model.units import Instrument
from breakwall.venues.exchange.agents import Character
from breakwall.venues.exchange.instruments import INSTRUMENTS

MOST_SYMBOLS = 1000
_SYLLABLES = ("BA", "DO", "FE", "GI", "KU", "LA", "MO", "NE", "PI", "RU", "SA", "TO", "VE", "WI", "ZU")
_LEVERAGES = (Decimal(25), Decimal(50), Decimal(75))
_LADDER_TICKS = 240  # nine in ten prices are quoted: more than 200 levels a side
_DENSITY = 0.9
_PATTERN = 509


@cache
def _invented() -> dict[str, tuple[Instrument, Character]]:
    names = islice(product(_SYLLABLES, repeat=3), MOST_SYMBOLS - len(INSTRUMENTS))
    return {symbol: _draw(symbol) for symbol in (f"{''.join(name)}USDT" for name in names)}


def _draw(symbol: str) -> tuple[Instrument, Character]:
    """A price between 0.001 and 1000, a tick of 0.1 to 1 bp of it, a lot of about a dollar."""
    dice = Random(symbol)
    exponent = dice.randint(-3, 2)
    price = dice.uniform(1, 10) * 10.0**exponent
    tick, lot = Decimal(1).scaleb(exponent - 4), Decimal(1).scaleb(-exponent)
    leverage = dice.choice(_LEVERAGES)
    instrument = Instrument(
        symbol=symbol,
        tick=tick,
        lot=lot,
        min_lots=1,
        max_lots=10_000_000,
        max_market_lots=1_000_000,
        max_leverage=leverage,
        maintenance_rate=1 / leverage / 2,
        price_limit_ratio=Decimal("0.05"),
        price_decimals=max(0, 4 - exponent),
    )
    reach_bp = _LADDER_TICKS * float(tick) / price * 10_000
    wall_usdt = 20_000 * 10 ** dice.uniform(0, 1.5)
    character = Character(
        price=price,
        near_bp=reach_bp,
        near_density=_DENSITY,
        far_bp=reach_bp,
        far_density=_DENSITY,
        level_usdt=wall_usdt / 40,
        level_sigma=1.3,
        cap_usdt=wall_usdt / 8,
        touch_usdt=wall_usdt / 15,
        wall_usdt=wall_usdt,
        trade_usdt=wall_usdt / 250,
        noise_rate=0.5,
        trend_rate=2.5,
        noise_bp=0.8,
        refreshed=2,
        pattern=_PATTERN,
        day_move=0.25,
    )
    return instrument, character


def instrument_of(symbol: str) -> Instrument:
    """Raises ValueError for a symbol that no exchange here lists."""
    if symbol in INSTRUMENTS:
        return INSTRUMENTS[symbol]
    if symbol not in _invented():
        known = ", ".join(INSTRUMENTS)
        raise ValueError(f"embedded exchange: expected symbols among {known} and invented ones, found {symbol}")
    return _invented()[symbol][0]


def invented_character(symbol: str) -> Character | None:
    """None for the four whose namesakes exist, and for what is not listed."""
    return _invented()[symbol][1] if symbol in _invented() else None


def first_symbols(count: int) -> tuple[str, ...]:
    """The four real names, then invented ones. Raises ValueError beyond `MOST_SYMBOLS`."""
    if not 1 <= count <= MOST_SYMBOLS:
        raise ValueError(f"embedded exchange: expected 1 to {MOST_SYMBOLS} symbols, found {count}")
    return (*INSTRUMENTS, *_invented())[:count]
