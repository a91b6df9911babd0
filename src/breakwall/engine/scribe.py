"""Makes intents durable: one commit for all that is waiting, one answer for each who waits."""

import asyncio
from collections import deque
from collections.abc import Sequence

from breakwall import points
from breakwall.model.events import JournalHealth, SlowCommit
from breakwall.model.journal import EntryKind, JournalEntry
from breakwall.ports import Clock, Journal, JournalError, Ledger, Sink

RETRY_S = 0.5
MISSED_MOST = 20_000
"""How many entries a failing journal may miss before the oldest are given up: hours of trading."""


class Scribe:
    """The journal's writer task.

    While a commit runs, entries gather; the next commit takes all of them (group commit). A failing
    journal is reported to the core as `JournalHealth` and tried again every half second with all that
    it missed: closes and stops left without it, and must be found there later. It never blocks anybody
    but those who asked to wait. A commit of intents that took longer than `slow_ms` is told the core.
    """

    def __init__(
        self, journal: Journal, clock: Clock, sink: Sink, slow_ms: int, ledger: Ledger | None = None
    ) -> None:
        self._journal = journal
        self._slow_ms = slow_ms
        self._ledger = ledger
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
            points.stumble("scribe: before a commit")
            await points.linger("scribe: before a commit", self._clock.sleep)
            await self.finish()

    async def finish(self) -> None:
        """Write what is still waiting; also the last act before the journal closes."""
        batch, self._waiting = self._waiting, []
        if batch or self._missed:
            await self._commit(batch)

    async def _commit(self, batch: list[tuple[Sequence[JournalEntry], asyncio.Future[None]]]) -> None:
        """Whatever goes wrong in the journal: who waits is answered, and what was to be written is kept."""
        entries = [*self._missed, *(entry for entries, _ in batch for entry in entries)]
        began_ns = self._clock.now_ns()
        try:
            points.stumble("scribe: commit")
            await self._journal.commit(entries)
            await points.linger("scribe: after a commit", self._clock.sleep)
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
        if self._ledger is not None:
            self._ledger.take(entries)
        self._report(ok=True, reason="")
        commit_ms = (self._clock.now_ns() - began_ns) // 1_000_000
        if commit_ms > self._slow_ms and any(entry.kind is EntryKind.INTENT for entry in entries):
            self._sink.put(SlowCommit(commit_ms))
        for _, stored in batch:
            if not stored.done():
                stored.set_result(None)

    def _report(self, *, ok: bool, reason: str) -> None:
        if ok != self._healthy:
            self._healthy = ok
            self._sink.put(JournalHealth(ok, reason))
