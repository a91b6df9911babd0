"""The sign of life that a session writes each second into its run folder, and that `breakwall watch` reads.

The loop that trades writes it: where the loop hangs, is stopped or dead, it stays as it is. It holds no secrets.
Standard library alone, as the reader is a small process.
"""

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

_MOST_BYTES = 1 << 18


class Held(NamedTuple):
    """One open position; `naked_ms` is for how long it has had no stop that is known, None: it has one.

    `proof_ms` is how long ago the stop was read back from the exchange, None: never.
    """

    symbol: str
    side: str
    qty: str
    stop: str | None
    naked_ms: int | None
    proof_ms: int | None


class Beat(NamedTuple):
    """`number` counts the beats of this process, `at_ms` is its clock; `orders` are entries under way.

    `read_back_ms` is how long ago the account was read, None: never. `ended`: the session has left in order.
    """

    pid: int
    number: int
    at_ms: int
    mode: str
    state: str
    why: str
    armed: bool
    blind: bool
    loop_delay_ms: float
    read_back_ms: int | None
    orders: int
    positions: tuple[Held, ...]
    ended: bool


class GarbledError(Exception):
    """There is a heartbeat file, and it is not one of ours; says why."""


def touched_ns(path: Path) -> int:
    """When the file was last written, or at least touched by a process that could not write it; 0 without a file."""
    try:
        return path.stat(follow_symlinks=False).st_mtime_ns
    except OSError:
        return 0


def encode(beat: Beat) -> bytes:
    rows = [position._asdict() for position in beat.positions]
    return json.dumps({**beat._asdict(), "positions": rows}, separators=(",", ":")).encode()


def read(path: Path) -> Beat | None:
    """The last beat; None where there is no file. Raises GarbledError."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as stream:
            content = stream.read(_MOST_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise GarbledError(error.strerror or "it cannot be read") from error
    try:
        return _decoded(json.loads(content))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise GarbledError(f"its content is not a heartbeat ({type(error).__name__})") from error


def _decoded(told: dict[str, Any]) -> Beat:
    positions = tuple(
        Held(
            str(row["symbol"]),
            str(row["side"]),
            str(row["qty"]),
            None if row["stop"] is None else str(row["stop"]),
            _whole(row["naked_ms"]),
            _whole(row["proof_ms"]),
        )
        for row in told["positions"]
    )
    pid = int(told["pid"])
    if pid <= 0:
        raise ValueError("pid")
    return Beat(
        pid=pid,
        number=int(told["number"]),
        at_ms=int(told["at_ms"]),
        mode=str(told["mode"]),
        state=str(told["state"]),
        why=str(told["why"]),
        armed=told["armed"] is True,
        blind=told["blind"] is True,
        loop_delay_ms=float(told["loop_delay_ms"]),
        read_back_ms=_whole(told["read_back_ms"]),
        orders=int(told["orders"]),
        positions=positions,
        ended=told["ended"] is True,
    )


def _whole(value: object) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int):
        raise TypeError("expected a whole number")
    return value
