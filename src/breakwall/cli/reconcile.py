"""`breakwall reconcile`: journal and exchange compared without a cockpit; nothing is opened."""

import asyncio
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import Struct

from breakwall.cli.options import ConfigOption, JsonOption, StateOption
from breakwall.exit_codes import DONE, UNEXPLAINED
from breakwall.model.records import HangingOrder, RecoveryReport
from breakwall.model.text import sanitise

if TYPE_CHECKING:
    from breakwall.cli.place import Place
    from breakwall.engine.loop import Engine
    from breakwall.model.view import View
    from breakwall.settings import Settings

_PATIENCE_S = 20.0
"""How long the account may take to be read, beyond the passes themselves."""
_LOOK_EVERY_S = 0.05
_WIDTH = 300


class Answer(Struct, frozen=True):
    """What came of it; `observing` is what nobody can explain, `held` what is at the exchange now."""

    passes: tuple[RecoveryReport, ...]
    clean: bool
    trading_state: str
    observing: str
    why: str
    held: tuple[str, ...]


def reconcile(
    state: StateOption = None,
    config: ConfigOption = None,
    env_file: Annotated[Path | None, typer.Option(metavar="FILE", help="a private file with the key")] = None,
    as_json: JsonOption = False,
) -> None:
    """Read the account in passes until it agrees with the journal, and print what differed and what was done.

    Stops that are missing are set, orders that were forgotten are cancelled; nothing is opened, and nothing is closed
    by a strategy. Exit codes: 0 clean, 5 something stays unexplained, 3 the exchange cannot be reached, 6 a cockpit
    is up (press its key instead).
    """
    import msgspec

    from breakwall.cli.config import load_checked

    answer = asyncio.run(_reconcile(state, load_checked(config), env_file))
    print(msgspec.json.encode(answer).decode() if as_json else _text(answer))
    raise typer.Exit(DONE if answer.clean else UNEXPLAINED)


async def _reconcile(state: Path | None, settings: "Settings", env_file: Path | None) -> Answer:
    from breakwall.cli.voice import Voice
    from breakwall.clock import SystemClock
    from breakwall.logs.python import PythonsOwn
    from breakwall.venues.transport import AiohttpTransport

    place = await _place(state, settings, env_file)
    clock, voice, transport = SystemClock(), Voice(settings), AiohttpTransport()
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(place.release)
        stack.enter_context(contextlib.closing(voice))
        stack.push_async_callback(transport.close)
        voice.log.open(place.folder.logs)
        stack.enter_context(PythonsOwn(voice.log, clock))
        run = await place.begin(settings, clock, transport, voice.log, markets=False)
        stack.push_async_callback(run.engine.close)
        return await _look(run.engine, settings)


async def _place(state: Path | None, settings: "Settings", env_file: Path | None) -> "Place":
    """The account with its locks; where a cockpit has them, it is told what to press there."""
    from breakwall.cli import account, runplace
    from breakwall.ports import VenueError
    from breakwall.storage.runs import AlreadyRunningError

    if settings.mode == "paper":
        raise VenueError('mode = "paper": its account lives in the cockpit; reconcile there, the key is R', code=2)
    try:
        if settings.mode == "demo":
            return await runplace.living(state)
        return await account.find(settings, state, env_file, strict=False)
    except AlreadyRunningError as error:
        raise AlreadyRunningError(f"{error} Or reconcile there: the key is R.") from error


async def _look(engine: "Engine", settings: "Settings") -> Answer:
    """The passes of the start, and those by hand, which a person may take for a proof."""
    from breakwall.model.events import Command, CommandKind

    await engine.start()
    running = asyncio.create_task(engine.run())
    try:
        await _passes(engine, running, settings, "start")
        engine.submit(Command(CommandKind.RECONCILE, who="breakwall reconcile"))
        await _passes(engine, running, settings, "by hand")
        await engine.leave(flatten=False, patience_s=2.0, why="reconciled")
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    return _answer(engine.view())


async def _passes(engine: "Engine", running: asyncio.Task[None], settings: "Settings", purpose: str) -> None:
    """Wait for the last pass of this purpose. Raises VenueError where the account cannot be read."""
    from breakwall.ports import VenueError

    rules = settings.recovery
    deadline_ms = engine.clock.now_ms() + int((rules.passes * rules.pass_gap_s + _PATIENCE_S) * 1000)
    while True:
        await engine.clock.sleep(_LOOK_EVERY_S)
        view = engine.view()
        if running.done():
            running.result()
        if not view.recovering and any(report.purpose == purpose for report in view.recovery):
            return
        if engine.clock.now_ms() > deadline_ms:
            raise VenueError(f"the account: expected an answer from the exchange, found none; {view.why}")


def _answer(view: "View") -> Answer:
    held = [
        f"{position.symbol} {position.qty:+f}, " + ("NO STOP" if position.stop is None else f"stop {position.stop:f}")
        for position in view.positions
    ]
    last = view.recovery[-1]
    clean = last.clean and not view.observing
    return Answer(tuple(view.recovery), clean, view.trading_state, view.observing, view.why, tuple(held))


def _text(answer: Answer) -> str:
    """The passes for people, one below the other."""
    lines = [line for report in answer.passes for line in _report_lines(report)]
    lines.append(f"held     {'; '.join(answer.held) or 'nothing'}")
    lines.append(
        "clean: journal and exchange agree" if answer.clean else f"NOT CLEAN: {answer.observing or answer.why}"
    )
    return "\n".join(sanitise(line, _WIDTH) for line in lines)


def _report_lines(report: RecoveryReport) -> list[str]:
    head = f"pass {report.number}   {report.purpose}: {report.verdict}"
    restored = [f"  restored {machine}" for machine in report.restored]
    done = [f"  found    {action}" for action in report.actions]
    return [head, *restored, *done, *(_hanging_line(order) for order in report.hanging)]


def _hanging_line(order: HangingOrder) -> str:
    ids = f"{order.client_id or '-'} ({order.order_id or 'no id of the exchange'})"
    told = f", the exchange says {order.exchange_state}" if order.exchange_state else ""
    raw = f": {order.raw}" if order.raw else ""
    return f"  hanging  {order.symbol} {ids} {order.our_state}, {order.kind}: {order.reason}{told}{raw}"
