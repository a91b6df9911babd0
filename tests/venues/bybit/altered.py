"""A frame in hundreds of ways in which a venue never sent it, so far."""

import copy
from collections.abc import Iterator
from itertools import islice
from typing import Any

STRANGE = (None, "", "x", "NaN", -1, 10**40, "1e999999", True, [], {}, [[]], {"a": 1})


def altered(found: Any, values: tuple[Any, ...]) -> Iterator[Any]:
    """The same object without each of its fields, and with each of them made something else."""
    for path in list(paths_of(found)):
        for value in (KeyError, *values):
            other = copy.deepcopy(found)
            at = other
            for step in path[:-1]:
                at = at[step]
            if value is not KeyError:
                at[path[-1]] = value
            elif isinstance(at, dict):
                del at[path[-1]]
            yield other


def paths_of(found: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
    for step, value in islice(inner, 60):
        yield (*path, step)
        if isinstance(value, list):
            yield from paths_of(value[:2], (*path, step))
        elif isinstance(value, dict):
            yield from paths_of(value, (*path, step))
