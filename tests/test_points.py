"""The crash points: each stands somewhere in the program, and only a test makes it die there."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from breakwall import points
from breakwall.points import Point

SOURCE = Path(points.__file__).parent
CORE = ("model", "market", "strategies", "trading")


@pytest.fixture(autouse=True)
def nobody_watches() -> Iterator[None]:
    yield
    points.watch(None)


@pytest.mark.parametrize("point", Point)
def test_each_point_stands_in_the_program_and_never_in_the_core(point: Point) -> None:
    name = f"Point.{point.name}"
    where = [path for path in SOURCE.rglob("*.py") if name in path.read_text() and path.name != "points.py"]
    assert where, f"{name} is never reached"
    assert not [path for path in where if path.relative_to(SOURCE).parts[0] in CORE]


def test_who_watches_is_told_of_every_point() -> None:
    seen: list[Point] = []
    points.watch(seen.append)
    points.reach(Point.ORDER_SENT)
    points.watch(None)
    points.reach(Point.STOP_SENT)
    assert seen == [Point.ORDER_SENT]


@pytest.mark.parametrize("wish", ["no-such-point", "order-sent:x", "order-sent:-1", "ORDER_SENT"])
def test_a_typo_is_named_with_the_points_there_are(wish: str) -> None:
    with pytest.raises(ValueError, match=r"expected NAME or NAME:N with one of signal-decided, .*found '"):
        points.obey(wish)


@pytest.mark.parametrize(("wish", "lines"), [("order-sent", 0), ("order-sent:3", 2), ("stop-sent", 4)])
def test_the_process_dies_at_the_n_th_time(wish: str, lines: int) -> None:
    body = "from breakwall.points import *; obey({!r})\nfor _ in range(4): reach(Point.ORDER_SENT); print(flush=True)"
    done = subprocess.run([sys.executable, "-c", body.format(wish)], stdout=subprocess.PIPE, check=False)
    assert done.stdout.count(b"\n") == lines
    assert done.returncode == (0 if lines == 4 else -signal.SIGKILL)


def test_the_program_refuses_a_typo_in_the_environment() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "breakwall", "--version"],
        env={**os.environ, points.VARIABLE: "order-snet"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "order-sent" in done.stderr
    assert "Traceback" not in done.stderr
