"""Spans of time as people write them."""

import re

_SPANS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds_of(text: str) -> float:
    """Seconds of '90s', '500ms', '5m', '1h' or a plain number; raises ValueError naming what was found."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h)?\s*", text)
    if match is None or float(match[1]) <= 0:
        raise ValueError(f"expected a span such as 90s, 5m or 1h, found {text!r}")
    return float(match[1]) * _SPANS[match[2] or "s"]
