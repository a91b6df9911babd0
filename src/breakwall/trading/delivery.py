"""Contracts that end: the exchange settles (delivers) what is still held at a time it names beforehand."""

from breakwall.model.units import Instrument

_MINUTE_MS = 60_000


def ending(instrument: Instrument, venue_ms: int) -> str:
    """Why nothing new may be opened in this contract, in words; empty where it is a living USDT perpetual."""
    if instrument.tradable:
        return ""
    if instrument.status == "Trading" and instrument.delivery_ms:
        days, minutes = divmod(max(0, instrument.delivery_ms - venue_ms) // _MINUTE_MS, 24 * 60)
        ahead = f"{days} d " if days else ""
        return f"the exchange ends this contract in {ahead}{minutes // 60} h {minutes % 60} min"
    found = ", ".join(word for word in (instrument.status, instrument.contract, instrument.settle) if word)
    return f"expected a living USDT perpetual, the exchange says {found or 'nothing'}"


def due_out(instrument: Instrument, before_min: int, venue_ms: int) -> str:
    """Why a position must be closed now, so long before its contract is settled; empty while there is time, or none
    was named. What is no longer traded cannot be closed: the exchange settles it.
    """
    if instrument.status != "Trading" or not instrument.delivery_ms:
        return ""
    left_ms = instrument.delivery_ms - venue_ms
    return ending(instrument, venue_ms) if left_ms <= before_min * _MINUTE_MS else ""
