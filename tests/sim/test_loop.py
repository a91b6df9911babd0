"""Virtual time: order, determinism, what is refused, and death between two steps."""

import asyncio
import itertools
import os
import subprocess
import sys
import threading

import pytest

from breakwall.sim.loop import DeadlockError, Process, SimulationError, TimeLimitError, VirtualLoop, run

TRACE = """
import asyncio
from breakwall.sim.loop import run

async def worker(name, log):
    await asyncio.sleep(1)
    log.append(name)

async def main():
    log = []
    tasks = {asyncio.create_task(worker(f"w{n}", log)) for n in range(20)}
    done, _ = await asyncio.wait(tasks)
    return log, [task.get_name() for task in done]

print(run(main(), seed=7))
"""


async def _sleepers(order: list[str]) -> None:
    async def sleeper(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        order.append(name)

    await asyncio.gather(sleeper("late", 3600), sleeper("soon", 1), sleeper("between", 60))


def test_time_jumps_to_the_next_timer_in_order() -> None:
    order: list[str] = []

    async def main() -> float:
        await _sleepers(order)
        return asyncio.get_running_loop().time()

    assert run(main()) == 3600
    assert order == ["soon", "between", "late"]


async def _race() -> list[int]:
    out: list[int] = []

    async def note(number: int) -> None:
        for _ in range(3):
            await asyncio.sleep(0)
            out.append(number)

    await asyncio.gather(*(note(number) for number in range(12)))
    return out


def test_the_seed_orders_what_is_ready_together() -> None:
    assert run(_race(), seed=1) == run(_race(), seed=1)
    assert run(_race(), seed=1) != run(_race(), seed=2)
    assert sorted(run(_race(), seed=1)) == sorted(run(_race(), seed=2))


def test_first_in_first_out_is_an_option() -> None:
    assert run(_race(), shuffle=False) == list(range(12)) * 3


def test_the_same_seed_gives_the_same_order_under_another_hash_seed() -> None:
    outputs = {
        subprocess.run(
            [sys.executable, "-c", TRACE],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("0", "1", "4711")
    }
    assert len(outputs) == 1


def test_a_deadlock_names_who_waits() -> None:
    async def main() -> None:
        await asyncio.create_task(asyncio.Event().wait(), name="waits-for-godot")

    with pytest.raises(DeadlockError, match=r"deadlock: nothing scheduled.*waits-for-godot"):
        run(main())


def test_cancelled_timers_do_not_hide_a_deadlock() -> None:
    async def main() -> None:
        asyncio.get_running_loop().call_later(5, print).cancel()
        await asyncio.Event().wait()

    with pytest.raises(DeadlockError):
        run(main())


def test_the_time_limit_names_who_waits() -> None:
    async def main() -> None:
        for _ in itertools.count():
            await asyncio.sleep(1)

    with pytest.raises(TimeLimitError, match="within 10 virtual s; still waiting"):
        run(main(), until_s=10)


def test_a_task_that_never_lets_time_pass_is_an_error() -> None:
    async def main() -> None:
        for _ in itertools.count():
            await asyncio.sleep(0)

    with pytest.raises(SimulationError, match="time never passes"):
        run(main())


def test_threads_and_sockets_are_refused_by_name() -> None:
    async def executor() -> None:
        await asyncio.to_thread(print)

    async def socket() -> None:
        await asyncio.open_connection("localhost", 1)

    for main in (executor, socket):
        with pytest.raises(SimulationError, match="threads have no virtual time"):
            run(main())


def test_nobody_outside_can_wake_the_loop() -> None:
    refused: list[BaseException] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        woken = asyncio.Event()
        loop.call_soon_threadsafe(woken.set)
        await woken.wait()

        def outside() -> None:
            try:
                loop.call_soon_threadsafe(print)
            except SimulationError as error:
                refused.append(error)

        thread = threading.Thread(target=outside)
        thread.start()
        thread.join()

    run(main())
    assert len(refused) == 1


def test_exceptions_come_out_and_what_is_left_is_closed() -> None:
    closed: list[str] = []

    async def numbers() -> object:
        try:
            yield 1
            yield 2
        finally:
            closed.append("generator")

    async def background() -> None:
        try:
            await asyncio.sleep(1e9)
        finally:
            closed.append("task")

    async def main() -> None:
        task = asyncio.create_task(background())
        async for _ in numbers():
            break
        await asyncio.sleep(1)
        assert not task.done()
        raise ValueError("as it was")

    with pytest.raises(ValueError, match="as it was"):
        run(main())
    assert sorted(closed) == ["generator", "task"]


def test_a_killed_process_runs_nothing_any_more_and_the_world_goes_on() -> None:
    log: list[str] = []

    async def program() -> None:
        try:
            while True:
                await asyncio.sleep(1)
                log.append("step")
        finally:
            log.append("farewell")

    async def main() -> list[str]:
        process = Process("cockpit", on_death=lambda: log.append("dead"))
        process.start(program())
        await asyncio.sleep(3.5)
        process.kill()
        await asyncio.sleep(100)
        return list(log)

    assert run(main()) == ["step", "step", "step", "dead"]
    assert log[-1] == "farewell"  # only when the run is over and its tasks are put away


def test_a_process_dies_before_the_given_step_and_so_do_its_children() -> None:
    async def child(log: list[str]) -> None:
        await asyncio.sleep(0)
        log.append("child")

    async def program(log: list[str]) -> None:
        log.append("parent")
        await asyncio.create_task(child(log))
        log.append("end")

    async def main(dies_at: int) -> list[str]:
        log: list[str] = []
        process = Process("cockpit")
        process.dies_at = dies_at
        process.start(program(log))
        await asyncio.sleep(1)
        return log

    assert [run(main(step)) for step in (1, 2, 3, 4, 99)] == [
        [],
        ["parent"],
        ["parent"],
        ["parent", "child"],
        ["parent", "child", "end"],
    ]


def test_timers_of_one_instant_keep_the_order_they_were_set_in() -> None:
    async def main() -> list[int]:
        order: list[int] = []
        loop = asyncio.get_running_loop()
        for number in range(50):
            loop.call_at(1.0, order.append, number)
        await asyncio.sleep(2)
        return order

    assert run(main(), shuffle=False) == list(range(50))


def test_an_error_in_a_callback_ends_the_run() -> None:
    async def main() -> None:
        asyncio.get_running_loop().call_later(1, lambda: 1 // 0)
        await asyncio.sleep(10)

    with pytest.raises(ZeroDivisionError):
        run(main())


def test_a_failure_in_the_last_turn_is_the_error_that_comes_out() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        asyncio.create_task(asyncio.sleep(1e9)).set_name("left over")
        await asyncio.sleep(1)
        loop.fail(ValueError("the verdict"))

    with pytest.raises(ValueError, match="the verdict"):
        run(main())


def test_a_task_that_swallows_one_cancellation_is_put_away_too() -> None:
    ends: list[str] = []

    async def stubborn() -> None:
        for _ in range(3):
            try:
                await asyncio.sleep(1e9)
            except asyncio.CancelledError:
                ends.append("cancelled")

    async def main() -> None:
        asyncio.create_task(stubborn()).set_name("stubborn")
        await asyncio.sleep(1)

    run(main())
    assert ends == ["cancelled"] * 3


def test_the_loop_is_closed_after_the_run() -> None:
    loop = VirtualLoop()
    loop.run_until_complete(asyncio.sleep(5))
    assert loop.time() == 5
    loop.close()
    assert loop.is_closed()
