"""How a screen ends, and so what becomes of the engine behind it."""

from enum import Enum


class Leaving(Enum):
    """FLATTEN: close everything, then end. KEEP: end, positions stay with their stops on the exchange.

    HEADLESS: the trader sends the screen away; the engine manages what is held. LOST: the terminal went
    away or the screen failed; `on_screen_lost` says what then.
    """

    FLATTEN = "flatten"
    KEEP = "keep"
    HEADLESS = "headless"
    LOST = "lost"
