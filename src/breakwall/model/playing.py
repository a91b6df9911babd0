"""Where a replay is: what a screen shows of it."""

from msgspec import Struct


class Playing(Struct, frozen=True):
    """Seconds of the recording. `speed` is infinite for as fast as it goes, `seeking` while it runs to another place.

    `worlds` counts how often it began again, to go back: what was seen before that belongs to another run.
    """

    at_s: float
    length_s: float
    speed: float
    paused: bool
    seeking: bool
    ended: bool
    worlds: int = 0
