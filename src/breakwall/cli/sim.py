"""`breakwall sim`: the whole program in made-up worlds, where everything goes wrong."""

import os
import shlex
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from breakwall.clock import SystemClock
from breakwall.exit_codes import INTERNAL, INTERRUPTED

if TYPE_CHECKING:
    from breakwall.sim.campaign import Task, Verdict, Violation
    from breakwall.sim.session import Report, Session

_RUNS = 100
_MIXES = "calm, network, disk, clock, process, exchange, everything, storm"
_SHOWN = 20


def sim(
    runs: Annotated[
        int | None, typer.Option(min=1, help=f"how many sessions; {_RUNS}, with --seed one", show_default=False)
    ] = None,
    seed: Annotated[int | None, typer.Option(help="seed of the first session", show_default="0")] = None,
    seconds: Annotated[
        float, typer.Option(min=1, max=86_400, help="bad weather in a session, in its own time")
    ] = 60.0,
    mix: Annotated[
        str, typer.Option(metavar="NAME|FILE", help=f"what goes wrong: {_MIXES}, or a file")
    ] = "everything",
    crashes: Annotated[int, typer.Option(min=0, max=100, help="kills in a session besides those of the mix")] = 0,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="processes side by side", show_default="all processors")
    ] = None,
    session: Annotated[str, typer.Option(metavar="JSON", help="live through exactly this session")] = "",
    shrink: Annotated[bool, typer.Option("--shrink", help="make the first session that fails smaller")] = False,
    ui: Annotated[bool, typer.Option("--ui", help="watch the first session in the cockpit")] = False,
    speed: Annotated[float, typer.Option(min=0.1, max=100, help="with --ui: how many times as fast as real")] = 1.0,
    as_json: Annotated[bool, typer.Option("--json", help="the verdict as one JSON line")] = False,
) -> None:
    """Let the whole program live through simulated sessions with faults drawn from seeds, and judge every step.

    Engine, adapter, journal and recovery are the real ones; exchange, network, disk, clock and people are simulated
    in virtual time. A mix says what goes wrong (docs/simulation.md tells how to write one). Exit code 1 where a
    promise was broken: what is printed shows it again. Interrupted, it judges what it has seen, and ends with 130.
    """
    many = 1 if session else runs or (_RUNS if seed is None else 1)
    tasks = _tasks(session, range(seed or 0, (seed or 0) + many), seconds, mix, crashes)
    if ui:
        from breakwall.cli.simscreen import watch

        watch(next(tasks).session, speed)
        return
    clock = SystemClock()
    began_ms = clock.now_ms()
    verdict = _judge(tasks, many, min(jobs or os.cpu_count() or 1, many))
    wall_s = (clock.now_ms() - began_ms) / 1000
    smaller = _smaller(verdict.violations[0]) if shrink and verdict.violations else None
    _tell(verdict, wall_s, smaller, as_json=as_json)
    if verdict.violations or verdict.sessions < many:
        raise typer.Exit(INTERNAL if verdict.violations else INTERRUPTED)


def _tasks(session: str, seeds: range, seconds: float, mix: str, crashes: int) -> "Iterator[Task]":
    """The sessions of the command line, each with the command that shows it again."""
    import msgspec

    from breakwall.sim.campaign import Task
    from breakwall.sim.mixes import MixError, mix_of
    from breakwall.sim.session import drawn, session_of

    if session:
        try:
            one = session_of(session)
        except msgspec.DecodeError as error:
            raise typer.BadParameter(
                f"expected a session as it was printed: {error}", param_hint="--session"
            ) from error
        return iter([Task(one, one.line)])
    try:
        chosen = mix_of(mix)
    except MixError as error:
        raise typer.BadParameter(str(error), param_hint="--mix") from error
    said = f" --seconds {seconds:g}" * (seconds != 60) + f" --mix {shlex.quote(mix)}" * (mix != "everything")
    said += f" --crashes {crashes}" * bool(crashes)
    return (
        Task(drawn(seed, seconds=seconds, mix=chosen, crashes=crashes), f"breakwall sim --seed {seed}{said}")
        for seed in seeds
    )


def _judge(tasks: "Iterator[Task]", many: int, jobs: int) -> "Verdict":
    """All sessions, with their progress on stderr."""
    from breakwall.sim.campaign import judge

    progress = _Progress(many)
    verdict = judge(tasks, jobs, progress.hear)
    progress.end()
    return verdict


class _Progress:
    """On a terminal one line that is written anew; elsewhere a line each tenth."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = self._failed = 0
        self._live = sys.stderr.isatty()

    def hear(self, outcome: "Report | Violation") -> None:
        from breakwall.sim.campaign import Violation

        self._done += 1
        if isinstance(outcome, Violation):
            self._failed += 1
            self._write(f"seed {outcome.seed}: {outcome.promise}", last=True)
        tenth = self._done * 10 // self._total > (self._done - 1) * 10 // self._total
        if self._live or tenth:
            self._write(f"{self._done}/{self._total} sessions, {self._failed} violations", last=not self._live)

    def end(self) -> None:
        if self._live:
            self._write("", last=False)

    def _write(self, text: str, *, last: bool) -> None:
        print(f"\r\x1b[K{text}" if self._live else text, end="\n" if last else "", file=sys.stderr, flush=True)


def _smaller(violation: "Violation") -> "Session":
    """The session made smaller; it must go on breaking the same promise."""
    from breakwall.sim.campaign import Task, Violation, attempt
    from breakwall.sim.shrink import shrink

    name = violation.promise.partition(" ")[0]

    def fails(smaller: "Session") -> bool:
        outcome = attempt(Task(smaller, ""))
        return isinstance(outcome, Violation) and outcome.promise.startswith(name)

    return shrink(violation.session, fails)


def _tell(verdict: "Verdict", wall_s: float, smaller: "Session | None", *, as_json: bool) -> None:
    if as_json:
        import msgspec

        told: dict[str, Any] = msgspec.structs.asdict(verdict)
        told |= {"wall_s": wall_s, "smaller": smaller}
        print(msgspec.json.encode(told).decode())
        return
    for name, value in _rows(verdict):
        print(f"{name:<22}{value}")
    print(f"{'wall time':<22}{wall_s:.1f} s, {verdict.virtual_s / max(wall_s, 0.001):.0f} times as fast as real")
    for violation in verdict.violations[:_SHOWN]:
        print(f"\nseed {violation.seed}: {violation.promise}\n  see it again: {violation.line}")
    if len(verdict.violations) > _SHOWN:
        print(f"\nand {len(verdict.violations) - _SHOWN} more")
    if smaller is not None:
        print(f"\nsmaller: {smaller.line}")


def _rows(verdict: "Verdict") -> list[tuple[str, str]]:
    def counts(of: dict[str, int]) -> str:
        return ", ".join(f"{name} {count}" for name, count in of.items()) or "none"

    return [
        ("sessions", f"{verdict.sessions}, {len(verdict.violations)} violations"),
        ("virtual time", f"{verdict.virtual_s / 3600:.2f} h"),
        ("orders", f"{verdict.orders}, of them {verdict.entries} entries"),
        ("faults that struck", counts(verdict.faults)),
        ("deaths", f"{verdict.deaths}, of them {verdict.deaths_holding} with something at stake"),
        ("kills by crash point", counts(verdict.kills)),
        ("visits of the points", counts(verdict.points)),
        ("stumbles", counts(verdict.stumbles)),
        ("without a stop, most", f"{verdict.unprotected_ms_max} ms (where others took it away)"),
    ]
