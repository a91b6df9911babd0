"""The best levels of one side of a book, and what has changed in them since they were last looked at."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Protocol


class Level(Protocol):
    lots: int


class Half(Protocol):
    """One side of a book: `keys` are its prices best first, `sign` times ticks; `watchers` note touched prices."""

    @property
    def keys(self) -> Sequence[int]: ...
    @property
    def levels(self) -> Mapping[int, Level]: ...
    @property
    def sign(self) -> int: ...
    @property
    def watchers(self) -> list[dict[int, None]]: ...


class Window:
    """Costs as much as there are changes, not as there are levels. `lots` are those of the window, by ticks."""

    __slots__ = ("_depth", "_edge", "_half", "_touched", "lots")

    def __init__(self, half: Half, depth: int) -> None:
        self._half = half
        self._depth = depth
        self._edge: int | None = None  # the last key of the window; None: the book ends before it
        self._touched: dict[int, None] = dict.fromkeys(half.levels)
        self.lots: dict[int, int] = {}
        half.watchers.append(self._touched)

    def close(self) -> None:
        """Stop watching."""
        self._half.watchers[:] = [other for other in self._half.watchers if other is not self._touched]

    def changes(self) -> dict[int, int]:
        """Prices whose lots differ from the last look; 0 lots for what is no longer in the window."""
        keys, lots = self._half.keys, self.lots
        edge = keys[self._depth - 1] if len(keys) >= self._depth else None
        changes = {ticks: self._seen(ticks, edge) for ticks in self._touched}
        changes |= self._moved_over(edge)
        changes = {ticks: now for ticks, now in changes.items() if now != lots.get(ticks, 0)}
        for ticks, now in changes.items():
            if now:
                lots[ticks] = now
            else:
                del lots[ticks]
        self._edge = edge
        self._touched.clear()
        return changes

    def _seen(self, ticks: int, edge: int | None) -> int:
        level = self._half.levels.get(ticks)
        if level is None or (edge is not None and ticks * self._half.sign > edge):
            return 0
        return level.lots

    def _moved_over(self, edge: int | None) -> dict[int, int]:
        """Levels between the old edge and the new one, which nobody touched: they came in or went out."""
        before = self._edge
        if edge == before:
            return {}
        keys, sign = self._half.keys, self._half.sign
        nearer = min(key for key in (edge, before) if key is not None)
        further = None if edge is None or before is None else max(edge, before)
        end = len(keys) if further is None else bisect_right(keys, further)
        return {key * sign: self._seen(key * sign, edge) for key in keys[bisect_right(keys, nearer) : end]}
