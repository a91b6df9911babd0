"""What Python and libraries say by themselves: in our log, never on the terminal."""

import asyncio
import json
import logging
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

import pytest

from breakwall.clock import SystemClock
from breakwall.logs.log import Log
from breakwall.logs.python import PythonsOwn
from breakwall.settings import LogSettings


def heard(folder: Path, log: Log) -> list[dict[str, Any]]:
    assert log.close(5)
    return [json.loads(line) for path in sorted(folder.glob("2*")) for line in path.read_text().splitlines()]


@pytest.mark.asyncio
async def test_all_of_it_is_heard_and_nothing_reaches_the_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    log = Log(LogSettings(), "error", lambda _: None)
    log.open(tmp_path)
    before = (logging.getLogger().handlers[:], threading.excepthook, sys.unraisablehook, warnings.showwarning)

    def fail() -> None:
        raise ValueError("in a thread")

    async def forgotten() -> None:
        raise KeyError("in a task that nobody awaits")

    with PythonsOwn(log, SystemClock()):
        logging.getLogger("aiohttp.client").error("Unclosed %s", "session")
        logging.getLogger("pybit").info("not told")
        logging.getLogger("odd").warning("%d", "no number")
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("an old way", DeprecationWarning, stacklevel=1)
        thread = threading.Thread(target=fail, name="worker")
        thread.start()
        thread.join()
        asyncio.get_running_loop().call_exception_handler({"message": "lost", "exception": KeyError("a task")})
    after = (logging.getLogger().handlers[:], threading.excepthook, sys.unraisablehook, warnings.showwarning)
    lines = heard(tmp_path, log)
    assert [(line["kind"], line["level"]) for line in lines] == [
        ("python", level) for level in ("error", "warning", "warning", "error", "error")
    ]
    texts = [line["text"] for line in lines]
    assert texts[0] == "aiohttp.client: Unclosed session"
    assert texts[1] == "odd: %d"
    assert "an old way" in texts[2]
    assert texts[3] == "worker failed: ValueError('in a thread')"
    assert lines[3]["exception"][0]["frames"][-1]["name"] == "fail"
    assert texts[4].startswith("asyncio: lost")
    assert capfd.readouterr() == ("", "")
    assert before == after
