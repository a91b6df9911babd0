"""The ledger of a real run: one thread follows the journal, the loop only rings a bell.

The entries that are taken are in the journal already, and are read from there: nothing has to wait in memory, and a
slow, locked or dead ledger costs the loop nothing. SQLAlchemy is loaded in the thread, once the start is over.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from breakwall.model.actions import Note
from breakwall.model.journal import JournalEntry
from breakwall.model.records import MarketFact
from breakwall.model.text import sanitise
from breakwall.ports import Clock, JournalError, LedgerError
from breakwall.settings import LedgerSettings

if TYPE_CHECKING:
    from breakwall.storage.ledger.following import Following

AFTER_START_S = 2.0
"""The first seconds belong to the start; what happened in them is caught up."""
GATHER_S = 0.2
IDLE_S = 1.0
RETRY_S = 2.0
BREATH_S = 0.01
"""Pause between two batches while catching up: the loop goes first."""
LEAVE_S = 2.0
"""How long the end waits for the ledger; what is missing then is caught up at the next start."""
BATCH = 200
FACTS_MOST = 1_000
"""Facts of the market that may wait; beyond it the oldest are dropped, and counted."""


Say = Callable[[Note, int], None]
"""Where lines for the log go, from any thread: the note and the engine time."""


class ThreadLedger:
    """A `ports.Ledger` in a SQLite file, or a PostgreSQL database by URL, that follows the journal file."""

    def __init__(self, target: Path | str, journal: Path, clock: Clock, settings: LedgerSettings, say: Say) -> None:
        self._target = target
        self._journal = journal
        self._clock = clock
        self._settings = settings
        self._say = say
        self._facts: deque[MarketFact] = deque(maxlen=FACTS_MOST)
        self._dropped = 0
        self._trouble = ""
        self._bell = threading.Event()
        self._leaving = threading.Event()
        self._thread: threading.Thread | None = None

    def take(self, entries: Sequence[JournalEntry]) -> None:
        if entries:
            self._ring()

    def keep(self, fact: MarketFact) -> None:
        self._dropped += len(self._facts) == FACTS_MOST
        self._facts.append(fact)
        if self._thread is None:
            self._ring()

    @property
    def trouble(self) -> str:
        return self._trouble

    async def close(self) -> None:
        """Write what is left, as far as that is possible at once."""
        if self._thread is not None:
            self._leaving.set()
            self._bell.set()
            await asyncio.to_thread(self._thread.join, LEAVE_S + RETRY_S)

    def _ring(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)
            self._thread.start()
        self._bell.set()

    def _run(self) -> None:
        self._leaving.wait(AFTER_START_S)
        try:
            following = self._load()
        except Exception as error:
            self._tell(f"the ledger cannot be loaded: {sanitise(repr(error))}. Install Breakwall again.")
            return
        while not self._leaving.is_set():
            self._bell.wait(IDLE_S)
            self._leaving.wait(GATHER_S)
            self._bell.clear()
            while self._write(following) and not self._leaving.wait(BREATH_S):
                pass
            if self._trouble:
                self._leaving.wait(RETRY_S)
        until_ms = self._clock.now_ms() + int(LEAVE_S * 1000)
        while self._write(following) and self._clock.now_ms() < until_ms:
            pass
        following.close()

    def _load(self) -> "Following":
        from breakwall.storage.ledger.following import Following  # noqa: PLC0415 - SQLAlchemy: 0.2 s, 12 MB

        return Following(self._target, self._journal, self._settings)

    def _write(self, following: "Following") -> bool:
        """One batch; returns whether there is more to write at once. Whatever goes wrong is told, and tried again."""
        try:
            more = following.follow(BATCH, self._clock.now_ms())
            self._write_facts(following)
        except Exception as error:
            self._tell(self._words(error))
            return False
        self._tell(following.news)
        return more

    def _tell(self, trouble: str) -> None:
        """Say once what is wrong, and that it is over."""
        if trouble != self._trouble:
            self._trouble = trouble
            level, text = ("warning", trouble) if trouble else ("info", "the ledger is written again")
            self._say(Note("ledger", text, level), self._clock.now_ms())

    def _write_facts(self, following: "Following") -> None:
        facts = [self._facts.popleft() for _ in range(len(self._facts))]
        dropped, self._dropped = self._dropped, 0
        try:
            following.keep(facts, self._clock.now_ms(), dropped)
        except Exception:
            room = FACTS_MOST - len(self._facts)
            self._facts.extendleft(reversed(facts[-room:] if room else []))
            self._dropped += dropped + max(0, len(facts) - room)
            raise

    def _words(self, error: Exception) -> str:
        known = isinstance(error, LedgerError | JournalError)
        return sanitise(error if known else repr(error), 500)
