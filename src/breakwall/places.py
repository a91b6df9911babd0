"""Where a user's files are, with the standard library alone: panic and watch start before everything else."""

import contextlib
import hashlib
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

APP = "breakwall"
EMBEDDED = "embedded"
"""The environment of every exchange on this machine, whichever one the settings name."""
PAPER = "paper"
"""That of trades which no exchange gets to see."""
EXCHANGE_FILE = "exchange.json"
"""In a demo's run folder: how to reach its exchange."""
PAPER_FILE = "paper.jsonl"
"""In the folder of a paper account: what it holds."""
HEARTBEAT_FILE = "heartbeat.json"
"""In every run folder: what the session wrote a second ago."""
JOURNAL_FILE, LEDGER_FILE = "journal.db", "ledger.db"
"""In every run folder: what was meant and done, and the books made from it."""


def state_folder() -> Path:
    """Lock files, panic marks, crash logs, and the runs that were given no folder."""
    return _folder("XDG_STATE_HOME", ".local/state")


def config_folder() -> Path:
    """Key file and themes."""
    return _folder("XDG_CONFIG_HOME", ".config")


def demo_folder() -> Path:
    """Where demos that were given no folder have theirs."""
    return state_folder() / "demo"


def demo_folders() -> list[Path]:
    """The run folders of demos, newest first."""
    base = demo_folder()
    return sorted((path for path in base.glob("*") if path.is_dir()), reverse=True) if base.is_dir() else []


def account_folder(venue: str, environment: str, account: str) -> Path:
    """Where the runs of one account are that were given no folder; `account` is the venue's number of it."""
    return state_folder() / "accounts" / f"{venue}-{environment}-{account}"


def account_folders(venue: str, environment: str) -> list[Path]:
    """The folders of this environment's accounts, the one that was traded last first."""
    base = state_folder() / "accounts"
    found = [path for path in base.glob(f"{venue}-{environment}-*") if path.is_dir()] if base.is_dir() else []
    return sorted(found, key=_touched, reverse=True)


def lock_name(venue: str, environment: str, key: str) -> str:
    """What the files of one account are called; the key itself cannot be told from it."""
    return f"{venue}-{environment}-{hashlib.sha256(key.encode()).hexdigest()[:12]}"


def mark_of_panic(venue: str, environment: str, key: str) -> Path:
    """The file that says: a person ran panic on this account, nothing may be opened until a person arms."""
    return state_folder() / "locks" / f"{lock_name(venue, environment, key)}.panic"


def ban_file(url: str) -> Path:
    """Until when the host of this address has banned ours: it concerns whoever starts next, on whatever account."""
    name = "".join(letter if letter.isalnum() or letter in ".-" else "_" for letter in urlsplit(url).netloc)
    return state_folder() / "bans" / (name.strip(".") or "nobody")


def mark_in(folder: Path) -> Path:
    """The same in a run folder: whoever runs panic on it may have another state folder."""
    return folder / "panic"


def write_whole(path: Path, content: bytes) -> None:
    """Put it there whole or not at all, for us alone. Raises OSError."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    file = os.open(fresh, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(file, "wb") as stream:
            stream.write(content)
        fresh.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            fresh.unlink()
        raise


def write_over(path: Path, content: bytes) -> None:
    """Put it over what is there, which takes no new room; a reader may see half of it. Raises OSError."""
    file = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(file, "wb") as stream:
        stream.write(content)
        stream.truncate()


def _touched(folder: Path) -> float:
    """When a run last said that it lives; 0 where none has."""
    try:
        return (folder / HEARTBEAT_FILE).stat().st_mtime
    except OSError:
        return 0.0


def _folder(variable: str, usual: str) -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library/Application Support" / APP
    given = os.environ.get(variable, "").strip()
    return (Path(given) if given else Path.home() / usual) / APP
