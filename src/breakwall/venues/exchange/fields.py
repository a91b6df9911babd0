"""Fields of a request: text, numbers, prices and sizes, or a `Refusal` that names the field.

Source: Bybit v5 parameter rules: decimals are strings, numbers are taken as their text.
"""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from breakwall.model.units import Instrument, UnitError
from breakwall.venues.exchange.order import Refusal

Body = Mapping[str, object]
BAD_PARAMETER = 10001
_LINK_ID = re.compile(r"[A-Za-z0-9_-]{1,36}")
_MOST_DIGITS = 20


def bad(message: str) -> Refusal:
    return Refusal(BAD_PARAMETER, message)


def text(body: Body, key: str) -> str:
    """The field as text; numbers are taken as their text, absent and null are ""."""
    value = body.get(key)
    return "" if value is None else str(value)


def flag(body: Body, key: str) -> bool:
    return text(body, key) in {"true", "True"}


def number(body: Body, key: str) -> Decimal:
    """The field as a finite number of sane size; raises Refusal where it is not one."""
    value = text(body, key)
    try:
        amount = Decimal(value)
    except InvalidOperation as error:
        raise bad(f"{key} invalid: expected a number, found {value[:40]!r}") from error
    if not amount.is_finite() or abs(amount.adjusted()) > _MOST_DIGITS:
        raise bad(f"{key} invalid: expected a number, found {value[:40]!r}")
    return amount


def price_ticks(body: Body, key: str, instrument: Instrument) -> int:
    """A price field in ticks; 0 where it is absent, "" or "0"."""
    if not text(body, key):
        return 0
    try:
        ticks = instrument.ticks(number(body, key))
    except UnitError as error:
        raise bad(f"{key} invalid: {error}") from error
    if ticks < 0:
        raise bad(f"{key} invalid: expected a positive price, found {text(body, key)}")
    return ticks


def order_lots(body: Body, instrument: Instrument, key: str = "qty") -> int:
    """A quantity in lots; 0 is for closing all of a position."""
    try:
        lots = instrument.lots(number(body, key))
    except UnitError as error:
        raise bad(f"{key} invalid: {error}") from error
    if lots < 0:
        raise bad(f"{key} invalid: expected a positive number, found {text(body, key)}")
    return lots


def link_id(body: Body) -> str:
    link = text(body, "orderLinkId")
    if link and not _LINK_ID.fullmatch(link):
        raise bad(f"OrderLinkId invalid: expected up to 36 of letters, digits, - and _, found {link[:60]!r}")
    return link
