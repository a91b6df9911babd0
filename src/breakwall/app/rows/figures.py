"""Figures as a trader reads them: short, with their sign and unit, and a dash for what is not known."""

from decimal import Decimal

UNKNOWN = "\N{EN DASH}"

_SECOND, _MINUTE, _HOUR, _DAY = 1_000, 60_000, 3_600_000, 86_400_000


def price(value: Decimal | None, tick: Decimal | None = None) -> str:
    """A price with the decimals of its instrument's tick; where that is not known, with those that it has."""
    if value is None:
        return UNKNOWN
    exponent = (value if tick is None else tick.normalize()).as_tuple().exponent
    return f"{value:.{min(8, max(0, -exponent))}f}" if isinstance(exponent, int) else UNKNOWN


def signed(value: Decimal | None, places: int = 2) -> str:
    """Money with its sign; what rounds to nothing has none."""
    if value is None:
        return UNKNOWN
    text = f"{value:+.{places}f}"
    return text if text.strip("+-0.") else text[1:]


def compact(amount: Decimal | float) -> str:
    """An amount in at most five columns below 1000 G: 870, 1.7K, 33.5K, 611K, 2.41M, 24.1M."""
    value, name = _in_units(amount)
    places = 0 if value >= 99.95 or not name else 1 if value >= 9.995 or name == "K" else 2
    return f"{value:.{places}f}{name}"


def coarse(amount: Decimal | float) -> str:
    """An amount in two figures from 1000 on, for sums that never rest: 869, 1.7K, 34K, 610K, 2.4M, 24M."""
    value, name = _in_units(amount if amount < 999.5 else float(f"{amount:.1e}"))
    return f"{value:.{1 if name and value < 10 else 0}f}{name}"


def _in_units(amount: Decimal | float) -> tuple[float, str]:
    """The amount in its unit, and the unit's letter; below 1000 there is none."""
    value, name = float(amount), ""
    for unit, letter in ((1_000, "K"), (1_000_000, "M"), (1_000_000_000, "G")):
        if value < 999.5:
            break
        value, name = float(amount) / unit, letter
    return value, name


def percent(fraction: Decimal | None) -> str:
    """A fraction as a signed percentage: 0.0042 is +0.42%."""
    return UNKNOWN if fraction is None else f"{signed(fraction * 100)}%"


def age(at_least_ms: int | None) -> str:
    """How long ago, in at most five columns for a year: 0.1s, 12s, 5m, 3h, 12d."""
    if at_least_ms is None:
        return UNKNOWN
    ms = max(0, at_least_ms)
    if ms < 10 * _SECOND:
        return f"{ms // 100 / 10:.1f}s"
    for unit, name, limit in ((_SECOND, "s", 100), (_MINUTE, "m", 100), (_HOUR, "h", 72)):
        if ms < limit * unit:
            return f"{ms // unit}{name}"
    return f"{ms // _DAY}d"


def countdown(ms: int) -> str:
    """How long still: 45s, 14m59s, 3h05m. Rounded up, so that it does not say 0 while something still holds."""
    seconds = max(0, -(-ms // _SECOND))
    minutes, hours = seconds // 60, seconds // 3600
    if not minutes:
        return f"{seconds}s"
    return f"{hours}h{minutes % 60:02}m" if hours else f"{minutes}m{seconds % 60:02}s"


def time_of_day(at_ms: int) -> str:
    """HH:MM:SS in UTC."""
    seconds = at_ms // _SECOND
    return f"{seconds // 3600 % 24:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def bar(share: float, cells: int) -> str:
    """A share from 0 to 1 as cells; anything above nothing shows, and it is full at the limit only."""
    filled = cells if share >= 1 else min(cells - 1, -int(-share * cells // 1)) if share > 0 else 0
    return "▰" * filled + "▱" * (cells - filled)


def reach_words(reach: tuple[float, float] | None) -> str:
    """How far the book is known below and above the price, per cent; one figure where both are the same."""
    if reach is None:
        return ""
    below, above = (f"{100 * share:.2f}" for share in reach)
    return f"±{below}%" if below == above else f"-{below}+{above}%"
