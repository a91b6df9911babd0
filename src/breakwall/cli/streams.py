"""The three standard streams, whatever the caller made of them."""

import contextlib
import os
import sys


def open_streams() -> None:
    """Give closed streams (`2>&-`) to the void.

    Otherwise the next file opened, the journal for example, would take the number of the stream and
    get what was meant for it.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number: this one
    # Python leaves None where a stream was closed.
    sys.stdout = sys.stdout or open(1, "w", closefd=False)  # noqa: SIM115 - for the life of the process
    sys.stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115 - for the life of the process


def mute_lost_streams() -> None:
    """Let nothing complain at the exit about a reader that has gone, as with `| head`."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
