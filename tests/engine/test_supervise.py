"""Supervised tasks: restarted, and given up on in the open."""

import asyncio

import pytest

from breakwall.clock import SystemClock
from breakwall.engine.delays import Delays
from breakwall.engine.supervise import GaveUp, Supervisor, raised_at


class NoWait(SystemClock):
    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


@pytest.mark.asyncio
async def test_a_crashed_task_starts_again() -> None:
    failures: list[str] = []
    supervisor = Supervisor(NoWait(), lambda name, error: failures.append(f"{name}: {error}"))
    done = asyncio.Event()
    starts = 0

    async def work() -> None:
        nonlocal starts
        starts += 1
        if starts < 3:
            raise ValueError("boom")
        done.set()
        await asyncio.Event().wait()

    supervisor.keep("worker", work)
    await asyncio.wait_for(done.wait(), 60)
    assert failures == ["worker: boom", "worker: boom"]
    await supervisor.stop()


@pytest.mark.asyncio
async def test_four_crashes_in_a_minute_are_the_end() -> None:
    supervisor = Supervisor(NoWait(), lambda name, error: None)

    async def work() -> None:
        raise ValueError("boom")

    supervisor.keep("worker", work)
    with pytest.raises(GaveUp, match="worker: ValueError"):
        await asyncio.wait_for(asyncio.shield(supervisor.failed), 60)
    await supervisor.stop()


def test_percentile_of_delays() -> None:
    delays = Delays()
    assert delays.p99_ms == 0.0
    for value in range(1, 101):
        delays.add(float(value))
    assert delays.p99_ms == 0.0
    delays.rank()
    assert delays.p99_ms == 100.0


def test_where_an_error_was_raised_is_one_line_without_values() -> None:
    def inner() -> None:
        raise ValueError("boom")

    with pytest.raises(ValueError, match="boom") as caught:
        inner()
    first, *rest = raised_at(caught.value).split(" < ")
    assert first.startswith("test_supervise.py:")
    assert first.endswith(" inner")
    assert rest[0].endswith(" test_where_an_error_was_raised_is_one_line_without_values")
    assert "boom" not in raised_at(caught.value)
