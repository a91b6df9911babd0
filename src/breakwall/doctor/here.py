"""This machine: Python, terminal, tmux, folders, disk, and other cockpits."""

import locale
import os
import platform
import shutil
import stat
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from breakwall.app.themes.depth import Depth, depth_of
from breakwall.doctor.finding import Finding, bad, doubtful, good, skipped
from breakwall.model.records import SHOT_MARKETS
from breakwall.model.text import sanitise
from breakwall.settings import Settings
from breakwall.storage.runs import InstanceLock

LEAST_COLUMNS, LEAST_ROWS = 80, 24
SLOW_ESCAPE_MS = 50
_MB = 1_000_000
_LEAST_FREE_MB = 200
_RECORDED_MB = {50: 90, 200: 60, 1000: 90}
"""A market's recording in MB a day by levels: at 200 that of a real one (1.4 kB/s of two markets, compressed), the
others by how much more often (50: each 20 ms) or more (1000) is told."""
_PICTURES_MB = 5
"""Its pictures of the book in the ledger, MB a day."""
_TMUX_S = 2.0


def python() -> Finding:
    version = platform.python_version()
    words = f"{platform.python_implementation()} {version} on {platform.system()} {platform.machine()}"
    if sys.version_info < (3, 11) or sys.platform not in {"linux", "darwin"}:
        return bad("python", words, "expected CPython 3.11 to 3.14 on Linux or macOS")
    return good("python", words)


def text_encoding() -> Finding:
    """What the terminal is taken to understand."""
    name = locale.nl_langinfo(locale.CODESET)
    if name.upper().replace("-", "") == "UTF8":
        return good("locale", name)
    return doubtful("locale", f"{name or 'none'}: lines and blocks cannot be drawn", "export LANG=C.UTF-8")


def terminal(settings: Settings, environ: Mapping[str, str]) -> list[Finding]:
    """Colours and size of the terminal the doctor was called from."""
    if not sys.stdout.isatty():
        return [skipped("terminal", "the output is none; a run without one has plain lines")]
    depth = depth_of(settings.ui.colors, environ, Console().color_system)
    columns, rows = shutil.get_terminal_size()
    return [_colours(depth, sanitise(environ.get("TERM", "not set"), 40)), _size(columns, rows)]


def _colours(depth: Depth, term: str) -> Finding:
    words = f"{'24 bit' if depth is Depth.TRUECOLOR else depth.value} (TERM {term})"
    if depth is Depth.TRUECOLOR:
        return good("colours", words)
    return doubtful("colours", words, "COLORTERM=truecolor where the terminal can; else nothing")


def _size(columns: int, rows: int) -> Finding:
    if columns < LEAST_COLUMNS or rows < LEAST_ROWS:
        return doubtful("size", f"{columns}x{rows}", f"make it {LEAST_COLUMNS}x{LEAST_ROWS} at least")
    return good("size", f"{columns}x{rows}")


def tmux(environ: Mapping[str, str]) -> list[Finding]:
    """Whether it passes on keys, colours and focus as the cockpit needs them."""
    if not environ.get("TMUX"):
        if environ.get("SSH_CONNECTION"):
            return [doubtful("tmux", "not in tmux, over SSH", "run in tmux: a lost line then costs nothing")]
        return [good("tmux", "not used")]
    options = _options_of_tmux()
    return judged_tmux(options) if options else [skipped("tmux", "it does not tell its options")]


def judged_tmux(options: Mapping[str, str]) -> list[Finding]:
    """Options by name, as `tmux show -s` and `tmux show -g` print them."""
    findings = []
    escape = options.get("escape-time", "")
    if not (escape.isdecimal() and int(escape) <= SLOW_ESCAPE_MS):
        findings.append(
            doubtful("tmux escape-time", escape or "not told", "set -sg escape-time 10: Esc waits for so many ms")
        )
    if options.get("focus-events") != "on":
        findings.append(doubtful("tmux focus-events", options.get("focus-events", "off"), "set -g focus-events on"))
    if "256color" not in options.get("default-terminal", ""):
        found = options.get("default-terminal", "") or "not told"
        findings.append(doubtful("tmux terminal", found, "set -g default-terminal tmux-256color"))
    told = " ".join(value for name, value in options.items() if name.startswith("terminal-"))
    if "RGB" not in told and "Tc" not in told:
        findings.append(doubtful("tmux colours", "no 24-bit ones", 'set -as terminal-features ",*:RGB"'))
    return findings or [good("tmux", "escape-time, focus-events, terminal and colours are right")]


def _options_of_tmux() -> dict[str, str]:
    """Empty where it cannot be asked."""
    options: dict[str, str] = {}
    try:
        for scope in ("-s", "-g"):
            done = subprocess.run(  # noqa: S603 - the person's own tmux
                ["tmux", "show-options", scope],  # noqa: S607 - the same
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_TMUX_S,
                check=True,
            )
            for line in done.stdout.splitlines():
                name, _, value = line.partition(" ")
                options[sanitise(name, 60)] = sanitise(value.strip('"'), 80)
    except (OSError, subprocess.SubprocessError):
        return {}
    return options


def folders(*paths: Path) -> list[Finding]:
    """Whether what is in them is ours alone."""
    return [_folder(path) for path in dict.fromkeys(paths)]


def _folder(path: Path) -> Finding:
    point, shown = "folder", sanitise(path, 100)
    try:
        found = path.stat()
    except FileNotFoundError:
        return good(point, f"{shown}: will be made for you alone")
    except OSError as error:
        return bad(point, f"{shown}: {error.strerror}", "make it yours")
    mode = stat.S_IMODE(found.st_mode)
    if found.st_uid != os.geteuid():
        return bad(point, f"{shown} belongs to user {found.st_uid}", "name one of your own")
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        return bad(point, f"{shown}: others may write ({mode:04o})", f"chmod go-rwx {shown}")
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        return doubtful(point, f"{shown}: others may look ({mode:04o})", f"chmod go-rwx {shown}")
    return good(point, f"{shown} ({mode:04o})")


def disk(folder: Path, settings: Settings) -> Finding:
    """Room where the runs are, and what a day of them takes."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    try:
        free_mb = shutil.disk_usage(there).free / _MB
    except OSError as error:
        return skipped("disk", f"{there}: {error.strerror}")
    recorded, pictures = day_mb(settings)
    words = (
        f"{free_mb / 1000:.1f} GB free; about {recorded + pictures} MB a day: recording {recorded}, "
        f"book snapshots {pictures} (kept {settings.ledger.books_days} days)"
    )
    if free_mb < _LEAST_FREE_MB:
        return bad("disk", words, "make room: without a journal nothing is opened")
    if free_mb < recorded + pictures * settings.ledger.books_days:
        return doubtful("disk", words, "make room, or delete old recordings now and then")
    return good("disk", words)


def day_mb(settings: Settings) -> tuple[int, int]:
    """MB a day of all markets: recording, and pictures of the books."""
    count = len(settings.symbols)
    pictured = min(count, SHOT_MARKETS) * settings.ledger.enabled
    return count * _RECORDED_MB[settings.venue.first_depth], pictured * _PICTURES_MB


def rival(*locks: InstanceLock) -> Finding:
    """Whether another cockpit trades on this account; its locks are by key and by the account's number."""
    holder = next((found for found in (lock.holder() for lock in locks) if found is not None), None)
    if holder is None:
        return good("other cockpit", "none on this machine")
    remedy = f"a second one is refused; `kill -TERM {holder or 'PID'}` ends it in order"
    return doubtful("other cockpit", f"process {holder or 'unknown'} trades on this account", remedy)
