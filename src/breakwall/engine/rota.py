"""Whose turn it is, where many have one each period."""


class Rota:
    """Each of many once every `period_ms`, evenly spread so that they never all come at once.

    Of more than `most` each has to wait longer, so that no more come within a period (0: any number may).
    """

    __slots__ = ("_count", "_most", "_period_ms", "_turn")

    def __init__(self, period_ms: int, most: int = 0) -> None:
        self._period_ms = period_ms
        self._most = most
        self._count = self._turn = 0

    def due(self, count: int, at_ms: int) -> list[int]:
        """Numbers (from 0, below `count`) whose turn came since the last call, each at most once.

        Nobody's at the first call, nor when there are more or fewer than before.
        """
        turn = at_ms * min(count, self._most or count) // self._period_ms
        first = max(self._turn, turn - count) if count == self._count else turn
        self._count, self._turn = count, turn
        return [number % count for number in range(first, turn)]
