"""Makes intents durable: one commit for all that is waiting, one answer for each who waits."""

import asyncio
from collections import deque
from collections.abc import Sequence

from breakwall.model.events import JournalHealth
from breakwall.model.journal import JournalEntry
from breakwall.ports import Clock, Journal, JournalError, Sink

RETRY_S = 0.5
MISSED_MOST = 20_000
"""How many entries a failing journal may miss before the oldest are given up: hours of trading."""


class Scribe:
    """The journal's writer task.

    While a commit runs, entries gather; the next commit takes all of them (group commit). A failing
    journal is reported to the core as `JournalHealth` and tried again every half second with all that
    it missed: closes and stops left without it, and must be found there later. It never blocks anybody
    but those who asked to wait.
    """

    def __init__(self, journal: Journal, clock: Clock, sink: Sink) -> None:
        self._journal = journal
        self._clock = clock
        self._sink = sink
        self._waiting: list[tuple[Sequence[JournalEntry], asyncio.Future[None]]] = []
        self._missed: deque[JournalEntry] = deque(maxlen=MISSED_MOST)
        self._more = asyncio.Event()
        self._healthy = True

    def store(self, entries: Sequence[JournalEntry]) -> asyncio.Future[None]:
        """Queue entries; the future is done once they are on the disk and fails with JournalError if not."""
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((entries, stored))
        self._more.set()
        return stored

    async def run(self) -> None:
        while True:
            if self._missed:
                await self._clock.sleep(RETRY_S)
            else:
                await self._more.wait()
            self._more.clear()
            await self.finish()

    async def finish(self) -> None:
        """Write what is still waiting; also the last act before the journal closes."""
        batch, self._waiting = self._waiting, []
        if batch or self._missed:
            await self._commit(batch)

    async def _commit(self, batch: list[tuple[Sequence[JournalEntry], asyncio.Future[None]]]) -> None:
        """Whatever goes wrong in the journal: who waits is answered, and what was to be written is kept."""
        entries = [*self._missed, *(entry for entries, _ in batch for entry in entries)]
        try:
            await self._journal.commit(entries)
        except Exception as error:
            reason = str(error) if isinstance(error, JournalError) else repr(error)
            self._missed = deque(entries, MISSED_MOST)
            self._report(ok=False, reason=reason)
            for _, stored in batch:
                if not stored.done():
                    stored.set_exception(JournalError(reason))
                    stored.exception()  # those who do not wait must not make noise
            return
        self._missed.clear()
        self._report(ok=True, reason="")
        for _, stored in batch:
            if not stored.done():
                stored.set_result(None)

    def _report(self, *, ok: bool, reason: str) -> None:
        if ok != self._healthy:
            self._healthy = ok
            self._sink.put(JournalHealth(ok, reason))
