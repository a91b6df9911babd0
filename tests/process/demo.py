"""`breakwall demo --no-ui` as a real process, and an independent client of its exchange."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from pybit.exceptions import InvalidRequestError
from pybit.unified_trading import HTTP

from breakwall.points import VARIABLE

TOO_LONG_S = 60.0
HASTY = {
    "schema": "1",
    "symbols": '["SOLUSDT"]',
    "walls": "{min_age_s = 0.0, floor_usdt = {SOLUSDT = 300_000}, require = 1, relative_k = 1e6, side_percent = 100}",
    "trend": "{window_s = 5, min_samples = 3, slope_errors = 0.1, imbalance = 0.01}",
    "bounce": "{near_percent = 5.0}",
    "breakout": "{enabled = false}",
    "exits": "{bounce_breakeven_erosion = 1.0, wall_gone_erosion = 1.0}",
    "breaker": "{symbol_cooldown_s = 0}",
}
"""Something to trade three seconds after the first book, and nothing that ends the trade."""


def hasty(folder: Path, **sections: str) -> tuple[str, ...]:
    """The words for a demo with these settings on top of the hasty ones; they are kept in `folder`."""
    path = folder / "breakwall.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{name} = {value}\n" for name, value in (HASTY | sections).items()))
    return ("--config", str(path), "--json")


class Demo:
    """One process, and the lines it says. `crash_at` names a crash point at which it kills itself."""

    everybody: ClassVar[list["Demo"]] = []

    def __init__(self, state: Path, *words: str, seed: int = 5, crash_at: str = "", home: Path | None = None) -> None:
        self.state = state
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "breakwall",
                "demo",
                "--no-ui",
                "--seed",
                str(seed),
                "--state",
                str(state),
                *words,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "XDG_STATE_HOME": str(home or state), VARIABLE: crash_at},
        )
        self.everybody.append(self)
        self.lines: list[str] = []
        self.reader = threading.Thread(target=self._listen, daemon=True)
        self.reader.start()

    def _listen(self) -> None:
        assert self.process.stderr is not None
        self.lines.extend(self.process.stderr)

    @classmethod
    def end_all(cls) -> None:
        """Whoever a failed test has left behind."""
        for demo in cls.everybody:
            if demo.process.stdout is not None and not demo.process.stdout.closed:
                demo.kill()
        cls.everybody.clear()

    def wait_for(self, words: str, *, times: int = 1) -> str:
        """The line with these words that is said for the n-th time."""
        deadline = time.monotonic() + TOO_LONG_S
        while time.monotonic() < deadline:
            found = [line for line in tuple(self.lines) if words in line]
            if len(found) >= times:
                return found[times - 1]
            if self.process.poll() is not None:
                self.reader.join()
                if not any(words in line for line in self.lines):
                    break
            time.sleep(0.02)
        raise AssertionError(f"never said {words!r}: {self.tail}")

    def wait_until(self, true: Callable[[], bool]) -> None:
        """For what it does without a word."""
        deadline = time.monotonic() + TOO_LONG_S
        while not true():
            assert time.monotonic() < deadline, self.tail
            time.sleep(0.02)

    @property
    def tail(self) -> str:
        """What it said last, for whoever reads why a test failed."""
        return "".join(self.lines[-25:])

    def kill(self) -> None:
        self.process.kill()
        self.end()

    def leave(self) -> tuple[int, str]:
        self.process.send_signal(signal.SIGTERM)
        return self.end()

    def end(self) -> tuple[int, str]:
        """Exit code and stdout, once it has ended; who does not end by itself is asked to."""
        assert self.process.stdout is not None
        patience = threading.Timer(TOO_LONG_S, self.process.terminate)
        patience.start()
        out = self.process.stdout.read()
        patience.cancel()
        code = self.process.wait(TOO_LONG_S)
        self.reader.join()
        self.process.stdout.close()
        assert self.process.stderr is not None
        self.process.stderr.close()
        return code, out


def exchange_of(state: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((state / "exchange.json").read_text())
    return told


def venue(state: Path) -> HTTP:
    """An independent client of the demo's exchange: unmodified pybit."""
    told = exchange_of(state)
    client = HTTP(api_key=told["api_key"], api_secret=told["api_secret"])
    client.endpoint = told["http"]
    return client


def held(client: HTTP) -> list[tuple[str, str, str, str]]:
    rows = client.get_positions(category="linear", settleCoin="USDT")["result"]["list"]
    return sorted((row["symbol"], row["side"], row["size"], row["stopLoss"]) for row in rows)


def order_ids(client: HTTP) -> list[str]:
    rows = client.get_order_history(category="linear", limit=50)["result"]["list"]
    return [row["orderLinkId"] for row in rows if row["orderLinkId"]]


def rob(demo: Demo) -> None:
    """A foreign hand takes the stop of the open position away."""
    demo.wait_for(" opened ")
    time.sleep(0.3)
    try:
        venue(demo.state).set_trading_stop(
            category="linear", symbol="SOLUSDT", stopLoss="0", tpslMode="Full", positionIdx=0
        )
    except InvalidRequestError as error:
        raise AssertionError(f"nothing to rob: {demo.tail}") from error
