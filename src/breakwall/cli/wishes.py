"""What a person asks of a run that has no keys: a file in its folder, which only its owner may write.

A wish names the process and its time as the person saw them. One that lay there while the process stood still, or
that was meant for the process before, is put away unheard: arming late is arming without having looked.
"""

import contextlib
import os
import re
import secrets
import stat
from pathlib import Path

import msgspec
from msgspec import Struct

from breakwall.model.events import Command, CommandKind
from breakwall.model.text import sanitise
from breakwall.model.view import View
from breakwall.places import write_whole

WORDS = (
    CommandKind.ARM,
    CommandKind.DISARM,
    CommandKind.PAUSE,
    CommandKind.RESUME,
    CommandKind.FLATTEN,
    CommandKind.CANCEL,
    CommandKind.BREAKEVEN,
    CommandKind.RECONCILE,
    CommandKind.RESET_BREAKER,
    CommandKind.RESET_API,
)
"""What may be asked; panic has a road of its own, and leaving is a signal."""
OF_ALL = (CommandKind.ARM, CommandKind.DISARM, CommandKind.RECONCILE, CommandKind.RESET_API)
"""Those that hold for all markets, and so take no symbol: who names one means something else."""
FRESH_MS = 15_000
"""In engine time, which goes on while the process is stopped."""
_FOLDER = "wishes"
_NAME = re.compile(r"[0-9a-f]{16}\.wish")
_MOST_BYTES = 4096


class Wish(Struct, frozen=True, forbid_unknown_fields=True):
    """`pid` and `at_ms` (engine time) are those of the last heartbeat; `symbol` empty: all."""

    pid: int
    at_ms: int
    kind: CommandKind
    symbol: str = ""


def leave(folder: Path, wish: Wish) -> Path:
    """Put it there; returns its file, which is gone once it was heard; see `answer_to`. Raises OSError."""
    place = folder / _FOLDER
    place.mkdir(mode=0o700, exist_ok=True)
    path = place / f"{secrets.token_hex(8)}.wish"
    write_whole(path, msgspec.json.encode(wish))
    return path


def answer_to(wish: Path) -> Path:
    return wish.with_suffix(".answer")


class Ear:
    """Hears the wishes in a run folder, and writes down how the engine answers each of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / _FOLDER
        self._asked: dict[Path, tuple[CommandKind, int]] = {}  # heard, and the log's last line by then

    def listen(self, view: View) -> list[Command]:
        """The wishes that are new, as commands."""
        self._answer(view)
        commands = []
        for path in self._files():
            wish, why = _read(path)
            with contextlib.suppress(OSError):
                path.unlink()
            if wish is not None and (wish.pid != os.getpid() or view.at_ms - wish.at_ms > FRESH_MS):
                wish, why = None, "it was meant for another moment"
            if wish is None:
                self._write(path, f"not heard: {why}; look, and ask again")
                continue
            self._asked[path] = wish.kind, view.log[-1].number if view.log else 0
            commands.append(Command(wish.kind, wish.symbol, who="breakwall tell"))
        return commands

    def _files(self) -> list[Path]:
        try:
            return sorted(path for path in self._folder.iterdir() if _NAME.fullmatch(path.name))
        except OSError:
            return []

    def _answer(self, view: View) -> None:
        """Write down what the engine has said since to what it was asked."""
        for path, (kind, number) in list(self._asked.items()):
            head = f"{kind.value}: "
            said = next((line.text for line in view.log if line.number > number and line.text.startswith(head)), "")
            if said:
                del self._asked[path]
                self._write(path, said)

    def _write(self, wish: Path, words: str) -> None:
        with contextlib.suppress(OSError):  # who asks is told that no answer came
            write_whole(answer_to(wish), sanitise(words, 400).encode())


def _read(path: Path) -> tuple[Wish | None, str]:
    """A wish, or None and why it is none of ours."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(file, "rb") as stream:
            found = os.fstat(file)
            content = stream.read(_MOST_BYTES)
    except OSError as error:
        return None, f"it cannot be read ({error.strerror})"
    if (
        found.st_uid != os.geteuid()
        or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        or not stat.S_ISREG(found.st_mode)
    ):
        return None, "others could have written it"
    try:
        wish = msgspec.json.decode(content, type=Wish)
    except msgspec.MsgspecError as error:
        return None, f"it is no wish ({error})"
    return (wish, "") if wish.kind in WORDS else (None, f"{wish.kind.value} is not asked in this way")
