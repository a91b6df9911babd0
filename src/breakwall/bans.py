"""A ban of our address by a venue, kept for the next start, with the standard library alone: panic reads it too.

One small file per host in the state folder says when the ban ends. Source: Bybit v5, error (HTTP 403).
"""

import contextlib
import threading
from pathlib import Path

from breakwall.places import write_whole

MOST_MS = 86_400_000
"""A later end than this from now is not believed."""


class Ban:
    """The ban by one host, in the file `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._until_ms = 0

    def until_ms(self, now_ms: int) -> int:
        """When it ends, in Unix milliseconds; 0 where there is none, it is over, or its file cannot be read."""
        try:
            until_ms = int(self.path.read_bytes()[:20])
        except (OSError, ValueError):
            return 0
        if until_ms <= now_ms:
            self._store(0)
            return 0
        return min(until_ms, now_ms + MOST_MS)

    def tell(self, until_ms: int) -> None:
        """Remember that it lasts until then; 0: it is over. Returns at once: a slow disk must not hold up a stop."""
        self._until_ms = until_ms
        threading.Thread(target=self._keep, name="ban").start()

    def _keep(self) -> None:
        with self._lock:
            self._store(self._until_ms)

    def _store(self, until_ms: int) -> None:
        """A state folder that cannot be written costs the memory of it, nothing else."""
        with contextlib.suppress(OSError):
            if until_ms:
                self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                write_whole(self.path, b"%d\n" % until_ms)
            else:
                self.path.unlink(missing_ok=True)
