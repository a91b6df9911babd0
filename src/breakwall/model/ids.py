"""Client order ids: `bw` + run + sequence + leg, base 36, so that one id tells its whole story.

At most 36 characters of [A-Za-z0-9_-] (Bybit v5 orderLinkId); never reused.
"""

from msgspec import Struct

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
PREFIX = "bw"


class ClientId(Struct, frozen=True):
    """`leg`: e entry, x exit, f flatten, s stop, c cancel, k emergency close; `n` counts within one event."""

    run: int
    seq: int
    leg: str
    n: int = 0

    @property
    def text(self) -> str:
        suffix = f"-{base36(self.n)}" if self.n else ""
        return f"{PREFIX}-{base36(self.run)}-{base36(self.seq)}-{self.leg}{suffix}"


def base36(number: int) -> str:
    if number < 0:
        raise ValueError(f"client id: expected a number of at least 0, found {number}")
    out = ""
    while True:
        number, digit = divmod(number, 36)
        out = _DIGITS[digit] + out
        if not number:
            return out


def parse(text: str) -> ClientId | None:
    """The parts of one of our ids, or None for anybody else's."""
    parts = text.split("-")
    if len(parts) not in {4, 5} or parts[0] != PREFIX or len(parts[3]) != 1 or not parts[3].isalpha():
        return None
    try:
        numbers = [int(part, 36) for part in (parts[1], parts[2], *parts[4:])]
    except ValueError:
        return None
    found = ClientId(numbers[0], numbers[1], parts[3], *numbers[2:])
    return found if found.text == text and text.isascii() else None  # int() reads more forms than we write


def trace(run: int, seq: int) -> str:
    """The trace id: which event of which run caused this."""
    return f"{base36(run)}-{base36(seq)}"


def run_and_seq(trace_id: str) -> tuple[int, int] | None:
    """The two numbers of a trace id; None for anything else."""
    parts = trace_id.split("-")
    if len(parts) != 2 or not all(part.isascii() and part.isalnum() and len(part) < 20 for part in parts):
        return None
    run, seq = (int(part, 36) for part in parts)
    return run, seq
