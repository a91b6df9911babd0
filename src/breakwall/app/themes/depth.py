"""How many colours the terminal shows."""

from collections.abc import Mapping
from enum import Enum
from typing import Literal


class Depth(Enum):
    """The value is how `[ui] colors` names it."""

    TRUECOLOR = "truecolor"
    EIGHT_BIT = "256"
    SIXTEEN = "16"
    NONE = "none"

    @property
    def console(self) -> Literal["truecolor", "256", "standard"]:
        """Rich's name; without colours nothing is left to round, so it is the least there is."""
        names: dict[Depth, Literal["truecolor", "256"]] = {Depth.TRUECOLOR: "truecolor", Depth.EIGHT_BIT: "256"}
        return names.get(self, "standard")


def depth_of(colors: str, environ: Mapping[str, str], detected: str | None) -> Depth:
    """What to draw in: what `[ui] colors` asks for, else what the terminal says.

    `detected` is Rich's reading of COLORTERM and TERM. NO_COLOR counts when it is not empty
    (https://no-color.org), as does a terminal that calls itself dumb or nothing at all.
    """
    if colors != "auto":
        return Depth(colors)
    if environ.get("NO_COLOR") or environ.get("TERM", "").lower() in ("", "dumb", "unknown"):
        return Depth.NONE
    return {"truecolor": Depth.TRUECOLOR, "256": Depth.EIGHT_BIT, "standard": Depth.SIXTEEN}.get(
        detected or "", Depth.NONE
    )
