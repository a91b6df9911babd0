"""The three standard streams, whatever the caller made of them."""

import contextlib
import os
import stat
import sys

from breakwall.app.terminal.outlet import terminal_number


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


def hand_out(receipt: str) -> None:
    """The last line on stdout, whatever else goes to the same terminal; its reader may have gone."""
    with contextlib.suppress(OSError, ValueError):
        print(receipt, flush=True)


def remark(text: str) -> None:
    """A line on stderr; its reader may have gone."""
    with contextlib.suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)


def can_show() -> bool:
    """Whether there can be a screen here; says why where there cannot."""
    why = why_no_screen()
    if why:
        remark(f"breakwall: no screen, {why}; plain lines instead, as with --no-ui")
    return not why


def why_no_screen() -> str:
    """Why a screen cannot be shown here; empty where it can."""
    if sys.__stdin__ is None or not sys.__stdin__.isatty():
        return "the standard input is not a terminal"
    if terminal_number() is None:
        return "neither output is a terminal"
    return "" if os.environ.get("TERM", "dumb") != "dumb" else "the terminal can do nothing (TERM is not set or dumb)"


def abandon_terminal() -> None:
    """The terminal has gone or takes nothing any more: what would be written to it goes to the void.

    A write to a stalled terminal never returns, and would hold up the engine or the exit.
    """
    void = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        if stat.S_ISCHR(os.fstat(number).st_mode):  # a terminal that has hung up is no `isatty` any more
            os.dup2(void, number)
    os.close(void)
