"""Text to a terminal that may be slow, stalled or gone: writing never waits."""

import contextlib
import os
import sys
import threading
from collections import deque
from collections.abc import Callable

FULL_BYTES = 256 * 1024
"""While more than this is pending, whoever writes again and again should leave something out."""

_SLICE = 16_384


def terminal_number() -> int | None:
    """What a screen is drawn on: stderr, so that stdout may go to a file, else stdout. None: no terminal."""
    for stream in (sys.__stderr__, sys.__stdout__):
        if stream is not None and stream.isatty():
            return stream.fileno()
    return None


def _nothing(*_: object) -> None:
    pass


class Outlet:
    """Writes to a file descriptor in a thread of its own, in order, from a queue without an end.

    `pending` is how many bytes have not left yet: who writes much looks at it first. Once a write fails
    the outlet is `lost`: it takes everything and writes nothing. `on_lost(why)` and `on_drained()` (after
    `ask_when_drained`) are called in the writing thread, the first at most once.
    """

    def __init__(
        self, number: int, on_lost: Callable[[str], None] = _nothing, on_drained: Callable[[], None] = _nothing
    ) -> None:
        self.bytes_written = 0
        self.lost = False
        self._number = os.dup(number)  # ours until the last byte, whatever becomes of the stream
        self._on_lost = on_lost
        self._on_drained = on_drained
        self._queue: deque[bytes] = deque()
        self._queued = 0
        self._under_way = 0
        self._wants_drained = False
        self._ended = False
        self._changed = threading.Condition()
        # A daemon: a write to a stalled terminal may never return, and must not keep the process.
        self._thread = threading.Thread(target=self._run, name="outlet", daemon=True)
        self._thread.start()

    @property
    def pending(self) -> int:
        return self._queued + self._under_way

    def write(self, text: str) -> None:
        data = text.encode("utf-8", "replace")
        with self._changed:
            if self.lost or self._ended or not data:
                return
            self._queue.append(data)
            self._queued += len(data)
            self._changed.notify_all()

    def flush(self) -> None:
        """What a stream has; here everything is on its way already."""

    def ask_when_drained(self) -> None:
        """Call `on_drained` once, as soon as nothing is pending."""
        with self._changed:
            self._wants_drained = True
            self._changed.notify_all()

    def forget(self) -> None:
        """Drop what has not begun to leave."""
        with self._changed:
            self._queue.clear()
            self._queued = 0

    def close(self) -> None:
        """Nothing more is taken; what is pending leaves now, or when a stalled terminal comes back."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def left(self, patience_s: float) -> bool:
        """After `close`: wait so long; whether everything has left."""
        self._thread.join(patience_s)
        return not self._thread.is_alive() and not self.lost

    def _run(self) -> None:
        try:
            while (data := self._next()) is not None:
                self._send(data)
        except OSError as error:
            with self._changed:
                self.lost = True
            self.forget()
            self._under_way = 0
            self._on_lost(error.strerror or str(error))
        finally:
            with contextlib.suppress(OSError):
                os.close(self._number)

    def _next(self) -> bytes | None:
        """The next text; waits for one. None once closed and empty."""
        with self._changed:
            while not self._queue:
                if self._wants_drained:
                    self._wants_drained = False
                    self._on_drained()
                if self._ended:
                    return None
                self._changed.wait()
            data = self._queue.popleft()
            self._queued -= len(data)
            self._under_way = len(data)
            return data

    def _send(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            written = os.write(self._number, rest[:_SLICE])
            rest = rest[written:]
            self.bytes_written += written
            self._under_way = len(rest)
