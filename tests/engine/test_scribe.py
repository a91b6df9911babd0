"""The scribe: group commit, failures told once, nobody blocked."""

import asyncio
from collections.abc import Iterable

import pytest

from breakwall.clock import SystemClock
from breakwall.engine.scribe import Scribe
from breakwall.model.events import Event, JournalHealth
from breakwall.model.journal import EntryKind, JournalEntry
from breakwall.ports import Frame, JournalError
from tests.patience import until


class Memory:
    """A journal that can be told to fail or to be slow."""

    def __init__(self) -> None:
        self.commits: list[list[JournalEntry]] = []
        self.broken = False
        self.error: Exception = JournalError("disk full")
        self.open_gate = asyncio.Event()
        self.open_gate.set()

    async def open(self) -> tuple[JournalEntry, ...]:
        return ()

    async def commit(self, entries: Iterable[JournalEntry]) -> None:
        await self.open_gate.wait()
        if self.broken:
            raise self.error
        self.commits.append(list(entries))

    async def close(self) -> None: ...


class Heard:
    def __init__(self) -> None:
        self.events: list[Event] = []

    def put(self, event: Event, frame: Frame | None = None) -> None:
        self.events.append(event)


def entry(seq: int) -> JournalEntry:
    return JournalEntry(1, seq, 0, EntryKind.NOTE, "{}")


@pytest.mark.asyncio
async def test_what_gathers_during_a_commit_goes_in_one_next_commit() -> None:
    journal, heard = Memory(), Heard()
    scribe = Scribe(journal, SystemClock(), heard, 10_000)
    task = asyncio.create_task(scribe.run())
    journal.open_gate.clear()
    first = scribe.store([entry(1)])
    await asyncio.sleep(0.01)
    others = [scribe.store([entry(seq)]) for seq in (2, 3, 4)]
    journal.open_gate.set()
    await asyncio.wait_for(asyncio.gather(first, *others), 60)
    assert [[line.seq for line in commit] for commit in journal.commits] == [[1], [2, 3, 4]]
    task.cancel()


@pytest.mark.asyncio
async def test_a_failing_journal_is_told_once_and_heals() -> None:
    journal, heard = Memory(), Heard()
    scribe = Scribe(journal, SystemClock(), heard, 10_000)
    task = asyncio.create_task(scribe.run())
    journal.broken = True
    for seq in (1, 2):
        with pytest.raises(JournalError, match="disk full"):
            await asyncio.wait_for(scribe.store([entry(seq)]), 60)
    journal.broken = False
    await asyncio.wait_for(scribe.store([entry(3)]), 60)
    assert heard.events == [JournalHealth(ok=False, reason="disk full"), JournalHealth(ok=True, reason="")]
    task.cancel()


@pytest.mark.asyncio
async def test_finish_writes_what_still_waits() -> None:
    journal = Memory()
    scribe = Scribe(journal, SystemClock(), Heard(), 10_000)
    stored = scribe.store([entry(9)])
    await scribe.finish()
    assert stored.done()
    assert journal.commits == [[entry(9)]]


@pytest.mark.asyncio
async def test_what_a_failing_journal_missed_is_written_by_itself_once_it_works() -> None:
    journal, heard = Memory(), Heard()
    scribe = Scribe(journal, SystemClock(), heard, 10_000)
    task = asyncio.create_task(scribe.run())
    journal.broken = True
    with pytest.raises(JournalError):
        await asyncio.wait_for(scribe.store([entry(1)]), 60)
    journal.broken = False
    await until(lambda: JournalHealth(ok=True, reason="") in heard.events)
    assert journal.commits == [[entry(1)]]
    assert heard.events[-1] == JournalHealth(ok=True, reason="")
    task.cancel()


@pytest.mark.asyncio
async def test_no_failure_of_the_journal_leaves_anybody_waiting() -> None:
    journal, heard = Memory(), Heard()
    journal.broken, journal.error = True, ValueError("no active connection")
    scribe = Scribe(journal, SystemClock(), heard, 10_000)
    task = asyncio.create_task(scribe.run())
    with pytest.raises(JournalError, match="no active connection"):
        await asyncio.wait_for(scribe.store([entry(1)]), 60)
    assert heard.events == [JournalHealth(ok=False, reason="ValueError('no active connection')")]
    task.cancel()
