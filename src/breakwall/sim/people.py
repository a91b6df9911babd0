"""The person in front of the screen, drawn from a seed: who holds trading back, frees it again, or wants out."""

import random

from msgspec import Struct

from breakwall.model.events import CommandKind

HOLDS = {
    CommandKind.DISARM: CommandKind.ARM,
    CommandKind.PANIC: CommandKind.ARM,
    CommandKind.HALT: CommandKind.RESET_BREAKER,
    CommandKind.PAUSE: CommandKind.RESUME,
}
"""What holds entries back, and what frees them again."""

_ONCE = (CommandKind.FLATTEN, CommandKind.BREAKEVEN, CommandKind.CANCEL)


class Wish(Struct, frozen=True):
    """A command at a virtual time."""

    at_s: float
    kind: CommandKind


def draw_wishes(seed: int, seconds: float) -> tuple[Wish, ...]:
    """Nothing at all for every other seed; else up to four interventions, holds ending after 2 to 12 s."""
    dice = random.Random(f"people {seed}")
    if seed % 2 == 0:
        return ()
    wishes: list[Wish] = []
    for _ in range(dice.randint(2, 4)):
        at_s = round(dice.uniform(10, seconds), 3)
        kind = dice.choice((*HOLDS, *_ONCE))
        wishes.append(Wish(at_s, kind))
        if kind in HOLDS:
            wishes.append(Wish(round(at_s + dice.uniform(2, 12), 3), HOLDS[kind]))
    return tuple(sorted(wishes, key=lambda wish: wish.at_s))
