import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from shutil import copytree

import pytest
from sqlalchemy import inspect
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from breakwall.ports import LedgerError
from breakwall.storage.ledger import schema
from breakwall.storage.ledger.bookkeeper import Bookkeeper
from breakwall.storage.ledger.books import opened
from breakwall.storage.ledger.columns import METADATA
from breakwall.storage.ledger.database import NewerLedgerError, connect, make_room
from breakwall.storage.ledger.tables import REVISION
from breakwall.storage.migrations import steps
from tests.storage.ledger.diary import IDENTITY, Diary

NEXT = '''"""One more step, made up for this test."""
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{head}"


def upgrade() -> None:
    with op.batch_alter_table("orders", recreate="always") as table:
        table.add_column(sa.Column("colour", sa.String(), nullable=False, server_default="blue"))
    {more}
'''


def described(path: Path) -> dict[str, object]:
    """The schema as the database has it, whatever the order of the columns."""
    engine = connect(path)
    found = inspect(engine)
    tables = {
        table: {
            "columns": sorted((c["name"], str(c["type"]), c["nullable"]) for c in found.get_columns(table)),
            "indexes": sorted((i["name"], tuple(i["column_names"])) for i in found.get_indexes(table)),
            "checks": sorted((c["name"], c["sqltext"]) for c in found.get_check_constraints(table)),
            "keys": found.get_pk_constraint(table),
            "foreign": sorted(
                (f["name"], tuple(f["constrained_columns"]), f["referred_table"])
                for f in found.get_foreign_keys(table)
            ),
            "unique": sorted((u["name"], tuple(u["column_names"])) for u in found.get_unique_constraints(table)),
        }
        for table in found.get_table_names()
        if table != "alembic_version"
    }
    engine.dispose()
    with closing(sqlite3.connect(path)) as db:
        triggers = sorted(db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall())
    return {"tables": tables, "triggers": triggers}


def old_ledger(path: Path) -> None:
    """A ledger of the first revision with a trade in it, as a release before had left it."""
    make_room(path)
    engine = connect(path)
    with engine.connect() as connection, connection.begin():
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(steps.FOLDER))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    engine.dispose()


@pytest.fixture
def folder(tmp_path: Path) -> Callable[[str], Path]:
    """The migrations there are, and one more that does `more` at its end."""

    def make(more: str) -> Path:
        there = tmp_path / "migrations"
        copytree(steps.FOLDER, there)
        (there / "versions/v9999.py").write_text(NEXT.format(head=REVISION, more=more))
        return there

    return make


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.db"
    make_room(path)
    keeper = Bookkeeper(path)
    keeper.open(IDENTITY, 0)
    diary = Diary()
    diary.starts()
    diary.trades()
    keeper.book(list(enumerate(diary.entries, start=1)))
    keeper.close()
    return path


def test_the_tables_are_what_the_migrations_lead_to(tmp_path: Path) -> None:
    assert steps.known()[-1] == REVISION
    migrated, made = tmp_path / "migrated.db", tmp_path / "made.db"
    old_ledger(migrated)
    steps.climb(migrated, "0001", 0)
    make_room(made)
    keeper = Bookkeeper(made)
    keeper.open(IDENTITY, 0)
    keeper.close()
    assert described(migrated) == described(made)


def test_an_older_ledger_with_rows_is_copied_and_brought_up_to_date(
    filled: Path, folder: Callable[[str], Path]
) -> None:
    copy = steps.climb(filled, REVISION, 7, folder("pass"))
    assert copy == filled.with_name("ledger.db.before-migration-9999-7")
    assert copy.stat().st_mode & 0o077 == 0
    with closing(sqlite3.connect(filled)) as db:
        assert db.execute("SELECT count(*), min(colour) FROM orders").fetchone() == (2, "blue")
        assert db.execute("SELECT version_num FROM alembic_version").fetchone() == ("9999",)
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    with opened(copy) as books:
        assert len(books.orders()) == 2


def test_a_step_that_fails_leaves_the_ledger_as_it_was(filled: Path, folder: Callable[[str], Path]) -> None:
    with opened(filled) as books:
        before = books.orders()
    with pytest.raises(LedgerError, match="no such table: nowhere"):
        steps.climb(filled, REVISION, 7, folder("op.execute('DELETE FROM nowhere')"))
    with opened(filled) as books:
        assert books.orders() == before
    keeper = Bookkeeper(filled)
    keeper.open(IDENTITY, 0)
    keeper.close()


def test_a_newer_ledger_is_refused_with_the_remedy(filled: Path) -> None:
    with closing(sqlite3.connect(filled)) as db:
        db.execute("UPDATE alembic_version SET version_num = '9999'")
        db.commit()
    with pytest.raises(NewerLedgerError, match=r"written by a newer Breakwall.*Upgrade Breakwall"):
        Bookkeeper(filled).open(IDENTITY, 0)
    assert list(filled.parent.glob("*.before-migration*")) == []


def test_a_database_of_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE recipes (name)")
    with pytest.raises(LedgerError, match="another program"):
        Bookkeeper(path).open(IDENTITY, 0)


def test_migrate_by_hand_says_what_it_did(filled: Path) -> None:
    assert schema.bring_up_to_date(filled, 0) == schema.Migrated(REVISION, REVISION, "")


def test_the_tables_can_be_made_in_postgresql() -> None:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy has no types here
    for table in METADATA.sorted_tables:
        made = str(CreateTable(table).compile(dialect=dialect))
        assert "NUMERIC" in made or "Exact" not in repr(table)
        for index in table.indexes:
            assert str(CreateIndex(index).compile(dialect=dialect))
