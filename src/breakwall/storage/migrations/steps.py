"""From an older ledger to today's, all steps in one transaction."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from breakwall import points
from breakwall.storage.ledger import schema
from breakwall.storage.ledger.database import Target, connect, explained

FOLDER = Path(__file__).parent


def known(folder: Path = FOLDER) -> list[str]:
    """The revisions there are, oldest first; the last is the head."""
    return [script.revision for script in ScriptDirectory(str(folder)).walk_revisions()][::-1]


def climb(target: Target, found: str, now_ms: int, folder: Path = FOLDER) -> Path | None:
    """Take every step behind revision `found`; a file is copied before the first. Returns the copy.

    Raises NewerLedgerError where `found` is none of ours, LedgerError where a step fails: the database is as it was.
    """
    revisions = known(folder)
    if found not in revisions:
        raise schema.refuse_newer(target, found)
    try:
        copy = schema.copy_of(target, revisions[-1], now_ms) if isinstance(target, Path) else None
        _climb(target, folder)
    except Exception as error:
        raise explained(target, error) from error
    return copy


def _climb(target: Target, folder: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    engine = connect(target, foreign_keys=False)  # tables may have to be made anew, which would break them on the way
    try:
        with engine.connect() as connection, connection.begin():
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            points.reach(points.Point.CHECKPOINT)
    finally:
        engine.dispose()
