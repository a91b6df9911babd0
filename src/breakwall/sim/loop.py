"""An event loop whose time is made up: hours pass in seconds and the same seed gives the same run.

Nothing outside the process can wake it, so time jumps straight to the next timer. What would bring
the outside in (threads, executors, sockets) is refused by name. Callbacks that are ready in the same
turn run in an order drawn from the seed, because code that needs a certain order there has a bug;
`shuffle=False` keeps asyncio's first-in-first-out.

A `Process` marks whatever is started inside it (context variables are inherited by tasks and
callbacks): killing it leaves its callbacks unrun for ever, which is what `kill -9` does and what
cancelling does not. Suspended, it stands still while time passes for the others.
"""

import asyncio
import heapq
import math
import random
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from contextvars import Context, ContextVar, copy_context
from typing import Any, NoReturn, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

TURNS_WITHOUT_TIME = 200_000
CANCELLATIONS = 5
PATIENCE_S = 10.0
_PROCESS: ContextVar["Process | None"] = ContextVar("process", default=None)


class SimulationError(Exception):
    """The simulated program did what a virtual-time loop cannot follow; the text says what."""


class DeadlockError(SimulationError):
    """Tasks wait, and nothing is scheduled that could ever wake them."""


class TimeLimitError(SimulationError):
    """Virtual time ran out before the main coroutine ended."""


class Killed(BaseException):
    """Ends the step in which a process dies; nothing in it may catch this and go on."""


class Process:
    """The program under test as the operating system sees it: alive, suspended, or gone.

    `steps` counts its callbacks; it dies before the one numbered `dies_at`, and `on_death` tells the world.
    """

    __slots__ = ("_remains", "_waiting", "alive", "context", "dies_at", "name", "on_death", "steps", "suspended")

    def __init__(self, name: str, on_death: Callable[[], None] | None = None) -> None:
        self.name = name
        self.alive = True
        self.steps = 0
        self.dies_at: int | None = None
        self.on_death = on_death
        self.suspended = False
        self._waiting: list[asyncio.Handle] = []
        self._remains: set[asyncio.Task[Any]] = set()
        self.context = copy_context()
        self.context.run(_PROCESS.set, self)

    def start(self, coro: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Run a coroutine as part of this process; all it starts belongs to it too."""
        return asyncio.get_running_loop().create_task(coro, name=self.name, context=self.context)

    def kill(self) -> None:
        """No callback of this process runs any more: no `finally`, no `except`, no farewell."""
        if self.alive:
            self.alive = False
            self._remains = asyncio.all_tasks()  # held, or collecting them would run their `finally`
            if self.on_death is not None:
                self.on_death()

    def die_here(self) -> NoReturn:
        """The step that runs now goes no further."""
        self.kill()
        raise Killed(self.name)

    def may_step(self, handle: asyncio.Handle) -> bool:
        """Whether a callback may run now; a suspended process keeps it for later."""
        if self.suspended and self.alive:
            self._waiting.append(handle)
            return False
        if self.alive:
            self.steps += 1
            if self.steps == self.dies_at:
                self.kill()
        return self.alive

    def wake(self) -> list[asyncio.Handle]:
        """It goes on; what has become due in the meantime."""
        self.suspended = False
        waiting, self._waiting = self._waiting, []
        return waiting


class CountedTask(asyncio.Task[Any]):
    """A task whose hash is its number, so that sets of tasks iterate alike in every process."""

    def __init__(self, coro: Coroutine[Any, Any, Any], number: int, **options: Any) -> None:
        self._number = number  # before asyncio puts the task into its own sets
        super().__init__(coro, **options)

    def __hash__(self) -> int:
        return self._number

    def __eq__(self, other: object) -> bool:
        return self is other


class VirtualLoop(asyncio.BaseEventLoop):
    """`time()` is virtual seconds from 0; see the module's text for what is refused and why."""

    def __init__(self, seed: int = 0, *, shuffle: bool = True, until_s: float = math.inf) -> None:
        super().__init__()
        self._random = random.Random(f"loop {seed}") if shuffle else None
        self._until_s = until_s
        self._now_s = 0.0
        self._turns_at_now = 0
        self._stamp = 0
        self._tasks_made = 0
        self._soon: list[tuple[asyncio.Handle, Process | None]] = []
        self._timers: list[tuple[float, int, asyncio.TimerHandle, Process | None]] = []
        self._unrun: list[tuple[asyncio.Handle, Process | None]] = []
        self._burying = False
        self._failure: BaseException | None = None
        self.set_task_factory(self._make_task)

    def time(self) -> float:
        return self._now_s

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._soon.append((handle, _owner(context)))
        return handle

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self._stamp += 1
        heapq.heappush(self._timers, (when, self._stamp, handle, _owner(context)))
        return handle

    def call_soon_threadsafe(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Allowed from the loop itself only; raises SimulationError from anywhere else."""
        if not _inside(self):
            raise SimulationError(f"call_soon_threadsafe({callback!r}) from outside: threads have no virtual time")
        return self.call_soon(callback, *args, context=context)

    def run_in_executor(self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts) -> NoReturn:
        raise SimulationError(
            f"run_in_executor({executor}, {func!r}, {args}): threads have no virtual time; put the work behind a port"
        )

    def resume(self, process: Process) -> None:
        """Let a suspended process go on."""
        self._soon += [(handle, process) for handle in process.wake()]

    def fail(self, error: BaseException) -> None:
        """End the run with this error after the turn that runs now; the first one counts."""
        self._failure = self._failure or error

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """An error that nobody handled ends the run: here it is never just a line in a log."""
        if isinstance(context.get("exception"), Killed):
            return
        self.fail(context.get("exception") or SimulationError(str(context["message"])))

    def advance(self, to_s: float) -> None:
        """Live on until this time, called from a callback of another loop that waits meanwhile. Raises what fails."""
        waiting = asyncio._get_running_loop()  # noqa: SLF001 - asyncio names it so, for who writes loops
        asyncio._set_running_loop(self)  # noqa: SLF001 - the same
        try:
            while self._soon or (self._timers and self._timers[0][0] <= to_s):
                self._run_once()
            self._now_s = max(self._now_s, to_s)
        finally:
            asyncio._set_running_loop(waiting)  # noqa: SLF001 - the same

    def end(self) -> None:
        """Put away and close what lived by `advance`."""
        waiting = asyncio._get_running_loop()  # noqa: SLF001 - as in `advance`
        asyncio._set_running_loop(None)  # noqa: SLF001 - the same
        try:
            self.put_away()
            self.close()
        finally:
            asyncio._set_running_loop(waiting)  # noqa: SLF001 - the same

    def put_away(self) -> None:
        """After the run: let also the dead be cancelled, again where a cancellation was swallowed."""
        self._burying = True
        self._until_s = math.inf
        self._soon += self._unrun
        self._unrun = []
        for _ in range(CANCELLATIONS):
            left = asyncio.all_tasks(self)
            if not left:
                break
            for task in left:
                task.cancel()
            self.call_later(PATIENCE_S, self.stop)
            self.run_forever()

    def _make_task(self, loop: asyncio.AbstractEventLoop, coro: Any, **options: Any) -> "asyncio.Task[Any]":
        self._tasks_made += 1
        if options.get("name") is None:  # asyncio's own default counts over the life of the interpreter
            options["name"] = f"task-{self._tasks_made}"
        return CountedTask(coro, self._tasks_made, loop=loop, **options)

    def _run_once(self) -> None:
        """One turn: whatever is ready, else whatever time brings next."""
        self._drop_cancelled()
        if not self._soon:
            self._jump()
        self._count_turn()
        while self._timers and self._timers[0][0] <= self._now_s:
            _, _, timer, owner = heapq.heappop(self._timers)
            self._soon.append((timer, owner))
        turn, self._soon = self._soon, []
        if self._random is not None:
            self._random.shuffle(turn)
        for handle, owner in turn:
            if handle.cancelled():
                continue
            if owner is None or self._burying or owner.may_step(handle):
                handle._run()  # noqa: SLF001 - what a loop does with handles has no public name
            elif not owner.alive:
                self._unrun.append((handle, owner))
        if self._failure is not None and not self._burying:
            raise self._failure

    def _drop_cancelled(self) -> None:
        while self._timers and self._timers[0][2].cancelled():
            heapq.heappop(self._timers)

    def _jump(self) -> None:
        if not self._timers:
            raise DeadlockError(f"deadlock: nothing scheduled at {self._now_s:.3f} s; waiting: {self._waiting()}")
        when = self._timers[0][0]
        if when > self._until_s:
            raise TimeLimitError(
                f"expected the end within {self._until_s:g} virtual s; still waiting: {self._waiting()}"
            )
        if when > self._now_s:
            self._now_s = when
            self._turns_at_now = 0

    def _count_turn(self) -> None:
        self._turns_at_now += 1
        if self._turns_at_now > TURNS_WITHOUT_TIME:
            raise SimulationError(f"busy for ever at {self._now_s:.3f} s, time never passes: {self._waiting()}")

    def _waiting(self) -> str:
        names = sorted(f"{task.get_name()} ({_place(task)})" for task in asyncio.all_tasks(self))
        return ", ".join(names) or "no task"

    # What BaseEventLoop calls on a loop with a selector.
    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Cancelled timers are dropped when they come up."""

    def _write_to_self(self) -> None:
        """There is no selector to wake."""

    def _process_events(self, event_list: list[Any]) -> None:
        """There are no file events."""


def run(main: Coroutine[Any, Any, T], *, seed: int = 0, until_s: float = math.inf, shuffle: bool = True) -> T:
    """Run a coroutine to its end in virtual time, then cancel what is left and close generators.

    Raises what `main` raises; DeadlockError, TimeLimitError or SimulationError naming the waiting tasks.
    """
    loop = VirtualLoop(seed, shuffle=shuffle, until_s=until_s)
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        try:
            return runner.run(main)
        finally:
            loop.put_away()


def current_process() -> Process | None:
    """Whose step runs now; None: the world's."""
    return _PROCESS.get()


def _owner(context: Context | None) -> Process | None:
    return _PROCESS.get() if context is None else context.get(_PROCESS)


def _inside(loop: asyncio.AbstractEventLoop) -> bool:
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False


def _place(task: "asyncio.Task[Any]") -> str:
    frames = task.get_stack(limit=1)
    return f"{frames[-1].f_code.co_qualname}:{frames[-1].f_lineno}" if frames else "done"
