"""The demo's exchange: a child process that outlives a killed cockpit, found again by its run folder."""

import asyncio
import contextlib
import hashlib
import os
import re
import secrets
import signal
import sys
from enum import Enum
from http import HTTPStatus
from pathlib import Path
from typing import Annotated

import msgspec

from breakwall.keys import LOOPBACK
from breakwall.places import EXCHANGE_FILE, write_whole
from breakwall.ports import VenueError
from breakwall.storage.runs import StateError

ACCOUNT_FILE = "account"
"""In a demo's run folder: the account that its journal belongs to, whichever exchange has it."""
_START_TIMEOUT_S = 15.0
_READING_TIMEOUT_S = 300.0
"""A long recording is read once before it is played."""
_ANSWER_TIMEOUT_S = 5.0
"""A dead one refuses at once; one on a busy machine is slow, and must not be taken for dead with what it holds."""
_NAME = "[!-~]{1,100}"


class Life(Enum):
    """What becomes of a question to an exchange: an answer, nobody listens any more, or silence."""

    ANSWERS = "answers"
    GONE = "gone"
    SILENT = "silent"


class ChildExchange(msgspec.Struct, frozen=True):
    """How to reach a running embedded exchange; kept (mode 0600) in its run folder."""

    http: str
    public: str
    private: str
    api_key: Annotated[str, msgspec.Meta(pattern=f"^{_NAME}$")]
    api_secret: str
    pid: int
    seed: int
    scenario: str
    trade: str = ""
    recording: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"ChildExchange({self.http!r}, ***)"


def remembered(folder: Path) -> ChildExchange | None:
    """The exchange this run folder was traded on, alive or not; None where there is none."""
    try:
        return msgspec.json.decode((folder / EXCHANGE_FILE).read_bytes(), type=ChildExchange)
    except (OSError, msgspec.MsgspecError):
        return None


def account(folder: Path) -> str:
    """The API key of this run folder's demos: the next exchange has the account that its journal belongs to.

    Raises StateError where the folder cannot be written.
    """
    exchange, path = remembered(folder), folder / ACCOUNT_FILE
    known = ""
    with contextlib.suppress(OSError):
        known = path.read_text(errors="replace")
    if exchange is not None:
        name = exchange.api_key
    elif re.fullmatch(_NAME, known):
        name = known
    else:
        name = f"demo-{hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:16]}"
    try:
        if name != known:
            write_whole(path, name.encode())
    except OSError as error:
        raise _unwritable(error, folder) from error
    return name


async def alive(child: ChildExchange) -> bool:
    """Whether it still answers."""
    return await look(child) is Life.ANSWERS


async def look(child: ChildExchange) -> Life:
    """Ask it once."""
    return await asyncio.to_thread(_look, child.http)


def _look(http: str) -> Life:
    # The standard library's client: the start has no time for a greater one before the first picture.
    from http.client import HTTPConnection, HTTPException

    connection = HTTPConnection(http.removeprefix("http://"), timeout=_ANSWER_TIMEOUT_S)
    try:
        connection.request("GET", "/v5/market/time")
        return Life.ANSWERS if connection.getresponse().status == HTTPStatus.OK else Life.GONE
    except TimeoutError:
        return Life.SILENT
    except (OSError, HTTPException):
        return Life.GONE
    finally:
        connection.close()


async def start(
    folder: Path,
    key: str,
    *,
    seed: int,
    scenario: str,
    linger_s: int,
    faults: Path | None = None,
    recording: tuple[Path, ...] = (),
    loop: bool = False,
    listed: int = 0,
) -> ChildExchange:
    """Start an exchange with the account of this key on a free loopback port, and write down how to reach it.

    A `recording` is its market then, again and again with `loop`, whatever the `scenario`; it lists the usual four
    contracts, or as many as `listed` says.

    It has a session of its own, so that a signal or a closed terminal meant for the cockpit does not
    reach it. Raises VenueError with the end of its own messages when it does not come up, StateError
    where the folder cannot be written.
    """
    played = ["--scenario", scenario, *(["--symbols", str(listed)] if listed else [])]
    words = ["--port", "0", "--seed", str(seed), "--linger", str(linger_s)]
    words += [word for path in recording for word in ("--recording", str(path))] + ["--loop"] * loop or played
    words += [] if faults is None else ["--faults", str(faults)]
    messages = folder / "exchange.log"
    keys = dict(zip(LOOPBACK, (key, secrets.token_urlsafe(24)), strict=True))
    try:
        log = messages.open("ab")
    except OSError as error:
        raise _unwritable(error, folder) from error
    with log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "breakwall", "exchange", *words,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=log, start_new_session=True,
            env=os.environ | keys,
        )  # fmt: skip
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(
            process.stdout.readline(), _READING_TIMEOUT_S if recording else _START_TIMEOUT_S
        )
        told = msgspec.json.decode(line)
        ours = {"pid": process.pid, "seed": seed, "scenario": scenario, "recording": [*map(str, recording)]}
        child = msgspec.convert({**told, **ours}, ChildExchange)
    except BaseException as error:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        if not isinstance(error, TimeoutError | msgspec.MsgspecError):  # the start was called off
            raise
        tail = messages.read_text(errors="replace").strip()[-400:]
        raise VenueError(
            f"the embedded exchange did not start: {tail or error!r} (its messages: {messages})"
        ) from error
    try:
        write_whole(folder / EXCHANGE_FILE, msgspec.json.encode(child))
    except OSError as error:
        stop(folder, child)
        raise _unwritable(error, folder) from error
    return child


def _unwritable(error: OSError, folder: Path) -> StateError:
    return StateError(
        f"{folder}: the state folder cannot be written ({error.strerror}). "
        "Make room on its disk, or give another folder with --state."
    )


def stop(folder: Path, child: ChildExchange) -> None:
    """Ask it to end, and forget it first: nobody may take up an exchange that is about to go."""
    with contextlib.suppress(OSError):
        (folder / EXCHANGE_FILE).unlink(missing_ok=True)
    with contextlib.suppress(ProcessLookupError):
        os.kill(child.pid, signal.SIGTERM)
