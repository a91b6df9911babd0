"""What the user is told when something fails: one message, one exit code, never a traceback."""

import errno
import sys
import traceback
from pathlib import Path

import typer

from breakwall.exit_codes import DONE, INTERNAL, INTERRUPTED, REFUSED, USAGE
from breakwall.model.text import sanitise
from breakwall.redaction import redact

_WIDTH = 4000


def told(error: BaseException) -> tuple[str, int]:
    """The message and the exit code of any error that reached the border."""
    if isinstance(error, BrokenPipeError) or isinstance(error.__context__, BrokenPipeError):
        return "", DONE  # the reader of our output has gone, as with `| head`
    if isinstance(error, SystemExit):
        return "", error.code if isinstance(error.code, int) else INTERNAL
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        return "breakwall: interrupted", INTERRUPTED
    usage = getattr(error, "format_message", None)  # what typer's errors share, whichever click is under it
    if callable(usage):
        return _usage(error, str(usage())), USAGE
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return f"breakwall: {error.filename or 'the output'}: cannot be written ({error.strerror}). Make room.", USAGE
    known = _known(error)
    if known is not None:
        return "breakwall: " + "\n".join(sanitise(line, _WIDTH) for line in str(error).splitlines()), known
    return _internal(error), INTERNAL


def _usage(error: BaseException, message: str) -> str:
    """An empty message is help that was printed already."""
    if not message:
        return ""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "breakwall"
    return f"breakwall: {sanitise(message, _WIDTH)}\nTry `{command} --help`."


def _known(error: BaseException) -> int | None:
    from breakwall.config import ConfigError
    from breakwall.keys import KeysError
    from breakwall.ports import JournalError, LedgerError, VenueError
    from breakwall.replay.forms import RecordingError
    from breakwall.storage.runs import AlreadyRunningError, StateError

    if isinstance(error, VenueError | KeysError):
        return error.code
    if isinstance(error, LedgerError | ConfigError | RecordingError | StateError):
        return USAGE
    if isinstance(error, JournalError | AlreadyRunningError):
        return REFUSED
    return None


def _internal(error: BaseException) -> str:
    """An error of ours: the details go to a file that can be sent to us."""
    summary = f"breakwall: internal error: {type(error).__name__}: {sanitise(redact(str(error)), 300)}"
    try:
        path = _crash_log("".join(traceback.format_exception(error)))
    except OSError as failure:
        return f"{summary} (the details could not be written: {failure.strerror})"
    return f"{summary}\nbreakwall: the details are in {path}; please send them with your report."


def _crash_log(text: str) -> Path:
    from breakwall import __version__
    from breakwall.clock import SystemClock
    from breakwall.places import state_folder

    folder = state_folder() / "crashes"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"crash-{SystemClock().now_ms()}.log"
    path.touch(mode=0o600)
    path.write_text(f"breakwall {__version__}, Python {sys.version}\n{redact(text)}", encoding="utf-8")
    return path
