"""Mistakes in what a person wrote: all told at once, each with its remedy."""

import difflib
from collections.abc import Iterable, Sequence


def listed(source: str, lines: Sequence[str]) -> str:
    """The text of an error: how many mistakes there are in `source`, and each on a line of its own."""
    return "\n".join([f"{source}: {len(lines)} mistake{'s' * (len(lines) != 1)}", *(f"  {line}" for line in lines)])


def nearest_name(name: str, known: Iterable[str]) -> str:
    """What was probably meant, and if nothing is near, all there is."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names)}"
