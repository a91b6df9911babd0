"""Real processes killed with -9 where it hurts most, on an exchange that keeps the truth meanwhile.

Each story: a demo dies at a crash point, is started again, and must know everything, protect
everything, order nothing twice and still leave in order. `pytest -m soak` tells each story twenty
times and adds deaths at any time.
"""

import contextlib
import json
import random
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from msgspec import Struct

from breakwall.points import Point
from tests.process.books import Books, Bourse, compare, judge
from tests.process.demo import Demo, hasty, rob

pytestmark = pytest.mark.process
AT_ONCE = 4
SOAK_SEEDS = range(1000, 1020)
RECOVERY_S = 5.0
LIVES = 4
LIFE_S = (0.2, 5.0)
ARRIVES_S = 60.0
"""What a dead one has sent has arrived by then, also on a busy machine."""


class Story(Struct, frozen=True):
    """How a demo comes to die at a point: settings on top, and what happens to it meanwhile.

    It leaves behind at least so many `orders` at the exchange (0: none), and a position or not.
    With a `first_life` it dies in its second; this is what happens to its files between the two.
    `then` is the sign that the next one is at work again: a position of its own where there was none.
    """

    point: Point
    orders: int = 1
    held: bool = True
    settings: dict[str, str] = {}
    meanwhile: Callable[[Demo], None] | None = None
    then: str = "recovered: "
    robbed: bool = False
    first_life: Callable[[Path], None] | None = None


def dismiss(demo: Demo) -> None:
    """It is asked to leave flat."""
    demo.wait_for(" opened ")
    demo.process.send_signal(signal.SIGTERM)


def untouched(_folder: Path) -> None: ...


def grow_old(folder: Path) -> None:
    """The journal becomes one of an older Breakwall, which is upcast at the next start."""
    with contextlib.closing(sqlite3.connect(folder / "journal.db", isolation_level=None)) as db:
        db.executescript(
            "DROP INDEX journal_checkpoint; ALTER TABLE journal DROP COLUMN checksum;"
            "UPDATE meta SET value = '1' WHERE name = 'schema'"
        )


TRADES_AGAIN = " opened "
FAST_BREAKEVEN = {
    "walls": "{min_age_s = 0.0, floor_usdt = {SOLUSDT = 1000}, require = 1}",
    "bounce": "{enabled = false}",
    "breakout": "{min_eroded = 0.05, min_eaten_share = 0.0}",
    "exits": "{breakout_breakeven_percent = 0.25, wall_gone_erosion = 1.0}",
}
TRADES_ONCE = {"breaker": "{trades_per_day = 1}"}
STORIES = (
    Story(Point.SIGNAL_DECIDED, 0, held=False, then=TRADES_AGAIN),
    Story(Point.INTENT_STORED, 0, held=False, then=TRADES_AGAIN),
    Story(Point.ORDER_SENT),
    Story(Point.ORDER_ANSWERED),
    Story(Point.ENTRY_FILLED),
    Story(Point.STOP_SENT, meanwhile=rob, robbed=True),
    Story(Point.STOP_ANSWERED, meanwhile=rob, robbed=True),
    Story(Point.STOP_PROVEN),
    Story(Point.FILL_BOOKED),
    Story(Point.BREAKEVEN_SENT, settings=FAST_BREAKEVEN),
    Story(Point.CLOSE_SENT, 2, held=False, meanwhile=dismiss),
    Story(Point.BREAKER_TRIPPED, settings=TRADES_ONCE, then="trades per day"),
    Story(Point.RECOVERING, first_life=untouched),
    Story(Point.CHECKPOINT, first_life=grow_old),
)


def live_through(bourse: Bourse, folder: Path, story: Story, seed: int) -> None:
    """The story from its start to its end, judged."""
    key = bourse.open(folder, seed)
    words = hasty(folder, **story.settings)
    if story.first_life is not None:
        first = Demo(folder, *words)
        first.wait_for(" opened ")
        first.kill()
        story.first_life(folder)
    doomed = Demo(folder, *words, crash_at=story.point.value)
    if story.meanwhile is not None:
        story.meanwhile(doomed)
    code, _ = doomed.end()
    assert code == -signal.SIGKILL, f"it did not die: {doomed.tail}"
    wait_until_arrived(bourse, key, story)
    assert bool(Books(folder).intents) == (story.point is not Point.SIGNAL_DECIDED)
    heir = Demo(folder, *words)
    assert story.robbed or "MISSING" not in heir.wait_for("recovered: ")
    heir.wait_for(story.then)
    inherit(bourse, key, heir, robbed=story.robbed)
    assert "Traceback" not in "".join(doomed.lines)


def wait_until_arrived(bourse: Bourse, key: str, story: Story) -> None:
    """What the dead one has sent is still on its way; all the time everything is protected."""
    arrived = time.monotonic() + ARRIVES_S
    while True:
        truth = bourse.truth(key)
        judge(truth, robbed=story.robbed)
        orders = len(truth["orders"])
        if bool(truth["positions"]) == story.held and min(orders, story.orders or orders) == story.orders:
            return
        assert time.monotonic() < arrived, f"left behind: {truth}"
        time.sleep(0.02)


def inherit(bourse: Bourse, key: str, heir: Demo, *, robbed: bool = False) -> None:
    """Who comes last knows everything, protects everything, leaves in order, and all books agree."""
    time.sleep(0.5)
    judge(bourse.truth(key), robbed=robbed)
    code, out = heir.leave()
    assert code == 0, heir.tail
    receipt = json.loads(out.splitlines()[-1])
    assert receipt["positions_open"] == 0
    assert receipt["recovered_s"] <= RECOVERY_S
    truth = bourse.ask(shut=key)
    judge(truth, robbed=robbed)
    compare(truth, heir.state)
    assert "Traceback" not in "".join(heir.lines)


def live_dangerously(bourse: Bourse, folder: Path, seed: int) -> None:
    """Some lives, each ended at any time, and one that leaves in order."""
    dice, key, words = random.Random(seed), bourse.open(folder, seed), hasty(folder)
    for _ in range(LIVES):
        doomed = Demo(folder, *words)
        time.sleep(dice.uniform(*LIFE_S))
        doomed.kill()
        judge(bourse.truth(key))
        assert "Traceback" not in "".join(doomed.lines)
    heir = Demo(folder, *words)
    heir.wait_for("recovered: ")
    inherit(bourse, key, heir)


@pytest.fixture(scope="module")
def told(
    request: pytest.FixtureRequest, bourse: Bourse, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[Point, Future[None]]]:
    """All stories that were asked for, several at a time: a story is mostly waiting."""
    asked = [
        item.callspec.params["story"]
        for item in request.session.items
        if item.path == request.path and "told" in item.fixturenames
    ]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {
            story.point: pool.submit(
                live_through, bourse, tmp_path_factory.mktemp(story.point.value), story, STORIES.index(story)
            )
            for story in asked
        }
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("story", STORIES, ids=[story.point.value for story in STORIES])
def test_killed_at_a_crash_point_it_recovers(story: Story, told: dict[Point, Future[None]]) -> None:
    told[story.point].result()


@pytest.mark.soak
@pytest.mark.parametrize("story", STORIES, ids=[story.point.value for story in STORIES])
def test_killed_again_and_again_at_a_crash_point_it_recovers(story: Story, bourse: Bourse, tmp_path: Path) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda seed: live_through(bourse, tmp_path / str(seed), story, seed), SOAK_SEEDS))


@pytest.mark.soak
def test_killed_at_any_time_it_recovers(bourse: Bourse, tmp_path: Path) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda seed: live_dangerously(bourse, tmp_path / str(seed), seed), SOAK_SEEDS))
