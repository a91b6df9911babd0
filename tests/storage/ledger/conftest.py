"""A run folder with a journal in it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from breakwall.model.journal import JournalEntry
from breakwall.storage.journal import InlineJournal
from tests.storage.ledger.diary import IDENTITY, Diary

Write = Callable[[list[JournalEntry]], Path]


@pytest.fixture
def diary() -> Diary:
    diary = Diary()
    diary.starts()
    return diary


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Puts entries into the journal file of a run folder, behind what is there."""

    def put(entries: list[JournalEntry]) -> Path:
        journal = InlineJournal(tmp_path / "journal.db", IDENTITY)
        for step in (journal.open(), journal.commit(entries), journal.close()):
            with pytest.raises(StopIteration):  # an inline journal never waits
                step.send(None)
        return tmp_path / "journal.db"

    return put
