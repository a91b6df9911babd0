"""Mistakes in what a person wrote: all told at once, each with its remedy."""

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path


def listed(source: str, lines: Sequence[str]) -> str:
    """The text of an error: how many mistakes there are in `source`, and each on a line of its own."""
    return "\n".join([f"{source}: {len(lines)} mistake{'s' * (len(lines) != 1)}", *(f"  {line}" for line in lines)])


def nearest_name(name: str, known: Iterable[str]) -> str:
    """What was probably meant, and if nothing is near, all there is."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names)}"


def text_of(path: Path) -> str:
    """The text of a file that people write. Raises ValueError with the reason in words."""
    try:
        return path.read_text(encoding="utf-8-sig")  # some editors put a byte order mark first
    except OSError as error:
        raise ValueError(error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise ValueError("not a text file in UTF-8") from error
