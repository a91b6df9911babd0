"""A demo that holds a position while its exchange misbehaves: real processes, real sockets.

Nothing stands without its stop for longer than promised, nothing is ordered twice, the program says what happens, and
once the weather is clear journal, ledger and exchange tell the same.
"""

import itertools
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from breakwall.venues.exchange.faults import BOOKS, CODES, DELAYS, EXCHANGE_ACTS, FRAMES, REQUESTS, SERVED, FaultKind
from tests.process.books import Bourse, compare, judge
from tests.process.demo import Demo, exchange_of, hasty

pytestmark = pytest.mark.process

TOO_LONG_S = 60
AT_ONCE = 2
AT_ONCE_SOAKING = 4
LINKS = ("public", "private", "trade")
CREATE = "/v5/order/create"

Row = dict[str, Any]
Group = tuple[Sequence[Row], Sequence[Row], Sequence[str]]
"""What befalls the exchange before the entry, then once it stands with its stop; and what must be said."""
GROUPS: dict[str, Group] = {
    "doors": (
        ({"kind": "answer-lost", "match": f"trade {CREATE}", "count": 1},),
        ({"kind": "refused", "match": "/v5/position/list", "code": 10006, "count": 1, "delay_s": 0.2},),
        ("place unknown: ", "trade link is down"),
    ),
    "sockets": (
        (),
        (
            *({"kind": "socket-reset", "link": link, "count": 1} for link in LINKS),
            *({"kind": "connect-refused", "link": link, "count": 1} for link in LINKS),
            {"kind": "frame-twice", "match": "orderbook", "count": 3},
        ),
        ("public link is down", "private link is down", "trade link is down", "book is back"),
    ),
    "books": (
        ({"kind": "partial-fill", "match": "entry", "count": 1},),
        (
            *({"kind": kind.value, "count": 1} for kind in sorted(BOOKS, key=lambda kind: kind.value)),
            {"kind": "frame-garbled", "match": "orderbook", "count": 1},
        ),
        ("book is back",),
    ),
    "hands": (
        (),
        ({"kind": "stop-vanishes"}, {"kind": "foreign-order"}, {"kind": "reduced-by-hand", "from_s": 0.5}),
        ("the exchange shows no stop any more",),
    ),
    "venue": (
        ({"kind": "stop-not-attached", "count": 1},),
        (
            {"kind": "maintenance", "for_s": 1},
            {"kind": "clock-wrong", "delay_s": -10, "for_s": 3},
            {"kind": "answer-late", "delay_s": 0.2, "jitter_s": 0.3, "for_s": 3},
        ),
        (),
    ),
}
ROBBED = {"hands", "venue"}
"""Where the exchange itself takes the stop away."""


class Sky:
    """The weather of one exchange, over its control endpoint."""

    def __init__(self, state: Path) -> None:
        self._exchange = exchange_of(state)

    def ask(self, method: str = "GET", body: object = None) -> dict[str, Any]:
        connection = HTTPConnection(self._exchange["http"].removeprefix("http://"), timeout=TOO_LONG_S)
        secret = {"X-Breakwall-Secret": self._exchange["api_secret"]}
        connection.request(method, "/control", None if body is None else json.dumps(body), secret)
        answer = connection.getresponse()
        told: dict[str, Any] = json.loads(answer.read())
        connection.close()
        assert answer.status == HTTPStatus.OK, told
        return told

    def order(self, *rows: Row) -> None:
        if rows:
            self.ask("POST", {"faults": list(rows)})

    @property
    def is_over(self) -> bool:
        """Whether everything has struck that was ordered, as often as it was."""
        return all(fault["state"] == "over" for fault in self.ask()["faults"])


def endure(bourse: Bourse, state: Path, group: Group, seed: int, *, robbed: bool, trade: bool = True) -> None:
    """One demo through one group, to its end; without `trade` its orders go over REST."""
    before, after, said = group
    key = bourse.open(state, seed, trade=trade)
    sky = Sky(state)
    sky.order(*before)
    demo = Demo(state, *hasty(state), seed=seed)
    demo.wait_for(" opened ")
    bourse.protected(key)
    sky.order(*after)
    demo.wait_until(lambda: sky.is_over)
    for words in said:
        demo.wait_for(words)
    sky.ask("DELETE")
    end(bourse, state, demo, key, robbed=robbed)


def end(bourse: Bourse, state: Path, demo: Demo, key: str, *, robbed: bool) -> None:
    """Leave in clear weather, and compare what is left of it everywhere."""
    judge(bourse.truth(key), robbed=robbed)
    code, out = demo.leave()
    truth = bourse.ask(shut=key)
    judge(truth, robbed=robbed)
    assert code == 0, demo.tail
    assert "Traceback" not in "".join(demo.lines)
    receipt = json.loads(out.splitlines()[-1])
    assert receipt["positions_open"] == 0
    compare({**truth, "open": [link for link in truth["open"] if link]}, state)  # a stranger's order may stay


def test_a_position_survives_every_sort_of_weather(bourse: Bourse, tmp_path: Path) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        running = [
            pool.submit(endure, bourse, tmp_path / name, group, seed, robbed=name in ROBBED)
            for seed, (name, group) in enumerate(GROUPS.items(), start=7)
        ]
    for done in running:
        done.result()


def test_a_crisis_ends_with_a_receipt_of_what_was_done(bourse: Bourse, tmp_path: Path) -> None:
    """Asked for over the control endpoint: whoever watches the run is told all the same."""
    key = bourse.open(tmp_path, 12, trade=True)
    demo = Demo(tmp_path, *hasty(tmp_path), seed=12)
    bourse.protected(key)
    Sky(tmp_path).ask("POST", {"crisis": "liquidation"})
    demo.wait_for("CRISIS liquidation strikes SOLUSDT")
    demo.wait_for("crisis liquidation is over")
    code, out = demo.leave()
    truth = bourse.ask(shut=key)
    judge(truth)
    compare(truth, tmp_path)
    assert code == 0, demo.tail
    (receipt,) = json.loads(out.splitlines()[-1])["crises"]
    assert receipt["books_agree"], receipt["books"]
    assert [held["symbol"] for held in receipt["story"]["before"]] == ["SOLUSDT"]
    assert "BustTrade" in {fill["kind"] for fill in receipt["story"]["fills"]}
    assert any("liquidation" in said["text"] for said in receipt["said"])
    assert receipt["breaker_trips"] > 0


def alone(kind: FaultKind) -> Iterator[tuple[str, Group]]:
    """One fault by itself, in all the ways that matter."""
    row: Row = {"kind": kind.value, **({"delay_s": 0.7} if kind in DELAYS else {})}
    if kind in REQUESTS:
        codes = (10016, 10006, 10002, 503) if kind in CODES else (0,)
        # Over REST what is asked for is counted before it is refused as a duplicate.
        doors = ("trade",) if kind is FaultKind.REQUEST_TWICE else ("rest", "trade")
        for door, code in itertools.product(doors, codes):
            more = {"code": code} if code else {}
            yield f"{door}-{kind.value}-{code}", ([{**row, **more, "match": f"{door} {CREATE}", "count": 1}], [], ())
    elif kind in FRAMES:
        for link in LINKS:
            yield f"{link}-{kind.value}", ([], [{**row, "link": link, "for_s": 3}], ())
            yield f"{link}-{kind.value}-early", ([{**row, "link": link, "from_s": 1, "for_s": 4}], [], ())
    elif kind in EXCHANGE_ACTS:
        yield kind.value, ([], [row], ())
    elif kind in BOOKS:
        yield kind.value, ([], [{**row, "count": 1}], ())
    else:
        yield kind.value, ([{**row, "for_s": 5}], [], ())


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1, 4))
def test_a_position_survives_every_fault_alone(bourse: Bourse, tmp_path: Path, seed: int) -> None:
    groups = dict(itertools.chain.from_iterable(map(alone, SERVED)))
    with ThreadPoolExecutor(AT_ONCE_SOAKING) as pool:
        running = {
            name: pool.submit(
                endure, bourse, tmp_path / name, group, seed, robbed=True, trade=not name.startswith("rest-")
            )
            for name, group in groups.items()
        }
    failed = [f"{name}: {error}" for name, done in running.items() if (error := done.exception()) is not None]
    assert not failed, "\n\n".join(failed)
