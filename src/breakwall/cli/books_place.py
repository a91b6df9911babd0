"""Where the run folder and the ledger are that a command shall read."""

from pathlib import Path
from typing import TYPE_CHECKING

from breakwall.cli.config import load_checked
from breakwall.keys import environment_of
from breakwall.places import JOURNAL_FILE, LEDGER_FILE, account_folders, demo_folders
from breakwall.ports import LedgerError

if TYPE_CHECKING:
    from breakwall.storage.ledger.database import Target


def run_folder(state: Path | None, config: Path | None = None) -> Path:
    """The run folder that was given; else that of the account that the settings speak of, traded last; or of a demo.

    Raises LedgerError where there is none.
    """
    if state is not None:
        return state
    settings = load_checked(config)
    name = environment_of(settings.mode, settings.venue.environment, settings.venue.rest_url)
    folders = account_folders("bybit", name) if name else demo_folders()
    folder = next((path for path in folders if (path / JOURNAL_FILE).exists()), None)
    if folder is None:
        what = f"run on an account of {name}" if name else "demo"
        raise LedgerError(f"no {what} has left a run folder yet. Begin one, or name its folder with --state.")
    return folder


def books_place(state: Path | None, config: Path | None) -> "Target":
    """The ledger of a run folder, or the server that the settings name. Raises LedgerError where there is none."""
    url = load_checked(config).ledger.url
    if url:
        return url
    path = run_folder(state, config) / LEDGER_FILE
    if not path.exists():
        raise LedgerError(
            f"{path}: there is no ledger. `breakwall ledger rebuild` makes it from the journal beside it; "
            "another run folder is named with --state."
        )
    return path
