"""What may befall the ledger's file while a run writes it. None of it stops anything; all of it is caught up."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from decimal import Decimal
from pathlib import Path

import pytest

from breakwall.model.journal import JournalEntry
from breakwall.model.records import BookShot, MarketStats, WallLife
from breakwall.ports import JournalError, LedgerError
from breakwall.settings import LedgerSettings
from breakwall.storage.ledger import database
from breakwall.storage.ledger.books import opened
from breakwall.storage.ledger.coins import Wish, change
from breakwall.storage.ledger.following import TIDY_EVERY_MS, Following
from breakwall.storage.ledger.market import unpacked
from breakwall.storage.ledger.retention import DAY_MS
from breakwall.storage.ledger.tables import BOOKS, STATS, WALLS
from tests.storage.ledger.conftest import Write
from tests.storage.ledger.diary import RUN, START_MS, SYMBOL, Diary

MOST = 500


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_S", 0.05)


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def following(ledger: Path) -> Iterator[Following]:
    following = Following(ledger, ledger.with_name("journal.db"), LedgerSettings())
    yield following
    following.close()


def catch_up(following: Following, most: int = MOST) -> None:
    while following.follow(most, START_MS):
        pass


def trades(ledger: Path) -> int:
    with opened(ledger) as books:
        return len(books.trades())


def events(ledger: Path) -> list[str]:
    with opened(ledger) as books:
        return [event.text for event in books.system_events()]


def shot(at_ms: int) -> BookShot:
    level = (Decimal("149.50"), Decimal("12.5"))
    return BookShot(SYMBOL, at_ms, (level,), ((Decimal("149.51"), Decimal(3)),))


def test_it_follows_the_journal_and_goes_on_after_a_crash(
    diary: Diary, write: Write, ledger: Path, following: Following
) -> None:
    diary.trades()
    write(diary.entries)
    assert following.follow(5, START_MS)  # and then the process dies
    following.close()
    again = Following(ledger, ledger.with_name("journal.db"), LedgerSettings())
    catch_up(again)
    assert trades(ledger) == 1
    later = Diary(RUN + 1)
    later.trades()
    write(later.entries)
    catch_up(again)
    again.close()
    assert trades(ledger) == 2
    assert ledger.stat().st_mode & 0o077 == 0


def test_a_lost_journal_leaves_the_books_of_before(
    diary: Diary, write: Write, ledger: Path, following: Following
) -> None:
    diary.trades()
    diary.trades()
    write(diary.entries)
    catch_up(following)
    following.close()
    ledger.with_name("journal.db").rename(ledger.with_name("lost.db"))
    later = Diary(RUN + 1)
    later.starts()
    later.trades()
    write(later.entries)
    again = Following(ledger, ledger.with_name("journal.db"), LedgerSettings())
    catch_up(again)
    again.close()
    assert trades(ledger) == 3


def locked(ledger: Path) -> Callable[[], None]:
    db = sqlite3.connect(ledger, isolation_level=None)
    db.execute("BEGIN EXCLUSIVE")
    return db.close


def test_a_locked_ledger_is_told_and_caught_up(
    diary: Diary, write: Write, ledger: Path, following: Following
) -> None:
    write(diary.entries)
    catch_up(following)
    release = locked(ledger)
    diary.entries.clear()
    diary.trades()
    write(diary.entries)
    with pytest.raises(LedgerError, match=r"locked.*Another program holds it"):
        catch_up(following)
    with pytest.raises(LedgerError, match="locked"):
        following.keep([shot(1)], START_MS, 0)
    release()
    catch_up(following)
    following.keep([shot(1)], START_MS, 2)
    assert trades(ledger) == 1
    assert events(ledger) == ["2 facts of the market were dropped: the ledger was too slow"]


def flipped(ledger: Path) -> None:
    """Bytes at the head of every page but the first."""
    content = bytearray(ledger.read_bytes())
    for start in range(4096, len(content), 4096):
        content[start : start + 64] = os.urandom(64)
    ledger.write_bytes(content)


def falsified(ledger: Path) -> None:
    """A byte of a row that its index does not know of."""
    content = ledger.read_bytes()
    ledger.write_bytes(content.replace(b"SOLUSDT", b"SOLUSDX", 1))


def unreadable(ledger: Path) -> None:
    with closing(sqlite3.connect(ledger)) as db:
        db.execute("UPDATE instruments SET tick = 'x.y'")
        db.commit()


def robbed(ledger: Path) -> None:
    with closing(sqlite3.connect(ledger)) as db:
        db.execute("DROP TABLE order_steps")


def beheaded(ledger: Path) -> None:
    with ledger.open("r+b") as file:
        file.write(b"not a database at all")


def truncated(ledger: Path) -> None:
    os.truncate(ledger, ledger.stat().st_size // 2)


@pytest.mark.parametrize("harm", [flipped, falsified, unreadable, beheaded, truncated, robbed])
def test_a_damaged_file_at_start_is_set_aside_and_the_books_begin_again(
    harm: Callable[[Path], None], diary: Diary, write: Write, ledger: Path, following: Following
) -> None:
    diary.trades()
    write(diary.entries)
    catch_up(following)
    following.close()
    harm(ledger)
    again = Following(ledger, ledger.with_name("journal.db"), LedgerSettings())
    again.follow(3, START_MS)
    assert f"ledger.db.damaged-{START_MS}" in again.news
    catch_up(again)
    again.follow(MOST, START_MS)
    assert again.news == ""
    again.close()
    assert trades(ledger) == 1
    assert ledger.with_name(f"ledger.db.damaged-{START_MS}").exists()
    assert [f"ledger.db.damaged-{START_MS}" in text for text in events(ledger)] == [True]


def test_what_people_set_is_saved_from_a_damaged_file_as_far_as_it_can_be_read(
    diary: Diary, write: Write, ledger: Path, following: Following
) -> None:
    write(diary.entries)
    catch_up(following)
    change(ledger, Wish(SYMBOL, {"enabled": False}, None, "me", "thin"), 1)
    following.close()
    with closing(sqlite3.connect(ledger)) as db:
        page = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'orders'").fetchone()[0]
    with ledger.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(os.urandom(4096))
    again = Following(ledger, ledger.with_name("journal.db"), LedgerSettings())
    catch_up(again)
    again.close()
    with opened(ledger) as books:
        assert [(coin.symbol, coin.enabled, coin.version) for coin in books.coins()] == [(SYMBOL, False, 1)]
        assert [line.action for line in books.audit()] == ["params"]


def emptied(ledger: Path) -> None:
    """Everything that has its name, to nothing."""
    for part in ledger.parent.glob(f"{ledger.name}*"):
        os.truncate(part, 0)


@pytest.mark.parametrize("harm", [beheaded, truncated, emptied])
def test_a_file_that_is_damaged_while_it_is_written_is_set_aside_or_made_again(
    harm: Callable[[Path], None], diary: Diary, write: Write, ledger: Path, following: Following
) -> None:
    write(diary.entries)
    catch_up(following)
    harm(ledger)
    diary.entries.clear()
    diary.trades()
    write(diary.entries)
    with suppress(LedgerError):
        catch_up(following)
    catch_up(following)
    assert trades(ledger) == 1


def test_a_file_that_is_taken_away_is_made_again(
    diary: Diary, write: Write, ledger: Path, following: Following
) -> None:
    diary.trades()
    write(diary.entries)
    catch_up(following)
    for part in ledger.parent.glob("ledger.db*"):
        part.unlink()
    following.follow(3, START_MS)
    assert "taken away" in following.news
    catch_up(following)
    assert trades(ledger) == 1


def test_the_books_of_another_account_are_refused(diary: Diary, write: Write, ledger: Path) -> None:
    write(diary.entries)
    journal = ledger.with_name("journal.db")
    following = Following(ledger, journal, LedgerSettings())
    catch_up(following)
    following.close()
    with closing(sqlite3.connect(journal)) as db:
        db.execute("UPDATE meta SET value = 'mainnet' WHERE name = 'environment'")
        db.commit()
    again = Following(ledger, journal, LedgerSettings())
    with pytest.raises(LedgerError, match=r"another account .*environment embedded.*environment mainnet.*--state"):
        again.follow(MOST, START_MS)
    again.close()


def test_a_journal_that_cannot_be_read_is_told(ledger: Path, following: Following) -> None:
    with pytest.raises(JournalError, match=r"journal\.db: the journal cannot be read"):
        following.follow(MOST, START_MS)
    assert not ledger.exists()


FULL = """
import resource, sys
from pathlib import Path
from breakwall.ports import LedgerError
from breakwall.settings import LedgerSettings
from breakwall.storage.ledger.following import Following
ledger = Path(sys.argv[1])
following = Following(ledger, ledger.with_name("journal.db"), LedgerSettings())
following.follow(2, 0)
limit = ledger.stat().st_size + 4096
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
try:
    following.follow(500, 0)
except LedgerError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
while following.follow(500, 0):
    pass
following.close()
"""


def test_a_full_disk_is_told_and_caught_up(diary: Diary, write: Write, ledger: Path) -> None:
    for _ in range(20):
        diary.trades()
    write(diary.entries)
    done = subprocess.run([sys.executable, "-c", FULL, ledger], capture_output=True, text=True, check=True)
    assert "ledger.db: " in done.stdout
    assert "Free some space" in done.stdout
    assert trades(ledger) == 20


READ_ONLY = """
import os, sys
from pathlib import Path
from breakwall.ports import LedgerError
from breakwall.settings import LedgerSettings
from breakwall.storage.ledger.following import Following
ledger = Path(sys.argv[1])
journal = ledger.with_name("journal.db")
Following(Path(sys.argv[2]), journal, LedgerSettings()).follow(500, 0)  # loads what root alone may be able to load
if os.getuid() == 0:
    os.setuid(65534)
following = Following(ledger, journal, LedgerSettings())
try:
    following.follow(500, 0)
except LedgerError as error:
    print(error)
"""


def test_a_ledger_that_may_not_be_written_is_told(
    diary: Diary, write: Write, ledger: Path, following: Following, tmp_path_factory: pytest.TempPathFactory
) -> None:
    write(diary.entries)
    catch_up(following)
    following.close()
    folders = [
        folder for folder in ledger.parents if folder.owner() == ledger.owner() and folder.stat().st_mode & 0o077 == 0
    ]
    modes = [(path, path.stat().st_mode) for path in (*folders, *ledger.parent.iterdir())]
    try:
        for path, _ in modes:
            path.chmod(0o555 if path.is_dir() else 0o444)
        other = tmp_path_factory.mktemp("other") / "ledger.db"
        words = [sys.executable, "-c", READ_ONLY, ledger, other]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
    finally:
        for path, mode in modes:
            path.chmod(mode)
    assert "writable for you" in done.stdout


def test_facts_of_the_market_are_kept_once_and_forgotten_in_time(
    diary: Diary, write: Write, ledger: Path, following: Following
) -> None:
    write(diary.entries)
    wall = WallLife(
        SYMBOL, 7, "bid", Decimal("149.5"), 1, 2, "eaten", Decimal(3), Decimal(4), Decimal(1), 0.8, 0.1, 2
    )
    stats = MarketStats(SYMBOL, 2, Decimal("149.5"), None, None, None, None, None, None, 1, "up")
    now = 31 * DAY_MS
    following.keep([wall, stats, shot(2), shot(now)], 2, 0)
    following.keep([wall, stats, shot(2)], 2 + TIDY_EVERY_MS // 2, 0)

    def counts() -> list[int]:
        with opened(ledger) as books:
            return [len(books.connection.execute(table.select()).all()) for table in (WALLS, STATS, BOOKS)]

    assert counts() == [1, 1, 2]
    with opened(ledger) as books:
        levels = books.connection.execute(BOOKS.select()).mappings().first()
        assert levels is not None
        assert unpacked(levels["levels"]) == (shot(2).bids, shot(2).asks)
    following.keep([], now, 0)
    assert counts() == [1, 1, 1]
    following.keep([], 62 * DAY_MS, 0)
    assert counts() == [0, 0, 0]


def test_a_hostile_line_is_kept_as_it_is_and_holds_up_nothing(
    diary: Diary, write: Write, ledger: Path, following: Following
) -> None:
    diary.happens()
    diary.notes("process", "\x1b]52;c;aGk=\x07\x00=1+1 \u202e[/bold]")
    entries: list[JournalEntry] = diary.entries
    write(entries)
    catch_up(following)
    assert len(events(ledger)) == 1
