"""Kinds of executions, by what they do to a position. Source: Bybit v5, enum, execType."""

TRADES = frozenset({"Trade", "BustTrade", "AdlTrade", "BlockTrade", "MovePosition", "FutureSpread"})
"""They change a quantity."""
ENDS = frozenset({"Delivery", "Settle"})
"""The contract ends: they close what is held, and never open anything."""
FORCED = {"BustTrade": "liquidation", "AdlTrade": "auto-deleveraging"} | dict.fromkeys(ENDS, "delivery")
"""What the venue does by itself, in words. Kinds in none of these are cash: funding, fees, what is yet to come."""


def has_size(kind: str) -> bool:
    """Whether such an execution is one of an order or of a position; its side, price and size must be there then."""
    return kind in TRADES or kind in ENDS
