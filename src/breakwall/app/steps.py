"""Round steps, of which scales and zooms are made: 1, 2, 5, 10, 20, 50 ..."""

from collections.abc import Iterator
from itertools import count, pairwise


def steps() -> Iterator[int]:
    """All of them."""
    for power in count():
        for factor in (1, 2, 5):
            yield factor * 10**power


def at_least(number: float) -> int:
    """The first step that is not below."""
    return next(step for step in steps() if step >= number)


def nearest(number: float) -> int:
    """The nearest step by ratio; 1 for anything smaller."""
    return next(step for step, following in pairwise(steps()) if number * number <= step * following)
