"""Many sessions, side by side on several processors, and one verdict over all of them."""

import contextlib
import logging
import signal
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import islice
from multiprocessing import get_context

from msgspec import Struct

from breakwall.sim.session import Report, Session, play

_AHEAD = 4
_LOOK_S = 0.2
"""How soon an interruption is noticed where no session ends."""


class Task(Struct, frozen=True):
    """A session to live through, and the command that shows it again."""

    session: Session
    line: str


class Violation(Struct, frozen=True):
    """A promise that was not kept, or a program that failed: what, where, and the command that shows it again."""

    seed: int
    promise: str
    line: str
    session: Session


class Verdict(Struct, frozen=True):
    """What a campaign came to; sums over its sessions, `virtual_s` in their own time.

    `faults` are those that struck, `kills` the deaths at crash points, `points` all visits of these.
    """

    sessions: int
    virtual_s: float
    orders: int
    entries: int
    deaths: int
    deaths_holding: int
    recovery_ms_max: int
    unprotected_ms_max: int
    faults: dict[str, int]
    kills: dict[str, int]
    points: dict[str, int]
    stumbles: dict[str, int]
    violations: tuple[Violation, ...]


def attempt(task: Task) -> Report | Violation:
    """Live through a session; whatever goes wrong in it is a violation."""
    try:
        return play(task.session, task.line)
    except Exception as error:
        what = str(error).partition(". See it again: ")[0]
        promise = what if isinstance(error, AssertionError) else f"the program failed: {type(error).__name__}: {what}"
        return Violation(task.session.seed, promise, task.line, task.session)


def outcomes(tasks: Iterable[Task], jobs: int) -> Generator[Report | Violation, None, None]:
    """Each session's outcome as it comes; with more than one job on processes of their own."""
    if jobs == 1:
        _quieten()
        yield from map(attempt, tasks)
        return
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_work_quietly)
    noted: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: noted.append(number))
    try:
        yield from _side_by_side(tasks, pool, jobs, noted)
    finally:
        pool.shutdown(cancel_futures=True)
        signal.signal(signal.SIGINT, before)


def _side_by_side(
    tasks: Iterable[Task], pool: ProcessPoolExecutor, jobs: int, interrupts: list[int]
) -> Iterator[Report | Violation]:
    """Never more of them waiting than keep the pool busy. Raises KeyboardInterrupt here and nowhere else: raised
    while a future is locked, it would leave the lock behind, and the pool would never end.
    """
    waiting: set[Future[Report | Violation]] = set()
    coming = iter(tasks)
    while True:
        for task in islice(coming, _AHEAD * jobs - len(waiting)):
            waiting.add(pool.submit(attempt, task))
        if not waiting:
            return
        done, waiting = wait(waiting, timeout=_LOOK_S, return_when=FIRST_COMPLETED)
        yield from (each.result() for each in done)
        if interrupts:
            raise KeyboardInterrupt


def judge(
    tasks: Iterable[Task], jobs: int, on_outcome: Callable[[Report | Violation], None] = lambda _: None
) -> Verdict:
    """Live through all of them; `on_outcome` hears of each. Interrupted, it judges those that are done."""
    reports: list[Report] = []
    violations: list[Violation] = []
    with contextlib.suppress(KeyboardInterrupt), contextlib.closing(outcomes(tasks, jobs)) as coming:
        for outcome in coming:
            if isinstance(outcome, Violation):
                violations.append(outcome)
            else:
                reports.append(outcome)
            on_outcome(outcome)
    return Verdict(
        sessions=len(reports) + len(violations),
        virtual_s=round(sum(report.seconds for report in reports), 1),
        orders=sum(report.orders for report in reports),
        entries=sum(report.entries for report in reports),
        deaths=sum(report.deaths for report in reports),
        deaths_holding=sum(report.deaths_holding for report in reports),
        recovery_ms_max=max((report.recovery_ms for report in reports), default=0),
        unprotected_ms_max=max((report.unprotected_ms for report in reports), default=0),
        faults=_sum(report.faults for report in reports),
        kills=_sum(report.kills for report in reports),
        points=_sum(report.points for report in reports),
        stumbles=_sum(report.stumbles for report in reports),
        violations=tuple(sorted(violations, key=lambda violation: violation.seed)),
    )


def _quieten() -> None:
    """What the program says in its log is nobody's here."""
    logging.getLogger("breakwall").addHandler(logging.NullHandler())


def _work_quietly() -> None:
    """An interruption is for the process that waits for us."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _quieten()


def _sum(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for count in counts:
        total.update(count)
    return dict(sorted(total.items()))
