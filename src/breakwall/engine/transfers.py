"""Money that comes and goes without a trade of ours: deposits, withdrawals, somebody else's results."""

from decimal import Decimal

LEAST_USDT = Decimal(1)
_NOTHING = Decimal(0)


class Transfers:
    """Compares what the balance has become with what our trades have made, whenever nothing is held or under way.

    The parts of a reading are of different moments: a difference counts once two in a row show the same.
    """

    __slots__ = ("_even", "_odd")

    def __init__(self) -> None:
        self._even: tuple[Decimal, Decimal] | None = None  # balance and result of all trades when they last agreed
        self._odd = _NOTHING

    def look(self, balance: Decimal, made: Decimal) -> Decimal:
        """What has come (negative: gone) since they last agreed, told once; 0: nothing that is sure."""
        before, seen = self._even or (balance, made), self._odd
        self._even, self._odd = before, balance - before[0] - (made - before[1])
        if abs(self._odd) < LEAST_USDT or self._odd != seen:
            return _NOTHING
        self._even, self._odd = (balance, made), _NOTHING
        return seen
