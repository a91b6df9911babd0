"""The demo's exchange: a child process that outlives a killed cockpit, found again by its run folder."""

import asyncio
import contextlib
import os
import signal
import sys
from http import HTTPStatus
from pathlib import Path

import msgspec

from breakwall.ports import VenueError
from breakwall.storage.runs import StateError

_START_TIMEOUT_S = 15.0
_ANSWER_TIMEOUT_S = 0.5
_LINE = "exchange.json"


class ChildExchange(msgspec.Struct, frozen=True):
    """How to reach a running embedded exchange; kept (mode 0600) in its run folder."""

    http: str
    public: str
    private: str
    api_key: str
    api_secret: str
    pid: int
    seed: int
    scenario: str


def remembered(folder: Path) -> ChildExchange | None:
    """The exchange this run folder was traded on, alive or not; None where there is none."""
    try:
        return msgspec.json.decode((folder / _LINE).read_bytes(), type=ChildExchange)
    except (OSError, msgspec.MsgspecError):
        return None


async def alive(child: ChildExchange) -> bool:
    """Whether it still answers."""
    return await asyncio.to_thread(_answers, child.http)


def _answers(http: str) -> bool:
    # The standard library's client: the start has no time for a greater one before the first picture.
    from http.client import HTTPConnection, HTTPException

    connection = HTTPConnection(http.removeprefix("http://"), timeout=_ANSWER_TIMEOUT_S)
    try:
        connection.request("GET", "/v5/market/time")
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


async def start(folder: Path, *, seed: int, scenario: str, linger_s: int) -> ChildExchange:
    """Start an exchange on a free loopback port and write down how to reach it.

    It has a session of its own, so that a signal or a closed terminal meant for the cockpit does not
    reach it. Raises VenueError with the end of its own messages when it does not come up, StateError
    where the folder cannot be written.
    """
    words = ("--port", "0", "--seed", str(seed), "--scenario", scenario, "--linger", str(linger_s))
    messages, path = folder / "exchange.log", folder / _LINE
    try:
        path.touch(mode=0o600)
        log = messages.open("ab")
    except OSError as error:
        raise _unwritable(error, folder) from error
    with log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "breakwall", "exchange", *words,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=log, start_new_session=True,
        )  # fmt: skip
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), _START_TIMEOUT_S)
        told = msgspec.json.decode(line)
        child = msgspec.convert({**told, "pid": process.pid, "seed": seed, "scenario": scenario}, ChildExchange)
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
        path.write_bytes(msgspec.json.encode(child))
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
        (folder / _LINE).unlink(missing_ok=True)
    with contextlib.suppress(ProcessLookupError):
        os.kill(child.pid, signal.SIGTERM)
