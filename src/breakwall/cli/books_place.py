"""Where the ledger is that a command shall read."""

from pathlib import Path
from typing import TYPE_CHECKING

from breakwall.cli.config import load_checked
from breakwall.places import JOURNAL_FILE, LEDGER_FILE, demo_folders
from breakwall.ports import LedgerError

if TYPE_CHECKING:
    from breakwall.storage.ledger.database import Target


def run_folder(state: Path | None) -> Path:
    """The run folder that was given, or the newest demo's. Raises LedgerError where there is none."""
    if state is not None:
        return state
    folder = next((path for path in demo_folders() if (path / JOURNAL_FILE).exists()), None)
    if folder is None:
        raise LedgerError("no demo has left a run folder yet. Run `breakwall demo` first, or name one with --state.")
    return folder


def books_place(state: Path | None, config: Path | None) -> "Target":
    """The ledger of a run folder, or the server that the settings name. Raises LedgerError where there is none."""
    url = load_checked(config).ledger.url
    if url:
        return url
    path = run_folder(state) / LEDGER_FILE
    if not path.exists():
        raise LedgerError(
            f"{path}: there is no ledger. `breakwall ledger rebuild` makes it from the journal beside it; "
            "another run folder is named with --state."
        )
    return path
