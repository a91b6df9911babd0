"""The truth at the exchange, what the journal says, and whether they agree."""

import contextlib
import json
import sqlite3
import subprocess
import sys
import threading
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

TOO_LONG_S = 60.0
ROBBED_MS = 1_500
"""How long a stop that a foreign hand took away may be gone, a restart within that time included."""


class Bourse:
    """Our end of a `bourse.py` process; safe from several threads."""

    def __init__(self) -> None:
        script = Path(__file__).with_name("bourse.py")
        self._process = subprocess.Popen(
            [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._one_at_a_time = threading.Lock()

    def ask(self, **wish: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._one_at_a_time:
            self._process.stdin.write(json.dumps(wish) + "\n")
            self._process.stdin.flush()
            answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def open(self, state: Path, seed: int, **wish: Any) -> str:
        """Open an exchange for the demo of this state folder, as if an earlier one had left it; returns its key."""
        where = self.ask(open=seed, **wish)
        state.mkdir(parents=True, exist_ok=True)
        (state / "exchange.json").write_text(json.dumps(where))
        return str(where["api_key"])

    def truth(self, key: str) -> dict[str, Any]:
        return self.ask(truth=key)

    def protected(self, key: str) -> None:
        """Return once everything that is held has a stop."""
        deadline = time.monotonic() + TOO_LONG_S
        while not (truth := self.truth(key))["positions"] or set(truth["positions"]) != set(truth["stops"]):
            assert time.monotonic() < deadline, f"not protected: {truth}"
            time.sleep(0.02)

    def close(self) -> None:
        self._process.communicate()


class Books:
    """What the journal of a state folder says: intents by client id, executions by id."""

    def __init__(self, state: Path) -> None:
        rows = read(state / "journal.db", "SELECT run, kind, client_id, body FROM journal ORDER BY id")
        self.bodies = [(kind, client_id, json.loads(body)) for _, kind, client_id, body in rows]
        self.runs = sorted({run for run, *_ in rows})
        self.intents = {
            client_id: body
            for kind, client_id, body in self.bodies
            if kind == "intent" and body["type"] == "PlaceOrder"
        }
        fills = [fill for kind, _, body in self.bodies if kind == "event" for fill in body.get("fills", ())]
        self.fills = {fill["exec_id"]: fill for fill in fills}
        self.notes = [body for kind, _, body in self.bodies if kind == "note"]


class Ledger:
    """What the ledger of a state folder says: executions by id, and what it takes for open."""

    def __init__(self, state: Path) -> None:
        file = state / "ledger.db"
        if not self._is_whole(state):  # its writer starts late, and one that leaves at once does not wait for it
            words = (sys.executable, "-m", "breakwall", "ledger", "rebuild", "--state", str(state))
            subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        rows = read(file, "SELECT exec_id, client_id, lots FROM fills")
        self.fills = {exec_id: (client_id, lots) for exec_id, client_id, lots in rows}
        self.fees = sum(Decimal(fee) for (fee,) in read(file, "SELECT fee_usdt FROM fills"))
        ended = "('FILLED', 'CANCELLED', 'REJECTED', 'EXPIRED')"
        self.open_orders = read(file, f"SELECT key FROM orders WHERE ours AND state NOT IN {ended}")  # noqa: S608
        self.open_positions = read(file, "SELECT symbol FROM positions WHERE state <> 'CLOSED'")
        self.orders = {client_id for (client_id,) in read(file, "SELECT client_id FROM orders WHERE ours")}

    def _is_whole(self, state: Path) -> bool:
        """Whether all of the journal is in it."""
        (newest,) = read(state / "journal.db", "SELECT max(id) FROM journal")[0]
        try:
            return read(state / "ledger.db", "SELECT row FROM progress") == [(newest,)]
        except sqlite3.OperationalError:
            return False


def read(file: Path, query: str) -> list[Any]:
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
        return db.execute(query).fetchall()


def judge(truth: dict[str, Any], *, robbed: bool = False) -> None:
    """What must be true at the exchange at any moment, whoever is alive."""
    assert truth["unprotected_ms"] <= (ROBBED_MS if robbed else 0)
    assert set(truth["positions"]) == set(truth["stops"]) or robbed
    assert len(truth["asked"]) == len(set(truth["asked"])), "one order was asked for twice"


def compare(truth: dict[str, Any], state: Path) -> None:
    """Flat, and journal, ledger and exchange tell the same of how it came to that."""
    books, ledger = Books(state), Ledger(state)
    assert (truth["positions"], truth["open"]) == ({}, [])
    strangers = set(truth["entries"]) - set(books.intents)
    assert not strangers, "the exchange has entries that the journal does not know"
    assert set(truth["fills"]) == set(books.fills)
    for exec_id, (client_id, lots) in truth["fills"].items():
        fill = books.fills[exec_id]
        assert (fill["client_id"], abs(fill["lots"])) == (client_id, abs(lots))
    assert sum(lots for _, lots in truth["fills"].values()) == 0
    assert ledger.fills == {exec_id: (client_id, abs(lots)) for exec_id, (client_id, lots) in truth["fills"].items()}
    assert ledger.fees == Decimal(truth["fees"])
    assert (ledger.open_positions, ledger.open_orders) == ([], [])
    assert ledger.orders >= set(books.intents)
