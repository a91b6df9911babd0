import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from breakwall.model.records import BookShot
from breakwall.ports import JournalError
from breakwall.settings import LedgerSettings
from breakwall.storage.ledger.books import opened
from breakwall.storage.ledger.check import check
from breakwall.storage.ledger.coins import Wish, change
from breakwall.storage.ledger.following import Following
from breakwall.storage.ledger.rebuild import rebuild
from tests.storage.ledger.conftest import Write
from tests.storage.ledger.diary import RUN, START_MS, SYMBOL, Diary

SHOT = BookShot(SYMBOL, START_MS, ((Decimal("149.5"), Decimal(2)),), ())


@pytest.fixture
def ledger(diary: Diary, write: Write, tmp_path: Path) -> Path:
    """A ledger with a trade, a fact of the market, and a parameter that somebody set."""
    diary.trades()
    write(diary.entries)
    path = tmp_path / "ledger.db"
    following = Following(path, tmp_path / "journal.db", LedgerSettings())
    while following.follow(100, START_MS):
        pass
    following.keep([SHOT], START_MS, 0)
    following.close()
    change(path, Wish(SYMBOL, {"floor_usdt": Decimal(5000)}, None, "me", ""), START_MS)
    return path


def edit(ledger: Path, statement: str) -> None:
    with closing(sqlite3.connect(ledger)) as db:
        db.execute(statement)
        db.commit()


def journal_of(ledger: Path) -> Path:
    return ledger.with_name("journal.db")


def test_a_sound_ledger_is_as_the_journal_makes_it(ledger: Path) -> None:
    found = check(ledger, journal_of(ledger))
    assert (found.behind, found.differences) == (0, ())


def test_what_is_not_booked_yet_is_behind_and_no_difference(ledger: Path, write: Write) -> None:
    later = Diary(RUN + 1)
    later.trades()
    write(later.entries)
    found = check(ledger, journal_of(ledger))
    assert (found.behind, found.differences) == (len(later.entries), ())


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE orders SET state = 'CANCELLED' WHERE ours", "state is CANCELLED, the journal makes FILLED"),
        ("UPDATE fills SET price = '1' WHERE exec_id = 't-1'", "price is 1, the journal makes 149.51"),
        ("DELETE FROM trades", "missing in the books"),
        ("UPDATE positions SET key = 'x', symbol = 'NOBODY'", "only in the books"),
    ],
)
def test_what_was_edited_by_hand_is_named_and_healed(ledger: Path, statement: str, words: str) -> None:
    edit(ledger, statement)
    assert any(words in text for text in check(ledger, journal_of(ledger)).differences)
    made = rebuild(ledger, journal_of(ledger), START_MS + 9)
    assert check(ledger, journal_of(ledger)).differences == ()
    assert made.kept == f"ledger.db.before-rebuild-{START_MS + 9}"
    assert ledger.with_name(made.kept).exists()


def test_the_market_and_what_people_said_are_carried_over(ledger: Path) -> None:
    made = rebuild(ledger, journal_of(ledger), START_MS)
    assert made.lost == ()
    assert {name: count for name, count in made.carried.items() if count} == {
        "coin_parameters": 1,
        "audit": 1,
        "book_snapshots": 1,
    }
    with opened(ledger) as books:
        assert [coin.floor_usdt for coin in books.coins()] == [Decimal(5000)]
        assert books.audit()[-1].action == "params"
        assert "made again" in books.system_events()[-1].text


def test_a_ledger_that_is_gone_is_made_again(ledger: Path) -> None:
    ledger.unlink()
    made = rebuild(ledger, journal_of(ledger), START_MS)
    assert (made.kept, made.carried) == ("", {})
    assert check(ledger, journal_of(ledger)).differences == ()


def test_of_a_damaged_ledger_what_can_be_read_is_carried_over(ledger: Path) -> None:
    ledger.write_bytes(b"nothing of a database" * 400)
    made = rebuild(ledger, journal_of(ledger), START_MS)
    assert made.carried == {}
    assert "file is not a database" in made.lost[0]
    assert check(ledger, journal_of(ledger)).differences == ()


def test_a_file_without_tables_has_nothing_to_carry_over(ledger: Path) -> None:
    """A start that was killed early leaves one."""
    ledger.unlink()
    edit(ledger, "PRAGMA user_version = 1")
    made = rebuild(ledger, journal_of(ledger), START_MS)
    assert (made.carried, made.lost) == ({}, ())


def test_trades_of_a_journal_that_is_gone_stay_in_the_kept_file_and_that_is_said(ledger: Path, write: Write) -> None:
    journal_of(ledger).unlink()
    later = Diary(RUN + 1)
    later.starts()
    write(later.entries)
    made = rebuild(ledger, journal_of(ledger), START_MS)
    assert made.lost == (f"1 runs that this journal does not know ({RUN})",)


def test_without_a_journal_nothing_is_touched(ledger: Path) -> None:
    journal_of(ledger).unlink()
    before = ledger.read_bytes()
    with pytest.raises(JournalError, match="the journal cannot be read"):
        rebuild(ledger, journal_of(ledger), START_MS)
    assert ledger.read_bytes() == before
    assert list(ledger.parent.glob("ledger.db.*")) == []


def test_a_writer_goes_on_in_the_new_file(ledger: Path, write: Write) -> None:
    following = Following(ledger, journal_of(ledger), LedgerSettings())
    while following.follow(100, START_MS):
        pass
    rebuild(ledger, journal_of(ledger), START_MS)
    later = Diary(RUN + 1)
    later.trades()
    write(later.entries)
    while following.follow(100, START_MS):
        pass
    following.close()
    assert check(ledger, journal_of(ledger)).differences == ()
    with opened(ledger) as books:
        assert len(books.trades()) == 2
