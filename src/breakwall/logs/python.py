"""What Python and its libraries say (logging, warnings, lost exceptions), brought into our log.

None of it may reach the terminal by itself: it would be written across the cockpit.
"""

import logging
import sys
import threading
from types import TracebackType
from typing import Self

from breakwall.logs.log import LEVELS, Log
from breakwall.ports import Clock


class PythonsOwn(logging.Handler):
    """Takes all of it while the context lasts: warnings and worse of libraries, and where errors were raised."""

    def __init__(self, log: Log, clock: Clock) -> None:
        super().__init__(logging.WARNING)
        self._log = log
        self._clock = clock
        self._handlers: list[logging.Handler] = []
        self._hooks = (threading.excepthook, sys.unraisablehook)

    def __enter__(self) -> Self:
        root = logging.getLogger()
        self._handlers, root.handlers = root.handlers, [self]
        self._hooks = (threading.excepthook, sys.unraisablehook)
        threading.excepthook, sys.unraisablehook = self._thread_failed, self._unraisable
        logging.captureWarnings(True)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        logging.captureWarnings(False)
        threading.excepthook, sys.unraisablehook = self._hooks
        logging.getLogger().handlers = self._handlers

    def emit(self, record: logging.LogRecord) -> None:
        """A record of a library; our levels are fewer than Python's."""
        try:
            text = record.getMessage()
        except (TypeError, ValueError):  # its arguments do not fit its text
            text = str(record.msg)
        level = "error" if record.levelno >= LEVELS["error"] else "warning"
        self._say(level, f"{record.name}: {text}", record.exc_info[1] if record.exc_info else None)

    def _thread_failed(self, failed: threading.ExceptHookArgs) -> None:
        name = failed.thread.name if failed.thread else "a thread"
        self._say("error", f"{name} failed: {failed.exc_value!r}", failed.exc_value)

    def _unraisable(self, failed: "sys.UnraisableHookArgs") -> None:
        self._say("error", f"{failed.err_msg or 'ignored'}: {failed.exc_value!r}", failed.exc_value)

    def _say(self, level: str, text: str, error: BaseException | None) -> None:
        self._log.say(self._clock.now_ms(), level, text, kind="python", error=error)
